"""The lines of one annotator in Prodigy's export, and those of them that the annotator has answered again later."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from claimstance.model.errors import InputError

SpanKey = tuple[int, int, str]  # start, end, label


@dataclass(frozen=True)
class AnswerLine:
    """Represent a line with an annotator's answer.

    Attributes:
        data: the object of the line.
        where: its file and line, for messages.
        text: the text that was annotated.
    """

    data: dict[str, Any]
    where: str
    text: str

    @property
    def time(self) -> float | None:
        """Return the time of the answer in seconds; ``None`` if the line has none."""
        time = self.data.get("_timestamp")
        is_number = isinstance(time, (int, float)) and not isinstance(time, bool)
        return time if is_number else None

    def questions(self) -> set[tuple[str, str]]:
        """Return the names of the question: lines with a name in common answer the same question."""
        names = set()
        if isinstance(self.data.get("_task_hash"), int):
            names.add(("task", str(self.data["_task_hash"])))
        options = self.data.get("options")
        if self.data.get("label") is not None:
            names.add(("label", str(self.data["label"])))
        elif isinstance(options, list):
            ids = [str(option.get("id")) for option in options if isinstance(option, dict)]
            names.add(("options", repr(sorted(ids))))
        return names

    def spans(self) -> list[SpanKey]:
        """Return the valid spans that the line marks; ``_add_marks`` reports the others."""
        values = self.data.get("spans")
        if self.data.get("label") is not None or not isinstance(values, list):
            return []
        spans = []
        for value in values:
            if not isinstance(value, dict):
                continue
            start, end, label = value.get("start"), value.get("end"), value.get("label")
            if isinstance(start, int) and isinstance(end, int) and isinstance(label, str):
                # A wrong bound may be huge, and every character is looked at.
                spans.append((max(start, 0), min(end, len(self.text)), label))
        return spans


def latest_answers(lines: Sequence[AnswerLine]) -> list[AnswerLine]:
    """Return the lines of one annotator, in order, without those answered again later.

    Raises:
        InputError: for two lines whose spans contradict each other, without timestamps that differ.
    """
    times = {line.time for line in lines}
    # Without a time of its own for each line, none of them is known to be the latest.
    if None in times or len(times) < len(lines):
        _check_spans_agree(lines)
        return list(lines)

    answered: set[tuple[str, str]] = set()
    covered: dict[str, set[int]] = defaultdict(set)  # label → characters that later lines mark
    latest_times = set()
    for line in sorted(lines, key=lambda line: line.time or 0, reverse=True):
        questions, spans = line.questions(), line.spans()
        is_answered_later = not questions.isdisjoint(answered)
        # Marks have no question: a later line with the same label for some of the words replaces them.
        for start, end, label in spans:
            if not covered[label].isdisjoint(range(start, end)):
                is_answered_later = True
        if is_answered_later:
            continue
        answered |= questions
        for start, end, label in spans:
            covered[label].update(range(start, end))
        latest_times.add(line.time)
    return [line for line in lines if line.time in latest_times]


def _check_spans_agree(lines: Sequence[AnswerLine]) -> None:
    """Raise ``InputError`` if two lines mark the same words with one label, but different bounds."""
    covered: dict[str, dict[int, str]] = defaultdict(dict)  # label → character → first line
    earlier_spans: set[SpanKey] = set()
    for line in lines:
        spans = line.spans()
        for start, end, label in spans:
            if (start, end, label) in earlier_spans:
                continue
            for character in range(start, end):
                if character in covered[label]:
                    raise InputError(
                        f"{line.where}: spans: expected a later _timestamp in one of an "
                        f"annotator's two answers, found other marks with the label '{label}' "
                        f"for the same words ({covered[label][character]})"
                    )
        # Spans of one line may overlap, so that they count only for the lines after it.
        for start, end, label in spans:
            covered[label].update(dict.fromkeys(range(start, end), line.where))
            earlier_spans.add((start, end, label))
