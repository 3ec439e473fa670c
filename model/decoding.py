"""From logits to spans and attributions, in numpy."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from claimstance.model.text.layout import Layout
from claimstance.model.windows import Located, Window

Floats = NDArray[np.floating]
LINK_THRESHOLD = 0.5
# A shorter content is more often than not a slip, without a cue, or beside a better one if it is not sure (on dev).
SHORT_CONTENT = 20  # characters
SURE_CONTENT = 0.7  # probability
SURE_SOURCE = 0.8  # probability from which a source that no cue took goes to an attribution without one (on dev)


@dataclass(frozen=True)
class TokenSpan:
    """Tokens ``[start, end)`` of a window under one label; ``probability`` is the mean over its words."""

    label: str
    start: int
    end: int
    probability: float


@dataclass(frozen=True)
class FoundAttribution:
    """Who says what, in characters of sentences. A part that was not found is empty."""

    source: tuple[Located, ...]
    cue: tuple[Located, ...]
    content: tuple[Located, ...]
    probability: float

    @property
    def sentence(self) -> int:
        """The sentence it is told in: its cue's, or the first of its content."""
        return min(self.cue or self.content or self.source).sentence


def softmax(logits: Floats, temperature: float = 1.0) -> Floats:
    """Probabilities over the last axis."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    result: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return result


def sigmoid(logits: Floats) -> Floats:
    """The logistic function, without overflow."""
    result: Floats = 0.5 * (1 + np.tanh(0.5 * logits))
    return result


def words(window: Window) -> Iterator[tuple[int, int, bool]]:
    """The words of a window: first token, end, and whether a sentence begins with it."""
    for piece in window.pieces:
        start = piece.start
        for token in range(piece.start + 1, piece.end + 1):
            if token == piece.end or window.words[token] != window.words[start]:
                yield start, token, start == piece.start
                start = token


def decode_tags(
    logits: Floats,
    window: Window,
    tags: Sequence[str],
    across: Sequence[str] = (),
    ends: Collection[int] = (),
) -> list[TokenSpan]:
    """Return spans from BIO logits (T, C), whole words each.

    Labels in ``across`` may go on over the end of a sentence, though not into the sentences ``ends``. The tokens of a
    word vote by their mean. An ``I-`` that follows nothing of its label begins a span.
    """
    closed = {
        piece.start for piece in window.pieces if piece.sentence in ends and not piece.skipped
    }
    spans: list[TokenSpan] = []
    open_span: list[
        float
    ] = []  # the probabilities of the words of the last span, while it can go on
    found = list(words(window))
    if not found:
        return spans
    bounds = np.array([(start, end) for start, end, _ in found])
    # One sum over each word: the separators between sentences fall to the odd sums, which are left out.
    sums = np.add.reduceat(
        np.concatenate([logits, np.zeros_like(logits[:1])]), bounds.ravel(), axis=0
    )[::2]
    probabilities = softmax(sums / (bounds[:, 1:] - bounds[:, :1]).astype(logits.dtype))
    chosen = probabilities.argmax(axis=1)
    best = probabilities[np.arange(len(found)), chosen].tolist()
    for (start, end, begins_sentence), number, probability in zip(
        found, chosen.tolist(), best, strict=True
    ):
        kind, _, label = tags[number].partition("-")
        if kind == "O":
            open_span = []
            continue
        last = spans[-1] if open_span else None
        goes_on = (
            last
            and kind == "I"
            and last.label == label
            and (not begins_sentence or (label in across and start not in closed))
        )
        open_span = [*open_span, probability] if goes_on else [probability]
        start = spans.pop().start if goes_on else start
        spans.append(TokenSpan(label, start, end, sum(open_span) / len(open_span)))
    return spans


def link_candidates(
    spans: Sequence[TokenSpan], window: Window | None = None, layout: Layout | None = None
) -> list[tuple[TokenSpan, TokenSpan]]:
    """Return every cue of a window with every source and content of it.

    With the ``layout`` of the article, a content outside quotation marks is paired with cues of its own line alone, or
    of a line before it that introduces others.
    """
    cues = [span for span in spans if span.label == "cue"]
    others = [span for span in spans if span.label != "cue"]
    pairs = [(cue, other) for cue in cues for other in others]
    if window is None or layout is None:
        return pairs
    return [
        pair
        for pair in pairs
        if pair[1].label != "content" or _on_one_line(*pair, window=window, layout=layout)
    ]


def _on_one_line(cue: TokenSpan, content: TokenSpan, window: Window, layout: Layout) -> bool:
    """Return whether a content may be that of a cue, as far as the lines of the article tell."""
    [cue_sentence, *_] = sorted(_sentences(cue, window))
    [content_sentence, *_] = sorted(_sentences(content, window))
    if layout.lines[cue_sentence] == layout.lines[content_sentence]:
        return True
    is_introduced = cue_sentence < content_sentence and layout.introduces(cue_sentence)
    return is_introduced or content_sentence in layout.quoted


@dataclass
class _Event:
    """An attribution while it is put together."""

    cue: TokenSpan | None
    source: TokenSpan | None = None
    contents: list[TokenSpan] = field(default_factory=list)
    inner: list[TokenSpan] = field(default_factory=list)
    links: list[float] = field(default_factory=list)

    def distance(self) -> int:
        """Tokens between the cue and its nearest content."""
        if self.cue is None or not self.contents:
            return 0
        return min(_gap(self.cue, content) for content in self.contents)

    def encloses(self, other: "_Event") -> bool:
        """Whether ``other`` is told inside this attribution's content."""
        if self is other or not other.contents or not set(other.contents) <= set(self.contents):
            return False
        return len(other.contents) < len(self.contents) or self.distance() > other.distance()


def assemble(
    spans: Sequence[TokenSpan],
    candidates: Sequence[tuple[TokenSpan, TokenSpan]],
    logits: Floats,
    window: Window,
) -> list[FoundAttribution]:
    """Attributions from spans and the link logits (N, 2) of ``candidates``, one for each cue.

    A cue takes its likeliest source and all contents linked to it, or the likeliest if none is likely. Contents linked
    to no cue (a quote that goes on) stand alone, if they are more than a few letters. Token tags are flat: where an
    attribution is told inside another, its source and cue are given back to the outer one's content.
    """
    scores = {
        pair: float(as_source if pair[1].label == "source" else as_content)
        for pair, (as_source, as_content) in zip(candidates, sigmoid(logits), strict=True)
    }
    _leave_to_nearer(scores, window)
    linked: dict[TokenSpan, list[tuple[float, TokenSpan]]] = {
        span: [] for span in spans if span.label == "cue"
    }
    for (cue, other), score in scores.items():
        linked[cue].append((score, other))
    events = [_event(cue, found, window) for cue, found in linked.items()]
    claimed = {content for event in events for content in event.contents}
    alone = [
        _Event(None, contents=[span])
        for span in spans
        if span.label == "content" and span not in claimed and not _is_short(span, window)
    ]
    _give_sources(spans, [*events, *alone], window)
    sharing: dict[TokenSpan, list[int]] = {}
    for number, event in enumerate(events):
        for content in event.contents:
            sharing.setdefault(content, []).append(number)
    for outer in events:
        for number in sorted({number for content in outer.contents for number in sharing[content]}):
            if outer.encloses(inner := events[number]):
                outer.inner += [
                    span for span in (inner.source, inner.cue) if span and span != outer.source
                ]
    return [_located(event, window) for event in [*events, *alone]]


def _event(cue: TokenSpan, scored: Sequence[tuple[float, TokenSpan]], window: Window) -> _Event:
    """The attribution of a cue: its likeliest source, if likely, and its contents."""
    event = _Event(cue)
    ranked = sorted(scored, key=lambda pair: -pair[0])
    sources = [pair for pair in ranked if pair[1].label == "source" and pair[0] > LINK_THRESHOLD][
        :1
    ]
    contents = [pair for pair in ranked if pair[1].label == "content"]
    linked = [pair for pair in contents if pair[0] > LINK_THRESHOLD] or contents[:1]
    linked = [
        pair
        for pair in linked
        if pair[1].probability >= SURE_CONTENT or not _is_short(pair[1], window)
    ] or linked
    event.source = sources[0][1] if sources else None
    event.contents = [content for _, content in linked]
    event.links = [score for score, _ in sources + linked]
    return event


def _give_sources(spans: Sequence[TokenSpan], events: Sequence[_Event], window: Window) -> None:
    """A source that no cue took goes to the nearest attribution of its sentence without one: a cue may be missed."""
    taken = {event.source for event in events}
    for source in spans:
        if source.label != "source" or source in taken or source.probability < SURE_SOURCE:
            continue
        here = _sentences(source, window)
        free = [
            event
            for event in events
            if event.source is None
            and any(
                here & _sentences(span, window) for span in [event.cue, *event.contents] if span
            )
        ]
        if free:
            nearest = min(
                free,
                key=lambda event: min(
                    _gap(source, span) for span in [event.cue, *event.contents] if span
                ),
            )
            nearest.source = source


def _gap(one: TokenSpan, other: TokenSpan) -> int:
    """Tokens between two spans."""
    return max(one.start - other.end, other.start - one.end, 0)


def _leave_to_nearer(scores: dict[tuple[TokenSpan, TokenSpan], float], window: Window) -> None:
    """A content that a cue of its own sentence claims is no other sentence's: attributions nest within a sentence."""
    claims = [
        pair
        for pair, score in scores.items()
        if pair[1].label == "content" and score > LINK_THRESHOLD
    ]
    near = {pair for pair in claims if _sentences(pair[0], window) & _sentences(pair[1], window)}
    kept = {content for _, content in near}
    for pair in claims:
        if pair[1] in kept and pair not in near:
            del scores[pair]


def _sentences(span: TokenSpan, window: Window) -> set[int]:
    return {place.sentence for place in window.located(span.start, span.end)}


def _is_short(span: TokenSpan, window: Window) -> bool:
    return (
        sum(place.end - place.start for place in window.located(span.start, span.end))
        < SHORT_CONTENT
    )


def _located(event: _Event, window: Window) -> FoundAttribution:
    parts = [span for span in (event.cue, event.source, *event.contents) if span]
    tagged = min(span.probability for span in parts)
    return FoundAttribution(
        source=tuple(window.located(event.source.start, event.source.end)) if event.source else (),
        cue=tuple(window.located(event.cue.start, event.cue.end)) if event.cue else (),
        content=tuple(
            sorted(
                place
                for span in [*event.contents, *event.inner]
                for place in window.located(span.start, span.end)
            )
        ),
        probability=tagged * min(event.links, default=1.0),
    )


def join_pieces(places: Sequence[Located], texts: Sequence[str]) -> tuple[Located, ...]:
    """Neighbouring pieces of one sentence with only space between them, made one."""
    joined: list[Located] = []
    for place in sorted(places):
        last = joined[-1] if joined else None
        if (
            last
            and last.sentence == place.sentence
            and not texts[place.sentence][last.end : place.start].strip()
        ):
            joined[-1] = replace(last, end=max(last.end, place.end))
        else:
            joined.append(place)
    return tuple(joined)
