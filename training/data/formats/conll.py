"""CoNLL 2002 and 2003: a token a line, its entity in the last column as a tag of the IOB family.

Blank lines end sentences, ``-DOCSTART-`` lines documents. The file has no text: tokens are joined by one space. Which
of IOB1, IOB2, IOBES (and BILOU, the same in other letters) the tags are, all of the file's tags together tell.
"""

import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import regex

from claimstance.model.errors import InputError, shorten
from claimstance.model.labels import ROLES
from claimstance.model.record import Record, Span, read_lines
from claimstance.training.data.documents.document import Document, LeftOut, Mark
from claimstance.training.data.documents.format import Format, Item, Layout, ReadReport

logger = logging.getLogger(__name__)

_START = "-DOCSTART-"
_TAG = re.compile(r"O|([BIESLU])-(.+)")
_SAME = str.maketrans("LU", "ES")  # BILOU in IOBES' letters
_WORD = regex.compile(
    r"[\w\p{M}\u200c\u200d]+|\S\p{M}*"
)  # a word with its accents and joiners, or one sign


@dataclass(frozen=True)
class _Token:
    word: str
    tag: str
    letter: str  # B, I, E, S or O
    label: str
    where: str


@dataclass
class _Part:
    """A document of a file."""

    where: str
    sentences: list[list[_Token]] = field(default_factory=list)


def items(path: Path) -> Iterator[Item]:
    """The documents of a file, each with the file's scheme of tags.

    Raises:
        InputError: naming the line that is no token with a tag, or for a file without any.
    """
    parts = [part for part in _parts(path) if part.sentences]
    if not parts:
        raise InputError(f"{path}: expected tokens with tags, found none")
    scheme = _scheme([sentence for part in parts for sentence in part.sentences])
    for number, part in enumerate(parts, 1):
        name = path.stem if len(parts) == 1 else f"{path.stem}:{number}"
        yield Item(part.where, name, (scheme, part.sentences))


def _parts(path: Path) -> Iterator[_Part]:
    part, sentence = _Part(f"{path}, line 1"), list[_Token]()
    for number, line in enumerate(read_lines(path), 1):
        where = f"{path}, line {number}"
        starts = line.startswith(_START)
        if sentence and (starts or not line.strip()):
            part.sentences.append(sentence)
            sentence = []
        if starts:
            yield part
            part = _Part(where)
        elif line.strip():
            sentence.append(_token(line, where))
    if sentence:
        part.sentences.append(sentence)
    yield part


def _token(line: str, where: str) -> _Token:
    columns = [column for column in re.split(r"\t+" if "\t" in line else r" +", line) if column]
    if len(columns) < 2:
        raise InputError(f"{where}: expected a token and its tag, found {shorten(repr(line))}")
    match = _TAG.fullmatch(columns[-1].strip())
    if match is None:
        raise InputError(
            f"{where}: expected a tag, O or B-, I-, E-, S- with a label, found "
            f"{shorten(repr(columns[-1]))}"
        )
    return _Token(
        columns[0].strip(), match[0], (match[1] or "O").translate(_SAME), match[2] or "", where
    )


def _scheme(sentences: Sequence[Sequence[_Token]]) -> str:
    """The scheme that the tags are in: of those that their letters allow, the one that most of them are right in."""
    letters = {token.letter for sentence in sentences for token in sentence}
    if letters & {"E", "S"}:
        return "IOBES"
    wrong = {
        name: sum(len(list(_wrong(sentence, name))) for sentence in sentences)
        for name in ("IOB2", "IOB1")
    }
    return min(wrong, key=lambda name: wrong[name])


def _wrong(sentence: Sequence[_Token], scheme: str) -> Iterator[tuple[_Token, str]]:
    """The tokens whose tags are not of the scheme, and what was expected in their place."""
    for index, token in enumerate(sentence):
        before = sentence[index - 1] if index else None
        inside = before is not None and before.letter != "O" and before.label == token.label
        is_open = inside and before is not None and before.letter in "BI"
        if scheme == "IOB1" and token.letter == "B" and not inside:
            yield token, f"I-{token.label} (B- only between two entities of one label)"
        elif scheme == "IOB2" and token.letter == "I" and not inside:
            yield token, f"B-{token.label}"
        elif scheme == "IOBES" and token.letter in "IE" and not is_open:
            yield token, f"B-{token.label} or S-{token.label}"
        elif (
            scheme == "IOBES"
            and token.letter in "BSO"
            and before is not None
            and before.letter in "BI"
        ):
            yield token, f"I-{before.label} or E-{before.label}"
    if scheme == "IOBES" and sentence[-1].letter in "BI":
        yield (
            sentence[-1],
            f"E-{sentence[-1].label} or S-{sentence[-1].label} at the end of the sentence",
        )


def parse(item: Item, layout: Layout) -> Iterator[Document | LeftOut]:
    """A document: its tokens joined, its sentences and its entities.

    A lenient reading counts tags that cannot stand where they do, and takes them for the start of an entity.

    Raises:
        InputError: for such a tag, naming the line.
    """
    scheme, sentences = item.data
    text, bounds, marks = "", [], list[Mark]()
    for sentence in sentences:
        for token, expected in _wrong(sentence, scheme):
            if layout.lenient:
                yield LeftOut(
                    "tag that cannot stand where it does, taken for the start of an entity"
                )
                continue
            raise InputError(
                f"{token.where}: expected {expected}, since the file's tags are {scheme}, found "
                f"{token.tag}"
            )
        text += "\n" if text else ""
        start = len(text)
        places = []
        for token in sentence:
            text += " " if len(text) > start else ""
            places.append((len(text), len(text) + len(token.word)))
            text += token.word
        bounds.append((start, len(text)))
        marks += _marks(sentence, places, scheme)
    yield Document(item.name, text, item.where, marks=marks, sentences=bounds, unit="code points")


def _marks(
    sentence: Sequence[_Token], places: Sequence[tuple[int, int]], scheme: str
) -> Iterator[Mark]:
    """The entities of a sentence, as conlleval finds them."""
    first: int | None = None
    for index, token in enumerate(sentence):
        before = sentence[index - 1] if index else None
        if (
            first is not None
            and before is not None
            and (
                token.letter in "OS"
                or token.label != before.label
                or before.letter in "ES"
                or token.letter == "B"
            )
        ):
            yield _mark(sentence, places, first, index)
            first = None
        if first is None and token.letter != "O":
            first = index
    if first is not None:
        yield _mark(sentence, places, first, len(sentence))


def _mark(
    sentence: Sequence[_Token], places: Sequence[tuple[int, int]], first: int, end: int
) -> Mark:
    start, stop = places[first][0], places[end - 1][1]
    label = sentence[first].label
    return Mark(f"{start}-{stop} {label}", label, [(start, stop)], where=sentence[first].where)


def read(path: Path, layout: Layout, reading: ReadReport) -> Iterator[Record]:
    """The records of a file; what is told of it is the scheme of its tags.

    Raises:
        InputError: naming the file and the line.
    """
    from claimstance.training.data.documents.assemble import records

    reading.facts["tags"] = next(items(path)).data[0]
    yield from records(FORMAT, path, layout, reading)


def recognise(head: str) -> bool:
    """Whether the first lines are tokens with tags."""
    rows = [line.split() for line in head.splitlines()[:20] if line.strip()]
    return bool(rows) and all(
        row[0].startswith(_START) or (len(row) > 1 and _TAG.fullmatch(row[-1]))
        for row in rows[:-1] or rows
    )


def write(records: Iterable[Record], path: Path, what: str = "entities") -> None:
    """Write the entities of records, or the parts of their attributions, as IOB2.

    A column of tags has room for one label a token and for no gaps: spans in pieces, spans that overlap one that begins
    before them (or is longer), and all other annotations are left out, which a message says, with their number; so
    are records that nobody annotated, since tokens without a tag would say "none there".

    Args:
        records: to be written, those of one ``doc_id`` together.
        path: the file.
        what: ``entities`` or ``attributions`` (labelled ``source``, ``cue`` and ``content``).

    Raises:
        InputError: for a label that has a space in it.
    """
    left_out: Counter[str] = Counter()
    document: str | None = _START  # of the record before; no document is called that
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for record in records:
            spans = _spans(record, what)
            _count_others(record, what, left_out)
            if spans is None:
                left_out[f"records without annotated {what}"] += 1
                continue
            if record.doc_id is None or record.doc_id != document:
                file.write(f"{_START} O\n\n")
            document = record.doc_id
            kept = _without_overlap(spans, left_out)
            file.writelines(f"{word} {tag}\n" for word, tag in _tagged(record, kept))
            file.write("\n")
    for reason, count in left_out.items():
        logger.warning("%s: CoNLL has no place for %s: %d left out", path, reason, count)


def _spans(record: Record, what: str) -> list[tuple[Span, str]] | None:
    if what == "entities":
        return (
            None
            if record.entities is None
            else [(entity.span, entity.label) for entity in record.entities]
        )
    if record.attributions is None:
        return None
    return [
        (span, role)
        for one in record.attributions
        for role in ROLES
        if (span := getattr(one, role))
    ]


def _count_others(record: Record, what: str, left_out: Counter[str]) -> None:
    for name in ("claim", "check_worthy", "subjective"):
        left_out[f"labels of {name}"] += getattr(record, name) is not None
    for name in ("entities", "attributions", "stances"):
        if name != what:
            left_out[name] += len(getattr(record, name) or ())
    for name in [name for name, count in left_out.items() if not count]:
        del left_out[name]


def _without_overlap(
    spans: Iterable[tuple[Span, str]], left_out: Counter[str]
) -> list[tuple[int, int, str]]:
    kept: list[tuple[int, int, str]] = []
    whole = []
    for span, label in spans:
        if len(span) > 1:
            left_out["spans in pieces"] += 1
        else:
            whole.append((*span[0], label))
    for start, end, label in sorted(set(whole), key=lambda one: (one[0], -one[1])):
        if kept and start < kept[-1][1]:
            left_out["spans that overlap others"] += 1
        else:
            kept.append((start, end, label))
    return kept


def _tagged(record: Record, spans: Iterable[tuple[int, int, str]]) -> Iterator[tuple[str, str]]:
    """Words and signs with their tags: cut at the bounds of spans too, so that each is a token's."""
    place = 0
    for start, end, label in [*spans, (len(record.text), len(record.text), "")]:
        if any(character.isspace() for character in label):
            raise InputError(
                f"{record.id}: expected a label without spaces, which CoNLL cannot carry, found '{label}'"
            )
        yield from ((word, "O") for word in _WORD.findall(record.text[place:start]))
        for number, word in enumerate(_WORD.findall(record.text[start:end])):
            yield word, f"{'I' if number else 'B'}-{label}"
        place = end


_SUFFIXES = (
    ".conll",
    ".conll2002",
    ".conll2003",
    ".conll03",
    ".bio",
    ".iob",
    ".iob2",
    ".iobes",
    ".train",
    ".testa",
    ".testb",
    ".txt",
)  # the shared tasks' esp.train and eng.testa, train.txt
FORMAT = Format("conll", _SUFFIXES, recognise, read=read, items=items, parse=parse, write=write)
