import pytest

from claimstance.model.errors import ConfigError, InputError
from claimstance.model.record import Attribution, Entity, Stance
from claimstance.training.data.documents.assemble import records
from claimstance.training.data.documents.document import Answer, Document, Mark, Relation
from claimstance.training.data.documents.format import Format, Item, Layout, Reading

TEXT = "Holm says Noren lies. The tax, he warned, will rise.\nNoren laughed."


def at(phrase, text=TEXT, occurrence=0):
    start = -1
    for _ in range(occurrence + 1):
        start = text.index(phrase, start + 1)
    return (start, start + len(phrase))


def mark(name, label, *phrases, **attributes):
    return Mark(name, label, [at(phrase) for phrase in phrases], attributes=attributes)


def document(*marks, text=TEXT, **more):
    return Document(more.pop("name", "d"), text, "f, task 1", marks=marks, **more)


def read(*documents, reading=None, **layout):
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
    return list(records(toy, "f", Layout(**layout), reading if reading is not None else Reading()))


HOLM = mark("s", "Source", "Holm")
SAYS = mark("c", "Cue", "says")
LIES = mark("o", "Content", "Noren lies")


def test_a_text_becomes_its_sentences_with_their_offsets():
    found = read(document(HOLM, SAYS, LIES))
    assert [(r.id, r.doc_id, r.start, r.text) for r in found] == [
        ("d:0", "d", 0, "Holm says Noren lies."),
        ("d:1", "d", 22, "The tax, he warned, will rise."),
        ("d:2", "d", 53, "Noren laughed."),
    ]
    assert [r.claim for r in found] == ["claim", "no_claim", "no_claim"]  # by the contents
    assert [r.attributions for r in found][1:] == [[], []]  # annotated, none there
    assert found[0].entities is None  # nobody marked any in this file
    assert found[0].stances is None


def test_relations_tie_parts_together_whichever_way_they_point():
    he = Mark("s2", "source", [(31, 33)])
    warned = [he, mark("c2", "cue", "warned"), mark("o2", "content", "The tax", "will rise")]
    marks = [HOLM, SAYS, LIES, *warned]
    relations = [Relation("c", "s"), Relation("o", "c"), Relation("s2", "c2"), Relation("c2", "o2")]
    found = read(document(*marks, relations=relations))
    assert found[0].attributions == [Attribution(source=[(0, 4)], cue=[(5, 9)], content=[(10, 20)])]
    assert found[1].attributions == [
        Attribution(source=[(9, 11)], cue=[(12, 18)], content=[(0, 7), (20, 29)])
    ]


def test_one_source_of_two_cues_is_in_both_attributions():
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
    (found,) = read(document(*marks, text=text, relations=relations))
    assert [a.source for a in found.attributions] == [[(0, 4)], [(0, 4)]]
    assert [a.content for a in found.attributions] == [[(10, 18)], [(30, 39)]]


def test_without_any_relation_parts_go_to_the_nearest_cue_and_the_report_says_so():
    reading = Reading()
    found = read(document(HOLM, SAYS, LIES), reading=reading)
    assert found[0].attributions == [Attribution(source=[(0, 4)], cue=[(5, 9)], content=[(10, 20)])]
    assert reading.facts["links"].startswith("2 sources and contents")


def test_one_relation_in_a_file_ends_tying_by_nearness():
    other = document(HOLM, SAYS, relations=[Relation("s", "c")], name="e")
    found = read(document(HOLM, SAYS), other)
    assert [a.cue for a in found[0].attributions] == [None, [(5, 9)]]
    assert found[3].attributions == [Attribution(source=[(0, 4)], cue=[(5, 9)])]


def test_an_event_over_two_sentences_keeps_its_name_in_both():
    text = "“It rains. It pours,” Holm said."
    marks = [
        Mark("T1", "Source", [at("Holm", text)]),
        Mark("T2", "Cue", [at("said", text)]),
        Mark("T3", "Content", [at("“It rains. It pours,”", text)]),
    ]
    bounds = [(0, 10), (11, len(text))]
    found = read(document(*marks, text=text, sentences=bounds, events={"E1": ["T1", "T2", "T3"]}))
    assert found[0].attributions == [Attribution(content=[(0, 10)], event="A1")]
    assert found[1].attributions == [
        Attribution(source=[(11, 15)], cue=[(16, 20)], content=[(0, 10)], event="A1")
    ]


def test_other_labels_are_entities_under_our_names_where_those_are_well_known():
    found = read(document(mark("a", "PER", "Holm"), mark("b", "Party", "tax")), labels={})
    assert found[0].entities == [Entity(span=[(0, 4)], label="PERSON")]
    assert found[1].entities == [Entity(span=[(4, 7)], label="Party")]
    own = read(document(mark("a", "PER", "Holm")), labels={"entity": ["PER", "MISC"]})
    assert own[0].entities == [Entity(span=[(0, 4)], label="PER")]


def test_a_stance_said_of_a_target_is_the_related_holders():
    marks = [mark("h", "holder", "Holm"), mark("t", "target", "Noren", stance="Against")]
    found = read(document(*marks, relations=[Relation("h", "t")]))
    assert found[0].stances == [Stance(holder=[(0, 4)], target=[(10, 15)], label="against")]
    assert found[1].stances == []


def test_a_stance_said_of_a_content_is_its_sources_toward_the_related_target():
    content = mark("o", "Content", "Noren lies", Stance="against")
    marks = [HOLM, SAYS, content, mark("t", "target", "Noren")]
    relations = [Relation("o", "t", "Targets")]
    found = read(document(*marks, relations=relations, events={"E1": ["s", "c", "o"]}))
    assert found[0].stances == [Stance(holder=[(0, 4)], target=[(10, 15)], label="against")]


def test_a_relation_named_after_a_stance_is_one():
    marks = [mark("a", "PERSON", "Holm"), mark("b", "PERSON", "Noren")]
    found = read(document(*marks, relations=[Relation("a", "b", "against")]))
    assert found[0].stances == [Stance(holder=[(0, 4)], target=[(10, 15)], label="against")]


def test_a_holder_in_another_sentence_is_given_by_name():
    marks = [mark("h", "holder", "Holm"), mark("t", "target", "tax", stance="favor")]
    found = read(document(*marks, relations=[Relation("t", "h")]))
    assert found[1].stances == [Stance(holder="Holm", target=[(4, 7)], label="favor")]


def test_a_stance_without_a_target_is_refused_unless_the_file_has_one():
    content = mark("o", "Content", "Noren lies", stance="against")
    with pytest.raises(InputError, match="f, task 1: stance 'against': expected a target"):
        read(document(content))
    assert read(document(content), target="Noren")[0].stances == [
        Stance(target="Noren", label="against")
    ]


def test_labels_of_whole_texts_keep_them_whole():
    (found,) = read(
        document(
            text="It rains. It pours.", answers=[Answer("claim", "Claim")], fields={"outlet": "X"}
        )
    )
    assert (found.id, found.doc_id, found.start, found.claim) == ("d", None, None, "claim")
    assert found.text == "It rains. It pours."
    assert found.meta == {"outlet": "X"}


def test_a_stance_of_the_whole_text_takes_target_and_holder_from_the_fields():
    fields = {"who": "Ida Holm", "target": "the tax"}
    (found,) = read(
        document(answers=[Answer("label", "PRO")], fields=fields),
        columns={"holder": "who"},
        values={"PRO": "favor"},
    )
    assert found.stances == [Stance(holder="Ida Holm", target="the tax", label="favor")]
    assert found.meta == {}


def test_an_accepted_or_rejected_label_is_its_task_or_its_contrary():
    yes, no = read(
        document(answers=[Answer("CLAIM", True)]), document(answers=[Answer("CLAIM", False)])
    )
    assert (yes.claim, no.claim) == ("claim", "no_claim")
    fields = {"target": "Noren"}
    stance = read(
        document(answers=[Answer("favor", False), Answer("against", True)], fields=fields)
    )[0].stances
    assert stance == [Stance(target="Noren", label="against")]


def test_a_question_that_nothing_explains_is_an_error_that_says_what_helps():
    with pytest.raises(InputError, match=r"unknown question 'tone'.*roles can say"):
        read(document(answers=[Answer("tone", "angry")]))
    assert read(document(HOLM, answers=[Answer("tone", "angry")]), roles={"tone": "ignore"})[
        0
    ].attributions
    assert (
        read(document(answers=[Answer("tone", "yes")]), roles={"tone": "check_worthy"})[
            0
        ].check_worthy
        == "yes"
    )


def test_two_answers_to_one_question_are_an_error():
    with pytest.raises(InputError, match="claim: expected one label, found 'claim' and 'no_claim'"):
        read(document(answers=[Answer("claim", "claim"), Answer("claim", "no_claim")]))


def test_a_marked_sentence_is_the_label_of_the_sentences_it_touches():
    found = read(document(Mark("m", "Check-worthy", [at("will rise.\nNoren laughed")])))
    assert [r.check_worthy for r in found] == ["no", "yes", "yes"]
    assert [r.claim for r in found] == [None, None, None]


def test_marks_called_sentence_are_the_bounds():
    whole = Mark("m", "sentence", [at("Holm says Noren lies. The tax, he warned, will rise.")])
    rest = Mark("n", "sentence", [at("Noren laughed.")])
    assert [r.text for r in read(document(whole, rest, HOLM))] == [TEXT[:52], TEXT[53:]]


def test_a_span_outside_every_sentence_is_an_error():
    with pytest.raises(InputError, match="expected a span that touches a sentence"):
        read(document(HOLM, sentences=[(22, 52)]))


def test_own_names_are_told_by_roles():
    quelle = mark("s", "Quelle", "Holm")
    assert read(document(quelle), roles={"Quelle": "source"})[0].attributions == [
        Attribution(source=[(0, 4)])
    ]
    with pytest.raises(ConfigError, match=r"roles: unknown role 'sorce'\. Did you mean 'source'"):
        read(document(quelle), roles={"Quelle": "sorce"})


def test_a_label_outside_a_configured_set_is_an_error():
    with pytest.raises(InputError, match="unknown label 'maybe'"):
        read(document(answers=[Answer("claim", "maybe")]), labels={"claim": ["no_claim", "claim"]})


def test_lenient_reading_counts_what_it_leaves_out_by_reason():
    broken = InputError("f, task 1: spans[3]: expected a number, found 'x'")
    lost = document(mark("o", "Content", "Noren lies", stance="against"))
    with pytest.raises(InputError):
        read(broken, document(HOLM))
    reading = Reading()
    found = read(broken, lost, document(HOLM), reading=reading, lenient=True)
    assert len(found) == 3
    assert sum(reading.dropped.values()) == 2
    assert reading.dropped["spans[3]: expected a number"] == 1


def test_a_lenient_reading_leaves_out_what_the_unit_of_most_does_not_explain():
    beyond = document(Mark("s", "Source", [(0, 99)]))
    other = document(Mark("s", "Source", [(1, 5)], "Holm"))
    with pytest.raises(InputError, match="nor does any other unit"):
        read(document(HOLM), beyond)
    with pytest.raises(InputError, match="nor does any other unit"):
        read(document(HOLM), beyond, other, lenient=True)  # most are not explained
    reading = Reading()
    assert (
        len(
            read(
                document(HOLM),
                document(HOLM),
                other,
                beyond,
                document(HOLM),
                reading=reading,
                lenient=True,
            )
        )
        == 9
    )
    assert reading.dropped == {"offsets that code points do not explain": 2}
    assert (
        reading.facts["offsets"]
        == "code points (in 3 of 5 texts with spans; the others are left out)"
    )
    fixed = document(Mark("s", "Source", [(0, 99)]), unit="code points")  # the format says so
    reading = Reading()
    assert len(read(document(HOLM, unit="code points"), fixed, reading=reading, lenient=True)) == 3
    assert reading.dropped == {"offsets that code points do not explain": 1}


def test_what_is_read_but_has_no_meaning_is_counted():
    reading = Reading()
    read(
        document(mark("s", "source", "Holm", certainty="high"), mark("t", "target", "tax")),
        reading=reading,
    )
    assert reading.dropped == {
        "'certainty' of a span, which has no meaning here (roles can give it one)": 1,
        "target without a stance": 1,
    }


def test_annotators_of_a_text_give_a_record_each_under_one_id():
    found = read(document(HOLM, annotator="anna"), document(SAYS, annotator="ben"))
    assert [(r.id, r.annotator) for r in found][::3] == [("d:0", "anna"), ("d:0", "ben")]
    assert read(document(HOLM), annotator="cy")[0].annotator == "cy"


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_text_is_an_error(text):
    with pytest.raises(InputError, match="expected a text, found an empty one"):
        read(document(text=text))


def test_a_relation_to_nothing_is_an_error():
    with pytest.raises(InputError, match="expected the name of a span, found 'x'"):
        read(document(HOLM, relations=[Relation("s", "x")]))


def test_a_file_without_texts_is_an_error():
    with pytest.raises(InputError, match="expected at least one annotated text"):
        read()


NESTED = "Holm said: Noren believes taxes rise."


def nested(name, label, phrase):
    return Mark(name, label, [at(phrase, NESTED)])


def test_a_content_in_a_content_belongs_to_its_own_cue():
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


def test_a_content_around_its_only_cue_is_tied_to_it():
    marks = [nested("1", "cue", "believes"), nested("2", "content", "Noren believes taxes rise")]
    (record,) = read(document(*marks, text=NESTED))
    assert record.attributions == [Attribution(cue=[(17, 25)], content=[(11, 36)])]


@pytest.mark.parametrize("order", [1, -1])
def test_overlapping_parts_beside_one_cue_are_no_pieces_of_one_span(order):
    reading = Reading()
    sources = [nested("1", "source", "Holm"), nested("2", "source", "Holm said: Noren")]
    marks = [*sources[::order], nested("3", "cue", "believes")]
    (record,) = read(document(*marks, text=NESTED), reading=reading)
    assert record.attributions == [
        Attribution(source=[(0, 4)]),
        Attribution(source=[(0, 16)], cue=[(17, 25)]),
    ]
    (warning,) = reading.warnings()
    assert warning[0] == "overlapping-spans"
    assert "in 1 row (task 1)" in warning[1]


def test_one_span_marked_twice_is_one_piece():
    marks = [
        nested("1", "source", "Holm"),
        nested("2", "source", "Holm"),
        nested("3", "cue", "said"),
    ]
    (record,) = read(document(*marks, text=NESTED))
    assert record.attributions == [Attribution(source=[(0, 4)], cue=[(5, 9)])]


def test_overlapping_parts_that_the_file_ties_to_one_cue_are_refused():
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
def test_a_mark_whose_pieces_overlap_is_refused(label):
    twice = Mark("1", label, [at("Holm said:", NESTED), at("said: Noren", NESTED)])
    with pytest.raises(
        InputError, match=f"pieces of one {label} that do not overlap, found 'Holm said:'"
    ):
        read(document(twice, text=NESTED))
