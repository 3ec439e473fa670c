"""Test the sources of an article: one for each person, with the confident stances by merged targets."""

from claimstance.inference.grouping import group_sources, named_holders
from claimstance.model.article.spans import Entity
from helpers.pages import span, stance, tagged

TEXT = "Ann Lee said Trump lost. Lee blamed Mr. Trump. Donald J. Trump won."
SENTENCES = ("Ann Lee said Trump lost.", "Lee blamed Mr. Trump.", "Donald J. Trump won.")
ATTRIBUTIONS = (
    (0, "Ann Lee", "Ann Lee", "said", "Trump lost", 0.9),
    (1, "Lee", "Lee", "blamed", None, 0.9),
)
STANCES = (
    stance(0, "Ann Lee", "Trump", "against"),
    stance(0, None, "Trump", "against"),
    stance(1, "Lee", "Mr. Trump", "against"),
    stance(1, "Lee", "Mr. Trump", "favor", abstained=True),
)


def grouped(*targets, entities=()):
    article = tagged(TEXT, SENTENCES, ATTRIBUTIONS, STANCES)
    article.sentences[2].entities.extend(
        Entity(mention.start, mention.end, mention.text, "PERSON", 0.9) for mention in entities
    )
    return [
        (source.name, source.claims, source.stances)
        for source in group_sources(article.sentences, targets)
    ]


def test_aliases_of_sources_and_targets_are_merged():
    assert grouped() == [("Ann Lee", [0, 1], {"Trump": {"against": 2}})]


def test_the_fullest_name_of_a_target_may_be_an_entity_without_a_stance():
    entity = span(TEXT, "Donald J. Trump")
    assert grouped(entities=[entity])[0][2] == {"Donald J. Trump": {"against": 2}}


def test_targets_that_the_user_names_are_counted_as_written():
    assert grouped("Trump", "Mr. Trump")[0][2] == {
        "Trump": {"against": 1},
        "Mr. Trump": {"against": 1},
    }


def test_a_stance_before_the_first_words_of_its_source_counts():
    text = "Ann Lee won. The tax is theft, said Ann Lee."
    stances = [stance(0, "Ann Lee", "tax", "against")]
    attributions = [(1, "Ann Lee", "Ann Lee", "said", None, 0.9)]
    article = tagged(
        text, ["Ann Lee won.", "The tax is theft, said Ann Lee."], attributions, stances
    )
    assert [(s.claims, s.stances) for s in article.sources] == [([1], {"tax": {"against": 1}})]


def test_named_holders_are_those_whose_span_has_a_name():
    text = "House Republicans hate it. They voted."
    article = tagged(text, ["House Republicans hate it.", "They voted."])
    of_group = stance(
        0,
        "House Republicans",
        "it",
        "against",
        holder=span(text, "House Republicans", "House Republicans"),
    )
    of_pronoun = stance(1, "They", "it", "against", holder=span(text, "They"))
    article.sentences[0].stances.append(of_group)
    article.sentences[1].stances.append(of_pronoun)
    assert named_holders(article.sentences) == ["House Republicans"]
