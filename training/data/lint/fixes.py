"""What can be put right without knowing what was meant: spelling of labels and targets, white space, exact repeats."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from claimstance.model.labels import SENTENCE_TASKS
from claimstance.model.record import Record, Span, Stance
from claimstance.training.data.lint.facts import Facts, whole_key
from claimstance.training.data.lint.whole import spelling, target_forms


@dataclass
class Fixes:
    """What is put right in the data that was seen.

    Attributes:
        labels: (task, label) → the label in the set that is given, from which it differs in case and blanks alone.
        targets: target name → the commonest of those that differ from it in case and white space alone.
        changed: kind of change → how often it was made.
    """

    labels: Mapping[tuple[str, str], str]
    targets: Mapping[str, str]
    changed: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, facts: Facts) -> "Fixes":
        """The fixes for data of which all is in ``facts``."""
        labels = {
            key: name
            for key, name in spelling(facts).items()
            if name in (facts.reference(key[0]) or ())
        }
        return cls(labels, target_forms(facts))

    def apply(self, records: Iterable[Record]) -> Iterator[Record]:
        """The records with what can be put right put right, in order; they themselves are not changed.

        Text stays as it is to the last character, since offsets count in it. Of records that are the same but for
        their ids, the first is kept.
        """
        seen: set[int] = set()
        for record in records:
            fixed = self._fixed(record.model_copy(deep=True))
            key = whole_key(fixed)
            if key in seen:
                self.changed["exact repeats left out"] += 1
                continue
            seen.add(key)
            yield fixed

    def _fixed(self, record: Record) -> Record:
        text = record.text
        for task in SENTENCE_TASKS:
            setattr(record, task, self._label(task, getattr(record, task)))
        for entity in record.entities or ():
            entity.label = self._label("entity", entity.label) or entity.label
            entity.span = self._trimmed(entity.span, text)
        for attribution in record.attributions or ():
            attribution.source = attribution.source and self._trimmed(attribution.source, text)
            attribution.cue = attribution.cue and self._trimmed(attribution.cue, text)
            attribution.content = attribution.content and self._trimmed(attribution.content, text)
        for stance in record.stances or ():
            self._fix_stance(stance, text)
        return record

    def _fix_stance(self, stance: Stance, text: str) -> None:
        stance.label = self._label("stance", stance.label)
        if stance.probabilities is not None:
            named = {
                self.labels.get(("stance", label), label): share
                for label, share in stance.probabilities.items()
            }
            if len(named) == len(
                stance.probabilities
            ):  # shares of two spellings are not added up unasked
                stance.probabilities = named
        if isinstance(stance.holder, list):
            stance.holder = self._trimmed(stance.holder, text)
        if isinstance(stance.target, list):
            stance.target = self._trimmed(stance.target, text)
        else:
            name = self.targets.get(stance.target, stance.target)
            if name != stance.target:
                kind = (
                    "target names stripped"
                    if name == stance.target.strip()
                    else "target names made alike"
                )
                self.changed[kind] += 1
                stance.target = name

    def _label(self, task: str, label: str | None) -> str | None:
        name = None if label is None else self.labels.get((task, label))
        if name is None:
            return label
        self.changed["labels spelt as in their set"] += 1
        return name

    def _trimmed(self, span: Span, text: str) -> Span:
        """The span without white space at the ends of its pieces; as it is if there is nothing else in it."""
        pieces: Span = []
        for start, end in span:
            inner = text[start:end].strip()
            if inner:
                begin = start + len(text[start:end]) - len(text[start:end].lstrip())
                pieces.append((begin, begin + len(inner)))
        if not pieces or pieces == [tuple(piece) for piece in span]:
            return span
        self.changed["spans without outer white space"] += 1
        return pieces
