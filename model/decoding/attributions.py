"""Assembly of attributions from the sources, cues and contents of a window, and the scores of their links."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from claimstance.model.decoding.tags import Floats, TokenSpan, sigmoid
from claimstance.model.text.layout import Layout
from claimstance.model.windows import SentenceSpan, Window

LINK_THRESHOLD = 0.5
# A cue that is linked to no content takes the likeliest one from this probability on. Up to 0.05, no linked attribution
# is lost on dev.
LEAST_LINK = 0.05
# Contents of fewer characters are usually spurious (measured on dev). They are dropped if no cue
# claims them, or if they are uncertain and the cue has a better one.
SHORT_CONTENT = 20
CERTAIN_CONTENT = 0.7  # probability
# Probability from which a source without a cue is attached to an attribution without a source (on dev).
CERTAIN_SOURCE = 0.8

#: A cue, and a source or content that may belong to it.
CuePair = tuple[TokenSpan, TokenSpan]


@dataclass(frozen=True)
class DecodedAttribution:
    """Represent an attribution, in characters of sentences. A role without a span is empty."""

    source: tuple[SentenceSpan, ...]
    cue: tuple[SentenceSpan, ...]
    content: tuple[SentenceSpan, ...]
    probability: float

    @property
    def sentence(self) -> int:
        """Return the sentence that contains its cue, or the first of its content if it has no cue."""
        return min(self.cue or self.content or self.source).sentence


def link_candidates(
    spans: Sequence[TokenSpan], window: Window | None = None, layout: Layout | None = None
) -> list[CuePair]:
    """Return every cue of a window with every source and content that may belong to it.

    A source in a later sentence does not: *urged Brussels to withdraw it. Hoekstra rejected that*. With the ``layout``
    of the article, a content outside quotation marks is paired only with cues of its own line, or of an earlier line
    that ends with a colon.
    """
    cues = [span for span in spans if span.label == "cue"]
    sources_and_contents = [span for span in spans if span.label != "cue"]
    pairs = [(cue, span) for cue in cues for span in sources_and_contents]
    if window is None:
        return pairs

    first_pieces = {span: min(window.locate(span.start, span.end)) for span in spans}
    allowed = []
    for cue, span in pairs:
        cue_sentence, piece = first_pieces[cue].sentence, first_pieces[span]
        if span.label == "source":
            is_allowed = piece.sentence <= cue_sentence
        else:
            is_allowed = _is_on_line_of(cue_sentence, piece.sentence, layout)
            if not is_allowed and layout is not None:
                is_allowed = _is_quotation(piece, cue_sentence, layout)
        if is_allowed:
            allowed.append((cue, span))
    return allowed


@dataclass
class _AttributionDraft:
    """Represent an attribution that is being assembled.

    Attributes:
        nested: sources and cues of other attributions inside the content.
        link_probabilities: those of the links to the source and the contents.
    """

    cue: TokenSpan | None
    source: TokenSpan | None = None
    contents: list[TokenSpan] = field(default_factory=list)
    nested: list[TokenSpan] = field(default_factory=list)
    link_probabilities: list[float] = field(default_factory=list)

    @property
    def cue_and_contents(self) -> list[TokenSpan]:
        """Return the spans that it has besides its source."""
        return self.contents if self.cue is None else [self.cue, *self.contents]

    def distance(self) -> int:
        """Return the number of tokens between the cue and its nearest content."""
        if self.cue is None or not self.contents:
            return 0
        return min(_gap(self.cue, content) for content in self.contents)

    def encloses(self, inner: "_AttributionDraft") -> bool:
        """Return whether ``inner`` is part of this attribution's content."""
        if self is inner or not inner.contents or not set(inner.contents) <= set(self.contents):
            return False
        has_more_content = len(inner.contents) < len(self.contents)
        return has_more_content or self.distance() > inner.distance()

    def locate(self, window: Window) -> DecodedAttribution:
        """Return the attribution in characters of sentences."""
        sources = [] if self.source is None else [self.source]
        cues = [] if self.cue is None else [self.cue]
        least_probability = min(span.probability for span in (*sources, *cues, *self.contents))
        return DecodedAttribution(
            source=tuple(_locate(sources, window)),
            cue=tuple(_locate(cues, window)),
            content=tuple(sorted(_locate([*self.contents, *self.nested], window))),
            probability=least_probability * min(self.link_probabilities, default=1.0),
        )


def assemble(
    spans: Sequence[TokenSpan],
    candidates: Sequence[CuePair],
    logits: Floats,
    window: Window,
    layout: Layout | None = None,
) -> list[DecodedAttribution]:
    """Return attributions, one for each cue and each content without a cue.

    A cue takes its likeliest source and all contents linked to it, or the likeliest content if none is linked. Contents
    that no cue claims (a quotation that continues) form attributions of their own, unless they are short. Token tags
    are flat: where one attribution contains another, the source and cue of the inner one are added to the content of
    the outer one.

    Args:
        spans: the sources, cues and contents of a window.
        candidates: the pairs that the link head scored.
        logits: the scores of the candidates, (N, 2): as a source and as a content.
        window: the window that the spans belong to.
        layout: the lines of the article, if they are known.
    """
    scores: dict[CuePair, float] = {}
    for pair, (as_source, as_content) in zip(candidates, sigmoid(logits), strict=True):
        scores[pair] = float(as_source if pair[1].label == "source" else as_content)
    near_links = set()  # a cue with a content that is linked to it and in its own sentence
    for (cue, span), score in scores.items():
        is_linked = span.label == "content" and score > LINK_THRESHOLD
        if is_linked and _sentences(cue, window) & _sentences(span, window):
            near_links.add((cue, span))
    contents_with_near_cue = {content for _, content in near_links}

    scores_by_cue: dict[TokenSpan, list[tuple[float, TokenSpan]]] = {}
    for span in spans:
        if span.label == "cue":
            scores_by_cue[span] = []
    for (cue, span), score in scores.items():
        # A content that is linked to a cue of its own sentence is taken from cues of other sentences.
        is_linked = score > LINK_THRESHOLD
        if is_linked and span in contents_with_near_cue and (cue, span) not in near_links:
            continue
        scores_by_cue[cue].append((score, span))
    drafts = [_draft(cue, scored, window, layout) for cue, scored in scores_by_cue.items()]

    claimed = {content for draft in drafts for content in draft.contents}
    orphan_contents = [
        _AttributionDraft(None, contents=[span])
        for span in spans
        if span.label == "content" and span not in claimed and not _is_short(span, window)
    ]
    _attach_orphan_sources(spans, [*drafts, *orphan_contents], window)
    _add_nested_spans(drafts, window)
    return [draft.locate(window) for draft in (*drafts, *orphan_contents)]


def _draft(
    cue: TokenSpan,
    scored: Sequence[tuple[float, TokenSpan]],
    window: Window,
    layout: Layout | None,
) -> _AttributionDraft:
    """Return the attribution of a cue: its likeliest source, if likely, and its contents."""
    ranked = sorted(scored, key=lambda pair: -pair[0])
    draft = _AttributionDraft(cue)
    for score, span in ranked:
        if span.label == "source" and score > LINK_THRESHOLD:
            draft.source = span
            draft.link_probabilities.append(score)
            break

    contents = [(score, span) for score, span in ranked if span.label == "content"]
    linked = [(score, span) for score, span in contents if score > LINK_THRESHOLD]
    if not linked and contents:
        # The likeliest content is better than none, but a quotation on another line has its own speaker.
        score, content = contents[0]
        cue_sentence = min(_sentences(cue, window))
        content_sentence = min(_sentences(content, window))
        if score >= LEAST_LINK and _is_on_line_of(cue_sentence, content_sentence, layout):
            linked = [(score, content)]
    plausible = []
    for score, span in linked:
        if span.probability >= CERTAIN_CONTENT or not _is_short(span, window):
            plausible.append((score, span))
    # A short content is better than none.
    for score, span in plausible or linked:
        draft.contents.append(span)
        draft.link_probabilities.append(score)
    return draft


def _attach_orphan_sources(
    spans: Sequence[TokenSpan], drafts: Sequence[_AttributionDraft], window: Window
) -> None:
    """Give each source that no cue took to the nearest attribution without a source in its sentence.

    Such sources are frequent where the cue was missed.
    """
    taken = {draft.source for draft in drafts}
    for source in spans:
        if source.label != "source" or source in taken or source.probability < CERTAIN_SOURCE:
            continue
        source_sentences = _sentences(source, window)
        nearest, least_gap = None, len(window)
        for draft in drafts:
            if draft.source is not None:
                continue
            own_spans = draft.cue_and_contents
            if all(source_sentences.isdisjoint(_sentences(span, window)) for span in own_spans):
                continue
            gap = min(_gap(source, span) for span in own_spans)
            if gap < least_gap:
                nearest, least_gap = draft, gap
        if nearest is not None:
            nearest.source = source


def _add_nested_spans(drafts: Sequence[_AttributionDraft], window: Window) -> None:
    """Add the source and cue of each attribution inside another one to the content of that one.

    A cue outside the sentences of a content is not inside it.
    """
    # Only attributions that share a content can contain one another.
    numbers_by_content: dict[TokenSpan, list[int]] = {}
    for number, draft in enumerate(drafts):
        for content in draft.contents:
            numbers_by_content.setdefault(content, []).append(number)
    for outer in drafts:
        sharing: set[int] = set()
        sentences: set[int] = set()
        for content in outer.contents:
            sharing.update(numbers_by_content[content])
            sentences |= _sentences(content, window)
        for number in sorted(sharing):
            inner = drafts[number]
            if not outer.encloses(inner):
                continue
            if inner.cue is not None and sentences.isdisjoint(_sentences(inner.cue, window)):
                continue
            for span in (inner.source, inner.cue):
                if span is not None and span != outer.source:
                    outer.nested.append(span)


def _gap(first: TokenSpan, second: TokenSpan) -> int:
    """Return the number of tokens between two spans."""
    return max(first.start - second.end, second.start - first.end, 0)


def _is_quotation(piece: SentenceSpan, cue_sentence: int, layout: Layout) -> bool:
    """Return whether a piece begins in a quotation that a cue on another line may introduce or follow."""
    mark = layout.quotations.get(piece.sentence)
    if mark is None:
        return False
    # Words before a quotation are its own introduction: *Reyes on the dam: ‘It will hold’*.
    if mark > 0 and cue_sentence < piece.sentence:
        return False
    return piece.start >= mark


def _is_on_line_of(cue_sentence: int, content_sentence: int, layout: Layout | None) -> bool:
    """Return whether a content begins on the line of a cue, or on a later one that the cue's line introduces.

    An article without a layout has a single line.
    """
    if layout is None or layout.lines[cue_sentence] == layout.lines[content_sentence]:
        return True
    return cue_sentence < content_sentence and layout.introduces(cue_sentence)


def _sentences(span: TokenSpan, window: Window) -> set[int]:
    """Return the numbers of the sentences that a span lies in."""
    return {piece.sentence for piece in window.locate(span.start, span.end)}


def _is_short(span: TokenSpan, window: Window) -> bool:
    """Return whether a span has fewer than ``SHORT_CONTENT`` characters."""
    pieces = window.locate(span.start, span.end)
    return sum(piece.end - piece.start for piece in pieces) < SHORT_CONTENT


def _locate(spans: Iterable[TokenSpan], window: Window) -> list[SentenceSpan]:
    """Return the characters of spans, one piece for each sentence of a span."""
    pieces = []
    for span in spans:
        pieces += window.locate(span.start, span.end)
    return pieces


def join_pieces(pieces: Sequence[SentenceSpan], texts: Sequence[str]) -> tuple[SentenceSpan, ...]:
    """Return the pieces of a span in order, joined where only space separates them."""
    joined: list[SentenceSpan] = []
    for piece in sorted(pieces):
        previous = joined[-1] if joined else None
        if previous is not None and previous.sentence == piece.sentence:
            between = texts[piece.sentence][previous.end : piece.start]
            if not between.strip():
                joined[-1] = replace(previous, end=max(previous.end, piece.end))
                continue
        joined.append(piece)
    return tuple(joined)
