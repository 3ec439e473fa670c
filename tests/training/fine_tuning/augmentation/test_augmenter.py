"""Test augmented sentences: which stances stay, and which pairs have none."""

import random

import pytest

from claimstance.model.errors import ConfigError
from claimstance.model.labels import DEFAULT_LABELS
from claimstance.model.record import Record, Stance
from claimstance.model.windows import WindowBuilder
from claimstance.training.fine_tuning.augmentation.augmenter import METHODS, Augmenter
from claimstance.training.fine_tuning.collation import collate
from claimstance.training.fine_tuning.epoch_sampler import EpochSampler, SamplingConfig
from claimstance.training.fine_tuning.examples import ExampleBuilder
from claimstance.training.fine_tuning.train import train

NONE = tuple(float(label == "neutral") for label in DEFAULT_LABELS["stance"])
ROWS = (
    ("Ada blamed Bo .", "Ada", "Bo", "against"),
    ("Cy met Dee .", "Cy", "Dee", "neutral"),
    ("Eve , they say , is a hero", None, "Eve", "favor"),
    ("We saw it", None, "gun laws", "against"),
    ("Flo likes old Ada", "Flo", "old Ada", "favor"),
)


def record(number):
    text, holder, target, label = ROWS[number]

    def span_of(name):
        return [(text.index(name), text.index(name) + len(name))] if name and name in text else name

    return Record(
        id=str(number),
        text=text,
        stances=[Stance(holder=span_of(holder), target=span_of(target), label=label)],
    )


def row(text, *stances):
    def span_of(name):
        return name and [(text.index(name), text.index(name) + len(name))]

    return Record(
        id="1",
        text=text,
        stances=[
            Stance(holder=span_of(holder), target=span_of(target), label=label)
            for holder, target, label in stances
        ],
    )


@pytest.fixture
def windows(tokenizer_json):
    return WindowBuilder.from_json(tokenizer_json, 64)


@pytest.fixture
def make(windows):
    return lambda *numbers: ExampleBuilder(windows, DEFAULT_LABELS).build(
        [record(number) for number in numbers]
    )


def words(example, span, windows):
    return (
        windows.tokenizer.decode(example.tokens.ids[slice(*span)]).replace(" ##", "").title()
        if span
        else None
    )


def labels_by_pair(example, windows):
    """Return the label of every stance by its holder and target, in words."""
    return {
        (
            words(example, stance.holder, windows),
            words(example, stance.target, windows),
        ): DEFAULT_LABELS["stance"][stance.probabilities.index(1)]
        for stance in example.stances
    }


def test_joined_sentences_keep_their_stances_and_have_none_across(make, windows):
    [first], [second] = make(0, 1)
    seen, joints = {}, set()
    for seed in range(30):
        joined = Augmenter(windows, NONE).join(first, second, random.Random(seed))
        assert joined.tokens.ids[: len(first) - 1] == first.tokens.ids[:-1]  # without its full stop
        joints.add(windows.tokenizer.decode(joined.tokens.ids[len(first) - 1 : -len(second)]))
        assert joined.tokens.ids[-len(second) :] == second.tokens.ids
        assert len(joined.stances) == 2 + 4
        seen |= labels_by_pair(joined, windows)
    assert len(joints) == 6
    assert not any(joint.startswith(". ") for joint in joints)
    own = {("Ada", "Bo"): "against", ("Cy", "Dee"): "neutral"}
    across = set()
    for first_name in ("Ada", "Bo"):
        for second_name in ("Cy", "Dee"):
            across |= {(first_name, second_name), (second_name, first_name)}
    assert seen == own | dict.fromkeys(across, "neutral")


def test_stances_without_a_holder_stay_in_joined_sentences(make, windows):
    [first], [second] = make(2, 0)
    joined = Augmenter(windows, NONE).join(first, second, random.Random(1))
    labels = labels_by_pair(joined, windows)
    assert labels[None, "Eve"] == "favor"
    assert labels["Ada", "Bo"] == "against"
    assert set(labels.values()) - {"favor", "against"} == {"neutral"}
    assert all(holder for (holder, _), label in labels.items() if label == "neutral")


def test_stances_toward_a_topic_are_left_out(make, windows):
    [first], [second] = make(3, 1)
    augmenter = Augmenter(windows, NONE)
    assert labels_by_pair(augmenter.join(first, second, random.Random(0)), windows) == {
        ("Cy", "Dee"): "neutral"
    }
    assert not augmenter.takes_side(first)  # against a topic, not against anybody in the sentence


def test_a_neutral_stance_takes_no_side(make, windows):
    assert [Augmenter(windows, NONE).takes_side(document[0]) for document in make(0, 1, 2)] == [
        True,
        False,
        True,
    ]


ALL = {"": 1.0}  # for rows without the name of a corpus


@pytest.mark.parametrize(
    ("mixture", "count"),
    [
        ({}, 0),
        ({"joined": {"": 0.5}}, 1),
        ({"joined": ALL}, 2),
        ({"unsaid": ALL}, 1),
        ({"joined": ALL, "unsaid": ALL}, 3),
        ({"joined": {"another": 1.0}}, 0),
        ({"beside": ALL}, 1),
        ({"quoted": ALL}, 1),
        ({"negated": ALL}, 1),
        (dict.fromkeys(METHODS, ALL), 6),
    ],
)
def test_a_share_of_the_eligible_sentences_is_augmented(make, windows, mixture, count):
    documents = make(0, 1, 2, 3)
    mixture = SamplingConfig(
        context_share=0.0, isolated_share=0.0, topic_share=0.0, augmentation=mixture
    )
    planner = EpochSampler(documents, windows, mixture, Augmenter(windows, NONE))
    original = {id(document[0]) for document in documents}
    topic_only = id(documents[3][0])  # its only stance is toward a topic
    augmented_windows = []
    for number in range(3):
        epoch = [w for batch in planner.epoch(number) for w in batch if not w.topic_stances]
        assert {id(e) for w in epoch for e in w.examples} >= original - {topic_only}
        augmented_windows.append([w for w in epoch if not {id(e) for e in w.examples} <= original])
    assert [len(epoch) for epoch in augmented_windows] == [count] * 3
    for window in augmented_windows[0]:
        tensors = collate([window], pad=0)
        assert len(tensors["stance"]) == len(window.examples[0].stances)
        # The window has no other sentence.
        assert (tensors["pair_sentences"] == tensors["sentences"]).all()
        assert tensors["claim"].tolist() == [-100]


def test_stances_of_a_sentence_that_may_be_false_are_neutral(make, windows):
    [example], [without_holder] = make(0, 2)
    augmenter = Augmenter(windows, NONE)
    variants = [augmenter.unsay(example, random.Random(seed)) for seed in range(30)]
    assert all(
        labels_by_pair(variant, windows) == {("Ada", "Bo"): "neutral"} for variant in variants
    )
    assert all(variant.tokens.ids[-len(example) :] == example.tokens.ids for variant in variants)
    prefixes = {
        windows.tokenizer.decode(variant.tokens.ids[: -len(example)]) for variant in variants
    }
    assert len(prefixes) > 4
    assert labels_by_pair(example, windows) == {("Ada", "Bo"): "against"}  # as it was
    # A stance without a holder cannot be retracted: the words may mock.
    assert augmenter.unsay(without_holder, random.Random(0)).stances == []
    assert augmenter.takes_side(without_holder)
    assert not augmenter.takes_side(without_holder, only_named_holders=True)


def test_offsets_and_words_increase_in_joined_sentences(make, windows):
    [first], [second] = make(0, 1)
    tokens = Augmenter(windows, NONE).join(first, second, random.Random(0)).tokens
    assert tokens.offsets == sorted(tokens.offsets)
    word_numbers = [word for word in tokens.words if word is not None]
    assert word_numbers == sorted(word_numbers)
    first_words = len(set(first.tokens.words)) - 1  # without its full stop
    joint_words = len(set(tokens.words[len(first) - 1 : len(tokens) - len(second)]))
    assert len(set(word_numbers)) == first_words + len(set(second.tokens.words)) + joint_words


def test_a_bystander_takes_no_side(make, windows):
    [example], [other_example] = make(0, 1)
    positions, contexts = set(), set()
    for seed in range(60):
        augmented = Augmenter(windows, NONE).add_bystander(
            example, other_example, random.Random(seed)
        )
        labels = labels_by_pair(augmented, windows)
        assert labels.pop(("Ada", "Bo")) == "against"
        (bystander,) = {name for pair in labels for name in pair} - {"Ada", "Bo"}
        assert bystander in ("Cy", "Dee")
        assert labels == dict.fromkeys(
            [("Ada", bystander), ("Bo", bystander), (bystander, "Ada"), (bystander, "Bo")],
            "neutral",
        )
        text = windows.tokenizer.decode(augmented.tokens.ids).replace(" ##", "")
        assert "ada blamed bo" in text
        has_prefix = augmented.stances[0].holder[0] > 0  # Ada no longer begins the sentence
        # Else the full stop of the example ends the sentence.
        assert has_prefix or augmented.tokens.ids[-1:] == example.tokens.ids[-1:]
        positions.add(has_prefix)
        contexts.add(text.replace(bystander.lower(), "X"))
        assert augmented.tokens.offsets == sorted(augmented.tokens.offsets)
    assert positions == {True, False}
    assert len(contexts) == 12
    assert labels_by_pair(example, windows) == {("Ada", "Bo"): "against"}  # as it was


def test_stances_without_a_holder_are_left_out_beside_a_bystander(make, windows):
    [without_holder], [other_example] = make(2, 0)
    augmenter = Augmenter(windows, NONE)
    augmented = augmenter.add_bystander(without_holder, other_example, random.Random(0))
    assert augmented.stances == []  # the bystander may hold the stance that they report


def test_a_speaker_holds_the_stances_of_the_quotation(make, windows):
    [without_holder], [other_example] = make(2, 0)
    sentence = "eve , they say , is a hero"
    contexts = set()
    for seed in range(100):
        quotation = Augmenter(windows, NONE).quote(
            without_holder, other_example, random.Random(seed)
        )
        labels = labels_by_pair(quotation, windows)
        (speaker,) = {holder for holder, _ in labels} - {"Eve"}
        assert speaker in ("Ada", "Bo")
        assert labels == {(speaker, "Eve"): "favor", ("Eve", speaker): "neutral"}
        text = windows.tokenizer.decode(quotation.tokens.ids).replace(" ##", "")
        assert sentence in text
        contexts.add(text.replace(speaker.lower(), "X"))
        assert quotation.tokens.offsets == sorted(quotation.tokens.offsets)
    assert len(contexts) == 13
    assert labels_by_pair(without_holder, windows) == {(None, "Eve"): "favor"}  # as it was


def test_a_pronoun_does_not_name_a_speaker(make, windows):
    rows = [
        row("Cy said he knows she met him", ("he", "him", "neutral")),
        row("Gus said he met Dee", ("he", "Dee", "favor")),
    ]
    [with_pronouns], [with_name] = ExampleBuilder(windows, DEFAULT_LABELS).build(rows)
    augmenter, [without_holder] = Augmenter(windows, NONE), make(2)[0]
    assert augmenter.augment("quoted", without_holder, [with_pronouns], random.Random(1)) is None
    assert augmenter.augment("joined", without_holder, [with_pronouns], random.Random(1))
    for seed in range(20):
        candidates = [with_pronouns, with_name, with_name]
        quotation = augmenter.augment("quoted", without_holder, candidates, random.Random(seed))
        assert ("Dee", "Eve") in labels_by_pair(quotation, windows)


@pytest.mark.parametrize(
    ("text", "holder", "suits"),
    [
        ("Bo is a disgrace.", None, True),
        ("The record of Bo, sadly, is poor. It is no joke.", None, True),
        ("Bo is a “disgrace”.", None, False),
        ("Bo is a disgrace, he was told.", None, False),
        ("Bo failed the Senate.", None, False),
        ("As NATO says, Bo failed.", None, False),
        ("Cy blamed Bo.", "Cy", False),
    ],
)
def test_only_a_sentence_without_a_speaker_can_be_quoted(windows, text, holder, suits):
    [[example]] = ExampleBuilder(windows, DEFAULT_LABELS).build(
        [row(text, (holder, "Bo", "against"))]
    )
    assert Augmenter(windows, NONE).is_eligible("quoted", example) is suits


def denials(windows, record):
    """Return the variants of a sentence with an added *not*, and the labels of their stances."""
    [[example]] = ExampleBuilder(windows, DEFAULT_LABELS).build([record])
    variants = [Augmenter(windows, NONE).negate(example, random.Random(seed)) for seed in range(60)]
    labels = {}
    for variant in variants:
        if variant:
            text = windows.tokenizer.decode(variant.tokens.ids).replace(" ##", "")
            labels[text] = labels_by_pair(variant, windows)
    return labels


def test_a_negated_holder_takes_no_side(windows):
    stances = (
        ("Ada", "Bo", "against"),
        ("Cy", "Bo", "against"),
        ("Bo", "Ada", "neutral"),
        ("Ada", "Cy", "favor"),
    )
    negated = denials(windows, row("Ada has blamed Bo, and Cy did, too", *stances))
    assert {*negated} == {
        f"ada has {word} blamed bo , and cy did , too" for word in ("not", "never")
    }
    # Ada's stance toward Cy is left out, since the scope of the negation is unknown.
    for labels in negated.values():
        assert labels == {
            ("Ada", "Bo"): "neutral",
            ("Cy", "Bo"): "against",
            ("Bo", "Ada"): "neutral",
        }


@pytest.mark.parametrize(
    ("text", "count", "negated_text"),
    [
        ("Ada blamed Bo", 5, "ada had never blamed bo"),
        ("Ada will praise Bo", 5, "ada refused to praise bo"),
        ("We say: Ada is against Bo.", 2, "we say : ada is no longer against bo ."),
        ("Ada blames Bo", 0, None),
        ("Ada has not blamed Bo", 0, None),
        ("Ada has a car, a house, and a grudge, it seems, against Bo", 0, None),
        ("Of Bo, Ada has said much", 0, None),
        ("We blame it on Bo and Ada", 0, None),
    ],
)
def test_only_a_target_that_soon_follows_is_negated(windows, text, count, negated_text):
    negated = denials(windows, row(text, ("Ada", "Bo", "against")))
    assert len(negated) == count
    assert all(labels == {("Ada", "Bo"): "neutral"} for labels in negated.values())
    assert negated_text is None or negated_text in negated


def test_a_neutral_stance_or_one_toward_a_topic_is_not_negated(windows):
    assert denials(windows, row("Ada has met Bo", ("Ada", "Bo", "neutral"))) == {}
    topic = Record(
        id="1",
        text="Ada has blamed them",
        stances=[Stance(holder=[(0, 3)], target="gun laws", label="against")],
    )
    assert denials(windows, topic) == {}


def test_the_full_stop_of_a_name_stays(windows):
    rows = [
        Record(
            id="1",
            text="Ada blamed the U.S.",
            stances=[Stance(holder=[(0, 3)], target=[(11, 19)], label="against")],
        ),
        record(1),
    ]
    [first], [second] = ExampleBuilder(windows, DEFAULT_LABELS).build(rows)
    augmenter = Augmenter(windows, NONE)
    for seed in range(20):
        for augment in (augmenter.join, augmenter.add_bystander):
            augmented = augment(first, second, random.Random(seed))
            target = words(first, first.stances[0].target, windows)
            assert labels_by_pair(augmented, windows)["Ada", target] == "against"


def test_an_example_that_needs_several_windows_is_left_out(word_windows):
    documents = ExampleBuilder(word_windows(40), DEFAULT_LABELS).build([record(0), record(1)])
    # A joined sentence has ten words, an unsaid one seven or more.
    for window_size, additional in ((40, 3), (9, 1), (6, 0)):
        windows = word_windows(window_size)
        planner = EpochSampler(
            documents,
            windows,
            SamplingConfig(
                context_share=0.0, topic_share=0.0, augmentation={"joined": ALL, "unsaid": ALL}
            ),
            Augmenter(windows, NONE),
        )
        epoch_sizes = [sum(map(len, planner.epoch(number))) for number in range(20)]
        assert max(epoch_sizes) <= 2 + additional
        assert additional < 2 or min(epoch_sizes) > 2


def test_an_epoch_has_the_same_examples_whenever_it_is_sampled(make, windows):
    planner = EpochSampler(
        make(0, 1, 2),
        windows,
        SamplingConfig(augmentation=dict.fromkeys(METHODS, ALL)),
        Augmenter(windows, NONE),
    )

    def epoch_ids(number):
        return [window.window.ids for batch in planner.epoch(number) for window in batch]

    first = epoch_ids(0)
    assert any(epoch_ids(0) != epoch_ids(number) for number in range(1, 5))
    assert epoch_ids(0) == first


def test_shares_of_augmentation_do_not_depend_on_sampling(make, windows):
    mixture = SamplingConfig(
        context_share=0.0,
        topic_share=0.0,
        augmentation={"quoted": ALL, "unsaid": {"": 0.0}},
        corpus_shares={"": 0.0},
    )
    batches = EpochSampler(make(0, 1, 2), windows, mixture, Augmenter(windows, NONE)).epoch(0)
    [example] = [example for batch in batches for window in batch for example in window.examples]
    # The quotation gives the favorable stance toward Eve a holder.
    assert "favor" in labels_by_pair(example, windows).values()


def test_sentences_that_may_share_a_person_are_related(make, windows):
    [first], [second], [third] = make(0, 1, 4)
    augmenter = Augmenter(windows, NONE)
    assert augmenter.are_unrelated(first, second)
    assert not augmenter.are_unrelated(first, third)
    assert not augmenter.are_unrelated(third, first)
    assert not augmenter.are_unrelated(first, first)


def test_the_label_of_no_stance_must_be_known(tmp_path, make_config):
    config = make_config(tmp_path / "out", joined={"": 0.5}, no_stance="neutrl")
    with pytest.raises(
        ConfigError, match=r"no_stance: unknown label 'neutrl'\. Did you mean 'neutral'"
    ):
        train(config, {"train": [record(0), record(1)]}, {})
