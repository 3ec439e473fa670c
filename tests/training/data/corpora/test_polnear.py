"""Test the PolNeAR reader on invented files in the layout of the public repository, with every known trap."""

import json
import os
from pathlib import Path

import pytest

from claimstance.model.errors import ConfigError, InputError
from claimstance.training.data.corpora import lookup
from claimstance.training.data.documents.spans import clip, normalise

ARTICLE = 'Mayor Ida Holm said the bridge is safe.\nIt will open "soon," she added. Work goes on.\n'
ROOT = os.environ.get("CLAIMSTANCE_CORPORA")


def at(phrase, text=ARTICLE):
    start = text.index(phrase)
    return f"{start} {start + len(phrase)}"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


# Each line of the list is a trap or an example of one.
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
        write(
            folder / "data" / split / "attributions" / f"{stem}_bb22.ann",
            "\n".join(ANNOTATIONS) + "\n",
        )
        rows.append(f'{split}\t{stem}\tpost\t2016-01-05\tA "safe" bridge')
    write(folder / "data/train/attributions/post_2016-01-05_the-bridge_aa11.ann", "")
    write(folder / "data" / "metadata.tsv", "\n".join(rows) + "\n")
    return folder


def span_texts(record, span):
    return None if span is None else [record.text[start:end] for start, end in span]


def test_polnear_sentences_spans_and_traps(polnear):
    records = list(lookup("polnear").read(polnear, "dev"))
    assert [r.text for r in records] == [
        "Mayor Ida Holm said the bridge is safe.",
        'It will open "soon," she added.',
        "Work goes on.",
    ]
    assert all(ARTICLE[r.start : r.start + len(r.text)] == r.text for r in records)
    assert [r.claim for r in records] == ["claim", "claim", "no_claim"]
    first, second, third = records
    attribution = first.attributions[0]
    assert (span_texts(first, attribution.source), span_texts(first, attribution.cue)) == (
        ["Mayor Ida Holm"],
        ["said"],
    )
    assert span_texts(first, attribution.content) == ["the bridge is safe"]
    continuation, nested = second.attributions
    assert (continuation.source, continuation.cue, span_texts(second, continuation.content)) == (
        None,
        None,
        ["It will open", "soon"],
    )
    assert attribution.event == continuation.event == "E1"
    assert nested.event is None
    assert (span_texts(second, nested.cue), span_texts(second, nested.content)) == (
        ["added"],
        ["open"],
    )
    assert third.attributions == []
    assert {r.doc_id for r in records} == {"post_2016-09-20_dev"}
    assert first.annotator == "bb22"
    assert first.meta == {
        "corpus": "polnear",
        "article": "post_2016-09-20_dev",
        "outlet": "post",
        "date": "2016-01-05",
        "title": 'A "safe" bridge',
    }
    assert first.entities is None


def test_polnear_splits_by_time(polnear):
    corpus = lookup("polnear")
    docs = {split: {r.doc_id for r in corpus.read(polnear, split)} for split in corpus.splits}
    assert docs == {
        "train": {"post_2016-01-05_the-bridge"},
        "tune": {"post_2016-09-01_late"},
        "dev": {"post_2016-09-20_dev"},
    }


def test_polnear_annotators(polnear):
    corpus = lookup("polnear")
    assert {r.annotator for r in corpus.read(polnear, "train")} == {"aa11"}
    assert {r.claim for r in corpus.read(polnear, "train")} == {"no_claim"}
    records = list(corpus.read(polnear, "train", annotator="all"))
    assert {r.annotator for r in records} == {"aa11", "bb22"}
    assert len({(r.id, r.annotator) for r in records}) == len(records) == 6
    with pytest.raises(ConfigError, match="expected first or all, found 'last'"):
        list(corpus.read(polnear, "train", annotator="last"))


def test_polnear_silver_entities(polnear, tmp_path):
    start = ARTICLE.index("Ida")
    entities = [
        [start, start + 8, "PERSON"],
        [ARTICLE.index("safe"), ARTICLE.index("will"), "MISC"],
    ]
    write(
        tmp_path / "silver/dev.jsonl",
        json.dumps({"doc": "post_2016-09-20_dev", "entities": entities}),
    )
    write(tmp_path / "silver/train.jsonl", json.dumps({"doc": "another", "entities": []}))
    corpus = lookup("polnear")
    first, second, third = corpus.read(polnear, "dev", silver=str(tmp_path / "silver"))
    assert [(span_texts(first, e.span), e.label) for e in first.entities] == [
        (["Ida Holm"], "PERSON"),
        (["safe."], "MISC"),
    ]
    assert [span_texts(second, e.span) for e in second.entities] == [["It"]]
    assert third.entities == []
    assert {
        r.entities is None for r in corpus.read(polnear, "train", silver=tmp_path / "silver")
    } == {True}


def test_polnear_silver_surnames_that_the_tagger_missed_are_persons(polnear, tmp_path):
    text = "Mayor Ida Holm left.\nHolm said no. In Holm Street, Holm fell.\n"
    write(polnear / "data/dev/text/post_2016-09-20_dev.txt", text)
    write(polnear / "data/dev/attributions/post_2016-09-20_dev_bb22.ann", "")
    entities = [
        [text.index("Ida"), text.index(" left"), "PERSON"],
        [text.index("Holm Street"), text.index(", Holm"), "LOCATION"],
    ]
    silver = json.dumps({"doc": "post_2016-09-20_dev", "entities": entities})
    write(tmp_path / "silver/dev.jsonl", silver)
    records = lookup("polnear").read(polnear, "dev", silver=str(tmp_path / "silver"))
    assert [
        [(*span_texts(record, entity.span), entity.label) for entity in record.entities]
        for record in records
    ] == [
        [("Ida Holm", "PERSON")],
        [("Holm", "PERSON")],
        [("Holm Street", "LOCATION"), ("Holm", "PERSON")],
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("T9\tSource 5 x\tx", "line 15: expected 'LABEL START END"),
        ("T9\tSource 5 999\tx", "line 15: expected offsets within the text"),
        ("E9\tAttribution:T4 Cue:T99", "line 15: expected the name of a T-line, found 'T99'"),
    ],
)
def test_polnear_errors_name_the_line(polnear, line, message):
    path = polnear / "data/dev/attributions/post_2016-09-20_dev_bb22.ann"
    path.write_text("\n".join([*ANNOTATIONS, line]))
    with pytest.raises(InputError, match=message):
        list(lookup("polnear").read(polnear, "dev"))


def test_spans_are_normalised_and_clipped():
    assert normalise([(8, 13), (0, 4), (2, 4)], "one  two three") == [(0, 3), (9, 13)]
    assert normalise([(0, 3), (5, 8)], "one  two three") == [(0, 8)]
    assert clip([(0, 3), (9, 14)], 4, 14, "one  two three") == [(5, 10)]
    assert clip([(3, 5)], 0, 14, "one  two three") is None


@pytest.mark.skipif(not ROOT, reason="CLAIMSTANCE_CORPORA does not name a folder of public corpora")
def test_public_polnear():
    corpus = lookup("polnear")
    records = {split: list(corpus.read(Path(ROOT) / "polnear", split)) for split in corpus.splits}
    assert {split: len({r.doc_id for r in rows}) for split, rows in records.items()} == {
        "train": 759,
        "tune": 81,
        "dev": 84,
    }
    rows = [r for split in records.values() for r in split]
    claims = sum(r.claim == "claim" for r in rows) / len(rows)
    assert 0.66 < claims < 0.72  # about 69 % of sentences touch attributed content
    events = {(r.doc_id, a.event) for r in rows for a in r.attributions if a.event}
    single_sentence = sum(a.event is None for r in rows for a in r.attributions)
    # About 11 % touch more than one sentence.
    assert 0.08 < len(events) / (len(events) + single_sentence) < 0.14
    dates = {split: {r.doc_id.split("_")[1] for r in rows} for split, rows in records.items()}
    assert max(dates["train"]) < min(dates["tune"])
    assert max(dates["tune"]) < min(dates["dev"])
