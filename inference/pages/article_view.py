"""What an article's page shows, worked out from a tagged article: marked prose, tables, a timeline."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from claimstance.inference.pages.stance_matrix import (
    NO_NAME,
    TEXT_ITSELF,
    Count,
    Holder,
    Matrix,
    StanceLabel,
    Target,
    lay_out,
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

#: From which probability on a sentence is shaded how strongly.
CLAIM_LEVELS = (0.5, 0.7, 0.85, 0.95)
COLUMNS, ROWS, TIMELINE_ROWS, FIRST_SENTENCES = 10, 30, 12, 8


@dataclass(frozen=True)
class RoleMark(Mark):
    """A part of an attribution, or what of it lies in one sentence.

    Attributes:
        attribution: its number on the page.
        is_start: whether the part begins here, rather than goes on.
    """

    attribution: int = 0
    is_start: bool = True


@dataclass(frozen=True)
class ShownSentence:
    """A sentence of the prose: what stands before it, its pieces, and how sure the model is that it makes a claim."""

    index: int
    before: str
    pieces: list[Segment[RoleMark]]
    claim: float | None

    @property
    def level(self) -> int:
        """How strongly it is shaded, from 0 (not at all)."""
        return bisect_right(CLAIM_LEVELS, self.claim or 0.0)


@dataclass(frozen=True)
class Paragraph:
    """Sentences that stand in one paragraph, and the white space before it."""

    before: str
    sentences: list[ShownSentence]
    is_title: bool = False


@dataclass(frozen=True)
class Said:
    """An attribution as a row of a table; ``sentence`` is the one that tells it."""

    number: int
    sentence: int
    attribution: Attribution
    source: int

    @property
    def start(self) -> int:
        """Where the first of its parts begins, in characters of the article."""
        return min(span.start for _, span in parts_of(self.attribution))

    @property
    def end(self) -> int:
        """Where the last of its parts ends."""
        return max(span.end for _, span in parts_of(self.attribution))


@dataclass(frozen=True)
class Held:
    """A stance as a row of a table; ``anchor`` is the name of the first row of its holder and target."""

    stance: Stance
    holder: Holder
    target: Target
    label: StanceLabel
    anchor: str | None


@dataclass(frozen=True)
class Speaker:
    """A row of the timeline: a source and where it speaks, as (start, width) in per cent of the text, and what."""

    holder: Holder
    places: list[tuple[float, float, Said]]


@dataclass(frozen=True)
class Parts:
    """All that the template of an article's page is given."""

    article: TaggedArticle
    paragraphs: list[Paragraph]
    after: str
    said: list[Said]
    speakers: list[Speaker]
    held: list[Held]
    unsure: list[Held]
    labels: list[StanceLabel]
    matrix: Matrix
    silent: list[Holder]
    ranked: list[tuple[Sentence, str]]
    data: dict[str, Any]


def parts_of(attribution: Attribution) -> Iterator[tuple[str, Span]]:
    """The parts of an attribution that were found, with their roles."""
    for role in ROLES:
        if (span := getattr(attribution, role)) is not None:
            yield role, span


def page_parts(article: TaggedArticle) -> Parts:
    """Work out what the page of an article shows."""
    numbers = {source.name: i for i, source in enumerate(article.sources)}
    said = _said(article, numbers)
    holders = _holders(article, said)
    labels = stance_labels(name for stance in article.stances for name in stance.probabilities)
    targets = {
        name: Target(i, name)
        for i, name in enumerate(dict.fromkeys(s.target for s in article.stances))
    }
    rows = [_held(stance, numbers, holders, targets, labels) for stance in article.stances]
    rows.sort(key=lambda row: (row.holder.number, row.target.number, row.stance.sentence))
    held = _anchored([row for row in rows if not row.stance.abstained])
    unsure = [row for row in rows if row.stance.abstained]
    matrix = lay_out(holders, list(targets.values()), _cells(held), columns=COLUMNS, rows=ROWS)
    with_row = {row.holder for row in (*matrix.rows, *matrix.more)}
    paragraphs, after = _paragraphs(article, _marks(said))
    data = {
        "sentences": [_rounded(claim_share(sentence)) for sentence in article.sentences],
        "attributions": [
            [row.sentence, row.source, _rounded(row.attribution.probability)] for row in said
        ],
        "stances": [
            [
                row.stance.sentence,
                row.holder.number,
                row.target.number,
                row.label.number,
                _rounded(row.stance.probability),
                int(row.stance.abstained),
            ]
            for row in (*held, *unsure)
        ],
        "holders": [visible(holder.name) for holder in holders],
        "targets": [visible(name) for name in targets],
        "labels": [visible(name) for name in labels],
    }
    return Parts(
        article=article,
        paragraphs=paragraphs,
        after=after,
        said=said,
        speakers=_speakers(article, said, holders),
        held=held,
        unsure=unsure,
        labels=list(labels.values()),
        matrix=matrix,
        silent=[holder for holder in holders if holder.is_name and holder not in with_row],
        ranked=[
            (sentence, shorten(sentence.text, 160)) for sentence in _by_worth(article.sentences)
        ],
        data=data,
    )


def claim_share(sentence: Sentence) -> float | None:
    """The probability that a sentence makes a claim; ``None`` for a model with labels of its own."""
    return sentence.claim.probabilities.get(CLAIM[1]) if sentence.claim else None


def facts(sentence: Sentence) -> Iterator[tuple[str, str, float]]:
    """What is known of a sentence as a whole: of what, which label if that is not plain, and its probability."""
    if (worth := sentence.check_worthy) is not None:
        yield "worth checking", "", ranking(worth.probabilities)
    for task, plain in (("claim", CLAIM[1]), ("subjective", SUBJECTIVE[1])):
        label: Label | None = getattr(sentence, task)
        if label is not None and plain in label.probabilities:
            yield task, "", label.probabilities[plain]
        elif label is not None:
            yield task, label.label, label.probability


def _said(article: TaggedArticle, numbers: dict[str, int]) -> list[Said]:
    found = [
        (sentence.index, attribution)
        for sentence in article.sentences
        for attribution in sentence.attributions or ()
        if any(parts_of(attribution))
    ]
    return [
        Said(
            i,
            index,
            attribution,
            numbers.get((attribution.source and attribution.source.name) or "", -1),
        )
        for i, (index, attribution) in enumerate(found)
    ]


def _holders(article: TaggedArticle, said: Sequence[Said]) -> list[Holder]:
    """The named sources by their numbers, then those without a name, then the text itself."""
    first: dict[int, int] = {}
    for row in said:
        first.setdefault(row.source, row.sentence)
    named = [
        Holder(i, source.name, True, f"#s{first[i]}" if i in first else "#article")
        for i, source in enumerate(article.sources)
    ]
    return [
        *named,
        Holder(len(named), NO_NAME, False, "#article"),
        Holder(len(named) + 1, TEXT_ITSELF, False, "#article"),
    ]


def _held(
    stance: Stance,
    numbers: dict[str, int],
    holders: Sequence[Holder],
    targets: dict[str, Target],
    labels: dict[str, StanceLabel],
) -> Held:
    number = len(numbers) + 1 if stance.holder is None else numbers.get(stance.holder, len(numbers))
    return Held(stance, holders[number], targets[stance.target], labels[stance.label], None)


def _anchored(rows: Sequence[Held]) -> list[Held]:
    seen: set[tuple[int, int, int]] = set()
    found = []
    for row in rows:
        place = row.holder.number, row.target.number, row.label.number
        anchor = None if place in seen else "p{}-{}-{}".format(*place)
        seen.add(place)
        found.append(Held(row.stance, row.holder, row.target, row.label, anchor))
    return found


def _cells(held: Sequence[Held]) -> dict[tuple[int, int], tuple[Count, ...]]:
    """What was counted, by holder and target; a count of one links to its sentence, others to their rows."""
    places: dict[tuple[int, int], dict[StanceLabel, list[Held]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in held:
        places[row.holder.number, row.target.number][row.label].append(row)
    return {
        place: tuple(
            _count(label, rows)
            for label, rows in sorted(by_label.items(), key=lambda i: i[0].number)
        )
        for place, by_label in places.items()
    }


def _count(label: StanceLabel, rows: Sequence[Held]) -> Count:
    where = list(dict.fromkeys(row.stance.sentence for row in rows))
    listed = ("sentence " if len(where) == 1 else "sentences ") + ", ".join(map(str, where))
    title = f"{rows[0].holder.name} → {rows[0].target.name}: {len(rows)} {label.name}, {listed}"
    return Count(
        label, len(rows), f"#s{where[0]}" if len(where) == 1 else f"#{rows[0].anchor}", title
    )


def _marks(said: Sequence[Said]) -> list[RoleMark]:
    return [
        RoleMark(start, end, role, "", row.number, start == span.start)
        for row in said
        for role, span in parts_of(row.attribution)
        for start, end in span.pieces
        if start < end
    ]


def _paragraphs(article: TaggedArticle, marks: Sequence[RoleMark]) -> tuple[list[Paragraph], str]:
    """The text as paragraphs of sentences, and the white space after the last. A line that only wraps ends none."""
    by_sentence = _by_sentence(article.sentences, marks)
    found: list[Paragraph] = []
    end = 0
    for sentence in article.sentences:
        before, end = article.text[end : sentence.start], sentence.end
        is_new = not found or before.splitlines() not in ([], [before])
        if is_new:
            found.append(Paragraph(before, [], not found and sentence.text == article.title))
        pieces = segments(sentence.text, by_sentence[sentence.index])
        found[-1].sentences.append(
            ShownSentence(sentence.index, "" if is_new else before, pieces, claim_share(sentence))
        )
    return found, article.text[end:]


def _by_sentence(
    sentences: Sequence[Sentence], marks: Sequence[RoleMark]
) -> dict[int, list[RoleMark]]:
    """Marks, cut at the bounds of sentences and in characters of them."""
    starts = [sentence.start for sentence in sentences]
    found: dict[int, list[RoleMark]] = defaultdict(list)
    for mark in marks:
        for sentence in sentences[
            max(0, bisect_right(starts, mark.start) - 1) : bisect_right(starts, mark.end - 1)
        ]:
            start, end = max(mark.start, sentence.start), min(mark.end, sentence.end)
            if start < end:
                found[sentence.index].append(
                    RoleMark(
                        start - sentence.start,
                        end - sentence.start,
                        mark.classes,
                        "",
                        mark.attribution,
                        mark.is_start and start == mark.start,
                    )
                )
    return found


def _speakers(
    article: TaggedArticle, said: Sequence[Said], holders: Sequence[Holder]
) -> list[Speaker]:
    """Who speaks, those with the most to say first; of equals, who comes first."""
    places: dict[int, list[tuple[float, float, Said]]] = defaultdict(list)
    scale = 100 / max(1, len(article.text))
    for row in said:
        width = max(0.8, (row.end - row.start) * scale)
        places[row.source].append(
            (round(min(row.start * scale, 100 - width), 2), round(width, 2), row)
        )
    ranked = sorted(
        (source for source in places if source >= 0),
        key=lambda source: (-len(places[source]), source),
    )
    unnamed = [-1] if -1 in places else []
    return [
        Speaker(holders[source] if source >= 0 else holders[-2], places[source])
        for source in [*ranked, *unnamed]
    ]


def _by_worth(sentences: Sequence[Sentence]) -> list[Sentence]:
    """The sentences of which something is known, those most worth checking first, or likeliest to make a claim."""
    known = [sentence for sentence in sentences if any(facts(sentence))]
    return sorted(
        known,
        key=lambda s: (
            -(ranking(s.check_worthy.probabilities) if s.check_worthy else claim_share(s) or 0.0)
        ),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
