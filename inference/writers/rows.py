"""Tidy rows of results: the same columns for CSV, Parquet and data frames, listed in docs/output.md."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from claimstance.inference.results import Label, TaggedArticle, ranking
from claimstance.model.article.spans import Attribution, Continuation, Span
from claimstance.model.labels import TASKS

META = "meta"
_META_PREFIX = "meta_"
#: Kind of column → its description in the documentation. All kinds may be empty.
KINDS = {
    "text": "text",
    "integer": "whole number",
    "number": "number",
    "flag": "true or false",
    "day": "day",
    "texts": "list of texts",
    "attributions": "list of attributions",
}


@dataclass(frozen=True)
class Column:
    """Describe a column.

    Attributes:
        name: its name.
        kind: its type, a key of ``KINDS``.
        description: its content, for the documentation.
        task: the task that fills it; ``None`` for columns that every model fills.
    """

    name: str
    kind: str
    description: str
    task: str | None = None


SENTENCES = (
    Column("doc_id", "text", "the article"),
    Column("index", "integer", "index of the sentence in the article, from 0"),
    Column("start", "integer", "its start in the article's text, in code points"),
    Column("end", "integer", "its end, exclusive"),
    Column("text", "text", "the sentence"),
    Column("claim", "text", "`claim` or `no_claim`, or a label of the model's own", "claim"),
    Column("claim_probability", "number", "probability of that label", "claim"),
    Column(
        "check_worthy_probability",
        "number",
        "probability that it is worth checking",
        "check_worthy",
    ),
    Column("subjective_probability", "number", "probability that it is subjective", "subjective"),
    Column("sources", "texts", "sources of what it reports, by name if known", "attribution"),
    Column("cues", "texts", "words that mark a report, such as *said*", "attribution"),
    Column("contents", "texts", "what the sources say", "attribution"),
    Column("entities", "texts", "named entities with their kind: `Runa Salt (PERSON)`", "entity"),
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
        "attributions of other sentences whose content continues here; "
        "`content` is the part in this sentence",
        "attribution",
    ),
)
STANCES = (
    Column("doc_id", "text", "the article"),
    Column("sentence", "integer", "index of the sentence that expresses the stance"),
    Column("holder", "text", "who holds the stance; empty if nobody is named"),
    Column("target", "text", "the person, thing or topic that the stance is on"),
    Column("label", "text", "`favor`, `against` or `neutral`, or a label of the model's own"),
    Column("probability", "number", "probability of that label"),
    Column(
        "abstained",
        "flag",
        "whether the model is too unsure for it to count; `--min-confidence` sets the limit",
    ),
    Column(
        "holder_start",
        "integer",
        "start of the holder in the article's text, maybe in another sentence",
    ),
    Column("holder_end", "integer", "its end, exclusive"),
    Column(
        "target_start",
        "integer",
        "start of the target; empty for a topic that the sentence does not mention",
    ),
    Column("target_end", "integer", "its end, exclusive"),
    Column("text", "text", "the sentence"),
)
ATTRIBUTIONS = (
    Column("doc_id", "text", "the article"),
    Column("title", "text", "its title"),
    Column("date", "text", "its date, as stated in the input"),
    Column("outlet", "text", "its outlet, as stated in the input"),
    Column("sentence", "integer", "index of the sentence that reports it"),
    Column("source", "text", "who says it, in the words of the article; empty if nobody is named"),
    Column("name", "text", "name of the source, if known"),
    Column("cue", "text", "words that mark the report, such as *said*"),
    Column("content", "text", "what the source says, over all its sentences"),
    Column("probability", "number", "probability of the attribution"),
    Column("source_start", "integer", "start of the source in the article's text"),
    Column("source_end", "integer", "its end, exclusive"),
    Column("cue_start", "integer", "start of the cue"),
    Column("cue_end", "integer", "its end, exclusive"),
    Column("content_start", "integer", "start of the content"),
    Column("content_end", "integer", "its end, exclusive"),
    Column("text", "text", "the sentence"),
)


def _sentence_rows(article: TaggedArticle) -> Iterator[dict[str, Any]]:
    """Yield a row for each sentence."""
    for sentence in article.sentences:
        claim = sentence.claim
        # ``claim and claim.label`` is None for a model without the task: cells of missing tasks stay empty.
        row: dict[str, Any] = {
            "doc_id": article.doc_id,
            "index": sentence.index,
            "start": sentence.start,
            "end": sentence.end,
            "text": sentence.text,
            "claim": claim and claim.label,
            "claim_probability": claim and round(claim.probability, 4),
            "check_worthy_probability": _score(sentence.check_worthy),
            "subjective_probability": _score(sentence.subjective),
            "sources": None,
            "cues": None,
            "contents": None,
            "entities": None,
            "attributions": None,
            "continued": None,
        }
        if sentence.attributions is not None:
            listed = [*sentence.attributions, *(sentence.continued or ())]
            sources = [attribution.source for attribution in listed if attribution.source]
            row["sources"] = [source.name or source.text for source in sources]
            row["cues"] = [attribution.cue.text for attribution in listed if attribution.cue]
            contents = [attribution.content for attribution in listed if attribution.content]
            row["contents"] = [content.text for content in contents]
            row["attributions"] = [_nested(attribution) for attribution in sentence.attributions]
            if sentence.continued is not None:
                row["continued"] = [_nested(continuation) for continuation in sentence.continued]
        if sentence.entities is not None:
            row["entities"] = [f"{entity.text} ({entity.label})" for entity in sentence.entities]
        yield row


def _score(label: Label | None) -> float | None:
    """Return the score of a sentence in a task, which tables have in place of the label."""
    return None if label is None else round(ranking(label.probabilities), 4)


def _nested(attribution: Attribution | Continuation) -> dict[str, Any]:
    """Return an attribution as the nested value of a Parquet or pandas cell."""
    return {
        "source": _span_values(attribution.source),
        "cue": _span_values(attribution.cue),
        "content": _span_values(attribution.content),
        "probability": round(attribution.probability, 4),
    }


def _span_values(span: Span | None) -> dict[str, Any] | None:
    """Return a span as the nested value of a Parquet or pandas cell, without its pieces."""
    if span is None:
        return None
    return {"text": span.text, "start": span.start, "end": span.end, "name": span.name}


def _stance_rows(article: TaggedArticle) -> Iterator[dict[str, Any]]:
    """Yield a row for each stance."""
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
            # ``source and source.text`` is None for an attribution without a source: the cell stays empty.
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
class TableSchema:
    """Describe a kind of rows.

    Attributes:
        columns: the columns beside those for metadata.
        rows: yields the rows of an article.
        own_meta: names of metadata that are among ``columns``, so that they get no second column.
    """

    columns: tuple[Column, ...]
    rows: Callable[[TaggedArticle], Iterator[dict[str, Any]]]
    own_meta: tuple[str, ...] = ()


TABLES = {
    "sentences": TableSchema(SENTENCES, _sentence_rows),
    "stances": TableSchema(STANCES, _stance_rows),
    "attributions": TableSchema(ATTRIBUTIONS, _attribution_rows, ("date", "outlet")),
}


def table_schema(rows: str, tasks: Collection[str] = TASKS) -> TableSchema:
    """Return a kind of rows with only the columns that a model can fill.

    Args:
        rows: a key of ``TABLES``.
        tasks: the tasks of the model.
    """
    table = TABLES[rows]
    columns = tuple(column for column in table.columns if column.task in (None, *tasks))
    return replace(table, columns=columns)


def has_sentence_columns(tasks: Collection[str]) -> bool:
    """Return whether a model of these tasks fills any column of the rows of sentences."""
    return any(column.task in tasks for column in SENTENCES)


class MetaColumns:
    """Map metadata to columns, such as ``outlet`` to ``meta_outlet``.

    The first article determines the columns, so that a file is written row by row. Other names of later
    articles go into the column ``meta`` as JSON, so that nothing is lost.

    Args:
        meta: metadata of the first article.
        own: names for which the rows have their own columns.
    """

    def __init__(self, meta: Mapping[str, Any], own: Collection[str] = ()) -> None:
        self._own = own
        self._column_names = {name: _META_PREFIX + name for name in meta if name not in own}
        columns = [Column(name, "text", "") for name in self._column_names.values()]
        self.columns = (*columns, Column(META, "text", ""))

    def cells(self, meta: Mapping[str, Any]) -> dict[str, str | None]:
        """Return the metadata cells, which are the same in each row of an article."""
        cells = {column: _as_text(meta.get(name)) for name, column in self._column_names.items()}
        with_column = {*self._column_names, *self._own}
        further = {name: value for name, value in meta.items() if name not in with_column}
        cells[META] = json.dumps(further, ensure_ascii=False) if further else None
        return cells


def meta_values(meta: Mapping[str, Any], own: Collection[str] = ()) -> dict[str, Any]:
    """Return the metadata of one article by column, unchanged; ``own`` as for ``MetaColumns``."""
    return {_META_PREFIX + name: value for name, value in meta.items() if name not in own}


def _as_text(value: Any) -> str | None:
    """Return texts unchanged, and other values as JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
