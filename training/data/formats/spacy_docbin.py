"""spaCy: a ``DocBin`` on disk (``.spacy``), or JSON with texts, categories and entities.

The JSON is ``{"text", "cats", "entities": [[start, end, label]]}``, an object a line or all in an array, or the pairs
``[text, {"cats", "entities"}]`` of spaCy 2. Offsets are Python's, in code points.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from claimstance.model.errors import ConfigError, InputError, shorten
from claimstance.training.data.documents.document import Answer, Document, Mark
from claimstance.training.data.documents.format import Format, Item, Layout
from claimstance.training.data.documents.json_items import first_object, json_items, object_of
from claimstance.training.data.documents.json_validation import (
    integer,
    listing,
    mapping,
    string,
    wrong,
)

_OWN = {"text", "cats", "entities", "id"}


def items(path: Path) -> Iterator[Item]:
    """The documents of a ``DocBin``, called ``STEM:NUMBER``.

    Raises:
        ConfigError: if spaCy is not installed.
        InputError: if the file cannot be opened or is no ``DocBin``.
    """
    try:
        import spacy
        from spacy.tokens import DocBin
    except ImportError:
        raise ConfigError(
            f"{path}: reading .spacy files needs spaCy: pip install 'claimstance[spacy]'"
        ) from None
    try:
        docs = DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab)
        for number, doc in enumerate(docs, 1):
            yield Item(f"{path}, doc {number}", f"{path.stem}:{number}", doc)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except Exception as error:  # a damaged file makes spaCy raise errors of many kinds
        raise InputError(
            f"{path}: expected a DocBin of spaCy, found a file that it cannot read "
            f"({' '.join(str(error).split())[:80]})"
        ) from None


def parse(item: Item, layout: Layout) -> Iterator[Document]:
    """Entities and span groups as marks, categories as answers, sentences if they were set.

    Raises:
        InputError: for a category without a number.
    """
    try:
        yield _document(item)
    except InputError:
        raise
    except Exception as error:  # spaCy looks at some of a damaged file only when it is asked for it
        raise InputError(
            f"{item.where}: expected a doc that spaCy can read, found another "
            f"({shorten(' '.join(str(error).split()))})"
        ) from None


def _document(item: Item) -> Document:
    doc = item.data
    own = {
        key[1] if isinstance(key, tuple) and key[0] == "._." else key: value
        for key, value in doc.user_data.items()
    }
    fields = {key: value for key, value in own.items() if isinstance(key, str)}
    annotator = fields.pop("annotator", None)
    name = next(
        (fields.pop(key) for key in ("id", "doc_id") if fields.get(key) is not None), item.name
    )
    spans = [(span, span.label_) for span in doc.ents]
    spans += [(span, span.label_ or key) for key, group in doc.spans.items() for span in group]
    marks = {(span.start_char, span.end_char, label): None for span, label in spans}
    return Document(
        name=str(name),
        text=doc.text,
        where=item.where,
        annotator=None if annotator is None else str(annotator),
        marks=[_mark(*mark) for mark in marks],
        answers=list(_answers(doc.cats, f"{item.where}: cats")),
        fields=fields,
        sentences=[(s.start_char, s.end_char) for s in doc.sents]
        if doc.has_annotation("SENT_START")
        else None,
        unit="code points",
    )


def _mark(start: int, end: int, label: str, where: str = "") -> Mark:
    return Mark(f"{start}-{end} {label}", label, [(start, end)], where=where)


def _answers(cats: Mapping[str, Any], where: str) -> Iterator[Answer]:
    """A category with its share: it applies from one half on, as in spaCy's own scorer."""
    for label, value in cats.items():
        if not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise wrong(f"{where}.{label}", "a number from 0 to 1", value)
        yield Answer(label, value >= 0.5, float(value))


def json_parse(item: Item, layout: Layout) -> Iterator[Document]:
    """The document of an object, or of a pair of text and annotations.

    Raises:
        InputError: naming the line and the field.
    """
    data, column = _object(item), layout.columns.get("text", "text")
    marks = []
    for number, value in enumerate(listing(data.get("entities") or [], f"{item.where}: entities")):
        where = f"{item.where}: entities[{number}]"
        if len(listing(value, where)) < 3:
            raise wrong(where, "[start, end, label]", value)
        start, end = (integer(value[i], f"{where}[{i}]") for i in (0, 1))
        if not 0 <= start < end:
            raise InputError(f"{where}: expected 0 <= start < end, found {start} and {end}")
        marks.append(_mark(start, end, string(value[2], f"{where}[2]"), where))
    yield Document(
        name=str(data.get("id") or item.name),
        text=string(data.get(column), f"{item.where}: {column}"),
        where=item.where,
        marks=marks,
        fields={key: value for key, value in data.items() if key not in _OWN | {column}},
        answers=list(
            _answers(mapping(data.get("cats") or {}, f"{item.where}: cats"), f"{item.where}: cats")
        ),
        unit="code points",
    )


def _object(item: Item) -> dict[str, Any]:
    if isinstance(item.data, list):
        if len(item.data) != 2:
            raise wrong(item.where, "an object, or a text with its annotations", item.data)
        return {"text": item.data[0], **mapping(item.data[1], f"{item.where}[1]")}
    return object_of(item)


def recognise(head: str) -> bool:
    """Whether a file starts as a ``DocBin`` does: with the mark of zlib."""
    return head.startswith("x")


def json_recognise(head: str) -> bool:
    """Whether the first object has categories, or entities in threes, or is a pair of spaCy 2."""
    first = first_object(head)
    if not first:
        return head.lstrip("\ufeff \t\r\n").startswith("[[") and (
            '"entities"' in head or '"cats"' in head
        )
    if "cats" in first:
        return isinstance(first["cats"], (dict, type(None)))
    entities = first.get("entities")
    return (
        "text" in first
        and isinstance(entities, list)
        and bool(entities)
        and all(
            isinstance(entity, list) and len(entity) >= 3 and isinstance(entity[2], str)
            for entity in entities
        )
    )


DOCBIN = Format("spacy", (".spacy",), recognise, items=items, parse=parse)
JSON = Format(
    "spacy-json", (".jsonl", ".json", ".ndjson"), json_recognise, items=json_items, parse=json_parse
)
