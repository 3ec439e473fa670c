"""DSE: directed sentiment between two entities of a news sentence.

Link: https://github.com/bywords/directed_sentiment_analysis
Licence: "You can use the resources for your purposes by citing the paper."
Citation: Park, Pan, Joo (2021), Who Blames or Endorses Whom? Entity-to-Entity Directed Sentiment Extraction in News
Text, Findings of ACL-IJCNLP.

Labels: of the entities p and q, each row gives two stances, p's on q and q's on p. 0: both ``neutral``; 1: p on q
``favor``; 2: q on p ``favor``; 3: p on q ``against``; 4: q on p ``against``; the other direction is then ``neutral``.

Traps handled: Fields with a quotation mark are quoted as in CSV. The brackets are machine-made and cut words (``[The
Guardia]n``), so a mention is completed to whole words unless the two would then overlap. Rows that occur twice in
*train* are read once. 400 rows of *test* repeat a row of *train*: ``meta["clean"]`` is true if neither *train* nor
*valid* has the sentence. Rows with the same sentence have the same ``doc_id``.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from claimstance.model.errors import InputError, unknown
from claimstance.model.record import Record, Span, Stance
from claimstance.training.data.corpora.base import Corpus, OnDrop, read_tsv
from claimstance.training.data.documents.spans import trim

#: The corpus's label → the stance of p on q, of q on p.
LABELS = {
    "0": ("neutral", "neutral"),
    "1": ("favor", "neutral"),
    "2": ("neutral", "favor"),
    "3": ("against", "neutral"),
    "4": ("neutral", "against"),
}
_LOOSE = " \t\xa0'\"’‘“”"  # characters that the brackets enclose at the ends of a name


def read(
    folder: Path, split: str, on_drop: OnDrop, whole_words: bool = True, drop_seen: bool = False
) -> Iterator[Record]:
    """Yield the rows of ``split`` in the order of the file.

    Args:
        folder: a copy of the repository.
        split: ``train``, ``valid`` or ``test``.
        on_drop: called for each row that is left out.
        whole_words: complete bracketed mentions to whole words, and drop loose quotation marks at their ends.
        drop_seen: leave out rows of *valid* whose sentence is in *train*, so that choices are made on new sentences.

    Raises:
        InputError: naming the file and the line.
    """
    seen: set[tuple[str, ...]] = set()
    dataset = folder / "dataset"
    earlier = {"train": (), "valid": ("train",), "test": ("train", "valid")}[split]
    seen_sentences: set[str] = set()
    for name in earlier:
        for _, row in read_tsv(dataset / f"{name}.txt", (4,)):
            seen_sentences.add(_key(row[0].replace("[", "").replace("]", "")))

    path = dataset / f"{split}.txt"
    for number, row in read_tsv(path, (4,)):
        # Repeats may differ in white space.
        key = tuple(" ".join(field.split()) for field in row)
        if split == "train" and key in seen:
            on_drop("repeats an earlier row")
            continue
        seen.add(key)
        record = _parse_row(row, f"{path}, line {number}", f"dse:{split}:{number}", whole_words)
        is_seen = _key(record.text) in seen_sentences
        if drop_seen and split == "valid" and is_seen:
            on_drop("sentence is in train")
            continue
        if split == "test":
            record.meta["clean"] = not is_seen
        yield record


def _key(sentence: str) -> str:
    return " ".join(sentence.split())


def _parse_row(row: list[str], location: str, row_id: str, whole_words: bool) -> Record:
    """Return the record of a row with its two stances."""
    marked, p, q, label = row
    if label.strip() not in LABELS:
        raise InputError(f"{location}: {unknown('label', label, LABELS)}")
    text, mentions = _unbracket(marked, p, q, location)
    if whole_words:
        first, second = [_whole_words(start, end, text) for start, end in mentions]
        is_overlapping = first[0] < second[1] and second[0] < first[1]
        if not is_overlapping:
            mentions = [first, second]

    p_span: Span = [mentions[0]]
    q_span: Span = [mentions[1]]
    p_on_q, q_on_p = LABELS[label.strip()]
    return Record(
        id=row_id,
        doc_id=hashlib.sha256(_key(text).encode()).hexdigest()[:16],
        text=text,
        stances=[
            Stance(holder=p_span, target=q_span, label=p_on_q),
            Stance(holder=q_span, target=p_span, label=q_on_p),
        ],
        meta={"corpus": "dse", "label": int(label)},
    )


def _unbracket(marked: str, p: str, q: str, location: str) -> tuple[str, list[tuple[int, int]]]:
    """Return the trimmed sentence without the brackets around p and q, and the offsets of p and q in it."""
    mentions = [rf"\[(\s*{re.escape(mention.strip())}\s*)\]" for mention in (p, q)]
    # The file does not tell which of p and q the sentence mentions first.
    in_order = re.search("(.*?)".join(mentions), marked, re.DOTALL)
    reversed_order = re.search("(.*?)".join(reversed(mentions)), marked, re.DOTALL)
    match = in_order or reversed_order
    if match is None:
        raise InputError(f"{location}: expected [{p}] and [{q}] in the sentence, found {marked!r}")

    first, between, second = match.groups()
    before = marked[: match.start()]
    text = before + first + between + second + marked[match.end() :]
    leading = len(text) - len(text.lstrip())
    offsets = []
    starts = (len(before), len(before + first + between))
    for start, mention in zip(starts, (first, second), strict=True):
        trimmed_start, trimmed_end = trim(start, start + len(mention), text)
        offsets.append((trimmed_start - leading, trimmed_end - leading))
    if in_order is None:
        offsets.reverse()
    return text.strip(), offsets


def _whole_words(start: int, end: int, text: str) -> tuple[int, int]:
    """Return a mention without loose marks at its ends, and completed to whole words."""
    original = (start, end)
    while start < end and text[start] in _LOOSE:
        start += 1
    while start < end and text[end - 1] in _LOOSE:
        end -= 1
    # A mention of nothing but marks stays as it is.
    if start == end:
        return original
    while start and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum() and text[end - 1].isalnum():
        end += 1
    return start, end


CORPUS = Corpus(
    name="dse",
    url="https://github.com/bywords/directed_sentiment_analysis",
    licence='"You can use the resources for your purposes by citing the paper."',
    citation="Park, Pan, Joo (2021), Who Blames or Endorses Whom? Entity-to-Entity Directed Sentiment Extraction in "
    "News Text, Findings of ACL-IJCNLP",
    version="dataset/train.txt 0b608a7e376b",
    splits=("train", "valid", "test"),
    tasks=("stance",),
    label_mapping={label: f"p on q {a}, q on p {b}" for label, (a, b) in LABELS.items()},
    reader=read,
)
