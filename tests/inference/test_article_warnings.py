"""Test the warnings about the results of an article."""

import pytest

from claimstance.inference.article_warnings import article_warnings
from claimstance.model.decoding.document import DocumentPredictions

NO_TARGETS = "no target was named, and the model recognizes no entities: no stances are scored"
TEXT = "Amsel hates the harbour tax."


def warnings(targets=(), tasks=("stance",), topics=(), opinions=None):
    document = DocumentPredictions([TEXT], [], opinions=opinions or {})
    return article_warnings(document, TEXT, targets, tasks, topics)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, [NO_TARGETS]),
        ({"targets": ["tax"]}, []),
        ({"topics": ["tax"]}, []),
        ({"tasks": ("entity", "stance")}, []),
        ({"opinions": {"opinion_holder": [], "opinion_target": []}}, []),
        ({"tasks": ("claim",)}, []),
        (
            {"tasks": ("claim",), "targets": ["tax"]},
            ["the model has no stance task, only claim: the targets are ignored"],
        ),
    ],
)
def test_a_model_that_can_score_no_stances_says_so(arguments, expected):
    assert warnings(**arguments) == expected


def test_warnings_of_the_model_are_listed_once():
    document = DocumentPredictions([TEXT], [], warnings=["sentence 0: long", "sentence 0: long"])
    assert article_warnings(document, TEXT, (), ("claim",), ()) == ["sentence 0: long"]


def test_an_article_without_sentences_has_a_warning():
    empty = DocumentPredictions([], [])
    assert article_warnings(empty, "", (), ("claim",), ()) == [
        "the article has no sentence: nothing read"
    ]
