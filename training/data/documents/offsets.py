"""In which unit does a file count its offsets?

Annotation tools count code points, UTF-16 code units (browsers do), grapheme clusters, or code points of a text whose
line ends were changed; few exports say which. Where an export quotes what its spans cover, the unit that explains every
span of the file is found by trying; where it does not, the tool's usual unit is taken, if every span fits in it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import regex

from claimstance.model.errors import InputError, shorten
from claimstance.model.record import Span
from claimstance.training.data.documents.document import Document, Mark

CODE_POINTS = "code points"
UTF16 = "UTF-16 code units"
NO_CR = "code points after CRLF became LF"
GRAPHEMES = "grapheme clusters"


def _utf16(text: str) -> list[int]:
    bounds = [0]
    for character in text:
        bounds.append(bounds[-1] + (2 if ord(character) > 0xFFFF else 1))
    return bounds


def _without_cr(text: str) -> list[int]:
    bounds = [0]
    for place, character in enumerate(text):
        bounds.append(bounds[-1] + (text[place : place + 2] != "\r\n" if character == "\r" else 1))
    return bounds


def _graphemes(text: str) -> list[int]:
    bounds = [-1] * (len(text) + 1)
    count = 0
    for count, match in enumerate(regex.finditer(r"\X", text)):
        bounds[match.start()] = count
    bounds[len(text)] = count + 1 if text else 0
    return bounds


#: Unit → the offset, in it, of each code point's start and of the text's end (-1: no bound of the unit is there).
#: In the order in which they are tried.
UNITS: dict[str, Callable[[str], list[int]]] = {
    CODE_POINTS: lambda text: list(range(len(text) + 1)),
    UTF16: _utf16,
    NO_CR: _without_cr,
    GRAPHEMES: _graphemes,
}


def places(text: str, unit: str) -> dict[int, int]:
    """Offset counted in ``unit`` → code point, for every offset that lies between two of the unit."""
    return {
        offset: place
        for place, offset in reversed(list(enumerate(UNITS[unit](text))))
        if offset >= 0
    }


def convert(span: Span, known: Mapping[int, int]) -> Span | None:
    """The pieces of ``span`` in code points, by what ``places`` gave; ``None`` if one has no place in the text.

    >>> convert([(3, 7)], places("🙂 Noren", UTF16))
    [(2, 6)]
    """
    found = [(known.get(start), known.get(end)) for start, end in span]
    pieces = [
        (start, end)
        for start, end in found
        if start is not None and end is not None and start < end
    ]
    return pieces if pieces and len(pieces) == len(span) else None


def _try(mark: Mark, text: str, known: Mapping[int, int]) -> Span | None:
    pieces = convert(mark.pieces, known)
    return (
        pieces
        if pieces is None or mark.surface is None or _says(text, pieces, mark.surface)
        else None
    )


def _says(text: str, pieces: Span, surface: str) -> bool:
    """Whether ``surface`` stands there, spaces and line ends aside: exports join pieces and lines in their own ways."""
    there = "".join(text[start:end] for start, end in pieces)
    escaped = there.replace("\r", "\\n").replace("\n", "\\n")  # as Label Studio quotes lines
    return there == surface or _bare(surface) in (_bare(there), _bare(escaped))


def _bare(text: str) -> str:
    return "".join(text.split())


@dataclass
class UnitSearch:
    """Looks for the one unit that explains every span of a file, a document at a time.

    Attributes:
        documents: how many had spans.
        marks: how many spans were looked at.
        told: of how many of them the file says what they cover.
        telling: how many of all read differently in at least two units: without any, all units are one.
    """

    documents: int = 0
    marks: int = 0
    told: int = 0
    telling: int = 0
    _failed: dict[str, str] = field(
        default_factory=dict
    )  # unit → the first span that it does not explain
    _misfits: Counter[str] = field(default_factory=Counter)  # unit → documents with such spans
    _usual: str = CODE_POINTS
    _prescribed: str | None = None

    def add(self, document: Document) -> None:
        """Look at the spans of ``document``.

        Raises:
            InputError: if the format prescribes its unit and a span is not explained by it.
        """
        if not document.marks:
            return
        self.documents += 1
        plain = document.text.isascii() and "\r" not in document.text  # every unit counts the same
        failed = set()
        known = {unit: places(document.text, unit) for unit in ([CODE_POINTS] if plain else UNITS)}
        if document.unit is None:
            self._usual = document.usual
        for mark in document.marks:
            found = {
                unit: _try(mark, document.text, known[CODE_POINTS if plain else unit])
                for unit in UNITS
            }
            self.marks += 1
            self.told += mark.surface is not None
            self.telling += len({str(pieces) for pieces in found.values()}) > 1
            if document.unit is not None:
                self._prescribed = document.unit
                if found[document.unit] is None:
                    raise InputError(_complaint(mark, document, document.unit))
                continue
            for unit, pieces in found.items():
                if pieces is None:
                    failed.add(unit)
                    if unit not in self._failed:
                        self._failed[unit] = _complaint(mark, document, unit)
        self._misfits.update(failed)

    def unit(self, path: object, lenient: bool = False) -> str:
        """The unit of the file.

        Args:
            path: the file, for messages.
            lenient: take the unit that explains the most documents, if it explains more than half of them.

        Raises:
            InputError: if none explains every span, naming the first that code points do not.
        """
        if self._prescribed is not None:
            return self._prescribed
        left = self._best(lenient)
        if not left:
            told = self._failed[CODE_POINTS]
            raise InputError(
                f"{told} (nor does any other unit explain every span of {path}: {', '.join(UNITS)})"
            )
        # Nothing that the file says decides between those left: then what the tool is known for does.
        return self._usual if self._usual in left and self.told < self.marks else left[0]

    def _best(self, lenient: bool) -> list[str]:
        """The units that explain every span; if none does, and ``lenient``, those that explain most documents."""
        fewest = min(self._misfits[unit] for unit in UNITS)
        if fewest and not (lenient and 2 * fewest < self.documents):
            return []
        return [unit for unit in UNITS if self._misfits[unit] == fewest]

    def fact(self, unit: str) -> str:
        """What the report says of the unit: how it is known."""
        if self._prescribed is not None:
            return f"{unit} (as the format prescribes)"
        if bad := self._misfits[unit]:
            return f"{unit} (in {self.documents - bad} of {self.documents} texts with spans; the others are left out)"
        if not self.telling:
            return f"{unit} (here every unit gives the same)"
        if self.told == self.marks:
            return f"{unit} (every one of {self.marks} spans covers what the file says it does)"
        left = [name for name in UNITS if name not in self._failed]
        if len(left) == 1:
            return f"{unit} (the only unit in which all of {self.marks} spans lie in their texts)"
        return f"{unit} (assumed, as the tool counts by default: the file does not quote what its spans cover)"


def _complaint(mark: Mark, document: Document, unit: str) -> str:
    where = mark.where or f"{document.where}: {mark.name}"
    pieces = convert(mark.pieces, places(document.text, unit))
    shown = " ".join(f"{start}-{end}" for start, end in mark.pieces)
    if pieces is None:
        return f"{where}: expected offsets within the text ({len(document.text)} code points), found {shown}"
    there = " ".join(document.text[start:end] for start, end in pieces)
    return (
        f"{where}: expected {shorten(repr(mark.surface))} at {shown}, as the file says, "
        f"found {shorten(repr(there))}"
    )


def in_code_points(document: Document, unit: str) -> Document:
    """The document with its marks in code points.

    Raises:
        InputError: for a mark that has no place in the text, or another than what the file says it covers.
    """
    unit = document.unit or unit
    known = places(document.text, unit)
    marks = []
    for mark in document.marks:
        pieces = _try(mark, document.text, known)
        if pieces is None:
            raise InputError(_complaint(mark, document, unit))
        marks.append(replace(mark, pieces=pieces))
    return replace(document, marks=marks, unit=CODE_POINTS)


def find_unit(documents: Iterable[Document], path: object) -> tuple[str, str]:
    """The unit of the documents of a file, and what the report says of it."""
    search = UnitSearch()
    for document in documents:
        search.add(document)
    unit = search.unit(path)
    return unit, search.fact(unit)
