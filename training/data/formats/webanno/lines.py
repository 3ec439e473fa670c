"""The lines of a WebAnno TSV 3 file: its header, its sentences with their text, its tokens with their cells.

INCEpTION's user guide describes the format under "WebAnno TSV 3.3 File format".
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from claimstance.model.errors import InputError, shorten
from claimstance.model.record import read_lines

FORMAT_LINE = "#FORMAT=WebAnno TSV 3."
_VERSIONS = ("2", "3")
_LAYER_KINDS = {"#T_SP=": "span", "#T_CH=": "chain", "#T_RL=": "relation"}
_SLOT_NAMES = "ROLE_"
_TOKEN = re.compile(r"(?P<name>\d+-\d+(?:\.\d+)?)\t(?P<start>\d+)-(?P<end>\d+)\t")
_ESCAPE = re.compile(r"\\(->|.)")
_CONTROL = {"t": "\t", "n": "\n", "f": "\f", "r": "\r", "b": "\b"}


@dataclass(frozen=True)
class Layer:
    """Represent an annotation layer, as the header declares it.

    Attributes:
        name: its full name.
        kind: ``span``, ``chain`` or ``relation``.
        first_column: the index of its first column among the cells of a token.
        columns: the names of its columns.
    """

    name: str
    kind: str
    first_column: int
    columns: tuple[str, ...]

    @property
    def short(self) -> str:
        """Return the last part of its name."""
        return self.name.rpartition(".")[2]

    def has_slot_names(self, index: int) -> bool:
        """Return whether a column has the names of slots."""
        return self.columns[index].startswith(_SLOT_NAMES)

    def has_slot_targets(self, index: int) -> bool:
        """Return whether a column has the targets of the slots that the column before it names."""
        return index > 0 and self.has_slot_names(index - 1)


@dataclass(frozen=True)
class WebAnnoToken:
    """Represent a token, or a part of one.

    Attributes:
        name: its id, such as ``1-2``.
        start: its start in the text, in UTF-16 code units.
        end: its end, exclusive.
        word: the text there, as the file writes it.
        cells: its cells, of all layers.
        where: its file and line, for messages.
    """

    name: str
    start: int
    end: int
    word: str
    cells: tuple[str, ...]
    where: str


@dataclass
class WebAnnoSentence:
    """Represent a sentence: its lines of text and its tokens."""

    where: str
    text_lines: list[str] = field(default_factory=list)
    tokens: list[WebAnnoToken] = field(default_factory=list)


def utf16_length(text: str) -> int:
    """Return the length of a text in UTF-16 code units."""
    return len(text) + sum(character > "\uffff" for character in text)


def unescape(value: str) -> str:
    r"""Return a text or a value without its backslashes.

    >>> unescape(r"a\_b")
    'a_b'
    """
    return _ESCAPE.sub(lambda match: _CONTROL.get(match[1], match[1]), value)


def split(value: str, separator: str) -> list[str]:
    """Split a cell at the separators that no backslash escapes."""
    values = []
    start = 0
    escaped = False
    for index, character in enumerate(value):
        if character == separator and not escaped:
            values.append(value[start:index])
            start = index + 1
        escaped = character == "\\" and not escaped
    values.append(value[start:])
    return values


def read(path: Path) -> tuple[list[Layer], list[WebAnnoSentence]]:
    """Read the layers and the sentences of a file.

    Raises:
        InputError: naming the line, what was expected and what was found.
    """
    lines = [(f"{path}, line {number}", line) for number, line in enumerate(read_lines(path), 1)]
    where, first_line = lines[0] if lines else (f"{path}, line 1", "")
    version = first_line.removeprefix(FORMAT_LINE).strip()
    if not first_line.startswith(FORMAT_LINE) or version not in _VERSIONS:
        raise InputError(
            f"{where}: expected '{FORMAT_LINE}3' (or 2), found {shorten(repr(first_line))}"
        )

    layers: list[Layer] = []
    column_count = 0
    header_end = 1
    # The columns of a token belong to the layers in the order of the header.
    for where, line in lines[1:]:
        if not line.startswith("#T_"):
            break
        kind = _LAYER_KINDS.get(line[:6])
        if kind is None:
            raise InputError(
                f"{where}: expected a layer, #T_SP=, #T_CH= or #T_RL=, found {shorten(repr(line))}"
            )
        name, *columns = line.partition("=")[2].split("|")
        if not name:
            raise InputError(f"{where}: expected the name of a layer, found none")
        # A layer without features still has one column, which only marks the tokens.
        layers.append(Layer(name, kind, column_count, tuple(columns) or ("",)))
        column_count += len(layers[-1].columns)
        header_end += 1

    sentences = list(_sentences(lines[header_end:], column_count))
    if not sentences:
        raise InputError(f"{path}: expected at least one sentence, found none")
    return layers, sentences


def _sentences(lines: Sequence[tuple[str, str]], column_count: int) -> Iterator[WebAnnoSentence]:
    """Yield the sentences of the lines after the header, which empty lines separate."""
    sentence: WebAnnoSentence | None = None
    for where, line in lines:
        if not line:
            if sentence is not None:
                yield _check_sentence(sentence)
            sentence = None
        elif line.startswith("#"):
            if sentence is None:
                sentence = WebAnnoSentence(where)
            elif sentence.tokens:
                raise InputError(
                    f"{where}: expected an empty line between sentences, "
                    f"found {shorten(repr(line))}"
                )
            if line.startswith("#Text="):
                sentence.text_lines.append(unescape(line.removeprefix("#Text=")))
        elif sentence is None:
            raise InputError(
                f"{where}: expected '#Text=' before the tokens, found {shorten(repr(line))}"
            )
        else:
            sentence.tokens.append(_parse_token(where, line, column_count))
    if sentence is not None:
        yield _check_sentence(sentence)


def _check_sentence(sentence: WebAnnoSentence) -> WebAnnoSentence:
    """Return the sentence, or raise ``InputError`` if it has no text or no tokens."""
    if not sentence.text_lines:
        raise InputError(f"{sentence.where}: expected the sentence's '#Text=', found none")
    if not sentence.tokens:
        raise InputError(f"{sentence.where}: expected the sentence's tokens, found none")
    return sentence


def _parse_token(where: str, line: str, column_count: int) -> WebAnnoToken:
    """Return the token of a line."""
    match = _TOKEN.match(line)
    if match is None:
        raise InputError(
            f"{where}: expected a token, such as '1-2<tab>4-8<tab>Haag', "
            f"found {shorten(repr(line))}"
        )
    word, *cells = line[match.end() :].split("\t")
    # INCEpTION ends each line with a tab; other programs do not.
    if cells and not cells[-1]:
        cells.pop()
    if len(cells) != column_count:
        raise InputError(
            f"{where}: expected {column_count} columns after the token, as the header says, "
            f"found {len(cells)}"
        )
    start, end = int(match["start"]), int(match["end"])
    return WebAnnoToken(match["name"], start, end, word, tuple(cells), where)
