"""Test the division of marked texts into segments, and the escaping of invisible characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimstance.model.pages.markup import Mark, Segment, lanes, segments, visible


@st.composite
def marked_texts(draw):
    """Draw a text and marks in it."""
    text = draw(st.text(max_size=30))
    starts = draw(st.lists(st.integers(0, len(text) - 1), max_size=8)) if text else []
    return text, [Mark(start, draw(st.integers(start + 1, len(text)))) for start in starts]


@given(marked_texts())
def test_segments_cover_the_text_and_have_the_marks_over_them(case):
    text, marks = case
    text_segments = segments(text, marks)
    assert "".join(segment.text for segment in text_segments) == text
    ends = [segment.end for segment in text_segments]
    assert [segment.start for segment in text_segments] == [0, *ends][: len(text_segments)]
    for segment in text_segments:
        assert segment.text == text[segment.start : segment.end] != ""
        for position in range(segment.start, segment.end):
            covering = [mark for mark in marks if mark.start <= position < mark.end]
            assert sorted(segment.marks, key=id) == sorted(covering, key=id)
    first_marks = [mark for segment in text_segments for mark in segment.begins]
    assert sorted(first_marks, key=id) == sorted(marks, key=id)


@given(marked_texts())
def test_marks_that_share_a_character_have_different_lanes(case):
    text, marks = case
    mark_lanes = lanes(marks)
    for position in range(len(text)):
        used_lanes = [
            lane
            for mark, lane in zip(marks, mark_lanes, strict=True)
            if mark.start <= position < mark.end
        ]
        assert len(set(used_lanes)) == len(used_lanes)


def test_nested_and_overlapping_marks_are_cut_at_all_bounds():
    outer, inner, across = Mark(0, 6, "outer"), Mark(2, 4, "inner"), Mark(3, 8, "across")
    assert segments("abcdefghi", [inner, across, outer]) == [
        Segment(0, 2, "ab", (outer,), (outer,)),
        Segment(2, 3, "c", (outer, inner), (inner,)),
        Segment(3, 4, "d", (outer, inner, across), (across,)),
        Segment(4, 6, "ef", (outer, across), ()),
        Segment(6, 8, "gh", (across,), ()),
        Segment(8, 9, "i", (), ()),
    ]
    assert lanes([outer, inner, across]) == [2, 0, 1]  # the shortest is nearest to the text


def test_the_longest_of_marks_that_begin_together_is_outermost():
    short, long, same = Mark(0, 1, "short"), Mark(0, 3, "long"), Mark(0, 1, "same")
    assert segments("abc", [short, long, same])[0].marks == (long, short, same)


def test_a_text_without_marks_is_one_segment_and_an_empty_text_is_none():
    assert segments("ab", []) == [Segment(0, 2, "ab", (), ())]
    assert segments("", []) == []
    assert lanes([]) == []


@pytest.mark.parametrize("bounds", [(0, 0), (2, 1), (-1, 1), (0, 4)])
def test_marks_outside_the_text_are_refused(bounds):
    with pytest.raises(ValueError, match=r"expected 0 <= start < end <= 3 .* found \[-?\d, \d\]"):
        segments("abc", [Mark(*bounds)])


def test_invisible_characters_are_written_as_code_points():
    hidden = "pay\u202e05 \u2066x\u2069\x00\x1b\ufeff"
    assert visible(hidden) == "pay⟨U+202E⟩05 ⟨U+2066⟩x⟨U+2069⟩⟨U+0000⟩⟨U+001B⟩⟨U+FEFF⟩"
    assert visible("\ud800") == "⟨U+D800⟩"
    readable = "tab\tline\n سلام می\u200cروم 👩\u200d🌾 ĳ “é”"
    assert visible(readable) == readable
