"""Records of a document's sentences, from its linked annotations and from answers about the whole text."""

from collections.abc import Mapping, Sequence
from typing import Any

from claimstance.model.errors import InputError, shorten, unknown
from claimstance.model.labels import ENTITY, ROLES, SENTENCE_TASKS
from claimstance.model.record import Attribution, Entity, Record, Span, Stance, overlapping_pieces
from claimstance.training.data.documents.document import Answer, Document, Mark
from claimstance.training.data.documents.format import Layout
from claimstance.training.data.documents.linking import LinkedAttribution
from claimstance.training.data.documents.roles import IGNORE, MEANINGS, Roles
from claimstance.training.data.documents.spans import clip
from claimstance.training.data.documents.stance_linking import LinkedStance

META_COLUMNS = ("outlet", "date", "split")
#: The columns that a document's own fields can fill.
FIELD_COLUMNS = ("target", "holder", "doc_id", *META_COLUMNS)
# The labels of CoNLL and spaCy that have another name here.
_ENTITY_NAMES = {
    "PER": "PERSON",
    "ORG": "ORGANIZATION",
    "LOC": "LOCATION",
    "GPE": "LOCATION",
}


class RecordBuilder:
    """Collect the annotations of a document's sentences, and build their records."""

    def __init__(
        self, document: Document, bounds: Sequence[tuple[int, int]], kinds: set[str], roles: Roles
    ) -> None:
        self._document = document
        self._roles = roles
        self._bounds = bounds
        self._fields: list[dict[str, Any]] = [{} for _ in bounds]  # of the record of each sentence
        # An empty list means that the file has annotations of this kind, but not in the sentence.
        for fields in self._fields:
            if kinds & set(ROLES):
                fields["attributions"] = []
            if "entity" in kinds:
                fields["entities"] = []
            if "stance" in kinds:
                fields["stances"] = []
        self._tasks = [task for task in SENTENCE_TASKS if task in kinds]
        self._derives_claim = "content" in kinds and "claim" not in kinds

    def _clip_to_sentences(self, span: Span, where: str) -> list[tuple[int, Span]]:
        """Return (sentence index, pieces relative to the sentence) for each sentence of a span."""
        clipped = []
        for index, (start, end) in enumerate(self._bounds):
            if span[0][0] < end and span[-1][1] > start:
                pieces = self._clip(span, index)
                if pieces:
                    clipped.append((index, pieces))
        if not clipped:
            raise InputError(f"{where}: expected a span that touches a sentence, found {span}")
        return clipped

    def _clip(self, span: Span, index: int) -> Span | None:
        """Return the pieces of a span in a sentence, relative to it; ``None`` if there are none."""
        start, end = self._bounds[index]
        # A span within the sentence keeps its pieces as they were annotated.
        if start <= span[0][0] and span[-1][1] <= end:
            return [(first - start, last - start) for first, last in span]
        return clip(span, start, end, self._document.text)

    def _where(self, mark: Mark) -> str:
        return mark.where or f"{self._document.where}: {mark.name}"

    def add_attributions(self, linked: Sequence[LinkedAttribution]) -> None:
        """Add attributions; one over several sentences gets a common event.

        Raises:
            InputError: If marks that the file ties to one attribution in one role overlap.
        """
        document = self._document
        for number, attribution in enumerate(linked, 1):
            by_sentence: dict[int, dict[str, Span]] = {}  # sentence index → role → pieces
            for role in ROLES:
                span = attribution.span(role)
                if span is None:
                    continue
                where = attribution.marks[role][0].where or document.where
                check_pieces(span, role, where, document)
                for index, pieces in self._clip_to_sentences(span, f"{document.where}: a {role}"):
                    by_sentence.setdefault(index, {})[role] = pieces
            event = f"A{number}" if len(by_sentence) > 1 else None
            for index, spans in sorted(by_sentence.items()):
                self._fields[index]["attributions"].append(Attribution(**spans, event=event))

    def add_entities(self, marks: Sequence[Mark]) -> None:
        """Add entities to the sentences that they touch."""
        for mark in sorted(marks, key=lambda mark: mark.pieces):
            label = self._roles.label(mark.label, "entity")
            # A label set of the user's own keeps its names.
            if self._roles.labels["entity"] == ENTITY:
                label = _ENTITY_NAMES.get(label, label)
            for index, pieces in self._clip_to_sentences(mark.pieces, self._where(mark)):
                self._fields[index]["entities"].append(Entity(span=pieces, label=label))

    def add_labels(self, labels: Sequence[tuple[Mark, str, str]]) -> None:
        """Set the sentence labels of (mark, task, label)."""
        for mark, task, label in labels:
            for index, _ in self._clip_to_sentences(mark.pieces, self._where(mark)):
                earlier = self._fields[index].get(task)
                if earlier not in (None, label):
                    raise InputError(
                        f"{self._where(mark)}: {task}: expected one label a sentence, "
                        f"found '{earlier}' and '{label}'"
                    )
                self._fields[index][task] = label

    def add_stances(self, linked: Sequence[LinkedStance]) -> None:
        """Add stances, each to the sentence in which its anchor begins."""
        for stance in linked:
            where = stance.anchor.where or self._document.where
            # A stance belongs to one sentence, even if its anchor goes on in the next one.
            index, _ = self._clip_to_sentences(stance.anchor.pieces, where)[0]
            holder = None
            if stance.holder is not None:
                holder = self._span_or_name(stance.holder, index)
            target = self._span_or_name(stance.target, index)
            built = Stance(holder=holder, target=target, label=stance.label)
            self._fields[index].setdefault("stances", []).append(built)

    def _span_or_name(self, participant: Mark | str, index: int) -> Span | str:
        """Return a holder or target as a span of a sentence, or as a name if it is not in it."""
        if isinstance(participant, str):
            return participant
        span = self._clip(participant.pieces, index)
        if span:
            return span
        # A participant from another sentence has no offsets in this one, and is given by its words.
        words = [self._document.text[start:end] for start, end in participant.pieces]
        return " ".join(words)

    def records(
        self, as_one_text: bool, columns: Mapping[str, str | None], layout: Layout
    ) -> list[Record]:
        """Return the records of all sentences."""
        document = self._document
        # Only plain fields have a place in ``meta``: tools also export nested data, such as histories.
        meta: dict[str, Any] = {}
        columns_in_file = {layout.columns.get(name, name) for name in (*FIELD_COLUMNS, "text")}
        for key, value in document.fields.items():
            is_plain = isinstance(value, (str, int, float, bool))
            if is_plain and key not in columns_in_file:
                meta[key] = value
        meta |= {name: columns[name] for name in META_COLUMNS if columns[name] is not None}

        built = []
        for index, (start, end) in enumerate(self._bounds):
            identity: dict[str, Any] = {
                "id": f"{document.name}:{index}",
                "doc_id": document.name,
                "start": start,
            }
            # A text that stays whole is a record of its own, without offsets in a document.
            if as_one_text:
                identity = {"id": document.name, "doc_id": columns["doc_id"], "start": None}

            fields = self._fields[index]
            # Every attributed content is a claim, unless the file has claims of its own.
            if self._derives_claim:
                fields["claim"] = "no_claim"
                if any(attribution.content for attribution in fields["attributions"]):
                    fields["claim"] = "claim"

            for task in self._tasks:
                if fields.get(task) is None:
                    # Tools mark only the sentences with the positive label.
                    fields[task] = self._roles.yes_no(task, False)

            built.append(
                Record(
                    **identity,
                    text=document.text[start:end],
                    annotator=document.annotator or layout.annotator,
                    meta=dict(meta),
                    **fields,
                )
            )
        return built


def check_pieces(span: Span, label: str, where: str, document: Document) -> None:
    """Raise ``InputError`` if pieces of a span have characters in common."""
    pair = overlapping_pieces(span)
    if pair is None:
        return
    first, second = [shorten(repr(document.text[start:end])) for start, end in pair]
    raise InputError(
        f"{where}: expected pieces of one {label} that do not overlap, found {first} and {second}"
    )


def add_answers(
    record: Record,
    document: Document,
    roles: Roles,
    columns: Mapping[str, str | None],
    kinds: set[str],
) -> None:
    """Add the labels of a whole text to its record."""
    answers: list[tuple[Answer, str]] = []
    for answer in document.answers:
        task = _answer_task(answer, document, roles, columns)
        if task is None:
            continue
        answers.append((answer, task))
        if task == "claim" and "claim" not in kinds:
            record.claim = None  # An answer takes precedence over a claim derived from contents.

    for answer, task in answers:
        if isinstance(answer.value, str):
            label = roles.label(answer.value, task)
        elif roles.of(answer.question) == task and task != "stance":
            # A label with the name of the task, such as "claim", stands for its positive label.
            label = roles.yes_no(task, answer.value)
        elif answer.value:
            label = roles.label(answer.question, task)
        else:
            # A rejected label, such as "not in favor", does not tell which label is correct.
            continue

        if task == "stance":
            if columns["target"] is None:
                raise InputError(
                    f"{document.where}: stance '{label}': expected a target (a field of the text, "
                    "or one for the file), found none"
                )
            stance = Stance(holder=columns["holder"], target=columns["target"], label=label)
            record.stances = [*(record.stances or ()), stance]
            continue

        earlier = getattr(record, task)
        if earlier not in (None, label):
            raise InputError(
                f"{document.where}: {task}: expected one label, found '{earlier}' and '{label}'"
            )
        setattr(record, task, label)


def _answer_task(
    answer: Answer, document: Document, roles: Roles, columns: Mapping[str, str | None]
) -> str | None:
    """Return the task that an answer labels; ``None`` if it labels none.

    Raises:
        InputError: If the question has no meaning here.
    """
    meaning = roles.of(answer.question)
    if meaning in (IGNORE, "target", "holder"):
        return None
    if meaning is None:
        # Tools without questions export each label as a question, with yes or no as its answer.
        name = answer.question if isinstance(answer.value, bool) else answer.value
        meaning = roles.task_of(name)
    if meaning is None and answer.question in ("label", "labels"):
        meaning = "stance" if columns["target"] is not None else "claim"
    if meaning in (*SENTENCE_TASKS, "stance"):
        return meaning
    raise InputError(
        f"{document.where}: {unknown('question', answer.question, MEANINGS)}; roles can say which "
        "of these it is"
    )
