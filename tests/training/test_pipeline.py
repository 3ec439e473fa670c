"""Test that records train a model, and that it gives the same results when it is saved, loaded and exported."""

import json

import numpy as np
import pytest
import torch

from claimstance.model.article.record_prediction import predict
from claimstance.model.errors import ConfigError, InputError
from claimstance.model.labels import DEFAULT_LABELS, SENTENCE_TASKS, TASKS
from claimstance.model.network import ClaimStanceModel
from claimstance.model.onnx.backend import load_predictor
from claimstance.model.onnx.export import export
from claimstance.model.stance_queries import StanceQuery
from claimstance.model.torch_backend import torch_predictor
from claimstance.training.fine_tuning.collation import collate
from claimstance.training.fine_tuning.epoch_sampler import (
    EpochSampler,
    LabelledWindow,
    SamplingConfig,
)
from claimstance.training.fine_tuning.examples import ExampleBuilder
from claimstance.training.fine_tuning.train import train

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
    predictions = predictor.read(texts)
    return predictions, predictor.stances(predictions, QUERIES)


@pytest.fixture
def fresh(tiny_encoder, one_thread):
    torch.manual_seed(3)
    return ClaimStanceModel.from_encoder(str(tiny_encoder), {"max_tokens": 64})


def batches(model, records, **mixture):
    documents = ExampleBuilder(model.windows, DEFAULT_LABELS).build(records)
    settings = {"tokens_per_batch": 256, "topic_share": 1.0, **mixture}
    return [
        collate(batch, model.windows.pad)
        for batch in EpochSampler(documents, model.windows, SamplingConfig(**settings)).epoch(0)
    ]


def test_every_parameter_has_a_gradient(fresh, splits):
    for batch in batches(fresh, splits["train"]):
        fresh(**batch)["loss"].backward()
    untouched = [name for name, p in fresh.named_parameters() if p.grad is None or not p.grad.any()]
    # A bias of the keys adds the same amount to every score of a query, so that softmax leaves no gradient.
    assert [name for name in untouched if not name.endswith("key.bias")] == []


def test_gradients_reach_every_embedding_that_is_used(fresh, splits):
    all_batches = batches(fresh, splits["train"])
    for batch in all_batches:
        fresh(**batch)["loss"].backward()
    embeddings = fresh.encoder.embeddings
    longest = max(batch["input_ids"].shape[1] for batch in all_batches)
    assert embeddings.position_embeddings.weight.grad[:longest].any(dim=1).all()
    assert embeddings.token_type_embeddings.weight.grad.any(dim=1).all()
    seen = torch.cat(
        [batch["input_ids"][batch["attention_mask"] == 1] for batch in all_batches]
    ).unique()
    assert embeddings.word_embeddings.weight.grad[seen].any(dim=1).all()


def test_a_batch_without_labels_has_no_gradient(fresh, splits):
    unlabelled = [record.model_copy(update=UNLABELLED) for record in splits["train"]]
    assert batches(fresh, unlabelled) == []
    [examples] = ExampleBuilder(fresh.windows, DEFAULT_LABELS).build(unlabelled)
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


def test_ignored_labels_do_not_affect_the_loss(fresh, splits):
    fresh.eval()
    batch = next(b for b in batches(fresh, splits["train"]) if (b["claim"] >= 0).sum() > 1)
    labelled = (batch["claim"] >= 0).nonzero().flatten()
    losses = []
    for index in labelled:
        labels = torch.full_like(batch["claim"], -100)
        labels[index] = batch["claim"][index]
        losses.append(fresh(**{**batch, "claim": labels})["loss_claim"])
    assert fresh(**batch)["loss_claim"].item() == pytest.approx(
        torch.stack(losses).mean().item(), rel=1e-5
    )


def test_loss_weights_scale_the_loss(fresh, splits):
    fresh.eval()
    batch = batches(fresh, splits["train"], topic_share=0.0)[0]
    with torch.no_grad():
        before = fresh(**batch)
        fresh.loss_weights = {"claim": 3.0}
        after = fresh(**batch)["loss"]
    assert (after - before["loss"]).item() == pytest.approx(
        2 * before["loss_claim"].item(), rel=1e-4
    )


def test_training_reduces_the_loss(trained):
    account = json.loads((trained / "training.json").read_text(encoding="utf-8"))
    losses = [entry["loss"] for entry in account["history"] if "loss" in entry]
    assert len(losses) > 3
    assert losses[-1] < 0.8 * losses[0]
    assert account["best"]["step"] > 0


def test_the_model_folder_is_complete(trained):
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
    calibrated = set(model.config.temperatures)
    assert {"claim", "check_worthy", "stance"} <= calibrated <= {*SENTENCE_TASKS, *kinds}
    assert set(model.config.conformal) == calibrated
    assert {name.rpartition(".")[0] for name in model.config.thresholds} == calibrated
    for kind in calibrated:
        assert sum(model.config.thresholds_of(kind).values()) == pytest.approx(1, abs=1e-3)
    assert model.config.abstain_below == {}  # a dozen sentences are too few to fit thresholds


def test_a_saved_model_gives_the_same_predictions(trained, reference, texts, tmp_path):
    ClaimStanceModel.from_pretrained(trained).save_pretrained(tmp_path)
    predictor = torch_predictor(ClaimStanceModel.from_pretrained(tmp_path))
    predictions = predictor.read(texts)
    assert predictions.attributions == reference[0].attributions
    assert predictions.entities == reference[0].entities
    np.testing.assert_array_equal(predictor.stances(predictions, QUERIES), reference[1])


def test_the_float32_export_gives_the_same_predictions(trained, reference, texts, tmp_path):
    predictor, sha256 = load_predictor(export(trained, tmp_path, precision="float32"))
    predictions = predictor.read(texts)
    stances = predictor.stances(predictions, QUERIES)
    expected, expected_stances = reference
    assert len(sha256) == 64
    assert set(predictions.probabilities) == set(SENTENCE_TASKS)
    for task, probabilities in expected.probabilities.items():
        np.testing.assert_allclose(predictions.probabilities[task], probabilities, atol=1e-4)
    np.testing.assert_allclose(stances, expected_stances, atol=1e-4)
    assert expected.attributions
    assert [spans_of(a) for a in predictions.attributions] == [
        spans_of(a) for a in expected.attributions
    ]
    assert [a.probability for a in predictions.attributions] == pytest.approx(
        [a.probability for a in expected.attributions], abs=1e-4
    )
    assert [(e.span, e.label) for e in predictions.entities] == [
        (e.span, e.label) for e in expected.entities
    ]


def spans_of(attribution):
    return attribution.source, attribution.cue, attribution.content


def test_the_int8_export_gives_similar_predictions(trained, reference, texts):
    predictor, _ = load_predictor(trained)
    predictions = predictor.read(texts)
    stances = predictor.stances(predictions, QUERIES)
    expected, expected_stances = reference
    assert stances.shape == expected_stances.shape
    for task, probabilities in expected.probabilities.items():
        assert predictions.probabilities[task].shape == probabilities.shape
        agrees = predictions.probabilities[task].argmax(axis=1) == probabilities.argmax(axis=1)
        assert agrees.mean() >= 0.75
    assert np.abs(stances - expected_stances).max() < 0.25
    manifest = json.loads((trained / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["precision"] == "int8"


def test_every_matrix_of_an_int8_encoder_has_one_byte_per_weight(trained, tmp_path):
    import onnx

    model = ClaimStanceModel.from_pretrained(trained)
    n_weights = sum(
        p.numel() for n, p in model.named_parameters() if n.startswith("encoder.") and p.ndim == 2
    )
    int8, float32 = (
        export(trained, tmp_path / name, precision=name) / "reader.onnx"
        for name in ("int8", "float32")
    )
    byte_types = {onnx.TensorProto.INT8, onnx.TensorProto.UINT8}
    byte_matrices = [
        tensor
        for tensor in onnx.load(int8).graph.initializer
        if tensor.data_type in byte_types and len(tensor.dims) == 2
    ]
    assert sum(tensor.dims[0] * tensor.dims[1] for tensor in byte_matrices) == n_weights
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
    # Only sentences of the same document are context.
    assert [p.claim["claim"] for p in predict(predictor, alone)] != pytest.approx(
        [p.claim["claim"] for p in together], abs=1e-5
    )


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
            "model.tasks: expected a task with train labels (attribution, check_worthy, claim, stance, subjective), "
            "found 'entity'",
        ),
        (
            {"model": {"tasks": ["stance"]}},
            {"stances": []},
            ConfigError,
            "model.tasks: expected a task with train labels (attribution, check_worthy, claim, entity, subjective), "
            "found 'stance'",
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
def test_settings_that_cannot_be_trained_are_errors(
    make_config, splits, tmp_path, settings, change, error, message
):
    changed_splits = {
        name: [r.model_copy(update=change) for r in records] for name, records in splits.items()
    }
    with pytest.raises(error) as raised:
        train(make_config(tmp_path, **settings), changed_splits, DEFAULT_LABELS)
    assert message in str(raised.value)


@pytest.mark.parametrize("empty", [{}, {"train": []}])
def test_an_empty_train_split_is_an_error(make_config, splits, tmp_path, empty):
    with pytest.raises(
        InputError, match="the train split: expected annotated sentences, found none"
    ):
        train(make_config(tmp_path), {"dev": splits["dev"], **empty}, DEFAULT_LABELS)


def test_sampling_that_leaves_no_sentences_is_an_error(make_config, splits, tmp_path):
    with pytest.raises(InputError, match="expected sentences to learn from, found none"):
        train(make_config(tmp_path, sampling={"seeds": 0.0}), splits, DEFAULT_LABELS)


def test_an_unknown_precision_is_an_error(trained, tmp_path):
    with pytest.raises(ConfigError, match="unknown precision 'int4'"):
        export(trained, tmp_path, precision="int4")
    assert list(tmp_path.iterdir()) == []
