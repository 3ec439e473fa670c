"""WebAnno TSV 3.2 and 3.3: a document of one annotator, as INCEpTION and WebAnno export it.

The annotations of span and chain layers are marks. The label of a mark is, in this order:

1. the first feature whose value is *source*, *target* or another kind of span (``roles`` may say so);
2. the last part of the layer's name, if that is a kind of span;
3. the feature ``value``;
4. the first feature with a value;
5. the last part of the layer's name.

All other features are attributes. Relations, the links of chains, and slots are relations. Offsets count UTF-16 code
units, as the format prescribes.

DKPro's layers of words (lemma, part of speech, dependency, …) are left out and counted, because no task needs them.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from claimstance.model.errors import InputError, shorten
from claimstance.model.labels import ROLES
from claimstance.training.data.documents.document import Document, LeftOut, Mark, Relation
from claimstance.training.data.documents.format import Format, Item, Layout
from claimstance.training.data.documents.roles import Roles, roles_of
from claimstance.training.data.formats.webanno.lines import (
    FORMAT_LINE,
    Layer,
    WebAnnoSentence,
    WebAnnoToken,
    read,
    split,
    unescape,
    utf16_length,
)

_WORD_LAYER = re.compile(
    r"de\.tudarmstadt\.ukp\.dkpro\.core\.api\.(lexmorph|segmentation|syntax|transform)\."
)
#: Folders of an exported project, whose files are ``FOLDER/DOCUMENT/ANNOTATOR.tsv``.
_EXPORT_FOLDERS = ("annotation", "annotation_ser", "curation")
_NUMBERED = re.compile(r"(?P<value>.*?)\[(?P<number>\d+)\]$", re.DOTALL)
_LINK = re.compile(r"(?P<value>.*)->(?P<chain>\d+)-(?P<position>\d+)$", re.DOTALL)
_REFERENCE = re.compile(
    r"(?P<token>\d+-\d+(?:\.\d+)?)(?:\[(?P<number>\d+)(?:_(?P<own_number>\d+))?\])?$"
)
_NO_ANNOTATION = "_"
_NO_VALUE = "*"
_BASE_LAYER = "BT_"  # before the name of a layer, in the column of a relation's other end
_SPAN_MEANINGS = (*ROLES, "holder", "target")


def items(path: Path) -> Iterator[Item]:
    """Yield the document of a file."""
    layers, sentences = read(path)
    name = path.parent.name if _is_in_export(path) else path.stem
    yield Item(str(path), name, (path, layers, sentences))


def _is_in_export(path: Path) -> bool:
    """Return whether a file lies where an exported project has it."""
    return path.parent.parent.name in _EXPORT_FOLDERS


def parse(item: Item, layout: Layout) -> Iterator[Document | LeftOut]:
    """Yield the document of a file, and the layers of words that are left out.

    Raises:
        InputError: naming the line, what was expected and what was found.
    """
    path, all_layers, sentences = item.data
    text, bounds = _join_sentences(sentences)
    tokens = [token for sentence in sentences for token in sentence.tokens]
    layers = []
    for layer in all_layers:
        if _WORD_LAYER.match(layer.name):
            yield LeftOut(f"layer of words ({layer.short})")
        else:
            layers.append(layer)

    annotations = _Annotations(all_layers, tokens)
    for token in tokens:
        for layer in layers:
            annotations.add_spans(layer, token)
    # A relation may point to a later token, so that all spans come first.
    for token in tokens:
        for layer in layers:
            annotations.add_relations(layer, token)
    annotations.add_chains()

    roles = roles_of(layout)
    yield Document(
        name=item.name,
        text=text,
        where=item.where,
        annotator=path.stem if _is_in_export(path) else None,
        marks=[span.to_mark(roles) for span in annotations.spans],
        relations=list(dict.fromkeys(annotations.relations)),
        sentences=bounds,
        unit="UTF-16 code units",
    )


def _join_sentences(sentences: Sequence[WebAnnoSentence]) -> tuple[str, list[tuple[int, int]]]:
    """Return the text of the document, and the bounds of its sentences in code points.

    Raises:
        InputError: if the offsets of a token do not fit the text.
    """
    text = ""
    length = 0  # of the text, in UTF-16 code units
    bounds = []
    for sentence in sentences:
        first_token = sentence.tokens[0]
        gap = first_token.start - length
        if gap < 0:
            raise InputError(
                f"{first_token.where}: expected an offset from {length} on, where the sentence "
                f"before ends, found {first_token.start}"
            )
        # The format does not say what lies between sentences; most often it is a line end.
        if gap and text:
            text += "\n" + " " * (gap - 1)
        else:
            text += " " * gap

        sentence_text = "\n".join(sentence.text_lines)
        encoded = sentence_text.encode("utf-16-le", "surrogatepass")
        for token in sentence.tokens:
            # Each code unit has two bytes.
            start, end = 2 * (token.start - first_token.start), 2 * (token.end - first_token.start)
            surface = encoded[start:end].decode("utf-16-le", "replace")
            has_length = utf16_length(surface) == token.end - token.start
            if not has_length or surface not in (token.word, unescape(token.word)):
                raise InputError(
                    f"{token.where}: expected {shorten(repr(token.word))} at "
                    f"{token.start}-{token.end} of the text, found {shorten(repr(surface))}"
                )
        bounds.append((len(text), len(text) + len(sentence_text)))
        text += sentence_text
        length = first_token.start + utf16_length(sentence_text)
    return text, bounds


@dataclass
class _SpanAnnotation:
    """Represent an annotation of a span or chain layer, which grows with each of its tokens."""

    name: str
    layer: Layer
    start: int
    end: int
    where: str
    features: dict[str, str] = field(default_factory=dict)

    def to_mark(self, roles: Roles) -> Mark:
        """Return the mark, with one of the features or the layer's name as its label."""
        if self.start >= self.end:
            raise InputError(
                f"{self.where}: {self.layer.short}: expected at least one character, "
                "found a mark of none"
            )
        attributes = {name: value for name, value in self.features.items() if value}

        # The docstring of the module gives this order.
        meaningful = [
            name for name, value in attributes.items() if roles.of(value) in _SPAN_MEANINGS
        ]
        feature = None
        if meaningful:
            feature = meaningful[0]
        elif roles.of(self.layer.short) not in _SPAN_MEANINGS and attributes:
            feature = "value" if "value" in attributes else next(iter(attributes))
        label = self.layer.short if feature is None else attributes.pop(feature)
        pieces = [(self.start, self.end)]
        return Mark(self.name, label, pieces, attributes=attributes, where=self.where)


class _Annotations:
    """Collect the annotations of a document, token by token.

    Attributes:
        spans: the annotations of span and chain layers, in the order in which they begin.
        relations: relations, slots and the links of chains.
    """

    def __init__(self, layers: Sequence[Layer], tokens: Sequence[WebAnnoToken]) -> None:
        self.spans: list[_SpanAnnotation] = []
        self.relations: list[Relation] = []
        self._layer_names = [layer.name for layer in layers]
        self._token_names = {token.name for token in tokens}
        self._by_number: dict[int, _SpanAnnotation] = {}
        # (layer, token) → the annotations there
        self._by_token: dict[tuple[str, str], list[_SpanAnnotation]] = defaultdict(list)
        # (layer, chain) → position in the chain → the link and the label of its relation to the next
        self._chains: dict[tuple[str, int], dict[int, tuple[_SpanAnnotation, str]]] = defaultdict(
            dict
        )

    def add_spans(self, layer: Layer, token: WebAnnoToken) -> None:
        """Add the annotations of a span or chain layer at a token."""
        if layer.kind == "relation":
            return
        find_or_add = self._chain_link if layer.kind == "chain" else self._span
        for row in _annotation_rows(layer, token):
            span = find_or_add(layer, token, row)
            span.start = min(span.start, token.start)
            span.end = max(span.end, token.end)
            self._by_token[layer.name, token.name].append(span)

    def _span(self, layer: Layer, token: WebAnnoToken, row: Sequence[str]) -> _SpanAnnotation:
        """Return the annotation of a span layer, a new one unless an earlier token has its number."""
        number = None
        for index, cell in enumerate(row):
            # The number of a slot's target identifies the target.
            if number is None and not layer.has_slot_targets(index):
                number = _number_in(cell)

        span = None if number is None else self._by_number.get(number)
        if span is None:
            span = self._new_span(layer, token)
        elif span.layer is not layer:
            raise InputError(
                f"{token.where}: {layer.short}: expected a number of its own, found [{number}] of "
                f"{span.layer.short} ({span.where})"
            )
        if number is not None:
            self._by_number[number] = span

        for index, (column, cell) in enumerate(zip(layer.columns, row, strict=True)):
            is_slot = layer.has_slot_names(index) or layer.has_slot_targets(index)
            if column and not is_slot:
                span.features.setdefault(column, _feature_value(cell))
        return span

    def _chain_link(self, layer: Layer, token: WebAnnoToken, row: Sequence[str]) -> _SpanAnnotation:
        """Return the link of a chain, a new one unless an earlier token has its position.

        Links have no numbers of their own; their position in the chain identifies them.
        """
        cell = row[1] if len(row) > 1 else ""
        match = _LINK.match(cell)
        if match is None:
            raise InputError(
                f"{token.where}: {layer.short}: expected a link, such as 'coref->1-2', found "
                f"{shorten(repr(cell))}"
            )
        chain = self._chains[layer.name, int(match["chain"])]
        position = int(match["position"])
        link = chain[position][0] if position in chain else self._new_span(layer, token)
        link.features["referenceType"] = _feature_value(row[0])
        chain[position] = link, _plain_value(match["value"])
        return link

    def _new_span(self, layer: Layer, token: WebAnnoToken) -> _SpanAnnotation:
        name = f"{layer.short} {token.name}/{len(self.spans)}"
        span = _SpanAnnotation(name, layer, token.start, token.end, token.where)
        self.spans.append(span)
        return span

    def add_relations(self, layer: Layer, token: WebAnnoToken) -> None:
        """Add the relations that end at a token, and the slots of its annotations."""
        if layer.kind == "chain":
            return
        rows = _annotation_rows(layer, token)
        if layer.kind == "span":
            for row, span in zip(rows, self._by_token[layer.name, token.name], strict=True):
                self._add_slots(layer, token, row, span)
            return

        if not rows:
            return
        base_columns = [
            index for index, name in enumerate(layer.columns) if name.startswith(_BASE_LAYER)
        ]
        if not base_columns:
            raise InputError(
                f"{token.where}: {layer.short}: expected a column 'BT_…' in the header, found none"
            )
        base_column = base_columns[0]
        base_layer = layer.columns[base_column].removeprefix(_BASE_LAYER)
        for row in rows:
            reference = _parse_reference(row[base_column], layer, token)
            head = self._find_span(reference["token"], reference["number"], base_layer, token.where)
            tail = self._find_span(token.name, reference["own_number"], base_layer, token.where)
            values = [
                _feature_value(cell) for index, cell in enumerate(row) if index != base_column
            ]
            # A relation without a label is kept, with an empty one.
            labels = [value for value in values if value] or [""]
            self.relations += [Relation(head.name, tail.name, label) for label in labels]

    def _add_slots(
        self, layer: Layer, token: WebAnnoToken, row: Sequence[str], span: _SpanAnnotation
    ) -> None:
        """Add a relation from an annotation to the target of each of its slots."""
        for index, column in enumerate(layer.columns):
            if not layer.has_slot_names(index):
                continue
            if index + 1 == len(layer.columns):
                raise InputError(
                    f"{token.where}: {layer.short}: expected a column with the targets of "
                    f"{column}, found none in the header"
                )
            if row[index + 1] in (_NO_ANNOTATION, _NO_VALUE, ""):
                continue

            names = split(row[index], ";")
            targets = split(row[index + 1], ";")
            # The number of the annotation itself follows the last name of a slot.
            if _number_in(row[index]) is not None:
                names[-1] = _NUMBERED.sub(r"\g<value>", names[-1])
            if len(names) != len(targets):
                raise InputError(
                    f"{token.where}: {layer.short}: expected as many slots as targets, "
                    f"found {len(names)} and {len(targets)}"
                )

            for name, cell in zip(names, targets, strict=True):
                reference = _parse_reference(cell, layer, token)
                target = self._find_span(
                    reference["token"], reference["number"], layer.columns[index + 1], token.where
                )
                self.relations.append(Relation(span.name, target.name, _plain_value(name)))

    def _find_span(
        self, token_name: str, number: str | None, layer_name: str, where: str
    ) -> _SpanAnnotation:
        """Return the annotation with a number; without a number, the only one at the token."""
        if number is not None and int(number):
            if int(number) not in self._by_number:
                raise InputError(f"{where}: expected the number of a mark, found [{int(number)}]")
            return self._by_number[int(number)]
        if token_name not in self._token_names:
            raise InputError(f"{where}: expected the id of a token, found {token_name}")
        layer_names = [layer_name] if layer_name in self._layer_names else self._layer_names
        candidates: list[_SpanAnnotation] = []
        for name in layer_names:
            candidates += self._by_token.get((name, token_name), [])
        if len(candidates) != 1:
            raise InputError(
                f"{where}: expected one mark of {layer_name.rpartition('.')[2]} at token "
                f"{token_name}, found {len(candidates) or 'none'}"
            )
        return candidates[0]

    def add_chains(self) -> None:
        """Add a relation from each link of a chain to the next, with the label of the first."""
        for chain in self._chains.values():
            links = [chain[position] for position in sorted(chain)]
            for (link, label), (next_link, _) in pairwise(links):
                self.relations.append(Relation(link.name, next_link.name, label))


def _annotation_rows(layer: Layer, token: WebAnnoToken) -> list[list[str]]:
    """Return the cells that a token has of a layer: a row for each annotation, none if there is none."""
    cells = token.cells[layer.first_column : layer.first_column + len(layer.columns)]
    if all(cell == _NO_ANNOTATION for cell in cells):
        return []
    # Annotations of one layer at one token are stacked: their values share a cell.
    columns = [split(cell, "|") for cell in cells]
    count = max(len(values) for values in columns)
    for index, cell in enumerate(cells):
        if len(columns[index]) == count:
            continue
        if cell != _NO_ANNOTATION:
            raise InputError(
                f"{token.where}: {layer.short}: expected as many values in each of its columns, "
                f"found {shorten(' and '.join(cells))}"
            )
        columns[index] = [cell] * count
    return [list(row) for row in zip(*columns, strict=True)]


def _number_in(cell: str) -> int | None:
    """Return the number at the end of a cell, such as ``[2]``, unless a backslash escapes it."""
    match = _NUMBERED.match(cell)
    if match is None or match["value"].endswith("\\"):
        return None
    return int(match["number"])


def _feature_value(cell: str) -> str:
    """Return the value of a feature, without the annotation's number; empty if there is none."""
    if _number_in(cell) is not None:
        cell = _NUMBERED.sub(r"\g<value>", cell)
    return _plain_value(cell)


def _plain_value(value: str) -> str:
    return "" if value in (_NO_VALUE, _NO_ANNOTATION) else unescape(value)


def _parse_reference(cell: str, layer: Layer, token: WebAnnoToken) -> re.Match[str]:
    """Return the parts of a reference to an annotation: its token, and perhaps its number."""
    match = _REFERENCE.match(cell)
    if match is None:
        raise InputError(
            f"{token.where}: {layer.short}: expected the id of a token, such as 1-2, found "
            f"{shorten(repr(cell))}"
        )
    return match


def recognise(head: str) -> bool:
    """Return whether the first line names the format."""
    return head.startswith(FORMAT_LINE)


FORMAT = Format("webanno", (".tsv",), recognise, items=items, parse=parse)
