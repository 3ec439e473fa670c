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
from claimstance.training.fine_tuning.examples import build_examples
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

    def place(name):
        return [(text.index(name), text.index(name) + len(name))] if name and name in text else name

    return Record(
        id=str(number),
        text=text,
        stances=[Stance(holder=place(holder), target=place(target), label=label)],
    )


def row(text, *stances):
    def place(name):
        return name and [(text.index(name), text.index(name) + len(name))]

    return Record(
        id="1",
        text=text,
        stances=[
            Stance(holder=place(holder), target=place(target), label=label)
            for holder, target, label in stances
        ],
    )


@pytest.fixture
def windows(tokenizer_json):
    return WindowBuilder.from_json(tokenizer_json, 64)


@pytest.fixture
def make(windows):
    return lambda *numbers: build_examples(
        [record(number) for number in numbers], windows, DEFAULT_LABELS, {}
    )


def words(example, span, windows):
    return (
        windows.tokenizer.decode(example.tokens.ids[slice(*span)]).replace(" ##", "").title()
        if span
        else None
    )


def asked(example, windows):
    """Holder, target and label of every stance, as words."""
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
        seen |= asked(joined, windows)
    assert len(joints) == 6
    assert not any(joint.startswith(". ") for joint in joints)
    own = {("Ada", "Bo"): "against", ("Cy", "Dee"): "neutral"}
    left, right = ("Ada", "Bo"), ("Cy", "Dee")
    across = {pair for a in left for b in right for pair in ((a, b), (b, a))}
    assert seen == own | dict.fromkeys(across, "neutral")


def test_stances_without_a_holder_stay_in_joined_sentences(make, windows):
    [first], [second] = make(2, 0)
    joined = Augmenter(windows, NONE).join(first, second, random.Random(1))
    found = asked(joined, windows)
    assert found[None, "Eve"] == "favor"
    assert found["Ada", "Bo"] == "against"
    assert set(found.values()) - {"favor", "against"} == {"neutral"}
    assert all(holder for (holder, _), label in found.items() if label == "neutral")


def test_stances_toward_a_topic_are_left_out(make, windows):
    [first], [second] = make(3, 1)
    augmenter = Augmenter(windows, NONE)
    assert asked(augmenter.join(first, second, random.Random(0)), windows) == {
        ("Cy", "Dee"): "neutral"
    }
    assert not augmenter.takes_side(first)  # against a topic, not against anybody in the sentence


def test_a_neutral_stance_takes_no_side(make, windows):
    assert [Augmenter(windows, NONE).takes_side(document[0]) for document in make(0, 1, 2)] == [
        True,
        False,
        True,
    ]


ALL = {"": 1.0}  # of rows without a corpus's name


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
def test_a_share_of_the_eligible_sentences_is_shown_once_more(make, windows, mixture, count):
    documents = make(0, 1, 2, 3)
    mixture = SamplingConfig(
        context_share=0.0, isolated_share=0.0, topic_share=0.0, augmentation=mixture
    )
    planner = EpochSampler(documents, windows, mixture, Augmenter(windows, NONE))
    plain = {id(document[0]) for document in documents}
    shown = [
        [w for batch in planner.epoch(number) for w in batch if not w.topic_stances]
        for number in range(3)
    ]
    more = [[w for w in epoch if not {id(e) for e in w.examples} <= plain] for epoch in shown]
    assert [len(epoch) for epoch in more] == [count] * 3
    assert all(
        {id(e) for w in epoch for e in w.examples} >= plain - {id(documents[3][0])}
        for epoch in shown
    )
    for window in more[0]:
        tensors = collate([window], pad=0)
        assert len(tensors["stance"]) == len(window.examples[0].stances)
        assert (
            tensors["pair_sentences"] == tensors["sentences"]
        ).all()  # the sentence is all of it
        assert tensors["claim"].tolist() == [-100]


def test_nobody_takes_a_side_in_a_sentence_that_may_be_false(make, windows):
    [example], [nobodys] = make(0, 2)
    augmenter = Augmenter(windows, NONE)
    made = [augmenter.unsay(example, random.Random(seed)) for seed in range(30)]
    assert all(asked(one, windows) == {("Ada", "Bo"): "neutral"} for one in made)
    assert all(one.tokens.ids[-len(example) :] == example.tokens.ids for one in made)
    before = {windows.tokenizer.decode(one.tokens.ids[: -len(example)]) for one in made}
    assert len(before) > 4
    assert asked(example, windows) == {("Ada", "Bo"): "against"}  # as it was
    # What nobody named thinks cannot be taken back: the words may mock.
    assert augmenter.unsay(nobodys, random.Random(0)).stances == []
    assert augmenter.takes_side(nobodys)
    assert not augmenter.takes_side(nobodys, only_named_holders=True)


def test_offsets_and_words_increase_in_joined_sentences(make, windows):
    [first], [second] = make(0, 1)
    made = Augmenter(windows, NONE).join(first, second, random.Random(0)).tokens
    assert made.offsets == sorted(made.offsets)
    known = [word for word in made.words if word is not None]
    assert known == sorted(known)
    assert len(set(known)) == len(set(first.tokens.words)) - 1 + len(
        set(second.tokens.words)
    ) + len(set(made.words[len(first) - 1 : len(made) - len(second)]))


def test_a_bystander_takes_no_side(make, windows):
    [example], [other] = make(0, 1)
    places, around = set(), set()
    for seed in range(60):
        made = Augmenter(windows, NONE).add_bystander(example, other, random.Random(seed))
        found = asked(made, windows)
        assert found.pop(("Ada", "Bo")) == "against"
        (by,) = {name for pair in found for name in pair} - {"Ada", "Bo"}
        assert by in ("Cy", "Dee")
        assert found == dict.fromkeys([("Ada", by), ("Bo", by), (by, "Ada"), (by, "Bo")], "neutral")
        text = windows.tokenizer.decode(made.tokens.ids).replace(" ##", "")
        assert "ada blamed bo" in text
        first = made.stances[0].holder[0] > 0  # Ada no longer begins the sentence
        assert first or made.tokens.ids[-1:] == example.tokens.ids[-1:]  # a full stop ends it
        places.add(first)
        around.add(text.replace(by.lower(), "X"))
        assert made.tokens.offsets == sorted(made.tokens.offsets)
    assert places == {True, False}
    assert len(around) == 12
    assert asked(example, windows) == {("Ada", "Bo"): "against"}  # as it was


def test_stances_without_a_holder_are_left_out_beside_a_bystander(make, windows):
    [nobodys], [other] = make(2, 0)
    assert (
        Augmenter(windows, NONE).add_bystander(nobodys, other, random.Random(0)).stances == []
    )  # who reports it may hold it


def test_a_speaker_holds_the_stances_of_the_quotation(make, windows):
    [nobodys], [other] = make(2, 0)
    sentence = "eve , they say , is a hero"
    around = set()
    for seed in range(100):
        made = Augmenter(windows, NONE).quote(nobodys, other, random.Random(seed))
        found = asked(made, windows)
        (by,) = {holder for holder, _ in found} - {"Eve"}
        assert by in ("Ada", "Bo")
        assert found == {(by, "Eve"): "favor", ("Eve", by): "neutral"}
        text = windows.tokenizer.decode(made.tokens.ids).replace(" ##", "")
        assert sentence in text
        around.add(text.replace(by.lower(), "X"))
        assert made.tokens.offsets == sorted(made.tokens.offsets)
    assert len(around) == 13
    assert asked(nobodys, windows) == {(None, "Eve"): "favor"}  # as it was


def test_a_pronoun_is_no_name_of_a_speaker(make, windows):
    rows = [
        row("Cy said he knows she met him", ("he", "him", "neutral")),
        row("Gus said he met Dee", ("he", "Dee", "favor")),
    ]
    [pronouns], [one] = build_examples(rows, windows, DEFAULT_LABELS, {})
    augmenter, [nobodys] = Augmenter(windows, NONE), make(2)[0]
    assert augmenter.augment("quoted", nobodys, [pronouns], random.Random(1)) is None
    assert augmenter.augment("joined", nobodys, [pronouns], random.Random(1))
    for seed in range(20):
        found = asked(
            augmenter.augment("quoted", nobodys, [pronouns, one, one], random.Random(seed)), windows
        )
        assert ("Dee", "Eve") in found


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
    [[example]] = build_examples(
        [row(text, (holder, "Bo", "against"))], windows, DEFAULT_LABELS, {}
    )
    assert Augmenter(windows, NONE).is_eligible("quoted", example) is suits


def denials(windows, record):
    """Return the sentences made from one by adding a *not*, and the stances in each."""
    [[example]] = build_examples([record], windows, DEFAULT_LABELS, {})
    made = [Augmenter(windows, NONE).negate(example, random.Random(seed)) for seed in range(60)]
    return {
        windows.tokenizer.decode(one.tokens.ids).replace(" ##", ""): asked(one, windows)
        for one in made
        if one
    }


def test_a_negated_holder_takes_no_side(windows):
    stances = (
        ("Ada", "Bo", "against"),
        ("Cy", "Bo", "against"),
        ("Bo", "Ada", "neutral"),
        ("Ada", "Cy", "favor"),
    )
    found = denials(windows, row("Ada has blamed Bo, and Cy did, too", *stances))
    assert {*found} == {f"ada has {word} blamed bo , and cy did , too" for word in ("not", "never")}
    for stances in found.values():  # Ada's toward Cy is left out: who knows how far the not reaches
        assert stances == {
            ("Ada", "Bo"): "neutral",
            ("Cy", "Bo"): "against",
            ("Bo", "Ada"): "neutral",
        }


@pytest.mark.parametrize(
    ("text", "count", "one"),
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
def test_only_a_target_that_soon_follows_is_negated(windows, text, count, one):
    found = denials(windows, row(text, ("Ada", "Bo", "against")))
    assert len(found) == count
    assert all(stances == {("Ada", "Bo"): "neutral"} for stances in found.values())
    assert one is None or one in found


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
    [first], [second] = build_examples(rows, windows, DEFAULT_LABELS, {})
    augmenter = Augmenter(windows, NONE)
    for seed in range(20):
        for how in (augmenter.join, augmenter.add_bystander):
            made = how(first, second, random.Random(seed))
            assert (
                asked(made, windows)["Ada", words(first, first.stances[0].target, windows)]
                == "against"
            )


def test_an_example_that_needs_several_windows_is_left_out(word_windows):
    documents = build_examples([record(0), record(1)], word_windows(40), DEFAULT_LABELS, {})
    for room, made in (
        (40, 3),
        (9, 1),
        (6, 0),
    ):  # one joined and one unsaid, of ten words and of seven or more
        windows = word_windows(room)
        planner = EpochSampler(
            documents,
            windows,
            SamplingConfig(
                context_share=0.0, topic_share=0.0, augmentation={"joined": ALL, "unsaid": ALL}
            ),
            Augmenter(windows, NONE),
        )
        shown = [
            len(epoch)
            for epoch in ([w for batch in planner.epoch(n) for w in batch] for n in range(20))
        ]
        assert max(shown) <= 2 + made
        assert made < 2 or min(shown) > 2


def test_an_epoch_has_the_same_examples_whenever_it_is_sampled(make, windows):
    planner = EpochSampler(
        make(0, 1, 2),
        windows,
        SamplingConfig(augmentation=dict.fromkeys(METHODS, ALL)),
        Augmenter(windows, NONE),
    )

    def course(number):
        return [window.window.ids for batch in planner.epoch(number) for window in batch]

    first = course(0)
    assert any(course(0) != course(number) for number in range(1, 5))
    assert course(0) == first


def test_shares_of_augmentation_do_not_depend_on_sampling(make, windows):
    mixture = SamplingConfig(
        context_share=0.0,
        topic_share=0.0,
        augmentation={"quoted": ALL, "unsaid": {"": 0.0}},
        corpus_shares={"": 0.0},
    )
    shown = EpochSampler(make(0, 1, 2), windows, mixture, Augmenter(windows, NONE)).epoch(0)
    [example] = [example for batch in shown for window in batch for example in window.examples]
    assert "favor" in asked(example, windows).values()  # nobody's words of Eve, as somebody's


def test_sentences_that_may_share_a_person_are_related(make, windows):
    [first], [second], [third] = make(0, 1, 4)
    augmenter = Augmenter(windows, NONE)
    assert augmenter.are_unrelated(first, second)
    assert not augmenter.are_unrelated(first, third)
    assert not augmenter.are_unrelated(third, first)
    assert not augmenter.are_unrelated(first, first)


def test_no_stance_must_be_a_label(tmp_path, make_config):
    config = make_config(tmp_path / "out", joined={"": 0.5}, no_stance="neutrl")
    with pytest.raises(
        ConfigError, match=r"no_stance: unknown label 'neutrl'\. Did you mean 'neutral'"
    ):
        train(config, {"train": [record(0), record(1)]}, {})
