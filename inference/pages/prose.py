"""The prose of an article's page: paragraphs of sentences, whose runs of text are marked by what is in them."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from claimstance.inference.pages.stance_matrix import StanceLabel
from claimstance.inference.results import Sentence, TaggedArticle
from claimstance.model.pages.markup import Mark, Segment, segments

#: Probabilities of a claim from which a sentence is shaded more strongly.
CLAIM_LEVELS = (0.5, 0.7, 0.85, 0.95)


@dataclass(frozen=True)
class ProseMark(Mark):
    """Mark a part of an attribution or a stance, or the portion of it that lies in one sentence.

    ``classes`` is its role: source, cue, content; holder, target.

    Attributes:
        row: the number of the row of its attribution or stance on the page.
        is_start: whether the part begins here (it may run on from an earlier sentence).
        label: the label of the stance; ``None`` for a part of an attribution.
    """

    row: int = 0
    is_start: bool = True
    label: StanceLabel | None = None

    @property
    def anchor(self) -> str:
        """Return the element id of its row."""
        return f"w{self.row}" if self.label is None else f"t{self.row}"


@dataclass(frozen=True)
class TextRun:
    """Represent a stretch of a sentence with the same marks from its first character to its last.

    Attributes:
        text: its characters.
        classes: CSS classes; empty for a run without marks.
        attributions: ``role-row`` of the marks of attributions, separated by spaces.
        stances: the rows of the marks of stances, separated by spaces.
        href: the row that it links to if a mark begins here, else empty.
        described_by: ids of elements that describe what begins here.
        sign: the signs of the labels of the targets that begin here.
    """

    text: str
    classes: str = ""
    attributions: str = ""
    stances: str = ""
    href: str = ""
    described_by: str = ""
    sign: str = ""


@dataclass(frozen=True)
class SentenceNote:
    """Tell the stances of a sentence in words.

    Attributes:
        lines: one line for each stance.
        signs: the signs of the stances whose target is not marked in the text.
    """

    lines: tuple[str, ...] = ()
    signs: str = ""


@dataclass(frozen=True)
class ShownSentence:
    """Represent a sentence of the prose.

    Attributes:
        index: its number in the article.
        before: white space between it and the sentence before.
        runs: its runs of text, with their marks.
        claim: the probability that it makes a claim.
        note: its stances in words.
    """

    index: int
    before: str
    runs: list[TextRun]
    claim: float | None
    note: SentenceNote

    @property
    def level(self) -> int:
        """Return the strength of its shading, from 0 (none)."""
        return bisect_right(CLAIM_LEVELS, self.claim or 0.0)


@dataclass(frozen=True)
class Paragraph:
    """Represent the sentences of one paragraph, and the white space before it."""

    before: str
    sentences: list[ShownSentence]
    is_title: bool = False


def paragraphs_of(
    article: TaggedArticle,
    claims: Sequence[float | None],
    marks: Sequence[ProseMark],
    notes: dict[int, SentenceNote],
) -> tuple[list[Paragraph], str]:
    """Return the text as paragraphs, and the white space after the last one.

    A line end begins a paragraph only if the text between two sentences is more than that line end.

    Args:
        article: the article.
        claims: the probability of each sentence that it makes a claim.
        marks: the marks, with offsets in the article.
        notes: the stances of sentences in words, by the index of the sentence.
    """
    sentence_marks = _marks_by_sentence(article.sentences, marks)
    paragraphs: list[Paragraph] = []
    end = 0
    for sentence, claim in zip(article.sentences, claims, strict=True):
        before = article.text[end : sentence.start]
        end = sentence.end
        # Text without a line end has one line, which is the text itself, or none if it is empty.
        has_line_end = before.splitlines() not in ([], [before])
        if has_line_end or not paragraphs:
            is_title = not paragraphs and sentence.text == article.title
            paragraphs.append(Paragraph(before, [], is_title))
            before = ""
        marked = segments(sentence.text, sentence_marks[sentence.index])
        runs = [_text_run(segment) for segment in marked]
        note = notes.get(sentence.index, SentenceNote())
        paragraphs[-1].sentences.append(ShownSentence(sentence.index, before, runs, claim, note))
    return paragraphs, article.text[end:]


def percent(share: float) -> str:
    """Format a share as a whole percentage; only certainty shows 100 and only impossibility 0."""
    rounded = round(100 * share)
    if 0 < share < 1:
        rounded = min(99, max(1, rounded))
    return f"{rounded}\u00a0%"


def _text_run(segment: Segment[ProseMark]) -> TextRun:
    """Return a segment as the template needs it."""
    if not segment.marks:
        return TextRun(segment.text)
    attributions, stances, styles = [], [], []
    for mark in segment.marks:
        if mark.label is None:
            attributions.append(f"{mark.classes}-{mark.row}")
        else:
            stances.append(str(mark.row))
            styles.append(mark.label.style)
    classes = ["m", *(mark.classes for mark in segment.marks)]
    if stances:
        classes += ["side", *styles]

    attribution_starts, stance_starts, signs = [], [], []
    for mark in segment.begins:
        # A mark that runs on from an earlier sentence is linked where it began.
        if not mark.is_start:
            continue
        if mark.label is None:
            attribution_starts.append(mark)
            continue
        stance_starts.append(mark)
        if mark.classes == "target":
            signs.append(mark.label.symbol)
    # Nested marks of attributions end in the innermost one, which describes these words best.
    described_by = [f"k-{mark.classes}" for mark in attribution_starts[-1:]]
    described_by += [mark.anchor for mark in stance_starts]
    # A link to an attribution precedes one to a stance.
    linked = attribution_starts or stance_starts
    href = f"#{linked[-1].anchor}" if linked else ""
    return TextRun(
        text=segment.text,
        classes=_joined(classes),
        attributions=" ".join(attributions),
        stances=_joined(stances),
        href=href,
        described_by=_joined(described_by),
        sign="".join(dict.fromkeys(signs)),
    )


def _joined(names: Iterable[str]) -> str:
    """Return names for an attribute of HTML, each once: several marks of one text run may have the same."""
    return " ".join(dict.fromkeys(names))


def _marks_by_sentence(
    sentences: Sequence[Sentence], marks: Sequence[ProseMark]
) -> dict[int, list[ProseMark]]:
    """Cut marks at the bounds of sentences; offsets become relative to the sentence."""
    starts = [sentence.start for sentence in sentences]
    by_sentence: dict[int, list[ProseMark]] = defaultdict(list)
    for mark in marks:
        first = max(0, bisect_right(starts, mark.start) - 1)
        last = bisect_right(starts, mark.end - 1)
        for sentence in sentences[first:last]:
            start = max(mark.start, sentence.start)
            end = min(mark.end, sentence.end)
            if start >= end:
                continue
            clipped = replace(
                mark,
                start=start - sentence.start,
                end=end - sentence.start,
                is_start=mark.is_start and start == mark.start,
            )
            by_sentence[sentence.index].append(clipped)
    return by_sentence
