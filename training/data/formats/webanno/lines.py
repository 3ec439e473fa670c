"""The lines of a WebAnno TSV 3 file: its header, its sentences with their text, its tokens with their cells.

The format is described in INCEpTION's user guide, "WebAnno TSV 3.3 File format".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from claimstance.model.errors import InputError, shorten
from claimstance.model.record import read_lines

FORMAT_LINE = "#FORMAT=WebAnno TSV 3."
_VERSIONS = ("2", "3")
_KINDS = {"#T_SP=": "span", "#T_CH=": "chain", "#T_RL=": "relation"}
_TOKEN = re.compile(r"(?P<unit>\d+-\d+(?:\.\d+)?)\t(?P<start>\d+)-(?P<end>\d+)\t")
_ESCAPE = re.compile(r"\\(->|.)")
_CONTROL = {"t": "\t", "n": "\n", "f": "\f", "r": "\r", "b": "\b"}


@dataclass(frozen=True)
class Layer:
    """A layer: its full name, whether it has spans, chains or relations, and its columns."""

    name: str
    kind: str
    first: int  # place of its first column
    columns: tuple[str, ...]

    @property
    def short(self) -> str:
        """The last part of its name."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True)
class Unit:
    """A token or a part of one: its id, its offsets in UTF-16 code units, the text there, and its cells."""

    name: str
    start: int
    end: int
    word: str
    cells: tuple[str, ...]
    where: str


@dataclass
class Sentence:
    """A sentence as it stands in the file."""

    where: str
    lines: list[str] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)


def utf16(text: str) -> int:
    """How many UTF-16 code units ``text`` has."""
    return len(text) + sum(character > "\uffff" for character in text)


def unescape(value: str) -> str:
    r"""A text or a value without its backslashes.

    >>> unescape(r"a\_b")
    'a_b'
    """
    return _ESCAPE.sub(lambda match: _CONTROL.get(match[1], match[1]), value)


def split(value: str, separator: str) -> list[str]:
    """The parts of a cell between separators that no backslash escapes."""
    parts, start, escaped = [], 0, False
    for place, character in enumerate(value):
        if character == separator and not escaped:
            parts.append(value[start:place])
            start = place + 1
        escaped = character == "\\" and not escaped
    return [*parts, value[start:]]


def read(path: Path) -> tuple[list[Layer], list[Sentence]]:
    """The layers and the sentences of a file.

    Raises:
        InputError: naming the line.
    """
    lines = [(f"{path}, line {number}", line) for number, line in enumerate(read_lines(path), 1)]
    where, first = lines[0] if lines else (f"{path}, line 1", "")
    if (
        not first.startswith(FORMAT_LINE)
        or first.removeprefix(FORMAT_LINE).strip() not in _VERSIONS
    ):
        raise InputError(f"{where}: expected '{FORMAT_LINE}3' (or 2), found {shorten(repr(first))}")
    layers: list[Layer] = []
    place = 1
    while place < len(lines) and lines[place][1].startswith("#T_"):
        layers.append(_layer(*lines[place], sum(len(layer.columns) for layer in layers)))
        place += 1
    sentences = list(_sentences(lines[place:], sum(len(layer.columns) for layer in layers)))
    if not sentences:
        raise InputError(f"{path}: expected at least one sentence, found none")
    return layers, sentences


def _layer(where: str, line: str, first: int) -> Layer:
    kind = next((kind for start, kind in _KINDS.items() if line.startswith(start)), None)
    if kind is None:
        raise InputError(
            f"{where}: expected a layer, #T_SP=, #T_CH= or #T_RL=, found {shorten(repr(line))}"
        )
    name, *columns = line.partition("=")[2].split("|")
    if not name:
        raise InputError(f"{where}: expected the name of a layer, found none")
    return Layer(name, kind, first, tuple(columns) or ("",))


def _sentences(lines: list[tuple[str, str]], columns: int) -> Iterator[Sentence]:
    sentence: Sentence | None = None
    for where, line in lines:
        if not line:
            if sentence is not None:
                yield _complete(sentence)
            sentence = None
        elif line.startswith("#"):
            if sentence is None:
                sentence = Sentence(where)
            elif sentence.units:
                raise InputError(
                    f"{where}: expected an empty line between sentences, found {shorten(repr(line))}"
                )
            if line.startswith("#Text="):
                sentence.lines.append(unescape(line.removeprefix("#Text=")))
        elif sentence is None:
            raise InputError(
                f"{where}: expected '#Text=' before the tokens, found {shorten(repr(line))}"
            )
        else:
            sentence.units.append(_unit(where, line, columns))
    if sentence is not None:
        yield _complete(sentence)


def _complete(sentence: Sentence) -> Sentence:
    if not sentence.lines:
        raise InputError(f"{sentence.where}: expected the sentence's '#Text=', found none")
    if not sentence.units:
        raise InputError(f"{sentence.where}: expected the sentence's tokens, found none")
    return sentence


def _unit(where: str, line: str, columns: int) -> Unit:
    match = _TOKEN.match(line)
    if match is None:
        raise InputError(
            f"{where}: expected a token, such as '1-2<tab>4-8<tab>Haag', found {shorten(repr(line))}"
        )
    start, end = int(match["start"]), int(match["end"])
    word, *cells = line[match.end() :].split("\t")
    if cells and not cells[-1]:  # each line ends with a tab
        cells.pop()
    if len(cells) != columns:
        raise InputError(
            f"{where}: expected {columns} columns after the token, as the header says, found {len(cells)}"
        )
    return Unit(match["unit"], start, end, word, tuple(cells), where)
