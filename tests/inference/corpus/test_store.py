"""Test the database of a corpus: its rows, its warnings and its use of memory."""

import json
import subprocess
import sys

import pytest

from claimstance.inference.corpus.store import Store
from claimstance.model.errors import InputError
from helpers.results import MODEL, tagged, write_results


@pytest.fixture
def build(tmp_path):
    """Return a function that builds a store of articles."""
    stores = []

    def build(*articles, **options):
        path = write_results(tmp_path / f"tagged{len(stores)}.jsonl", *articles)
        stores.append(Store.build([path], **options))
        return stores[-1]

    yield build
    for store in stores:
        store.close()


def rows(store, query):
    return store.connection.execute(query).fetchall()


DATED = {"date": "May 9, 2016", "outlet": "Post"}


def test_an_article_is_one_row(build):
    article = tagged(
        "a1",
        says=["Ann Lee"],
        stances=[("Ann Lee", "dam")],
        title="The dam",
        warnings=["odd"],
        url="https://a.example/1",
        **DATED,
    )
    store = build(article, tagged("a2", outlet=None, date="2016"))
    assert rows(store, "SELECT * FROM article") == [
        (1, "a1", "The dam", "Post", "2016-05-09", "https://a.example/1", None, 2, 1, 10, 1),
        (2, "a2", None, "", None, None, None, 0, 0, 0, 0),
    ]
    assert store.models == [MODEL]


def test_statements_have_the_fullest_name_of_the_article(build):
    store = build(tagged(says=[("Lee", "the dam is safe"), "Ann Lee", None, "he"]))
    statements = rows(
        store,
        "SELECT article, sentence, name.name, cue, content, words, probability, text, is_claim "
        "FROM statement LEFT JOIN name ON id = statement.name ORDER BY sentence",
    )
    text = "Lee said the dam is safe."
    assert statements[0] == (1, 0, "Ann Lee", "said", "the dam is safe", 4, 0.75, text, 1)
    assert [row[2] for row in statements] == ["Ann Lee", "Ann Lee", None, None]


def test_stances_distinguish_the_text_from_an_unnamed_holder(build):
    store = build(
        tagged(
            stances=[("Lee", "dam"), (None, "Ann Lee", "favor"), ("the mayor", "dam", "x", True)]
        )
    )
    assert rows(
        store,
        "SELECT holder.name, target.name, label, abstained FROM stance "
        "LEFT JOIN name holder ON holder.id = holder JOIN name target ON target.id = target",
    ) == [
        ("Ann Lee", "dam", "against", 0),
        (None, "Ann Lee", "favor", 0),
        ("(not named)", "dam", "x", 1),
    ]


def test_an_attribution_that_two_sentences_list_is_one_statement(build):
    article = tagged(says=["Ann Lee", "Ann Lee"])
    first, second = article.sentences
    second.attributions[:] = first.attributions
    assert rows(build(article), "SELECT sentence FROM statement") == [(0,)]


def test_an_article_that_comes_twice_counts_once(build):
    article = tagged("a1", says=["Ann Lee"], **DATED)
    store = build(article, article)
    assert rows(store, "SELECT COUNT(*) FROM article") == [(1,)]
    assert store.warnings == [
        "1 article came twice, with the same text and id (doc_id), and counted once"
    ]


@pytest.mark.parametrize(
    ("other_article", "warning"),
    [
        (
            tagged("a1", says=["Bo Orr"], **DATED),
            "1 article had the id (doc_id) of an earlier article but",
        ),
        (
            tagged("a2", says=["Ann Lee"], **DATED),
            "1 article had the text of an earlier article under",
        ),
    ],
)
def test_articles_that_share_an_id_or_a_text_count_with_a_warning(build, other_article, warning):
    store = build(tagged("a1", says=["Ann Lee"], **DATED), other_article)
    assert rows(store, "SELECT COUNT(*) FROM article") == [(2,)]
    assert [text.startswith(warning) for text in store.warnings] == [True]


def test_several_models_give_a_warning(build):
    newer = {**MODEL, "version": "2.0"}
    articles = [
        tagged(f"a{number}", says=[(None, str(number))], model=model, **DATED)
        for number, model in enumerate((MODEL, newer, newer))
    ]
    store = build(*articles)
    assert store.models == [MODEL, newer]
    (warning,) = store.warnings
    assert (
        "made-up 1.0 (000000000000; 1 article), made-up 2.0 (000000000000; 2 articles)" in warning
    )


def test_dates_that_are_not_understood_are_counted(build):
    articles = [
        tagged(f"a{number}", says=[(None, str(number))], outlet="Post", date=date)
        for number, date in enumerate(["5/9/2016", "soon", None, "2016-05-09"])
    ]
    (warning,) = build(*articles).warnings
    assert warning.startswith(
        "2 articles had a date that was not understood, such as '5/9/2016' of 'a0'"
    )


def test_a_folder_of_an_unfinished_run_gives_a_warning(tmp_path):
    write_results(tmp_path / "part-00000.jsonl", tagged(**DATED))
    for complete, count in ((False, 1), (True, 0)):
        (tmp_path / "manifest.json").write_text(json.dumps({"complete": complete}))
        with Store.build([tmp_path]) as store:
            assert len(store.warnings) == count
            assert all(f"{tmp_path}: the run of tag" in text for text in store.warnings)


def test_warnings_of_missing_metadata_name_existing_fields(build):
    assert build(tagged(Date="2016-05-09", paper="Post")).warnings == [
        "no article has a date: expected the field 'date' in meta, found 'Date', 'paper'",
        "no article has an outlet: expected the field 'outlet' in meta, found 'Date', 'paper'",
    ]


def test_progress_counts_bytes(tmp_path):
    path = write_results(tmp_path / "tagged.jsonl", tagged("a1"), tagged("a1"), tagged("a2"))
    sizes = []
    Store.build([path], progress=sizes.append).close()
    assert len(sizes) == 3
    assert sum(sizes) == path.stat().st_size


def test_results_without_articles_are_an_error(tmp_path):
    path = write_results(tmp_path / "tagged.jsonl")
    with pytest.raises(InputError, match=r"tagged\.jsonl: expected at least one tagged article"):
        Store.build([path])


def test_hostile_names_are_stored_as_they_are(build):
    names = ["<script>alert(1)</script>", "Ann \u202eeeL", "'; DROP TABLE name; --", "a\x00b"]
    store = build(tagged(stances=[(None, name) for name in names]))
    assert {name for (name,) in rows(store, "SELECT merged FROM name")} == set(names)


MANY = """
import sys
from pathlib import Path
from claimstance.inference.corpus.store import Store
with Store.build([sys.argv[1]]) as store:
    ((names,),) = store.connection.execute("SELECT COUNT(*) FROM name")
status = Path("/proc/self/status").read_text()
print(names, status.partition("VmHWM:")[2].split()[0])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc/self/status")
def test_memory_stays_bounded(tmp_path):
    """Check that ten times the names add a few bytes for each."""

    def article_with_new_names(number):
        names = [f"Ann{letters(number)} Lee{letters(number * 10 + i)}" for i in range(10)]
        return tagged(f"a{number}", says=[(name, "x" * 1000) for name in names])

    used = []
    for count in (300, 3000):
        articles = map(article_with_new_names, range(count))
        path = write_results(tmp_path / f"{count}.jsonl", *articles)
        done = subprocess.run(
            [sys.executable, "-c", MANY, str(path)], capture_output=True, text=True, check=True
        )
        names, memory = map(int, done.stdout.split())
        assert names == 10 * count
        used.append(memory)
    assert used[1] - used[0] < 45_000  # kilobytes, mostly of a cache; the database has 35 MB


def letters(number):
    return "".join(chr(97 + int(digit)) for digit in str(number))
