"""The unit in which a file counts its offsets.

Annotation tools count code points, UTF-16 code units (browsers do), grapheme clusters, or code
points of a text whose line ends were changed, and few exports say which. If an export quotes the
text of its spans, the unit is the one in which every span of the file has its quoted text; if
not, it is the tool's usual unit, provided that every span fits in it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import regex

from claimstance.model.errors import InputError, shorten
from claimstance.model.record import Span
from claimstance.training.data.documents.document import Document, Mark

CODE_POINTS = "code points"
UTF16 = "UTF-16 code units"
NO_CR = "code points after CRLF became LF"
GRAPHEMES = "grapheme clusters"


#: The search tries the units in this order.
UNITS = (CODE_POINTS, UTF16, NO_CR, GRAPHEMES)


def code_point_offsets(text: str, unit: str) -> dict[int, int]:
    """Return offset in ``unit`` → offset in code points, for every bound of a unit."""
    if unit == GRAPHEMES:
        starts = [match.start() for match in regex.finditer(r"\X", text)]
        return dict(enumerate([*starts, len(text)]))

    offsets: dict[int, int] = {}
    offset = 0
    for index, character in enumerate(text):
        # The CR and the LF of a line end have one offset without CR: the CR begins the line end.
        offsets.setdefault(offset, index)
        if unit == NO_CR and text.startswith("\r\n", index):
            continue
        # In UTF-16, characters beyond the basic plane take a surrogate pair.
        is_pair = unit == UTF16 and ord(character) > 0xFFFF
        offset += 2 if is_pair else 1
    offsets[offset] = len(text)
    return offsets


def convert(span: Span, offsets: Mapping[int, int]) -> Span | None:
    """Return a span in code points, by a mapping that ``code_point_offsets`` returned.

    The result is ``None`` if an offset is outside the text or within a unit, or a piece is empty.

    >>> convert([(3, 7)], code_point_offsets("🙂 Noren", UTF16))
    [(2, 6)]
    """
    pieces = []
    for start, end in span:
        first, last = offsets.get(start), offsets.get(end)
        if first is None or last is None or first >= last:
            return None
        pieces.append((first, last))
    return pieces or None


def _convert_mark(mark: Mark, text: str, offsets: Mapping[int, int]) -> Span | None:
    """Return the pieces of a mark in code points; ``None`` if they do not have the quoted text.

    Exports join pieces and lines in different ways, so that white space and line ends do not count.
    """
    pieces = convert(mark.pieces, offsets)
    if pieces is None or mark.surface is None:
        return pieces
    covered = "".join(text[start:end] for start, end in pieces)
    # Label Studio quotes line ends as the two characters of an escape sequence.
    escaped = covered.replace("\r", "\\n").replace("\n", "\\n")
    surface = _without_space(mark.surface)
    if surface in (_without_space(covered), _without_space(escaped)):
        return pieces
    return None


def _without_space(text: str) -> str:
    return "".join(text.split())


@dataclass
class UnitSearch:
    """Find the one unit that explains every span of a file, document by document.

    Attributes:
        documents: The number of documents with spans.
        marks: The number of spans.
        quoted: The number of spans with a quoted text.
        ambiguous: The number of spans that differ between units; without any, all units are equal.
    """

    documents: int = 0
    marks: int = 0
    quoted: int = 0
    ambiguous: int = 0
    # Unit → the complaint about the first span that it does not explain.
    _failures: dict[str, str] = field(default_factory=dict)
    # Unit → number of documents with a span that it does not explain.
    _misfits: Counter[str] = field(default_factory=Counter)
    _usual: str = CODE_POINTS
    _prescribed: str | None = None

    def add(self, document: Document) -> None:
        """Try every unit on the spans of a document.

        Raises:
            InputError: If the format prescribes its unit, and it does not explain a span.
        """
        if not document.marks:
            return
        self.documents += 1
        if document.text.isascii() and "\r" not in document.text:
            # All units are equal in such a text.
            offsets = dict.fromkeys(UNITS, code_point_offsets(document.text, CODE_POINTS))
        else:
            offsets = {unit: code_point_offsets(document.text, unit) for unit in UNITS}
        if document.unit is None:
            self._usual = document.usual

        failed = set()
        for mark in document.marks:
            by_unit = {unit: _convert_mark(mark, document.text, offsets[unit]) for unit in UNITS}
            self.marks += 1
            self.quoted += mark.surface is not None
            # Spans are lists, which only their text makes hashable.
            self.ambiguous += len({str(pieces) for pieces in by_unit.values()}) > 1

            if document.unit is not None:
                self._prescribed = document.unit
                if by_unit[document.unit] is None:
                    raise InputError(_complaint(mark, document, document.unit))
                continue
            for unit, pieces in by_unit.items():
                if pieces is None:
                    failed.add(unit)
                    if unit not in self._failures:
                        self._failures[unit] = _complaint(mark, document, unit)
        self._misfits.update(failed)

    def unit(self, path: object, lenient: bool = False) -> str:
        """Return the unit of the file.

        Args:
            path: The file, for messages.
            lenient: Whether to accept the unit that explains the most documents, if it explains
                more than half of them.

        Raises:
            InputError: If no unit explains every span, naming the first that code points do not.
        """
        if self._prescribed is not None:
            return self._prescribed
        # A unit without misfits has a count of 0 in the counter.
        fewest = min(self._misfits[unit] for unit in UNITS)
        explains_most = 2 * fewest < self.documents
        if fewest and not (lenient and explains_most):
            raise InputError(
                f"{self._failures[CODE_POINTS]} (nor does any other unit explain every span of "
                f"{path}: {', '.join(UNITS)})"
            )
        candidates = [unit for unit in UNITS if self._misfits[unit] == fewest]
        # The tool's usual unit decides where the quoted texts do not.
        if self._usual in candidates and self.quoted < self.marks:
            return self._usual
        return candidates[0]

    def describe(self, unit: str) -> str:
        """Return the unit for the report, with the reason for its choice."""
        if self._prescribed is not None:
            return f"{unit} (as the format prescribes)"
        misfits = self._misfits[unit]
        if misfits:
            return (
                f"{unit} (in {self.documents - misfits} of {self.documents} texts with spans; "
                "the others are left out)"
            )
        if not self.ambiguous:
            return f"{unit} (here every unit gives the same)"
        if self.quoted == self.marks:
            return f"{unit} (every one of {self.marks} spans covers what the file says it does)"
        if len(self._failures) == len(UNITS) - 1:
            return f"{unit} (the only unit in which all of {self.marks} spans lie in their texts)"
        return (
            f"{unit} (assumed, as the tool counts by default: the file does not quote what its "
            "spans cover)"
        )


def _complaint(mark: Mark, document: Document, unit: str) -> str:
    """Return the message for a mark that a unit does not explain."""
    where = mark.where or f"{document.where}: {mark.name}"
    offsets = " ".join(f"{start}-{end}" for start, end in mark.pieces)
    pieces = convert(mark.pieces, code_point_offsets(document.text, unit))
    if pieces is None:
        return (
            f"{where}: expected offsets within the text ({len(document.text)} code points), "
            f"found {offsets}"
        )
    actual = " ".join(document.text[start:end] for start, end in pieces)
    return (
        f"{where}: expected {shorten(repr(mark.surface))} at {offsets}, as the file says, "
        f"found {shorten(repr(actual))}"
    )


def in_code_points(document: Document, unit: str) -> Document:
    """Return a document with its marks in code points.

    Raises:
        InputError: If the offsets of a mark are not in the text, or not those of its quoted text.
    """
    unit = document.unit or unit
    offsets = code_point_offsets(document.text, unit)
    marks = []
    for mark in document.marks:
        pieces = _convert_mark(mark, document.text, offsets)
        if pieces is None:
            raise InputError(_complaint(mark, document, unit))
        marks.append(replace(mark, pieces=pieces))
    return replace(document, marks=marks, unit=CODE_POINTS)
