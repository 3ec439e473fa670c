"""Which targets a sentence is asked about when the user names none."""

import pytest

from claimstance.inference.coreference.targets import targets_by_sentence
from claimstance.model.encoding import EncodedDocument
from claimstance.model.text.entities import FoundEntity
from claimstance.model.windows import Located


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
    found = [
        FoundEntity(Located(0, text.index(name), text.index(name) + len(name)), label, 0.9)
        for name, label in entities.items()
    ]
    reading = EncodedDocument([text], [], entities=found)
    assert [name for name, _ in targets_by_sentence([], reading, [[]])[0]] == targets
    [named] = targets_by_sentence(list(entities), reading, [[]])
    assert [name for name, _ in named] == list(entities)  # what the user names is asked about
