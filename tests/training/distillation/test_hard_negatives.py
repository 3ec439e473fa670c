"""Test hard negatives: pairs that a model finds and the annotation does not list."""

import pytest

from claimstance.model.errors import ConfigError
from claimstance.model.labels import DEFAULT_LABELS
from claimstance.model.record import Record, Stance
from claimstance.training.data.config import DataConfig, HardNegatives
from claimstance.training.data.dataset import load_records
from claimstance.training.distillation import hard_negatives
from claimstance.training.distillation.hard_negatives import add_hard_negatives
from claimstance.training.pipeline import build_configured_dataset
from helpers.tiny import scripted

TEXT = "Voters hate the harbour tax . Amsel slept ."
SENTENCE = "Voters hate the harbour tax ."
OPINIONS = {"opinion_holder": "Voters", "opinion_target": "tax"}
SETTINGS = HardNegatives.model_validate({"model": "small", "corpora": ["news"]})


@pytest.fixture
def predictor(monkeypatch):
    """Return a model that finds the holder Voters, and the targets tax and Amsel, in place of the bundled one."""
    tagger, _ = scripted(TEXT, {}, {"PERSON": "Amsel"}, OPINIONS, opinion_spans=True)
    predictor = tagger._predictor
    monkeypatch.setattr(hard_negatives, "load_predictor", lambda folder: (predictor, None))
    return predictor


def record(text=SENTENCE, stances=(), corpus="news", **fields):
    return Record(
        id=text,
        text=text,
        stances=None if stances is None else list(stances),
        meta={"corpus": corpus},
        **fields,
    )


def test_a_pair_that_is_not_listed_has_no_stance(predictor):
    rows = [record()]
    assert add_hard_negatives(SETTINGS, rows, DEFAULT_LABELS) == 1
    assert rows[0].stances == [Stance(holder=[(0, 6)], target=[(24, 27)], label="neutral")]


@pytest.mark.parametrize("label", ["favor", "against", "neutral"])
def test_a_pair_that_overlaps_a_listed_one_is_left_out(predictor, label):
    listed = Stance(holder=[(0, 6)], target=[(16, 27)], label=label)
    rows = [record(stances=[listed])]
    assert add_hard_negatives(SETTINGS, rows, DEFAULT_LABELS) == 0
    assert rows[0].stances == [listed]


def test_a_share_of_the_pairs_is_added(predictor):
    rows = [record(stances=[]) for _ in range(200)]
    some = SETTINGS.model_copy(update={"share": 0.25})
    added = add_hard_negatives(some, rows, DEFAULT_LABELS)
    assert 30 <= added <= 70
    assert sum(len(row.stances) for row in rows) == added

    none = SETTINGS.model_copy(update={"share": 0.0})
    assert add_hard_negatives(none, [record()], DEFAULT_LABELS) == 0


def test_a_listed_pair_with_another_holder_does_not_count(predictor):
    listed = Stance(holder=None, target=[(16, 27)], label="against")
    rows = [record(stances=[listed])]
    assert add_hard_negatives(SETTINGS, rows, DEFAULT_LABELS) == 1


def test_unannotated_sentences_and_other_corpora_stay_as_they_are(predictor):
    rows = [record(stances=None), record(corpus="other"), record()]
    assert add_hard_negatives(SETTINGS, rows, DEFAULT_LABELS) == 1
    assert [row.stances and len(row.stances) for row in rows] == [None, [], 1]


def test_pairs_belong_to_their_sentence_of_a_document(predictor):
    rows = [
        record("Amsel slept .", doc_id="a", start=0),
        record(SENTENCE, doc_id="a", start=14),
        record("Voters hate Amsel .", doc_id="a", start=44),
    ]
    seen = []
    assert add_hard_negatives(SETTINGS, rows, DEFAULT_LABELS, seen.append) == 2
    assert [len(row.stances) for row in rows] == [0, 1, 1]
    assert rows[2].stances[0].target == [(12, 17)]
    assert sum(seen) == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"corpora": ["nwes"]}, "data.hard_negatives: unknown corpus 'nwes'"),
        ({"label": "none"}, "data.hard_negatives.label: unknown label 'none'"),
    ],
)
def test_a_name_that_does_not_exist_is_refused(predictor, settings, message):
    negatives = SETTINGS.model_copy(update=settings)
    with pytest.raises(ConfigError, match=message):
        add_hard_negatives(negatives, [record()], DEFAULT_LABELS)


def test_a_model_that_finds_no_holders_is_refused(monkeypatch):
    tagger, _ = scripted(TEXT, {}, {"PERSON": "Amsel"})
    monkeypatch.setattr(hard_negatives, "load_predictor", lambda folder: (tagger._predictor, None))
    with pytest.raises(ConfigError, match="expected a model that finds holders and targets"):
        add_hard_negatives(SETTINGS, [record()], DEFAULT_LABELS)


def test_the_pairs_reach_the_train_split_alone(predictor, tmp_path):
    for split in ("train", "dev"):
        row = record(f"{SENTENCE} {'Amsel slept . ' * (split == 'dev')}".strip())
        row.meta["split"] = split
        (tmp_path / f"news_{split}.jsonl").write_text(row.to_json() + "\n", encoding="utf-8")
    data = DataConfig.model_validate(
        {
            "path": str(tmp_path / "data"),
            "sources": [
                {"files": [str(tmp_path / f"news_{split}.jsonl")], "split": split}
                for split in ("train", "dev")
            ],
            "hard_negatives": {"model": "small", "corpora": ["news"]},
        }
    )
    build_configured_dataset(data, tmp_path / "data")
    [train], [dev] = (load_records(tmp_path / "data", split) for split in ("train", "dev"))
    assert [stance.label for stance in train.stances] == ["neutral"]
    assert dev.stances == []


def test_a_missing_model_is_reported_before_anything_is_read(tmp_path):
    data = DataConfig.model_validate(
        {
            "path": str(tmp_path / "data"),
            "sources": [{"files": ["missing.jsonl"]}],
            "hard_negatives": {"model": str(tmp_path / "gone"), "corpora": ["x"]},
        }
    )
    with pytest.raises(ConfigError, match=r"data\.hard_negatives: expected a trained model in"):
        build_configured_dataset(data, tmp_path / "data")
