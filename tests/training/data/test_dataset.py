"""Test that datasets are saved and loaded without loss."""

import datasets
import pytest

from claimstance.model.errors import InputError
from claimstance.model.record import Attribution, Entity, Record, Stance
from claimstance.training.data.build import build
from claimstance.training.data.config import DataConfig
from claimstance.training.data.dataset import load_labels, load_records, save, split_names

RICH = [
    Record(id="bare", text="Rain fell."),
    Record(
        id="full",
        doc_id="d",
        start=7,
        text="Holm says Noren lies.",
        claim="claim",
        check_worthy="yes",
        attributions=[
            Attribution(source=[(0, 4)], cue=[(5, 9)], content=[(10, 15), (16, 20)], event="E1"),
            Attribution(content=[(10, 20)]),
        ],
        entities=[Entity(span=[(0, 4)], label="PERSON")],
        stances=[
            Stance(holder=[(0, 4)], target=[(10, 15)], label="against"),
            Stance(holder="Ida Holm", target="the bridge", label="favor"),
            Stance(holder=None, target="", label=None),
        ],
        annotator="anna",
        meta={"corpus": "mine", "nested": {"é": [1, None]}},
    ),
    Record(
        id="none", text="Sun shone.", claim="no_claim", attributions=[], entities=[], stances=[]
    ),
]


def test_saved_records_load_unchanged(tmp_path):
    save({"train": RICH, "test": RICH[:1]}, {}, tmp_path / "d")
    # The records have null lists, empty lists, spans and names.
    assert load_records(tmp_path / "d", "train") == RICH
    assert load_records(tmp_path / "d", "test") == RICH[:1]
    assert split_names(tmp_path / "d") == ["train", "test"]


def test_saved_labels_load_unchanged(tmp_path):
    own = {"claim": ("con", "pro", "unclear")}
    save({"train": [Record(id="1", text="a", claim="unclear")]}, own, tmp_path / "d")
    assert load_labels(tmp_path / "d")["claim"] == own["claim"]
    assert load_labels(tmp_path / "d")["stance"] == ("against", "neutral", "favor")
    assert load_records(tmp_path / "d", "train")[0].claim == "unclear"


def test_errors_of_loading_name_what_is_missing(tmp_path):
    save({"train": RICH}, {}, tmp_path / "d")
    with pytest.raises(InputError, match="unknown split 'tets'"):
        load_records(tmp_path / "d", "tets")
    with pytest.raises(
        InputError, match=r"expected a folder that `build` wrote, found no dataset_dict\.json"
    ):
        load_records(tmp_path, "train")
    (tmp_path / "d" / "train" / "state.json").unlink()
    with pytest.raises(InputError, match="found a damaged one"):
        load_labels(tmp_path / "d")


def test_the_dataset_loads_with_the_datasets_library(tmp_path):
    (tmp_path / "x.csv").write_text(
        "text,label\n" + "".join(f"Sentence number {i}.,claim\n" for i in range(30))
    )
    build(DataConfig(path="x", sources=[{"files": [str(tmp_path / "x.csv")]}]), tmp_path / "out")
    loaded = datasets.load_from_disk(str(tmp_path / "out"))
    assert {name: len(rows) for name, rows in loaded.items()} == {"train": 24, "dev": 3, "test": 3}
    assert loaded["train"].features["claim"].int2str(loaded["train"][0]["claim"]) == "claim"
    assert len({rows._fingerprint for rows in loaded.values()}) == 3
    assert loaded["train"].filter(lambda row: "number 7" in row["text"]).num_rows > 0
