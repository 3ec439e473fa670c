"""Test corpora: the choice of the text column, metadata in other columns, and bad rows among good ones."""

import datetime
import decimal
import json
import sys
import time
import tracemalloc
from pathlib import Path

import pytest

from claimstance.inference.articles.corpus import as_id, plain_values
from claimstance.inference.articles.delimited import read as read_delimited
from claimstance.inference.articles.sources import Article, Columns, read_articles
from claimstance.model.errors import InputError

TEXT_COLUMNS = "'text', 'body', 'content', 'article', or one that --text-column names, found"


def read(name, data, *columns):
    Path(name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return list(read_articles([name], Columns(*columns)))


def texts_and_errors(items):
    return [item.text if isinstance(item, Article) else str(item) for item in items]


# CSV and TSV


def test_csv_with_quoted_cells_and_metadata(workdir, caplog):
    articles = read(
        "a.csv", 'id,title,text,outlet,n\nx,One,He left.,Courier,3\n,,"She said, “no”.\nTwice.",,\n'
    )
    assert articles == [
        Article("x", "He left.", "One", meta={"outlet": "Courier", "n": "3"}),
        Article("a:2", "She said, “no”.\nTwice.", None, meta={"outlet": "", "n": ""}),
    ]
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.tsv", "id\ttext\nx\tHe left.\n"),
        ("a.csv", "id;text\nx;He left.\n"),
        ("a.csv", "sep=|\nid|text\nx|He left."),
        ("a.csv", "\ufeffid,text\r\nx,He left.\r\n"),
        ("a.csv", "id\ttext\nx\tHe left.\n"),
        ("a.CSV", "\nid,text\n\nx,He left."),
        ("a.csv", '"id","text"\n"x","He left."\n,\n'),
    ],
)
def test_delimiters_and_line_ends(workdir, name, data):
    assert read(name, data) == [Article("x", "He left.")]


def test_a_guessed_text_column_is_logged(workdir, caplog):
    assert read("a.csv", "ID,Headline,Body\n7,One,He left.\n") == [Article("7", "He left.", "One")]
    assert caplog.messages == [
        "a.csv: no column 'text': 'Body' is read as the text (--text-column names another)"
    ]


def test_columns_named_by_options_are_read(workdir, caplog):
    articles = read(
        "a.csv", "text,story,key,kicker\nshort,He left.,k,One\n", "story", "key", "kicker"
    )
    assert articles == [Article("k", "He left.", "One", meta={"text": "short"})]
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("data", "columns", "message"),
    [
        ("", (), "a.csv: expected a header and at least one row, found an empty file"),
        ("\n\n", (), "a.csv: expected a header and at least one row, found an empty file"),
        ("id,text\n", (), "a.csv: expected a header and at least one row, found a header"),
        ("id,words\n1,x\n", (), f"a.csv: expected a column {TEXT_COLUMNS} id, words"),
        ('id,"odd\nwords"\n1,x\n', (), f"a.csv: expected a column {TEXT_COLUMNS} id, odd words"),
        ("id,text\n1,x\n", ("body",), "a.csv: expected a column 'body', found id, text"),
        ("id,text\n1,x\n", (None, "key"), "a.csv: expected a column 'key', found id, text"),
        ("id,text\n1,x\n", (None, None, "t"), "a.csv: expected a column 't', found id, text"),
        (
            "id,text,id\n1,x,2\n",
            (),
            "a.csv: expected columns with different names, found 'id' twice",
        ),
        (
            "id,text\n1,“x”\n".encode("utf-16"),
            (),
            "a.csv, line 1: expected UTF-8 text, found a binary file (a NUL byte); "
            "it looks like UTF-16 ('Unicode text' in Excel): save it as 'CSV UTF-8'",
        ),
        (
            "id,tëxt\n1,x\n".encode("cp1252"),
            (),
            "a.csv, line 1: expected UTF-8 text, found invalid continuation byte "
            "(byte 5 of the line); it looks like a Windows encoding, such as Windows-1252: save it as 'CSV UTF-8'",
        ),
    ],
)
def test_a_table_without_articles_is_an_error(workdir, data, columns, message):
    assert texts_and_errors(read("a.csv", data, *columns)) == [message]


def test_a_bad_row_leaves_the_others_readable(workdir):
    data = (
        b'id,text\n1,A.\n2,B,C\n3\n4,"B "so" he said"\n5,\xff\n6,a\0b\n7,"C.\n\nD."\n8,'
        + b"x" * 11_000_000
        + b"\n9,E.\n10,\n"
    )
    quotes = "expected fields in plain double quotes or none, of at most 10,000,000 characters, found others"
    assert texts_and_errors(read("a.csv", data)) == [
        "A.",
        "a.csv, line 3: expected 2 columns, found 3",
        "a.csv, line 4: expected 2 columns, found 1",
        f"a.csv, line 5: {quotes} (',' expected after '\"')",
        "a.csv, line 6: expected UTF-8 text, found invalid start byte (byte 3 of the line)",
        "a.csv, line 7: expected UTF-8 text, found a binary file (a NUL byte)",
        "C.\n\nD.",
        "a.csv, line 11: expected a line of at most 10,000,000 bytes, found a longer one",
        "E.",
        "",
    ]


@pytest.mark.parametrize("bad", [b"\xff", b"\0", b"\xed\xa0\x80"])
def test_a_bad_line_within_a_row_leaves_other_rows_readable(workdir, bad):
    data = b'id,text\n1,A.\n2,"one\ntwo ""%s"", and\n\nthree\n",\n3,"B."\n4,"C\n"\n' % bad
    first_text, error_message, *later_texts = texts_and_errors(read("a.csv", data))
    assert error_message.startswith("a.csv, line 4: expected UTF-8 text, found ")
    assert (first_text, later_texts) == ("A.", ["B.", "C\n"])


def test_an_unclosed_quote_is_an_error(workdir):
    output = texts_and_errors(read("a.csv", 'id,text\n1,A.\n2,"B\n3,C.\n4,D.\n'))
    assert output == [
        "A.",
        "a.csv, line 3 to 5: expected fields in plain double quotes or none, of at most 10,000,000 "
        "characters, found others (unexpected end of data)",
    ]


def test_an_overlong_row_of_many_lines_leaves_the_others_readable(workdir):
    data = 'id,text\n1,A.\n2,"' + ('x, ""y"", ' * 100_000 + "\n") * 15 + '"\n3,B.\n'
    assert texts_and_errors(read("a.csv", data)) == [
        "A.",
        "a.csv, line 3 to 18: expected a row of at most 10,000,000 characters, found a longer one",
        "B.",
    ]
    output = texts_and_errors(read("a.csv", data.replace('"\n3', "\n3")))
    assert output == [
        "A.",
        "a.csv, line 3 to 19: expected a row of at most 10,000,000 characters, found a longer one",
    ]
    output = texts_and_errors(
        read("a.csv", data.replace("\n3", ("," * 9_000_000 + '"\n') * 11 + "\n3"))
    )
    assert output[1].endswith(
        ": expected a row of at most 10,000,000 characters, found a longer one"
    )


def test_a_header_of_many_columns_takes_little_time(workdir):
    start = time.process_time()
    output = texts_and_errors(
        read("a.csv", "text," + ",".join(f"c{n}" for n in range(300_000)) + "\n1\n")
    )
    assert output == ["a.csv, line 2: expected 300001 columns, found 1"]
    assert time.process_time() - start < 10


def test_fields_may_exceed_the_default_limit_of_the_csv_module(workdir):
    import csv

    before = csv.field_size_limit()
    assert [len(item.text) for item in read("a.csv", "text\n" + "He left. " * 50_000)] == [450_000]
    assert csv.field_size_limit() == before


@pytest.mark.parametrize("name", ["a.tsv", "a.csv"])
def test_rows_are_lines_where_quotation_marks_quote_no_cells(workdir, name):
    data = 'id\ttext\n1\t"The mill burns.\n2\tAnd nobody came."\n3\tHe left.\n4\t"She stayed."\n5\t"No," he said.'
    assert texts_and_errors(read(name, data)) == [
        '"The mill burns.',
        'And nobody came."',
        "He left.",
        '"She stayed."',
        '"No," he said.',
    ]


def test_a_bad_row_of_a_file_without_quoting_leaves_the_others_readable(workdir):
    data = b'id\ttext\n1\t"A.\n2\tB."\n3\t"C\n4\tD\todd\n5\t"E "x".\n6\t\xff"\n7\tF.'
    assert texts_and_errors(read("a.tsv", data)) == [
        '"A.',
        'B."',
        '"C',
        "a.tsv, line 5: expected 2 columns, found 3",
        '"E "x".',
        "a.tsv, line 7: expected UTF-8 text, found invalid start byte (byte 3 of the line)",
        "F.",
    ]


def test_quoted_cells_of_a_file_with_tabs(workdir):
    data = 'id\ttext\n1\t"The mill\tburns.\n\nNobody came."\n2\t"He said ""no""."\n'
    assert texts_and_errors(read("a.tsv", data)) == [
        "The mill\tburns.\n\nNobody came.",
        'He said "no".',
    ]


def test_numbers_in_csv_stay_text(workdir):
    assert read("a.csv", "id,text,n\n1,2026,007\n") == [Article("1", "2026", meta={"n": "007"})]


def test_a_file_that_starts_with_100_bad_rows_is_abandoned(workdir):
    output = texts_and_errors(read("a.jsonl", b"\xff\n" * 1000))
    assert len(output) == 101
    assert output[-1] == "a.jsonl: none of the first 100 rows can be read: the rest was left"


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_memory_does_not_grow_with_the_corpus(workdir, name):
    row = "x" * 1000
    if name == "a.csv":
        header, line = "text\n", f'"{row}"\n'
    else:
        header, line = "", json.dumps({"text": row}) + "\n"
    with Path(name).open("w", encoding="utf-8") as file:
        file.write(header)
        file.writelines(line for _ in range(20_000))
    tracemalloc.start()
    assert sum(1 for _ in read_articles([name])) == 20_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000  # the file has 20 MB; ids that were seen stay in memory


# JSON Lines


def test_metadata_in_json_lines(workdir, caplog):
    rows = [
        {
            "body": "A",
            "id": 7,
            "n": 1.5,
            "tags": ["x", None],
            "meta": {"outlet": "Courier", "n": 2},
        },
        {"body": "B", "headline": "Two"},
    ]
    assert read("a.jsonl", "\n".join(map(json.dumps, rows))) == [
        Article("7", "A", meta={"outlet": "Courier", "n": 1.5, "tags": ["x", None]}),
        Article("a:2", "B", "Two"),
    ]
    assert caplog.messages == [
        "a.jsonl: no column 'text': 'body' is read as the text (--text-column names another)"
    ]


def test_a_line_that_lacks_the_text_column_is_an_error(workdir):
    assert texts_and_errors(read("a.jsonl", '{"text": "A"}\n{"body": "B"}\n{"text": "C"}')) == [
        "A",
        "a.jsonl, line 2: expected a column 'text', found body",
        "C",
    ]
    assert texts_and_errors(
        read("a.jsonl", '{"text": "A"}\n{"text": "B", "key": 1}', "text", "key", "kicker")
    ) == ["a.jsonl, line 1: expected a column 'key', found text", "B"]


def test_tagged_articles_can_be_read_as_articles(workdir, tagger):
    article = tagger.tag(
        "He left.",
        doc_id="x",
        title="T",
        meta={"outlet": "Courier", "at": datetime.date(2026, 3, 1)},
    )
    assert read("a.jsonl", json.dumps(article.to_dict())) == [
        Article("x", "He left.", "T", meta={"outlet": "Courier", "at": "2026-03-01"})
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            '{"text": "A", "n": %s}' % ("[" * 50 + "]" * 50),
            "'n': expected at most 20 lists in each other, found more",
        ),
        (
            '{"text": "A", "n": "\\ud800"}',
            "'n': expected Unicode characters, found half of a surrogate pair",
        ),
        (
            '{"text": "A", "\\ud800": 1}',
            "expected Unicode characters, found half of a surrogate pair",
        ),
        (
            '{"text": "A", "n": [{"\\ud800": 1}]}',
            "'n': expected Unicode characters, found half of a surrogate pair",
        ),
        (
            '{"text": "A", "n": ' + "9" * 5000 + "}",
            "found text that is not JSON (Exceeds the limit",
        ),
    ],
)
def test_unsupported_metadata_is_an_error(workdir, line, message):
    (error_message,) = texts_and_errors(read("a.jsonl", line))
    assert error_message.startswith("a.jsonl, line 1: ")
    assert message in error_message


def test_an_overlong_line_leaves_the_others_readable(workdir):
    data = b'{"text": "A."}\n{"text": "' + b"x" * 50_000_000 + b'"}\n{"text": "B."}\n'
    Path("a.jsonl").write_bytes(data)
    del data
    tracemalloc.start()
    output = texts_and_errors(read_articles(["a.jsonl"]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert output == [
        "A.",
        "a.jsonl, line 2: expected a line of at most 10,000,000 bytes, found a longer one",
        "B.",
    ]
    assert peak < 30_000_000


# Parquet


@pytest.fixture
def pa():
    pytest.importorskip("pyarrow.parquet")
    import pyarrow.parquet

    return pyarrow


def write(pa, **columns):
    pa.parquet.write_table(pa.table(columns), "a.parquet", row_group_size=1000, compression="zstd")


def test_parquet_with_metadata(workdir, pa, caplog):
    write(
        pa,
        key=[7.0, None],
        body=["He left.", "She stayed."],
        at=[datetime.datetime(2026, 3, 1, 7), None],
        picture=[b"\x89PNG", b""],
        n=[decimal.Decimal("1.50"), None],
        tags=[["x"], []],
        share=[float("nan"), 0.5],
    )
    assert list(read_articles(["a.parquet"], Columns(id="key"))) == [
        Article(
            "7",
            "He left.",
            meta={"at": "2026-03-01T07:00:00", "n": 1.5, "tags": ["x"], "share": None},
        ),
        Article("a:2", "She stayed.", meta={"at": None, "n": None, "tags": [], "share": 0.5}),
    ]
    assert caplog.messages == [
        "a.parquet: no column 'text': 'body' is read as the text (--text-column names another)",
        "a.parquet: columns of bytes do not travel along: picture",
    ]


@pytest.mark.parametrize("kind", ["string", "large_string", "dictionary"])
def test_all_text_types_of_parquet_are_read(workdir, pa, kind):
    values = pa.array(["A.", "B.", "A."] * 50)
    write(pa, text=values.dictionary_encode() if kind == "dictionary" else values.cast(kind))
    assert texts_and_errors(read_articles(["a.parquet"])) == ["A.", "B.", "A."] * 50


def test_a_row_without_text_leaves_the_others_readable(workdir, pa):
    write(pa, text=["A.", None, "x" * 10_000_001, "B."])
    assert texts_and_errors(read_articles(["a.parquet"])) == [
        "A.",
        "a.parquet, row 2: expected a text in 'text', found none",
        "a.parquet, row 3: expected an article of at most 10,000,000 characters, found 10,000,001",
        "B.",
    ]


def test_parquet_without_articles_is_an_error(workdir, pa):
    write(pa, text=[1, 2])
    assert texts_and_errors(read_articles(["a.parquet"])) == [
        "a.parquet: expected text in the column 'text', found int64"
    ]
    write(pa, text=pa.array([], pa.string()))
    assert texts_and_errors(read_articles(["a.parquet"])) == [
        "a.parquet: expected at least one article, found an empty file"
    ]
    write(pa, words=["x"])
    assert texts_and_errors(read_articles(["a.parquet"])) == [
        f"a.parquet: expected a column {TEXT_COLUMNS} words"
    ]


def test_a_damaged_parquet_file_is_an_error(workdir, pa):
    write(pa, text=["He left."] * 1000)
    intact = Path("a.parquet").read_bytes()
    for data in (b"", b"PAR1", b"\0" * 1000, intact[:-9], intact[:4] + intact[60:]):
        output = texts_and_errors(read("a.parquet", data))
        assert output[-1].startswith(
            "a.parquet: expected a Parquet file, found one that cannot be read ("
        ), data[:9]
        assert "\n" not in output[-1]


def test_text_in_parquet_that_is_not_utf8_is_an_error(workdir, pa):
    bad = pa.array([b"He left.", b"\xff\xfe"]).view(pa.string())
    write(pa, text=bad)
    assert texts_and_errors(read_articles(["a.parquet"])) == [
        "He left.",
        "a.parquet, row 2: expected UTF-8 text, found invalid start byte",
    ]


def test_repeated_texts_of_parquet_are_decoded_one_at_a_time(workdir, pa):
    text = "He left. " * 1_000_000
    write(
        pa, text=pa.DictionaryArray.from_arrays(pa.array([0] * 1000, pa.int32()), pa.array([text]))
    )
    before = pa.default_memory_pool().max_memory()
    articles = read_articles(["a.parquet"])
    assert [len(next(articles).text) for _ in range(40)] == [len(text)] * 40
    assert pa.default_memory_pool().max_memory() - before < 10 * len(text)  # for 40 of these texts


def test_parquet_that_unpacks_to_too_much_is_rejected(workdir, pa):
    write(pa, text=["He left. " * 13_000_000], n=[1])
    assert Path("a.parquet").stat().st_size < 10_000_000
    (message,) = texts_and_errors(read_articles(["a.parquet"]))
    assert message.startswith(
        "a.parquet: expected a file that unpacks to at most 1,000 times its size, found 117,"
    )
    assert message.endswith(" bytes")


def test_missing_pyarrow_is_named(workdir, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert texts_and_errors(read("a.parquet", "x")) == [
        "a.parquet: this needs 'pyarrow': pip install 'claimstance[parquet]'"
    ]


# Values


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (7, "7"),
        (7.0, "7"),
        (7.5, "7.5"),
        ("", None),
        (None, None),
        (float("nan"), None),
        (0, "0"),
        ("x", "x"),
    ],
)
def test_values_become_ids(value, name):
    assert as_id(value) == name


def test_values_become_json_values():
    assert plain_values(
        {"a": float("inf"), "b": (1, {"c": datetime.time(7)}), "d": True, "e": b"x"}, "x"
    ) == {"a": None, "b": [1, {"c": "07:00:00"}], "d": True, "e": "b'x'"}


def test_the_reader_of_delimited_files_works_alone(workdir):
    Path("a.csv").write_text("text\nx\n", encoding="utf-8")
    assert list(read_delimited(Path("a.csv"), "d", Columns(), ",")) == [Article("d:1", "x")]
    Path("a.csv").write_text("n\nx\n", encoding="utf-8")
    with pytest.raises(InputError):
        list(read_delimited(Path("a.csv"), "d", Columns(), ","))
