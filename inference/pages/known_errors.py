"""The measured error rates of the bundled models, each of which holds for results of that model alone."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

FILE = "known_errors.json"


@dataclass(frozen=True)
class Rate:
    """Represent a figure in per cent; the interval is ``None`` where none was measured.

    Attributes:
        value: the value.
        low: the lower end of its 95 % interval.
        high: the upper end.
        n: the number of items that it was measured on.
    """

    value: float
    low: float | None
    high: float | None
    n: int | None


@dataclass(frozen=True)
class KnownErrors:
    """Represent what was measured of a model.

    Attributes:
        model_sha256: the model.
        date: the day of the measurement.
        articles: the number of articles in which stances were looked for.
        default_confidence: the least confidence of stances of holders that count by default.
        rates: the figures by their key in the file.
        curve: (confidence, precision, recall) of stances of at least a confidence, most confident first.
    """

    model_sha256: str
    date: str
    articles: int
    default_confidence: float
    rates: dict[str, Rate]
    curve: tuple[tuple[float, float, float], ...]

    def of_stances(self, least: float | None) -> tuple[Rate, Rate]:
        """Return precision and recall of the stances of holders whose confidence is at least ``least``."""
        if least is None or least >= self.default_confidence:
            return self.rates["default_precision"], self.rates["default_recall"]
        for confidence, precision, recall in self.curve:
            # The first point that counts all stances which the limit lets through.
            if confidence <= least:
                return _point(precision), _point(recall)
        return self.rates["all_precision"], self.rates["all_recall"]


def known_errors(models: Iterable[Mapping[str, str]]) -> KnownErrors | None:
    """Return what was measured of the model of a corpus; ``None`` for several models, or any other one."""
    path = resources.files("claimstance.inference.pages") / FILE
    entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    sha256s = {model.get("sha256") for model in models}
    for entry in entries:
        if sha256s == {entry["model_sha256"]}:
            return KnownErrors(
                model_sha256=entry["model_sha256"],
                date=entry["date"],
                articles=entry["articles"],
                default_confidence=entry["default_confidence"],
                rates={key: Rate(**row) for key, row in entry["rows"].items()},
                curve=tuple((point[0], point[1], point[2]) for point in entry["curve"]),
            )
    return None


def _point(share: float) -> Rate:
    """Return a share of the curve in per cent; no interval was measured for it."""
    return Rate(round(100 * share, 1), None, None, None)
