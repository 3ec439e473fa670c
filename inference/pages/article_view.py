"""The values that an article's page shows: marked prose, tables and a timeline."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from claimstance.inference.pages.stance_matrix import (
    NO_NAME,
    TEXT_ITSELF,
    Cell,
    Count,
    Holder,
    Matrix,
    StanceLabel,
    Target,
    build_matrix,
    stance_labels,
)
from claimstance.inference.results import (
    Attribution,
    Label,
    Sentence,
    Span,
    Stance,
    TaggedArticle,
    ranking,
)
from claimstance.model.errors import shorten
from claimstance.model.labels import CLAIM, ROLES, SUBJECTIVE
from claimstance.model.pages.markup import Mark, Segment, segments, visible

#: Probabilities of a claim from which a sentence is shaded more strongly.
CLAIM_LEVELS = (0.5, 0.7, 0.85, 0.95)
COLUMNS, ROWS, TIMELINE_ROWS, FIRST_SENTENCES = 10, 30, 12, 8


@dataclass(frozen=True)
class RoleMark(Mark):
    """Mark a part of an attribution, or the portion of it that lies in one sentence.

    Attributes:
        attribution: the number of its row on the page.
        is_start: whether the part begins here (it may run on from an earlier sentence).
    """

    attribution: int = 0
    is_start: bool = True


@dataclass(frozen=True)
class ShownSentence:
    """Represent a sentence of the prose.

    Attributes:
        index: its number in the article.
        before: white space between it and the sentence before.
        segments: its pieces, with their marks.
        claim: the probability that it makes a claim.
    """

    index: int
    before: str
    segments: list[Segment[RoleMark]]
    claim: float | None

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


@dataclass(frozen=True)
class AttributionRow:
    """Represent a row of the table of attributions; ``source`` is the source's number or -1."""

    number: int
    sentence: int
    attribution: Attribution
    source: int

    @property
    def start(self) -> int:
        """Return the first character of its roles, in the article."""
        return min(span.start for _, span in role_spans(self.attribution))

    @property
    def end(self) -> int:
        """Return the end of the last of its roles, exclusive."""
        return max(span.end for _, span in role_spans(self.attribution))


@dataclass(frozen=True)
class StanceRow:
    """Represent a row of the table of stances.

    Attributes:
        stance: the stance.
        holder: the row of the matrix that counts it.
        target: the column of the matrix that counts it.
        label: the label's appearance.
        anchor: element id of the first row with the same holder, target and label; ``None`` for others.
    """

    stance: Stance
    holder: Holder
    target: Target
    label: StanceLabel
    anchor: str | None = None


@dataclass(frozen=True)
class Speaker:
    """Represent a row of the timeline: a source and its (start, width, attribution), in per cent."""

    holder: Holder
    positions: list[tuple[float, float, AttributionRow]]


@dataclass(frozen=True)
class ArticleView:
    """Represent everything that the template of an article's page reads.

    Attributes:
        article: the tagged article.
        paragraphs: the text.
        after: white space after the last paragraph.
        attributions: all attributions, in the order of the text.
        speakers: sources, the most frequent first.
        stances: stances that count.
        unsure: stances from which the model abstains.
        labels: the stance labels of the page.
        matrix: sources against targets.
        silent: named sources without a stance that counts.
        ranked: sentences with a shortened text, the most check-worthy first.
        data: values for the script of the page.
    """

    article: TaggedArticle
    paragraphs: list[Paragraph]
    after: str
    attributions: list[AttributionRow]
    speakers: list[Speaker]
    stances: list[StanceRow]
    unsure: list[StanceRow]
    labels: list[StanceLabel]
    matrix: Matrix
    silent: list[Holder]
    ranked: list[tuple[Sentence, str]]
    data: dict[str, Any]


def role_spans(attribution: Attribution) -> Iterator[tuple[str, Span]]:
    """Yield (role, span) for the roles that the attribution has."""
    for role in ROLES:
        span = getattr(attribution, role)
        if span is not None:
            yield role, span


def article_view(article: TaggedArticle) -> ArticleView:
    """Build the view of an article."""
    source_numbers = {source.name: number for number, source in enumerate(article.sources)}
    attributions = _attribution_rows(article, source_numbers)
    holders = _holders(article, attributions)
    labels = stance_labels(name for stance in article.stances for name in stance.probabilities)
    target_names = dict.fromkeys(stance.target for stance in article.stances)
    targets = {name: Target(number, name) for number, name in enumerate(target_names)}

    rows = []
    for stance in article.stances:
        holder = holders[_holder_number(stance, source_numbers)]
        rows.append(StanceRow(stance, holder, targets[stance.target], labels[stance.label]))
    rows.sort(key=lambda row: (row.holder.number, row.target.number, row.stance.sentence))
    stances = _with_anchors([row for row in rows if not row.stance.abstained])
    unsure = [row for row in rows if row.stance.abstained]

    matrix = build_matrix(
        holders, list(targets.values()), _cells(stances), columns=COLUMNS, rows=ROWS
    )
    in_matrix = {row.holder for row in (*matrix.rows, *matrix.more)}
    paragraphs, after = _paragraphs(article, _marks(attributions))
    return ArticleView(
        article=article,
        paragraphs=paragraphs,
        after=after,
        attributions=attributions,
        speakers=_speakers(article, attributions, holders),
        stances=stances,
        unsure=unsure,
        labels=list(labels.values()),
        matrix=matrix,
        silent=[holder for holder in holders if holder.is_name and holder not in in_matrix],
        ranked=[(sentence, shorten(sentence.text, 160)) for sentence in _ranked(article.sentences)],
        data={
            "sentences": [_rounded(claim_probability(it)) for it in article.sentences],
            "attributions": [
                [row.sentence, row.source, _rounded(row.attribution.probability)]
                for row in attributions
            ],
            "stances": [_script_values(row) for row in (*stances, *unsure)],
            "holders": [visible(holder.name) for holder in holders],
            "targets": [visible(name) for name in targets],
            "labels": [visible(name) for name in labels],
        },
    )


def claim_probability(sentence: Sentence) -> float | None:
    """Return the probability that a sentence makes a claim; ``None`` for a model with other labels."""
    return sentence.claim.probabilities.get(CLAIM[1]) if sentence.claim else None


def sentence_scores(sentence: Sentence) -> Iterator[tuple[str, str, float]]:
    """Yield (task, label, probability) of the sentence; the label is empty where the task implies it."""
    if sentence.check_worthy is not None:
        yield "worth checking", "", ranking(sentence.check_worthy.probabilities)
    for task, implied in (("claim", CLAIM[1]), ("subjective", SUBJECTIVE[1])):
        label: Label | None = getattr(sentence, task)
        if label is None:
            continue
        if implied in label.probabilities:
            yield task, "", label.probabilities[implied]
        else:
            yield task, label.label, label.probability


def _attribution_rows(
    article: TaggedArticle, source_numbers: dict[str, int]
) -> list[AttributionRow]:
    rows: list[AttributionRow] = []
    for sentence in article.sentences:
        for attribution in sentence.attributions or ():
            if not any(role_spans(attribution)):
                continue
            name = attribution.source.name if attribution.source else None
            source = source_numbers.get(name or "", -1)
            rows.append(AttributionRow(len(rows), sentence.index, attribution, source))
    return rows


def _holders(article: TaggedArticle, attributions: Sequence[AttributionRow]) -> list[Holder]:
    """Return the named sources by their numbers, then unnamed holders, then the text itself."""
    first_sentence: dict[int, int] = {}
    for row in attributions:
        first_sentence.setdefault(row.source, row.sentence)
    holders = []
    for number, source in enumerate(article.sources):
        href = f"#s{first_sentence[number]}" if number in first_sentence else "#article"
        holders.append(Holder(number, source.name, True, href))
    holders.append(Holder(len(holders), NO_NAME, False, "#article"))
    holders.append(Holder(len(holders), TEXT_ITSELF, False, "#article"))
    return holders


def _holder_number(stance: Stance, source_numbers: dict[str, int]) -> int:
    """Return the position of a stance's holder in the list of ``_holders``."""
    unnamed = len(source_numbers)
    if stance.holder is None:
        return unnamed + 1
    return source_numbers.get(stance.holder, unnamed)


def _with_anchors(rows: Sequence[StanceRow]) -> list[StanceRow]:
    """Give the first row of each holder, target and label an element id, for links from the matrix."""
    seen: set[str] = set()
    anchored = []
    for row in rows:
        anchor = f"p{row.holder.number}-{row.target.number}-{row.label.number}"
        anchored.append(row if anchor in seen else replace(row, anchor=anchor))
        seen.add(anchor)
    return anchored


def _cells(rows: Sequence[StanceRow]) -> dict[tuple[int, int], Cell]:
    """Count stances by (holder number, target number) and label."""
    groups: dict[tuple[int, int], dict[StanceLabel, list[StanceRow]]] = {}
    for row in rows:
        cell = groups.setdefault((row.holder.number, row.target.number), defaultdict(list))
        cell[row.label].append(row)
    cells = {}
    for key, by_label in groups.items():
        ordered = sorted(by_label.items(), key=lambda item: item[0].number)
        cells[key] = tuple(_count(label, label_rows) for label, label_rows in ordered)
    return cells


def _count(label: StanceLabel, rows: Sequence[StanceRow]) -> Count:
    """Link a count to its sentence if there is one, else to the first of its rows."""
    sentences = list(dict.fromkeys(row.stance.sentence for row in rows))
    numbers = ", ".join(map(str, sentences))
    if len(sentences) == 1:
        href, listed = f"#s{numbers}", f"sentence {numbers}"
    else:
        href, listed = f"#{rows[0].anchor}", f"sentences {numbers}"
    title = f"{rows[0].holder.name} → {rows[0].target.name}: {len(rows)} {label.name}, {listed}"
    return Count(label, len(rows), href, title)


def _script_values(row: StanceRow) -> list[Any]:
    return [
        row.stance.sentence,
        row.holder.number,
        row.target.number,
        row.label.number,
        _rounded(row.stance.probability),
        int(row.stance.abstained),
    ]


def _marks(attributions: Sequence[AttributionRow]) -> list[RoleMark]:
    marks = []
    for row in attributions:
        for role, span in role_spans(row.attribution):
            for start, end in span.pieces:
                if start < end:
                    marks.append(RoleMark(start, end, role, "", row.number, start == span.start))
    return marks


def _paragraphs(article: TaggedArticle, marks: Sequence[RoleMark]) -> tuple[list[Paragraph], str]:
    """Return the text as paragraphs, and the white space after the last one.

    A line end begins a paragraph only if the text between two sentences is more than that line end.
    """
    sentence_marks = _marks_by_sentence(article.sentences, marks)
    paragraphs: list[Paragraph] = []
    end = 0
    for sentence in article.sentences:
        before, end = article.text[end : sentence.start], sentence.end
        is_new = not paragraphs or before.splitlines() not in ([], [before])
        if is_new:
            is_title = not paragraphs and sentence.text == article.title
            paragraphs.append(Paragraph(before, [], is_title))
            before = ""
        pieces = segments(sentence.text, sentence_marks[sentence.index])
        shown = ShownSentence(sentence.index, before, pieces, claim_probability(sentence))
        paragraphs[-1].sentences.append(shown)
    return paragraphs, article.text[end:]


def _marks_by_sentence(
    sentences: Sequence[Sentence], marks: Sequence[RoleMark]
) -> dict[int, list[RoleMark]]:
    """Cut marks at the bounds of sentences; offsets become relative to the sentence."""
    starts = [sentence.start for sentence in sentences]
    by_sentence: dict[int, list[RoleMark]] = defaultdict(list)
    for mark in marks:
        first = max(0, bisect_right(starts, mark.start) - 1)
        last = bisect_right(starts, mark.end - 1)
        for sentence in sentences[first:last]:
            start, end = max(mark.start, sentence.start), min(mark.end, sentence.end)
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


def _speakers(
    article: TaggedArticle, attributions: Sequence[AttributionRow], holders: Sequence[Holder]
) -> list[Speaker]:
    """Return the sources with the most attributions first; unnamed ones come last."""
    positions: dict[int, list[tuple[float, float, AttributionRow]]] = defaultdict(list)
    scale = 100 / max(1, len(article.text))
    for row in attributions:
        width = max(0.8, (row.end - row.start) * scale)
        start = min(row.start * scale, 100 - width)
        positions[row.source].append((round(start, 2), round(width, 2), row))
    named = [source for source in positions if source >= 0]
    named.sort(key=lambda source: (-len(positions[source]), source))
    speakers = [Speaker(holders[source], positions[source]) for source in named]
    if -1 in positions:
        speakers.append(Speaker(holders[-2], positions[-1]))
    return speakers


def _ranked(sentences: Sequence[Sentence]) -> list[Sentence]:
    """Return the sentences with scores, the most check-worthy (else the likeliest claims) first."""

    def score(sentence: Sentence) -> float:
        if sentence.check_worthy:
            return ranking(sentence.check_worthy.probabilities)
        return claim_probability(sentence) or 0.0

    scored = [sentence for sentence in sentences if any(sentence_scores(sentence))]
    return sorted(scored, key=score, reverse=True)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
