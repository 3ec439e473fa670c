"""Results as rows: the same columns in CSV, Parquet and frames; safe in spreadsheets, typed, in bounded memory."""

import csv
import gc
import io
import json
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis.strategies import sampled_from, text

from claimstance.inference.results import Attribution, Sentence, Span, Stance, TaggedArticle
from claimstance.inference.writers import parquet as parquet_writer
from claimstance.inference.writers.formats import OutputFormat, RowKind, article_writer
from claimstance.inference.writers.rows import (
    KINDS,
    META,
    TABLES,
    MetaColumns,
    has_sentence_columns,
    table_schema,
)
from claimstance.inference.writers.text import CsvWriter, escape_formula, open_output
from claimstance.model.errors import ConfigError
from claimstance.model.labels import TASKS
from helpers.pages import span, stance, tagged
from helpers.paths import ROOT
from helpers.program import PROGRAM, table, write
from helpers.program import TEXT as SAID
from helpers.tiny import TEXT, script

MODEL = {"name": "m", "version": "1", "sha256": "0"}
NESTED = ("attributions", "continued")


def said(text, **meta):
    """An article of one sentence, who says it being as odd as what is said."""
    span = Span(0, len(text), text, ((0, len(text)),), text)
    stance = Stance(text, text, "favor", 0.5, {"favor": 0.5}, 0)
    sentence = Sentence(
        0, 0, len(text), text, None, None, [Attribution(span, span, span, 0.5)], [], [stance]
    )
    return TaggedArticle(text, text, text, MODEL, [sentence], [], [], meta)


def quoted():
    """A quotation whose speaker stands in its second sentence."""
    text = "“The dam leaks. Go home,” Ann Lee said."
    holder, dam = span(text, "Ann Lee", "Ann Lee"), span(text, "The dam")
    stances = [stance(0, "Ann Lee", "The dam", "against", holder=holder, target=dam)]
    told = [(1, "Ann Lee", "Ann Lee", "said", "Go home", 0.9)]
    return tagged(text, ["“The dam leaks.", "Go home,” Ann Lee said."], told, stances)


@pytest.fixture(scope="module")
def article():
    return script()[0].tag(
        TEXT, ["Carl Amsel", "rail"], "a", meta={"outlet": "Courier", "n": 3, "tags": ["x"]}
    )


def written(articles, rows="sentences"):
    file = io.StringIO(newline="")
    writer = CsvWriter(file, rows)
    for one in articles:
        writer.write(one)
    writer.finish()
    return list(csv.reader(io.StringIO(file.getvalue(), newline="")))


def parquet(articles, rows="sentences"):
    pq = pytest.importorskip("pyarrow.parquet")
    file = io.BytesIO()
    with parquet_writer.open_parquet(file, rows) as writer:
        for one in articles:
            writer.write(one)
    return pq.ParquetFile(io.BytesIO(file.getvalue()))


# The columns


WHERE = ["doc_id", "index", "start", "end", "text"]


@pytest.mark.parametrize(
    ("tasks", "columns"),
    [
        (["claim"], ["claim", "claim_probability"]),
        (["check_worthy", "subjective"], ["check_worthy_probability", "subjective_probability"]),
        (["attribution"], ["sources", "cues", "contents", "attributions", "continued"]),
        (["entity", "stance"], ["entities"]),
        (["stance"], []),
    ],
)
def test_sentences_have_the_columns_of_the_model_s_tasks(article, tasks, columns):
    assert [column.name for column in table_schema("sentences", tasks).columns] == WHERE + columns
    file = io.StringIO(newline="")
    CsvWriter(file, "sentences", tasks=tasks).write(article)
    header, *rows = csv.reader(io.StringIO(file.getvalue(), newline=""))
    expected = WHERE + [name for name in columns if name not in ("attributions", "continued")]
    assert header[: len(expected)] == expected
    assert [name for name in header[len(expected) :] if not name.startswith("meta")] == []
    assert {len(row) for row in rows} == {len(header)}
    assert has_sentence_columns(tasks) is bool(columns)


def test_parquet_has_the_columns_of_the_model_s_tasks(article):
    pq = pytest.importorskip("pyarrow.parquet")
    file = io.BytesIO()
    with parquet_writer.open_parquet(file, tasks=["claim"]) as writer:
        writer.write(article)
    names = pq.ParquetFile(io.BytesIO(file.getvalue())).schema_arrow.names
    own = [name for name in names if not name.startswith("meta")]
    assert own == [*WHERE, "claim", "claim_probability", "record"]


def test_a_model_of_all_tasks_has_all_columns():
    for rows, every in TABLES.items():
        assert table_schema(rows).columns == every.columns
        assert table_schema(rows, TASKS).columns == every.columns
    assert table_schema("stances", ["stance"]).columns == TABLES["stances"].columns


@pytest.mark.parametrize("rows", TABLES)
def test_the_documented_columns_are_those_written(rows):
    text = (ROOT / "docs/output.md").read_text(encoding="utf-8")
    part = text.partition(f": `--rows {rows}`\n")[2].partition("\n## ")[0]
    documented = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", part, re.MULTILINE)
    assert documented == [
        (column.name, KINDS[column.kind], column.description) for column in TABLES[rows].columns
    ]


@pytest.mark.parametrize("rows", TABLES)
def test_rows_have_the_columns_in_order(article, rows):
    found = list(TABLES[rows].rows(article))
    assert found
    assert {tuple(row) for row in found} == {tuple(column.name for column in TABLES[rows].columns)}


def test_a_holder_of_another_sentence_keeps_its_place_in_the_article():
    article = quoted()
    assert [
        (row["sentence"], row["holder"], row["holder_start"], row["holder_end"], row["text"])
        for row in TABLES["stances"].rows(article)
    ] == [(0, "Ann Lee", 26, 33, "“The dam leaks.")]
    holder = article.to_dict()["sentences"][0]["stances"][0]["holder_span"]
    assert (holder["start"], holder["end"], holder["text"]) == (26, 33, "Ann Lee")
    header, line = written([article], "stances")
    assert line[header.index("holder_start")] == "26"
    assert "Ann Lee → The dam: against 0.90" in article._repr_html_()


def test_a_holder_of_another_sentence_in_parquet_and_frames():
    pytest.importorskip("pandas")
    article = quoted()
    assert article.to_frame(rows="stances")["holder_end"].tolist() == [33]
    rows = parquet([article], "stances").read().to_pylist()
    assert [(row["holder_start"], row["target_start"]) for row in rows] == [(26, 1)]


@pytest.mark.parametrize("rows", TABLES)
def test_one_definition_serves_all(article, rows):
    header, *lines = written([article], rows)
    file = parquet([article], rows)
    frame = pytest.importorskip("pandas") and article.to_frame(rows)
    names = file.schema_arrow.names
    assert header == [name for name in names if name not in (*NESTED, parquet_writer.RECORD)]
    assert [name for name in header if name != META] == [
        name for name in frame.columns if name not in NESTED
    ]
    typed = file.read().to_pylist()
    assert len(lines) == len(typed) == len(frame) > 0
    for line, row in zip(lines, typed, strict=True):
        for name, cell in zip(header, line, strict=True):
            value = row[name]
            assert cell == (
                " | ".join(value)
                if isinstance(value, list)
                else ""
                if value is None
                else str(value)
            )


# What travels along


def test_what_travels_along_has_columns_of_its_own(article):
    header, line, *_ = written([article])
    assert header[-4:] == ["meta_outlet", "meta_n", "meta_tags", "meta"]
    assert line[-4:] == ["Courier", "3", '["x"]', ""]


def test_nothing_that_travels_along_is_lost():
    header, *lines = written(
        [said("A.", outlet="x"), said("B.", outlet=None, date="2026"), said("C.")]
    )
    assert header[-2:] == ["meta_outlet", "meta"]
    assert [line[-2:] for line in lines] == [["x", ""], ["", '{"date": "2026"}'], ["", ""]]
    rows = (
        parquet([said("A.", outlet="x"), said("B.", date=2026)])
        .read(["meta_outlet", "meta"])
        .to_pylist()
    )
    assert rows == [
        {"meta_outlet": "x", "meta": None},
        {"meta_outlet": None, "meta": '{"date": 2026}'},
    ]


def test_a_name_among_what_travels_along_collides_with_none():
    taken = {column.name for kind in TABLES.values() for column in kind.columns}
    names = [
        column.name for column in MetaColumns({"text": 1, "meta": 2, "": 3, "doc_id": 4}).columns
    ]
    assert names == ["meta_text", "meta_meta", "meta_", "meta_doc_id", "meta"]
    assert not taken & set(names)


# Who says what


def test_a_row_for_each_attribution():
    text = "Senator Amsel spoke. He said that the tax is theft. Critics blamed him."
    he, said_, tax = (place(text, words) for words in ("He", "said", "the tax is theft"))
    he = replace(he, name="Carl Amsel")
    critics = place(text, "Critics")
    attributions = [Attribution(he, said_, tax, 0.91239), Attribution(critics, None, None, 0.5)]
    sentences = [
        Sentence(0, 0, 20, text[:20], attributions=[]),
        Sentence(1, 21, 51, text[21:51], attributions=attributions[:1]),
        Sentence(2, 52, len(text), text[52:], attributions=[*attributions, attributions[1]]),
    ]
    meta = {"date": "2026-03-01", "outlet": "Courier", "url": "u"}
    article = TaggedArticle("a", "Tax", text, MODEL, sentences, [], [], meta)
    header, *lines = written([article], "attributions")
    first, second = (dict(zip(header, line, strict=True)) for line in lines)
    assert first == {
        "doc_id": "a",
        "title": "Tax",
        "date": "2026-03-01",
        "outlet": "Courier",
        "sentence": "1",
        "source": "He",
        "name": "Carl Amsel",
        "cue": "said",
        "content": "the tax is theft",
        "probability": "0.9124",
        "source_start": "21",
        "source_end": "23",
        "cue_start": "24",
        "cue_end": "28",
        "content_start": "34",
        "content_end": "50",
        "text": "He said that the tax is theft.",
        "meta_url": "u",
        "meta": "",
    }
    assert (second["source"], second["sentence"]) == ("Critics", "2")
    assert [second[name] for name in ("name", "cue", "content", "cue_start", "content_end")] == [
        ""
    ] * 5
    (row, _) = parquet([article], "attributions").read().to_pylist()
    assert text[row["content_start"] : row["content_end"]] == row["content"]


def place(text, words):
    """Return the first place of some words in a text."""
    start = text.index(words)
    return Span(start, start + len(words), words, ((start, start + len(words)),))


def test_date_and_outlet_have_a_column_whether_the_first_article_has_them_or_not():
    articles = [said("A."), said("B.", outlet="Courier", date=2026, url="u"), said("C.", date=None)]
    header, *lines = written(articles, "attributions")
    assert header[-1] == "meta"
    assert not {"meta_date", "meta_outlet"} & set(header)
    columns = [header.index(name) for name in ("date", "outlet", "meta")]
    assert [[line[column] for column in columns] for line in lines] == [
        ["", "", ""],
        ["2026", "Courier", '{"url": "u"}'],
        ["", "", ""],
    ]


def test_a_model_that_looks_for_no_attributions_gives_no_rows():
    plain = TaggedArticle("d", None, "A.", MODEL, [Sentence(0, 0, 2, "A.")], [])
    assert len(written([plain], "attributions")) == 1
    assert parquet([plain], "attributions").metadata.num_rows == 0


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_attributions_from_the_command_line(run, model, form):
    if form == "parquet":
        pytest.importorskip("pyarrow.parquet")
    write("a.csv", f'text,outlet,kind\n"{SAID}",Courier,news\n')
    call = ("tag", "a.csv", "--model", model, "--rows", "attributions", "--out")
    done = run(*call, f"said.{form}")
    assert (done.code, done.messages) == (0, [])
    if form == "parquet":
        import pyarrow.parquet as pq

        rows = pq.read_table("said.parquet").to_pylist()
    else:
        rows = table(Path("said.csv").read_bytes().decode())
    names = [column.name for column in TABLES["attributions"].columns]
    assert rows
    assert [*rows[0]] == [*names, "meta_kind", "meta"]
    assert {(row["outlet"], row["meta_kind"]) for row in rows} == {("Courier", "news")}
    parts = run(*call, "parts", "--format", form)
    assert (parts.code, parts.messages) == (0, [])
    part = Path("parts", f"part-00000.{form}").read_bytes()
    assert part == Path(f"said.{form}").read_bytes()


# CSV


SIGNS = "=+-@＝＋－＠﹦﹢﹣﹫"
#: What programs divide the lines of a table by, where they are not told: by country, or by guessing.
SEPARATORS = (",", ";", "\t", "|")


@pytest.fixture(autouse=True)
def long_cells():
    """Let csv read long cells, and restore its limit, which belongs to the whole process."""
    previous_limit = csv.field_size_limit(1_000_000)
    yield
    csv.field_size_limit(previous_limit)


def formulas(file_text, separator):
    """Return the cells that a program with this separator would take for formulas, or for more than a number."""
    found = []
    for row in csv.reader(io.StringIO(file_text, newline=""), delimiter=separator):
        for cell in row:
            start = cell.strip().strip("\ufeff\u200b\u2060").strip()
            if start.startswith(tuple(SIGNS)) and not re.fullmatch(
                r"[+-]?[\d.,]*\d%?(?:[eE][+-]?\d+)?", start
            ):
                found.append(cell)
    return found


def csv_text(articles, rows):
    file = io.StringIO(newline="")
    writer = CsvWriter(file, rows)
    for one in articles:
        writer.write(one)
    writer.finish()
    return file.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "\nx",
        "=cmd|' /C calc'!A0",
        "＝1",
        "－1+1",
        "﹦1",
        "-",
        "-5 degrees",
        "+49 (0)30",
        "=5",
        "-1-1",
        " =1+1",
        "\u00a0=1",
        "\u3000＝1",
        "\ufeff=1",
        "\u200b@x",
    ],
)
@pytest.mark.parametrize("rows", TABLES)
def test_no_text_is_a_formula(text, rows):
    ((header, line),) = [written([said(text, key=text)], rows)]
    assert line[header.index("text")] == "'" + text
    assert line[header.index("meta_key")] == "'" + text
    for separator in SEPARATORS:
        assert formulas(csv_text([said(text, key=text)], rows), separator) == []


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("He left;=1+1", "He left;'=1+1"),
        ("He left; =1+1", "He left; '=1+1"),
        ("it fell; -5", "it fell; '-5"),  # the next column would follow the number
        ("a;+b;-c;@d;e", "a;'+b;'-c;'@d;e"),
        ("a;＝1", "a;'＝1"),
        ("a\t=1", "a\t'=1"),
        ("a\n=1", "a\n'=1"),
        ("a\r\n\r\n@b", "a\r\n\r\n'@b"),
        ("a|=1", "a|'=1"),
        ("a | =1", "a | '=1"),
        ('a;"=1"', 'a;\'"=1"'),
        ('a; ""=1', 'a; \'""=1'),
        ("\t=1", "'\t'=1"),
        ("=1;=2", "'=1;'=2"),
        ("-5;=2", "'-5;'=2"),
        ("a;-5 degrees", "a;'-5 degrees"),
        ("- one\n- two", "'- one\n'- two"),
        ("\r-5;", "'\r'-5;"),
        ("a\n-5;b", "a\n'-5;b"),  # the cell goes on for a program that expects bars
        ('a\n-5"\nb', "a\n'-5\"\nb"),
    ],
)
@pytest.mark.parametrize("rows", TABLES)
def test_no_text_has_a_formula_for_programs_with_other_separators(text, cell, rows):
    ((header, line),) = [written([said(text, key=text)], rows)]
    assert line[header.index("text")] == cell
    assert line[header.index("meta_key")] == cell
    for separator in SEPARATORS:
        assert formulas(csv_text([said(text, key=text)], rows), separator) == []


@pytest.mark.parametrize("rows", TABLES)
@pytest.mark.parametrize("name", ["=1", "x;=1", "x\n@1", "x\t+1+1", "x|-1-1"])
def test_no_name_of_a_column_is_a_formula(name, rows):
    for separator in SEPARATORS:
        assert formulas(csv_text([said("A.", **{name: "x"})], rows), separator) == []


def test_what_stands_in_the_last_column_is_no_formula_either():
    articles = [said("A."), said("B.", **{"=1": "x;=1", "k": ["a;=1"]})]
    for separator in SEPARATORS:
        assert formulas(csv_text(articles, "sentences"), separator) == []


@given(text(alphabet="=+-@＝;|,\t\n\r \"'a5.", max_size=12), sampled_from(sorted(TABLES)))
def test_whatever_a_text_is_no_program_reads_a_formula(words, rows):
    file_text = csv_text([said(words, key=words, **{words: words})], rows)
    for separator in SEPARATORS:
        assert formulas(file_text, separator) == [], (words, separator)


@pytest.mark.parametrize(
    "text",
    [
        "-5",
        "+49",
        "-1.5",
        "-1,234.5",
        "+3e-7",
        "-20%",
        " -5",
        "He left. =1",
        "'=1",
        "",
        "a;-20%;b",
        "a\n-20%\nb",
        "a - b + c = d",
        "London - Reuters, +3",
        "a | b",
        "one\ntwo",
    ],
)
def test_other_cells_stay_as_they_are(text):
    header, line = written([said(text or "x", key=text)])
    assert line[header.index("meta_key")] == text


def test_a_long_cell_is_guarded_in_time_that_grows_with_its_length():
    for piece in ("\n", " ", "; ", ';"', "-5;", "1,"):
        words = "x;" + piece * 300_000
        begun = time.process_time()
        escape_formula(words)
        assert time.process_time() - begun < 5, piece


def test_a_csv_without_articles_has_its_header():
    assert written([], "stances") == [
        [*(column.name for column in TABLES["stances"].columns), "meta"]
    ]


# Parquet


def test_parquet_is_typed_and_nested(article):
    pa = pytest.importorskip("pyarrow")
    schema = parquet([article]).schema_arrow
    assert schema.field("index").type == pa.int64()
    assert schema.field("claim_probability").type == pa.float64()
    assert schema.field("sources").type == pa.list_(pa.string())
    row = parquet([article]).read().to_pylist()[2]
    first = article.sentences[2].attributions[0]
    assert row["attributions"][0]["source"] == {
        "text": first.source.text,
        "start": first.source.start,
        "end": first.source.end,
        "name": first.source.name,
    }
    assert row["attributions"][0]["source"]["name"] == "Carl Amsel"
    assert (
        article.text[first.content.start : first.content.end]
        == row["attributions"][0]["content"]["text"]
    )


def test_what_a_model_does_not_read_is_null():
    plain = TaggedArticle("d", None, "A.", MODEL, [Sentence(0, 0, 2, "A.")], [])
    (row,) = parquet([plain]).read().to_pylist()
    assert {
        name: row[name] for name in ("claim", "sources", "attributions", "claim_probability")
    } == dict.fromkeys(("claim", "sources", "attributions", "claim_probability"))


def test_parquet_in_groups(article, monkeypatch):
    monkeypatch.setattr(parquet_writer, "_ROWS_PER_GROUP", 4)
    file = parquet([article] * 5)
    assert file.metadata.num_row_groups > 3
    assert file.metadata.num_rows == 5 * len(article.sentences)
    monkeypatch.setattr(parquet_writer, "_ROWS_PER_GROUP", 10_000)
    monkeypatch.setattr(parquet_writer, "_CHARACTERS_PER_GROUP", 1)
    assert parquet([article]).metadata.num_row_groups == len(article.sentences)


def test_parquet_without_articles():
    file = parquet([], "stances")
    assert (file.metadata.num_rows, file.schema_arrow.names[0]) == (0, "doc_id")


def test_parquet_from_the_command_line(run, model):
    pq = pytest.importorskip("pyarrow.parquet")
    write("a.csv", f'text,outlet\n"{SAID}",Courier\n')
    done = run("tag", "a.csv", "--model", model, "-o", "t.parquet")
    assert (done.code, done.out, done.messages) == (0, "", [])
    rows = pq.read_table("t.parquet").to_pylist()
    assert [row["meta_outlet"] for row in rows] == ["Courier"] * 3
    assert rows[1]["text"] == "Senator Carl Amsel spoke on Monday."
    run(
        "tag",
        "a.csv",
        "--model",
        model,
        "-f",
        "parquet",
        "--rows",
        "stances",
        "-t",
        "tax",
        "-o",
        "s.parquet",
    )
    assert {row["target"] for row in pq.read_table("s.parquet").to_pylist()} == {"tax"}
    assert sorted(path.name for path in Path().iterdir()) == ["a.csv", "s.parquet", "t.parquet"]


def test_parquet_is_an_input_again(run, model):
    pytest.importorskip("pyarrow.parquet")
    import pyarrow

    pyarrow.parquet.write_table(
        pyarrow.table({"body": [SAID], "outlet": ["Courier"], "n": [3]}), "a.parquet"
    )
    done = run("tag", "a.parquet", "--model", model, "--format", "csv")
    assert done.messages == [
        "warning: a.parquet: no column 'text': 'body' is read as the text (--text-column names "
        "another)"
    ]
    assert [(row["doc_id"], row["meta_outlet"], row["meta_n"]) for row in table(done.out)] == [
        ("a:1", "Courier", "3")
    ] * 3
    line = json.loads(run("tag", "a.parquet", "--model", model, "--text-column", "body").out)
    assert line["meta"] == {"outlet": "Courier", "n": 3}


def test_a_failure_leaves_the_parquet_that_was_there(article, tmp_path, monkeypatch):
    def fail():
        with (
            open_output(path) as file,
            article_writer(
                OutputFormat.parquet, RowKind.sentences, file, tasks=script()[0].tasks
            ) as writer,
        ):
            writer.write(article)
            raise RuntimeError

    pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(parquet_writer, "_ROWS_PER_GROUP", 1)
    path = tmp_path / "t.parquet"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError):
        fail()
    gc.collect()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_half_a_parquet_does_not_look_whole(article, monkeypatch):
    def fail():
        with parquet_writer.open_parquet(file) as writer:
            writer.write(article)
            raise RuntimeError

    pa = pytest.importorskip("pyarrow")
    monkeypatch.setattr(parquet_writer, "_ROWS_PER_GROUP", 1)
    file = io.BytesIO()
    with pytest.raises(RuntimeError):
        fail()
    assert len(file.getvalue()) > 1000
    with pytest.raises(pa.ArrowInvalid):
        pa.parquet.ParquetFile(io.BytesIO(file.getvalue()))


def test_parquet_through_a_pipe(here, model):
    pq = pytest.importorskip("pyarrow.parquet")
    write("a.txt", SAID)
    call = [*PROGRAM, "tag", "a.txt", "--model", model, "-f", "parquet"]
    done = subprocess.run(call, capture_output=True, check=True)
    assert pq.ParquetFile(io.BytesIO(done.stdout)).metadata.num_rows == 3


# Frames


def test_a_frame_of_sentences(article):
    pytest.importorskip("pandas")
    frame = article.to_frame()
    assert frame["text"].tolist() == [sentence.text for sentence in article.sentences]
    assert frame["sources"].tolist()[2] == ["Carl Amsel"]
    assert frame["meta_tags"].tolist() == [["x"]] * len(frame)
    types = {
        name: str(frame[name].dtype) for name in ("text", "start", "claim_probability", "sources")
    }
    assert types == {
        "text": "string",
        "start": "Int64",
        "claim_probability": "Float64",
        "sources": "object",
    }


def test_a_frame_of_stances(article):
    pandas = pytest.importorskip("pandas")
    frame = article.to_frame(rows="stances")
    assert set(frame["target"]) == {"Carl Amsel", "rail"}
    assert frame["target_start"].isna().any()
    assert str(frame["abstained"].dtype) == "boolean"
    assert len(pandas.concat([frame, frame])) == 2 * len(frame)


def test_a_frame_without_rows(article):
    pytest.importorskip("pandas")
    empty = TaggedArticle("d", None, "", MODEL, [], [])
    assert list(empty.to_frame("stances").columns) == [
        column.name for column in TABLES["stances"].columns
    ]
    assert str(empty.to_frame()["index"].dtype) == "Int64"


def test_wrong_calls_of_frames(article, monkeypatch):
    pytest.importorskip("pandas")
    with pytest.raises(
        ConfigError, match=r"unknown kind of rows 'stance'. Did you mean 'stances'\?"
    ):
        article.to_frame("stance")
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(
        ConfigError, match=r"this needs 'pandas': pip install 'claimstance\[frames\]'"
    ):
        article.to_frame()
