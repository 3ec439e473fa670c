"""The whole circle: records train a model, the model is saved, loaded, exported, and says the same everywhere."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import TrainerCallback

from claimstance.model.config import ModelConfig
from claimstance.model.errors import ConfigError, InputError
from claimstance.model.labels import DEFAULT_LABELS, SENTENCE_TASKS, TASKS
from claimstance.model.network import ClaimStanceModel
from claimstance.model.onnx.backend import load_predictor
from claimstance.model.onnx.export import export
from claimstance.model.prediction import predict
from claimstance.model.stance_queries import StanceQuery
from claimstance.model.torch_backend import torch_predictor
from claimstance.training.fine_tuning.collation import collate
from claimstance.training.fine_tuning.epoch_sampler import (
    EpochSampler,
    LabelledWindow,
    SamplingConfig,
)
from claimstance.training.fine_tuning.examples import build_examples
from claimstance.training.fine_tuning.train import train
from claimstance.training.fine_tuning.trainer import ClaimStanceTrainer

pytestmark = pytest.mark.slow
UNLABELLED = dict.fromkeys((*SENTENCE_TASKS, "attributions", "entities", "stances"))
QUERIES = [
    StanceQuery(0, None, (0, 4)),
    StanceQuery(3, (0, 12), (20, 40)),
    StanceQuery(3, None, "the strike"),
    StanceQuery(7, (0, 5), "the strike"),
]


@pytest.fixture(scope="module")
def texts(splits):
    return [record.text for record in splits["dev"]]


@pytest.fixture(scope="module")
def reference(trained, texts):
    """Return the saved model's predictions with torch."""
    predictor = torch_predictor(ClaimStanceModel.from_pretrained(trained))
    reading = predictor.read(texts)
    return reading, predictor.stances(reading, QUERIES)


@pytest.fixture
def fresh(tiny_encoder, one_thread):
    torch.manual_seed(3)
    return ClaimStanceModel.from_encoder(str(tiny_encoder), {"max_tokens": 64})


def batches(model, records, **mixture):
    documents = build_examples(records, model.windows, DEFAULT_LABELS, {})
    settings = {"tokens_per_batch": 256, "topic_share": 1.0, **mixture}
    return [
        collate(batch, model.windows.pad)
        for batch in EpochSampler(documents, model.windows, SamplingConfig(**settings)).epoch(0)
    ]


def test_every_parameter_gets_a_gradient(fresh, splits):
    for batch in batches(fresh, splits["train"]):
        fresh(**batch)["loss"].backward()
    untouched = [name for name, p in fresh.named_parameters() if p.grad is None or not p.grad.any()]
    # A bias that all keys share moves every score of a query alike, which softmax does not see: rounding alone.
    assert [name for name in untouched if not name.endswith("key.bias")] == []


def test_gradients_reach_every_row_that_is_read(fresh, splits):
    found = batches(fresh, splits["train"])
    for batch in found:
        fresh(**batch)["loss"].backward()
    embeddings = fresh.encoder.embeddings
    longest = max(batch["input_ids"].shape[1] for batch in found)
    assert embeddings.position_embeddings.weight.grad[:longest].any(dim=1).all()
    assert embeddings.token_type_embeddings.weight.grad.any(dim=1).all()
    seen = torch.cat([batch["input_ids"][batch["attention_mask"] == 1] for batch in found]).unique()
    assert embeddings.word_embeddings.weight.grad[seen].any(dim=1).all()


def test_a_batch_without_labels_teaches_nothing_and_breaks_nothing(fresh, splits):
    bare = [record.model_copy(update=UNLABELLED) for record in splits["train"]]
    assert batches(fresh, bare) == []
    [examples] = build_examples(bare, fresh.windows, DEFAULT_LABELS, {})
    window = next(fresh.windows.windows(enumerate(example.tokens for example in examples)))
    item = LabelledWindow(window, [examples[piece.sentence] for piece in window.pieces])
    loss = fresh(**collate([item], fresh.windows.pad))["loss"]
    loss.backward()
    assert loss == 0
    assert not any(p.grad.any() for p in fresh.encoder.parameters() if p.grad is not None)


def test_without_labels_there_is_no_loss(fresh, splits):
    inputs = (
        "input_ids",
        "attention_mask",
        "segments",
        "sentences",
        "holders",
        "targets",
        "pair_sentences",
        "cues",
        "linked",
    )
    batch = batches(fresh, splits["train"])[0]
    assert set(fresh(**{name: batch[name] for name in inputs})) == {*TASKS, "link"}


def test_ignored_labels_do_not_count(fresh, splits):
    fresh.eval()
    batch = next(b for b in batches(fresh, splits["train"]) if (b["claim"] >= 0).sum() > 1)
    known = (batch["claim"] >= 0).nonzero().flatten()
    each = []
    for place in known:
        labels = torch.full_like(batch["claim"], -100)
        labels[place] = batch["claim"][place]
        each.append(fresh(**{**batch, "claim": labels})["loss_claim"])
    assert fresh(**batch)["loss_claim"].item() == pytest.approx(
        torch.stack(each).mean().item(), rel=1e-5
    )


def test_loss_weights_weigh(fresh, splits):
    fresh.eval()
    batch = batches(fresh, splits["train"], topic_share=0.0)[0]
    with torch.no_grad():
        before = fresh(**batch)
        fresh.loss_weights = {"claim": 3.0}
        after = fresh(**batch)["loss"]
    assert (after - before["loss"]).item() == pytest.approx(
        2 * before["loss_claim"].item(), rel=1e-4
    )


def test_training_learns(trained):
    account = json.loads((trained / "training.json").read_text(encoding="utf-8"))
    losses = [entry["loss"] for entry in account["history"] if "loss" in entry]
    assert len(losses) > 3
    assert losses[-1] < 0.8 * losses[0]
    assert account["best"]["step"] > 0


def test_the_model_folder_is_whole(trained):
    files = {path.name for path in trained.iterdir() if path.is_file()}
    assert files == {
        "config.json",
        "config.yaml",
        "link.onnx",
        "manifest.json",
        "model.safetensors",
        "reader.onnx",
        "stance.onnx",
        "tokenizer.json",
        "training.json",
    }
    model = ClaimStanceModel.from_pretrained(trained)
    assert (model.config.name, model.config.tasks, model.config.max_tokens) == ("tiny", TASKS, 64)
    assert model.config.labels == DEFAULT_LABELS
    kinds = {"stance", "stance.holder", "stance.mention", "stance.topic", "stance.holder_topic"}
    assert (
        {"claim", "check_worthy", "stance"}
        <= set(model.config.temperatures)
        <= {*SENTENCE_TASKS, *kinds}
    )
    assert set(model.config.conformal) == set(model.config.temperatures)
    kinds = set(model.config.temperatures)
    assert {name.rpartition(".")[0] for name in model.config.thresholds} == kinds
    assert all(
        sum(model.config.thresholds_of(kind).values()) == pytest.approx(1, abs=1e-3)
        for kind in kinds
    )
    assert model.config.abstain_below == {}  # a dozen sentences are too few to promise anything


def test_a_saved_model_says_the_same(trained, reference, texts, tmp_path):
    ClaimStanceModel.from_pretrained(trained).save_pretrained(tmp_path)
    predictor = torch_predictor(ClaimStanceModel.from_pretrained(tmp_path))
    reading = predictor.read(texts)
    assert reading.attributions == reference[0].attributions
    assert reading.entities == reference[0].entities
    np.testing.assert_array_equal(predictor.stances(reading, QUERIES), reference[1])


def test_the_float32_export_says_the_same(trained, reference, texts, tmp_path):
    predictor, sha256 = load_predictor(export(trained, tmp_path, precision="float32"))
    reading = predictor.read(texts)
    stances = predictor.stances(reading, QUERIES)
    expected, expected_stances = reference
    assert len(sha256) == 64
    assert set(reading.probabilities) == set(SENTENCE_TASKS)
    for task, probabilities in expected.probabilities.items():
        np.testing.assert_allclose(reading.probabilities[task], probabilities, atol=1e-4)
    np.testing.assert_allclose(stances, expected_stances, atol=1e-4)
    assert expected.attributions
    assert [bare(a) for a in reading.attributions] == [bare(a) for a in expected.attributions]
    assert [a.probability for a in reading.attributions] == pytest.approx(
        [a.probability for a in expected.attributions], abs=1e-4
    )
    assert [(e.span, e.label) for e in reading.entities] == [
        (e.span, e.label) for e in expected.entities
    ]


def bare(attribution):
    return attribution.source, attribution.cue, attribution.content


def test_the_int8_export_says_nearly_the_same(trained, reference, texts):
    predictor, _ = load_predictor(trained)
    reading = predictor.read(texts)
    stances = predictor.stances(reading, QUERIES)
    expected, expected_stances = reference
    assert stances.shape == expected_stances.shape
    for task, probabilities in expected.probabilities.items():
        assert reading.probabilities[task].shape == probabilities.shape
        same = reading.probabilities[task].argmax(axis=1) == probabilities.argmax(axis=1)
        assert same.mean() >= 0.75
    assert np.abs(stances - expected_stances).max() < 0.25
    assert (
        json.loads((trained / "manifest.json").read_text(encoding="utf-8"))["precision"] == "int8"
    )


def test_every_matrix_of_an_int8_encoder_has_a_byte_a_weight(trained, tmp_path):
    import onnx

    model = ClaimStanceModel.from_pretrained(trained)
    matrices = sum(
        p.numel() for n, p in model.named_parameters() if n.startswith("encoder.") and p.ndim == 2
    )
    int8, float32 = (
        export(trained, tmp_path / name, precision=name) / "reader.onnx"
        for name in ("int8", "float32")
    )
    bytes_each = {onnx.TensorProto.INT8, onnx.TensorProto.UINT8}
    stored = [
        it
        for it in onnx.load(int8).graph.initializer
        if it.data_type in bytes_each and len(it.dims) == 2
    ]
    assert sum(it.dims[0] * it.dims[1] for it in stored) == matrices
    assert int8.stat().st_size < float32.stat().st_size


def test_records_are_predicted_in_order(trained, splits):
    predictor = torch_predictor(ClaimStanceModel.from_pretrained(trained))
    records = splits["dev"]
    shuffled = [*records[6:], *splits["train"][:3], *records[:6]]
    predictions = list(predict(predictor, shuffled))
    assert [len(p.stances) for p in predictions] == [len(r.stances) for r in shuffled]
    alone = [r.model_copy(update={"doc_id": None}) for r in splits["train"][:3]]
    together = list(predict(predictor, splits["train"][:3]))
    assert predictions[6].claim == pytest.approx(together[0].claim, abs=1e-5)
    # Sentences of one document are one another's context; others are not.
    assert [p.claim["claim"] for p in predict(predictor, alone)] != pytest.approx(
        [p.claim["claim"] for p in together], abs=1e-5
    )


class Interrupt(TrainerCallback):
    """Ends a run as a crash would."""

    def __init__(self, step):
        self.step = step

    def on_step_end(self, args, state, control, **_):
        if state.global_step == self.step:
            raise KeyboardInterrupt


class Keep(TrainerCallback):
    """Counts the steps of a run, and keeps what it ends with."""

    def __init__(self):
        self.taken = 0

    def on_step_end(self, args, state, control, **_):
        self.taken += 1

    def on_train_end(self, args, state, control, model=None, **_):
        self.steps = state.global_step
        self.weights = {name: value.clone() for name, value in model.state_dict().items()}


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("only", [None, ["stance"]], ids=["all", "one head"])
def test_a_resumed_run_ends_where_an_undisturbed_one_does(
    make_config, trained, splits, tmp_path, monkeypatch, only
):
    monkeypatch.setattr("claimstance.training.fine_tuning.train.export", lambda folder, **_: folder)
    kept = [Keep(), Keep()]
    settings = (
        {"trainable_tasks": only, "model": {"init_from": str(trained)}, "epochs": 4} if only else {}
    )
    splits = {"train": splits["train"]}  # nothing to choose weights by: the last ones count
    train(make_config(tmp_path / "whole", **settings), splits, DEFAULT_LABELS, callbacks=[kept[0]])
    disturbed = make_config(tmp_path / "disturbed", **settings)
    with pytest.raises(KeyboardInterrupt):
        train(disturbed, splits, DEFAULT_LABELS, callbacks=[Interrupt(kept[0].steps - 2)])
    # The next checkpoint was being written: it is not whole, and the one before it counts.
    (disturbed.output / "checkpoints" / f"checkpoint-{kept[0].steps - 2}").mkdir()
    train(disturbed, splits, DEFAULT_LABELS, resume=True, callbacks=[kept[1]])
    assert kept[0].steps == kept[1].steps == kept[0].taken
    assert 2 <= kept[1].taken < kept[0].steps / 2
    different = [
        name
        for name, value in kept[0].weights.items()
        if not torch.equal(value, kept[1].weights[name])
    ]
    assert different == []
    account = json.loads((disturbed.output / "training.json").read_text(encoding="utf-8"))
    assert (
        account["history"][0]["step"] < kept[0].steps / 2
    )  # what was logged before the interruption


def leave_uncalibrated(monkeypatch):
    """Let a run end without calibration, for which the model would have to be exported."""
    module = "claimstance.training.fine_tuning.train"
    monkeypatch.setattr(
        f"{module}.load_predictor", lambda folder: (ModelConfig.load(Path(folder)), "")
    )
    monkeypatch.setattr(f"{module}.calibrate", lambda config, *_: config)


@pytest.mark.usefixtures("one_thread")
def test_a_resumed_run_knows_for_how_long_nothing_got_better(
    make_config, splits, tmp_path, monkeypatch
):
    scored = []

    def scores(_):
        scored.append(1 / (1 + len(scored)))
        return {"mean": scored[-1]}

    class AfterTheSecond(TrainerCallback):
        def on_step_end(self, args, state, control, **_):
            if len(scored) == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr("claimstance.training.fine_tuning.train.export", lambda folder, **_: folder)
    leave_uncalibrated(monkeypatch)
    monkeypatch.setattr(ClaimStanceTrainer, "scores", scores)
    config = make_config(tmp_path / "stopped", evaluations_per_epoch=3, patience=3)
    with pytest.raises(KeyboardInterrupt):
        train(config, splits, DEFAULT_LABELS, callbacks=[AfterTheSecond()])
    train(config, splits, DEFAULT_LABELS, resume=True)
    assert len(scored) == 4  # the first was the best, and three after it were not


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("state", [None, b"", b'{"global_step'])
def test_a_run_that_had_come_to_no_whole_checkpoint_begins_anew(
    make_config, splits, tmp_path, monkeypatch, state
):
    monkeypatch.setattr("claimstance.training.fine_tuning.train.export", lambda folder, **_: folder)
    kept = Keep()
    config = make_config(tmp_path / "begun", epochs=1)
    place = config.output / "checkpoints" / "checkpoint-1"
    place.mkdir(parents=True)
    if state is not None:
        (place / "trainer_state.json").write_bytes(state)
    train(config, {"train": splits["train"]}, DEFAULT_LABELS, resume=True, callbacks=[kept])
    assert kept.taken == kept.steps > 1


@pytest.mark.usefixtures("one_thread")
def test_a_task_alone_trains_on_rows_that_mostly_lack_it(
    make_config, splits, tmp_path, monkeypatch
):
    monkeypatch.setattr("claimstance.training.fine_tuning.train.export", lambda folder, **_: folder)
    loose = [r.model_copy(update={"doc_id": None}) for r in splits["train"]]
    kept = Keep()
    train(
        make_config(
            tmp_path, model={"tasks": ["stance"]}, epochs=1, tokens_per_batch=32, topic_share=0.0
        ),
        {"train": loose},
        DEFAULT_LABELS,
        callbacks=[kept],
    )
    assert kept.steps > 1
    assert {name.split(".")[1] for name in kept.weights if name.startswith("heads.")} == {"stance"}


@pytest.mark.parametrize(
    ("settings", "change", "error", "message"),
    [
        (
            {"metric": "seeds/clam"},
            {},
            ConfigError,
            "training.metric: unknown metric 'seeds/clam'. Did you mean 'seeds/claim'?",
        ),
        (
            {"metric": "seeds/check_worthy"},
            {"check_worthy": None},
            ConfigError,
            "unknown metric 'seeds/check_worthy'",
        ),
        ({"metric": "seeds/stance"}, {"stances": []}, ConfigError, "unknown metric 'seeds/stance'"),
        (
            {"sampling": {"sedes": 0.5}},
            {},
            ConfigError,
            "training.sampling: unknown corpus 'sedes'. Did you mean",
        ),
        (
            {"corpus_weights": {"vast": 2}},
            {},
            ConfigError,
            "training.corpus_weights: unknown corpus 'vast'",
        ),
        (
            {"model": {"tasks": ["entity"]}},
            {"entities": None},
            ConfigError,
            "model.tasks: no row of the train split has labels for 'entity'. Those with labels: attribution, "
            "check_worthy, claim, stance, subjective",
        ),
        (
            {"model": {"tasks": ["stance"]}},
            {"stances": []},
            ConfigError,
            "no row of the train split has labels for 'stance'",
        ),
        (
            {},
            UNLABELLED,
            InputError,
            "the train split: expected labels for at least one task, found none",
        ),
        (
            {"model": {"max_tokens": 129}},
            {},
            ConfigError,
            "model.max_tokens: expected at most 128, the length of encoder",
        ),
        (
            {"model": {"encoder": "no-such/encoder"}},
            {},
            ConfigError,
            "encoder 'no-such/encoder': expected a folder",
        ),
    ],
)
def test_what_cannot_be_trained_is_said(
    make_config, splits, tmp_path, settings, change, error, message
):
    changed = {
        name: [r.model_copy(update=change) for r in records] for name, records in splits.items()
    }
    with pytest.raises(error) as raised:
        train(make_config(tmp_path, **settings), changed, DEFAULT_LABELS)
    assert message in str(raised.value)


@pytest.mark.parametrize("empty", [{}, {"train": []}])
def test_an_empty_train_split_is_said(make_config, splits, tmp_path, empty):
    with pytest.raises(
        InputError, match="the train split: expected annotated sentences, found none"
    ):
        train(make_config(tmp_path), {"dev": splits["dev"], **empty}, DEFAULT_LABELS)


def test_sampling_that_leaves_nothing_is_said(make_config, splits, tmp_path):
    with pytest.raises(InputError, match="expected sentences to learn from, found none"):
        train(make_config(tmp_path, sampling={"seeds": 0.0}), splits, DEFAULT_LABELS)


@pytest.mark.usefixtures("one_thread")
def test_resuming_without_a_folder_starts_from_the_beginning(
    make_config, splits, tmp_path, monkeypatch
):
    monkeypatch.setattr("claimstance.training.fine_tuning.train.export", lambda folder, **_: folder)
    kept = Keep()
    config = make_config(tmp_path / "new", epochs=1)
    train(config, {"train": splits["train"]}, DEFAULT_LABELS, resume=True, callbacks=[kept])
    assert kept.taken == kept.steps > 1
    assert (config.output / "checkpoints" / "run.json").exists()


class AfterSaving(TrainerCallback):
    """Ends a run after its first checkpoint."""

    def on_save(self, args, state, control, **_):
        raise KeyboardInterrupt


@pytest.mark.usefixtures("one_thread")
def test_a_run_goes_on_in_a_folder_that_was_moved(make_config, splits, tmp_path, monkeypatch):
    monkeypatch.setattr("claimstance.training.fine_tuning.train.export", lambda folder, **_: folder)
    leave_uncalibrated(monkeypatch)
    # The weights of before the interruption are the best, and loaded from the folder's new place.
    scores = iter([0.9, 0.1, 0.1])
    monkeypatch.setattr(ClaimStanceTrainer, "scores", lambda _: {"mean": next(scores)})
    with pytest.raises(KeyboardInterrupt):
        train(
            make_config(tmp_path / "old", epochs=2),
            splits,
            DEFAULT_LABELS,
            callbacks=[AfterSaving()],
        )
    (tmp_path / "old").rename(tmp_path / "new")
    moved = make_config(tmp_path / "new", epochs=2)
    train(moved, splits, DEFAULT_LABELS, resume=True)
    first = min(
        (tmp_path / "new" / "checkpoints").glob("checkpoint-*"), key=lambda p: int(p.name[11:])
    )
    expected = load_file(first / "model.safetensors")
    saved = load_file(tmp_path / "new" / "model.safetensors")
    assert [name for name in expected if not torch.equal(expected[name], saved[name])] == []


@pytest.mark.usefixtures("one_thread")
def test_a_run_does_not_go_on_with_other_data(make_config, splits, tmp_path, monkeypatch):
    monkeypatch.setattr("claimstance.training.fine_tuning.train.export", lambda folder, **_: folder)
    config = make_config(tmp_path / "stopped", epochs=4)
    with pytest.raises(KeyboardInterrupt):
        train(config, splits, DEFAULT_LABELS, callbacks=[AfterSaving()], fingerprint="one")
    weights = sorted(config.output.rglob("model.safetensors"))
    before = [path.read_bytes() for path in weights]
    assert weights
    with pytest.raises(ConfigError, match="other data"):
        train(config, splits, DEFAULT_LABELS, resume=True, fingerprint="other")
    with pytest.raises(ConfigError, match="found the checkpoints of an interrupted run"):
        train(config, splits, DEFAULT_LABELS, fingerprint="other")
    assert sorted(config.output.rglob("model.safetensors")) == weights
    assert [path.read_bytes() for path in weights] == before


def test_an_unknown_precision_is_said(trained, tmp_path):
    with pytest.raises(ConfigError, match="unknown precision 'int4'"):
        export(trained, tmp_path, precision="int4")
    assert list(tmp_path.iterdir()) == []
