"""Test the predictor with a backend of known outputs: its queries to the network, and its predictions."""

import numpy as np
import pytest

from claimstance.model.config import ModelConfig
from claimstance.model.encoding import CancelledError
from claimstance.model.labels import OPINION_HEADS, ROLES, bio
from claimstance.model.predictor import Predictor
from claimstance.model.stance_queries import StanceQuery
from claimstance.model.text.layout import layout_of_lines
from claimstance.model.windows import SentenceSpan

TAGS = bio(ROLES)
STANCES = ("against", "neutral", "favor")
ROLE_OF = {"he": "B-source", "said": "B-cue", "so": "B-content", "much": "I-content"}


class Oracle:
    """Stand in for a network: tag words by ``ROLE_OF`` and ``Ada`` as a person, and score claims by their length."""

    def __init__(self, builder):
        self.builder = builder
        self.asked = []  # the spans of every stance query
        self.windows = []
        vocabulary = {"he": 4, "said": 5, "so": 6, "much": 7, "Ada": 8}
        builder.tokenizer.add_tokens(list(vocabulary))
        self.tags = {builder.tokenizer.token_to_id(word): tag for word, tag in ROLE_OF.items()}
        self.person = builder.tokenizer.token_to_id("Ada")

    def read(self, ids, segments, sentences):
        self.windows.append((ids[0].tolist(), segments[0].tolist()))
        tags, people = np.zeros((1, ids.shape[1], len(TAGS))), np.zeros((1, ids.shape[1], 3))
        for token, number in enumerate(ids[0]):
            tags[0, token, TAGS.index(self.tags.get(int(number), "O"))] = 9.0
            people[0, token, 1 if number == self.person else 0] = 9.0
        lengths = sentences[:, 2] - sentences[:, 1]
        return {
            "hidden": ids.astype(float)[..., None],
            "attribution": tags,
            "entity": people,
            "claim": np.stack([np.zeros(len(lengths)), lengths], axis=1).astype(float),
        }

    def stance(self, hidden, holders, targets, sentences):
        for row in zip(holders.tolist(), targets.tolist(), sentences.tolist(), strict=True):
            self.asked.append(tuple(tuple(span[1:]) for span in row))
        return np.stack([targets[:, 1], targets[:, 2], holders[:, 1]], axis=1).astype(float)

    def link(self, hidden, cues, spans):
        return np.full((len(cues), 2), 5.0)


@pytest.fixture
def make_reader(word_windows):
    def make(max_tokens=16, workers=1, **config):
        builder = word_windows(max_tokens)
        labels = {"claim": ("no_claim", "claim"), "stance": STANCES, "entity": ("PERSON",)}
        tasks = ("attribution", "entity", "claim", "stance")
        settings = ModelConfig(
            encoder={}, tasks=tasks, labels=labels, max_tokens=max_tokens, **config
        )
        return Predictor(settings, builder, Oracle(builder), workers)

    return make


def test_one_encoder_pass_gives_all_predictions(make_reader):
    predictor = make_reader()
    predictions = predictor.read(["he said so much", "Ada left ."])
    assert len(predictor.backend.windows) == len(predictions.windows) == 1
    [attribution] = predictions.attributions
    assert (attribution.source, attribution.cue) == (
        (SentenceSpan(0, 0, 2),),
        (SentenceSpan(0, 3, 7),),
    )
    assert attribution.content == (SentenceSpan(0, 8, 15),)  # two tokens, one piece
    assert [(entity.span, entity.label) for entity in predictions.entities] == [
        (SentenceSpan(1, 0, 3), "PERSON")
    ]
    np.testing.assert_allclose(
        predictions.probabilities["claim"][:, 1], 1 / (1 + np.exp([-4.0, -3.0]))
    )
    assert "check_worthy" not in predictions.probabilities
    assert predictions.warnings == []


def test_predictions_without_a_head_are_none(word_windows):
    builder = word_windows()
    oracle = Oracle(builder)
    oracle.read = lambda ids, segments, sentences: {"hidden": ids.astype(float)[..., None]}
    predictor = Predictor(ModelConfig(encoder={}, tasks=("stance",)), builder, oracle)
    predictions = predictor.read(["he said so"])
    assert (predictions.attributions, predictions.entities, predictions.probabilities) == (
        None,
        None,
        {},
    )


def test_no_sentences_give_empty_predictions(make_reader):
    predictor = make_reader()
    predictions = predictor.read([])
    assert (predictions.windows, predictions.attributions, predictions.entities) == ([], [], [])
    assert predictions.probabilities["claim"].shape == (0, 2)
    assert predictor.stances(predictions, []).shape == (0, 3)


def test_attributions_come_in_the_order_of_their_sentences(make_reader):
    predictions = make_reader(8).read(["he said so", "x", "he said much", "he said so"])
    assert [attribution.sentence for attribution in predictions.attributions] == [0, 2, 3]


def test_a_quotation_before_a_name_has_the_probability_of_its_claim(make_reader):
    predictor = make_reader(32)
    texts = ["“it goes on”", "— Ada Lee, minister"]
    for layout, count in ((layout_of_lines(texts, [0, 1]), 1), (None, 0)):
        predictions = predictor.result(predictor.submit(texts, layout=layout))
        assert len(predictions.attributions) == count
    predictions = predictor.result(predictor.submit(texts, layout=layout_of_lines(texts, [0, 1])))
    [attribution] = predictions.attributions
    assert attribution.source == (SentenceSpan(1, 2, 9),)
    assert (attribution.cue, attribution.content) == ((), (SentenceSpan(0, 0, 12),))
    assert attribution.probability == pytest.approx(predictions.probabilities["claim"][0, 1])


def test_unquoted_speech_ends_with_its_line(make_reader):
    texts = ["he said so much", "much rain"]
    for lines, last in (([0, 0], 1), ([0, 1], 0)):
        predictor = make_reader()
        predictions = predictor.result(
            predictor.submit(texts, layout=layout_of_lines(texts, lines))
        )
        attribution = next(a for a in predictions.attributions if a.cue)
        assert max(piece.sentence for piece in attribution.content) == last


def test_a_stance_toward_a_mention_needs_no_second_pass(make_reader):
    predictor = make_reader()
    predictions = predictor.read(["x y", "he said so about Ada"])
    # [CLS] x y [SEP] he said so about Ada [SEP]: the second sentence is tokens 4 to 9.
    rows = predictor.stances(
        predictions,
        [
            StanceQuery(1, (0, 2), (17, 20)),
            StanceQuery(1, None, (17, 20)),
            StanceQuery(0, None, (2, 3)),
        ],
    )
    assert predictor.backend.asked == [
        ((4, 5), (8, 9), (4, 9)),
        ((0, 0), (8, 9), (4, 9)),
        ((0, 0), (2, 3), (1, 3)),
    ]
    assert len(predictor.backend.windows) == 1
    assert rows.shape == (3, 3)
    np.testing.assert_allclose(rows.sum(axis=1), 1)
    logits = np.exp(np.array([8.0, 9.0, 4.0]) - 9)
    np.testing.assert_allclose(rows[0], logits / logits.sum())


def test_stances_come_in_the_order_of_their_queries(make_reader):
    predictor = make_reader(8)
    predictions = predictor.read(["a b c d", "e f g h"])  # one window for each sentence
    queries = [
        StanceQuery(1, None, (2, 3)),
        StanceQuery(0, None, "t"),
        StanceQuery(0, None, (4, 5)),
        StanceQuery(1, None, (0, 1)),
        StanceQuery(0, (2, 3), "t"),
    ]
    together = predictor.stances(predictions, queries)
    for row, query in zip(together, queries, strict=True):
        np.testing.assert_allclose(row, predictor.stances(predictions, [query])[0])
    assert len({tuple(row.round(6)) for row in together}) == 5


def test_a_topic_is_encoded_once_with_its_sentence(make_reader):
    predictor = make_reader()
    predictions = predictor.read(["x y", "he said so"])
    predictor.stances(
        predictions, [StanceQuery(1, (0, 2), "gun laws"), StanceQuery(1, None, "gun laws")]
    )
    assert len(predictor.backend.windows) == 2
    ids, segments = predictor.backend.windows[1]
    assert segments == [0, 0, 0, 0, 0, 1, 1, 1]
    assert ids[1:4] == predictions.tokens[1].ids
    assert predictor.backend.asked == [((1, 2), (5, 7), (1, 4)), ((0, 0), (5, 7), (1, 4))]
    assert predictions.warnings == []


def test_a_target_without_tokens_is_scored_as_a_topic(make_reader):
    predictor = make_reader()
    predictions = predictor.read(["x y"])
    predictor.stances(
        predictions, [StanceQuery(0, (1, 2), (0, 1))]
    )  # the holder is a space, so it is nobody
    assert predictor.backend.asked == [((0, 0), (1, 2), (1, 3))]
    predictor.stances(predictions, [StanceQuery(0, None, (1, 2))])
    assert len(predictor.backend.windows) == 2


def test_logits_of_a_long_sentence_are_averaged_over_its_pieces(make_reader):
    predictor = make_reader(10)
    predictions = predictor.read([" ".join("abcdefghijkl")])  # pieces of 8 and 4 tokens
    logit = (8 * 8 + 4 * 4) / 12
    np.testing.assert_allclose(predictions.probabilities["claim"][0, 1], 1 / (1 + np.exp(-logit)))
    assert predictions.warnings == [
        "sentence 0: 12 tokens do not fit one window of 8: read in pieces"
    ]
    # "l" is the fourth token of the second piece.
    predictor.stances(predictions, [StanceQuery(0, None, (22, 23))])
    assert predictor.backend.asked == [((0, 0), (4, 5), (1, 5))]


def test_a_sentence_without_tokens_is_undecided_and_gives_a_warning(make_reader):
    predictions = make_reader().read(["x", " ", "y"])
    assert predictions.warnings == ["sentence 1: no token that the model knows: nothing read"]
    assert predictions.probabilities["claim"][1].tolist() == [0.5, 0.5]


def test_a_topic_that_does_not_fit_gives_a_warning(make_reader):
    predictor = make_reader(10)
    predictions = predictor.read(["a b c d e f"])
    predictor.stances(predictions, [StanceQuery(0, None, "g h")])
    assert predictions.warnings == [
        "sentence 0: does not fit one window with the topic 'g h': the end of it is not read for that stance"
    ]


def test_each_kind_of_query_has_its_own_calibration(make_reader):
    queries = [
        StanceQuery(0, (0, 2), (17, 20)),
        StanceQuery(0, None, (17, 20)),
        StanceQuery(0, None, "gun laws"),
        StanceQuery(0, (0, 2), "it"),
    ]
    assert [query.kind for query in queries] == [
        "stance.holder",
        "stance.mention",
        "stance.topic",
        "stance.holder_topic",
    ]

    def logits(**config):
        predictor = make_reader(**config)
        rows = np.log(predictor.stances(predictor.read(["he said so about Ada"]), queries))
        return rows - rows[:, :1]

    plain = logits()
    fitted = logits(
        temperatures={"stance": 8.0, "stance.holder": 2.0, "stance.mention": 4.0},
        biases={"stance.favor": 1.0, "stance.holder.neutral": 0.5},
    )
    np.testing.assert_allclose(fitted[0], (plain[0] + [0, 0.5, 0]) / 2, atol=1e-6)
    # A kind with its own temperature has no bias of the task.
    np.testing.assert_allclose(fitted[1], plain[1] / 4, atol=1e-6)
    np.testing.assert_allclose(fitted[2:], (plain[2:] + np.array([0, 0, 1.0])) / 8, atol=1e-6)
    # An older model has one calibration for all topics.
    older = logits(temperatures={"stance": 8.0, "stance.topic": 2.0})
    np.testing.assert_allclose(older[2:], plain[2:] / 2, atol=1e-6)


def test_a_bias_of_an_older_model_belongs_to_the_last_label(make_reader):
    predictor = make_reader(biases={"claim": 1.5}, temperatures={"claim": 2.0})
    logit = (4 + 1.5) / 2
    np.testing.assert_allclose(
        predictor.read(["he said so much"]).probabilities["claim"][0, 1], 1 / (1 + np.exp(-logit))
    )


def test_temperatures_soften_without_changing_the_answer(make_reader):
    texts, query = ["he said so about Ada"], StanceQuery(0, (0, 2), (17, 20))
    sharp, soft = make_reader(), make_reader(temperatures={"claim": 2.0, "stance": 4.0})
    sharp_predictions, soft_predictions = sharp.read(texts), soft.read(texts)
    np.testing.assert_allclose(
        soft_predictions.probabilities["claim"][0, 1], 1 / (1 + np.exp(-5 / 2))
    )
    sharp_row = sharp.stances(sharp_predictions, [query])[0]
    soft_row = soft.stances(soft_predictions, [query])[0]
    assert sharp_row.argmax() == soft_row.argmax()
    np.testing.assert_allclose(
        np.log(soft_row / soft_row[0]), np.log(sharp_row / sharp_row[0]) / 4, atol=1e-9
    )


@pytest.mark.parametrize("workers", [1, 2])
def test_encoding_ends_once_stop_returns_true(make_reader, workers):
    predictor, remaining_windows = make_reader(8, workers), 3

    def should_cancel():
        nonlocal remaining_windows
        remaining_windows -= 1
        return remaining_windows < 0

    submission = predictor.submit(
        ["he said so", "x y", "Ada left early", "so it goes on", "he said so"], should_cancel
    )
    with pytest.raises(CancelledError):
        predictor.result(submission)
    assert len(predictor.backend.windows) == 3
    remaining_windows = 2  # the window of the sentence, and the first of three with topics
    predictions = predictor.result(predictor.submit(["x y z"], should_cancel))
    with pytest.raises(CancelledError):
        predictor.stances(
            predictions, [StanceQuery(0, None, topic) for topic in ("so", "much", "Ada")]
        )
    assert len(predictor.backend.windows) == 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Moscow's moves", "moves"),
        ("Moscow’s moves", "moves"),
        ("Moscow s moves", "s moves"),
        ("buses move", "buses move"),
    ],
)
def test_a_target_leaves_the_possessive_ending_to_the_name_before_it(make_reader, text, words):
    start = text.index("s moves") if "s moves" in text else 0
    assert found_targets(make_reader, text, [text[start:]]) == [words]


def found_targets(make_reader, text, tagged):
    """Return the words of the targets in a text if these words are tagged as such, with O between them."""
    predictor = make_reader(opinion_spans=True)
    [tokens] = predictor.windows.tokenize([text])
    spans = []
    end = 0
    for words in tagged:
        start = text.index(words, end)
        end = start + len(words)
        inside = [n for n, (first, _) in enumerate(tokens.offsets, 1) if start <= first < end]
        spans.append(inside)
    read = predictor.backend.read

    def read_with_targets(ids, segments, sentences):
        tags = {head: np.zeros((1, ids.shape[1], 3)) for head in OPINION_HEADS}
        tags["opinion_target"][:, :, 0] = 1.0
        for first, *others in spans:
            tags["opinion_target"][0, first, 1] = 9.0
            tags["opinion_target"][0, others, 2] = 9.0
        return {**read(ids, segments, sentences), **tags}

    predictor.backend.read = read_with_targets
    targets = predictor.read([text]).opinions["opinion_target"]
    return [text[span.start : span.end] for span in targets]


@pytest.mark.parametrize(
    ("text", "tagged", "targets"),
    [
        ("signs of an ongoing buildup there", ["signs of", "ongoing buildup"], ["signs of an ongoing buildup"]),
        ("the people of Scranton and towns", ["people of Scranton and"], ["people of Scranton"]),
        ("the measures, and that they saw", ["measures, and that"], ["measures"]),
        ("he votes for Trump now", ["for Trump"], ["Trump"]),
        ("he tries to buy it", ["to", "it"], ["it"]),
        ("he hates that", ["that"], ["that"]),
        ("the buildup in Syria’s north", ["buildup in Syria’"], ["buildup in Syria"]),
        ("they fight ISIL (Islamic State) there", ["ISIL (Islamic State"], ["ISIL (Islamic State)"]),
        ("they (and the mayor) left", ["mayor"], ["mayor"]),
        ("the workers’ , they", ["’ ,"], []),
        ("For Trump they vote", ["For Trump"], ["Trump"]),
        ("they read To Kill a Mockingbird", ["To Kill a Mockingbird"], ["To Kill a Mockingbird"]),
        ("they like AT&T", ["AT&T"], ["AT&T"]),
        ("they like in-person voting", ["in-person voting"], ["in-person voting"]),
        ("they like the sit-in", ["the sit-in"], ["the sit-in"]),
        ("they like Trump and the media", ["Trump and", "media"], ["Trump", "media"]),
        ("they hate that the president won", ["that", "president"], ["that", "president"]),
        ("he hates the plan the mayor has", ["the plan", "mayor"], ["the plan", "mayor"]),
        ("bread and butter", ["bread and butter"], ["bread and butter"]),
    ],
)  # fmt: skip
def test_a_target_neither_begins_nor_ends_with_a_function_word(make_reader, text, tagged, targets):
    assert found_targets(make_reader, text, tagged) == targets
