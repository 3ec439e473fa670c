"""Test the reading of codebooks, and checks of data against them."""

import pytest

from claimstance.model.errors import ConfigError, InputError
from claimstance.model.labels import ROLES, SUBJECTIVE
from claimstance.training.data.codebook import check_against, label_sets, load_codebook, to_markdown

GOOD = """
title: The harbour
version: 2.0
language: en
labels:
  stance:
    pro: {definition: Speaks for it., examples: [Holm likes it., "Yes | no"], counterexamples: Holm saw it.}
    con: Speaks against it.
    unclear:
  check_worthy:
    yes: Should be checked.
    no: Need not be.
targets:
  the bridge: {aliases: [the crossing], definition: Over the Sund.}
  NATO:
"""


@pytest.fixture
def load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def read(text=GOOD):
        (tmp_path / "book.yaml").write_text(text, encoding="utf-8")
        return load_codebook("book.yaml")

    return read


def test_short_and_long_forms(load):
    book = load()
    assert (book.title, book.version, book.language, book.path) == (
        "The harbour",
        "2.0",
        "en",
        "book.yaml",
    )
    assert book.labels["stance"]["pro"].counterexamples == ["Holm saw it."]
    assert book.labels["stance"]["con"].definition == "Speaks against it."
    assert book.labels["stance"]["unclear"].definition == ""
    assert book.targets["NATO"].aliases == []


def test_label_sets_keep_the_order_but_default_sets_have_their_own(load):
    # yes and no are words here, not truth values; "yes" is the last label of the default set
    assert label_sets(load()) == {
        "stance": ("pro", "con", "unclear"),
        "check_worthy": ("no", "yes"),
    }
    book = load(
        "labels:\n  attribution: {source: a, cue: b}\n  subjective: {subjective: a, objective: b}\n"
    )
    assert label_sets(book) == {"subjective": SUBJECTIVE}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: x", "book.yaml: labels: expected a value, found none"),
        ("- a", "book.yaml: the file: expected keys with values, found ['a']"),
        ("", "book.yaml: the file: expected keys with values, found None"),
        ("labels: [", "book.yaml, line 1: expected YAML, found while parsing"),
        (
            "labels: {}\nlables: {}",
            "book.yaml: lables: unknown key 'lables'. Did you mean 'labels'?",
        ),
        (
            "labels: {stanze: {a: x, b: y}}",
            "book.yaml: labels: unknown task 'stanze'. Did you mean 'stance'?",
        ),
        (
            "labels: {stance: {a: {definitoin: x}, b: y}}",
            "book.yaml: labels.stance.a.definitoin: unknown key 'definitoin'. Did you mean 'definition'?",
        ),
        (
            "labels: {}\ntargets: {a: {alias: x}}",
            "book.yaml: targets.a.alias: unknown key 'alias'. Did you mean 'aliases'?",
        ),
        (
            "labels: {stance: {a: [x], b: y}}",
            "book.yaml: labels.stance.a: expected keys with values, found ['x']",
        ),
        (
            "labels: {stance: {a: {examples: {x: y}}, b: y}}",
            "book.yaml: labels.stance.a.examples: expected a list, found {'x': 'y'}",
        ),
        (
            "labels: {stance: {a: x}}",
            "book.yaml: labels.stance: expected two or more labels that differ in more than case, "
            "found a",
        ),
        (
            "labels: {stance: {a: x, A: y}}",
            "labels.stance: expected two or more labels that differ in more than case",
        ),
        ("labels: {stance: {a: x, b: y, a: z}}", "the key 'a' twice"),
        (
            "labels: {attribution: {source: x, contents: y}}",
            "labels.attribution: unknown part 'contents'. Did you mean 'content'?",
        ),
    ],
)
def test_errors_of_wrong_codebooks_name_the_key(load, text, message):
    with pytest.raises(ConfigError) as error:
        load(text)
    assert message in str(error.value)


def test_a_missing_codebook_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        load_codebook(tmp_path / "none.yaml")


def test_labels_that_are_not_defined_are_refused(load):
    with pytest.raises(InputError) as error:
        check_against(load(), {"stance": {"pro": 3, "cob": 1}})
    assert str(error.value) == (
        "book.yaml: labels.stance: unknown label 'cob'. Did you mean 'con'? Available: con, "
        "pro, unclear (in the data 1 time)"
    )


def test_unused_and_undefined_labels_are_reported(load):
    counts = {"stance": {"pro": 3, "unclear": 2, "cob": 0}, "claim": {"whatever": 1}}
    assert check_against(load(), counts, {"the bridge", "the crossing", "Nato"}) == [
        "book.yaml: labels.stance.con: expected the label in the data, found it nowhere",
        "book.yaml: labels.check_worthy: expected such labels in the data, found none",
        "book.yaml: labels.stance.unclear: expected a definition, found none",
        "book.yaml: targets: unknown target 'Nato'. Available: NATO, the bridge",
        "book.yaml: targets: expected 'the bridge', found its alias 'the crossing'",
    ]


def test_any_target_is_allowed_where_none_are_listed(load):
    book = load("labels:\n  attribution: {source: a, cue: b, content: c}\n")
    assert check_against(book, {"attribution": dict.fromkeys(ROLES, 1)}, {"x"}) == []


def test_markdown_has_a_row_for_each_label_and_target(load):
    assert (
        to_markdown(load())
        == """\
The harbour, version 2.0, en

| task | label | definition | example |
|---|---|---|---|
| stance | pro | Speaks for it. | Holm likes it. |
| stance | con | Speaks against it. |  |
| stance | unclear | not defined |  |
| check_worthy | yes | Should be checked. |  |
| check_worthy | no | Need not be. |  |

| target | also called | definition |
|---|---|---|
| the bridge | the crossing | Over the Sund. |
| NATO |  |  |
"""
    )


def test_cells_do_not_break_the_table(load):
    book = load('labels:\n  claim: {a: "x | y", b: "u\\nv"}\n')
    assert "| claim | a | x \\| y |  |\n| claim | b | u v |  |\n" in to_markdown(book)
