"""Results as tidy rows: one set of columns for CSV, Parquet and data frames, which docs/output.md lists."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from claimstance.inference.results import Attribution, Continuation, Span, TaggedArticle, ranking
from claimstance.model.labels import TASKS

META = "meta"
_META_PREFIX = "meta_"
#: Kinds of columns, with what they are to a reader. All may be empty.
KINDS = {
    "text": "text",
    "integer": "whole number",
    "number": "number",
    "flag": "true or false",
    "texts": "list of texts",
    "attributions": "list of attributions",
}


@dataclass(frozen=True)
class Column:
    """A column: its name, one of ``KINDS``, what stands in it, and the task that fills it (none: every model does)."""

    name: str
    kind: str
    about: str
    task: str | None = None


SENTENCES = (
    Column("doc_id", "text", "the article"),
    Column("index", "integer", "which sentence of the article, from 0"),
    Column("start", "integer", "where it begins in the article's text, in code points"),
    Column("end", "integer", "where it ends, exclusive"),
    Column("text", "text", "the sentence"),
    Column("claim", "text", "`claim` or `no_claim`, or a label of the model's own", "claim"),
    Column("claim_probability", "number", "of that label", "claim"),
    Column("check_worthy_probability", "number", "that it is worth checking", "check_worthy"),
    Column("subjective_probability", "number", "that it is subjective", "subjective"),
    Column(
        "sources", "texts", "who says something in it, by name where that is known", "attribution"
    ),
    Column("cues", "texts", "the words that tell that it is said", "attribution"),
    Column("contents", "texts", "what is said", "attribution"),
    Column(
        "entities", "texts", "whom and what it names, with their kind: `Orvane (GPE)`", "entity"
    ),
    Column(
        "attributions",
        "attributions",
        "who says what: `source`, `cue`, `content`, each empty or with `text`, "
        "`start`, `end`, `name`; `probability`",
        "attribution",
    ),
    Column(
        "continued",
        "attributions",
        "the same of what another sentence tells: `content` is what of it stands in this one",
        "attribution",
    ),
)
STANCES = (
    Column("doc_id", "text", "the article"),
    Column("sentence", "integer", "the index of the sentence that expresses it"),
    Column("holder", "text", "whose stance; empty for nobody named"),
    Column("target", "text", "on whom or what"),
    Column("label", "text", "`favor`, `against` or `neutral`, or a label of the model's own"),
    Column("probability", "number", "of that label"),
    Column("abstained", "flag", "whether the model is too unsure for it to count"),
    Column("holder_start", "integer", "where the holder stands in the article's text"),
    Column("holder_end", "integer", "where it ends, exclusive"),
    Column(
        "target_start",
        "integer",
        "where the target stands; empty for a topic that the sentence does not mention",
    ),
    Column("target_end", "integer", "where it ends, exclusive"),
    Column("text", "text", "the sentence"),
)
ATTRIBUTIONS = (
    Column("doc_id", "text", "the article"),
    Column("title", "text", "its title"),
    Column("date", "text", "its date, as it came with it"),
    Column("outlet", "text", "where it was published, likewise"),
    Column("sentence", "integer", "the index of the sentence that tells it"),
    Column("source", "text", "who says it, in the words of the article; empty for nobody named"),
    Column("name", "text", "whom these words mean, where that is known"),
    Column("cue", "text", "the words that tell that it is said"),
    Column("content", "text", "what is said, over all its sentences"),
    Column("probability", "number", "that the article says so"),
    Column("source_start", "integer", "where the source begins in the article's text"),
    Column("source_end", "integer", "where it ends, exclusive"),
    Column("cue_start", "integer", "where the cue begins"),
    Column("cue_end", "integer", "where it ends, exclusive"),
    Column("content_start", "integer", "where the content begins"),
    Column("content_end", "integer", "where it ends, exclusive"),
    Column("text", "text", "the sentence"),
)


def _sentence_rows(article: TaggedArticle) -> Iterator[dict[str, Any]]:
    for sentence in article.sentences:
        attributions, worth, view = (
            sentence.attributions,
            sentence.check_worthy,
            sentence.subjective,
        )
        told = None if attributions is None else [*attributions, *(sentence.continued or ())]
        yield {
            "doc_id": article.doc_id,
            "index": sentence.index,
            "start": sentence.start,
            "end": sentence.end,
            "text": sentence.text,
            "claim": sentence.claim and sentence.claim.label,
            "claim_probability": sentence.claim and round(sentence.claim.probability, 4),
            "check_worthy_probability": worth and round(ranking(worth.probabilities), 4),
            "subjective_probability": view and round(ranking(view.probabilities), 4),
            "sources": _each(told, lambda one: one.source and (one.source.name or one.source.text)),
            "cues": _each(told, lambda one: one.cue and one.cue.text),
            "contents": _each(told, lambda one: one.content and one.content.text),
            "entities": _each(sentence.entities, lambda one: f"{one.text} ({one.label})"),
            "attributions": _each(attributions, _nested),
            "continued": _each(sentence.continued, _nested),
        }


def _each(found: list[Any] | None, told: Callable[[Any], Any]) -> list[Any] | None:
    """What is told of each that was found, without those of which nothing is; ``None`` if the model looks for none."""
    return None if found is None else [value for value in map(told, found) if value is not None]


def _nested(attribution: Attribution | Continuation) -> dict[str, Any]:
    def place(span: Span | None) -> dict[str, Any] | None:
        return (
            None
            if span is None
            else {"text": span.text, "start": span.start, "end": span.end, "name": span.name}
        )

    return {
        "source": place(attribution.source),
        "cue": place(attribution.cue),
        "content": place(attribution.content),
        "probability": round(attribution.probability, 4),
    }


def _stance_rows(article: TaggedArticle) -> Iterator[dict[str, Any]]:
    for stance in article.stances:
        holder, target = stance.holder_span, stance.target_span
        yield {
            "doc_id": article.doc_id,
            "sentence": stance.sentence,
            "holder": stance.holder,
            "target": stance.target,
            "label": stance.label,
            "probability": round(stance.probability, 4),
            "abstained": stance.abstained,
            "holder_start": holder and holder.start,
            "holder_end": holder and holder.end,
            "target_start": target and target.start,
            "target_end": target and target.end,
            "text": article.sentences[stance.sentence].text,
        }


def _attribution_rows(article: TaggedArticle) -> Iterator[dict[str, Any]]:
    """Yield a row for each attribution, once even where several sentences list it."""
    seen = set()
    for sentence in article.sentences:
        for attribution in sentence.attributions or ():
            source, cue, content = attribution.source, attribution.cue, attribution.content
            if (source, cue, content) in seen:
                continue
            seen.add((source, cue, content))
            yield {
                "doc_id": article.doc_id,
                "title": article.title,
                "date": _as_text(article.meta.get("date")),
                "outlet": _as_text(article.meta.get("outlet")),
                "sentence": sentence.index,
                "source": source and source.text,
                "name": source and source.name,
                "cue": cue and cue.text,
                "content": content and content.text,
                "probability": round(attribution.probability, 4),
                "source_start": source and source.start,
                "source_end": source and source.end,
                "cue_start": cue and cue.start,
                "cue_end": cue and cue.end,
                "content_start": content and content.start,
                "content_end": content and content.end,
                "text": sentence.text,
            }


@dataclass(frozen=True)
class Table:
    """A kind of rows.

    Attributes:
        columns: those that every file of such rows has.
        rows: gives the rows of an article.
        own_meta: the names in ``meta`` that ``columns`` has, so that they get no second column.
    """

    columns: tuple[Column, ...]
    rows: Callable[[TaggedArticle], Iterator[dict[str, Any]]]
    own_meta: tuple[str, ...] = ()


TABLES = {
    "sentences": Table(SENTENCES, _sentence_rows),
    "stances": Table(STANCES, _stance_rows),
    "attributions": Table(ATTRIBUTIONS, _attribution_rows, ("date", "outlet")),
}


def table_of(rows: str, tasks: Collection[str] = TASKS) -> Table:
    """Return a kind of rows with the columns that a model of ``tasks`` fills.

    Args:
        rows: a key of ``TABLES``.
        tasks: of ``claimstance.model.labels.TASKS``.
    """
    table = TABLES[rows]
    columns = tuple(column for column in table.columns if column.task in (None, *tasks))
    return replace(table, columns=columns)


def fills_sentences(tasks: Collection[str]) -> bool:
    """Tell whether a model of ``tasks`` says anything that stands in rows of sentences."""
    return any(column.task in tasks for column in SENTENCES)


class MetaColumns:
    """The columns for what travels along, settled by the first article: ``meta_outlet`` for its ``outlet``.

    What another article has beside these stands in the column ``meta``, as JSON, so that files of many articles are
    written row by row and nothing is lost.

    Args:
        meta: of the first article.
        own: the names that the rows have columns of their own for.
    """

    def __init__(self, meta: Mapping[str, Any], own: Collection[str] = ()) -> None:
        self._own = own
        self._names = {name: _META_PREFIX + name for name in meta if name not in own}
        self.columns = tuple(Column(name, "text", "") for name in (*self._names.values(), META))

    def cells(self, meta: Mapping[str, Any]) -> dict[str, str | None]:
        """The cells of each row of an article."""
        others = {
            name: value
            for name, value in meta.items()
            if name not in self._names and name not in self._own
        }
        named = {column: _as_text(meta.get(name)) for name, column in self._names.items()}
        return {**named, META: json.dumps(others, ensure_ascii=False) if others else None}


def meta_values(meta: Mapping[str, Any], own: Collection[str] = ()) -> dict[str, Any]:
    """Column → value of what travels along with one article, as it is; ``own`` as for ``MetaColumns``."""
    return {_META_PREFIX + name: value for name, value in meta.items() if name not in own}


def _as_text(value: Any) -> str | None:
    return (
        value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    )
