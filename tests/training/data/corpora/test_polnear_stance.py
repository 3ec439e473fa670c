"""Test the reader of PolNeAR-Stance on invented articles and labels, and the labels of the package."""

import json
import os
from pathlib import Path

import pytest

from claimstance.model.errors import InputError
from claimstance.training.data.corpora import lookup
from claimstance.training.data.corpora.polnear_stance import LABELS, read_labels

STEM = "post_2016-09-20_bridge"
TEXT = "Mayor Ida Holm attacked Tom Vance.\nThe bridge is a gift. Hale Street paid for it.\n"
CORPORA = os.environ.get("CLAIMSTANCE_CORPORA")


def offsets(phrase):
    start = TEXT.index(phrase)
    return [start, start + len(phrase)]


ATTACK = {
    "sentence": offsets("Mayor Ida Holm attacked Tom Vance."),
    "holder": offsets("Mayor Ida Holm"),
    "target": offsets("Tom Vance"),
    "label": "against",
}
RUNS_ON = {
    "sentence": offsets("The bridge is a gift."),
    "holder": "Ida Holm",
    "target": offsets("The bridge"),
    "label": "favor",
}
ON_TOPIC = {**RUNS_ON, "target": "new bridges"}


@pytest.fixture
def corpus(tmp_path):
    """Return a function that writes an article with labels and reads it."""
    folder = tmp_path / "polnear"
    for path, text in (
        (f"data/dev/text/{STEM}.txt", TEXT),
        (f"data/dev/attributions/{STEM}_aa11.ann", ""),
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode())

    def read(*stances, topics=(), check_worthy=(), doc=STEM, dropped=None, **options):
        labels = {
            "doc": doc,
            "topics": list(topics),
            "checkworthy": list(check_worthy),
            "stances": list(stances),
        }
        (tmp_path / "dev.jsonl").write_text(json.dumps(labels) + "\n")
        on_drop = (lambda reason: None) if dropped is None else dropped.append
        if "topics_kept" in options:
            options["topics"] = options.pop("topics_kept")
        reader = lookup("polnear-stance")
        return list(reader.read(folder, "dev", on_drop, labels=tmp_path, **options))

    return read


def described(record):
    """Return the stances of a record as (holder, target, label) in words."""

    def words(span_or_name):
        return (
            span_or_name
            if isinstance(span_or_name, str)
            else record.text[span_or_name[0][0] : span_or_name[-1][1]]
        )

    return [(words(s.holder), words(s.target), s.label) for s in record.stances]


def test_stances_belong_to_the_sentence_of_their_target(corpus):
    first, second, third = corpus(ATTACK, RUNS_ON, neutral=False)
    assert described(first) == [("Mayor Ida Holm", "Tom Vance", "against")]
    assert described(second) == [("Ida Holm", "The bridge", "favor")]
    assert described(third) == []


def test_topics_are_targets_by_name_and_neutral_where_unlisted(corpus):
    _, second, _ = corpus(ON_TOPIC, RUNS_ON, topics=["new bridges", "tolls"])
    assert set(described(second)) == {
        ("Ida Holm", "new bridges", "favor"),
        ("Ida Holm", "The bridge", "favor"),
        ("Ida Holm", "tolls", "neutral"),
    }


def test_topics_can_be_left_out(corpus):
    _, second, _ = corpus(ON_TOPIC, RUNS_ON, topics=["new bridges", "tolls"], topics_kept=False)
    assert described(second) == [("Ida Holm", "The bridge", "favor")]


def test_unlisted_pairs_of_holders_and_targets_are_neutral(corpus):
    back = {**ATTACK, "holder": offsets("Tom Vance"), "target": offsets("Ida Holm")}
    first = corpus(ATTACK, back)[0]
    # Both directions are listed, and nobody has a stance toward themselves.
    assert sorted(label for _, _, label in described(first)) == ["against", "against"]
    with_other_target = {**ATTACK, "target": offsets("attacked")}
    assert ("Mayor Ida Holm", "attacked", "against") in described(
        corpus(ATTACK, with_other_target)[0]
    )


def test_a_holder_outside_the_sentence_becomes_a_name(corpus):
    longer = {**RUNS_ON, "sentence": [0, len(TEXT)], "holder": offsets("Mayor Ida Holm")}
    assert described(corpus(longer)[1]) == [("Mayor Ida Holm", "The bridge", "favor")]


def test_a_target_over_two_sentences_is_cut_to_the_first(corpus):
    start, end = offsets("a gift. Hale Street")
    second = corpus({**RUNS_ON, "target": [start, end]})[1]
    assert described(second) == [("Ida Holm", "a gift.", "favor")]


def test_articles_without_labels_have_none(corpus):
    for record in corpus(ATTACK, doc="another"):
        assert record.stances is None
        assert record.check_worthy is None
        assert record.attributions == []


def test_check_worthy_sentences(corpus):
    records = corpus(check_worthy=[offsets("Hale Street paid for it.")])
    assert [record.check_worthy for record in records] == ["no", "no", "yes"]


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "{",
        '{"doc": "a"}',
        '{"doc": "a", "topics": [], "checkworthy": [[1]], "stances": []}',
        '{"doc": "a", "topics": [], "checkworthy": [], "stances": [{"label": "for"}]}',
    ],
)
def test_broken_labels_name_the_file_and_the_line(tmp_path, line):
    good = '{"doc": "b", "topics": [], "checkworthy": [], "stances": []}\n'
    (tmp_path / "dev.jsonl").write_text(good + line + "\n")
    with pytest.raises(InputError, match=r"dev\.jsonl, line 2: expected"):
        read_labels(tmp_path / "dev.jsonl")


@pytest.mark.parametrize(
    ("file", "articles", "stances"),
    [
        ("train", 741, 20_769),
        ("tune", 79, 2_567),
        ("dev", 81, 3_165),
        ("dev-second", 50, 1_839),
        ("train-again", 20, 692),
    ],
)
def test_label_counts_of_the_package_match_its_readme(file, articles, stances):
    labels = read_labels(LABELS / f"{file}.jsonl")
    assert len(labels) == articles
    assert sum(len(article.stances) for article in labels.values()) == stances
    readme = (LABELS.parent / "README.md").read_text()
    assert f"| {stances:,} |" in readme
    for article in labels.values():
        topics = set(article.topics)
        assert {s.target for s in article.stances if isinstance(s.target, str)} <= topics


@pytest.mark.skipif(CORPORA is None, reason="CLAIMSTANCE_CORPORA names no folder of the corpora")
def test_every_label_finds_its_sentence_in_the_published_text():
    dropped = []
    folder = Path(CORPORA) / "polnear"
    records = list(lookup("polnear-stance").read(folder, "dev", dropped.append, neutral=False))
    assert dropped == []
    stances = [stance for record in records for stance in record.stances or ()]
    # A few stances that annotators listed twice, at two divisions of a sentence, are one here.
    assert 3_150 <= len(stances) <= 3_165
