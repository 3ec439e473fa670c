"""Make evaluations by hand from sentences about invented people and predictions for them."""

from dataclasses import asdict

from claimstance.model.article.record_prediction import Prediction
from claimstance.model.config import ModelConfig
from claimstance.model.record import Attribution, Entity, Record, Stance
from claimstance.model.text.entities import DecodedEntity
from claimstance.model.windows import SentenceSpan
from claimstance.training.evaluation.result import Evaluation
from claimstance.training.evaluation.scoring import primary_scores, score_pairs

TASKS = ("attribution", "entity", "claim", "check_worthy", "stance")
CONFIG = ModelConfig(
    {},
    tasks=TASKS,
    temperatures={"stance.mention": 1.0, "claim": 1.0},
    thresholds={"check_worthy": 0.4},
    abstain_below={"stance.mention": 0.65, "claim": 0.0, "stance": 2.0},
    conformal={"claim": 0.3},
)
HOSTILE = "\"'><script>alert(1)</script>\u202e&amp;{{ 7*7 }}$x$"

#       0         10        20        30
TEXT = "Runa Salt accused Orvane of greed {}."
SAID = Attribution(source=[(0, 9)], cue=[(10, 17)], content=[(18, 33)])


def shares(label, share, labels):
    """Return probabilities in which a label has ``share``, and the others share the rest evenly."""
    rest = (1 - share) / (len(labels) - 1)
    return {name: share if name == label else rest for name in labels}


def sentences(count=40, odd=3, words="", **meta):
    """Yield pairs of records and predictions; every ``odd``-th answer is wrong, and earlier answers are surer."""
    for i in range(count):
        is_correct, confidence = bool(i % odd), 0.95 - 0.4 * i / count
        text = TEXT.format(words or i)
        claim, worthy = ("claim", "no_claim")[i % 2], ("no", "yes")[i % 4 == 0]
        record = Record(
            id=f"d{i // 2}:{i}",
            doc_id=f"d{i // 2}",
            text=text,
            claim=claim,
            check_worthy=worthy,
            attributions=[SAID],
            entities=[
                Entity(span=[(0, 9)], label="PERSON"),
                Entity(span=[(18, 24)], label="ORGANIZATION"),
            ],
            stances=[
                Stance(
                    holder=[(0, 9)],
                    target=[(18, 24)] if i % 2 else "the cod quota",
                    label="against",
                )
            ],
            meta={"corpus": "cod", "outlet": ("The Post", "Sund Radio")[i % 2], **meta},
        )
        predicted_claim = claim if is_correct else ("no_claim", "claim")[i % 2]
        predicted_stance = "against" if is_correct else "favor"
        attribution = SAID
        if not is_correct:
            attribution = SAID.model_copy(update={"source": [(0, 4)], "content": None})
        prediction = Prediction(
            claim=shares(predicted_claim, confidence, ("no_claim", "claim")),
            check_worthy=shares(worthy, confidence if is_correct else 0.45, ("no", "yes")),
            attributions=[(attribution, 0.9)],
            entities=[DecodedEntity(SentenceSpan(0, 0, 9), "PERSON", 0.9)],
            stances=[shares(predicted_stance, confidence, ("against", "neutral", "favor"))],
            kinds=["stance.mention" if i % 2 else "stance.topic"],
        )
        yield record, prediction


def evaluation(pairs, config=CONFIG, name="cod-model", split="dev", **account):
    """Return the evaluation of pairs of records and predictions; ``account`` has further entries of its account."""
    pairs = list(pairs)
    results, outcomes = score_pairs(config, pairs)
    figures = {
        task: {metric: asdict(figure) for metric, figure in metrics.items()}
        for task, metrics in results.items()
    }
    return Evaluation(
        {
            "date": "2024-05-06",
            "model": {
                "name": name,
                "version": "7",
                "sha256": "0123456789abcdef" * 4,
                "precision": "as exported",
            },
            "data": {
                "path": "runs/cod",
                "split": split,
                "rows": len(pairs),
                "fingerprint": "feed" * 16,
            },
            "primary": primary_scores(results),
            "results": figures,
            **account,
        },
        outcomes,
        config,
        pairs,
    )
