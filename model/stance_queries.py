"""Stances to be scored, and the encodings that they are scored from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from claimstance.model.decoding.document import DocumentPredictions
from claimstance.model.labels import FOUND, HOLDER, HOLDER_TOPIC, MENTION, OWN_VOICE, TOPIC
from claimstance.model.windows import Piece, Window

NO_SPAN = (0, 0)


@dataclass(frozen=True)
class StanceQuery:
    """Represent a stance to be scored, in one sentence.

    The holder is a span, or ``None`` for the text itself; the target is a span or a topic.

    Attributes:
        holder_sentence: the sentence of the holder's span, if it is an earlier one: the speaker of a
            quotation that runs on. Where no window shows both, the text itself is scored.
        is_found: the user named no target; the model found this one, or was trained on it as its only topic.
        holder_name: the name that the holder's span refers to, if it is known.
        target_name: likewise of the target's span.
    """

    sentence: int
    holder: tuple[int, int] | None
    target: tuple[int, int] | str
    holder_sentence: int | None = None
    is_found: bool = False
    holder_name: str | None = None
    target_name: str | None = None

    @property
    def kind(self) -> str:
        """Return the kind of question: each of them has its own calibration."""
        if isinstance(self.target, str):
            return TOPIC if self.holder is None else HOLDER_TOPIC
        if self.holder is None:
            return OWN_VOICE if self.is_found else MENTION
        return FOUND if self.is_found else HOLDER

    def holder_tokens(self, window: Window, piece: Piece) -> tuple[int, int]:
        """Return the tokens of the holder in a window; ``NO_SPAN`` if it has none.

        Args:
            window: the window.
            piece: the piece of the query's sentence in it.
        """
        if self.holder is None:
            return NO_SPAN
        if self.holder_sentence in (None, self.sentence):
            return window.token_span(piece, *self.holder) or NO_SPAN
        for holder_piece in window.pieces:
            if holder_piece.sentence == self.holder_sentence:
                return window.token_span(holder_piece, *self.holder) or NO_SPAN
        return NO_SPAN


class TargetTokens(NamedTuple):
    """Represent the target of a query in a window.

    Attributes:
        number: the number of the query.
        piece: the piece of the query's sentence in the window.
        tokens: the tokens ``(start, end)`` of the target.
    """

    number: int
    piece: Piece
    tokens: tuple[int, int]


def group_queries(
    document: DocumentPredictions, queries: Sequence[StanceQuery]
) -> tuple[dict[int, list[TargetTokens]], dict[tuple[int, str], list[int]]]:
    """Group queries by the encoding that they need.

    Returns:
        For mentioned targets, window number → the targets, where the window is the first with tokens of the target;
        for topics, sentence and topic → query numbers. A mention without tokens is treated as a topic.
    """
    pieces = document.pieces_by_sentence()
    by_window: dict[int, list[TargetTokens]] = {}
    by_topic: dict[tuple[int, str], list[int]] = {}
    for number, query in enumerate(queries):
        if isinstance(query.target, str):
            by_topic.setdefault((query.sentence, query.target), []).append(number)
            continue
        for window_number, piece in pieces.get(query.sentence, ()):
            window, _ = document.windows[window_number]
            tokens = window.token_span(piece, *query.target)
            if tokens is not None:
                target = TargetTokens(number, piece, tokens)
                by_window.setdefault(window_number, []).append(target)
                break
        else:
            topic = document.texts[query.sentence][slice(*query.target)]
            by_topic.setdefault((query.sentence, topic), []).append(number)
    return by_window, by_topic
