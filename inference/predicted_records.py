"""Records with predictions, as ``claimstance predict`` and the server return them; see docs/record.md."""

import json
from dataclasses import asdict
from typing import Any

from claimstance.inference.results import Label, ranking
from claimstance.model.article.record_prediction import Prediction
from claimstance.model.config import ModelConfig
from claimstance.model.record import Record


def predicted_record(config: ModelConfig, record: Record, prediction: Prediction) -> dict[str, Any]:
    """Return a record as plain values, with the prediction in its field ``predicted``."""
    row: dict[str, Any] = json.loads(record.to_json())
    predicted: dict[str, Any] = {}
    for task in ("claim", "subjective"):
        probabilities = getattr(prediction, task)
        if probabilities is not None:
            predicted[task] = asdict(label_of(config, task, probabilities))
    if prediction.check_worthy is not None:
        predicted["check_worthy"] = {
            "probability": ranking(prediction.check_worthy),
            "probabilities": prediction.check_worthy,
        }

    if prediction.attributions is not None:
        predicted["attributions"] = []
        for attribution, probability in prediction.attributions:
            # Most have no event, which is then absent.
            absent = None if attribution.event else {"event"}
            values = attribution.model_dump(mode="json", exclude=absent)
            predicted["attributions"].append({**values, "probability": probability})

    if prediction.entities is not None:
        predicted["entities"] = []
        for entity in prediction.entities:
            predicted["entities"].append(
                {
                    "span": [[entity.span.start, entity.span.end]],
                    "label": entity.label,
                    "probability": entity.probability,
                }
            )

    if "stance" in config.tasks:
        predicted["stances"] = []
        for pair, kind, probabilities in zip(
            row["stances"] or (), prediction.kinds, prediction.stances, strict=True
        ):
            label = label_of(config, kind, probabilities)
            is_answered = config.is_answered(kind, label.label, label.probability)
            predicted["stances"].append(
                {
                    "holder": pair["holder"],
                    "target": pair["target"],
                    **asdict(label),
                    "abstained": not is_answered,
                }
            )
    return {**row, "predicted": predicted}


def label_of(config: ModelConfig, kind: str, probabilities: dict[str, float]) -> Label:
    """Return the label that is predicted for a task, or for a kind of stance query."""
    label = config.predict_label(kind, probabilities)
    return Label(label, probabilities[label], probabilities)
