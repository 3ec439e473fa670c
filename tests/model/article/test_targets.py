"""Test the targets that are scored in each sentence if the user names none."""

import pytest

from claimstance.model.article.targets import targets_by_sentence
from claimstance.model.decoding.document import DocumentPredictions
from claimstance.model.text.entities import DecodedEntity
from claimstance.model.windows import SentenceSpan


@pytest.mark.parametrize(
    ("text", "entities", "targets"),
    [
        (
            "Tulsa police met Runa Salt.",
            {"Tulsa": "LOCATION", "Runa Salt": "PERSON"},
            ["Runa Salt"],
        ),
        ("The Democratic primary hit Iowa.", {"Democratic": "MISC", "Iowa": "LOCATION"}, ["Iowa"]),
        ("A Karsholm-based firm sued NATO.", {"Karsholm": "LOCATION", "NATO": "MISC"}, ["NATO"]),
        ("Tulsa, they said, met Salt.", {"Tulsa": "LOCATION", "Salt": "PERSON"}, ["Tulsa", "Salt"]),
    ],
)
def test_names_that_only_modify_are_no_targets(text, entities, targets):
    found_entities = [
        DecodedEntity(SentenceSpan(0, text.index(name), text.index(name) + len(name)), label, 0.9)
        for name, label in entities.items()
    ]
    document = DocumentPredictions([text], [], entities=found_entities)
    assert [name for name, _ in targets_by_sentence([], document, [[]])[0]] == targets
    [user_targets] = targets_by_sentence(list(entities), document, [[]])
    # Targets of the user are always scored.
    assert [name for name, _ in user_targets] == list(entities)


@pytest.mark.parametrize(
    ("text", "entities", "targets"),
    [
        ("They fight ISIL (Islamic State).", ["ISIL", "Islamic State"], ["ISIL"]),
        ("Doctors of the WHO(Geneva) met.", ["WHO", "Geneva"], ["WHO"]),
        # The brackets hold more than a name, or follow no name.
        ("ISIL (said to be Islamic State) lost.", ["ISIL", "Islamic State"], None),
        ("ISIL lost (Islamic State).", ["ISIL", "Islamic State"], None),
    ],
)
def test_a_name_in_brackets_behind_a_target_is_no_further_target(text, entities, targets):
    found_entities = [
        DecodedEntity(SentenceSpan(0, text.index(name), text.index(name) + len(name)), "MISC", 0.9)
        for name in entities
    ]
    document = DocumentPredictions([text], [], entities=found_entities)
    names = [name for name, _ in targets_by_sentence([], document, [[]])[0]]
    assert names == (targets or entities)
