"""The rows of the tables on an article's page, and what they put into the matrix and beside the sentences."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from claimstance.inference.pages.prose import ProseMark, SentenceNote, percent
from claimstance.inference.pages.stance_matrix import Cell, Count, Holder, StanceLabel, Target
from claimstance.inference.results import NO_SIDE, Stance, TaggedArticle
from claimstance.model.article.spans import Attribution, Span
from claimstance.model.labels import ROLES

#: The number of sources without a name.
NO_SOURCE = -1


@dataclass(frozen=True)
class AttributionRow:
    """Represent a row of the table of attributions; ``source`` is the source's number or ``NO_SOURCE``."""

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


def role_spans(attribution: Attribution) -> Iterator[tuple[str, Span]]:
    """Yield (role, span) for the roles that the attribution has."""
    for role in ROLES:
        span = getattr(attribution, role)
        if span is not None:
            yield role, span


def attribution_rows(
    article: TaggedArticle, holder_numbers: dict[str, int]
) -> list[AttributionRow]:
    """Return the attributions in the order of the text, without those that have no span to mark."""
    rows: list[AttributionRow] = []
    for sentence in article.sentences:
        for attribution in sentence.attributions or ():
            if not any(role_spans(attribution)):
                continue
            name = attribution.source.name if attribution.source else None
            source = holder_numbers.get(name or "", NO_SOURCE)
            rows.append(AttributionRow(len(rows), sentence.index, attribution, source))
    return rows


def stance_rows(
    stances: Sequence[Stance],
    holders: Mapping[str | None, Holder],
    unnamed: Holder,
    targets: Mapping[str, Target],
    labels: Mapping[str, StanceLabel],
) -> list[StanceRow]:
    """Return the rows of stances, with those that count first.

    Args:
        stances: the stances.
        holders: name → holder, for all names of holders that have a row in the matrix; ``None`` → the text itself.
        unnamed: the holder of all others.
        targets: name → target.
        labels: label → its appearance.
    """
    rows = []
    for stance in stances:
        holder = holders.get(stance.holder, unnamed)
        rows.append(StanceRow(stance, holder, targets[stance.target], labels[stance.label]))
    # Those that count come first, since the script and the marks number the rows of both tables.
    rows.sort(
        key=lambda row: (
            row.stance.abstained,
            row.holder.number,
            row.target.number,
            row.stance.sentence,
        )
    )
    return [replace(row, number=number) for number, row in enumerate(rows)]


def count_cells(rows: Sequence[StanceRow]) -> dict[tuple[int, int], Cell]:
    """Count stances by (holder number, target number) and label."""
    groups: dict[tuple[int, int], dict[StanceLabel, list[StanceRow]]] = {}
    for row in rows:
        key = (row.holder.number, row.target.number)
        by_label = groups.setdefault(key, defaultdict(list))
        by_label[row.label].append(row)
    cells = {}
    for key, by_label in groups.items():
        counts = []
        for label in sorted(by_label, key=lambda label: label.number):
            label_rows = by_label[label]
            first = label_rows[0]
            sentences = dict.fromkeys(row.stance.sentence for row in label_rows)
            numbers = ", ".join(map(str, sentences))
            # The count is a link to its sentence, or to the first of its rows.
            if len(sentences) == 1:
                href = f"#s{numbers}"
                sentences_in_words = f"sentence {numbers}"
            else:
                href = f"#t{first.number}"
                sentences_in_words = f"sentences {numbers}"
            pair = f"{first.holder.name} → {first.target.name}"
            title = f"{pair}: {len(label_rows)} {label.name}, {sentences_in_words}"
            counts.append(Count(label, len(label_rows), href, title))
        cells[key] = tuple(counts)
    return cells


def marks_of(
    attributions: Sequence[AttributionRow], stances: Sequence[StanceRow]
) -> list[ProseMark]:
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


def notes_of(article: TaggedArticle, stances: Sequence[StanceRow]) -> dict[int, SentenceNote]:
    """Return the stances of sentences in words, also in the sentence where the holder stands."""
    starts = [sentence.start for sentence in article.sentences]
    lines: dict[int, list[str]] = defaultdict(list)
    signs: dict[int, dict[str, None]] = defaultdict(dict)
    for row in sorted(stances, key=_text_order):
        stance = row.stance
        index = stance.sentence
        lines[index].append(row.words)
        if stance.target_span is None:
            signs[index][row.label.symbol] = None
        if stance.holder_span is not None:
            holder_index = max(0, bisect_right(starts, stance.holder_span.start) - 1)
            if holder_index != index:
                lines[holder_index].append(f"{row.words} (sentence {index})")
    notes = {}
    for index, texts in lines.items():
        lines_of_sentence = tuple(dict.fromkeys(texts))
        notes[index] = SentenceNote(lines_of_sentence, "".join(signs[index]))
    return notes


def _text_order(row: StanceRow) -> tuple[int, float]:
    """Return the sort key of a stance by the article's text; targets without a mention come last in a sentence."""
    target = row.stance.target_span
    return row.stance.sentence, inf if target is None else target.start
