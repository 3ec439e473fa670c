"""The annotations of a WebAnno document: its spans, relations, slots and chains, from the cells of its tokens."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from claimstance.model.errors import InputError, shorten
from claimstance.model.labels import ROLES
from claimstance.training.data.documents.document import Mark, Relation
from claimstance.training.data.documents.roles import Roles
from claimstance.training.data.formats.webanno.lines import Layer, WebAnnoToken, split, unescape

# A value with the number of its annotation: "positive[2]".
_NUMBERED = re.compile(r"(?P<value>.*?)\[(?P<number>\d+)\]$", re.DOTALL)
# A link of a chain, with the label of its relation to the next link: "coref->1-2" is the second of chain 1.
_LINK = re.compile(r"(?P<value>.*)->(?P<chain>\d+)-(?P<position>\d+)$", re.DOTALL)
# A reference to an annotation: at token "1-2", with number 3 and for the own annotation 4, "1-2[3_4]".
_REFERENCE = re.compile(
    r"(?P<token>\d+-\d+(?:\.\d+)?)(?:\[(?P<number>\d+)(?:_(?P<own_number>\d+))?\])?$"
)
_NO_ANNOTATION = "_"
_NO_VALUE = "*"
_BASE_LAYER = "BT_"  # before the name of a layer, in the column of a relation's other end
_SPAN_MEANINGS = (*ROLES, "holder", "target")


@dataclass
class SpanAnnotation:
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

        # The docstring of ``reader`` gives this order.
        label = self.layer.short
        meaningful = [
            name for name, value in attributes.items() if roles.of(value) in _SPAN_MEANINGS
        ]
        if meaningful:
            label = attributes.pop(meaningful[0])
        elif roles.of(label) not in _SPAN_MEANINGS and attributes:
            feature = "value" if "value" in attributes else next(iter(attributes))
            label = attributes.pop(feature)
        pieces = [(self.start, self.end)]
        return Mark(self.name, label, pieces, attributes=attributes, where=self.where)


class Annotations:
    """Collect the annotations of a document, token by token.

    Attributes:
        spans: the annotations of span and chain layers, in the order in which they begin.
        relations: relations, slots and the links of chains.
    """

    def __init__(self, layers: Sequence[Layer], tokens: Sequence[WebAnnoToken]) -> None:
        self.spans: list[SpanAnnotation] = []
        self.relations: list[Relation] = []
        self._layer_names = [layer.name for layer in layers]
        self._token_names = {token.name for token in tokens}
        self._by_number: dict[int, SpanAnnotation] = {}
        # (layer, token) → the annotations there
        self._by_token: dict[tuple[str, str], list[SpanAnnotation]] = defaultdict(list)
        # (layer, chain) → position in the chain → the link and the label of its relation to the next
        self._chains: dict[tuple[str, int], dict[int, tuple[SpanAnnotation, str]]] = defaultdict(
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

    def _span(self, layer: Layer, token: WebAnnoToken, row: Sequence[str]) -> SpanAnnotation:
        """Return the annotation of a span layer, a new one unless an earlier token has its number."""
        number = None
        for index, cell in enumerate(row):
            # The number of a slot's target identifies the target.
            if number is None and not layer.has_slot_targets(index):
                number = _number_in(cell)

        # Only annotations of several tokens, and stacked ones, need a number to be told apart.
        if number is None:
            span = self._new_span(layer, token)
        elif number not in self._by_number:
            span = self._by_number[number] = self._new_span(layer, token)
        else:
            span = self._by_number[number]
            if span.layer is not layer:
                raise InputError(
                    f"{token.where}: {layer.short}: expected a number of its own, found [{number}] "
                    f"of {span.layer.short} ({span.where})"
                )

        for index, (column, cell) in enumerate(zip(layer.columns, row, strict=True)):
            is_slot = layer.has_slot_names(index) or layer.has_slot_targets(index)
            if column and not is_slot:
                span.features.setdefault(column, _feature_value(cell))
        return span

    def _chain_link(self, layer: Layer, token: WebAnnoToken, row: Sequence[str]) -> SpanAnnotation:
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

    def _new_span(self, layer: Layer, token: WebAnnoToken) -> SpanAnnotation:
        name = f"{layer.short} {token.name}/{len(self.spans)}"
        span = SpanAnnotation(name, layer, token.start, token.end, token.where)
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

            labels = []
            for index, cell in enumerate(row):
                value = _feature_value(cell)
                if index != base_column and value:
                    labels.append(value)
            # A relation without a label is kept, with an empty one.
            for label in labels or [""]:
                self.relations.append(Relation(head.name, tail.name, label))

    def _add_slots(
        self, layer: Layer, token: WebAnnoToken, row: Sequence[str], span: SpanAnnotation
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
    ) -> SpanAnnotation:
        """Return the annotation with a number; without a number, the only one at the token."""
        # The number 0 stands for none, where only the other annotation of a relation has one.
        if number is not None and int(number):
            if int(number) not in self._by_number:
                raise InputError(f"{where}: expected the number of a mark, found [{int(number)}]")
            return self._by_number[int(number)]
        if token_name not in self._token_names:
            raise InputError(f"{where}: expected the id of a token, found {token_name}")
        layer_names = [layer_name] if layer_name in self._layer_names else self._layer_names
        candidates: list[SpanAnnotation] = []
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
                f"{token.where}: {layer.short}: expected the same number of values in each of its columns, "
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
