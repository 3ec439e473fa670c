"""Test the tensors of batches: which tokens, spans and pairs carry which labels."""

import pytest

from claimstance.model.labels import DEFAULT_LABELS, ROLES, TASKS, bio
from claimstance.model.network import IGNORE_INDEX
from claimstance.model.record import Attribution, Entity, Record, Stance
from claimstance.training.fine_tuning.collation import collate
from claimstance.training.fine_tuning.epoch_sampler import (
    EpochSampler,
    LabelledWindow,
    SamplingConfig,
)
from claimstance.training.fine_tuning.examples import ExampleBuilder

TAGS = bio(ROLES)
CALM = {"context_share": 0.0, "isolated_share": 0.0, "topic_share": 0.0}


def span_of(text, words):
    return [(text.index(words), text.index(words) + len(words))]


FIRST = "Lee said he saw Moss in Orl ."
SECOND = "It was late ."
THIRD = "Moss agreed ."


@pytest.fixture
def document():
    """Return two sentences that share an attribution, the first with an inner one, and a third."""
    return [
        Record(
            id="d:0",
            doc_id="d",
            start=0,
            text=FIRST,
            claim="claim",
            check_worthy="yes",
            attributions=[
                Attribution(
                    source=span_of(FIRST, "Lee"),
                    cue=span_of(FIRST, "said"),
                    content=span_of(FIRST, "he saw Moss in Orl"),
                    event="quote",
                ),
                Attribution(
                    source=span_of(FIRST, "he"),
                    cue=span_of(FIRST, "saw"),
                    content=span_of(FIRST, "Moss"),
                ),
            ],
            entities=[
                Entity(span=span_of(FIRST, "Moss"), label="PERSON"),
                Entity(span=span_of(FIRST, "Orl"), label="LOCATION"),
            ],
            stances=[
                Stance(holder=span_of(FIRST, "Lee"), target=span_of(FIRST, "Moss"), label="favor"),
                Stance(holder=None, target="Orl", label="neutral"),
                Stance(holder=None, target="gun laws", label="against"),
                Stance(holder="Nobody Here", target=span_of(FIRST, "Lee")),
            ],
        ),
        Record(
            id="d:1",
            doc_id="d",
            start=30,
            text=SECOND,
            claim="no_claim",
            attributions=[Attribution(content=span_of(SECOND, "It was"), event="quote")],
        ),
        Record(id="d:2", doc_id="d", start=50, text=THIRD, entities=[]),
    ]


@pytest.fixture
def examples(word_windows):
    def make(records, builder=None, **power):
        return ExampleBuilder(builder or word_windows(40), DEFAULT_LABELS, power).build(records)

    return make


def labelled(builder, document, start=0):
    tokens = [(number, example.tokens) for number, example in enumerate(document)]
    return [
        LabelledWindow(window, [document[piece.sentence] for piece in window.pieces])
        for window in builder.windows(tokens[start:])
    ]


def tags_of(row):
    return [TAGS[tag] if tag != IGNORE_INDEX else "-" for tag in row.tolist()]


def rows(spans):
    return [tuple(span) for span in spans.tolist()]


def test_tags_and_links_of_a_handmade_document(document, examples, word_windows):
    builder = word_windows(40)
    [example_document] = examples(document, builder)
    batch = collate(labelled(builder, example_document), pad=0)
    # 0 [CLS] 1 Lee 2 said 3 he 4 saw 5 Moss 6 in 7 Orl 8 . 9 [SEP] 10 It 11 was 12 late 13 . 14 [SEP] 15 Moss ...
    assert tags_of(batch["attribution"][0]) == [
        "-",
        "B-source",
        "B-cue",
        "B-source",
        "B-cue",
        "B-content",
        "B-content",
        "I-content",
        "O",
        "-",
        "B-content",
        "I-content",
        "O",
        "O",
        "-",
        "-",
        "-",
        "-",
        "-",
    ]
    entities = bio(DEFAULT_LABELS["entity"])
    entity_tags = batch["entity"][0].tolist()
    assert entity_tags[:10] == [
        IGNORE_INDEX,
        0,
        0,
        0,
        0,
        entities.index("B-PERSON"),
        0,
        entities.index("B-LOCATION"),
        0,
        IGNORE_INDEX,
    ]
    assert entity_tags[10:] == [IGNORE_INDEX] * 5 + [0, 0, 0, IGNORE_INDEX]
    assert rows(batch["sentences"]) == [(0, 1, 9), (0, 10, 14), (0, 15, 18)]
    assert batch["claim"].tolist() == [1, 0, IGNORE_INDEX]
    assert batch["check_worthy"].tolist() == [1, IGNORE_INDEX, IGNORE_INDEX]
    lee, he, said_cue, saw_cue = (0, 1, 2), (0, 3, 4), (0, 2, 3), (0, 4, 5)
    moss, orl, late = (0, 5, 6), (0, 6, 8), (0, 10, 12)
    pairs = zip(rows(batch["cues"]), rows(batch["linked"]), strict=True)
    links = dict(zip(pairs, batch["link"].tolist(), strict=True))
    assert links == {
        (said_cue, lee): [1, IGNORE_INDEX],
        (said_cue, he): [0, IGNORE_INDEX],
        (saw_cue, lee): [0, IGNORE_INDEX],
        (saw_cue, he): [1, IGNORE_INDEX],
        # The inner content is content of the outer attribution, too; the quote continues in the second sentence.
        (said_cue, moss): [IGNORE_INDEX, 1],
        (said_cue, orl): [IGNORE_INDEX, 1],
        (said_cue, late): [IGNORE_INDEX, 1],
        (saw_cue, moss): [IGNORE_INDEX, 1],
        (saw_cue, orl): [IGNORE_INDEX, 0],
        (saw_cue, late): [IGNORE_INDEX, 0],
    }
    assert rows(batch["targets"]) == [(0, 5, 6), (0, 7, 8)]
    assert rows(batch["holders"]) == [(0, 1, 2), (0, 0, 0)]
    assert rows(batch["pair_sentences"]) == [(0, 1, 9)] * 2
    assert batch["stance"].tolist() == [[0, 0, 1], [0, 1, 0]]


def test_content_continues_from_a_sentence_of_the_window(examples, word_windows):
    first, second = "Lee said so much", "and more of it ."
    records = [
        Record(
            id="d:0",
            doc_id="d",
            start=0,
            text=first,
            attributions=[
                Attribution(
                    cue=span_of(first, "said"), content=span_of(first, "so much"), event="q"
                )
            ],
        ),
        Record(
            id="d:1",
            doc_id="d",
            start=20,
            text=second,
            attributions=[Attribution(content=span_of(second, "and more of it"), event="q")],
        ),
    ]
    builder = word_windows(40)
    [example_document] = examples(records, builder)
    batch = collate(labelled(builder, example_document), pad=0)
    assert tags_of(batch["attribution"][0]) == [
        "-",
        "O",
        "B-cue",
        "B-content",
        "I-content",
        "-",
        "I-content",
        "I-content",
        "I-content",
        "I-content",
        "O",
        "-",
    ]
    assert rows(batch["linked"]) == [(0, 3, 10)]  # one run over both sentences
    alone = collate(labelled(builder, example_document, start=1), pad=0)
    assert tags_of(alone["attribution"][0])[:3] == ["-", "B-content", "I-content"]
    # In a window of its own, the second sentence begins a new content.
    apart = collate(labelled(word_windows(8), example_document), pad=0)
    assert tags_of(apart["attribution"][1])[:3] == ["-", "B-content", "I-content"]


def test_content_that_begins_later_does_not_continue(examples, word_windows):
    first, second = "Lee said so", "and so on"
    records = [
        Record(
            id="d:0",
            doc_id="d",
            start=0,
            text=first,
            attributions=[
                Attribution(cue=span_of(first, "said"), content=span_of(first, "so"), event="q")
            ],
        ),
        Record(
            id="d:1",
            doc_id="d",
            start=20,
            text=second,
            attributions=[Attribution(content=span_of(second, "so on"), event="q")],
        ),
    ]
    builder = word_windows(40)
    [example_document] = examples(records, builder)
    batch = collate(labelled(builder, example_document), pad=0)
    assert tags_of(batch["attribution"][0])[5:] == ["O", "B-content", "I-content", "-"]
    assert rows(batch["linked"]) == [(0, 3, 4), (0, 6, 8)]


def test_a_topic_has_a_window_of_its_own(document, examples, word_windows):
    builder = word_windows(40)
    [example_document] = examples(document[:1], builder)
    planner = EpochSampler([example_document], builder, SamplingConfig(**CALM))
    [batch] = planner.epoch(0)
    [topic] = [window for window in batch if window.topic_stances]
    tensors = collate([topic], pad=0)
    assert rows(tensors["targets"]) == [(0, 10, 12)]
    assert rows(tensors["holders"]) == [(0, 0, 0)]
    assert rows(tensors["pair_sentences"]) == [(0, 1, 9)]
    assert tensors["stance"].tolist() == [[1, 0, 0]]
    # The other labels of the sentence are used in one window only.
    assert tensors["claim"].tolist() == [IGNORE_INDEX]
    assert (tensors["attribution"] == IGNORE_INDEX).all()
    assert (tensors["entity"] == IGNORE_INDEX).all()
    assert len(tensors["cues"]) == 0


@pytest.mark.parametrize(("share", "count"), [(0.0, 1), (1.0, 2)])
def test_a_share_of_mentions_is_repeated_as_topics(document, examples, word_windows, share, count):
    builder = word_windows(40)
    planner = EpochSampler(
        examples(document[:1], builder), builder, SamplingConfig(**{**CALM, "topic_share": share})
    )
    [batch] = planner.epoch(0)
    topics = [window for window in batch if window.topic_stances]
    assert len(topics) == count
    moss = [w for w in topics if w.topic_stances[0].mention == "Moss"]
    assert [w.topic_stances[0].holder for w in moss] == [(0, 1)] * (count - 1)


def test_a_long_sentence_keeps_its_labels_in_pieces(examples, word_windows):
    text = "a b c d e f said g h ."
    record = Record(
        id="1",
        text=text,
        claim="claim",
        stances=[
            Stance(holder=span_of(text, "a"), target=span_of(text, "g"), label="favor"),
            Stance(holder=span_of(text, "said"), target=span_of(text, "h"), label="favor"),
        ],
        attributions=[Attribution(cue=span_of(text, "said"), content=span_of(text, "e f"))],
    )
    builder = word_windows(8)  # six tokens and four
    [example_document] = examples([record], builder)
    windows = labelled(builder, example_document)
    batch = collate(windows, pad=0)
    assert [tags_of(row) for row in batch["attribution"]] == [
        ["-", "O", "O", "O", "O", "B-content", "I-content", "-"],
        ["-", "B-cue", "O", "O", "O", "-", "-", "-"],
    ]
    assert batch["claim"].tolist() == [1, 1]
    # A holder in another piece is not visible, and counts as none.
    assert rows(batch["targets"]) == [(1, 2, 3), (1, 3, 4)]
    assert rows(batch["holders"]) == [(1, 0, 0), (1, 1, 2)]
    assert len(batch["cues"]) == 0  # cue and content lie in different windows


def test_padding_is_marked(examples, word_windows):
    builder = word_windows(40)
    records = [Record(id="1", text="a b c", claim="claim"), Record(id="2", text="a", claim="claim")]
    documents = examples(records, builder)
    batch = collate([w for d in documents for w in labelled(builder, d)], pad=77)
    assert batch["input_ids"][1].tolist() == [
        builder.cls,
        *documents[1][0].tokens.ids,
        builder.sep,
        77,
        77,
    ]
    assert batch["attention_mask"].tolist() == [[1] * 5, [1, 1, 1, 0, 0]]
    assert (batch["attribution"] == IGNORE_INDEX).all()
    assert batch["stance"].shape == (0,)
    assert batch["link"].shape == (0, 2)
    assert batch["holders"].shape == batch["cues"].shape == (0, 3)


def test_records_of_one_text_are_one_example(examples):
    rows = [
        Record(
            id="1",
            text="Ada met Bo",
            stances=[Stance(target="Ada", label="favor")],
            meta={"corpus": "x"},
        ),
        Record(
            id="2",
            text="Ada met Bo",
            stances=[Stance(target="Bo", label="against")],
            meta={"corpus": "x"},
        ),
        Record(
            id="3",
            text="Ada met Bo",
            stances=[Stance(target="Bo", label="against")],
            meta={"corpus": "y"},
        ),
        Record(id="4", text="Ada met Bo", claim="claim", meta={"corpus": "x"}),
    ]
    documents = examples(rows)
    assert [[len(e.stances) for e in document] for document in documents] == [[2], [1], [0]]
    assert [s.target for s in documents[0][0].stances] == [(0, 1), (2, 3)]


def test_records_with_one_id_keep_their_texts(examples):
    documents = examples(
        [Record(id="1", text="a", claim="claim"), Record(id="1", text="b c d", claim="claim")]
    )
    assert sorted(len(document[0]) for document in documents) == [1, 3]


def test_sentences_of_documents_are_put_in_order(examples):
    def row(name, doc_id, start):
        return Record(
            id=name,
            doc_id=doc_id,
            start=start,
            text=" ".join(name * (start // 10 + 1)),
            claim="claim",
        )

    documents = examples(
        [row("c", "d", 20), row("a", "d", 0), row("b", "e", 10), row("e", "d", 30)]
    )
    assert [[len(example) for example in document] for document in documents] == [[1, 3, 4], [2]]


def test_rare_labels_have_larger_weights(examples):
    rows = [
        Record(
            id=str(i), text=f"w{i}", claim="claim" if i == 0 else "no_claim", meta={"corpus": "x"}
        )
        for i in range(10)
    ]
    plain, weighed = examples(rows), examples(rows, claim=1.0)
    assert {d[0].weights["claim"] for d in plain} == {1.0}
    assert [d[0].weights["claim"] for d in weighed[:2]] == pytest.approx([10 / 2 / 1, 10 / 2 / 9])
    assert [d[0].weights["claim"] for d in examples(rows, claim=0.5)[:2]] == pytest.approx(
        [5**0.5, (5 / 9) ** 0.5]
    )


def test_pieces_of_a_target_name_it_as_a_topic_in_any_order(examples):
    text = "Ada and the Port of Orl met"
    spans = span_of(text, "Orl") + span_of(text, "the Port")
    [[example]] = examples(
        [Record(id="1", text=text, stances=[Stance(target=spans, label="favor")])]
    )
    assert example.stances[0].mention == "the Port of Orl"


def test_an_example_names_the_tasks_that_it_has_labels_of(examples, document):
    first, second, third = examples(document)[0]
    assert {task for task in TASKS if not first.has_labels_of([task])} == {"subjective"}
    assert {task for task in TASKS if second.has_labels_of([task])} == {"attribution", "claim"}
    assert third.has_labels_of(["claim", "entity"])
    assert not third.has_labels_of(["claim", "stance"])


def test_a_speaker_of_an_earlier_sentence_is_the_holder_where_a_window_has_both(word_windows):
    stance = Stance(holder="Lee", target=[(0, 4)], label="against")
    records = [
        Record(id="a:0", doc_id="a", start=0, text="Lee agreed .", stances=[]),
        Record(id="a:1", doc_id="a", start=20, text="Moss agreed .", stances=[stance]),
    ]
    for record in records:
        record.meta["corpus"] = "whole"
    windows = word_windows(40)
    labels = {"stance": DEFAULT_LABELS["stance"]}
    (document,) = ExampleBuilder(windows, labels, exhaustive_stances=["whole"]).build(records)
    tokens = [(number, example.tokens) for number, example in enumerate(document)]

    (window,) = windows.windows(tokens)
    batch = collate([LabelledWindow(window, document)], pad=0)
    assert batch["holders"].tolist() == [[0, 1, 2]]
    assert batch["targets"].tolist() == [[0, 5, 6]]
    assert batch["opinion_target"][0].tolist() == [
        IGNORE_INDEX,
        0,
        0,
        0,
        IGNORE_INDEX,
        1,
        0,
        0,
        IGNORE_INDEX,
    ]

    (second_window,) = windows.windows(tokens[1:])
    batch = collate([LabelledWindow(second_window, document[1:])], pad=0)
    assert batch["holders"].tolist() == [[0, 0, 0]]
