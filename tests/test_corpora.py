"""The corpus readers, on invented files in the very layout of the public repositories, every trap included."""

import json
import logging
import os
import sys
from pathlib import Path

import pytest

from claimstance.model.errors import ConfigError, InputError
from claimstance.training.corpora import CORPORA, lookup
from claimstance.training.corpora.spans import clip, normalise

ARTICLE = 'Mayor Ida Holm said the bridge is safe.\nIt will open "soon," she added. Work goes on.\n'
ROOT = os.environ.get("CLAIMSTANCE_CORPORA")
needs_corpora = pytest.mark.skipif(not ROOT, reason="CLAIMSTANCE_CORPORA does not name a folder of public corpora")


def at(part, text=ARTICLE):
    start = text.index(part)
    return f"{start} {start + len(part)}"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


# Each line of the list is a trap or stands for one.
ANNOTATIONS = [
    "E1\tAttribution:T4 Source:T1 Cue:T2 Content:T3 Content2:T5",  # before the T-lines it names
    f"T1\tSource {at('Mayor Ida Holm')}\tMayor Ida Holm",
    f"T2\tCue {at('said')}\tsaid",
    f"T3\tContent {at('the bridge is safe')}\tthe bridge is safe",
    f"T4\tAttribution {at('said')}\tsaid",
    f"T5\tContent {at('It will open')};{at('soon')}\tIt will open",
    "a raw line end in a T-line leaves this",
    "#1\tAnnotatorNotes T1\tunsure",
    f"T6\tDiscuss {at('Work')}\tWork",
    f"T7\tCue {at(' added')}\t added",
    f"T8\tContent {at('open')}\topen",  # nested in T5
    "E2\tAttribution-no-source:T7 Cue:T7 Content:T8",
    "E3\tAttribution:T4",  # no roles
    "E4\tDiscuss:T6 Content:T6",
]


@pytest.fixture
def polnear(tmp_path):
    folder = tmp_path / "polnear"
    header = "compartment\tfilename\tpublisher\tpublication_date\ttitle"
    rows = [header]
    for split, stem in (
        ("train", "post_2016-01-05_the-bridge"),
        ("train", "post_2016-09-01_late"),
        ("dev", "post_2016-09-20_dev"),
    ):
        write(folder / "data" / split / "text" / f"{stem}.txt", ARTICLE)
        write(folder / "data" / split / "attributions" / f"{stem}_bb22.ann", "\n".join(ANNOTATIONS) + "\n")
        rows.append(f'{split}\t{stem}\tpost\t2016-01-05\tA "safe" bridge')
    write(folder / "data/train/attributions/post_2016-01-05_the-bridge_aa11.ann", "")
    write(folder / "data" / "metadata.tsv", "\n".join(rows) + "\n")
    return folder


def shown(record, span):
    return None if span is None else [record.text[start:end] for start, end in span]


def test_polnear_sentences_spans_and_traps(polnear):
    records = list(lookup("polnear").read(polnear, "dev"))
    assert [r.text for r in records] == [
        "Mayor Ida Holm said the bridge is safe.", 'It will open "soon," she added.', "Work goes on."
    ]
    assert all(ARTICLE[r.start : r.start + len(r.text)] == r.text for r in records)
    assert [r.claim for r in records] == ["claim", "claim", "no_claim"]
    first, second, third = records
    whole = first.attributions[0]
    assert (shown(first, whole.source), shown(first, whole.cue)) == (["Mayor Ida Holm"], ["said"])
    assert shown(first, whole.content) == ["the bridge is safe"]
    rest, nested = second.attributions
    assert (rest.source, rest.cue, shown(second, rest.content)) == (None, None, ["It will open", "soon"])
    assert whole.event == rest.event == "E1"
    assert nested.event is None
    assert (shown(second, nested.cue), shown(second, nested.content)) == (["added"], ["open"])
    assert third.attributions == []
    assert {r.doc_id for r in records} == {"post_2016-09-20_dev"}
    assert first.annotator == "bb22"
    assert first.meta == {
        "corpus": "polnear", "article": "post_2016-09-20_dev", "outlet": "post", "date": "2016-01-05",
        "title": 'A "safe" bridge',
    }
    assert first.entities is None


def test_polnear_splits_by_time(polnear):
    corpus = lookup("polnear")
    docs = {split: {r.doc_id for r in corpus.read(polnear, split)} for split in corpus.splits}
    assert docs == {
        "train": {"post_2016-01-05_the-bridge"}, "tune": {"post_2016-09-01_late"}, "dev": {"post_2016-09-20_dev"}
    }


def test_polnear_annotators(polnear):
    corpus = lookup("polnear")
    assert {r.annotator for r in corpus.read(polnear, "train")} == {"aa11"}
    assert {r.claim for r in corpus.read(polnear, "train")} == {"no_claim"}
    both = list(corpus.read(polnear, "train", annotator="all"))
    assert {r.annotator for r in both} == {"aa11", "bb22"}
    assert len({r.id for r in both}) == len(both) == 6
    with pytest.raises(ConfigError, match="expected first or all, found 'last'"):
        list(corpus.read(polnear, "train", annotator="last"))


def test_polnear_silver_entities(polnear, tmp_path):
    start = ARTICLE.index("Ida")
    entities = [[start, start + 8, "PERSON"], [ARTICLE.index("safe"), ARTICLE.index("will"), "MISC"]]
    write(tmp_path / "silver/dev.jsonl", json.dumps({"doc": "post_2016-09-20_dev", "entities": entities}))
    write(tmp_path / "silver/train.jsonl", json.dumps({"doc": "another", "entities": []}))
    corpus = lookup("polnear")
    first, second, third = corpus.read(polnear, "dev", silver=str(tmp_path / "silver"))
    assert [(shown(first, e.span), e.label) for e in first.entities] == [(["Ida Holm"], "PERSON"), (["safe."], "MISC")]
    assert [shown(second, e.span) for e in second.entities] == [["It"]]
    assert third.entities == []
    assert {r.entities is None for r in corpus.read(polnear, "train", silver=tmp_path / "silver")} == {True}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("T9\tSource 5 x\tx", "line 15: expected 'LABEL START END"),
        ("T9\tSource 5 999\tx", "line 15: expected offsets within the text"),
        ("E9\tAttribution:T4 Cue:T99", "line 15: expected the name of a T-line, found 'T99'"),
    ],
)
def test_polnear_says_what_is_wrong(polnear, line, message):
    path = polnear / "data/dev/attributions/post_2016-09-20_dev_bb22.ann"
    path.write_text("\n".join([*ANNOTATIONS, line]))
    with pytest.raises(InputError, match=message):
        list(lookup("polnear").read(polnear, "dev"))


def test_spans_are_normalised_and_clipped():
    assert normalise([(8, 13), (0, 4), (2, 4)], "one  two three") == [(0, 3), (8, 13)]
    assert normalise([(0, 3), (5, 8)], "one  two three") == [(0, 8)]
    assert clip([(0, 3), (9, 14)], 4, 14, "one  two three") == [(5, 10)]
    assert clip([(3, 5)], 0, 14, "one  two three") is None


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
    write(tmp_path / "dse/dataset/test.txt", "Ida met [Bo] and [Al].\tBo\tAl\t0\n[Ida]  met [Bo].\tIda\tBo\t0\n")
    return tmp_path / "dse"


def test_dse_directions_brackets_and_duplicates(dse, caplog):
    with caplog.at_level(logging.INFO):
        records = list(lookup("dse").read(dse, "train"))
    assert "dse train: 1 rows left out: repeats an earlier row" in caplog.text
    pairs = [
        [(shown(r, s.holder)[0], s.label, shown(r, s.target)[0]) for s in r.stances] for r in records
    ]
    assert [r.text for r in records][1:3] == ["The Harbor Trust (sic) praised  Noren.", '"Stop," said Holm; Noren did not.']
    assert pairs == [
        [("Holm", "neutral", "the Harbour Union"), ("the Harbour Union", "against", "Holm")],
        [("Harbor Trust", "favor", "Noren"), ("Noren", "neutral", "Harbor Trust")],
        [("Holm", "against", "Noren"), ("Noren", "neutral", "Holm")],
        [("Trust", "neutral", "Holm"), ("Holm", "neutral", "Trust")],
        [("Swe", "neutral", "den"), ("den", "favor", "Swe")],
    ]
    raw = list(lookup("dse").read(dse, "train", whole_words=False))
    assert shown(raw[1], raw[1].stances[0].holder) == ["Harbor Trus"]


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
def test_dse_says_what_is_wrong(dse, row, message):
    (dse / "dataset/train.txt").write_text(row + "\n")
    with pytest.raises(InputError, match=message):
        list(lookup("dse").read(dse, "train"))


def mtsc(sentence, mention, polarity, name):
    start = sentence.index(mention)
    row = {"mention": mention, "polarity": polarity, "from": start, "to": start + len(mention), "sentence": sentence}
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
    test = [mtsc("Bo left.", "Bo", 0, "allsides_3_9_1_Bo_0_2"), mtsc("Ida won.", "Ida", 1, "allsides_3_9_2_Ida_0_3")]
    write(folder / "newsmtsc-rw-hf/train.jsonl", "\n".join(train) + "\n")
    write(folder / "newsmtsc-rw-hf/test.jsonl", "\n".join(test) + "\n")
    return tmp_path / "newsmtsc"


def test_newsmtsc_labels_offsets_and_documents(newsmtsc):
    records = list(lookup("newsmtsc").read(newsmtsc, "train"))
    assert [s.label for r in records for s in r.stances] == ["favor", "neutral", "against", "against"]
    assert [shown(r, r.stances[0].target) for r in records] == [["Ida"], ["Bo"], ["Bo"], ["Al"]]
    assert all(r.stances[0].holder is None for r in records)
    assert [r.doc_id for r in records] == ["allsides_1_7"] * 3 + ["polusa_v1_98"]


def test_newsmtsc_drops_what_train_has(newsmtsc):
    reasons = []
    (kept,) = lookup("newsmtsc").read(newsmtsc, "rw-test", reasons.append)
    assert (kept.text, reasons) == ("Ida won.", ["sentence is in train"])
    assert len(list(lookup("newsmtsc").read(newsmtsc, "rw-test", drop_seen=False))) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mention": "It"}, r"line 1: expected the mention 'It' at \[0, 2\), found 'Bo'"),
        ({"polarity": 3}, "line 1: expected sentence, mention"),
    ],
)
def test_newsmtsc_says_what_is_wrong(newsmtsc, change, message):
    path = newsmtsc / "NewsSentiment/experiments/default/datasets/newsmtsc-rw-hf/train.jsonl"
    path.write_text(json.dumps({**json.loads(mtsc("Bo left.", "Bo", 0, "allsides_1_7_4_Bo_0_2")), **change}))
    with pytest.raises(InputError, match=message):
        list(lookup("newsmtsc").read(newsmtsc, "train"))


def test_checkthat_quotes_and_the_glued_row(tmp_path):
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


def test_wrong_calls_name_what_there_is(dse, tmp_path):
    with pytest.raises(ConfigError, match="unknown corpus 'polnaer'. Did you mean 'polnear'"):
        lookup("polnaer")
    with pytest.raises(ConfigError, match="corpus dse: unknown split 'dev'"):
        lookup("dse").read(dse, "dev")
    with pytest.raises(ConfigError, match="Did you mean 'whole_words'"):
        lookup("dse").read(dse, "train", whole_word=True)
    with pytest.raises(InputError, match="expected a copy of https://github.com/bywords"):
        lookup("dse").read(tmp_path / "nowhere", "train")
    with pytest.raises(InputError, match="No such file"):
        list(lookup("newsmtsc").read(dse, "train"))
    with pytest.raises(InputError, match="expected PolNeAR's annotations"):
        list(lookup("polnear").read(dse, "train"))


def test_registry_is_complete_and_light():
    for name, corpus in CORPORA.items():
        assert corpus.name == name
        assert all((corpus.url, corpus.licence, corpus.citation, corpus.version, corpus.label_mapping))
        module = sys.modules[corpus.reader.__module__]
        assert all(word in module.__doc__ for word in (corpus.url, "Licence:", "Citation:", "Labels:", "Traps handled:"))


#: Rows, and whatever tells a wrong reading, of the public files (MANIFEST: which are those measured).
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


@needs_corpora
def test_public_polnear():
    corpus = lookup("polnear")
    records = {split: list(corpus.read(Path(ROOT) / "polnear", split)) for split in corpus.splits}
    assert {split: len({r.doc_id for r in rows}) for split, rows in records.items()} == {
        "train": 759, "tune": 81, "dev": 84
    }
    rows = [r for split in records.values() for r in split]
    claims = sum(r.claim == "claim" for r in rows) / len(rows)
    assert 0.66 < claims < 0.72  # about 69 % of sentences touch attributed content
    events = {(r.doc_id, a.event) for r in rows for a in r.attributions if a.event}
    alone = sum(a.event is None for r in rows for a in r.attributions)
    assert 0.08 < len(events) / (len(events) + alone) < 0.14  # about 11 % touch more than one sentence
    together = {split: {r.doc_id.split("_")[1] for r in rows} for split, rows in records.items()}
    assert max(together["train"]) < min(together["tune"])
    assert max(together["tune"]) < min(together["dev"])
