"""Test windows: the positions of their tokens and pieces, and that no token is lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimstance.model.errors import ModelError
from claimstance.model.windows import Piece, SentenceSpan, WindowBuilder


@pytest.fixture(scope="module")
def subwords(tokenizer_json):
    return lambda max_tokens: WindowBuilder.from_json(tokenizer_json, max_tokens)


def build_windows(builder, sentences, limit=None):
    """Return the windows of sentences."""
    return list(builder.windows(enumerate(builder.tokenize(sentences)), limit))


def piece_sizes(windows):
    """Return for each window the sentences in it, each with the number of its tokens."""
    return [
        [(piece.sentence, piece.end - piece.start) for piece in window.pieces] for window in windows
    ]


def test_whole_sentences_fill_windows(word_windows):
    builder = word_windows(10)
    windows = build_windows(builder, ["a b c", "d e f", "g h", "i", "j k l m n o p q"])
    # [CLS] a b c [SEP] d e f [SEP] are nine tokens; two more words and their [SEP] would make twelve.
    assert piece_sizes(windows) == [[(0, 3), (1, 3)], [(2, 2), (3, 1)], [(4, 8)]]
    first = windows[0]
    assert [first.ids[0], first.ids[4], first.ids[8]] == [builder.cls, builder.sep, builder.sep]
    assert first.pieces == [Piece(0, 1, 4), Piece(1, 5, 8)]
    assert first.segments == [0] * 9
    assert first.offsets == [(0, 0), (0, 1), (2, 3), (4, 5), (0, 0), (0, 1), (2, 3), (4, 5), (0, 0)]
    assert first.words == [None, 0, 1, 2, None, 0, 1, 2, None]


def test_a_window_is_filled_up_to_its_last_token(word_windows):
    assert piece_sizes(build_windows(word_windows(10), ["a b c d", "e f g"])) == [[(0, 4), (1, 3)]]
    assert piece_sizes(build_windows(word_windows(10), ["a b c d", "e f g h"])) == [
        [(0, 4)],
        [(1, 4)],
    ]


def test_the_last_piece_of_a_long_sentence_shares_a_window_with_the_next(word_windows):
    builder = word_windows(10)
    windows = build_windows(builder, ["a", " ".join("bcdefghijklmnopqrst"), "u v"])
    assert piece_sizes(windows) == [[(0, 1)], [(1, 8)], [(1, 8)], [(1, 3), (2, 2)]]
    assert [piece.skipped for window in windows for piece in window.pieces] == [0, 0, 8, 16, 0]
    assert windows[2].offsets[1] == (16, 17)


def test_a_sentence_of_exactly_a_window_is_one_piece(word_windows):
    assert piece_sizes(build_windows(word_windows(10), [" ".join("abcdefgh")])) == [[(0, 8)]]


def test_a_limit_shortens_only_the_first_window(word_windows):
    sentences = ["a b", "c d", "e f", "g h"]
    assert piece_sizes(build_windows(word_windows(10), sentences, limit=5)) == [
        [(0, 2)],
        [(1, 2), (2, 2), (3, 2)],
    ]
    # A sentence longer than the limit is not divided.
    assert piece_sizes(build_windows(word_windows(10), ["a b c d e f"], limit=4)) == [[(0, 6)]]


def test_a_sentence_without_tokens_has_an_empty_piece(word_windows):
    assert piece_sizes(build_windows(word_windows(10), ["a", " ", "b"])) == [
        [(0, 1), (1, 0), (2, 1)]
    ]
    assert build_windows(word_windows(10), []) == []


def test_a_topic_is_a_second_segment(word_windows):
    builder = word_windows(10)
    sentence, topic = builder.tokenize(["a b c", "gun laws"])
    window = builder.with_topic(4, sentence, topic)
    assert window.pieces == [Piece(4, 1, 4)]
    assert window.segments == [0, 0, 0, 0, 0, 1, 1, 1]
    assert window.topic == (5, 7)
    assert window.ids[5:] == [*topic.ids, builder.sep]
    assert window.locate(0, len(window)) == [SentenceSpan(4, 0, 5)]


@pytest.mark.parametrize(
    ("words", "topic_words", "fits"),
    [(4, 3, True), (5, 3, False), (4, 4, False), (1, 9, False), (40, 40, False)],
)
def test_a_topic_window_never_exceeds_its_length(word_windows, words, topic_words, fits):
    builder = word_windows(10)
    sentence, topic = builder.tokenize(["a " * words, "b " * topic_words])
    window = builder.with_topic(0, sentence, topic)
    assert len(window) <= 10
    assert window.topic[1] > window.topic[0]
    assert window.pieces[0].end > window.pieces[0].start
    assert builder.fits_with_topic(sentence, topic) is fits
    assert fits is (len(window) == words + topic_words + 3)


def test_characters_are_converted_to_tokens_and_back(subwords):
    text = "The mayor, Ada Kestrel, said nothing."
    [window] = build_windows(subwords(64), ["Ports.", text])
    piece = window.pieces[1]
    start, end = text.index("Ada"), text.index(", said")
    tokens = window.token_span(piece, start, end)
    assert window.locate(*tokens) == [SentenceSpan(1, start, end)]
    # Half a word gives the token that holds it; the space between two words gives none.
    assert window.locate(*window.token_span(piece, start, start + 1))[0].start == start
    assert window.token_span(piece, 3, 4) is None
    assert window.token_span(window.pieces[0], 30, 40) is None


def test_tokens_of_two_sentences_give_a_piece_of_each(word_windows):
    [window] = build_windows(word_windows(16), ["a b", "c d"])
    assert window.locate(2, 5) == [SentenceSpan(0, 2, 3), SentenceSpan(1, 0, 1)]
    assert window.locate(3, 4) == []  # the separator alone


@settings(deadline=None, max_examples=60)
@given(
    sentences=st.lists(
        st.text("Pport strike said Aé’ß.,“\u200b😀e\u0301", max_size=60), max_size=8
    ),
    max_tokens=st.integers(8, 40),
    limit=st.none() | st.integers(1, 50),
)
def test_every_token_is_in_one_window(subwords, sentences, max_tokens, limit):
    builder = subwords(max_tokens)
    tokens = builder.tokenize(sentences)
    window_ids = {number: [] for number in range(len(sentences))}
    previous = -1
    for window in builder.windows(enumerate(tokens), limit):
        assert len(window) <= max_tokens
        assert len(window.ids) == len(window.segments) == len(window.offsets) == len(window.words)
        assert window.ids[0] == builder.cls
        for piece in window.pieces:
            assert piece.sentence in (previous, previous + 1)
            previous = piece.sentence
            assert piece.skipped == len(window_ids[piece.sentence])
            assert window.ids[piece.end] == builder.sep
            sentence = tokens[piece.sentence]
            in_window = slice(piece.start, piece.end)
            in_sentence = slice(piece.skipped, piece.skipped + piece.end - piece.start)
            assert window.offsets[in_window] == sentence.offsets[in_sentence]
            assert window.words[in_window] == sentence.words[in_sentence]
            window_ids[piece.sentence] += window.ids[in_window]
    assert [window_ids[number] for number in range(len(sentences))] == [t.ids for t in tokens]


@settings(deadline=None, max_examples=60)
@given(text=st.text("Port strike said A😀’.,“\u200b", max_size=60))
def test_offsets_are_code_points_of_the_text(subwords, text):
    builder = subwords(40)
    [tokens] = builder.tokenize([text])
    unknown = builder.tokenizer.token_to_id("[UNK]")
    for number, (start, end) in zip(tokens.ids, tokens.offsets, strict=True):
        assert 0 <= start < end <= len(text)
        if number != unknown:
            surface = text[start:end].replace("\u200b", "").lower()
            assert surface == builder.tokenizer.id_to_token(number).removeprefix("##")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "tokenizer.json: expected a tokenizer, found"),
        (
            '{"version": "1.0", "model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}, '
            '"added_tokens": []}',
            "tokenizer.json: the tokenizer has neither [CLS] [SEP] [PAD] nor <s> </s> <pad>",
        ),
        (b"\xff\xfe", "tokenizer.json: 'utf-8' codec can't decode"),
        (None, "tokenizer.json: No such file"),
    ],
)
def test_an_unusable_tokenizer_is_a_model_error(tmp_path, content, message):
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ModelError) as error:
        WindowBuilder.from_file(path, 16)
    assert message in str(error.value)


def test_special_tokens_of_roberta_are_accepted(words_tokenizer):
    renamed = (
        words_tokenizer.replace("[CLS]", "<s>").replace("[SEP]", "</s>").replace("[PAD]", "<pad>")
    )
    builder = WindowBuilder.from_json(renamed, 16)
    assert (builder.pad, builder.cls, builder.sep) == (0, 2, 3)
