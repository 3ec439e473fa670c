"""Test the assembly of records from annotated documents."""

import pytest

from claimstance.model.errors import ConfigError, InputError
from claimstance.model.record import Attribution, Entity, Stance
from claimstance.training.data.documents import assemble
from claimstance.training.data.documents.document import Answer, Document, Mark, Relation
from claimstance.training.data.documents.format import Format, Item, Layout, ReadReport

TEXT = "Holm says Noren lies. The tax, he warned, will rise.\nNoren laughed."


def at(phrase, text=TEXT, occurrence=0):
    start = -1
    for _ in range(occurrence + 1):
        start = text.index(phrase, start + 1)
    return (start, start + len(phrase))


def mark(name, label, *phrases, **attributes):
    return Mark(name, label, [at(phrase) for phrase in phrases], attributes=attributes)


def document(*marks, text=TEXT, **options):
    return Document(options.pop("name", "d"), text, "f, task 1", marks=marks, **options)


def read(*documents, report=None, **layout):
    def parse(item, _):
        if isinstance(item.data, Exception):
            raise item.data
        return [item.data]

    toy = Format(
        "toy",
        (".toy",),
        lambda head: True,
        items=lambda path: (Item("f, task 1", "d", d) for d in documents),
        parse=parse,
    )
    return list(
        assemble.records(toy, "f", Layout(**layout), report if report is not None else ReadReport())
    )


HOLM = mark("s", "Source", "Holm")
SAYS = mark("c", "Cue", "says")
LIES = mark("o", "Content", "Noren lies")


def test_a_text_becomes_its_sentences_with_their_offsets():
    records = read(document(HOLM, SAYS, LIES))
    assert [(r.id, r.doc_id, r.start, r.text) for r in records] == [
        ("d:0", "d", 0, "Holm says Noren lies."),
        ("d:1", "d", 22, "The tax, he warned, will rise."),
        ("d:2", "d", 53, "Noren laughed."),
    ]
    # Claims are derived from the contents.
    assert [r.claim for r in records] == [
        "claim",
        "no_claim",
        "no_claim",
    ]
    assert [r.attributions for r in records][1:] == [[], []]  # annotated, without any attribution
    assert records[0].entities is None  # nobody marked any in this file
    assert records[0].stances is None


def test_relations_link_spans_in_either_direction():
    he = Mark("s2", "source", [(31, 33)])
    warned = [he, mark("c2", "cue", "warned"), mark("o2", "content", "The tax", "will rise")]
    marks = [HOLM, SAYS, LIES, *warned]
    relations = [Relation("c", "s"), Relation("o", "c"), Relation("s2", "c2"), Relation("c2", "o2")]
    records = read(document(*marks, relations=relations))
    assert records[0].attributions == [
        Attribution(source=[(0, 4)], cue=[(5, 9)], content=[(10, 20)])
    ]
    assert records[1].attributions == [
        Attribution(source=[(9, 11)], cue=[(12, 18)], content=[(0, 7), (20, 29)])
    ]


def test_a_source_related_to_two_cues_is_in_both_attributions():
    text = "Holm said it rains and warned of floods."
    marks = [
        Mark(n, label, [at(p, text)])
        for n, label, p in [
            ("s", "source", "Holm"),
            ("c1", "cue", "said"),
            ("o1", "content", "it rains"),
            ("c2", "cue", "warned"),
            ("o2", "content", "of floods"),
        ]
    ]
    relations = [
        Relation("c1", "s"),
        Relation("c1", "o1"),
        Relation("c2", "s"),
        Relation("c2", "o2"),
    ]
    (record,) = read(document(*marks, text=text, relations=relations))
    assert [a.source for a in record.attributions] == [[(0, 4)], [(0, 4)]]
    assert [a.content for a in record.attributions] == [[(10, 18)], [(30, 39)]]


def test_without_relations_sources_and_contents_go_to_the_nearest_cue():
    report = ReadReport()
    records = read(document(HOLM, SAYS, LIES), report=report)
    assert records[0].attributions == [
        Attribution(source=[(0, 4)], cue=[(5, 9)], content=[(10, 20)])
    ]
    assert report.facts["links"].startswith("2 sources and contents")


def test_a_relation_anywhere_in_the_file_prevents_linking_to_the_nearest_cue():
    linked_document = document(HOLM, SAYS, relations=[Relation("s", "c")], name="e")
    records = read(document(HOLM, SAYS), linked_document)
    assert [a.cue for a in records[0].attributions] == [None, [(5, 9)]]
    assert records[3].attributions == [Attribution(source=[(0, 4)], cue=[(5, 9)])]


def test_an_event_over_two_sentences_keeps_its_name_in_both():
    text = "“It rains. It pours,” Holm said."
    marks = [
        Mark("T1", "Source", [at("Holm", text)]),
        Mark("T2", "Cue", [at("said", text)]),
        Mark("T3", "Content", [at("“It rains. It pours,”", text)]),
    ]
    bounds = [(0, 10), (11, len(text))]
    records = read(document(*marks, text=text, sentences=bounds, events={"E1": ["T1", "T2", "T3"]}))
    assert records[0].attributions == [Attribution(content=[(0, 10)], event="A1")]
    assert records[1].attributions == [
        Attribution(source=[(11, 15)], cue=[(16, 20)], content=[(0, 10)], event="A1")
    ]


def test_other_labels_are_entities_and_common_ones_are_renamed():
    records = read(document(mark("a", "PER", "Holm"), mark("b", "Party", "tax")), labels={})
    assert records[0].entities == [Entity(span=[(0, 4)], label="PERSON")]
    assert records[1].entities == [Entity(span=[(4, 7)], label="Party")]
    own = read(document(mark("a", "PER", "Holm")), labels={"entity": ["PER", "MISC"]})
    assert own[0].entities == [Entity(span=[(0, 4)], label="PER")]


def test_a_stance_attribute_of_a_target_belongs_to_the_related_holder():
    marks = [mark("h", "holder", "Holm"), mark("t", "target", "Noren", stance="Against")]
    records = read(document(*marks, relations=[Relation("h", "t")]))
    assert records[0].stances == [Stance(holder=[(0, 4)], target=[(10, 15)], label="against")]
    assert records[1].stances == []


def test_a_stance_attribute_of_a_content_belongs_to_its_source_and_the_related_target():
    content = mark("o", "Content", "Noren lies", Stance="against")
    marks = [HOLM, SAYS, content, mark("t", "target", "Noren")]
    relations = [Relation("o", "t", "Targets")]
    records = read(document(*marks, relations=relations, events={"E1": ["s", "c", "o"]}))
    assert records[0].stances == [Stance(holder=[(0, 4)], target=[(10, 15)], label="against")]


def test_a_relation_named_after_a_stance_label_is_a_stance():
    marks = [mark("a", "PERSON", "Holm"), mark("b", "PERSON", "Noren")]
    records = read(document(*marks, relations=[Relation("a", "b", "against")]))
    assert records[0].stances == [Stance(holder=[(0, 4)], target=[(10, 15)], label="against")]


def test_a_holder_in_another_sentence_becomes_a_name():
    marks = [mark("h", "holder", "Holm"), mark("t", "target", "tax", stance="favor")]
    records = read(document(*marks, relations=[Relation("t", "h")]))
    assert records[1].stances == [Stance(holder="Holm", target=[(4, 7)], label="favor")]


def test_a_stance_without_a_target_is_refused_unless_the_file_has_one():
    content = mark("o", "Content", "Noren lies", stance="against")
    with pytest.raises(InputError, match="f, task 1: stance 'against': expected a target"):
        read(document(content))
    assert read(document(content), target="Noren")[0].stances == [
        Stance(target="Noren", label="against")
    ]


def test_a_text_with_a_label_of_its_own_is_not_split():
    (record,) = read(
        document(
            text="It rains. It pours.", answers=[Answer("claim", "Claim")], fields={"outlet": "X"}
        )
    )
    assert (record.id, record.doc_id, record.start, record.claim) == ("d", None, None, "claim")
    assert record.text == "It rains. It pours."
    assert record.meta == {"outlet": "X"}


def test_a_stance_of_the_whole_text_takes_target_and_holder_from_the_fields():
    fields = {"who": "Ida Holm", "target": "the tax"}
    (record,) = read(
        document(answers=[Answer("label", "PRO")], fields=fields),
        columns={"holder": "who"},
        values={"PRO": "favor"},
    )
    assert record.stances == [Stance(holder="Ida Holm", target="the tax", label="favor")]
    assert record.meta == {}


def test_accepted_and_rejected_labels_become_labels_of_their_task():
    yes, no = read(
        document(answers=[Answer("CLAIM", True)]), document(answers=[Answer("CLAIM", False)])
    )
    assert (yes.claim, no.claim) == ("claim", "no_claim")
    fields = {"target": "Noren"}
    stance = read(
        document(answers=[Answer("favor", False), Answer("against", True)], fields=fields)
    )[0].stances
    assert stance == [Stance(target="Noren", label="against")]


def test_a_question_without_meaning_is_an_error_that_suggests_roles():
    with pytest.raises(InputError, match=r"unknown question 'tone'.*roles can say"):
        read(document(answers=[Answer("tone", "angry")]))
    angry = document(HOLM, answers=[Answer("tone", "angry")])
    assert read(angry, roles={"tone": "ignore"})[0].attributions
    affirmed = document(answers=[Answer("tone", "yes")])
    assert read(affirmed, roles={"tone": "check_worthy"})[0].check_worthy == "yes"


def test_two_labels_of_one_task_are_an_error():
    with pytest.raises(InputError, match="claim: expected one label, found 'claim' and 'no_claim'"):
        read(document(answers=[Answer("claim", "claim"), Answer("claim", "no_claim")]))


def test_a_mark_named_after_a_task_labels_the_sentences_it_touches():
    records = read(document(Mark("m", "Check-worthy", [at("will rise.\nNoren laughed")])))
    assert [r.check_worthy for r in records] == ["no", "yes", "yes"]
    assert [r.claim for r in records] == [None, None, None]


def test_marks_with_the_label_sentence_define_the_sentences():
    first = Mark("m", "sentence", [at("Holm says Noren lies. The tax, he warned, will rise.")])
    second = Mark("n", "sentence", [at("Noren laughed.")])
    assert [r.text for r in read(document(first, second, HOLM))] == [TEXT[:52], TEXT[53:]]


def test_a_span_outside_every_sentence_is_an_error():
    with pytest.raises(InputError, match="expected a span that touches a sentence"):
        read(document(HOLM, sentences=[(22, 52)]))


def test_roles_give_other_names_a_meaning():
    quelle = mark("s", "Quelle", "Holm")
    assert read(document(quelle), roles={"Quelle": "source"})[0].attributions == [
        Attribution(source=[(0, 4)])
    ]
    with pytest.raises(ConfigError, match=r"roles: unknown role 'sorce'\. Did you mean 'source'"):
        read(document(quelle), roles={"Quelle": "sorce"})


def test_a_label_outside_a_configured_set_is_an_error():
    with pytest.raises(InputError, match="unknown label 'maybe'"):
        read(document(answers=[Answer("claim", "maybe")]), labels={"claim": ["no_claim", "claim"]})


def test_a_lenient_reader_counts_dropped_documents_by_reason():
    broken = InputError("f, task 1: spans[3]: expected a number, found 'x'")
    lost = document(mark("o", "Content", "Noren lies", stance="against"))
    with pytest.raises(InputError):
        read(broken, document(HOLM))
    report = ReadReport()
    records = read(broken, lost, document(HOLM), report=report, lenient=True)
    assert len(records) == 3
    assert sum(report.dropped.values()) == 2
    assert report.dropped["spans[3]: expected a number"] == 1


def test_a_lenient_reader_drops_documents_in_another_unit_than_most():
    beyond = document(Mark("s", "Source", [(0, 99)]))
    shifted = document(Mark("s", "Source", [(1, 5)], "Holm"))
    with pytest.raises(InputError, match="nor does any other unit"):
        read(document(HOLM), beyond)
    with pytest.raises(InputError, match="nor does any other unit"):
        read(document(HOLM), beyond, shifted, lenient=True)  # code points explain only a minority
    report = ReadReport()
    documents = [document(HOLM), document(HOLM), shifted, beyond, document(HOLM)]
    assert len(read(*documents, report=report, lenient=True)) == 9
    assert report.dropped == {"offsets that code points do not explain": 2}
    assert (
        report.facts["offsets"]
        == "code points (in 3 of 5 texts with spans; the others are left out)"
    )
    fixed = document(Mark("s", "Source", [(0, 99)]), unit="code points")  # the format says so
    report = ReadReport()
    assert len(read(document(HOLM, unit="code points"), fixed, report=report, lenient=True)) == 3
    assert report.dropped == {"offsets that code points do not explain": 1}


def test_attributes_and_marks_without_meaning_are_counted():
    report = ReadReport()
    read(
        document(mark("s", "source", "Holm", certainty="high"), mark("t", "target", "tax")),
        report=report,
    )
    assert report.dropped == {
        "'certainty' of a span, which has no meaning here (roles can give it one)": 1,
        "target without a stance": 1,
    }


def test_each_annotator_of_a_text_has_a_record_with_the_same_id():
    records = read(document(HOLM, annotator="anna"), document(SAYS, annotator="ben"))
    assert [(r.id, r.annotator) for r in records][::3] == [("d:0", "anna"), ("d:0", "ben")]
    assert read(document(HOLM), annotator="cy")[0].annotator == "cy"


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_text_is_an_error(text):
    with pytest.raises(InputError, match="expected a text, found an empty one"):
        read(document(text=text))


def test_a_relation_to_a_missing_mark_is_an_error():
    with pytest.raises(InputError, match="expected the name of a span, found 'x'"):
        read(document(HOLM, relations=[Relation("s", "x")]))


def test_a_file_without_texts_is_an_error():
    with pytest.raises(InputError, match="expected at least one annotated text"):
        read()


NESTED = "Holm said: Noren believes taxes rise."


def nested(name, label, phrase):
    return Mark(name, label, [at(phrase, NESTED)])


def test_a_content_within_a_content_is_linked_to_the_cue_beside_it():
    marks = [
        nested("1", "source", "Holm"),
        nested("2", "cue", "said"),
        nested("3", "content", "Noren believes taxes rise"),
        nested("4", "source", "Noren"),
        nested("5", "cue", "believes"),
        nested("6", "content", "taxes rise"),
    ]
    (record,) = read(document(*marks, text=NESTED))
    assert record.attributions == [
        Attribution(source=[(0, 4)], cue=[(5, 9)], content=[(11, 36)]),
        Attribution(source=[(11, 16)], cue=[(17, 25)], content=[(26, 36)]),
    ]


def test_a_content_around_the_only_cue_is_linked_to_it():
    marks = [nested("1", "cue", "believes"), nested("2", "content", "Noren believes taxes rise")]
    (record,) = read(document(*marks, text=NESTED))
    assert record.attributions == [Attribution(cue=[(17, 25)], content=[(11, 36)])]


@pytest.mark.parametrize("order", [1, -1])
def test_overlapping_contents_of_one_cue_are_not_joined(order):
    report = ReadReport()
    sources = [nested("1", "source", "Holm"), nested("2", "source", "Holm said: Noren")]
    marks = [*sources[::order], nested("3", "cue", "believes")]
    (record,) = read(document(*marks, text=NESTED), report=report)
    assert record.attributions == [
        Attribution(source=[(0, 4)]),
        Attribution(source=[(0, 16)], cue=[(17, 25)]),
    ]
    (warning,) = report.warnings()
    assert warning[0] == "overlapping-spans"
    assert "in 1 row (task 1)" in warning[1]


def test_a_span_marked_twice_is_one_piece():
    marks = [
        nested("1", "source", "Holm"),
        nested("2", "source", "Holm"),
        nested("3", "cue", "said"),
    ]
    (record,) = read(document(*marks, text=NESTED))
    assert record.attributions == [Attribution(source=[(0, 4)], cue=[(5, 9)])]


def test_overlapping_contents_related_to_one_cue_are_an_error():
    marks = [
        nested("1", "cue", "believes"),
        nested("2", "content", "taxes"),
        nested("3", "content", "taxes rise"),
    ]
    tied = document(
        *marks,
        text=NESTED,
        relations=[Relation("1", "2", "content"), Relation("1", "3", "content")],
    )
    message = "expected pieces of one content that do not overlap, found 'taxes' and 'taxes rise'"
    with pytest.raises(InputError, match=message):
        read(tied)
    assert read(tied, document(HOLM, name="e"), lenient=True)[0].doc_id == "e"


@pytest.mark.parametrize("label", ["source", "PERSON", "target"])
def test_a_mark_with_overlapping_pieces_is_an_error(label):
    twice = Mark("1", label, [at("Holm said:", NESTED), at("said: Noren", NESTED)])
    with pytest.raises(
        InputError, match=f"pieces of one {label} that do not overlap, found 'Holm said:'"
    ):
        read(document(twice, text=NESTED))
