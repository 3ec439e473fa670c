"""Test the sentences with marked spans on the page of a report."""

from claimstance.model.record import Entity, Record, Stance
from claimstance.training.data.report.page import render
from claimstance.training.evaluation.page.record_view import MAX_CHARACTERS, sample
from helpers.data.reports import Page


def test_marks_cover_their_words_where_spans_nest_overlap_and_continue(page):
    assert page.sample_texts() == [
        ("Holm", ["source", "entity", "holder"]),
        (" ", []),
        ("sai", ["cue"]),
        ("d", ["cue", "entity"]),
        (" ", ["entity"]),
        ("on", ["entity", "content"]),
        (" Mo", ["entity"]),
        ("nday ", []),
        ("Noren", ["content", "target"]),
        (" lies", ["content"]),
        (".", []),
        ("قال الوزير إن الجسر آمن.", []),
    ]
    tags = [
        (data, names[-1]) for data, names in page.inside if names and names[-1].startswith("tag")
    ]
    assert tags == [
        ("source 1", "tag source"),
        ("PERSON", "tag entity"),
        ("holder 1", "tag holder"),
        ("cue 1", "tag cue"),
        ("MISC", "tag entity"),
        ("content 1", "tag content"),
        ("… content 1", "tag content"),
        ("target 1", "tag target"),
    ]
    assert [a["dir"] for a in page.all("p") if a.get("class", "").startswith("text")] == [
        "auto",
        "auto",
    ]
    assert "source, cue" not in page.text  # the tags of a piece are apart
    assert "nobody named" in page.text
    assert "favor 70.0 %, against 30.0 %" in page.text
    assert (
        "Annotated, none there: entities. "
        "Not annotated: claim, check-worthy, subjective, attributions, stance."
    ) in page.text


def test_spans_that_several_stances_share_are_marked_once():
    record = Record(
        id="1",
        text="Holm likes Noren.",
        stances=[
            Stance(holder=[(0, 4)], target=[(11, 16)], label="favor"),
            Stance(holder=[(0, 4)], target="x", label="favor"),
        ],
    )
    view = sample(record)
    assert [mark.tag for piece in view.segments for mark in piece.begins] == [
        "holder 1, 2",
        "target 1",
    ]


def test_a_long_text_says_how_much_is_not_shown(report):
    long = Record(
        id="1",
        text="a" * (MAX_CHARACTERS + 1234),
        entities=[
            Entity(span=[(MAX_CHARACTERS - 5, MAX_CHARACTERS + 5)], label="MISC"),
            Entity(span=[(MAX_CHARACTERS + 7, MAX_CHARACTERS + 9)], label="PERSON"),
        ],
    )
    view = sample(long)
    assert [len(piece.text) for piece in view.segments] == [MAX_CHARACTERS - 5, 5]
    assert "1,234 more characters of the text are not shown" in Page(render(report, [long])).text
