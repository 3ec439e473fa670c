"""CoNLL 2002 and 2003: a token a line, its entity in the last column as a tag of the IOB family.

Blank lines end sentences, ``-DOCSTART-`` lines documents. The file has no text, so that tokens are joined by one space.
Its scheme of tags is IOB1, IOB2 or IOBES (BILOU is the same with other letters); all tags of the file together show
which one.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from claimstance.model.errors import InputError, shorten
from claimstance.model.record import Record, read_lines
from claimstance.training.data.documents.assemble import records as assemble_records
from claimstance.training.data.documents.document import Document, LeftOut, Mark
from claimstance.training.data.documents.format import Format, Item, Layout, ReadReport
from claimstance.training.data.formats.conll_writer import DOCUMENT_START, write

_TAG = re.compile(r"O|([BIESLU])-(.+)")
_BILOU_TO_IOBES = str.maketrans("LU", "ES")
#: The suffixes include those of the shared tasks: ``esp.train``, ``eng.testa``, ``train.txt``.
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
)


@dataclass(frozen=True)
class _TaggedToken:
    """Represent a token with its tag.

    Attributes:
        word: the token.
        tag: the tag, as the file writes it.
        letter: ``B``, ``I``, ``E``, ``S`` or ``O``.
        label: the label of the entity; empty for ``O``.
        where: its file and line, for messages.
    """

    word: str
    tag: str
    letter: str
    label: str
    where: str


_TaggedSentence = list[_TaggedToken]


@dataclass
class _TaggedDocument:
    """Represent a document of a file."""

    where: str
    sentences: list[_TaggedSentence] = field(default_factory=list)


def items(path: Path) -> Iterator[Item]:
    """Yield the documents of a file, each with the file's scheme of tags.

    Raises:
        InputError: naming the line that is no token with a tag, or for a file without any.
    """
    documents = [_TaggedDocument(f"{path}, line 1")]
    is_new_sentence = True
    for number, line in enumerate(read_lines(path), 1):
        where = f"{path}, line {number}"
        is_document_start = line.startswith(DOCUMENT_START)
        if line.strip() and not is_document_start:
            if is_new_sentence:
                documents[-1].sentences.append([])
            documents[-1].sentences[-1].append(_parse_token(line, where))
            is_new_sentence = False
            continue
        is_new_sentence = True
        if is_document_start:
            documents.append(_TaggedDocument(where))

    documents = [document for document in documents if document.sentences]
    if not documents:
        raise InputError(f"{path}: expected tokens with tags, found none")

    # Few documents have tags that tell the schemes apart, so that all of them decide together.
    sentences: list[_TaggedSentence] = []
    for document in documents:
        sentences += document.sentences
    scheme = _find_scheme(sentences)

    for number, document in enumerate(documents, 1):
        name = path.stem if len(documents) == 1 else f"{path.stem}:{number}"
        yield Item(document.where, name, (scheme, document.sentences))


def _parse_token(line: str, where: str) -> _TaggedToken:
    """Return the token of a line, whose columns tabs or spaces separate."""
    separator = r"\t+" if "\t" in line else r" +"
    columns = [column for column in re.split(separator, line) if column]
    if len(columns) < 2:
        raise InputError(f"{where}: expected a token and its tag, found {shorten(repr(line))}")
    match = _TAG.fullmatch(columns[-1].strip())
    if match is None:
        raise InputError(
            f"{where}: expected a tag, O or B-, I-, E-, S- with a label, found "
            f"{shorten(repr(columns[-1]))}"
        )
    letter = (match[1] or "O").translate(_BILOU_TO_IOBES)
    return _TaggedToken(columns[0].strip(), match[0], letter, match[2] or "", where)


def _find_scheme(sentences: Sequence[_TaggedSentence]) -> str:
    """Return the scheme of the tags: of those with their letters, the one that fewest tags violate."""
    for sentence in sentences:
        if any(token.letter in "ES" for token in sentence):
            return "IOBES"
    # IOB2 comes first, because it is the more common one where both have as many violations.
    violations = {"IOB2": 0, "IOB1": 0}
    # B- before a first token violates IOB1, and I- before a first token violates IOB2.
    for scheme in violations:
        for sentence in sentences:
            violations[scheme] += len(list(_misplaced_tags(sentence, scheme)))
    return "IOB2" if violations["IOB2"] <= violations["IOB1"] else "IOB1"


def _misplaced_tags(sentence: _TaggedSentence, scheme: str) -> Iterator[tuple[_TaggedToken, str]]:
    """Yield the tokens whose tags violate the scheme, each with the tag that was expected."""
    for index, token in enumerate(sentence):
        previous = sentence[index - 1] if index else None
        in_entity = previous is not None and previous.letter != "O"
        continues = in_entity and previous is not None and previous.label == token.label
        is_open = previous is not None and previous.letter in "BI"  # in IOBES
        if scheme == "IOB1" and token.letter == "B" and not continues:
            yield token, f"I-{token.label} (B- only between two entities of one label)"
        elif scheme == "IOB2" and token.letter == "I" and not continues:
            yield token, f"B-{token.label}"
        elif scheme == "IOBES" and token.letter in "IE" and not (continues and is_open):
            yield token, f"B-{token.label} or S-{token.label}"
        elif scheme == "IOBES" and token.letter in "BSO" and is_open and previous is not None:
            yield token, f"I-{previous.label} or E-{previous.label}"
    last = sentence[-1]
    if scheme == "IOBES" and last.letter in "BI":
        yield last, f"E-{last.label} or S-{last.label} at the end of the sentence"


def parse(item: Item, layout: Layout) -> Iterator[Document | LeftOut]:
    """Yield a document: its tokens joined, its sentences and its entities.

    A lenient reading counts tags that violate the scheme, and takes them for the start of an entity.

    Raises:
        InputError: for such a tag, naming the line.
    """
    scheme, sentences = item.data
    text = ""
    bounds = []
    marks: list[Mark] = []
    for sentence in sentences:
        for token, expected in _misplaced_tags(sentence, scheme):
            if not layout.lenient:
                raise InputError(
                    f"{token.where}: expected {expected}, since the file's tags are {scheme}, "
                    f"found {token.tag}"
                )
            yield LeftOut("tag that cannot stand where it does, taken for the start of an entity")

        if text:
            text += "\n"
        sentence_start = len(text)
        offsets = []
        for token in sentence:
            if len(text) > sentence_start:
                text += " "
            offsets.append((len(text), len(text) + len(token.word)))
            text += token.word
        bounds.append((sentence_start, len(text)))

        for first, end in _entities(sentence):
            start, stop = offsets[first][0], offsets[end - 1][1]
            label = sentence[first].label
            name = f"{start}-{stop} {label}"
            marks.append(Mark(name, label, [(start, stop)], where=sentence[first].where))
    yield Document(item.name, text, item.where, marks=marks, sentences=bounds, unit="code points")


def _entities(sentence: _TaggedSentence) -> Iterator[tuple[int, int]]:
    """Yield the first token and the end of each entity, by the rules of conlleval."""
    first: int | None = None
    for index, token in enumerate(sentence):
        previous = sentence[index - 1] if index else None
        if first is not None and previous is not None:
            begins = token.letter in "OSB" or token.label != previous.label
            if begins or previous.letter in "ES":
                yield first, index
                first = None
        if first is None and token.letter != "O":
            first = index
    if first is not None:
        yield first, len(sentence)


def read(path: Path, layout: Layout, report: ReadReport) -> Iterator[Record]:
    """Yield the records of a file; ``report.facts`` notes the scheme of its tags.

    Raises:
        InputError: naming the file and the line.
    """
    report.facts["tags"] = next(items(path)).data[0]
    yield from assemble_records(FORMAT, path, layout, report)


def recognise(head: str) -> bool:
    """Return whether the first lines are tokens with tags."""
    rows = [line.split() for line in head.splitlines()[:20] if line.strip()]
    # The end of the head may cut the last line.
    rows = rows[:-1] or rows
    for row in rows:
        is_token = len(row) > 1 and _TAG.fullmatch(row[-1])
        if not is_token and not row[0].startswith(DOCUMENT_START):
            return False
    return bool(rows)


FORMAT = Format("conll", _SUFFIXES, recognise, read=read, items=items, parse=parse, write=write)
