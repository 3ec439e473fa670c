"""Results of tagging. Offsets count code points of the article: ``text[span.start:span.end] == span.text``."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from claimstance.model.article.spans import Attribution, Continuation, Entity, Span
from claimstance.model.errors import ClaimstanceError, plural, shorten
from claimstance.model.labels import CLAIM
from claimstance.model.pages import notebook

if TYPE_CHECKING:
    from pandas import DataFrame

    from claimstance.inference.articles.article import Article


#: The stance label of a holder who takes no side: such stances are listed only if they are asked for.
NO_SIDE = "neutral"
_MAX_ROWS = 100  # of a table in a notebook


@dataclass(frozen=True)
class Label:
    """Represent a predicted label with its probability, and the probabilities of all labels.

    The label is not always the likeliest one: the thresholds of the model decide.
    """

    label: str
    probability: float
    probabilities: dict[str, float]


@dataclass(frozen=True)
class Stance:
    """Represent the stance of a holder on a target, as one sentence expresses it.

    Attributes:
        holder: the name of the holder; ``None`` for the text itself.
        target: the name of the target, as the user wrote it or as the text has it, or the name that its pronoun or
            description refers to.
        sentence: the index of the sentence.
        holder_span: the holder's words; in another sentence if a quotation runs on from there.
        target_span: the target's words; ``None`` if the sentence does not mention it.
        abstained: true if the model is too unsure for its answer to count.
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

    @property
    def is_counted(self) -> bool:
        """Return whether it counts: it takes a side, and the model is sure enough of it."""
        return self.label != NO_SIDE and not self.abstained


@dataclass(frozen=True)
class Sentence:
    """Represent a sentence with its predictions; ``None`` for a task that the model does not have.

    Attributes:
        attributions: those whose cue or source stands in this sentence.
        continued: contents of other sentences' attributions that run on into this sentence.
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
    """Represent a named source of the article.

    Attributes:
        name: the fullest form of its name; its aliases count as this source.
        claims: the indices of the sentences with words of this source, also of quotations that run on, whatever their
            label ``claim`` is.
        stances: target → label → number of stances that are listed and not abstained. The target is
            the fullest form of its name, or as the user wrote it.
    """

    name: str
    claims: list[int]
    stances: dict[str, dict[str, int]]


@dataclass(frozen=True, repr=False)
class TaggedArticle:
    """Represent a tagged article: one line of JSON Lines output.

    Attributes:
        meta: metadata as passed in: date, outlet and url of a page, the remaining columns of a corpus.
    """

    doc_id: str
    title: str | None
    text: str
    model: dict[str, str]
    sentences: list[Sentence]
    sources: list[Source]
    warnings: list[str] = field(default_factory=list)
    meta: dict[str, Any] = field(default_factory=dict)

    def with_metadata(self, article: "Article") -> "TaggedArticle":
        """Return a copy with the id, title and metadata of ``article``; its warnings are appended."""
        return replace(
            self,
            doc_id=article.doc_id,
            title=article.title,
            meta=dict(article.meta),
            warnings=[*self.warnings, *article.warnings],
        )

    def __repr__(self) -> str:
        """Return one line with the title and with counts of the results."""
        title = self.title or self.doc_id
        claims = [s for s in self.sentences if s.claim is not None and s.claim.label == CLAIM[1]]
        stances = [stance for stance in self.stances if not stance.abstained]
        counts = {
            "sentence": len(self.sentences),
            "claim": len(claims),
            "source": len(self.sources),
            "stance": len(stances),
            "warning": len(self.warnings),
        }
        summary = ", ".join(plural(count, noun) for noun, count in counts.items())
        return f"<TaggedArticle {shorten(title)!r}: {summary}>"

    def _repr_html_(self) -> str:
        """Return the article as an HTML table, which notebooks display."""
        notes = [f"Warning: {warning}" for warning in self.warnings]
        if len(self.sentences) > _MAX_ROWS:
            omitted = len(self.sentences) - _MAX_ROWS
            notes.append(f"{omitted} more sentences: article.to_frame() has all of them.")

        rows = []
        for sentence in self.sentences[:_MAX_ROWS]:
            claim = []
            if sentence.claim is not None:
                claim.append(f"{sentence.claim.label} {sentence.claim.probability:.2f}")
            speakers = dict.fromkeys(source.name or source.text for source in sources_of(sentence))
            stances = []
            for stance in sentence.stances:
                if stance.is_counted:
                    pair = f"{stance.holder or '(text)'} → {stance.target}"
                    stances.append(f"{pair}: {stance.label} {stance.probability:.2f}")
            rows.append(([str(sentence.index)], [sentence.text], claim, list(speakers), stances))

        columns = ("#", "sentence", "claim", "who says it", "stance")
        return notebook.table(self.title or self.doc_id or "An article", columns, rows, notes)

    @property
    def stances(self) -> list[Stance]:
        """Return the stances of all sentences, in order."""
        return [stance for sentence in self.sentences for stance in sentence.stances]

    def to_dict(self) -> dict[str, Any]:
        """Return the article as plain JSON values, with probabilities to four digits and ``meta`` unchanged."""
        # Metadata are JSON values already, whose numbers must keep all their digits.
        plain: dict[str, Any] = _plain(replace(self, meta={}))
        return {**plain, "meta": self.meta}

    def to_frame(self, rows: str = "sentences") -> "DataFrame":
        """Return the article as a pandas data frame: see docs/output.md.

        Args:
            rows: ``sentences``, ``stances`` or ``attributions``.

        Raises:
            ConfigError: if pandas is missing, or for another value of ``rows``.
        """
        from claimstance.inference.writers.frames import to_frame

        return to_frame(self, rows)


#: A tagged article, or the error of one that could not be read.
ResultItem = TaggedArticle | ClaimstanceError


def ranking(probabilities: Mapping[str, float]) -> float:
    """Return the score to rank sentences by: the probability of ``yes``, else of the last label."""
    return probabilities.get("yes", list(probabilities.values())[-1])


def sources_of(sentence: Sentence) -> Iterator[Span]:
    """Yield the sources that say something in a sentence, also in a quotation that runs on."""
    for attribution in sentence.attributions or ():
        if attribution.source is not None:
            yield attribution.source
    for continuation in sentence.continued or ():
        if continuation.source is not None:
            yield continuation.source


def _plain(value: Any) -> Any:
    """Return a result as plain JSON values. ``dataclasses.asdict`` takes three times as long."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, (str, int)) or value is None:
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    fields = value if isinstance(value, dict) else vars(value)
    return {key: _plain(item) for key, item in fields.items()}
