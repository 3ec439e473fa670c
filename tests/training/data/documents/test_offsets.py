"""Test the units in which documents count offsets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimstance.model.errors import InputError
from claimstance.training.data.documents.document import Document, Mark
from claimstance.training.data.documents.offsets import (
    CODE_POINTS,
    GRAPHEMES,
    NO_CR,
    UNITS,
    UTF16,
    code_point_offsets,
    convert,
    in_code_points,
)
from helpers.offset_units import find_unit

FLAG = "🇳🇴"  # two code points, four UTF-16 units, one grapheme
SCARF = "🙂"  # one code point, two UTF-16 units


def document(text, *marks, **options):
    return Document(
        "d",
        text,
        "file.json, task 1",
        marks=[
            Mark(f"m{i}", "X", [(start, end)], surface)
            for i, (start, end, surface) in enumerate(marks)
        ],
        **options,
    )


@pytest.mark.parametrize(
    ("unit", "start", "end"),
    [
        (CODE_POINTS, 8, 13),  # 🇳🇴 (2), \r, \n, 🙂, e, ´, blank: 8
        (UTF16, 11, 16),
        (NO_CR, 7, 12),
        (GRAPHEMES, 5, 10),  # flag, line end, smile, é, blank
    ],
)
def test_the_only_unit_that_explains_a_span_is_chosen(unit, start, end):
    text = f"{FLAG}\r\n{SCARF}e\u0301 Noren"
    assert text[8:13] == "Noren"
    chosen, fact = find_unit([document(text, (start, end, "Noren"))], "f")
    assert chosen == unit
    assert "every one of 1 spans" in fact
    settled = in_code_points(document(text, (start, end, "Noren")), chosen)
    assert settled.marks[0].pieces == [(8, 13)]


def test_one_document_can_determine_the_unit_of_a_file():
    plain = document("Noren won.", (0, 5, "Noren"))
    telling = document(f"{SCARF} Noren won.", (3, 8, "Noren"))
    assert find_unit([plain, telling], "f")[0] == UTF16
    assert "every unit gives the same" in find_unit([plain], "f")[1]


def test_a_file_that_no_unit_explains_is_refused_with_its_first_bad_span():
    good = document(f"{SCARF} Noren won.", (3, 8, "Noren"))
    bad = document("Holm lost.", (1, 5, "Holm"))
    with pytest.raises(InputError) as error:
        find_unit([good, bad], "f.json")
    assert "file.json, task 1: m0: expected 'Noren' at 3-8, as the file says, found 'oren '" in str(
        error.value
    )
    assert "nor does any other unit" in str(error.value)


def test_two_units_in_one_file_are_refused():
    with pytest.raises(InputError, match="nor does any other unit"):
        find_unit(
            [
                document(f"{SCARF} Noren", (3, 8, "Noren")),
                document(f"{SCARF} Holm", (2, 6, "Holm")),
            ],
            "f",
        )


def test_without_quoted_texts_the_usual_unit_is_assumed():
    unit, fact = find_unit([document(f"{SCARF} Noren won.", (3, 8, None), usual=UTF16)], "f")
    assert unit == UTF16
    assert fact.startswith("UTF-16 code units (assumed")


def test_without_quoted_texts_a_span_beyond_the_text_excludes_a_unit():
    text = f"{SCARF}{SCARF} Noren"
    unit, fact = find_unit([document(text, (5, 10, None), usual=CODE_POINTS)], "f")
    assert unit == UTF16
    assert "only unit" in fact


def test_only_a_prescribed_unit_is_tried():
    with pytest.raises(InputError, match="expected 'Noren' at 3-8"):
        find_unit([document(f"{SCARF} Noren won.", (3, 8, "Noren"), unit=CODE_POINTS)], "f")


def test_offsets_within_a_surrogate_pair_or_grapheme_are_not_converted():
    assert convert([(1, 3)], code_point_offsets(f"{SCARF}ab", UTF16)) is None
    assert convert([(0, 1)], code_point_offsets("e\u0301a", GRAPHEMES)) == [(0, 2)]


def test_quoted_texts_may_differ_in_white_space():
    text = "He said\nthat it rains."
    mark = Mark("m", "X", [(3, 12), (16, 21)], "said that rains")
    chosen, _ = find_unit([Document("d", text, "w", marks=[mark])], "f")
    assert chosen == CODE_POINTS


PIECES = st.sampled_from(["a", " ", "\r", "\n", "é", "e\u0301", FLAG, SCARF, "ש", "\u200f"])


@given(st.lists(PIECES, max_size=20).map("".join))
def test_every_bound_of_a_unit_is_converted(text):
    lines = text.replace("\r\n", "\n")
    # The last offset is the text's length in the unit, counted another way.
    lengths = {
        CODE_POINTS: len(text),
        UTF16: len(text.encode("utf-16-le")) // 2,
        NO_CR: len(lines),
    }
    for unit in UNITS:
        table = code_point_offsets(text, unit)
        offsets, code_points = list(table), list(table.values())
        assert offsets == sorted(offsets)
        assert code_points == sorted(set(code_points))
        assert (offsets[0], code_points[0]) == (0, 0)
        assert (offsets[-1], code_points[-1]) == (lengths.get(unit, offsets[-1]), len(text))
        # A unit of two code points, or a code point of two units, has no bound in its middle.
        bounds = {NO_CR: len(lines), GRAPHEMES: offsets[-1]}.get(unit, len(text)) + 1
        assert len(table) == bounds
