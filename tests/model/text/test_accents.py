"""Test the folding of accents, and the positions of folded characters in the original text."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimstance.model.text.accents import fold_accents, fold_with_offsets
from claimstance.model.text.mentions import find_mentions

NAMES = {
    "Renée Béart": "Renee Beart",
    "Gürkan Çelik": "Gurkan Celik",
    "Łucja Wałęsa": "Lucja Walesa",
    "Chloë Köhler": "Chloe Kohler",
    "Bjørn Ødegård": "Bjorn Odegard",
    "Đặng Thị Hồng": "Dang Thi Hong",
    "Þóra Ægisdóttir": "Thora AEgisdottir",
    "Günter Voß": "Gunter Voss",
    "Çiğdem Yıldız": "Cigdem Yildiz",
    "İsmail Şahin": "Ismail Sahin",
    "Škoda": "Skoda",
    "Ωmega Άλφα": "Ωmega Αλφα",
}
FORMS = ("NFC", "NFD", "NFKC", "NFKD")


@pytest.mark.parametrize(("name", "plain"), NAMES.items())
@pytest.mark.parametrize("form", FORMS)
def test_accents_are_folded_in_any_encoding(name, plain, form):
    assert fold_accents(unicodedata.normalize(form, name)) == plain


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("name_form", [*FORMS, None])
@pytest.mark.parametrize("text_form", [*FORMS, None])
def test_a_name_is_found_in_any_encoding(name, name_form, text_form):
    def encode(form):
        return fold_accents(name) if form is None else unicodedata.normalize(form, name)

    written = encode(text_form)
    text = f"Critics of {written} were there, {written}’s friends too."
    mentions = [text[start:end] for start, end in find_mentions(encode(name_form), text)]
    assert mentions == [written] * 2


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("José Ibáñez", "Mr. Ibáñez met Ana Ibáñez.", ["Ibáñez"]),
        ("Jose Ibanez", "IBÁÑEZ LEAVES", ["IBÁÑEZ"]),
        ("señal débil", "La Señal débil.", ["Señal débil"]),
        ("Ökologische Union", "ÖU, Okologische Union", ["ÖU", "Okologische Union"]),
        ("Peña", "Peñaranda, Peñas and Peña-led", ["Peña"]),
        ("Pena", "La Peña", ["Peña"]),
    ],
)
def test_names_with_accents_have_surnames_and_acronyms(form, name, text, expected):
    text = unicodedata.normalize(form, text)
    mentions = [text[start:end] for start, end in find_mentions(name, text)]
    assert mentions == [unicodedata.normalize(form, word) for word in expected]


@pytest.mark.parametrize(
    ("name", "text", "count"),
    [
        ("ガス", "ガス", 1),
        ("カス", "ガス", 0),  # another letter, and no accent
        ("て", "で", 0),
        ("김", "김 씨", 1),
        ("기", "김 씨", 0),
        ("कि", "कि", 1),
        ("Байден", "Байден", 1),
        ("שלום", "שָׁלוֹם", 1),
    ],
)
@pytest.mark.parametrize("name_form", ["NFC", "NFD"])
@pytest.mark.parametrize("text_form", ["NFC", "NFD"])
def test_names_in_other_scripts_are_matched_by_letter(name, text, count, name_form, text_form):
    name, text = unicodedata.normalize(name_form, name), unicodedata.normalize(text_form, text)
    spans = find_mentions(name, text)
    assert len(spans) == count
    if count:
        assert spans[0] == (0, len(text.split(" ")[0]))


LETTERS = st.text(alphabet="aeñéǭłßÆơ\u0301\u0323\u0308\u0338でガ김가\u1161각 .Aé", max_size=30)


@given(LETTERS)
def test_canonically_equal_texts_are_folded_to_the_same_text(text):
    folded = {fold_accents(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")}
    assert folded == {fold_accents(text)}
    assert fold_accents(fold_accents(text)) == fold_accents(text)


@given(LETTERS)
def test_origins_cover_the_text_in_order(text):
    folded = fold_with_offsets(text)
    origins = folded.origins
    if origins is None:
        origins = [(i, i + 1) for i in range(len(text))]
    assert len(origins) == len(folded.text)
    assert list(origins) == sorted(origins)
    for start in range(len(origins)):
        for end in range(start + 1, len(origins) + 1):
            span = folded.span(start, end)
            if span is not None:
                assert fold_accents(text[slice(*span)]) == folded.text[start:end]


@given(LETTERS, LETTERS, LETTERS)
def test_mentions_are_spans_of_the_text_as_written(name, before, after):
    text = f"{before} {name} {after}"
    for form in ("NFC", "NFD"):
        written = unicodedata.normalize(form, text)
        previous = 0
        for start, end in find_mentions(name, written):
            assert previous <= start < end <= len(written)
            assert not unicodedata.combining(written[start])
            previous = end


def test_texts_without_accents_do_not_change():
    text = "“Plain” — text, with ‘quotes’…"
    assert fold_with_offsets(text).text is text
    assert fold_with_offsets(text).origins is None


def test_every_character_is_folded_to_at_most_four_characters():
    for number in range(0, sys.maxunicode, 7):
        if not 0xD800 <= number < 0xE000:
            assert len(fold_accents(chr(number))) <= 4
