"""Test the corpus readers on invented files in the layout of the public repositories, with every known trap."""

import json
import logging
import os
import sys
from pathlib import Path

import pytest

from claimstance.model.errors import ConfigError, InputError
from claimstance.training.data.corpora import CORPORA, lookup

ROOT = os.environ.get("CLAIMSTANCE_CORPORA")
needs_corpora = pytest.mark.skipif(
    not ROOT, reason="CLAIMSTANCE_CORPORA does not name a folder of public corpora"
)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def span_texts(record, span):
    return None if span is None else [record.text[start:end] for start, end in span]


DSE_TRAIN = [
    "[Holm]'s plan was mocked by [the Harbour Union].\tHolm\tthe Harbour Union\t4",
    "[Holm]'s plan was mocked by [the Harbour Union].\tHolm\tthe Harbour Union\t4",
    "The [Harbor Trus]t (sic) praised [ Nore]n.\tHarbor Trus\tNore\t1",
    '"""Stop,"" said [Holm]; [Noren] did not."\tHolm\tNoren\t3',
    "The [Trust]'s head met [Holm ]today [sic].\tTrust\tHolm\t0",
    "[Swe][den] won.\tSwe\tden\t2",
]


@pytest.fixture
def dse(tmp_path):
    write(tmp_path / "dse/dataset/train.txt", "\n".join(DSE_TRAIN) + "\n")
    write(tmp_path / "dse/dataset/valid.txt", "[Ida] met [Bo].\tIda\tBo\t0\n")
    write(
        tmp_path / "dse/dataset/test.txt",
        "Ida met [Bo] and [Al].\tBo\tAl\t0\n[Ida]  met [Bo].\tIda\tBo\t0\n",
    )
    return tmp_path / "dse"


def test_dse_directions_brackets_and_duplicates(dse, caplog):
    with caplog.at_level(logging.INFO, logger="claimstance"):
        records = list(lookup("dse").read(dse, "train"))
    assert "dse train: 1 rows left out: repeats an earlier row" in caplog.text
    pairs = [
        [(span_texts(r, s.holder)[0], s.label, span_texts(r, s.target)[0]) for s in r.stances]
        for r in records
    ]
    assert records[1].text == "The Harbor Trust (sic) praised  Noren."
    assert records[2].text == '"Stop," said Holm; Noren did not.'
    assert pairs == [
        [("Holm", "neutral", "the Harbour Union"), ("the Harbour Union", "against", "Holm")],
        [("Harbor Trust", "favor", "Noren"), ("Noren", "neutral", "Harbor Trust")],
        [("Holm", "against", "Noren"), ("Noren", "neutral", "Holm")],
        [("Trust", "neutral", "Holm"), ("Holm", "neutral", "Trust")],
        [("Swe", "neutral", "den"), ("den", "favor", "Swe")],
    ]
    raw = list(lookup("dse").read(dse, "train", whole_words=False))
    assert span_texts(raw[1], raw[1].stances[0].holder) == ["Harbor Trus"]


def test_dse_clean_and_sentence_groups(dse):
    first, second = lookup("dse").read(dse, "test")
    assert (first.meta["clean"], second.meta["clean"]) == (True, False)
    (valid,) = lookup("dse").read(dse, "valid")
    assert second.doc_id == valid.doc_id != first.doc_id
    assert "clean" not in valid.meta


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("[A] met [B].\tA\tB\t7", "line 1: unknown label '7'"),
        ("[A] met [B].\tA\tB", "line 1: expected 4 columns, found 3"),
        ("[A] met [B].\tA\tC\t0", r"line 1: expected \[A\] and \[C\]"),
    ],
)
def test_dse_errors_name_the_line(dse, row, message):
    (dse / "dataset/train.txt").write_text(row + "\n")
    with pytest.raises(InputError, match=message):
        list(lookup("dse").read(dse, "train"))


def mtsc(sentence, mention, polarity, name):
    start = sentence.index(mention)
    row = {
        "mention": mention,
        "polarity": polarity,
        "from": start,
        "to": start + len(mention),
        "sentence": sentence,
    }
    return json.dumps({**row, "id": name})


@pytest.fixture
def newsmtsc(tmp_path):
    folder = tmp_path / "newsmtsc/NewsSentiment/experiments/default/datasets"
    train = [
        mtsc("Café owner Bo lauded Ida.", "Ida", 1, "allsides_1_7_3_Ida_21_24"),
        mtsc("Bo left.", "Bo", 0, "allsides_1_7_4_Bo_0_2"),
        mtsc("Bo left.", "Bo", -1, "polusa_v1_99_-1_4_Mr._Bo\nBo_0_2"),
        mtsc("Al came.", "Al", -1, "polusa_v1_98_-1_4_Al_0_2"),
    ]
    test = [
        mtsc("Bo left.", "Bo", 0, "allsides_3_9_1_Bo_0_2"),
        mtsc("Ida won.", "Ida", 1, "allsides_3_9_2_Ida_0_3"),
    ]
    write(folder / "newsmtsc-rw-hf/train.jsonl", "\n".join(train) + "\n")
    write(folder / "newsmtsc-rw-hf/test.jsonl", "\n".join(test) + "\n")
    return tmp_path / "newsmtsc"


def test_newsmtsc_labels_offsets_and_documents(newsmtsc):
    records = list(lookup("newsmtsc").read(newsmtsc, "train"))
    assert [s.label for r in records for s in r.stances] == [
        "favor",
        "neutral",
        "against",
        "against",
    ]
    assert [span_texts(r, r.stances[0].target) for r in records] == [
        ["Ida"],
        ["Bo"],
        ["Bo"],
        ["Al"],
    ]
    assert all(r.stances[0].holder is None for r in records)
    assert [r.doc_id for r in records] == ["allsides_1_7"] * 3 + ["polusa_v1_98"]


def test_newsmtsc_articles_that_share_a_sentence_are_one_document(tmp_path):
    rows = [
        ("allsides_1_1_0", "One."),
        ("allsides_1_2_0", "Two."),
        ("allsides_1_3_0", "One."),
        ("allsides_1_3_1", "Two."),
        ("allsides_1_4_0", "Three."),
        ("Two.", "allsides_1_1"),
    ]
    folder = tmp_path / "NewsSentiment/experiments/default/datasets"
    lines = [mtsc(text, text, 0, name) for name, text in rows]
    write(folder / "newsmtsc-rw-hf/train.jsonl", "\n".join(lines) + "\n")
    write(folder / "newsmtsc-rw-hf/dev.jsonl", "")
    records = lookup("newsmtsc").read(tmp_path, "train")
    # An article is not a text, even if both have the same name.
    assert [r.doc_id for r in records] == ["allsides_1_1"] * 4 + ["allsides_1_4", "Two."]
    assert list(lookup("newsmtsc").read(tmp_path, "rw-dev")) == []


def test_newsmtsc_drops_sentences_of_train(newsmtsc):
    reasons = []
    (record,) = lookup("newsmtsc").read(newsmtsc, "rw-test", reasons.append)
    assert (record.text, record.meta["subset"], reasons) == (
        "Ida won.",
        "rw",
        ["sentence is in train"],
    )
    assert len(list(lookup("newsmtsc").read(newsmtsc, "rw-test", drop_seen=False))) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mention": "It"}, r"line 1: expected the mention 'It' at \[0, 2\), found 'Bo'"),
        ({"polarity": 3}, "line 1: expected sentence, mention"),
    ],
)
def test_newsmtsc_errors_name_the_line(newsmtsc, change, message):
    path = newsmtsc / "NewsSentiment/experiments/default/datasets/newsmtsc-rw-hf/train.jsonl"
    path.write_text(
        json.dumps({**json.loads(mtsc("Bo left.", "Bo", 0, "allsides_1_7_4_Bo_0_2")), **change})
    )
    with pytest.raises(InputError, match=message):
        list(lookup("newsmtsc").read(newsmtsc, "train"))


def test_checkthat_reads_quotes_and_separates_a_joined_row(tmp_path):
    rows = [
        "Sentence_id\tText\tclass_label",
        '1\t"He said: ""Taxes fell by half."""\tYes',
        "2\tThank you.\tNo29\tWages rose by ten percent.\tYes",
        "3\tThat's it.\tNo",
    ]
    path = write(tmp_path / "data/CT24_checkworthy_english_train.tsv", "\n".join(rows) + "\n")
    records = list(lookup("checkthat2024").read(tmp_path, "train"))
    assert [(r.id, r.text, r.check_worthy) for r in records] == [
        ("1", 'He said: "Taxes fell by half."', "yes"),
        ("2", "Thank you.", "no"),
        ("29", "Wages rose by ten percent.", "yes"),
        ("3", "That's it.", "no"),
    ]
    path.write_text("Sentence_id\tText\tclass_label\n1\tYes it is.\tMaybe\n")
    with pytest.raises(InputError, match="line 2: unknown label 'Maybe'"):
        list(lookup("checkthat2024").read(tmp_path, "train"))
    path.write_text("1\ta\tb\tc\td\n")
    with pytest.raises(InputError, match="found 5 columns"):
        list(lookup("checkthat2024").read(tmp_path, "train"))


def test_errors_of_wrong_calls_name_the_alternatives(dse, tmp_path):
    with pytest.raises(ConfigError, match="unknown corpus 'polnaer'"):
        lookup("polnaer")
    with pytest.raises(ConfigError, match="corpus dse: unknown split 'dev'"):
        lookup("dse").read(dse, "dev")
    with pytest.raises(ConfigError, match="Did you mean 'whole_words'"):
        lookup("dse").read(dse, "train", whole_word=True)
    with pytest.raises(InputError, match="expected a copy of https://"):
        lookup("dse").read(tmp_path / "nowhere", "train")
    with pytest.raises(InputError, match="No such file"):
        list(lookup("newsmtsc").read(dse, "train"))
    with pytest.raises(InputError, match="expected PolNeAR's annotations"):
        list(lookup("polnear").read(dse, "train"))


def test_registry_and_docstrings_are_complete():
    for name, corpus in CORPORA.items():
        assert corpus.name == name
        assert all(
            (corpus.url, corpus.licence, corpus.citation, corpus.version, corpus.label_mapping)
        )
        module = sys.modules[corpus.reader.__module__]
        for expected in (corpus.url, "Licence:", "Citation:", "Labels:", "Traps handled:"):
            assert expected in module.__doc__


#: The row counts of the public files, which reveal a wrong reading (MANIFEST lists the files measured).
PUBLIC = {
    ("dse", "train"): 11_532,
    ("dse", "valid"): 1_461,
    ("dse", "test"): 1_623,
    ("newsmtsc", "train"): 8_739,
    ("newsmtsc", "rw-dev"): 343,
    ("newsmtsc", "rw-test"): 800,
    ("newsmtsc", "mt-dev"): 442,
    ("newsmtsc", "mt-test"): 1_029,
    ("checkthat2024", "train"): 22_501,
    ("checkthat2024", "dev"): 1_032,
    ("checkthat2024", "test"): 341,
}


@needs_corpora
@pytest.mark.parametrize(("name", "split"), PUBLIC)
def test_public_counts(name, split):
    records = list(lookup(name).read(Path(ROOT) / name, split))
    assert len(records) == len({r.id for r in records}) == PUBLIC[name, split]
    if (name, split) == ("dse", "test"):
        assert sum(r.meta["clean"] for r in records) == 1_179
