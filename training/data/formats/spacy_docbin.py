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

_SPACY_KEYS = {"text", "cats", "entities", "id"}


def items(path: Path) -> Iterator[Item]:
    """Yield the documents of a ``DocBin``, called ``STEM:NUMBER``.

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
    # A damaged file makes spaCy raise errors of many kinds.
    except Exception as error:
        raise InputError(
            f"{path}: expected a DocBin of spaCy, found a file that it cannot read "
            f"({shorten(_one_line(error))})"
        ) from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def parse(item: Item, layout: Layout) -> Iterator[Document]:
    """Yield a document: entities and span groups are marks, categories answers, sentences its own.

    Raises:
        InputError: for a category without a number, and for a damaged document.
    """
    try:
        yield _parse_doc(item)
    except InputError:
        raise
    # spaCy decodes some values only on access, and then fails on a damaged file.
    except Exception as error:
        raise InputError(
            f"{item.where}: expected a doc that spaCy can read, found another "
            f"({shorten(_one_line(error))})"
        ) from None


def _parse_doc(item: Item) -> Document:
    """Return the document of a spaCy ``Doc``."""
    doc = item.data
    fields = {}
    for key, value in doc.user_data.items():
        # A custom attribute has the key ("._.", NAME, start, end).
        name = key[1] if isinstance(key, tuple) and key[0] == "._." else key
        if isinstance(name, str):
            fields[name] = value

    annotator = fields.pop("annotator", None)
    doc_name = item.name
    for key in ("id", "doc_id"):
        if fields.get(key) is not None:
            doc_name = str(fields.pop(key))
            break

    # A dictionary keeps the order, and drops spans that are both entities and in a group.
    bounds: dict[tuple[int, int, str], None] = {}
    for span in doc.ents:
        bounds[span.start_char, span.end_char, span.label_] = None
    for group_name, group in doc.spans.items():
        for span in group:
            bounds[span.start_char, span.end_char, span.label_ or group_name] = None

    sentences = None
    if doc.has_annotation("SENT_START"):
        sentences = [(sentence.start_char, sentence.end_char) for sentence in doc.sents]
    return Document(
        name=doc_name,
        text=doc.text,
        where=item.where,
        annotator=None if annotator is None else str(annotator),
        marks=[_mark(start, end, label) for start, end, label in bounds],
        answers=list(_answers(doc.cats, f"{item.where}: cats")),
        fields=fields,
        sentences=sentences,
        unit="code points",
    )


def _mark(start: int, end: int, label: str, where: str = "") -> Mark:
    return Mark(f"{start}-{end} {label}", label, [(start, end)], where=where)


def _answers(cats: Mapping[str, Any], where: str) -> Iterator[Answer]:
    """Yield each category with its share: it applies from one half on, as in spaCy's own scorer."""
    for label, value in cats.items():
        if not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise wrong(f"{where}.{label}", "a number from 0 to 1", value)
        yield Answer(label, value >= 0.5, float(value))


def json_parse(item: Item, layout: Layout) -> Iterator[Document]:
    """Yield the document of an object, or of a pair of text and annotations.

    Raises:
        InputError: naming the line and the field, what was expected and what was found.
    """
    if isinstance(item.data, list):
        # spaCy 2 has pairs of a text and its annotations.
        if len(item.data) != 2:
            raise wrong(item.where, "an object, or a text with its annotations", item.data)
        data = {"text": item.data[0], **mapping(item.data[1], f"{item.where}[1]")}
    else:
        data = object_of(item)

    text_key = layout.columns.get("text", "text")
    marks = []
    for number, entity in enumerate(listing(data.get("entities") or [], f"{item.where}: entities")):
        where = f"{item.where}: entities[{number}]"
        if len(listing(entity, where)) < 3:
            raise wrong(where, "[start, end, label]", entity)
        start, end = integer(entity[0], f"{where}[0]"), integer(entity[1], f"{where}[1]")
        if not 0 <= start < end:
            raise InputError(f"{where}: expected 0 <= start < end, found {start} and {end}")
        marks.append(_mark(start, end, string(entity[2], f"{where}[2]"), where))

    cats_where = f"{item.where}: cats"
    cats = mapping(data.get("cats") or {}, cats_where)
    yield Document(
        name=str(data.get("id") or item.name),
        text=string(data.get(text_key), f"{item.where}: {text_key}"),
        where=item.where,
        marks=marks,
        answers=list(_answers(cats, cats_where)),
        fields={key: value for key, value in data.items() if key not in _SPACY_KEYS | {text_key}},
        unit="code points",
    )


def recognise(head: str) -> bool:
    """Return whether a file starts as a ``DocBin`` does: with the first byte of zlib."""
    return head.startswith("x")


def json_recognise(head: str) -> bool:
    """Return whether the first object has categories or triples as entities, or is a pair of spaCy 2."""
    first = first_object(head)
    if not first:
        has_pairs = head.lstrip("\ufeff \t\r\n").startswith("[[")
        return has_pairs and ('"entities"' in head or '"cats"' in head)
    if "cats" in first:
        return isinstance(first["cats"], (dict, type(None)))
    entities = first.get("entities")
    if "text" not in first or not isinstance(entities, list) or not entities:
        return False
    for entity in entities:
        is_triple = isinstance(entity, list) and len(entity) >= 3
        if not is_triple or not isinstance(entity[2], str):
            return False
    return True


DOCBIN = Format("spacy", (".spacy",), recognise, items=items, parse=parse)
JSON = Format(
    "spacy-json", (".jsonl", ".json", ".ndjson"), json_recognise, items=json_items, parse=json_parse
)
