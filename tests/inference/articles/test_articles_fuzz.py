"""Test damaged articles: a damaged file gives articles or one clear error, never a traceback."""

import io
import random

import outcomes
import pytest
from damage import MARKUP, damaged
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.documents import docx, pdf
from helpers.paths import DATA

PAGES = DATA / "articles"
LINES = ["Levee Inquiry", "He said that nobody signed for it, and left the in-", "quiry."]


def parquet():
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    file = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"text": ["He left."] * 50, "n": list(range(50))}), file)
    return file.getvalue()


SAMPLES = {
    "a.txt": lambda: "Title\nHe said so. Émile left.".encode(),
    "harbour.html": (PAGES / "harbour.html").read_bytes,
    "ferry.htm": (PAGES / "ferry.htm").read_bytes,
    "a.pdf": lambda: pdf(LINES, LINES),
    "a.docx": lambda: docx(*LINES),
    "a.csv": lambda: b'id,text,outlet\n1,"He said ""no"".",Courier\n2,She left.,\n',
    "a.tsv": lambda: b"id\ttext\n1\tHe left.\n",
    "a.jsonl": lambda: (
        b'{"text": "He left.", "meta": {"n": [1, {"a": null}]}}\n{"text": "B", "id": 7}\n'
    ),
    "a.parquet": parquet,
}
bounded = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("name", SAMPLES)
@bounded
@given(seed=st.integers(0, 2**32))
def test_damaged_files_give_articles_or_an_error(name, seed, tmp_path_factory):
    path = tmp_path_factory.mktemp("d") / name
    path.write_bytes(damaged(SAMPLES[name](), random.Random(seed)))
    outcomes.articles(path)


@pytest.mark.parametrize(
    "suffix", [".txt", ".html", ".pdf", ".docx", ".csv", ".tsv", ".jsonl", ".parquet"]
)
@bounded
@given(data=st.binary(max_size=300))
def test_any_bytes_give_articles_or_an_error(suffix, data, tmp_path_factory):
    path = tmp_path_factory.mktemp("d") / f"a{suffix}"
    path.write_bytes(data)
    outcomes.articles(path)


@bounded
@given(
    fragments=st.lists(
        st.one_of(
            st.sampled_from(MARKUP),
            st.text(max_size=20),
        ),
        max_size=30,
    )
)
def test_any_markup_gives_an_article_or_an_error(fragments, tmp_path_factory):
    path = tmp_path_factory.mktemp("d") / "a.html"
    path.write_text("<html><body>" + "".join(fragments), encoding="utf-8", errors="replace")
    outcomes.articles(path)
