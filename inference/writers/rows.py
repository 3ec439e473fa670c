"""Results as tidy rows: one set of columns for CSV, Parquet and data frames, which docs/output.md lists."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from claimstance.inference.results import Attribution, Continuation, Span, TaggedArticle, ranking

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
    """A column: its name, one of ``KINDS``, and what stands in it."""

    name: str
    kind: str
    about: str


SENTENCES = (
    Column("doc_id", "text", "the article"),
    Column("index", "integer", "which sentence of the article, from 0"),
    Column("start", "integer", "where it begins in the article's text, in code points"),
    Column("end", "integer", "where it ends, exclusive"),
    Column("text", "text", "the sentence"),
    Column("claim", "text", "`claim` or `no_claim`, or a label of the model's own"),
    Column("claim_probability", "number", "of that label"),
    Column("check_worthy_probability", "number", "that it is worth checking"),
    Column("subjective_probability", "number", "that it is subjective"),
    Column("sources", "texts", "who says something in it, by name where that is known"),
    Column("cues", "texts", "the words that tell that it is said"),
    Column("contents", "texts", "what is said"),
    Column("entities", "texts", "whom and what it names, with their kind: `Orvane (GPE)`"),
    Column(
        "attributions",
        "attributions",
        "who says what: `source`, `cue`, `content`, each empty or with `text`, "
        "`start`, `end`, `name`; `probability`",
    ),
    Column(
        "continued",
        "attributions",
        "the same of what another sentence tells: `content` is what of it stands in this one",
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


@dataclass(frozen=True)
class Table:
    """A kind of rows: their columns, and those of an article."""

    columns: tuple[Column, ...]
    rows: Callable[[TaggedArticle], Iterator[dict[str, Any]]]


TABLES = {"sentences": Table(SENTENCES, _sentence_rows), "stances": Table(STANCES, _stance_rows)}


class MetaColumns:
    """The columns for what travels along, settled by the first article: ``meta_outlet`` for its ``outlet``.

    What another article has beside these stands in the column ``meta``, as JSON, so that files of many articles are
    written row by row and nothing is lost.
    """

    def __init__(self, meta: Mapping[str, Any]) -> None:
        self._names = {name: _META_PREFIX + name for name in meta}
        self.columns = tuple(Column(name, "text", "") for name in (*self._names.values(), META))

    def cells(self, meta: Mapping[str, Any]) -> dict[str, str | None]:
        """The cells of each row of an article."""
        others = {name: value for name, value in meta.items() if name not in self._names}
        named = {column: _as_text(meta.get(name)) for name, column in self._names.items()}
        return {**named, META: json.dumps(others, ensure_ascii=False) if others else None}


def meta_values(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Column → value of what travels along with one article, as it is."""
    return {_META_PREFIX + name: value for name, value in meta.items()}


def _as_text(value: Any) -> str | None:
    return (
        value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    )
