"""The values that an article's page shows: marked prose, tables and a timeline."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from claimstance.inference.grouping import name_aliases, named_holders
from claimstance.inference.pages.article_rows import (
    NO_SOURCE,
    AttributionRow,
    StanceRow,
    attribution_rows,
    count_cells,
    marks_of,
    notes_of,
    stance_rows,
)
from claimstance.inference.pages.prose import Paragraph, paragraphs_of
from claimstance.inference.pages.stance_matrix import (
    NO_NAME,
    TEXT_ITSELF,
    Holder,
    Matrix,
    StanceLabel,
    Target,
    build_matrix,
    stance_labels,
)
from claimstance.inference.results import NO_SIDE, Label, Sentence, TaggedArticle, ranking
from claimstance.model.errors import shorten
from claimstance.model.labels import CLAIM, SUBJECTIVE
from claimstance.model.pages.markup import visible

COLUMNS, ROWS, TIMELINE_ROWS, FIRST_SENTENCES = 10, 30, 12, 8


@dataclass(frozen=True)
class TimelineBar:
    """Represent an attribution on the timeline; its start and its width are per cent of the text."""

    start: float
    width: float
    row: AttributionRow


@dataclass(frozen=True)
class Speaker:
    """Represent a row of the timeline: a source and its attributions."""

    holder: Holder
    bars: list[TimelineBar]


@dataclass(frozen=True)
class RankedSentence:
    """Represent a sentence in the table of sentences, with its text in short."""

    sentence: Sentence
    excerpt: str


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
        ranked: the sentences with scores, the most check-worthy first.
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
    ranked: list[RankedSentence]
    data: dict[str, Any]


def article_view(article: TaggedArticle) -> ArticleView:
    """Build the view of an article. Aliases of a name have one row, and one column, in the matrix."""
    aliases = name_aliases(article.sentences)
    holder_numbers = _number_holders(article, aliases)
    attributions = attribution_rows(article, holder_numbers)
    holders = _holders(holder_numbers, attributions)
    unnamed, text_itself = holders[-2:]
    holder_of_name: dict[str | None, Holder] = {None: text_itself}
    for name, number in holder_numbers.items():
        holder_of_name[name] = holders[number]

    targets: dict[str, Target] = {}  # fullest name → target
    target_of_name: dict[str, Target] = {}
    label_names: list[str] = []
    for stance in article.stances:
        fullest = aliases[stance.target]
        if fullest not in targets:
            targets[fullest] = Target(len(targets), fullest)
        target_of_name[stance.target] = targets[fullest]
        label_names += stance.probabilities
    labels = stance_labels(label_names)

    rows = stance_rows(article.stances, holder_of_name, unnamed, target_of_name, labels)
    stances = [row for row in rows if not row.stance.abstained]
    unsure = [row for row in rows if row.stance.abstained]
    sides = [row for row in stances if row.takes_side]
    in_rows = [row for row in sides if row.holder.is_name or row.stance.holder is None]
    cells = count_cells(in_rows)
    matrix = build_matrix(holders, list(targets.values()), cells, columns=COLUMNS, rows=ROWS)
    in_matrix = {row.holder for row in (*matrix.rows, *matrix.more)}

    claims = [claim_probability(sentence) for sentence in article.sentences]
    marks = marks_of(attributions, sides)
    paragraphs, after = paragraphs_of(article, claims, marks, notes_of(article, sides))
    data = {
        "sentences": [_rounded(claim) for claim in claims],
        "attributions": _attribution_data(attributions),
        "stances": _stance_data(rows),
        "holders": [visible(holder.name) for holder in holders],
        "targets": [visible(name) for name in targets],
        "labels": [visible(name) for name in labels],
    }
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
        has_unnamed=len(in_rows) < len(sides),
        silent=[holder for holder in holders if holder.is_name and holder not in in_matrix],
        ranked=_ranked(article.sentences),
        data=data,
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


def _number_holders(article: TaggedArticle, aliases: Mapping[str, str]) -> dict[str, int]:
    """Return name → number of its row, where all aliases of a holder have one number.

    The fullest names come first, in the order of their numbers.
    """
    names = [source.name for source in article.sources]
    names += named_holders(article.sentences)
    numbers: dict[str, int] = {}
    for name in names:
        numbers.setdefault(aliases.get(name, name), len(numbers))
    for name, fullest in aliases.items():
        if fullest in numbers:
            numbers[name] = numbers[fullest]
    return numbers


def _holders(numbers: Mapping[str, int], attributions: Sequence[AttributionRow]) -> list[Holder]:
    """Return the named holders by their numbers, then unnamed holders, then the text itself."""
    first_sentence: dict[int, int] = {}
    for row in attributions:
        first_sentence.setdefault(row.source, row.sentence)
    holders: list[Holder] = []
    for name, number in numbers.items():
        if number < len(holders):
            continue  # an alias of a holder above
        # A name links to the first sentence in which it speaks; who only takes a stance has none.
        href = f"#s{first_sentence[number]}" if number in first_sentence else "#article"
        holders.append(Holder(number, name, True, href))
    holders.append(Holder(len(holders), NO_NAME, False, "#article"))
    holders.append(Holder(len(holders), TEXT_ITSELF, False, "#article"))
    return holders


def _speakers(
    article: TaggedArticle, attributions: Sequence[AttributionRow], holders: Sequence[Holder]
) -> list[Speaker]:
    """Return the sources with the most attributions first; unnamed ones come last."""
    bars: dict[int, list[TimelineBar]] = defaultdict(list)
    scale = 100 / max(1, len(article.text))
    for row in attributions:
        width = max(0.8, (row.end - row.start) * scale)  # even one word stays visible
        start = min(row.start * scale, 100 - width)
        bars[row.source].append(TimelineBar(round(start, 2), round(width, 2), row))
    unnamed_bars = bars.pop(NO_SOURCE, [])
    # Sorting is stable: of equally frequent sources, the one with the lower number stays first.
    sources = sorted(bars)
    sources.sort(key=lambda source: -len(bars[source]))
    speakers = [Speaker(holders[source], bars[source]) for source in sources]
    if unnamed_bars:
        unnamed = holders[-2]
        speakers.append(Speaker(unnamed, unnamed_bars))
    return speakers


def _ranked(sentences: Sequence[Sentence]) -> list[RankedSentence]:
    """Return the sentences with scores, the most check-worthy (else the likeliest claims) first."""

    def score(sentence: Sentence) -> float:
        if sentence.check_worthy:
            return ranking(sentence.check_worthy.probabilities)
        return claim_probability(sentence) or 0.0

    scored = [sentence for sentence in sentences if any(sentence_scores(sentence))]
    scored.sort(key=score, reverse=True)
    return [RankedSentence(sentence, shorten(sentence.text, 160)) for sentence in scored]


# The script of the page reads lists, which take less room than objects with named fields.


def _attribution_data(rows: Sequence[AttributionRow]) -> list[list[int | float | None]]:
    """Return attributions for the script: sentence, source and probability."""
    return [[row.sentence, row.source, _rounded(row.attribution.probability)] for row in rows]


def _stance_data(rows: Sequence[StanceRow]) -> list[list[int | float | None]]:
    """Return stances for the script: sentence, holder, target, label, probability, and 1 for an abstention."""
    data: list[list[int | float | None]] = []
    for row in rows:
        stance = row.stance
        data.append(
            [
                stance.sentence,
                row.holder.number,
                row.target.number,
                row.label.number,
                _rounded(stance.probability),
                int(stance.abstained),
            ]
        )
    return data


def _rounded(value: float | None) -> float | None:
    """Return a probability with as many digits as all outputs have."""
    return None if value is None else round(value, 4)
