"""What tagging gives. Every offset counts code points of the article: ``text[span.start:span.end] == span.text``."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from claimstance.model.errors import shorten
from claimstance.model.labels import CLAIM
from claimstance.model.pages import notebook

if TYPE_CHECKING:
    from pandas import DataFrame

    from claimstance.inference.articles.article import Article


_MOST_ROWS = 100  # of a table in a notebook


@dataclass(frozen=True)
class Span:
    """A stretch of the article, from its first piece to the end of its last.

    Attributes:
        pieces: the parts that belong to it, where something else stands between them.
        name: of a source: the name of the one it refers to ("he" → "Kerry"), if that is known.
    """

    start: int
    end: int
    text: str
    pieces: tuple[tuple[int, int], ...]
    name: str | None = None


@dataclass(frozen=True)
class Label:
    """The label that is given, with its probability, and those of all labels; it need not be the likeliest."""

    label: str
    probability: float
    probabilities: dict[str, float]


@dataclass(frozen=True)
class Attribution:
    """Who says what. A part that was not found is ``None``."""

    source: Span | None
    cue: Span | None
    content: Span | None
    probability: float


@dataclass(frozen=True)
class Continuation:
    """Words of a sentence that somebody says according to another sentence: a quotation that runs on.

    Attributes:
        source: as in the attribution, outside of this sentence as a rule; ``None`` if it has none.
        cue: likewise.
        content: what of the content stands in this sentence.
        probability: of the attribution.
        told_in: the index of the sentence that has the attribution.
    """

    source: Span | None
    cue: Span | None
    content: Span
    probability: float
    told_in: int


@dataclass(frozen=True)
class Entity:
    """A named entity."""

    start: int
    end: int
    text: str
    label: str
    probability: float


@dataclass(frozen=True)
class Stance:
    """Where a holder stands on a target, as one sentence expresses it.

    Attributes:
        holder: its name, or ``None`` for nobody named (the text itself).
        target: its name, as the user gave it or as the text has it.
        holder_span: where the holder stands in the sentence.
        target_span: where the target does; ``None`` if the sentence does not mention it.
        sentence: the index of the sentence.
        abstained: whether the model is too unsure for its answer to count.
    """

    holder: str | None
    target: str
    label: str
    probability: float
    probabilities: dict[str, float]
    sentence: int
    holder_span: Span | None = None
    target_span: Span | None = None
    abstained: bool = False


@dataclass(frozen=True)
class Sentence:
    """A sentence with what was read from it; ``None`` where the model has no such head.

    Attributes:
        attributions: those that are told in this sentence.
        continued: contents of attributions that are told in other sentences, as far as they stand in this one.
    """

    index: int
    start: int
    end: int
    text: str
    claim: Label | None = None
    check_worthy: Label | None = None
    attributions: list[Attribution] | None = None
    entities: list[Entity] | None = None
    stances: list[Stance] = field(default_factory=list)
    subjective: Label | None = None
    continued: list[Continuation] | None = None


@dataclass(frozen=True)
class Source:
    """A named source of the article.

    Attributes:
        name: in its fullest form.
        claims: the sentences that have something that it says, those included into which a quotation runs on.
        stances: target → label → how often it takes that stance.
    """

    name: str
    claims: list[int]
    stances: dict[str, dict[str, int]]


@dataclass(frozen=True, repr=False)
class TaggedArticle:
    """One tagged article: a line of JSON Lines output.

    Attributes:
        meta: what else was known of it, as it was given: date, outlet and url of a page, other columns of a corpus.
    """

    doc_id: str
    title: str | None
    text: str
    model: dict[str, str]
    sentences: list[Sentence]
    sources: list[Source]
    warnings: list[str] = field(default_factory=list)
    meta: dict[str, Any] = field(default_factory=dict)

    def of(self, article: "Article") -> "TaggedArticle":
        """The same for an article with this text: its id, title and metadata; its warnings are added."""
        return replace(
            self,
            doc_id=article.doc_id,
            title=article.title,
            meta=dict(article.meta),
            warnings=[*self.warnings, *article.warnings],
        )

    def __repr__(self) -> str:
        """Return one line: what it is called, and how much was read."""
        named = self.title or self.doc_id
        claims = sum(bool(s.claim and s.claim.label == CLAIM[1]) for s in self.sentences)
        counts = {
            "sentence": len(self.sentences),
            "claim": claims,
            "source": len(self.sources),
            "stance": sum(not stance.abstained for stance in self.stances),
            "warning": len(self.warnings),
        }
        shown = ", ".join(
            f"{count} {what}{'' if count == 1 else 's'}" for what, count in counts.items()
        )
        return f"<TaggedArticle {shorten(named)!r}: {shown}>"

    def _repr_html_(self) -> str:
        """Return the article as a table, which notebooks show."""
        notes = [f"Warning: {warning}" for warning in self.warnings]
        if len(self.sentences) > _MOST_ROWS:
            more = len(self.sentences) - _MOST_ROWS
            notes.append(f"{more} more sentences: article.to_frame() has all of them.")
        columns = ("#", "sentence", "claim", "who says it", "stance")
        rows = map(_notebook_row, self.sentences[:_MOST_ROWS])
        return notebook.table(self.title or self.doc_id or "An article", columns, rows, notes)

    @property
    def stances(self) -> list[Stance]:
        """The stances of all sentences, in order."""
        return [stance for sentence in self.sentences for stance in sentence.stances]

    def to_dict(self) -> dict[str, Any]:
        """The article as plain values, as JSON has it: probabilities to four digits, ``meta`` as it was given."""
        plain: dict[str, Any] = _plain(replace(self, meta={}))
        return {**plain, "meta": self.meta}

    def to_frame(self, rows: str = "sentences") -> "DataFrame":
        """The article as a pandas data frame, a row a sentence, a stance or an attribution: docs/output.md.

        Raises:
            ConfigError: without pandas, or for other ``rows``.
        """
        from claimstance.inference.writers.frames import to_frame

        return to_frame(self, rows)


def ranking(probabilities: Mapping[str, float]) -> float:
    """What sentences are ranked by: the probability of ``yes``, or of the last label of the set."""
    return probabilities.get("yes", list(probabilities.values())[-1])


def group_sources(sentences: list[Sentence]) -> list[Source]:
    """Return the named sources in order of appearance, with their claims and those of their stances that count."""
    claims: dict[str, list[int]] = {}
    stances: dict[str, dict[str, dict[str, int]]] = {}
    for sentence in sentences:
        for name in _named(sentence):
            indices = claims.setdefault(name, [])
            if indices[-1:] != [sentence.index]:
                indices.append(sentence.index)
        for stance in sentence.stances:
            if stance.holder in claims and not stance.abstained:
                counts = stances.setdefault(stance.holder, {}).setdefault(stance.target, {})
                counts[stance.label] = counts.get(stance.label, 0) + 1
    return [Source(name, indices, stances.get(name, {})) for name, indices in claims.items()]


def _named(sentence: Sentence) -> Iterator[str]:
    """Yield the names of those who say something in a sentence."""
    for told in (*(sentence.attributions or ()), *(sentence.continued or ())):
        if told.source and told.source.name:
            yield told.source.name


def _notebook_row(sentence: Sentence) -> tuple[list[str], ...]:
    """Return the cells of a sentence: the text, the claim, who says it, the stances that count."""
    claim = sentence.claim
    speakers = [
        told.source.name or told.source.text
        for told in (*(sentence.attributions or ()), *(sentence.continued or ()))
        if told.source
    ]
    stances = [
        f"{stance.holder or '(text)'} → {stance.target}: {stance.label} {stance.probability:.2f}"
        for stance in sentence.stances
        if stance.label != "neutral" and not stance.abstained
    ]
    return (
        [str(sentence.index)],
        [sentence.text],
        [f"{claim.label} {claim.probability:.2f}"] if claim else [],
        list(dict.fromkeys(speakers)),
        stances,
    )


def _plain(value: Any) -> Any:
    """What JSON has for a result: lists, and dictionaries for its classes (``asdict`` takes three times as long)."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, (str, int)) or value is None:
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return {
        key: _plain(item)
        for key, item in (value if isinstance(value, dict) else vars(value)).items()
    }
