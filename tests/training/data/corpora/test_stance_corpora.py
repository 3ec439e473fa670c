"""Test the readers of VAST, GWSD, NewsSD-ENG and the CheckThat splits by time, on invented files in the published layout."""

import csv
import hashlib
import io
import json
import os
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from claimstance.model.errors import InputError
from claimstance.training.data.corpora import lookup
from claimstance.training.data.corpora.gwsd import TARGET

ROOT = os.environ.get("CLAIMSTANCE_CORPORA")
needs_corpora = pytest.mark.skipif(
    not ROOT, reason="CLAIMSTANCE_CORPORA does not name a folder of public corpora"
)


def table(header, rows, delimiter=","):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows([header, *rows])
    return out.getvalue()


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


VAST_HEADER = ["author", "post", "new_topic", "label", "type_idx", "new_id", "topic_str", "seen?"]
VAST_TRAIN = [
    ["Al", "Trams cost  too much,\nI say.", "the trams", "0", "1", "11", "tram", "1"],
    ["Al", "Trams cost  too much,\nI say.", "the trams", "2", "4", "12", "opera", "1"],
    ["Al", "Trams cost  too much,\nI say.", "tram", "0", "3", "13", "tram", "1"],
    ["Al", "Trams cost  too much,\nI say.", "tram", "1", "3", "14", "tram", "1"],
    ["Bo", "#NAME?", "harbor", "1", "3", "15", "harbor", "1"],
]
VAST_TEST = [
    ['He said "no", and café owners agree.', "tram", "FAVOR", "1"],
    ['He said "no", and café owners agree.', "ferry", "NONE", "0"],
    ["Close the ferry.", "ferry", "AGAINST", "0"],
]


def zip_up(folder, text, name="vast_train.csv"):
    with zipfile.ZipFile(folder / "vast_train.zip", "w") as archive:
        archive.writestr(name, text)


@pytest.fixture
def vast(tmp_path):
    zip_up(tmp_path, table(VAST_HEADER, VAST_TRAIN))
    write(tmp_path / "vast_test.csv", table(["Tweet", "Target 1", "Stance 1", "seen?"], VAST_TEST))
    return tmp_path


def test_vast_train_takes_the_judged_topic_and_drops_repeats(vast):
    reasons = []
    records = list(lookup("vast").read(vast, "train", reasons.append))
    assert [
        (r.id, r.stances[0].target, r.stances[0].label, r.meta["synthetic"]) for r in records
    ] == [
        ("vast:train:11", "tram", "against", False),
        ("vast:train:12", "opera", "neutral", True),
        ("vast:train:14", "tram", "favor", False),
    ]
    assert reasons == ["repeats an earlier row", "comment is lost"]
    assert {r.text for r in records} == {"Trams cost too much, I say."}
    assert len({r.doc_id for r in records}) == 1
    assert all(r.start is None and r.stances[0].holder is None for r in records)
    assert len(list(lookup("vast").read(vast, "train", drop_repeats=False))) == 4


def test_vast_test_distinguishes_zero_shot_from_few_shot_and_comments(vast):
    first, second, third = lookup("vast").read(vast, "test")
    assert [r.meta["subset"] for r in (first, second, third)] == [
        "few-shot",
        "zero-shot",
        "zero-shot",
    ]
    assert [r.stances[0].label for r in (first, second, third)] == ["favor", "neutral", "against"]
    assert first.text == 'He said "no", and café owners agree.'
    assert first.doc_id == second.doc_id != third.doc_id
    assert len({first.id, second.id, third.id}) == 3
    assert "synthetic" not in first.meta


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (["Go.", "tram", "PRO", "1"], "line 2: unknown label 'PRO'"),
        (["Go.", "tram", "FAVOR", "2"], "line 2: expected 0 or 1 for seen"),
        (["Go.", "", "FAVOR", "1"], "line 2: expected a comment and a topic, found no topic"),
        (["Go.", "tram", "FAVOR"], "line 2: expected 4 fields"),
        (["Go.", "tram", "FAVOR", "1", "1"], "line 2: expected 4 fields"),
        (["Go" * 100_000, "tram", "FAVOR", "1"], "after line 1: expected CSV, found field larger"),
    ],
)
def test_vast_errors_name_the_line(vast, row, message):
    write(vast / "vast_test.csv", table(["Tweet", "Target 1", "Stance 1", "seen?"], [row]))
    with pytest.raises(InputError, match=message):
        list(lookup("vast").read(vast, "test"))


def test_vast_errors_describe_the_archive_and_the_header(vast):
    write(vast / "vast_test.csv", table(["post", "Target 1", "Stance 1", "seen?"], VAST_TEST))
    with pytest.raises(InputError, match=r"vast_test.csv: unknown column 'Tweet'"):
        list(lookup("vast").read(vast, "test"))
    zip_up(vast, "", name="other.csv")
    with pytest.raises(
        InputError,
        match=r"expected an archive with vast_train\.csv in UTF-8, found .*vast_train\.csv",
    ):
        list(lookup("vast").read(vast, "train"))
    zip_up(vast, table(VAST_HEADER, VAST_TRAIN).encode("latin-1") + b"\xff")
    with pytest.raises(InputError, match="in UTF-8, found 'utf-8' codec"):
        list(lookup("vast").read(vast, "train"))
    (vast / "vast_train.zip").write_bytes(b"no archive")
    with pytest.raises(InputError, match="not a zip file"):
        list(lookup("vast").read(vast, "train"))


GWSD_HEADER = [
    "",
    "round",
    "batch",
    "sent_id",
    "sentence",
    *(f"worker_{i}" for i in range(8)),
    "disagree",
    "agree",
    "neutral",
    "guid",
    "in_held_out_test",
]
WORDS = {"d": "disagrees", "n": "neutral", "a": "agrees"}


def clause(guid, text, answers, inferred=("", "", ""), held_out="False"):
    """Return a row; ``inferred`` has the order of the file: disagree, agree, neutral."""
    batch, sent_id = guid.split("_")
    return ["0", "1", batch, sent_id, text, *(WORDS[a] for a in answers), *inferred, guid, held_out]


def hashed(dev):
    """Return an invented sentence that the hash rule puts into dev or into train."""
    texts = (f"The ice on lake {number} went early." for number in range(1000))
    return next(text for text in texts if (hashlib.sha256(text.encode()).digest()[0] < 32) == dev)


@pytest.fixture
def gwsd(tmp_path):
    rows = [
        clause("0_s0", hashed(dev=False), "nnnnnaaa"),
        clause("0_s1", hashed(dev=True), "ddddaaaa"),
        clause("0_t0", f"{hashed(dev=False)} ", "ddaaaann", ("0.6", "0.3", "0.1")),
        clause("1_s0", hashed(dev=False), "aaaaaaan"),
        clause("1_t0", hashed(dev=True), "nnnnnnnd", (".1", ".1", ".8")),
        clause("2_t0", "Our winters are mild.", "aaaaaaan", (".0", ".9", ".1"), "True"),
    ]
    write(tmp_path / "GWSD.tsv", table(GWSD_HEADER, rows, "\t"))
    return tmp_path


def test_gwsd_labels_shares_and_screens(gwsd):
    reasons = []
    screening, clause_record = lookup("gwsd").read(gwsd, "train", reasons.append)
    assert (screening.id, clause_record.id) == ("gwsd:0_s0", "gwsd:0_t0")
    # Alone, the first batch would make the screening sentence neutral.
    assert screening.stances[0].label == "favor"
    assert screening.stances[0].probabilities == {"against": 0, "neutral": 6 / 16, "favor": 10 / 16}
    assert screening.meta["annotations"] == ["neutral"] * 5 + ["favor"] * 10 + ["neutral"]
    assert reasons == ["repeats a screening sentence, whose answers are put together"]
    # The inferred distribution decides the label, the annotators' shares stay as they are.
    assert (clause_record.stances[0].label, clause_record.stances[0].target) == ("against", TARGET)
    assert clause_record.stances[0].probabilities == {
        "against": 0.25,
        "neutral": 0.25,
        "favor": 0.5,
    }
    assert clause_record.text == hashed(dev=False)


def test_gwsd_splits_and_ties(gwsd):
    reasons = []
    (dev,) = lookup("gwsd").read(gwsd, "dev", reasons.append)
    assert (dev.id, dev.stances[0].label) == ("gwsd:1_t0", "neutral")
    assert reasons == ["annotators are tied, and no distribution was inferred"]
    (test,) = lookup("gwsd").read(gwsd, "test")
    assert (test.id, test.stances[0].label) == ("gwsd:2_t0", "favor")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (5, "maybe", "line 2: worker_0: unknown label 'maybe'"),
        (13, "high", "line 2: expected numbers for disagree"),
        (17, "", "line 2: expected True or False for in_held_out_test, found ''"),
    ],
)
def test_gwsd_errors_name_the_line(gwsd, column, value, message):
    row = clause("0_t0", "It rains.", "aaaaaaaa", ("0", "1", "0"))
    row[column] = value
    write(gwsd / "GWSD.tsv", table(GWSD_HEADER, [row], "\t"))
    with pytest.raises(InputError, match=message):
        list(lookup("gwsd").read(gwsd, "train"))


def test_newssd_labels_line_ends_and_repeats(tmp_path):
    rows = [
        ["What nonsense, he thought.\n", "SUBJ", "True"],
        ['The "Harbor" act passed.\n', "OBJ", "False"],
        ["What nonsense, he thought.\n", "SUBJ", "False"],
    ]
    for split in ("train", "test"):
        write(
            tmp_path / f"data/english/{split}.csv",
            table(["Sentence", "Label", "Solved conflict"], rows),
        )
    reasons = []
    records = list(lookup("newssd").read(tmp_path, "train", reasons.append))
    assert [(r.text, r.subjective, r.meta["solved_conflict"]) for r in records] == [
        ("What nonsense, he thought.", "subjective", True),
        ('The "Harbor" act passed.', "objective", False),
    ]
    assert reasons == ["repeats an earlier row"]
    assert json.loads(records[0].to_json())["subjective"] == "subjective"
    assert len({r.id for r in lookup("newssd").read(tmp_path, "test")}) == 3
    write(
        tmp_path / "data/english/val.csv",
        table(["Sentence", "Label", "Solved conflict"], [["So.", "OBJEC", ""]]),
    )
    with pytest.raises(InputError, match="line 2: unknown label 'OBJEC'"):
        list(lookup("newssd").read(tmp_path, "val"))


def test_checkthat_divides_by_time(tmp_path):
    header = ["Sentence_id", "Text", "class_label"]
    train = [
        ["29624", "Wages fell.", "Yes"],
        ["29625", "Thank you.", "No"],
        ["30001", "Taxes doubled.", "Yes"],
    ]
    dev = [["29999", "It snowed.", "No"], ["17", "Thank you.", "No"]]
    for split, rows in (("train", train), ("dev", dev)):
        write(tmp_path / f"data/CT24_checkworthy_english_{split}.tsv", table(header, rows, "\t"))
    reasons = []
    ids = {}
    for split in ("earlier", "later"):
        records = lookup("checkthat2024").read(tmp_path, split, reasons.append)
        ids[split] = [record.id for record in records]
    assert ids == {"earlier": ["29624", "17"], "later": ["30001", "29999"]}
    assert reasons == ["sentence is in earlier"]


#: The label counts of the public files.
PUBLIC = {
    ("vast", "train"): {"against": 4_955, "neutral": 2_542, "favor": 4_739},
    ("vast", "dev"): {"against": 684, "neutral": 697, "favor": 681},
    ("vast", "test"): {"against": 1_018, "neutral": 1_044, "favor": 944},
    ("gwsd", "train"): {"against": 321, "neutral": 688, "favor": 597},
    ("gwsd", "dev"): {"against": 41, "neutral": 102, "favor": 106},
    ("gwsd", "test"): {"against": 39, "neutral": 85, "favor": 76},
    ("newssd", "train"): {"objective": 482, "subjective": 244},
    ("newssd", "val"): {"objective": 45, "subjective": 54},
    ("newssd", "test"): {"objective": 106, "subjective": 113},
    ("checkthat2024", "earlier"): {"no": 16_155, "yes": 5_024},
    ("checkthat2024", "later"): {"no": 1_720, "yes": 626},
}


def public(name, split):
    return list(lookup(name).read(Path(ROOT) / name, split))


@needs_corpora
@pytest.mark.parametrize(("name", "split"), PUBLIC)
def test_public_counts(name, split):
    records = public(name, split)
    labels = [r.stances[0].label if r.stances else r.check_worthy or r.subjective for r in records]
    assert Counter(labels) == PUBLIC[name, split]
    assert len({r.id for r in records}) == len(records)
    if (name, split) == ("vast", "test"):
        assert Counter(r.meta["subset"] for r in records) == {"zero-shot": 1_460, "few-shot": 1_546}
    if name == "gwsd":
        assert {len(r.meta["annotations"]) for r in records} <= {8, 400}


@needs_corpora
@pytest.mark.parametrize("name", ["vast", "gwsd", "newssd"])
def test_public_splits_share_no_text(name):
    texts = []
    for split in lookup(name).splits:
        texts += {record.text for record in public(name, split)}
    assert len(texts) == len(set(texts))
