"""Corrections that need no knowledge of the data: spelling, white space and exact repeats."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from claimstance.model.labels import ROLES, SENTENCE_TASKS
from claimstance.model.record import Record, Span
from claimstance.training.data.lint.data_checks import spelling, target_forms
from claimstance.training.data.lint.facts import Facts, content_key


@dataclass
class Fixes:
    """Represent the corrections for a data set.

    Attributes:
        labels: (task, label) → the label of the set that differs in case and blanks alone.
        targets: Target name → its commonest spelling in other case or white space.
        changed: Kind of change → number of changes so far.
    """

    labels: Mapping[tuple[str, str], str]
    targets: Mapping[str, str]
    changed: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, facts: Facts) -> "Fixes":
        """Return the corrections for data whose records are all in ``facts``."""
        # Without a label set, only the user can say which of two spellings is correct.
        labels = {
            (task, label): name
            for (task, label), name in spelling(facts).items()
            if name in (facts.reference(task) or ())
        }
        return cls(labels, target_forms(facts))

    def apply(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield corrected copies of the records, in order.

        Texts stay as they are, since offsets refer to their characters. Of records that differ in
        their ids alone, the first is kept.
        """
        seen: set[int] = set()
        for record in records:
            fixed = self._fix_record(record.model_copy(deep=True))
            key = content_key(fixed)
            # Fixed records are compared, since a fix can make two of them equal.
            if key in seen:
                self.changed["exact repeats left out"] += 1
                continue
            seen.add(key)
            yield fixed

    def _fix_record(self, record: Record) -> Record:
        """Correct labels, spans and targets of a record in place, and return it."""
        text = record.text
        for task in SENTENCE_TASKS:
            setattr(record, task, self._fix_label(task, getattr(record, task)))
        for entity in record.entities or ():
            entity.label = self._fix_label("entity", entity.label) or entity.label
            entity.span = self._trim(entity.span, text)
        for attribution in record.attributions or ():
            for role in ROLES:
                span = getattr(attribution, role)
                if span:
                    setattr(attribution, role, self._trim(span, text))

        for stance in record.stances or ():
            stance.label = self._fix_label("stance", stance.label)
            if stance.probabilities is not None:
                probabilities = {
                    self.labels.get(("stance", label), label): probability
                    for label, probability in stance.probabilities.items()
                }
                # Two spellings of one label stay as they are: adding them up would be a guess.
                if len(probabilities) == len(stance.probabilities):
                    stance.probabilities = probabilities

            if isinstance(stance.holder, list):
                stance.holder = self._trim(stance.holder, text)
            # Only names have spellings; a span has the words of its text.
            if isinstance(stance.target, list):
                stance.target = self._trim(stance.target, text)
                continue

            name = self.targets.get(stance.target, stance.target)
            if name != stance.target:
                is_stripped = name == stance.target.strip()
                change = "target names stripped" if is_stripped else "target names made alike"
                self.changed[change] += 1
                stance.target = name
        return record

    def _fix_label(self, task: str, label: str | None) -> str | None:
        if label is None or (task, label) not in self.labels:
            return label
        self.changed["labels spelt as in their set"] += 1
        return self.labels[task, label]

    def _trim(self, span: Span, text: str) -> Span:
        """Return a span without white space at the ends of its pieces.

        A span of nothing but white space stays as it is.
        """
        pieces: Span = []
        for start, end in span:
            piece = text[start:end]
            if piece.strip():
                start += len(piece) - len(piece.lstrip())
                pieces.append((start, start + len(piece.strip())))
        if not pieces or pieces == [tuple(piece) for piece in span]:
            return span
        self.changed["spans without outer white space"] += 1
        return pieces
