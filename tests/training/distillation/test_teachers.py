"""Test distillation: predictions of a teacher reach the dataset, the batches and the loss."""

import numpy as np
import pytest
import torch

from claimstance.model.article.record_prediction import predict
from claimstance.model.errors import ConfigError
from claimstance.model.labels import DEFAULT_LABELS
from claimstance.model.network import IGNORE_INDEX, ClaimStanceModel
from claimstance.model.onnx.backend import load_predictor
from claimstance.model.record import Record, Stance
from claimstance.training.config import Config
from claimstance.training.data.config import DataConfig, Teacher
from claimstance.training.data.dataset import load_records
from claimstance.training.data.soft_labels import load_soft, save_soft
from claimstance.training.distillation.teachers import add_soft_labels
from claimstance.training.fine_tuning.collation import collate
from claimstance.training.fine_tuning.epoch_sampler import LabelledWindow
from claimstance.training.fine_tuning.examples import ExampleBuilder
from claimstance.training.fine_tuning.train import train
from claimstance.training.pipeline import build_configured_dataset, run
from helpers.tiny import exported

pytestmark = pytest.mark.slow
CLOSE = 0.0002  # two computations of one value in float32; probabilities are kept to four digits


@pytest.fixture
def records(seeds):
    """Return the sentences of a document, and two sentences without a document."""
    document = [
        r.model_copy(deep=True, update={"meta": {"corpus": "news"}})
        for r in seeds["port-strike"][:8]
    ]
    text = "The Port of Harrow angered Mara Voss."
    alone = Record(
        id="alone",
        text=text,
        subjective="objective",
        meta={"corpus": "news"},
        stances=[
            Stance(target=[(27, 36)], label="neutral"),
            Stance(target="school lunches", label="against"),
            Stance(target="tax law", label="favor", probabilities={"favor": 1.0}),
        ],
    )
    weather = Record(id="other", text="It rained.", claim="no_claim", meta={"corpus": "weather"})
    return [*document, alone, weather]


@pytest.fixture
def teacher(trained):
    def make(**options):
        return Teacher.model_validate({"model": str(trained), "corpora": ["news"], **options})

    return make


def test_stances_get_the_probabilities_of_the_teacher(trained, teacher, records):
    predictor, _ = load_predictor(trained, threads=1)
    expected = [prediction.stances for prediction in predict(predictor, records)]
    before = [len(record.stances or ()) for record in records]
    assert add_soft_labels([teacher(tasks=["stance"])], records, DEFAULT_LABELS) == {}
    assert [len(record.stances or ()) for record in records] == before
    stance_count = 0
    for record, rows in zip(records, expected, strict=True):
        for stance, row in zip(record.stances or (), rows, strict=True):
            assert stance.label  # the label stays beside the probabilities of the teacher
            stance_count += 1
            if stance.target == "tax law":  # annotators count half
                row = {name: (p + (name == "favor")) / 2 for name, p in row.items()}
            assert stance.probabilities == pytest.approx(row, abs=CLOSE)
    assert stance_count > 3


def test_tags_and_sentence_labels_are_predicted_in_the_document(trained, teacher, records):
    soft = add_soft_labels([teacher(tasks=["attribution", "claim"])], records, DEFAULT_LABELS)
    predictor, _ = load_predictor(trained, threads=1)
    document = predictor.read([r.text for r in records[:8]])
    for record, row, tokens in zip(
        records, document.probabilities["claim"], document.tokens, strict=False
    ):
        if record.claim is not None:
            assert soft[record.id]["claim"] == pytest.approx(row, abs=CLOSE)
        assert soft[record.id]["attribution"].shape == (len(tokens), 7)
        assert soft[record.id]["attribution"].sum(axis=1) == pytest.approx(
            np.ones(len(tokens)), abs=1e-3
        )
    assert "other" not in soft  # its corpus is not one of the teacher


def test_a_teacher_tags_holders_and_targets(teacher, tiny_encoder, trained, records):
    folder = exported(tiny_encoder, ("stance",), opinion_spans=True)
    soft = add_soft_labels(
        [teacher(model=str(folder), tasks=["opinions"])], records, DEFAULT_LABELS
    )
    predictor, _ = load_predictor(folder, threads=1)
    tokens = predictor.windows.tokenize([record.text for record in records])
    assert "other" not in soft
    for record, record_tokens in zip(records[:9], tokens, strict=False):
        assert soft[record.id].keys() == {"opinion_holder", "opinion_target"}
        for probabilities in soft[record.id].values():
            assert probabilities.shape == (len(record_tokens), 3)
            assert probabilities.sum(axis=1) == pytest.approx(np.ones(len(record_tokens)), abs=1e-3)

    with pytest.raises(ConfigError, match="expected a model that finds holders and targets"):
        add_soft_labels([teacher(tasks=["opinions"])], records, DEFAULT_LABELS)


def test_rows_without_a_label_get_soft_labels(teacher, records):
    soft = add_soft_labels([teacher(tasks=["claim", "attribution"])], records, DEFAULT_LABELS)
    assert records[8].claim is None
    assert records[8].attributions is None
    assert soft["alone"].keys() == {"claim", "attribution"}


def test_a_teacher_without_the_task_or_the_corpus_is_refused(teacher, tiny_encoder, records):
    with pytest.raises(ConfigError, match=r"unknown corpus 'nwes'\. Did you mean 'news'\?"):
        add_soft_labels([teacher(corpora=["nwes"], tasks=["claim"])], records, DEFAULT_LABELS)
    narrow = str(exported(tiny_encoder, ("claim",)))
    with pytest.raises(ConfigError, match="expected a model of stance, found one of claim"):
        add_soft_labels([teacher(model=narrow, tasks=["stance"])], records, DEFAULT_LABELS)


def test_a_teacher_with_labels_in_another_order_is_refused(teacher, records):
    labels = {**DEFAULT_LABELS, "claim": DEFAULT_LABELS["claim"][::-1]}
    with pytest.raises(
        ConfigError,
        match="claim: expected the labels claim, no_claim, in this order, found no_claim",
    ):
        add_soft_labels([teacher(tasks=["claim"])], records, labels)


def test_saved_soft_labels_load_unchanged(tmp_path):
    soft = {
        "a": {
            "claim": np.array([0.25, 0.75], np.float32),
            "attribution": np.eye(7, dtype=np.float32)[:3],
        },
        "b": {"attribution": np.eye(7, dtype=np.float32)[2:4]},
        "c": {"claim": np.array([1, 0], np.float32)},
    }
    save_soft({"no token": {"attribution": np.zeros((0, 7), np.float32)}, **soft}, tmp_path)
    loaded = load_soft(tmp_path)
    assert loaded.keys() == soft.keys()
    for name, soft_labels in soft.items():
        assert loaded[name].keys() == soft_labels.keys()
        assert all((loaded[name][task] == soft_labels[task]).all() for task in soft_labels)
    assert load_soft(tmp_path / "elsewhere") == {}


@pytest.fixture
def batch_of(tiny_encoder, one_thread):
    torch.manual_seed(1)
    model = ClaimStanceModel.from_encoder(str(tiny_encoder), {"max_tokens": 64}).eval()

    def make(record, soft):
        [[example]] = ExampleBuilder(model.windows, DEFAULT_LABELS, soft=soft).build([record])
        window = next(model.windows.windows([(0, example.tokens)]))
        return model, collate([LabelledWindow(window, [example])], model.windows.pad)

    return make


def test_only_a_teacher_that_disagrees_changes_the_loss(batch_of):
    record = Record(id="a", text="The port closed.", claim="claim")
    model, plain = batch_of(record, {})
    hard = model(**plain)["loss_claim"].item()
    _, agreeing = batch_of(record, {"a": {"claim": np.array([0, 1], np.float32)}})
    _, disagreeing = batch_of(record, {"a": {"claim": np.array([1, 0], np.float32)}})
    assert model(**agreeing)["loss_claim"].item() == pytest.approx(hard)
    wrong = -model(**plain)["claim"].log_softmax(-1)[0, 0].item()
    assert model(**disagreeing)["loss_claim"].item() == pytest.approx(0.5 * hard + 0.5 * wrong)
    model.distillation_weight = 0.0
    assert model(**disagreeing)["loss_claim"].item() == pytest.approx(hard)


def test_soft_labels_without_gold_labels_have_full_weight(batch_of):
    record = Record(id="a", text="The port closed.", claim="claim")
    tokens = len(batch_of(record, {})[1]["input_ids"][0]) - 2
    shares = np.full((tokens, 7), 1 / 7, np.float32)
    model, batch = batch_of(record, {"a": {"attribution": shares}})
    assert (batch["attribution"] == IGNORE_INDEX).all()
    log_shares = model(**batch)["attribution"][0, 1:-1].log_softmax(-1)
    assert model(**batch)["loss_attribution"].item() == pytest.approx(-log_shares.mean().item())
    _, other_tokens = batch_of(record, {"a": {"attribution": shares[1:]}})
    assert "attribution_soft" not in other_tokens


def test_soft_tags_of_targets_teach_the_head_of_targets(tiny_encoder, one_thread):
    torch.manual_seed(1)
    settings = {"max_tokens": 64, "opinion_spans": True}
    model = ClaimStanceModel.from_encoder(str(tiny_encoder), settings).eval()
    record = Record(id="a", text="The port closed.")
    [tokens] = model.windows.tokenize([record.text])
    soft = {"a": {"opinion_target": np.full((len(tokens), 3), 1 / 3, np.float32)}}
    [[example]] = ExampleBuilder(model.windows, DEFAULT_LABELS, soft=soft).build([record])
    assert example.has_labels_of(["stance"])
    assert not example.has_labels_of(["claim"])

    window = next(model.windows.windows([(0, example.tokens)]))
    batch = collate([LabelledWindow(window, [example])], model.windows.pad)
    output = model(**batch)
    log_shares = output["opinion_target"][0, 1:-1].log_softmax(-1)
    assert output["loss_opinion_target"].item() == pytest.approx(-log_shares.mean().item())
    assert output["loss_opinion_holder"].item() == 0


def test_a_dataset_is_built_and_a_model_trained_with_a_teacher(
    trained, tiny_encoder, tmp_path, seeds, one_thread
):
    from claimstance.model.record import write_jsonl

    with (tmp_path / "news.jsonl").open("w", encoding="utf-8") as file:
        write_jsonl([r.model_copy(update={"meta": {}}) for r in seeds["port-strike"][:10]], file)
    config = Config.model_validate(
        {
            "output": str(tmp_path / "model"),
            "data": {
                "path": str(tmp_path / "data"),
                "sources": [{"files": [str(tmp_path / "news.jsonl")], "split": "train"}],
                "teachers": [
                    {
                        "model": str(trained),
                        "corpora": ["news"],
                        "tasks": ["attribution", "claim", "stance"],
                    }
                ],
            },
            "model": {"encoder": str(tiny_encoder), "init_from": str(trained), "max_tokens": 64},
            "training": {
                "epochs": 1,
                "tokens_per_batch": 256,
                "threads": 1,
                "learning_rate": 1e-9,
                "head_learning_rate": 1e-9,
            },
        }
    )
    report = build_configured_dataset(config.data, config.data.path)
    records = load_records(config.data.path, "train")
    soft = load_soft(config.data.path)
    assert report.soft["attribution"] == len(soft) == 10
    assert (
        report.soft["stance"]
        == sum(s.probabilities is not None for r in records for s in r.stances or ())
        > 0
    )
    folder = train(config, {"train": records}, DEFAULT_LABELS, soft)
    start, end = (ClaimStanceModel.from_pretrained(path).state_dict() for path in (trained, folder))
    shared = start.keys() & end.keys()
    assert {name.split(".")[0] for name in shared} == {"encoder", "heads"}
    # Training started from the weights of the teacher.
    assert all(torch.allclose(start[name], end[name], atol=1e-5) for name in shared)


def test_the_bundled_model_is_a_teacher_by_its_name(tmp_path):
    (tmp_path / "news.jsonl").write_text(
        '{"id": "1", "text": "\\"Lima is lost,\\" Lee said.", "claim": "claim"}\n'
    )
    data = DataConfig.model_validate(
        {
            "path": tmp_path / "data",
            "sources": [{"files": [str(tmp_path / "news.jsonl")], "split": "train"}],
            "teachers": [{"model": "small", "corpora": ["news"], "tasks": ["claim"]}],
        }
    )
    build_configured_dataset(data, data.path)
    [soft_labels] = load_soft(data.path).values()
    assert soft_labels["claim"][1] > 0.8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"data": {"teachers": [{"model": "gone", "corpora": ["news"], "tasks": ["claim"]}]}},
            "data.teachers: expected a trained model in gone, or small or base, found no such folder",
        ),
        (
            {"model": {"init_from": "gone"}},
            "model.init_from: expected a trained model in gone, or small or base, found no such folder",
        ),
    ],
)
def test_a_missing_teacher_or_initial_model_is_reported_before_any_work(tmp_path, change, message):
    data = {
        "path": str(tmp_path / "data"),
        "sources": [{"files": ["not-read.jsonl"]}],
        **change.get("data", {}),
    }
    config = Config.model_validate(
        {"output": str(tmp_path / "model"), "data": data, "model": change.get("model", {})}
    )
    with pytest.raises(ConfigError, match=message):
        run(config)


def test_an_initial_model_with_other_labels_does_not_replace_the_head(trained):
    earlier = ClaimStanceModel.from_pretrained(trained)
    labels = {**DEFAULT_LABELS, "claim": ("opinion", "news", "claim")}
    model = ClaimStanceModel.with_encoder_of(earlier, {"max_tokens": 64, "labels": labels})
    earlier_weight = earlier.heads["claim"].layers[1].weight
    assert not torch.equal(model.heads["claim"].layers[1].weight, earlier_weight)
    assert torch.equal(model.heads["stance"].no_holder, earlier.heads["stance"].no_holder)
