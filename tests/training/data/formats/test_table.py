"""Test the reader of tables: CSV, TSV, Excel and Parquet files."""

import datetime
import decimal
import sys

import pytest

from claimstance.model.errors import ConfigError, InputError
from claimstance.model.record import Record, Stance
from claimstance.training.data.formats import Layout, ReadReport, read_file
from claimstance.training.data.formats.table_rows import as_text
from helpers.paths import DATA

TEXT = "🚲 Zoe\u0308 said: الجسر آمن."


def read(path, report=None, **layout):
    return list(read_file(path, layout=Layout(**layout), report=report))


def write(folder, text, name="x.csv"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def write_xlsx(path, **sheets):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_a_german_csv_file_from_excel():
    report = ReadReport()
    records = read(
        DATA / "table" / "excel-german.csv",
        report,
        columns={"text": "Text"},
        roles={"Haltung": "stance", "Note": "ignore"},
        values={"dagegen": "against", "dafür": "favor"},
    )
    assert [(r.id, r.annotator, r.stances) for r in records] == [
        ("1", "anna", [Stance(target="the toll", label="against")]),
        ("1", "bo", [Stance(target="the toll", label="neutral")]),
        ("2", "anna", [Stance(target="the harbour plan", label="favor")]),
        ("3", "anna", None),
    ]
    assert records[0].text == '🚲 Couriers said: "No toll, please".'
    assert [r.meta for r in records] == [
        {"date": "2026-01-05"},
        {"date": "2026-01-05"},
        {"date": "2026-01-06"},
        {},
    ]
    assert report.facts["delimiter"] == "semicolon"


@pytest.mark.parametrize(("delimiter", "name"), [(";", "semicolon"), ("\t", "tab"), ("|", "bar")])
def test_the_delimiter_is_the_one_that_gives_the_columns(tmp_path, delimiter, name):
    rows = [["id", "text", "label"], ["1", '"Rain, then sun."', "claim"]]
    report = ReadReport()
    (record,) = read(write(tmp_path, "".join(delimiter.join(row) + "\n" for row in rows)), report)
    assert (record.text, record.claim) == ("Rain, then sun.", "claim")
    assert report.facts["delimiter"] == name


def test_usual_delimiter_is_not_reported(tmp_path):
    report = ReadReport()
    read(write(tmp_path, "text,label\na;b,claim\n"), report)
    assert "delimiter" not in report.facts


def test_lines_are_counted_after_excels_first_line(tmp_path):
    with pytest.raises(InputError, match=r"x\.csv, line 4: expected a text, found an empty one"):
        read(write(tmp_path, "sep=;\ntext;label\na;claim\n;claim\n"))


def test_annotator_outlet_and_date(tmp_path):
    path = write(
        tmp_path, "text,label,coder,paper,date\nIt fell.,claim,anna,Post,2026-01-05\nRain.,,,,\n"
    )
    first, second = read(path, columns={"annotator": "coder", "outlet": "paper"}, annotator="bo")
    assert (first.annotator, first.meta) == ("anna", {"outlet": "Post", "date": "2026-01-05"})
    assert (second.annotator, second.meta) == ("bo", {})


def test_roles_name_the_columns(tmp_path):
    path = write(tmp_path, "text,Haltung,Ziel,Prüfen,Notiz,label\nIt fell.,favor,it,yes,hm,7\n")
    (record,) = read(
        path,
        roles={"Haltung": "stance", "Ziel": "target", "Prüfen": "check_worthy", "Notiz": "ignore"},
    )
    assert record.stances == [Stance(target="it", label="favor")]
    assert (record.check_worthy, record.claim, record.meta) == ("yes", None, {"label": "7"})


def test_labels_of_several_tasks_in_a_cell_are_separated_if_known(tmp_path):
    path = write(tmp_path, "text,label\nIt fell.,claim#yes\nRain.,no_claim\nSun.,yes\n")
    labels = {"claim": ["no_claim", "claim"], "check_worthy": ["no", "yes"]}
    with pytest.raises(InputError, match="line 4: claim: unknown label 'yes'"):
        read(path, labels=labels)
    joined = write(tmp_path, "text,label\nIt fell.,claim#yes\nRain.,no_claim\n", "y.csv")
    assert [(r.claim, r.check_worthy) for r in read(joined, labels=labels)] == [
        ("claim", "yes"),
        ("no_claim", None),
    ]
    assert read(joined)[0].claim == "claim#yes"  # a # may be part of unknown labels
    twice = write(tmp_path, "text,label\nIt fell.,claim#no_claim\n", "z.csv")
    with pytest.raises(
        InputError, match="line 2: expected one label of claim, found 'claim' and 'no_claim'"
    ):
        read(twice, labels=labels)


def test_rows_of_one_id_are_its_annotators(tmp_path):
    first, second = read(
        write(tmp_path, "id,text,label,annotator\n1,a,claim,anna\n1,a,no_claim,bo\n")
    )
    assert (first.id, first.annotator, second.id, second.annotator) == ("1", "anna", "1", "bo")


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        ({"Haltng": "stance"}, "roles: expected a column 'Haltng', found text, a, b"),
        (
            {"a": "cue"},
            "roles: a: expected claim, check_worthy, subjective, stance, target, holder, ignore",
        ),
        ({"a": "claim", "b": "claim"}, "roles: expected one column for claim, found a, b"),
        ({"a": "stance"}, "expected a column 'target' or one target for the file"),
    ],
)
def test_wrong_roles_are_errors(tmp_path, roles, message):
    with pytest.raises(InputError) as error:
        read(write(tmp_path, "text,a,b\nIt fell.,x,y\n"), roles=roles)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "windows-1252.csv",
            ", line 2: expected UTF-8 text, found invalid continuation byte (byte 4 of the line); it "
            "looks like a Windows encoding, such as Windows-1252: save it as 'CSV UTF-8'",
        ),
        (
            "utf-16.csv",
            ", line 1: expected UTF-8 text, found a binary file (a NUL byte); it looks like UTF-16",
        ),
        ("no-text-column.csv", ": expected a column 'text', found txt;label"),
        ("short-row.csv", ", line 2: expected 2 columns, found 1"),
        ("quotes.csv", ", line 2: expected CSV with fields in plain double quotes"),
        (
            "repeated.csv",
            ", line 3: expected a new id, found '1', already used in line 2 by annotator 'anna'",
        ),
        ("not-excel.xlsx", ": expected an Excel workbook (.xlsx, without a password)"),
        ("not-parquet.parquet", ": expected a Parquet file"),
    ],
)
def test_error_of_broken_table_names_place_and_value(name, message):
    if name.endswith(".xlsx"):
        pytest.importorskip("openpyxl")
    path = DATA / "broken" / "table" / name
    with pytest.raises(InputError) as error:
        read(path)
    assert str(error.value).startswith(f"{path}{message}")


def test_a_workbook(tmp_path):
    rows = [
        ["id", "text", "claim", "date", "score", "checked"],
        [7, TEXT, "claim", datetime.datetime(2026, 1, 5), 2.5, True],
        [],
        [8.0, "Rain fell.", None, datetime.date(2026, 1, 6), 3.0, None],
    ]
    report = ReadReport()
    first, second = read(
        write_xlsx(tmp_path / "x.xlsx", Notes=[["About"], ["coded by hand"]], Data=rows), report
    )
    assert first == Record(
        id="7",
        text=TEXT,
        claim="claim",
        meta={"score": "2.5", "checked": "true", "date": "2026-01-05"},
    )
    assert second == Record(
        id="8", text="Rain fell.", meta={"score": "3", "checked": "", "date": "2026-01-06"}
    )
    assert report.facts["sheet"] == "Data"


def test_several_matching_sheets_are_refused(tmp_path):
    path = write_xlsx(
        tmp_path / "x.xlsx",
        A=[["text", "label"], ["a", "claim"]],
        B=[["text", "label"], ["b", "claim"]],
    )
    with pytest.raises(InputError, match="expected one sheet with a column 'text', found A, B"):
        read(path)


def test_unusable_rows_of_a_workbook(tmp_path):
    rows = [
        ["text", "label"],
        ["a", "claim"],
        [None, "claim"],
        ["b", "#N/A"],
        ["c", "claim", "more"],
        ["d", "claim"],
    ]
    path = write_xlsx(tmp_path / "x.xlsx", Data=rows)
    report = ReadReport()
    assert [r.text for r in read(path, report, lenient=True)] == ["a", "d"]
    assert report.dropped == {
        "expected a text": 1,
        "expected a value in B4": 1,
        "expected 2 columns": 1,
    }
    with pytest.raises(InputError, match=r"x\.xlsx, row 3: expected a text, found an empty one"):
        read(path)
    with pytest.raises(InputError, match=r"x\.xlsx: expected a column 'txt', found text, label"):
        read(path, columns={"text": "txt"})


def test_without_openpyxl_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(
        ConfigError, match=r"x\.xlsx: reading \.xlsx files needs openpyxl: pip install openpyxl"
    ):
        read(write(tmp_path, "", "x.xlsx"))


def test_parquet(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pyarrow.table(
        {
            "id": [1, 2, 3],
            "text": [TEXT, "Rain fell.", "Sun."],
            "label": pyarrow.array(["favor", None, "x"]).dictionary_encode(),
            "target": ["the bridge"] * 3,
            "date": [datetime.date(2026, 1, 5), None, None],
            "tags": [["a"], [], None],
            "weight": [1.0, float("nan"), 0.5],
        }
    )
    parquet.write_table(table, tmp_path / "x.parquet")
    first, second, third = read(tmp_path / "x.parquet", values={"x": "neutral"})
    assert first == Record(
        id="1",
        text=TEXT,
        stances=[Stance(target="the bridge", label="favor")],
        meta={"date": "2026-01-05", "tags": '["a"]', "weight": "1"},
    )
    assert (second.stances, second.meta) == (None, {"tags": "[]", "weight": ""})
    assert third.stances[0].label == "neutral"
    with pytest.raises(InputError, match=r"x\.parquet, row 3: stance: unknown label 'x'"):
        read(tmp_path / "x.parquet", labels={"stance": ["favor", "against"]})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (" a ", " a "),
        (1, "1"),
        (1.0, "1"),
        (0.25, "0.25"),
        (float("nan"), ""),
        (float("inf"), "inf"),
        (True, "true"),
        (False, "false"),
        (decimal.Decimal("2.50"), "2.50"),
        (datetime.date(2026, 1, 5), "2026-01-05"),
        (datetime.datetime(2026, 1, 5), "2026-01-05"),
        (datetime.datetime(2026, 1, 5, 9, 30), "2026-01-05T09:30:00"),
        (datetime.time(9, 30), "09:30:00"),
        (b"caf\xc3\xa9", "café"),
        (["é"], '["é"]'),
    ],
)
def test_typed_cells_as_text(value, text):
    assert as_text(value) == text


@pytest.mark.parametrize(
    ("rows", "texts"),
    [
        (
            ['"We sail at dawn.\tfavor', 'We return at dusk."\tfavor', "Rain.\tneutral"],
            ['"We sail at dawn.', 'We return at dusk."', "Rain."],
        ),
        (['"No," she said.\tagainst', "Sun.\tfavor"], ['"No," she said.', "Sun."]),
        (['"And so\tfavor', "it was.\tfavor", '"It is over."\tneutral'], None),
        (
            ['"Doubts are rare.\tfavor', 'The lobby"s door.\tfavor'],
            ['"Doubts are rare.', 'The lobby"s door.'],
        ),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_tab_separated_table_without_quoting(tmp_path, rows, texts, end):
    path = tmp_path / "x.tsv"
    path.write_bytes("".join(line + end for line in ["text\tlabel", *rows]).encode())
    report = ReadReport()
    records = read(path, report, target="the harbour")
    assert [record.text for record in records] == (texts or [row.split("\t")[0] for row in rows])
    assert [record.stances[0].label for record in records] == [row.split("\t")[1] for row in rows]
    assert report.facts["quoting"] == "none: quotation marks are part of the text"


def test_a_tab_separated_table_with_quoted_cells(tmp_path):
    report = ReadReport()
    text = 'text\tlabel\n"Rain.\nThen ""sun""."\tclaim\n"Snow."\tno_claim\n'
    records = read(write(tmp_path, text, "x.tsv"), report)
    assert [record.text for record in records] == ['Rain.\nThen "sun".', "Snow."]
    assert "quoting" not in report.facts


def test_a_tab_separated_csv_file_without_quoting(tmp_path):
    path = write(tmp_path, 'text\tlabel\n"Rain.\tclaim\nSun."\tclaim\n')
    assert [record.text for record in read(path)] == ['"Rain.', 'Sun."']


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            "Text,Label,Target",
            "expected a column 'text', found Text, Label, Target; --column text=Text --column label=Label "
            "--column target=Target reads them",
        ),
        (
            "text,LABEL",
            "expected a column 'label', found text, LABEL; --column label=LABEL reads them",
        ),
        (
            "TEXT,label",
            "expected a column 'text', found TEXT, label; --column text=TEXT reads them",
        ),
        (
            "Text;Stance;Target",
            "found Text, Stance, Target; --column text=Text --role Stance=stance --column target=Target reads them",
        ),
        (
            "sentence,label",
            "expected a column 'text', found sentence, label; --column text=NAME says which one it is",
        ),
    ],
)
def test_the_error_of_a_missing_column_suggests_options(tmp_path, header, message):
    delimiter = ";" if ";" in header else ","
    row = delimiter.join(["Rain."] * (header.count(delimiter) + 1))
    with pytest.raises(InputError) as error:
        read(write(tmp_path, f"{header}\n{row}\n"))
    assert message in str(error.value)


def test_the_suggested_options_read_the_table(tmp_path):
    path = write(tmp_path, "Text,Label,Target\nRain.,favor,weather\n")
    (record,) = read(path, columns={"text": "Text", "label": "Label", "target": "Target"})
    assert record.stances == [Stance(target="weather", label="favor")]


def test_column_kept_as_data_because_of_case_is_reported(tmp_path):
    report = ReadReport()
    (record,) = read(write(tmp_path, "text,label,Target\nRain.,claim,weather\n"), report)
    assert (record.claim, record.meta) == ("claim", {"Target": "weather"})
    assert list(report.warnings()) == [
        (
            "column-name",
            "expected the column 'target', found 'Target', which is kept as data; "
            "--column target=Target reads it as target",
        )
    ]


def test_a_row_with_a_label_of_another_task_is_not_blank(tmp_path):
    report = ReadReport()
    read(write(tmp_path, "text,claim,subjective\nRain.,claim,\nSun.,,objective\nSnow.,,\n"), report)
    ((code, message),) = report.warnings()
    assert (code, "1 row (line 4)" in message) == ("blank-label", True)
