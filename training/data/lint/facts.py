"""What the checks keep of the records they have seen: counts, first places and hashes, never the records."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from claimstance.model.labels import DEFAULT_LABELS, SENTENCE_TASKS
from claimstance.model.record import Record, Span, Stance, text_key
from claimstance.model.text.mentions import find_mentions
from claimstance.training.data.codebook import Codebook
from claimstance.training.data.lint.base import Contradiction, Place, Seen, surface

_WORD = re.compile(r"\w+")


@dataclass
class Tally:
    """How often something occurred, and where first; of a target also whether a text that it is asked of names it."""

    first: Place
    count: int = 0
    mentioned: bool = False


@dataclass
class Facts:
    """The state of all checks.

    Attributes:
        labels: task → the label names that the user gives it.
        codebook: what defines labels and targets, if anything does.
        default_sets: whether tasks without given names have the default ones, as in JSON Lines.
        records: how many records there were.
        found: task → label → its tally.
        by_split: split → task → label → its tally, of the records whose split is named.
        targets: target name → its tally.
        annotators: annotator → the tally of their records; ``None``: nobody knows who.
        words: the words of all texts, in lower case.
        pairs: (task, annotator, annotator) → items that both answered, and those answered alike.
    """

    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    codebook: Codebook | None = None
    default_sets: bool = False
    records: int = 0
    found: dict[str, dict[str, Tally]] = field(default_factory=lambda: defaultdict(dict))
    by_split: dict[str, dict[str, dict[str, Tally]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )
    targets: dict[str, Tally] = field(default_factory=dict)
    annotators: dict[str | None, Tally] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)
    pairs: dict[tuple[str, str, str], Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    _ids: dict[int, Place] = field(default_factory=dict)
    _wholes: dict[int, Place] = field(default_factory=dict)
    _documents: dict[int, tuple[Place, int] | None] = field(default_factory=dict)
    _answers: dict[int, list[tuple[str | None, str, Place]]] = field(default_factory=dict)

    def add(self, record: Record, place: Place, split: str | None = None) -> Seen:
        """Take a record down; what earlier ones make of it.

        Args:
            record: The record.
            place: Where it stands.
            split: Its split, where one is named.
        """
        self.records += 1
        if split is not None:
            self._count_in_split(record, place, split)
        self.words.update(words_of(record.text))
        self._count_labels(record, place)
        self._count_targets(record, place)
        self._place_in_document(record, place)
        self.annotators.setdefault(record.annotator, Tally(place)).count += 1
        same_id = self._ids.setdefault(key_of(record.id, record.annotator), place)
        same = self._wholes.setdefault(whole_key(record), place)
        return Seen(
            record,
            place,
            same_id if same_id is not place else None,
            same if same is not place else None,
            list(self._compare(record, place)),
        )

    def reference(self, task: str) -> tuple[str, ...] | None:
        """The names that the labels of ``task`` are to be of; ``None`` where only the user knows."""
        if task in self.labels:
            return tuple(self.labels[task])
        default = DEFAULT_LABELS[task]
        return default if self.default_sets or set(default) & self.found[task].keys() else None

    def is_strict(self, task: str) -> bool:
        """Whether ``build`` refuses labels that are not in the reference."""
        return task in self.labels or self.default_sets

    def lone_records(self) -> tuple[int, int, Place | None]:
        """How many documents have one record, how many there are, and where the first of the former stands."""
        alone = [entry[0] for entry in self._documents.values() if entry is not None]
        return len(alone), len(self._documents), alone[0] if alone else None

    def _count_in_split(self, record: Record, place: Place, split: str) -> None:
        for task, label in _labels(record):
            tallies = self.by_split[split][task]
            tallies.setdefault(label, Tally(place)).count += 1

    def _count_labels(self, record: Record, place: Place) -> None:
        for task, label in _labels(record):
            self._count(task, label, place)
        for stance in record.stances or ():
            for label in stance.probabilities or ():
                self._count("stance", label, place, 0)

    def _count(self, task: str, label: str, place: Place, count: int = 1) -> None:
        self.found[task].setdefault(label, Tally(place)).count += count

    def _count_targets(self, record: Record, place: Place) -> None:
        for stance in record.stances or ():
            if isinstance(stance.target, str):
                tally = self.targets.setdefault(stance.target, Tally(place))
                tally.count += 1
                tally.mentioned = tally.mentioned or bool(find_mentions(stance.target, record.text))

    def _place_in_document(self, record: Record, place: Place) -> None:
        if record.doc_id is not None:
            document, sentence = key_of(record.doc_id), key_of(record.id)
            entry = self._documents.setdefault(document, (place, sentence))
            if entry is not None and entry[1] != sentence:
                self._documents[document] = None

    def _compare(self, record: Record, place: Place) -> Iterator[Contradiction]:
        """Enter the record's answers; those of other annotators to the same questions count as common items."""
        words = text_key(record.text)
        for task, question, label in dict.fromkeys(answers(record)):
            now = label.strip().casefold()
            earlier = self._answers.setdefault(key_of(words, task, question), [])
            own = next((entry for entry in earlier if entry[0] == record.annotator), None)
            if own is not None:
                if (
                    own[1] != now and own[2] is not place
                ):  # two labels in one record are another check's
                    yield Contradiction(question or task, own[1], now, own[2])
                continue
            for annotator, before, _ in earlier:
                if annotator is not None and record.annotator is not None:
                    first, second = sorted((annotator, record.annotator))
                    self.pairs[task, first, second].update(
                        {"common": 1, "alike": int(before == now)}
                    )
            earlier.append((record.annotator, now, place))


def _labels(record: Record) -> Iterator[tuple[str, str]]:
    """Yield the task and the label of each label of a record."""
    for task in SENTENCE_TASKS:
        if (label := getattr(record, task)) is not None:
            yield task, label
    for entity in record.entities or ():
        yield "entity", entity.label
    for stance in record.stances or ():
        if stance.label is not None:
            yield "stance", stance.label


def answers(record: Record) -> Iterator[tuple[str, str, str]]:
    """Each question that the record answers with one label: task, question, label. Of stances, who toward whom."""
    for task in SENTENCE_TASKS:
        if (label := getattr(record, task)) is not None:
            yield task, "", label
    for stance in record.stances or ():
        if stance.label is not None:
            yield "stance", stance_question(record.text, stance), stance.label


def stance_question(text: str, stance: Stance) -> str:
    """Who toward whom: the same for names that differ in case and white space alone."""
    return f"{named(text, stance.holder) or '(text)'} → {named(text, stance.target)}"


def named(text: str, who: Span | str | None) -> str:
    """A holder or target by name; spans with the same words in one text are told apart by a number."""
    if who is None:
        return ""
    if isinstance(who, str):
        return same_name(who)
    words = surface(text, who)
    earlier = text.count(words, 0, who[0][0])
    return same_name(words) + (f" ({earlier + 1})" if earlier else "")


def words_of(text: str) -> list[str]:
    """The words of a text in lower case."""
    return _WORD.findall(text.casefold())


def same_name(name: str) -> str:
    """What names that differ in case and white space alone have in common."""
    return " ".join(name.casefold().split())


def whole_key(record: Record) -> int:
    """A hash of all of a record but its id."""
    return key_of(record.model_copy(update={"id": ""}).to_json())


def key_of(*parts: str | None) -> int:
    """A hash of 64 bits: two of a million keys are the same by chance once in 40 million times."""
    joined = "\0".join("\1" if part is None else part for part in parts)
    return int.from_bytes(
        blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big"
    )
