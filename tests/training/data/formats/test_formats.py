"""Test the choice of a format, and tables with texts and labels."""

import pytest

from claimstance.model.errors import ConfigError, InputError
from claimstance.model.record import Record, Stance
from claimstance.training.data.formats import Layout, ReadReport, read_file


def write(folder, name, text, encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def read(path, format=None, report=None, **layout):
    return list(read_file(path, format, Layout(**layout), report))


def test_a_plain_table_has_claims(tmp_path):
    rows = 'text,label\n"Holm said, ""it\r\nholds"".",claim\r\n\nRain fell., no_claim \nSun.,\n'
    path = write(tmp_path, "mine.csv", rows, "utf-8-sig")
    records = read(path)
    assert [(r.id, r.text, r.claim) for r in records] == [
        ("mine:1", 'Holm said, "it\nholds".', "claim"),
        ("mine:2", "Rain fell.", "no_claim"),
        ("mine:3", "Sun.", None),
    ]
    assert all(r.doc_id is None and r.stances is None for r in records)


def test_a_table_with_targets_has_stances(tmp_path):
    header = "id\tdoc_id\ttext\ttarget\tholder\tlabel\toutlet\n"
    rows = "7\td\tHolm likes it.\tthe bridge\tHolm\tpro\tPost\n8\t\tIt fell.\tthe bridge\t\tcon\t\n"
    path = write(tmp_path, "s.tsv", header + rows)
    first, second = read(path)
    assert first == Record(
        id="7",
        doc_id="d",
        text="Holm likes it.",
        meta={"outlet": "Post"},
        stances=[Stance(holder="Holm", target="the bridge", label="pro")],
    )
    assert second.doc_id is None
    assert second.stances == [Stance(target="the bridge", label="con")]


def test_mapped_columns_and_one_target(tmp_path):
    path = write(tmp_path, "m.csv", "Satz,Urteil\nEs regnet.,pro\n")
    columns = {"text": "Satz", "label": "Urteil"}
    assert read(path, columns=columns, target="rain")[0].stances == [
        Stance(target="rain", label="pro")
    ]
    assert read(path, columns=columns, task="check_worthy", target="rain")[0].check_worthy == "pro"


def test_columns_named_after_tasks(tmp_path):
    path = write(
        tmp_path,
        "t.csv",
        "text,claim,check_worthy,stance,target\nIt fell.,claim,yes,against,it\nRain.,,,,\n",
    )
    first, second = read(path)
    assert (first.claim, first.check_worthy, first.stances[0].label) == ("claim", "yes", "against")
    assert (second.claim, second.check_worthy, second.stances) == (None, None, None)


@pytest.mark.parametrize(
    ("text", "layout", "message"),
    [
        ("txt,label\na,b\n", {}, "x.csv: expected a column 'text', found txt, label"),
        ("text,lable\na,b\n", {}, "x.csv: expected a column 'label', found text, lable"),
        (
            "text,label\na,b\n",
            {"columns": {"target": "topic"}},
            "x.csv: expected a column 'topic', found text, label",
        ),
        ("text,label\na,b\n", {"columns": {"txet": "a"}}, "x.csv: unknown column 'txet'"),
        (
            "text,label\na,b\n",
            {"task": "stance"},
            "x.csv: expected a column 'target' or one target",
        ),
        ("text,stance\na,b\n", {}, "x.csv: expected a column 'target' or one target"),
        ("text,label,text\na,b,c\n", {}, "found 'text' twice"),
        ("text,label\na,b\n,c\n", {}, "x.csv, line 3: expected a text, found an empty one"),
        ("text,label\na\n", {}, "x.csv, line 2: expected 2 columns, found 1"),
        ("text,label,target\na,b,\n", {}, "x.csv, line 2: expected a target, found an empty one"),
        (
            "id,text,label\n1,a,b\n1,c,d\n",
            {},
            "x.csv, line 3: expected a new id, found '1', already used in line 2",
        ),
        (
            "text,label\na,maybe\n",
            {"labels": {"claim": ("pro", "con")}},
            "x.csv, line 2: claim: unknown label 'maybe'",
        ),
        (
            'text,label\n"a" b,c\n',
            {},
            "x.csv, line 2: expected CSV with fields in plain double quotes",
        ),
        ('text,label\n"a,c\n', {}, "x.csv, line 2: expected CSV"),
        ("text,label\n", {}, "expected a header and at least one row, found a header"),
        ("", {}, "found no header"),
    ],
)
def test_error_of_wrong_table_names_place_and_value(tmp_path, text, layout, message):
    with pytest.raises(InputError) as error:
        read(write(tmp_path, "x.csv", text), **layout)
    assert message in str(error.value)


def test_a_lenient_reader_counts_rows_left_out(tmp_path):
    path = write(tmp_path, "x.csv", "text,label\na,claim\n ,claim\nb\nc,claim\n,no\n")
    report = ReadReport()
    records = read(path, report=report, lenient=True)
    assert [(r.id, r.text) for r in records] == [("x:1", "a"), ("x:4", "c")]
    assert report.dropped == {"expected a text": 2, "expected 2 columns": 1}


def test_a_file_that_is_not_utf8_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"x\.csv, line 2: expected UTF-8"):
        read(write(tmp_path, "x.csv", "text,label\ncafé,claim\n", "latin-1"))


def test_jsonl_keeps_the_default_labels_unless_configured(tmp_path):
    path = write(tmp_path, "x.jsonl", '{"id": "1", "text": "a", "claim": "pro"}\n')
    with pytest.raises(InputError, match="line 1: claim: unknown label 'pro'"):
        read(path)
    assert read(path, labels={"claim": ("pro", "con")})[0].claim == "pro"
    with pytest.raises(InputError, match="to which 'target' applies"):
        read(path, target="it")


def test_formats_by_suffix_and_name(tmp_path):
    path = write(tmp_path, "x.txt", "text\tlabel\na\tclaim\n")
    with pytest.raises(
        InputError,
        match="expected what conll looks like, found something else; if it is that, or ano",
    ):
        read(path)
    with pytest.raises(InputError, match="expected a file whose name ends in"):
        read(write(tmp_path, "x.dat", "text"))
    assert read(path, "tsv")[0].claim == "claim"
    with pytest.raises(ConfigError, match="unknown format 'tvs'"):
        read(path, "tvs")
    assert read(write(tmp_path, "X.CSV", "text,label\na,claim\n"))[0].id == "X:1"


def test_a_target_column_and_one_target_for_the_file_exclude_each_other(tmp_path):
    path = tmp_path / "both.csv"
    path.write_text("text,label,target\nA good law.,favor,the law\n", encoding="utf-8")
    with pytest.raises(InputError, match="found both \\('gun control'\\)"):
        list(read_file(path, layout=Layout(target="gun control")))
