"""The values that an article's page shows: marked prose, tables and a timeline."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from claimstance.inference.grouping import name_aliases, named_holders
from claimstance.inference.pages.prose import (
    Paragraph,
    ProseMark,
    SentenceNote,
    paragraphs_of,
    percent,
)
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
    NO_SIDE,
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
from claimstance.model.pages.markup import visible

COLUMNS, ROWS, TIMELINE_ROWS, FIRST_SENTENCES = 10, 30, 12, 8


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
        number: its position in the tables of the page.
    """

    stance: Stance
    holder: Holder
    target: Target
    label: StanceLabel
    number: int = 0

    @property
    def takes_side(self) -> bool:
        """Return whether the holder is for or against the target, or has a label of the model's own."""
        return self.label.name != NO_SIDE

    @property
    def words(self) -> str:
        """Return the stance in words: ``− John Kerry: against ISIL, 93 %``."""
        name = self.holder.name
        if self.stance.holder is not None and not self.holder.is_name:
            name = self.stance.holder
        probability = percent(self.stance.probability)
        side = "for" if self.label.name == "favor" else self.label.name
        return f"{self.label.symbol} {name}: {side} {self.target.name}, {probability}"


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
        sides: the stance labels of the page, without that of no side.
        matrix: sources against targets.
        has_unnamed: whether holders without a name take a side; they have no row in the matrix.
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
    sides: list[StanceLabel]
    matrix: Matrix
    has_unnamed: bool
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
    """Build the view of an article. Aliases of a name have one row, and one column, in the matrix."""
    aliases = name_aliases(article.sentences)
    names = [source.name for source in article.sources]
    names += named_holders(article.sentences)
    holder_names = list(dict.fromkeys(aliases.get(name, name) for name in names))
    numbers = {name: number for number, name in enumerate(holder_names)}
    # Every alias of a holder leads to the same row.
    holder_numbers = dict(numbers)
    for name, fullest in aliases.items():
        if fullest in numbers:
            holder_numbers[name] = numbers[fullest]
    attributions = _attribution_rows(article, holder_numbers)
    holders = _holders(holder_names, attributions)
    labels = stance_labels(name for stance in article.stances for name in stance.probabilities)
    target_names = dict.fromkeys(aliases[stance.target] for stance in article.stances)
    targets = {name: Target(number, name) for number, name in enumerate(target_names)}

    unnamed, text_itself = holders[-2:]
    rows = []
    for stance in article.stances:
        if stance.holder is None:
            holder = text_itself
        elif stance.holder in holder_numbers:
            holder = holders[holder_numbers[stance.holder]]
        else:
            holder = unnamed
        target = targets[aliases[stance.target]]
        rows.append(StanceRow(stance, holder, target, labels[stance.label]))
    # Those that count come first, since the script and the marks number the rows of both tables.
    rows.sort(
        key=lambda row: (
            row.stance.abstained,
            row.holder.number,
            row.target.number,
            row.stance.sentence,
        )
    )
    rows = [replace(row, number=number) for number, row in enumerate(rows)]
    stances = [row for row in rows if not row.stance.abstained]
    unsure = [row for row in rows if row.stance.abstained]
    sides = [row for row in stances if row.takes_side]
    named = [row for row in sides if row.holder.is_name or row.stance.holder is None]

    matrix = build_matrix(
        holders, list(targets.values()), _cells(named), columns=COLUMNS, rows=ROWS
    )
    in_matrix = {row.holder for row in (*matrix.rows, *matrix.more)}
    claims = [claim_probability(sentence) for sentence in article.sentences]
    marks = _marks(attributions, sides)
    paragraphs, after = paragraphs_of(article, claims, marks, _notes(article, sides))

    # The script of the page reads lists, which take less room than objects with named fields.
    attribution_data = [
        [row.sentence, row.source, _rounded(row.attribution.probability)] for row in attributions
    ]
    stance_data = []
    for row in rows:
        stance = row.stance
        stance_data.append(
            [
                stance.sentence,
                row.holder.number,
                row.target.number,
                row.label.number,
                _rounded(stance.probability),
                int(stance.abstained),
            ]
        )
    return ArticleView(
        article=article,
        paragraphs=paragraphs,
        after=after,
        attributions=attributions,
        speakers=_speakers(article, attributions, holders),
        stances=stances,
        unsure=unsure,
        sides=[label for label in labels.values() if label.name != NO_SIDE],
        matrix=matrix,
        has_unnamed=len(named) < len(sides),
        silent=[holder for holder in holders if holder.is_name and holder not in in_matrix],
        ranked=[(sentence, shorten(sentence.text, 160)) for sentence in _ranked(article.sentences)],
        data={
            "sentences": [_rounded(claim) for claim in claims],
            "attributions": attribution_data,
            "stances": stance_data,
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
    article: TaggedArticle, holder_numbers: dict[str, int]
) -> list[AttributionRow]:
    """Return the attributions in the order of the text, without those that have no span to mark."""
    rows: list[AttributionRow] = []
    for sentence in article.sentences:
        for attribution in sentence.attributions or ():
            if not any(role_spans(attribution)):
                continue
            name = attribution.source.name if attribution.source else None
            source = holder_numbers.get(name or "", -1)
            rows.append(AttributionRow(len(rows), sentence.index, attribution, source))
    return rows


def _holders(names: Sequence[str], attributions: Sequence[AttributionRow]) -> list[Holder]:
    """Return the named holders by their numbers, then unnamed holders, then the text itself."""
    first_sentence: dict[int, int] = {}
    for row in attributions:
        first_sentence.setdefault(row.source, row.sentence)
    holders = []
    # A name links to the first sentence in which it speaks; who only takes a stance has none.
    for number, name in enumerate(names):
        href = f"#s{first_sentence[number]}" if number in first_sentence else "#article"
        holders.append(Holder(number, name, True, href))
    holders.append(Holder(len(holders), NO_NAME, False, "#article"))
    holders.append(Holder(len(holders), TEXT_ITSELF, False, "#article"))
    return holders


def _cells(rows: Sequence[StanceRow]) -> dict[tuple[int, int], Cell]:
    """Count stances by (holder number, target number) and label."""
    groups: dict[tuple[int, int], dict[StanceLabel, list[StanceRow]]] = {}
    for row in rows:
        cell = groups.setdefault((row.holder.number, row.target.number), defaultdict(list))
        cell[row.label].append(row)
    cells = {}
    for key, by_label in groups.items():
        counts = []
        for label in sorted(by_label, key=lambda label: label.number):
            label_rows = by_label[label]
            first = label_rows[0]
            sentences = list(dict.fromkeys(row.stance.sentence for row in label_rows))
            numbers = ", ".join(map(str, sentences))
            # A count links to its sentence if there is one, else to the first of its rows.
            if len(sentences) == 1:
                href, listed = f"#s{numbers}", f"sentence {numbers}"
            else:
                href, listed = f"#t{first.number}", f"sentences {numbers}"
            title = f"{first.holder.name} → {first.target.name}: {len(label_rows)} {label.name}, {listed}"
            counts.append(Count(label, len(label_rows), href, title))
        cells[key] = tuple(counts)
    return cells


def _marks(attributions: Sequence[AttributionRow], stances: Sequence[StanceRow]) -> list[ProseMark]:
    """Return the marks of the attributions, and of the stances that take a side."""
    marks: list[ProseMark] = []
    for row in attributions:
        for role, span in role_spans(row.attribution):
            marks += _piece_marks(span, role, row.number, None)
    for stance_row in stances:
        stance = stance_row.stance
        for role, stance_span in (("holder", stance.holder_span), ("target", stance.target_span)):
            if stance_span is not None:
                marks += _piece_marks(stance_span, role, stance_row.number, stance_row.label)
    return marks


def _piece_marks(span: Span, role: str, row: int, label: StanceLabel | None) -> Iterator[ProseMark]:
    """Yield a mark for each piece of a span that has characters."""
    for start, end in span.pieces:
        if start < end:
            yield ProseMark(start, end, role, "", row, start == span.start, label)


def _notes(article: TaggedArticle, stances: Sequence[StanceRow]) -> dict[int, SentenceNote]:
    """Return the stances of sentences in words, also in the sentence where the holder stands."""
    starts = [sentence.start for sentence in article.sentences]
    lines: dict[int, list[str]] = defaultdict(list)
    signs: dict[int, dict[str, None]] = defaultdict(dict)
    for row in sorted(stances, key=_text_order):
        index, holder = row.stance.sentence, row.stance.holder_span
        lines[index].append(row.words)
        if row.stance.target_span is None:
            signs[index][row.label.symbol] = None
        if holder is not None:
            holder_index = max(0, bisect_right(starts, holder.start) - 1)
            if holder_index != index:
                lines[holder_index].append(f"{row.words} (sentence {index})")
    notes = {}
    for index, texts in lines.items():
        notes[index] = SentenceNote(tuple(dict.fromkeys(texts)), "".join(signs[index]))
    return notes


def _text_order(row: StanceRow) -> tuple[int, float]:
    """Return the sort key of a stance by the article's text; targets without a mention come last in a sentence."""
    target = row.stance.target_span
    return row.stance.sentence, inf if target is None else target.start


def _speakers(
    article: TaggedArticle, attributions: Sequence[AttributionRow], holders: Sequence[Holder]
) -> list[Speaker]:
    """Return the sources with the most attributions first; unnamed ones come last."""
    positions: dict[int, list[tuple[float, float, AttributionRow]]] = defaultdict(list)
    scale = 100 / max(1, len(article.text))
    for row in attributions:
        width = max(0.8, (row.end - row.start) * scale)  # even one word stays visible
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
    """Return a probability with as many digits as all outputs have."""
    return None if value is None else round(value, 4)
