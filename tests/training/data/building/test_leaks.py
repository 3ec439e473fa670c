"""Test the report of texts, documents and targets that two splits share."""

import os

import pytest

from claimstance.model.record import Attribution, Entity, Record, Stance, write_jsonl
from claimstance.training.data.build import build
from claimstance.training.data.config import DataConfig

ROOT = os.environ.get("CLAIMSTANCE_CORPORA")
needs_corpora = pytest.mark.skipif(
    not ROOT, reason="CLAIMSTANCE_CORPORA does not name a folder of public corpora"
)


@pytest.fixture
def shared(tmp_path):
    """Return a function that builds two splits and reports their overlap."""

    def find(first, second, names=("train", "test"), **split):
        sources = []
        for name, records in zip(names, (first, second), strict=True):
            path = tmp_path / f"{name}.jsonl"
            with path.open("w", encoding="utf-8") as file:
                write_jsonl(records, file)
            sources.append({"files": [str(path)], "split": name})
        config = DataConfig.model_validate({"path": "x", "sources": sources, "split": split})
        (overlap,) = build(config, tmp_path / "out", overwrite=True).overlaps
        assert (overlap.first, overlap.second) == names
        return overlap

    return find


def test_equal_and_nearly_equal_texts(shared):
    train = [
        Record(
            id="a",
            text="The mayor of the town said the new bridge is safe for all of us to cross today.",
        ),
        Record(id="b", text="Rain."),
        Record(id="c", text="An unrelated sentence about the price of bread."),
    ]
    test = [
        Record(
            id="x",
            text="The mayor of the town said the new bridge is safe for all of us to cross, now.",
        ),
        Record(id="y", text="RAIN!"),
        Record(id="z", text="rain"),
        Record(id="w", text="The court met today."),
    ]
    overlap = shared(train, test)
    assert (overlap.exact, overlap.near) == (2, 1)
    # 16 shingles in each, of which 15 are in both: 15 / 17
    assert overlap.examples == [("x", "a", 0.882)]
    assert overlap.exact_examples == [("y", "b"), ("z", "b")]
    assert shared(train, test, near=0.9).near == 0
    # With near=None, near-duplicates may be in two splits, but are still reported.
    assert shared(train, test, near=None).near == 1


def test_every_row_of_a_near_text_counts_and_each_text_is_one_example(shared):
    words = "one two three four five six seven eight nine ten"
    train = [Record(id="a", text=words)]
    test = [
        Record(id=f"t{i}", text=f"{words} {'eleven' if i < 3 else 'twelve'}{'.' * i}")
        for i in range(5)
    ]
    overlap = shared(train, test)
    assert (overlap.exact, overlap.near) == (0, 5)
    assert overlap.examples == [("t0", "a", 0.889), ("t3", "a", 0.889)]


def stance(target, label, holder=None):
    return Stance(holder=holder, target=target, label=label)


TEXT = "Holm says Noren lies."
LABELLED = Record(
    id="a", text=TEXT, claim="claim", stances=[stance([(10, 15)], "against", [(0, 4)])]
)


@pytest.mark.parametrize(
    ("change", "repeats"),
    [
        ({}, True),
        (
            {"text": "HOLM says: Noren lies", "stances": [stance([(11, 16)], "against", [(0, 4)])]},
            True,
        ),
        (
            {"stances": [stance("noren", "against", "Holm")]},
            True,
        ),  # a name and a mention with the same words
        ({"claim": None}, True),  # all its labels are in train
        ({"stances": None}, True),
        ({"claim": "no_claim"}, False),
        ({"check_worthy": "yes"}, False),  # a label of another task, too
        ({"stances": [stance([(10, 15)], "favor", [(0, 4)])]}, False),
        ({"stances": [stance([(10, 15)], "against")]}, False),  # no holder
        (
            {"stances": [stance([(0, 4)], "against", [(10, 15)])]},
            False,
        ),  # holder and target exchanged
        ({"text": "Holm says Noren lied."}, False),
        ({"claim": None, "stances": None}, False),  # no labels
        ({"claim": None, "stances": [stance([(10, 15)], None, [(0, 4)])]}, False),
    ],
)
def test_repeated_rows_have_the_same_text_and_labels(shared, change, repeats):
    overlap = shared(
        [Record(id="b", text="Rain."), LABELLED],
        [LABELLED.model_copy(update={"id": "x", **change})],
    )
    assert overlap.repeated == repeats
    assert overlap.repeated_examples == ([("x", "a")] if repeats else [])


def test_repeated_spans(shared):
    spans = {
        "attributions": [Attribution(source=[(0, 4)], cue=[(5, 9)], content=[(10, 20)])],
        "entities": [
            Entity(span=[(0, 4)], label="PERSON"),
            Entity(span=[(10, 15)], label="PERSON"),
        ],
    }
    turned = {**spans, "entities": spans["entities"][::-1]}
    train = [Record(id="a", text=TEXT, **spans), Record(id="e", text="Rain.", attributions=[])]
    test = [
        Record(id="x", text=TEXT, **turned),
        Record(id="y", text=TEXT, entities=spans["entities"][:1]),
        Record(id="z", text="Rain!", attributions=[]),
        Record(id="w", text="Rain!", entities=[]),
    ]
    overlap = shared(train, test)
    assert overlap.exact == 4
    assert overlap.repeated_examples == [("x", "a"), ("z", "e")]


def test_shared_documents_outlets_and_targets_are_counted(shared):
    def record(name, doc, outlet, *targets):
        stances = [stance(target, "favor") for target in targets]
        return Record(
            id=name,
            doc_id=doc,
            text=f"Text {name}.",
            stances=stances,
            meta={"outlet": outlet} if outlet else {},
        )

    train = [
        record("a", "d1", "Post", "the bridge", "tax"),
        record("b", "d2", "Sun"),
        record("c", None, None, "Noren"),
    ]
    test = [
        record("x", "d1", "post", "The  Bridge", [(0, 4)]),
        record("y", "d3", "Sun", "noren"),
        record("z", None, None),
    ]
    overlap = shared(train, test)
    assert (overlap.outlets, overlap.targets) == (2, 2)
    assert overlap.documents == 0  # documents of one name in two files are two documents


def test_documents_of_one_source_are_shared(tmp_path):
    folder = tmp_path / "corpora/dse/dataset"
    folder.mkdir(parents=True)
    row = "[Holm] met [Noren].\tHolm\tNoren\t"
    (folder / "train.txt").write_text(f"{row}3\n{row}4\n")
    (folder / "valid.txt").write_text(f"{row}3\n{row}1\n")
    source = {"corpus": "dse", "splits": {"train": "train", "valid": "dev"}}
    config = DataConfig.model_validate(
        {"path": "x", "sources": [source], "corpora": tmp_path / "corpora"}
    )
    (overlap,) = build(config, tmp_path / "out").overlaps
    assert (overlap.documents, overlap.exact, overlap.repeated) == (1, 2, 1)


@needs_corpora
@pytest.mark.slow
@pytest.mark.parametrize(
    ("corpus", "test", "options", "counts"),
    [
        ("dse", "test", {}, {"repeated": 400}),  # rows that differ in brackets only
        ("newsmtsc", "rw-test", {"drop_seen": False}, {"exact": 3}),
        ("newsmtsc", "mt-test", {"drop_seen": False}, {"exact": 5}),
        ("newsmtsc", "mt-test", {}, {"exact": 0, "repeated": 0}),
    ],
)
def test_known_leaks_of_public_corpora_are_found(tmp_path, corpus, test, options, counts):
    source = {"corpus": corpus, "splits": {"train": "train", test: "test"}, "options": options}
    config = DataConfig.model_validate({"path": "x", "sources": [source], "corpora": ROOT})
    (overlap,) = build(config, tmp_path / "out").overlaps
    assert {name: getattr(overlap, name) for name in counts} == counts
    assert len(overlap.repeated_examples) == min(5, overlap.repeated)
