"""Test the names of a corpus: which are merged, which stay apart, and the table that people edit."""

import csv
from dataclasses import replace

import pytest

from claimstance.inference.corpus.names import NOT_NAMED, is_named, read_names, write_names
from claimstance.inference.corpus.store import Store
from claimstance.model.errors import InputError
from helpers.results import tagged, write_results


@pytest.fixture
def merge(tmp_path):
    """Return a function that maps each name of articles to its merged name."""

    def merge(*articles, names=None):
        path = write_results(tmp_path / "tagged.jsonl", *articles)
        with Store.build([path], names) as store:
            return dict(store.connection.execute("SELECT name, merged FROM name"))

    return merge


def people(*articles):
    """Return articles in which these people speak."""
    return [tagged(f"a{number}", says=names, people=names) for number, names in enumerate(articles)]


def things(*articles):
    """Return articles on these things."""
    return [
        tagged(f"a{number}", stances=[(None, name) for name in names], things=names)
        for number, names in enumerate(articles)
    ]


def test_short_forms_mean_the_only_person_with_the_surname(merge):
    articles = people(
        ["Rexa Lorn"],
        ["Lorn"],
        ["Mr. Lorn"],
        ["Mayor Rexa Lorn"],
        ["Rexa J. Lorn"],
        ["LORN"],
        ["Orr"],
    )
    merged = merge(*articles)
    assert merged.pop("Orr") == "Orr"
    assert set(merged.values()) == {"Rexa Lorn"}
    assert len(merged) == 6


def test_the_most_frequent_full_name_stands_for_all(merge):
    merged = merge(*people(["Rexa J. Lorn"], ["Rexa Lorn"], ["Rexa Lorn"]))
    assert merged["Rexa J. Lorn"] == "Rexa Lorn"


def test_a_surname_of_two_people_is_not_merged(merge):
    merged = merge(*people(["Rexa Lorn"], ["Tam Lorn"], ["Lorn"], ["Mr. Lorn"]))
    assert {name: merged[name] for name in ("Lorn", "Mr. Lorn")} == {
        "Lorn": "Lorn",
        "Mr. Lorn": "Mr. Lorn",
    }


def test_a_namesake_who_is_only_mentioned_counts(merge):
    articles = people(["Rexa Lorn"], ["Lorn"])
    merged = merge(*articles, tagged("b", people=["Tam Lorn"]))
    assert merged["Lorn"] == "Lorn"


def test_titles_of_two_genders_mean_two_people(merge):
    merged = merge(*people(["Rexa Lorn"], ["Mr. Lorn"], ["Mrs. Lorn"]))
    assert merged["Mr. Lorn"] == "Mr. Lorn"


def test_a_surname_means_the_person_whom_nearly_all_articles_mean(merge):
    mentions = [[f"{first} Lorn", "Lorn"] for first in ["Rexa"] * 19 + ["Tam"]]
    assert merge(*people(*mentions, ["Lorn"]))["Lorn"] == "Rexa Lorn"
    assert merge(*people(*mentions[10:], ["Lorn"]))["Lorn"] == "Lorn"


def test_articles_with_two_people_of_a_surname_prevent_merging(merge):
    clear = [["Rexa Lorn", "Lorn"]] * 19
    unclear = [["Rexa Lorn", "Tam Lorn", "Lorn"]] * 2
    assert merge(*people(*clear, *unclear, ["Lorn"]))["Lorn"] == "Lorn"


@pytest.mark.parametrize(
    ("name", "namesake"),
    [
        ("Ann Lorn", "Anna Lorn"),
        ("Rexa Lorn", "Rexa Lorn Jr."),
        ("Rexa A. Lorn", "Rexa B. Lorn"),
        ("Rexa Lorn", "Rexa Lorne"),
    ],
)
def test_namesakes_stay_apart(merge, name, namesake):
    merged = merge(*people([name], [namesake]))
    assert len(set(merged.values())) == 2


def test_a_name_without_a_middle_name_is_not_merged_if_it_fits_two(merge):
    merged = merge(*people(["Rexa A. Lorn"], ["Rexa B. Lorn"], ["Rexa Lorn"]))
    assert merged["Rexa Lorn"] == "Rexa Lorn"


def test_an_initial_means_the_only_first_name_that_fits(merge):
    assert merge(*people(["R. Lorn"], ["Rexa Lorn"]))["R. Lorn"] == "Rexa Lorn"
    merged = merge(*people(["R. Lorn"], ["Rexa Lorn"], ["Rona Lorn"]))
    assert merged["R. Lorn"] == "R. Lorn"


@pytest.mark.parametrize("name", ["King", "Grace"])
def test_a_surname_that_is_a_word_needs_a_title(merge, name):
    merged = merge(*people([f"Rexa {name}"], [name], [f"Dr. {name}"]))
    assert merged[name] == name
    assert merged[f"Dr. {name}"] == f"Rexa {name}"


def test_in_a_large_corpus_a_surname_alone_needs_a_person_of_two_articles(merge):
    other_articles = [tagged(f"other{number}", says=[(None, str(number))]) for number in range(50)]
    assert merge(*people(["Rexa Lorn"], ["Lorn"]), *other_articles)["Lorn"] == "Lorn"
    assert merge(*people(["Rexa Lorn"], ["Dr. Lorn"]), *other_articles)["Dr. Lorn"] == "Rexa Lorn"
    assert (
        merge(*people(["Rexa Lorn"], ["Rexa Lorn"], ["Lorn"]), *other_articles)["Lorn"]
        == "Rexa Lorn"
    )


def test_a_surname_may_be_the_first_name_of_another(merge):
    assert merge(*people(["Larry Tam"], ["Tam"]))["Tam"] == "Larry Tam"
    assert merge(*people(["Larry Tam"], ["Tam Orr"], ["Tam"]))["Tam"] == "Tam"


def test_a_word_of_a_longer_name_is_no_surname(merge):
    article = tagged("part", says=["Lorn"], people=["Lorn"])
    sentences = [
        replace(sentence, text=sentence.text.replace("Lorn came.", "Lorn & Orr."))
        for sentence in article.sentences
    ]
    longer = replace(article, sentences=sentences)
    assert merge(*people(["Rexa Lorn"]), article)["Lorn"] == "Rexa Lorn"
    assert merge(*people(["Rexa Lorn"]), longer)["Lorn"] == "Lorn"


def test_an_acronym_needs_a_name_that_is_an_entity(merge):
    articles = [tagged("a1", says=["Nobody in Silver Creek"]), *things(["NSC"])]
    assert merge(*articles)["NSC"] == "NSC"


def test_a_place_is_not_its_namesake(merge):
    article = tagged("place", stances=[(None, "Lorn")], things=["Lorn"])
    assert merge(*people(["Rexa Lorn"]), article)["Lorn"] == "Lorn"


def test_a_thing_in_the_form_of_a_name_is_no_person(merge):
    merged = merge(*things(["Planned Lornhood"], ["Lornhood"]))
    assert merged["Lornhood"] == "Lornhood"


def test_without_entities_the_form_of_a_name_decides(merge):
    articles = [
        tagged(f"a{number}", says=[name]) for number, name in enumerate(["Rexa Lorn", "Lorn"])
    ]
    assert merge(*articles)["Lorn"] == "Rexa Lorn"


def test_acronyms_mean_the_only_name_that_fits(merge):
    merged = merge(*things(["Northern Seas Council"], ["NSC"], ["the N.S.C."]))
    assert set(merged.values()) == {"Northern Seas Council"}
    merged = merge(*things(["Northern Seas Council"], ["National Salt Corporation"], ["NSC"]))
    assert merged["NSC"] == "NSC"


def test_two_letters_are_an_acronym_only_if_an_article_has_both_forms(merge):
    assert merge(*things(["Harbor Union"], ["HU"]))["HU"] == "HU"
    assert merge(*things(["Harbor Union", "HU"], ["HU"]))["HU"] == "Harbor Union"


def test_the_senate_is_the_national_one_unless_there_is_another(merge):
    articles = things(["U.S. Senate"], ["the Senate"], ["Republican Senate"])
    assert merge(*articles)["the Senate"] == "U.S. Senate"
    assert merge(*articles, *things(["Texas Senate"]))["the Senate"] == "the Senate"


def test_spellings_of_one_name_are_merged(merge):
    merged = merge(
        *things(["Islamic State"], ["the Islamic State"], ["ISLAMIC STATE"], ["Islamic State’s"])
    )
    assert set(merged.values()) == {"Islamic State"}


def test_capitalized_common_words_are_merged_with_lower_case(merge):
    articles = [tagged("a1", says=["voters"]), tagged("a2", says=["Voters"])]
    assert merge(*articles)["Voters"] == merge(*articles)["voters"]
    country = things(["Turkey"])
    assert merge(*country, tagged("a2", stances=[(None, "turkey")]))["Turkey"] == "Turkey"


def test_a_description_stays_apart_from_the_word(merge):
    merged = merge(
        tagged("a1", stances=[(None, "the deal")]), tagged("a2", stances=[(None, "deal")])
    )
    assert merged == {"the deal": "the deal", "deal": "deal"}


@pytest.mark.parametrize(
    "name",
    [
        "Rexa Lorn",
        "US",
        "the Senate",
        "voters",
        "Orvane officials",
        "Our Revolution",
        "the Lorn campaign",
    ],
)
def test_names_and_groups_are_named(name):
    assert is_named(name)


@pytest.mark.parametrize(
    "name",
    [
        *("he", "They", "the company", "The friends", "a Republican", "His campaign", "one user"),
        *("the Texas senator", "some Democrats", "former mayor", "54%", "38% of voters", ",", ""),
    ],
)
def test_pronouns_and_descriptions_are_not_named(name):
    assert not is_named(name)


def test_the_table_of_names_is_written_and_read(tmp_path, merge):
    articles = [
        *people(["Rexa Lorn", "Rexa Lorn"], ["Lorn"]),
        tagged("b", stances=[("Lorn", "=Dam"), (None, "Lorn", "neutral"), (None, "Lorn", "favor", True)]),
        tagged("c", stances=[("the mayor", "Lorn")]),
    ]  # fmt: skip
    path = tmp_path / "names.csv"
    with Store.build([write_results(tmp_path / "tagged.jsonl", *articles)]) as store:
        write_names(store, path)
    assert path.read_text().splitlines() == [
        "name,merged,statements,stances",
        "Rexa Lorn,Rexa Lorn,2,0",
        "Lorn,Rexa Lorn,1,2",
        "'=Dam,'=Dam,0,1",
    ]
    path.write_text(path.read_text().replace("Lorn,Rexa Lorn,1", "Lorn,Tam Lorn,1"))
    assert merge(*articles, names=path) == {
        "Rexa Lorn": "Rexa Lorn",
        "Lorn": "Tam Lorn",
        "=Dam": "=Dam",
        NOT_NAMED: NOT_NAMED,
    }


def test_names_missing_from_the_table_are_merged_by_rules(tmp_path, merge):
    path = tmp_path / "names.csv"
    path.write_text("merged,name\nThe Mayor,Rexa Lorn\n")
    merged = merge(*people(["Rexa Lorn"], ["Rexa A. Lorn"], ["Tam Orr"], ["Orr"]), names=path)
    assert merged == {
        "Rexa Lorn": "The Mayor",
        "Rexa A. Lorn": "Rexa Lorn",
        "Tam Orr": "Tam Orr",
        "Orr": "Tam Orr",
    }


def test_names_of_the_table_that_do_not_occur_give_a_warning(tmp_path):
    path = tmp_path / "names.csv"
    path.write_text("name,merged\nAnn Lee,Lee\n")
    results = write_results(tmp_path / "tagged.jsonl", tagged(date="2016-05-09", outlet="Post"))
    with Store.build([results], path) as store:
        assert store.warnings == [
            "1 name in the table of names does not occur in the results: 'Ann Lee'"
        ]


@pytest.mark.parametrize(
    "text", ["name;merged\nA;B\n", "\ufeffname,merged,note\n\nA,B,x\n", "sep=;\nname;merged\nA;B"]
)
def test_tables_from_spreadsheets_are_read(tmp_path, text):
    path = tmp_path / "names.csv"
    path.write_text(text, encoding="utf-8")
    assert read_names(path) == {"A": "B"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ": expected the columns 'name' and 'merged', found an empty file"),
        (
            "name,person\nA,B\n",
            ": expected the columns 'name' and 'merged', found 'name', 'person'",
        ),
        ("name,merged\nA,B\nC, \n", ", line 3: expected a name in the column 'merged', found none"),
        ("name,merged\nA,B,C\n", ", line 2: expected 2 columns, found 3"),
        (
            "name,merged\nA,B\nC,D\nA,D\n",
            ", line 4: expected one 'merged' for 'A', found 'D' after 'B'",
        ),
        ('name,merged\nA,"B" C\n', ", line 2: expected cells in plain double quotes"),
    ],
)
def test_errors_name_the_wrong_row(tmp_path, text, message):
    path = tmp_path / "names.csv"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        read_names(path)
    assert str(error.value).startswith(f"{path}{message}")


def test_a_table_in_another_encoding_is_an_error(tmp_path):
    path = tmp_path / "names.csv"
    path.write_bytes("name,merged\nJosé,Jose\n".encode("cp1252"))
    with pytest.raises(InputError, match=r"line 2: expected UTF-8 text.*save it as 'CSV UTF-8'"):
        read_names(path)


def test_hostile_names_survive_the_table(tmp_path):
    names = ['a "quoted", name', "two\nlines", "<b>", "\u202eeeL", "=1", "@cmd", "-5"]
    path = tmp_path / "names.csv"
    results = write_results(
        tmp_path / "tagged.jsonl", tagged(stances=[(None, name) for name in names])
    )
    with Store.build([results]) as store:
        expected = dict(store.connection.execute("SELECT name, merged FROM name"))
        write_names(store, path)
    with path.open(newline="") as file:
        assert len(list(csv.reader(file))) == len(expected) + 1
    assert read_names(path) == expected
