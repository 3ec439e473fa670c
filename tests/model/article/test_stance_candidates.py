"""Test which pairs of a holder and a target are scored."""

from helpers.tiny import scripted

OPINIONS = {"opinion_holder": "Voters", "opinion_target": "harbour tax"}


def test_holders_and_targets_that_the_model_finds_are_scored():
    text = "Voters hate the harbour tax . Amsel slept ."
    tagger, backend = scripted(text, {}, {}, OPINIONS, opinion_spans=True)
    article = tagger.tag(text)
    assert ("Voters", "harbour tax") in backend.asked
    stance = next(stance for stance in article.stances if stance.holder)
    assert (stance.holder, stance.target, stance.sentence) == ("Voters", "harbour tax", 0)
    assert text[stance.target_span.start : stance.target_span.end] == "harbour tax"


def test_a_model_without_these_heads_scores_sources_and_entities_alone():
    text = "Voters hate the harbour tax . Amsel slept ."
    tagger, backend = scripted(text, {}, {"PERSON": "Amsel"}, OPINIONS)
    tagger.tag(text)
    assert backend.asked == [("", "Amsel")]


def test_an_entity_with_the_words_of_a_target_is_no_second_target():
    text = "Voters hate the Senate . Voters love Amsel ."
    opinions = {"opinion_holder": "Voters", "opinion_target": "the Senate"}
    tagger, backend = scripted(
        text, {}, {"ORGANIZATION": "Senate", "PERSON": "Amsel"}, opinions, opinion_spans=True
    )
    tagger.tag(text)
    assert [pair for pair in backend.asked if pair[0]] == [
        ("Voters", "the Senate"),
        ("Voters", "Amsel"),
    ]


QUOTATION = '"The tax is theft , " said Amsel . "The harbour is dead . "'


def test_the_speaker_of_a_quotation_that_runs_on_is_a_holder_of_its_later_sentences():
    roles = {"source": "Amsel", "cue": "said", "content": "The tax is theft harbour dead"}
    tagger, backend = scripted(
        QUOTATION, roles, {}, {"opinion_target": "tax harbour"}, opinion_spans=True
    )
    article = tagger.tag(QUOTATION)
    assert backend.asked == [("Amsel", "tax"), ("Amsel", "harbour")]
    later = article.stances[-1]
    assert (later.holder, later.target, later.sentence) == ("Amsel", "harbour", 1)
    assert later.holder_span.end <= article.sentences[1].start


def test_the_text_itself_holds_no_view_in_the_words_of_a_source():
    text = "Amsel said the tax is theft . Harrow is dead ."
    roles = {"source": "Amsel", "cue": "said", "content": "tax theft"}
    entities = {"LOCATION": "Harrow"}
    tagger, backend = scripted(text, roles, entities, {"opinion_target": "tax"}, opinion_spans=True)
    tagger.tag(text)
    assert backend.asked == [("Amsel", "tax"), ("", "Harrow")]


def test_the_text_itself_is_scored_on_names_alone():
    text = "Amsel sold the harbour tax ."
    opinions = {"opinion_target": "tax"}
    tagger, backend = scripted(text, {}, {"PERSON": "Amsel"}, opinions, opinion_spans=True)
    tagger.tag(text)
    assert backend.asked == [("", "Amsel")]
    tagger.tag(text, targets=["tax"])  # the user may ask about anything
    assert backend.asked[1:] == [("", "tax")]


def test_stances_of_the_text_that_nobody_asked_about_abstain():
    text = "Amsel sold the harbour tax ."
    opinions = {"opinion_holder": "nobody"}
    tagger, _ = scripted(text, {}, {"PERSON": "Amsel"}, opinions, opinion_spans=True)
    assert [stance.abstained for stance in tagger.tag(text, neutral=True).stances] == [True]
    assert [stance.abstained for stance in tagger.tag(text, targets=["Amsel"]).stances] == [False]
    older, _ = scripted(text, {}, {"PERSON": "Amsel"})
    assert [stance.abstained for stance in older.tag(text, neutral=True).stances] == [False]


def test_each_named_target_has_its_answers_even_if_one_is_part_of_another():
    text = "Critics blamed the harbour tax ."
    tagger, _ = scripted(text, {}, {}, {"opinion_holder": "Critics"}, opinion_spans=True)
    article = tagger.tag(text, ["harbour tax", "tax"])
    targets = {stance.target for stance in article.stances if stance.holder == "Critics"}
    assert targets == {"harbour tax", "tax"}
