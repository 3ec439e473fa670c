"""Attributions of quotations without a cue, to the speakers whom the form of the text names."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from claimstance.model.decoding.attributions import DecodedAttribution
from claimstance.model.text.layout import Layout
from claimstance.model.text.quotations import (
    ASKING,
    Quotation,
    answerer,
    is_question,
    quotations,
)
from claimstance.model.text.speech import closing_clause
from claimstance.model.windows import SentenceSpan

_END = 1 << 30  # after the end of every sentence
#: A quotation with its source, which is empty if nobody is named.
_SourcedQuotation = tuple[Quotation, tuple[SentenceSpan, ...]]
_PiecesBySentence = dict[int, list[SentenceSpan]]
#: Returns the probability of a content from its sentences.
Probability = Callable[[Iterable[int]], float]


def name_speakers(
    attributions: Sequence[DecodedAttribution],
    texts: Sequence[str],
    layout: Layout,
    people: Sequence[SentenceSpan],
    probability: Probability,
) -> list[DecodedAttribution]:
    """Return the attributions with quotations that fill their lines attributed by the form of the text.

    A content without a cue belongs to the name and the verb that end its sentence (*…, Tom Vance said.*).
    A quotation that a name follows (*“…” — Tom Vance, senator*) belongs to it, even if a cue before it claimed it.
    After *Vance asked Reyes …*, questions and answers on lines of their own belong to the two by turns. These
    attributions have no cue. Attributions inside of a quotation stay as they are.

    Args:
        attributions: the attributions of the model, for the entire article.
        texts: the sentences of the article.
        layout: their lines.
        people: the persons that the model recognized.
        probability: returns the probability of such an attribution, which has no cue and no link to take it from.
    """
    attributions = [_with_closing_clause(attribution, texts) for attribution in attributions]
    sourced: list[_SourcedQuotation] = []
    exchanges: list[list[Quotation]] = []  # runs of successive quotations without a name
    for quotation in quotations(texts, layout, people):
        if quotation.name is not None:
            sourced.append((quotation, (quotation.name,)))
        elif exchanges and exchanges[-1][-1].last + 1 == quotation.first:
            exchanges[-1].append(quotation)
        else:
            exchanges.append([quotation])

    questions: dict[
        int, DecodedAttribution
    ] = {}  # line → its last attribution with a cue of asking
    for attribution in attributions:
        cues = " ".join(texts[cue.sentence][cue.start : cue.end] for cue in attribution.cue)
        if attribution.source and ASKING.intersection(cues.lower().split()):
            questions[layout.lines[attribution.cue[0].sentence]] = attribution
    for exchange in exchanges:
        if len(exchange) == 1 or exchange[0].first == 0:
            continue
        line_before = layout.lines[exchange[0].first - 1]
        if line_before in questions:
            sourced += _by_turns(exchange, questions[line_before], texts)
    if not sourced:
        return attributions

    corrected = _without_quotations(attributions, [quotation for quotation, _ in sourced])
    for quotation, source in sourced:
        sentences = (piece.sentence for piece in quotation.content)
        corrected.append(DecodedAttribution(source, (), quotation.content, probability(sentences)))
    return sorted(corrected, key=lambda attribution: min(attribution.cue or attribution.content))


def _with_closing_clause(
    attribution: DecodedAttribution, texts: Sequence[str]
) -> DecodedAttribution:
    """Return an attribution without source and cue with those that end the sentence of its content, if any do."""
    if attribution.source or attribution.cue or not attribution.content:
        return attribution
    last = max(attribution.content)
    clause = closing_clause(texts[last.sentence][last.end :])
    if clause is None:
        return attribution
    source, cue = (
        SentenceSpan(last.sentence, last.end + start, last.end + end) for start, end in clause
    )
    return replace(attribution, source=(source,), cue=(cue,))


def _without_quotations(
    attributions: Iterable[DecodedAttribution], removed: Iterable[Quotation]
) -> list[DecodedAttribution]:
    """Return the attributions without quotations, and the names after them, in their contents.

    An attribution with a cue in a quotation is part of it, and stays. One that is left without content and cue is
    dropped.
    """
    quoted: _PiecesBySentence = defaultdict(list)
    signatures: _PiecesBySentence = defaultdict(list)
    for quotation in removed:
        for piece in quotation.content:
            quoted[piece.sentence].append(piece)
        name = quotation.name
        if name is not None:
            # The dash before a name and the role after it belong to the signature.
            start = quotation.content[-1].end if name.sentence == quotation.last else 0
            signatures[name.sentence].append(SentenceSpan(name.sentence, start, _END))

    remaining = []
    for attribution in attributions:
        if any(_overlaps_any(cue, quoted) for cue in attribution.cue):
            remaining.append(attribution)
            continue
        # The model may take the dash of a signature for a cue.
        if any(_overlaps_any(cue, signatures) for cue in attribution.cue):
            continue
        content: list[SentenceSpan] = []
        for piece in attribution.content:
            content += _subtract(piece, [*quoted[piece.sentence], *signatures[piece.sentence]])
        if content or attribution.cue or not attribution.content:
            remaining.append(replace(attribution, content=tuple(content)))
    return remaining


def _overlaps_any(piece: SentenceSpan, pieces: _PiecesBySentence) -> bool:
    """Return whether a piece has characters in common with one of ``pieces``."""
    return any(map(piece.overlaps, pieces[piece.sentence]))


def _subtract(piece: SentenceSpan, removed: Iterable[SentenceSpan]) -> list[SentenceSpan]:
    """Return the parts of a piece outside of other pieces of its sentence."""
    remaining = [piece]
    for gap in removed:
        intervals = []
        for interval in remaining:
            if not interval.overlaps(gap):
                intervals.append(interval)
                continue
            if interval.start < gap.start:
                intervals.append(replace(interval, end=gap.start))
            if gap.end < interval.end:
                intervals.append(replace(interval, start=gap.end))
        remaining = intervals
    return remaining


def _by_turns(
    exchange: Sequence[Quotation], question: DecodedAttribution, texts: Sequence[str]
) -> list[_SourcedQuotation]:
    """Return each quotation of an exchange with its source; nothing if no answer follows a question.

    Questions belong to the source of the attribution ``question``, answers to the name after its cue. Other quotations
    have no source.
    """
    are_questions = [is_question(texts[quotation.last]) for quotation in exchange]
    if (True, False) not in pairwise(are_questions):
        return []
    cue = max(question.cue)
    name = answerer(texts[cue.sentence], cue.end)
    answer_source = (SentenceSpan(cue.sentence, *name),) if name else ()
    sourced: list[_SourcedQuotation] = []
    follows_question = False
    for quotation, is_question_itself in zip(exchange, are_questions, strict=True):
        if is_question_itself:
            sourced.append((quotation, question.source))
        elif follows_question:
            sourced.append((quotation, answer_source))
        else:
            sourced.append((quotation, ()))
        follows_question = is_question_itself
    return sourced
