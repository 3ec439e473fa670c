"""Statistics of the checked records: counts, first locations and hashes, but not the records."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from claimstance.model.labels import DEFAULT_LABELS, SENTENCE_TASKS
from claimstance.model.record import Record, Span, Stance, text_key
from claimstance.model.text.mentions import find_mentions
from claimstance.training.data.codebook import Codebook
from claimstance.training.data.lint.base import CheckedRecord, Contradiction, Location, surface

_WORD = re.compile(r"\w+")


@dataclass
class Tally:
    """Count how often a label, target or annotator occurs.

    Attributes:
        first: The first location.
        count: The number of occurrences.
        mentioned: For a target, whether a text with a stance toward it mentions its name.
    """

    first: Location
    count: int = 0
    mentioned: bool = False


@dataclass(frozen=True, slots=True)
class _SentenceOfDocument:
    """Represent the only sentence of a document so far, by the hash of its id."""

    location: Location
    id_hash: int


@dataclass(frozen=True, slots=True)
class _EarlierLabel:
    """Represent an annotator's label for a question, in the form in which labels are compared."""

    annotator: str | None
    label: str
    location: Location


@dataclass
class Facts:
    """Accumulate the statistics that the checks need.

    Attributes:
        labels: Task → label names, as the user configured them.
        codebook: The definitions of labels and targets, if there are any.
        default_sets: Whether tasks without configured names use the default ones, as in JSON Lines.
        records: The number of records.
        tallies: Task → label → its tally.
        by_split: Split → task → label → its tally, for records with a named split.
        targets: Target name → its tally.
        annotators: Annotator → the tally of their records; ``None`` for records without one.
        words: The words of all texts, in lower case.
        pairs: (task, annotator, annotator) → number of items that both labelled (``common``), and
            of those with equal labels (``alike``).
    """

    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    codebook: Codebook | None = None
    default_sets: bool = False
    records: int = 0
    tallies: dict[str, dict[str, Tally]] = field(default_factory=lambda: defaultdict(dict))
    by_split: dict[str, dict[str, dict[str, Tally]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )
    targets: dict[str, Tally] = field(default_factory=dict)
    annotators: dict[str | None, Tally] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)
    pairs: dict[tuple[str, str, str], Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    # The keys of the following are hashes, so that memory does not grow with the texts.
    _locations_by_id: dict[int, Location] = field(default_factory=dict)
    _locations_by_content: dict[int, Location] = field(default_factory=dict)
    # A document with several sentences has the value None.
    _single_sentences: dict[int, _SentenceOfDocument | None] = field(default_factory=dict)
    _earlier_labels: dict[int, list[_EarlierLabel]] = field(default_factory=dict)

    def add(self, record: Record, location: Location, split: str | None = None) -> CheckedRecord:
        """Count a record, and return it with its conflicts with earlier records.

        Args:
            record: The record.
            location: The location of the record.
            split: The split of the record, if it is named.
        """
        self.records += 1
        self.words.update(words_of(record.text))
        self._count_labels(record, location, split)

        for stance in record.stances or ():
            if isinstance(stance.target, str):
                tally = self.targets.setdefault(stance.target, Tally(location))
                tally.count += 1
                # Searching a text takes long, and one mention is enough.
                if not tally.mentioned:
                    tally.mentioned = bool(find_mentions(stance.target, record.text))

        if record.doc_id is not None:
            # Records of several annotators with one id are one sentence of the document.
            document, id_hash = key_of(record.doc_id), key_of(record.id)
            sentence = _SentenceOfDocument(location, id_hash)
            first = self._single_sentences.setdefault(document, sentence)
            if first is not None and first.id_hash != id_hash:
                self._single_sentences[document] = None

        self.annotators.setdefault(record.annotator, Tally(location)).count += 1
        id_key, whole_key = key_of(record.id, record.annotator), content_key(record)
        checked = CheckedRecord(
            record,
            location,
            same_id=self._locations_by_id.get(id_key),
            repeats=self._locations_by_content.get(whole_key),
            contradictions=list(self._contradictions(record, location)),
        )
        # The first location of a key stays: later records are compared with it.
        self._locations_by_id.setdefault(id_key, location)
        self._locations_by_content.setdefault(whole_key, location)
        return checked

    def reference(self, task: str) -> tuple[str, ...] | None:
        """Return the label names of a task; ``None`` if the data do not tell which are correct."""
        if task in self.labels:
            return tuple(self.labels[task])
        default = DEFAULT_LABELS[task]
        uses_default = set(default) & self.tallies[task].keys()
        return default if self.default_sets or uses_default else None

    def is_strict(self, task: str) -> bool:
        """Return whether ``build`` refuses labels that are not in the reference."""
        return task in self.labels or self.default_sets

    def lone_records(self) -> tuple[int, int, Location | None]:
        """Return the number of documents with one sentence, of all documents, and the first one."""
        lone = [sentence for sentence in self._single_sentences.values() if sentence is not None]
        first = lone[0].location if lone else None
        return len(lone), len(self._single_sentences), first

    def _count_labels(self, record: Record, location: Location, split: str | None) -> None:
        """Count the labels of a record, also by split."""
        labels = []
        for task in SENTENCE_TASKS:
            label = getattr(record, task)
            if label is not None:
                labels.append((task, label))
        labels += [("entity", entity.label) for entity in record.entities or ()]
        for stance in record.stances or ():
            if stance.label is not None:
                labels.append(("stance", stance.label))
        for task, label in labels:
            self.tallies[task].setdefault(label, Tally(location)).count += 1
            if split is not None:
                self.by_split[split][task].setdefault(label, Tally(location)).count += 1
        # Soft labels name labels of the set, but are no examples of them.
        for stance in record.stances or ():
            for label in stance.probabilities or ():
                self.tallies["stance"].setdefault(label, Tally(location))

    def _contradictions(self, record: Record, location: Location) -> Iterator[Contradiction]:
        """Add the record's labels; yield those that contradict earlier ones of its annotator.

        Labels of other annotators for the same questions count as common items of the two.
        """
        text = text_key(record.text)
        for task, question, label in dict.fromkeys(answers(record)):
            new = _EarlierLabel(record.annotator, label.strip().casefold(), location)
            earlier_labels = self._earlier_labels.setdefault(key_of(text, task, question), [])
            own_labels = [old for old in earlier_labels if old.annotator == new.annotator]
            # An annotator who labels a text twice counts once towards agreement.
            if own_labels:
                own = own_labels[0]
                # The check two-stance-labels reports two labels in one record.
                if own.label != new.label and own.location is not location:
                    yield Contradiction(question or task, own.label, new.label, own.location)
                continue
            for old in earlier_labels:
                if old.annotator is not None and new.annotator is not None:
                    first, second = sorted((old.annotator, new.annotator))
                    counts = self.pairs[task, first, second]
                    counts["common"] += 1
                    counts["alike"] += int(old.label == new.label)
            earlier_labels.append(new)


def answers(record: Record) -> Iterator[tuple[str, str, str]]:
    """Yield task, question and label of each sentence label and stance of a record.

    The question of a stance names its holder and target; sentence labels have an empty question.
    """
    for task in SENTENCE_TASKS:
        label = getattr(record, task)
        if label is not None:
            yield task, "", label
    for stance in record.stances or ():
        if stance.label is not None:
            yield "stance", stance_question(record.text, stance), stance.label


def stance_question(text: str, stance: Stance) -> str:
    """Return holder and target of a stance as text, without differences in case and white space."""
    holder = participant_name(text, stance.holder) or "(text)"
    return f"{holder} → {participant_name(text, stance.target)}"


def participant_name(text: str, participant: Span | str | None) -> str:
    """Return the name of a holder or target; a number distinguishes spans with equal words."""
    if participant is None:
        return ""
    if isinstance(participant, str):
        return same_name(participant)
    words = surface(text, participant)
    earlier = text.count(words, 0, participant[0][0])
    number = f" ({earlier + 1})" if earlier else ""
    return same_name(words) + number


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return _WORD.findall(text.casefold())


def same_name(name: str) -> str:
    """Return a name without the differences in case and white space that two spellings may have."""
    return " ".join(name.casefold().split())


def content_key(record: Record) -> int:
    """Return a hash of everything in a record but its id."""
    return key_of(record.model_copy(update={"id": ""}).to_json())


def key_of(*values: str | None) -> int:
    """Return a 64-bit hash.

    With a million keys, the probability of any collision is about 1 in 40 million.
    """
    # The separators are control characters, which keep ("a", "b") and ("ab",) different.
    joined = "\0".join("\1" if value is None else value for value in values)
    digest = blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")
