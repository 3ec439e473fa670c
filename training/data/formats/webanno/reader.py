"""WebAnno TSV 3.2 and 3.3, as INCEpTION and WebAnno export a document of an annotator.

Marks are the annotations of span and chain layers. Their label is the first feature that says what they are here
(*source*, *target*, or what ``roles`` make of it), else the layer's name, if that says it, else the feature ``value``,
else the first with a value, else the layer's name all the same: the last part of it. All other features are attributes.
Relations, links of chains, and slots are relations. Offsets are UTF-16 code units, which the format prescribes.

Layers of DKPro for words (lemma, part of speech, dependency, …) are left out and counted: they are no annotations of
what this project learns.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from claimstance.model.errors import InputError, shorten
from claimstance.model.labels import ROLES
from claimstance.training.data.documents.document import Document, LeftOut, Mark, Relation
from claimstance.training.data.documents.format import Format, Item, Layout
from claimstance.training.data.formats.webanno.lines import (
    FORMAT_LINE,
    Layer,
    Sentence,
    Unit,
    read,
    split,
    unescape,
    utf16,
)

if TYPE_CHECKING:
    from claimstance.training.data.documents.roles import Roles

_OF_WORDS = re.compile(
    r"de\.tudarmstadt\.ukp\.dkpro\.core\.api\.(lexmorph|segmentation|syntax|transform)\."
)
_EXPORTS = (
    "annotation",
    "annotation_ser",
    "curation",
)  # of a project: FOLDER/DOCUMENT/ANNOTATOR.tsv
_NUMBERED = re.compile(r"(?P<value>.*?)\[(?P<number>\d+)\]$", re.DOTALL)
_LINK = re.compile(r"(?P<value>.*)->(?P<chain>\d+)-(?P<place>\d+)$", re.DOTALL)
_REFERENCE = re.compile(r"(?P<unit>\d+-\d+(?:\.\d+)?)(?:\[(?P<number>\d+)(?:_(?P<own>\d+))?\])?$")
_NONE, _EMPTY = "_", "*"
_SPANS = (*ROLES, "holder", "target")


def items(path: Path) -> Iterator[Item]:
    """The document of a file."""
    name = path.parent.name if path.parent.parent.name in _EXPORTS else path.stem
    layers, sentences = read(path)
    yield Item(str(path), name, (path, layers, sentences))


def parse(item: Item, layout: Layout) -> Iterator[Document | LeftOut]:
    """The document of a file, and the layers of words that are left out.

    Raises:
        InputError: naming the line.
    """
    from claimstance.training.data.documents.roles import roles_of  # which rests on the formats

    path, layers, sentences = item.data
    text, bounds = _text(sentences)
    body = _Body({layer.name: layer for layer in layers})
    for sentence in sentences:
        for unit in sentence.units:
            body.units[unit.name] = unit
            for layer in layers:
                if layer.kind != "relation" and not _OF_WORDS.match(layer.name):
                    body.mark(layer, unit)
    for sentence in sentences:
        for unit in sentence.units:
            for layer in layers:
                if not _OF_WORDS.match(layer.name):
                    body.relate(layer, unit)
    yield from (
        LeftOut(f"layer of words ({layer.short})")
        for layer in layers
        if _OF_WORDS.match(layer.name)
    )
    relations = [*body.relations, *body.chained()]
    yield Document(
        name=item.name,
        text=text,
        where=item.where,
        marks=[mark.finished(roles_of(layout)) for mark in body.marks],
        annotator=path.stem if path.parent.parent.name in _EXPORTS else None,
        relations=list(dict.fromkeys(relations)),
        sentences=bounds,
        unit="UTF-16 code units",
    )


def _text(sentences: list[Sentence]) -> tuple[str, list[tuple[int, int]]]:
    """The text of the document, and the bounds of its sentences in code points.

    Raises:
        InputError: if a token is not where its offsets say.
    """
    text, units, bounds = "", 0, []
    for sentence in sentences:
        gap = sentence.units[0].start - units
        if gap < 0:
            raise InputError(
                f"{sentence.units[0].where}: expected an offset from {units} on, where the sentence "
                f"before ends, found {sentence.units[0].start}"
            )
        if (
            gap
        ):  # what stood there, the format does not say; a line end is what stands there most often
            text += (" " * gap) if not text else "\n" + " " * (gap - 1)
        here = "\n".join(sentence.lines)
        _check_tokens(sentence, here)
        bounds.append((len(text), len(text) + len(here)))
        text += here
        units = sentence.units[0].start + utf16(here)
    return text, bounds


def _check_tokens(sentence: Sentence, text: str) -> None:
    start, encoded = sentence.units[0].start, text.encode("utf-16-le", "surrogatepass")
    for unit in sentence.units:
        there = encoded[2 * (unit.start - start) : 2 * (unit.end - start)].decode(
            "utf-16-le", "replace"
        )
        if utf16(there) != unit.end - unit.start or (
            there != unit.word and there != unescape(unit.word)
        ):
            raise InputError(
                f"{unit.where}: expected {shorten(repr(unit.word))} at {unit.start}-{unit.end} of the "
                f"text, found {shorten(repr(there))}"
            )


@dataclass
class _Drawn:
    """A mark while its tokens are read."""

    name: str
    layer: Layer
    start: int
    end: int
    where: str
    features: dict[str, str] = field(default_factory=dict)

    def finished(self, roles: "Roles") -> Mark:
        if self.start >= self.end:
            raise InputError(
                f"{self.where}: {self.layer.short}: expected at least one character, found a mark of none"
            )
        given = {name: value for name, value in self.features.items() if value}
        says = [name for name, value in given.items() if roles.of(value) in _SPANS]
        others = (
            []
            if roles.of(self.layer.short) in _SPANS
            else [*(n for n in given if n == "value"), *given]
        )
        label = given.pop(next(iter([*says, *others]), ""), self.layer.short)
        return Mark(self.name, label, [(self.start, self.end)], attributes=given, where=self.where)


@dataclass
class _Body:
    """The annotations of a document, as they are found."""

    layers: dict[str, Layer]
    units: dict[str, Unit] = field(default_factory=dict)
    marks: list[_Drawn] = field(default_factory=list)
    numbered: dict[int, _Drawn] = field(default_factory=dict)  # by the number that tells them apart
    by_unit: dict[tuple[str, str], list[_Drawn]] = field(default_factory=lambda: defaultdict(list))
    links: dict[tuple[str, int], dict[int, tuple[_Drawn, str]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    relations: list[Relation] = field(default_factory=list)

    def mark(self, layer: Layer, unit: Unit) -> None:
        """Take down what a token has of a span or chain layer."""
        rows = _stacked(layer, unit)
        for row in rows:
            number = None if layer.kind == "chain" else _number_of(layer, row)
            drawn = self.numbered.get(number) if number is not None else None
            if layer.kind == "chain":
                drawn = self._continued(layer, unit, row)
            if drawn is None:
                drawn = _Drawn(
                    f"{layer.short} {unit.name}/{len(self.marks)}",
                    layer,
                    unit.start,
                    unit.end,
                    unit.where,
                )
                self.marks.append(drawn)
            elif drawn.layer is not layer:
                raise InputError(
                    f"{unit.where}: {layer.short}: expected a number of its own, found [{number}] of "
                    f"{drawn.layer.short} ({drawn.where})"
                )
            drawn.start, drawn.end = min(drawn.start, unit.start), max(drawn.end, unit.end)
            if number is not None:
                self.numbered[number] = drawn
            self.by_unit[layer.name, unit.name].append(drawn)
            self._features(layer, drawn, row)

    def _features(self, layer: Layer, drawn: _Drawn, row: list[str]) -> None:
        if layer.kind == "chain":
            drawn.features["referenceType"] = _value(row[0])
            link = _LINK.match(row[1])
            if link:
                self.links[layer.name, int(link["chain"])][int(link["place"])] = (
                    drawn,
                    _plain(link["value"]),
                )
            return
        plain = [
            (c, v) for c, v in zip(layer.columns, row, strict=True) if c and not _is_slot(layer, c)
        ]
        for column, value in plain:
            drawn.features.setdefault(column, _value(value))

    def _continued(self, layer: Layer, unit: Unit, row: list[str]) -> _Drawn | None:
        """The link of a chain that the token before began: links have no numbers, but places in their chain."""
        link = _LINK.match(row[1])
        if link is None:
            raise InputError(
                f"{unit.where}: {layer.short}: expected a link, such as 'coref->1-2', found "
                f"{shorten(repr(row[1]))}"
            )
        known = self.links[layer.name, int(link["chain"])].get(int(link["place"]))
        return known[0] if known else None

    def relate(self, layer: Layer, unit: Unit) -> None:
        """Take down the relations and slots that end or begin at a token."""
        if layer.kind == "relation":
            for row in _stacked(layer, unit):
                self._relation(layer, unit, row)
        elif layer.kind == "span":
            for row, drawn in zip(
                _stacked(layer, unit), self.by_unit[layer.name, unit.name], strict=True
            ):
                self._slots(layer, unit, row, drawn)

    def _relation(self, layer: Layer, unit: Unit, row: list[str]) -> None:
        place = next(
            (i for i, column in enumerate(layer.columns) if column.startswith("BT_")), None
        )
        if place is None:
            raise InputError(
                f"{unit.where}: {layer.short}: expected a column 'BT_…' in the header, found none"
            )
        base, match = layer.columns[place].removeprefix("BT_"), _REFERENCE.match(row[place])
        if match is None:
            raise InputError(
                f"{unit.where}: {layer.short}: expected the id of a token, such as 1-2, found "
                f"{shorten(repr(row[place]))}"
            )
        head = self._at(match["unit"], int(match["number"] or 0), base, unit.where)
        tail = self._at(unit.name, int(match["own"] or 0), base, unit.where)
        labels = [value for i, cell in enumerate(row) if i != place and (value := _value(cell))]
        self.relations += [Relation(head.name, tail.name, label) for label in labels or [""]]

    def _slots(self, layer: Layer, unit: Unit, row: list[str], drawn: _Drawn) -> None:
        for i, column in enumerate(layer.columns):
            if not column.startswith("ROLE_"):
                continue
            if i + 1 == len(layer.columns):
                raise InputError(
                    f"{unit.where}: {layer.short}: expected a column with the targets of {column}, found "
                    "none in the header"
                )
            roles, targets = row[i], row[i + 1]
            if targets in (_NONE, _EMPTY, ""):
                continue
            names, ids = split(roles, ";"), split(targets, ";")
            if _number(roles) is not None:
                names[-1] = _NUMBERED.sub(r"\g<value>", names[-1])
            if len(names) != len(ids):
                raise InputError(
                    f"{unit.where}: {layer.short}: expected as many slots as targets, found {len(names)} "
                    f"and {len(ids)}"
                )
            for name, reference in zip(names, ids, strict=True):
                match = _REFERENCE.match(reference)
                if match is None:
                    raise InputError(
                        f"{unit.where}: {layer.short}: expected the id of a token, such as 1-2, found "
                        f"{shorten(repr(reference))}"
                    )
                target = self._at(
                    match["unit"], int(match["number"] or 0), layer.columns[i + 1], unit.where
                )
                self.relations.append(Relation(drawn.name, target.name, _plain(name)))

    def _at(self, unit: str, number: int, layer: str, where: str) -> _Drawn:
        """The mark that a relation or a slot names: by its number if it has one, else the only one there."""
        if number:
            if number not in self.numbered:
                raise InputError(f"{where}: expected the number of a mark, found [{number}]")
            return self.numbered[number]
        if unit not in self.units:
            raise InputError(f"{where}: expected the id of a token, found {unit}")
        layers = [layer] if layer in self.layers else list(self.layers)
        found = [mark for name in layers for mark in self.by_unit.get((name, unit), [])]
        if len(found) != 1:
            raise InputError(
                f"{where}: expected one mark of {layer.rpartition('.')[2]} at token {unit}, found "
                f"{len(found) or 'none'}"
            )
        return found[0]

    def chained(self) -> Iterator[Relation]:
        """A relation from each link of a chain to the next, labelled as the first of them says."""
        for chain in self.links.values():
            places = sorted(chain)
            for one, other in pairwise(places):
                yield Relation(chain[one][0].name, chain[other][0].name, chain[one][1])


def _number_of(layer: Layer, row: list[str]) -> int | None:
    """The number that tells an annotation from others; those in the column of slots' targets are the targets'."""
    own = [
        cell
        for place, cell in enumerate(row)
        if not (place and layer.columns[place - 1].startswith("ROLE_"))
    ]
    return next((number for cell in own if (number := _number(cell)) is not None), None)


def _is_slot(layer: Layer, column: str) -> bool:
    """Whether a column is of slots: their names, or in the next column their targets."""
    place = layer.columns.index(column)
    return column.startswith("ROLE_") or (
        place > 0 and layer.columns[place - 1].startswith("ROLE_")
    )


def _stacked(layer: Layer, unit: Unit) -> list[list[str]]:
    """What a token has of a layer: a row of cells for each annotation, none if there is none."""
    cells = unit.cells[layer.first : layer.first + len(layer.columns)]
    if all(cell == _NONE for cell in cells):
        return []
    columns = [split(cell, "|") for cell in cells]
    count = max(len(values) for values in columns)
    if any(
        len(values) != count for cell, values in zip(cells, columns, strict=True) if cell != _NONE
    ):
        raise InputError(
            f"{unit.where}: {layer.short}: expected as many values in each of its columns, found "
            f"{shorten(' and '.join(cells))}"
        )
    full = [values if len(values) == count else values * count for values in columns]
    return [list(row) for row in zip(*full, strict=True)]


def _number(value: str) -> int | None:
    match = _NUMBERED.match(value)
    return int(match["number"]) if match and not match["value"].endswith("\\") else None


def _value(cell: str) -> str:
    """A feature's value, empty if it has none."""
    return _plain(_NUMBERED.sub(r"\g<value>", cell) if _number(cell) is not None else cell)


def _plain(value: str) -> str:
    return "" if value in (_EMPTY, _NONE) else unescape(value)


def recognise(head: str) -> bool:
    """Whether the first line says so."""
    return head.startswith(FORMAT_LINE)


FORMAT = Format("webanno", (".tsv",), recognise, items=items, parse=parse)
