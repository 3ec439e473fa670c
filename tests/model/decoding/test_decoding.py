"""Test the decoding of logits to spans and attributions, on windows with one token for each word."""

import numpy as np
import pytest

from claimstance.model.decoding.attributions import (
    DecodedAttribution,
    assemble,
    join_pieces,
    link_candidates,
)
from claimstance.model.decoding.tags import TokenSpan, decode_tags, sigmoid, softmax
from claimstance.model.labels import ROLES, bio
from claimstance.model.text.layout import layout_of_lines
from claimstance.model.windows import SentenceSpan, WindowBuilder

TAGS = bio(ROLES)


def logits_of(tags, logit=8.0):
    """Return logits that make each token's tag the likeliest."""
    logits = np.zeros((len(tags), len(TAGS)))
    for token, tag in enumerate(tags):
        logits[token, TAGS.index(tag)] = logit
    return logits


def decoded(window, tags, across=("content",)):
    """Return the spans of a window whose tokens have ``tags``; those of special tokens have to be ignored."""
    spans = decode_tags(logits_of(["B-cue", *tags, "B-cue"]), window, TAGS, across)
    return [(span.label, span.start, span.end) for span in spans]


@pytest.fixture
def window(word_windows):
    """Return a window with six words in one sentence, as tokens 1 to 6."""
    builder = word_windows()
    return next(builder.windows(enumerate(builder.tokenize(["a b c d e f"]))))


@pytest.fixture
def two_sentences(word_windows):
    """Return a window with two sentences of three words, as tokens 1 to 3 and 5 to 7."""
    builder = word_windows()
    return next(builder.windows(enumerate(builder.tokenize(["a b c", "d e f"]))))


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O B-cue I-cue O B-source O", [("cue", 2, 4), ("source", 5, 6)]),
        ("B-cue B-cue I-cue O O O", [("cue", 1, 2), ("cue", 2, 4)]),
        # An I- after no span or after another label begins a span.
        ("I-cue I-cue O I-source O O", [("cue", 1, 3), ("source", 4, 5)]),
        ("B-source I-cue I-cue O O O", [("source", 1, 2), ("cue", 2, 4)]),
        ("B-cue O I-cue O O O", [("cue", 1, 2), ("cue", 3, 4)]),
        ("O O O O O B-content", [("content", 6, 7)]),
        ("O O O O O O", []),
    ],
)
def test_tags_become_spans(window, tags, expected):
    assert decoded(window, tags.split()) == expected


def test_content_continues_over_the_end_of_a_sentence(two_sentences):
    tags = ["O", "B-content", "I-content", "O", "I-content", "I-content", "O"]
    assert decoded(two_sentences, tags) == [("content", 2, 7)]
    assert decoded(two_sentences, tags, across=()) == [("content", 2, 4), ("content", 5, 7)]
    cue = [tag.replace("content", "cue") for tag in tags]
    assert decoded(two_sentences, cue) == [("cue", 2, 4), ("cue", 5, 7)]
    separate_spans = ["O", "B-content", "I-content", "O", "B-content", "I-content", "O"]
    assert decoded(two_sentences, separate_spans) == [("content", 2, 4), ("content", 5, 7)]


def test_content_does_not_continue_into_a_closed_sentence(two_sentences):
    logits = logits_of(
        ["O", "O", "B-content", "I-content", "O", "I-content", "I-content", "O", "O"]
    )
    for speech_breaks, expected in [((), [(2, 7)]), ({1}, [(2, 4), (5, 7)]), ({0, 2}, [(2, 7)])]:
        spans = decode_tags(logits, two_sentences, TAGS, ("content",), speech_breaks)
        assert [(span.start, span.end) for span in spans] == expected


@pytest.mark.parametrize(
    ("sentences", "lines", "contents"),
    [
        (("a b c", "d e f"), (0, 1), {(3, 4)}),  # an unquoted line
        (("a b c", "d e f"), (0, 0), {(3, 4), (6, 7)}),  # the same line
        (("a b c", "“d e f”"), (0, 1), {(3, 4), (6, 7)}),  # quoted
        (("a b c", "d “e f”"), (0, 1), {(3, 4)}),  # the quotation has its own introduction
        (("a b c:", "d e f"), (0, 1), {(3, 4), (6, 7)}),  # introduced
    ],
)
def test_unquoted_content_is_paired_with_cues_of_its_line(word_windows, sentences, lines, contents):
    builder = word_windows()
    [window] = builder.windows(enumerate(builder.tokenize(["a b c", "d e f"])))
    cue, source = TokenSpan("cue", 1, 2, 0.9), TokenSpan("source", 2, 3, 0.9)
    near, far = TokenSpan("content", 3, 4, 0.9), TokenSpan("content", 6, 7, 0.9)
    pairs = link_candidates([cue, source, near, far], window, layout_of_lines(sentences, lines))
    assert (cue, source) in pairs
    paired_contents = {(span.start, span.end) for _, span in pairs if span.label == "content"}
    assert paired_contents == contents


def test_a_source_in_a_later_sentence_is_not_that_of_a_cue(two_sentences):
    first_cue, second_cue = TokenSpan("cue", 2, 3, 0.9), TokenSpan("cue", 6, 7, 0.9)
    first_source, second_source = TokenSpan("source", 1, 2, 0.9), TokenSpan("source", 5, 6, 0.9)
    spans = [first_cue, second_cue, first_source, second_source]
    assert link_candidates(spans, two_sentences) == [
        (first_cue, first_source),
        (second_cue, first_source),
        (second_cue, second_source),
    ]


def test_the_tokens_of_a_word_vote(tokenizer_json):
    builder = WindowBuilder.from_json(tokenizer_json, 64)
    [window] = builder.windows(enumerate(builder.tokenize(["mxqzyk said"])))
    first = window.words.index(1)
    assert first > 3  # the first word has several tokens
    logits = np.zeros((len(window), len(TAGS)))
    logits[:, 0] = 1.0
    logits[2, TAGS.index("B-source")] = 30.0  # one vote outweighs those of the others
    [span] = decode_tags(logits, window, TAGS)
    assert (span.label, span.start, span.end) == ("source", 1, first)


def test_a_spans_probability_is_the_mean_over_its_words(window):
    logits = logits_of(["O", "B-cue", "I-cue", "O", "O", "O", "O", "O"])
    logits[2] /= 4
    [span] = decode_tags(logits, window, TAGS)
    words = softmax(logits[1:3]).max(axis=-1)
    assert span.probability == pytest.approx(words.mean())
    assert words[1] < 0.9 < words[0]


def test_every_cue_is_paired_with_every_source_and_content():
    first_cue, second_cue, source, content = (
        TokenSpan(label, i, i + 1, 1.0)
        for i, label in enumerate(["cue", "cue", "source", "content"])
    )
    assert link_candidates([source, first_cue, content, second_cue]) == [
        (first_cue, source),
        (first_cue, content),
        (second_cue, source),
        (second_cue, content),
    ]
    assert link_candidates([source, content]) == []


def assembled(window, spans, linked, probability=0.9, unlinked_logit=-2.0, layout=None):
    """Return attributions of spans (label, start, end); ``linked`` maps a cue's index to the indices of its spans."""
    token_spans = [TokenSpan(*span, probability) for span in spans]
    candidates = link_candidates(token_spans)
    scores = []
    for cue, candidate in candidates:
        is_linked = token_spans.index(candidate) in linked.get(token_spans.index(cue), ())
        scores.append([4.0 if is_linked else unlinked_logit] * 2)
    return assemble(token_spans, candidates, np.array(scores).reshape(-1, 2), window, layout)


def characters(attribution):
    """Return the spans of each role of an attribution as (sentence, start, end)."""
    return {
        role: [(p.sentence, p.start, p.end) for p in getattr(attribution, role)] for role in ROLES
    }


def test_sources_and_contents_are_linked_to_their_cue(window):
    first, second = assembled(
        window,
        [
            ("source", 1, 2),
            ("cue", 2, 3),
            ("content", 3, 4),
            ("source", 4, 5),
            ("cue", 5, 6),
            ("content", 6, 7),
        ],
        {1: {0, 2}, 4: {3, 5}},
    )
    assert characters(first) == {"source": [(0, 0, 1)], "cue": [(0, 2, 3)], "content": [(0, 4, 5)]}
    assert characters(second) == {
        "source": [(0, 6, 7)],
        "cue": [(0, 8, 9)],
        "content": [(0, 10, 11)],
    }
    assert first.probability == pytest.approx(0.9 * sigmoid(np.array(4.0)))


def test_a_cue_takes_at_most_one_source_and_only_a_likely_one(window):
    spans = [("source", 1, 2), ("cue", 2, 3), ("source", 3, 4), ("content", 4, 5)]
    [attribution] = assembled(window, spans, {1: {0, 2, 3}})
    assert len(attribution.source) == 1
    [attribution] = assembled(window, spans, {1: {3}}, probability=0.75)
    assert attribution.source == ()


def test_a_likely_source_without_a_cue_goes_to_an_attribution_of_its_sentence_without_a_source(
    word_windows,
):
    builder = word_windows(32)
    [window] = builder.windows(
        enumerate(builder.tokenize(["Lee came and Moss said so", "saw " + "b" * 20]))
    )
    spans = [("source", 4, 5), ("cue", 5, 6), ("content", 6, 7), ("cue", 8, 9), ("content", 9, 10)]
    linked = {1: {2}, 3: {4}}
    for probability, source in ((0.75, []), (0.9, [(0, 13, 17)])):
        [first, second] = assembled(window, spans, linked, probability)
        assert characters(first)["source"] == source
        assert characters(second)["source"] == []
    two_sources = [("source", 1, 2), *spans]  # the attribution takes only one of them
    [first, _] = assembled(window, two_sources, {2: {3}, 4: {5}})
    assert len(first.source) == 1


def test_a_cue_takes_all_likely_contents_or_else_the_likeliest(window):
    spans = [("content", 1, 2), ("cue", 2, 3), ("content", 3, 4)]
    [attribution] = assembled(window, spans, {1: {0, 2}})
    assert characters(attribution)["content"] == [(0, 0, 1), (0, 4, 5)]
    token_spans = [TokenSpan(*span, 0.9) for span in spans]
    logits = np.array([[0.0, -3.0], [0.0, -2.0]])
    [attribution] = assemble(token_spans, link_candidates(token_spans), logits, window)
    assert characters(attribution)["content"] == [(0, 4, 5)]
    assert attribution.probability == pytest.approx(0.9 * sigmoid(np.array(-2.0)))


@pytest.mark.parametrize(
    ("unlinked_logit", "lines", "contents"),
    [
        (-2.0, (0, 0), [(1, 0, 1)]),  # 12 %
        (-3.0, (0, 0), []),  # 5 %
        (-2.0, (0, 1), []),
    ],
)
def test_a_cue_takes_no_content_that_is_unlikely_or_on_another_line(
    two_sentences, unlinked_logit, lines, contents
):
    layout = layout_of_lines(["a b c", "“d e f”"], lines)
    spans = [("cue", 1, 2), ("content", 5, 6)]
    attribution, *_ = assembled(
        two_sentences, spans, {}, unlinked_logit=unlinked_logit, layout=layout
    )
    assert characters(attribution)["content"] == contents


def test_content_without_a_cue_is_an_attribution_unless_it_is_short(word_windows):
    builder = word_windows(32)
    [window] = builder.windows(
        enumerate(builder.tokenize(["a " + "b" * 20, "the quote goes on here", "and on"]))
    )
    spans = [("cue", 1, 2), ("content", 2, 3), ("content", 4, 9), ("content", 10, 12)]
    _, without_cue = assembled(window, spans, {0: {1}})
    assert characters(without_cue) == {"source": [], "cue": [], "content": [(1, 0, 22)]}
    assert without_cue.probability == pytest.approx(0.9)
    assert without_cue.sentence == 1


def test_content_belongs_to_the_cue_of_its_own_sentence(two_sentences):
    spans = [("cue", 1, 2), ("content", 2, 3), ("cue", 5, 6), ("content", 6, 7)]
    first, second = assembled(two_sentences, spans, {0: {1, 3}, 2: {3}})
    assert characters(first)["content"] == [(0, 2, 3)]
    assert characters(second)["content"] == [(1, 2, 3)]
    # A quotation that continues in a sentence without a cue belongs to the cue before it.
    [quote] = assembled(two_sentences, [spans[0], spans[1], spans[3]], {0: {1, 2}})
    assert characters(quote)["content"] == [(0, 2, 3), (1, 2, 3)]


def test_a_cue_alone_is_an_attribution(window):
    [attribution] = assembled(window, [("cue", 3, 4)], {})
    assert characters(attribution) == {"source": [], "cue": [(0, 4, 5)], "content": []}


def test_content_over_two_sentences_lies_in_both(two_sentences):
    [attribution] = assembled(two_sentences, [("cue", 1, 2), ("content", 2, 7)], {0: {1}})
    assert characters(attribution)["content"] == [(0, 2, 5), (1, 0, 3)]
    assert attribution.sentence == 0


def test_an_inner_attribution_is_added_to_the_outer_content(window):
    # he | said | she | believed | it: "it" is the content of both, and the second is inside the content of the first.
    outer, inner = assembled(
        window,
        [
            ("source", 1, 2),
            ("cue", 2, 3),
            ("source", 3, 4),
            ("cue", 4, 5),
            ("content", 5, 6),
        ],
        {1: {0, 4}, 3: {2, 4}},
    )
    assert characters(outer)["content"] == [(0, 4, 5), (0, 6, 7), (0, 8, 9)]
    assert characters(inner) == {"source": [(0, 4, 5)], "cue": [(0, 6, 7)], "content": [(0, 8, 9)]}
    assert join_pieces(outer.content, ["a b c d e f"]) == (SentenceSpan(0, 4, 9),)


def test_an_inner_attribution_with_less_content_is_added_to_the_outer_content(window):
    outer, inner = assembled(
        window,
        [
            ("cue", 1, 2),
            ("content", 2, 3),
            ("cue", 3, 4),
            ("content", 4, 5),
        ],
        {0: {1, 3}, 2: {3}},
    )
    assert characters(outer)["content"] == [(0, 2, 3), (0, 4, 5), (0, 6, 7)]
    assert characters(inner)["content"] == [(0, 6, 7)]


def test_a_cue_in_another_sentence_is_not_added_to_the_content(two_sentences):
    spans = [("cue", 1, 2), ("content", 5, 6), ("cue", 6, 7), ("content", 7, 8)]
    first, second = assembled(two_sentences, spans, {2: {1, 3}})
    assert characters(first)["content"] == [(1, 0, 1)]
    assert characters(second)["content"] == [(1, 0, 1), (1, 4, 5)]


def test_a_shared_source_is_not_added_to_the_content(window):
    outer, _ = assembled(
        window,
        [
            ("source", 1, 2),
            ("cue", 2, 3),
            ("cue", 3, 4),
            ("content", 4, 5),
        ],
        {1: {0, 3}, 2: {0, 3}},
    )
    assert characters(outer)["content"] == [(0, 4, 5), (0, 6, 7)]


def test_pieces_with_only_space_between_them_are_joined():
    texts = ["a b, c", "d"]
    pieces = [
        SentenceSpan(1, 0, 1),
        SentenceSpan(0, 2, 3),
        SentenceSpan(0, 0, 1),
        SentenceSpan(0, 5, 6),
    ]
    assert join_pieces(pieces, texts) == (
        SentenceSpan(0, 0, 3),
        SentenceSpan(0, 5, 6),
        SentenceSpan(1, 0, 1),
    )


def test_an_attribution_belongs_to_the_sentence_of_its_cue():
    source, cue = (SentenceSpan(1, 0, 1),), (SentenceSpan(4, 0, 1),)
    content = (SentenceSpan(2, 0, 1), SentenceSpan(3, 0, 1))
    assert DecodedAttribution(source, cue, content, 1.0).sentence == 4
    assert DecodedAttribution(source, (), content, 1.0).sentence == 2


def test_probabilities_do_not_overflow():
    assert softmax(np.array([[1e4, 0.0]])).tolist() == [[1.0, 0.0]]
    assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]
    np.testing.assert_allclose(
        softmax(np.array([0.0, np.log(4.0)]), temperature=2.0), [1 / 3, 2 / 3]
    )
