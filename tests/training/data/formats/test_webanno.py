"""Test the reader of WebAnno TSV files."""

import pytest

from claimstance.model.errors import InputError
from claimstance.model.record import Attribution, Entity
from claimstance.training.data.documents.format import documents
from claimstance.training.data.documents.offsets import in_code_points
from claimstance.training.data.formats import Layout, ReadReport, read_file
from claimstance.training.data.formats.webanno import reader as webanno
from claimstance.training.data.formats.webanno.lines import split, unescape
from helpers.paths import DATA

NEWS = DATA / "webanno" / "news.tsv"
ANNA = DATA / "webanno" / "project" / "annotation" / "toll.txt" / "anna.tsv"


def read(path, report=None):
    (document,) = documents(webanno.FORMAT, path, Layout(), report or ReadReport())
    return document


def covered(document):
    converted = in_code_points(document, document.unit)
    return [
        (m.label, "".join(document.text[start:end] for start, end in m.pieces))
        for m in converted.marks
    ]


def test_the_text_is_rebuilt_from_the_offsets():
    document = read(NEWS)
    assert document.text == (
        "🚲 Couriers in Noren said the toll was unfair.\nThey\\ left Zoe\u0308's\nbike\tthere.\n  "
        "قالت البلدية."
    )
    assert [document.text[start:end] for start, end in document.sentences] == [
        "🚲 Couriers in Noren said the toll was unfair.",
        "They\\ left Zoe\u0308's\nbike\tthere.",
        "قالت البلدية.",
    ]
    assert document.unit == "UTF-16 code units"


def test_marks_are_annotations_of_span_and_chain_layers():
    assert covered(read(NEWS)) == [
        ("source", "Couriers in Noren"),
        ("nam", "Couriers in Noren"),
        ("LOC", "Noren"),
        ("ORG", "Noren"),
        ("cue", "said"),
        ("content", "the toll was unfair"),
        ("CoreferenceLink", "They"),
        ("PER", "Zoe\u0308"),
        ("cue", "he"),
        ("ORG", "البلدية"),
    ]


def test_other_features_are_attributes():
    source = read(NEWS).marks[0]
    assert source.attributes == {"certainty": "very_sure"}
    assert source.where == f"{NEWS}, line 10"


def test_relations_point_from_the_mark_in_the_cell_to_that_of_the_line():
    document = read(NEWS)
    labels = {mark.name: mark.label for mark in document.marks}
    assert [(labels[r.head], r.label, labels[r.tail]) for r in document.relations] == [
        ("cue", "says", "source"),
        ("cue", "says", "content"),
        ("nam", "coref", "CoreferenceLink"),
    ]


def test_slots_are_relations_and_layers_of_words_are_counted():
    report = ReadReport()
    document = read(ANNA, report)
    texts = {
        mark.name: text for mark, (_, text) in zip(document.marks, covered(document), strict=True)
    }
    assert [(texts[r.head], r.label, texts[r.tail]) for r in document.relations] == [
        ("said", "source", "Holm"),
        ("said", "content", "the toll was unfair"),
    ]
    # A layer without features is the label itself.
    assert [mark.label for mark in document.marks] == [
        "Span",
        "cue",
        "Span",
    ]
    assert report.dropped == {"layer of words (POS)": 1}


def test_folders_of_a_project_name_the_document_and_the_annotator():
    docs = [read(ANNA), read(ANNA.with_name("bo.tsv")), read(NEWS)]
    assert [(d.name, d.annotator) for d in docs] == [
        ("toll.txt", "anna"),
        ("toll.txt", "bo"),
        ("news", None),
    ]


def test_relations_of_one_mark_among_stacked_ones(tmp_path):
    rows = ["1-1\t0-4\tHolm\tA[1]|B[2]\t_\t_\t", "1-2\t5-9\tsaid\tC\tr1|r2\t1-1[2_0]|1-1[1_0]\t"]
    head = "#FORMAT=WebAnno TSV 3.3\n#T_SP=x.Kind|f\n#T_RL=x.Tie|how|BT_x.Kind\n\n\n#Sentence.id=s1\n#Text=Holm said\n"
    (tmp_path / "x.tsv").write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    document = read(tmp_path / "x.tsv")
    labels = {mark.name: mark.label for mark in document.marks}
    assert [(labels[r.head], r.label, labels[r.tail]) for r in document.relations] == [
        ("B", "r1", "C"),
        ("A", "r2", "C"),
    ]


def test_lines_without_a_tab_at_their_end(tmp_path):
    text = NEWS.read_text(encoding="utf-8")
    (tmp_path / "news.tsv").write_text(text.replace("\t\n", "\n"), encoding="utf-8")
    assert covered(read(tmp_path / "news.tsv")) == covered(read(NEWS))


@pytest.mark.parametrize(
    ("escaped", "plain"),
    [
        (r"a\_b", "a_b"),
        (r"\\_", "\\_"),
        (r"x\->y", "x->y"),
        (r"tab\tline\n", "tab\tline\n"),
        (r"\[1\]\*\|\;", "[1]*|;"),
    ],
)
def test_escapes(escaped, plain):
    assert unescape(escaped) == plain
    assert split(f"{escaped}|z", "|") == [escaped, "z"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "chain",
            ", line 10: CoreferenceLink: expected a link, such as 'coref->1-2', found 'coref'",
        ),
        ("columns", ", line 13: expected 8 columns after the token, as the header says, found 7"),
        ("header-only", ": expected at least one sentence, found none"),
        ("no-text", ", line 8: expected '#Text=' before the tokens"),
        ("nothing", ", line 14: Span: expected at least one character"),
        ("offset", ", line 12: expected 'Noren' at 14-19 of the text, found ' Nore'"),
        (
            "overlapping-sentences",
            ", line 22: expected an offset from 46 on, where the sentence before ends, found 5",
        ),
        ("relation-number", ", line 14: expected the number of a mark, found [9]"),
        ("relation-to-nothing", ", line 10: expected one mark of Part at token 1-10, found none"),
        ("slots", ", line 9: Cue: expected as many slots as targets, found 1 and 2"),
        (
            "stack",
            ", line 12: NamedEntity: expected the same number of values in each of its columns",
        ),
        ("token", ", line 13: expected a token, such as '1-2<tab>4-8<tab>Haag'"),
        (
            "version",
            ", line 1: expected '#FORMAT=WebAnno TSV 3.3' (or 2), found '#FORMAT=WebAnno TSV 3.9'",
        ),
    ],
)
def test_error_of_broken_export_names_place_and_value(name, message):
    path = DATA / "broken" / "webanno" / f"{name}.tsv"
    with pytest.raises(InputError) as error:
        list(read_file(path, "webanno"))
    assert str(error.value).startswith(f"{path}{message}")


def test_records_of_a_document():
    first, second, third = read_file(
        NEWS, layout=Layout(roles={"nam": "ignore", "CoreferenceLink": "ignore"})
    )
    assert (first.id, first.doc_id, second.start) == ("news:0", "news", 46)
    assert first.attributions == [Attribution(source=[(2, 19)], cue=[(20, 24)], content=[(25, 44)])]
    assert second.entities == [Entity(span=[(11, 15)], label="PERSON")]
    assert third.entities == [Entity(span=[(5, 12)], label="ORGANIZATION")]


def test_label_of_layers_with_several_features(tmp_path):
    """Take the label from a feature or the name of the layer, and keep other features as attributes."""
    rows = [
        "1-1\t0-4\tHolm\ta\\_b\\|c[1]\tsource[1]\t_\t_\t_\t_\t",
        "1-2\t5-10\thates\t*\tcue\t_\t_\t_\t_\t",
        "1-3\t11-16\tNoren\t_\t_\tagainst\tquite\tits-id\tLOC\t",
    ]
    head = (
        "#FORMAT=WebAnno TSV 3.3\n#T_SP=x.Part|note|role\n#T_SP=x.Target|stance|sure\n"
        "#T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity|identifier|value\n\n\n"
        "#Text=Holm hates Noren\n"
    )
    (tmp_path / "x.tsv").write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    assert [(mark.label, dict(mark.attributes)) for mark in read(tmp_path / "x.tsv").marks] == [
        ("source", {"note": "a_b|c"}),
        ("cue", {}),
        ("Target", {"stance": "against", "sure": "quite"}),
        ("LOC", {"identifier": "its-id"}),
    ]
    (record,) = read_file(tmp_path / "x.tsv")
    assert [(s.target, s.label) for s in record.stances] == [([(11, 16)], "against")]
