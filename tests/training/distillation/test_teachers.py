"""Distillation: what a teacher says reaches the dataset, the batches and the loss."""

import shutil

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from claimstance.model.config import ModelConfig
from claimstance.model.errors import ConfigError, InputError
from claimstance.model.labels import DEFAULT_LABELS
from claimstance.model.network import IGNORE, ClaimStanceModel
from claimstance.model.prediction import predict
from claimstance.model.record import Attribution, Entity, Record, Stance
from claimstance.model.torch_backend import torch_predictor
from claimstance.training.config import Config
from claimstance.training.data.config import DataConfig, Teacher
from claimstance.training.data.dataset import load_records
from claimstance.training.data.folds import fold_of
from claimstance.training.data.soft_labels import load_soft, save_soft
from claimstance.training.distillation.cross_fitting import check_folds
from claimstance.training.distillation.teachers import teach
from claimstance.training.fine_tuning.batches import LabelledWindow, collate
from claimstance.training.fine_tuning.examples import build_examples
from claimstance.training.fine_tuning.train import train
from claimstance.training.pipeline import build_and_teach, run
from helpers.tiny import exported

pytestmark = pytest.mark.slow
CLOSE = 0.0002  # two ways to the same, both in float32: probabilities are kept to four digits


@pytest.fixture(autouse=True)
def float32(monkeypatch):
    """Teachers that compute as the predictor does, so that what they say can be compared."""
    monkeypatch.setattr(
        "claimstance.training.distillation.teachers.has_bfloat16", lambda device: False
    )


@pytest.fixture
def records(seeds):
    """Sentences of a document, and two without one."""
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
    other = Record(id="other", text="It rained.", claim="no_claim", meta={"corpus": "weather"})
    return [*document, alone, other]


@pytest.fixture
def cross_fitted(trained, tiny_encoder, tmp_path):
    """Two models that say different things, each said to be trained without a fold of two."""
    other = exported(tiny_encoder, (*ModelConfig.load(trained).tasks,))
    folders = [shutil.copytree(model, tmp_path / model.name) for model in (trained, other)]
    for fold, folder in enumerate(folders):
        config = {
            "output": "x",
            "data": {"path": "y"},
            "training": {"held_out_fold": {"folds": 2, "fold": fold}},
        }
        (folder / "config.yaml").write_text(
            Config.model_validate(config).to_yaml(), encoding="utf-8"
        )
    return folders


@pytest.fixture
def teacher(trained):
    def make(**options):
        return Teacher.model_validate({"model": str(trained), "corpora": ["news"], **options})

    return make


def test_stances_are_what_the_teacher_predicts_of_each_sentence_alone(trained, teacher, records):
    predictor = torch_predictor(ClaimStanceModel.from_pretrained(trained))
    bare = [Record(id=r.id, text=r.text, stances=r.stances) for r in records]
    expected = [p.stances for p in predict(predictor, bare)]
    before = [len(r.stances or ()) for r in records]
    assert teach([teacher(tasks=["stance"])], records, DEFAULT_LABELS) == {}
    assert [len(r.stances or ()) for r in records] == before
    asked = 0
    for record, rows in zip(records, expected, strict=True):
        for stance, row in zip(record.stances or (), rows, strict=True):
            assert stance.label  # it stays beside what the teacher says
            asked += 1
            if stance.target == "tax law":  # annotators count half
                row = {name: (p + (name == "favor")) / 2 for name, p in row.items()}
            assert stance.probabilities == pytest.approx(row, abs=CLOSE)
    assert asked > 3


def test_questions_about_mentions_are_added_once_each(teacher, records):
    records = records[8:9]
    records[0].stances = [
        Stance(holder=[(0, 18)], target=[(27, 36)], label="against"),
        Stance(holder=[(27, 36)], target=[(0, 18)], label="neutral"),
        Stance(holder="Mara Voss", target="tax law", label="neutral"),
    ]
    teach([teacher(mentions=True)], records, DEFAULT_LABELS)
    added = records[0].stances[3:]
    assert [(s.holder, s.target, s.label) for s in added] == [
        (None, [(0, 18)], None),
        (None, [(27, 36)], None),
    ]
    assert all(sum(s.probabilities.values()) == pytest.approx(1, abs=CLOSE) for s in added)
    teach([teacher(mentions=True)], records, DEFAULT_LABELS)
    assert len(records[0].stances) == 5  # they are there already


def test_questions_about_entities_are_added_without_a_label(teacher, records):
    people = [[e.span for e in r.entities or () if e.label == "PERSON"] for r in records]
    before = [len(r.stances or ()) for r in records]
    teach([teacher(entities=["PERSON"])], records, DEFAULT_LABELS)
    assert any(people)
    for record, spans, count in zip(records, people, before, strict=True):
        added = (record.stances or [])[count:]
        assert [stance.target for stance in added] == spans
        assert all(
            s.label is None and sum(s.probabilities.values()) == pytest.approx(1, abs=1e-3)
            for s in added
        )


def test_sources_are_asked_about_entities_that_are_no_part_of_them(teacher, records):
    record = next(r for r in records if r.meta["corpus"] == "news" and r.attributions)
    record.attributions = [
        Attribution(source=[(0, 9)]),
        Attribution(source=[(0, 9)]),
        Attribution(cue=[(10, 14)]),
    ]
    record.entities = [
        Entity(span=[(4, 9)], label="PERSON"),
        Entity(span=[(10, 18)], label="PERSON"),
        Entity(span=[(19, 22)], label="MISC"),
    ]
    record.stances = None
    asking = teacher(entities=["PERSON"], by_sources=True)
    teach([asking], [record], DEFAULT_LABELS)
    assert [(s.holder, s.target, s.label) for s in record.stances] == [([(0, 9)], [(10, 18)], None)]
    teach([asking], [record], DEFAULT_LABELS)
    assert len(record.stances) == 1  # it is there already
    with pytest.raises(ValidationError, match="expected entities, mentions or topics for sources"):
        teacher(by_sources=True)


def test_tags_and_sentence_labels_are_read_in_the_document(trained, teacher, records):
    soft = teach([teacher(tasks=["attribution", "claim"])], records, DEFAULT_LABELS)
    model = ClaimStanceModel.from_pretrained(trained)
    reading = torch_predictor(model).read([r.text for r in records[:8]])
    for record, row, tokens in zip(
        records, reading.probabilities["claim"], reading.tokens, strict=False
    ):
        if record.claim is not None:
            assert soft[record.id]["claim"] == pytest.approx(row, abs=CLOSE)
        assert soft[record.id]["attribution"].shape == (len(tokens), 7)
        assert soft[record.id]["attribution"].sum(axis=1) == pytest.approx(
            np.ones(len(tokens)), abs=1e-3
        )
    assert "other" not in soft  # a corpus that the teacher was not given


def test_rows_without_a_label_are_spoken_of_too(teacher, records):
    soft = teach([teacher(tasks=["claim", "attribution"])], records, DEFAULT_LABELS)
    assert records[8].claim is None
    assert records[8].attributions is None
    assert soft["alone"].keys() == {"claim", "attribution"}


def test_of_several_teachers_the_mean_counts(trained, teacher, tiny_encoder, records):
    torch.manual_seed(5)
    other = exported(tiny_encoder, tuple(ModelConfig.load(trained).tasks))

    def said(*models):
        mine = [r.model_copy(deep=True) for r in records]
        soft = teach(
            [teacher(model=[str(m) for m in models], tasks=["claim", "stance"])],
            mine,
            DEFAULT_LABELS,
        )
        return soft["alone"]["claim"], np.array([*mine[8].stances[0].probabilities.values()])

    for first, second, both in zip(said(trained), said(other), said(trained, other), strict=True):
        assert not np.allclose(first, second, atol=0.01)
        assert both == pytest.approx((first + second) / 2, abs=CLOSE)


def test_of_cross_fitted_teachers_each_tells_of_the_fold_that_it_never_saw(
    trained, cross_fitted, teacher, records
):
    def said(**options):
        mine = [
            r.model_copy(deep=True, update={"doc_id": f"document {n}"})
            for n, r in enumerate(records)
        ]
        soft = teach([teacher(tasks=["claim", "stance"], **options)], mine, DEFAULT_LABELS)
        told = {
            r.id: (soft[r.id]["claim"], [s.probabilities for s in r.stances or ()])
            for r in mine
            if r.id in soft
        }
        return told, {r.id: fold_of(r, 2) for r in mine}

    each = [said(model=str(folder))[0] for folder in cross_fitted]
    both, folds = said(model=[str(folder) for folder in cross_fitted], cross_fitted=True)
    assert set(folds.values()) == {0, 1}
    for name, (claim, stances) in both.items():
        assert claim == pytest.approx(each[folds[name]][name][0], abs=CLOSE)
        assert claim != pytest.approx(each[1 - folds[name]][name][0], abs=0.01)
        assert stances == each[folds[name]][name][1]


def test_a_model_that_saw_a_fold_does_not_tell_of_it(cross_fitted, tmp_path):
    first, second = cross_fitted
    check_folds(cross_fitted)
    config = {
        "path": str(tmp_path / "data"),
        "sources": [{"files": ["not-read.jsonl"]}],
        "teachers": [
            {
                "model": [str(second), str(first)],
                "corpora": ["news"],
                "tasks": ["claim"],
                "cross_fitted": True,
            }
        ],
    }
    with pytest.raises(
        ConfigError,
        match=r"data\.teachers: .* without fold 0 of 2, found one trained without fold 1",
    ):
        build_and_teach(DataConfig.model_validate(config), tmp_path / "data")
    (first / "config.yaml").write_text("output: x\ndata: {path: y}", encoding="utf-8")
    with pytest.raises(ConfigError, match="trained without fold 0 of 2, found one trained on all"):
        check_folds(cross_fitted)
    (first / "config.yaml").unlink()
    with pytest.raises(ConfigError, match=r"data\.teachers: .*config\.yaml: No such file"):
        check_folds(cross_fitted)


def test_what_is_left_out_is_not_trained_on(tiny_encoder, tmp_path, records, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "claimstance.training.fine_tuning.train.build_examples",
        lambda records, *rest: seen.append(len(records)) or build_examples(records, *rest),
    )
    # The few sentences of a fold have one stance label, which is not what is tested here.
    monkeypatch.setattr(
        "claimstance.training.fine_tuning.train.require_two_labels", lambda *_: None
    )
    fold = fold_of(records[0], 2)
    other = next(
        r
        for n in range(9)
        if fold_of(r := records[8].model_copy(update={"id": f"other {n}"}), 2) != fold
    )

    def train_without(left_out, records):
        config = Config.model_validate(
            {
                "output": str(tmp_path / f"{left_out}"),
                "data": {"path": "x"},
                "model": {"encoder": str(tiny_encoder), "max_tokens": 64},
                "training": {
                    "held_out_fold": {"folds": 2, "fold": left_out},
                    "epochs": 1,
                    "threads": 1,
                },
            }
        )
        train(config, {"train": records}, DEFAULT_LABELS)

    for left_out in (1 - fold, fold):
        train_without(left_out, [*records[:8], other])
    assert seen == [8, 1]
    with pytest.raises(InputError, match="expected annotated sentences, found none"):
        train_without(fold, records[:8])  # a document


def test_it_is_asked_about_topics_of_other_rows(teacher, records):
    records[9].stances = [Stance(target="winter", label="neutral")]
    teach([teacher(corpora=["news", "weather"], topics=5)], records, DEFAULT_LABELS)
    assert {s.target for s in records[9].stances} == {"winter", "school lunches", "tax law"}
    asked = [s for s in records[8].stances if s.target == "winter"]
    assert [s.label for s in asked] == [None]
    assert sum(asked[0].probabilities.values()) == pytest.approx(1, abs=1e-3)


def test_a_share_is_of_whole_documents(teacher, records):
    both = [
        *records,
        *(
            r.model_copy(deep=True, update={"id": f"2{r.id}", "doc_id": "second"})
            for r in records[:8]
        ),
    ]
    found = [
        {
            i.startswith("2")
            for i in teach([teacher(tasks=["claim"], share=share / 8)], both, DEFAULT_LABELS)
        }
        for share in range(9)
    ]
    assert found[0] == set()
    assert found[-1] == {True, False}
    assert {True} in found or {False} in found


def test_what_a_teacher_cannot_do_is_said(teacher, tiny_encoder, records):
    with pytest.raises(ConfigError, match=r"unknown corpus 'nwes'\. Did you mean 'news'\?"):
        teach([teacher(corpora=["nwes"], tasks=["claim"])], records, DEFAULT_LABELS)
    narrow = str(exported(tiny_encoder, ("claim",)))
    for wanted in ({"tasks": ["stance"]}, {"entities": ["PERSON"]}):
        with pytest.raises(ConfigError, match="expected a model of stance, found one of claim"):
            teach([teacher(model=narrow, **wanted)], records, DEFAULT_LABELS)


def test_labels_in_another_order_are_not_taken_for_ours(teacher, records):
    labels = {**DEFAULT_LABELS, "claim": DEFAULT_LABELS["claim"][::-1]}
    with pytest.raises(
        ConfigError,
        match="claim: expected the labels claim, no_claim, in this order, found no_claim",
    ):
        teach([teacher(tasks=["claim"])], records, labels)


def test_soft_labels_come_back_as_they_were(tmp_path):
    soft = {
        "a": {
            "claim": np.array([0.25, 0.75], np.float32),
            "attribution": np.eye(7, dtype=np.float32)[:3],
        },
        "b": {"attribution": np.eye(7, dtype=np.float32)[2:4]},
        "c": {"claim": np.array([1, 0], np.float32)},
    }
    save_soft({"no token": {"attribution": np.zeros((0, 7), np.float32)}, **soft}, tmp_path)
    back = load_soft(tmp_path)
    assert back.keys() == soft.keys()
    for name, said in soft.items():
        assert back[name].keys() == said.keys()
        assert all((back[name][task] == said[task]).all() for task in said)
    assert load_soft(tmp_path / "elsewhere") == {}


@pytest.fixture
def batch_of(tiny_encoder, one_thread):
    torch.manual_seed(1)
    model = ClaimStanceModel.from_encoder(str(tiny_encoder), {"max_tokens": 64}).eval()

    def make(record, soft):
        [[example]] = build_examples([record], model.windows, DEFAULT_LABELS, {}, soft=soft)
        window = next(model.windows.windows([(0, example.tokens)]))
        return model, collate([LabelledWindow(window, [example])], model.windows.pad)

    return make


def test_a_teacher_that_agrees_changes_nothing_and_one_that_differs_does(batch_of):
    record = Record(id="a", text="The port closed.", claim="claim")
    model, plain = batch_of(record, {})
    hard = model(**plain)["loss_claim"].item()
    _, agreeing = batch_of(record, {"a": {"claim": np.array([0, 1], np.float32)}})
    _, other = batch_of(record, {"a": {"claim": np.array([1, 0], np.float32)}})
    assert model(**agreeing)["loss_claim"].item() == pytest.approx(hard)
    wrong = -model(**plain)["claim"].log_softmax(-1)[0, 0].item()
    assert model(**other)["loss_claim"].item() == pytest.approx(0.5 * hard + 0.5 * wrong)
    model.distillation_weight = 0.0
    assert model(**other)["loss_claim"].item() == pytest.approx(hard)


def test_a_teacher_alone_teaches_in_full(batch_of):
    record = Record(id="a", text="The port closed.", claim="claim")
    tokens = len(batch_of(record, {})[1]["input_ids"][0]) - 2
    said = np.full((tokens, 7), 1 / 7, np.float32)
    model, batch = batch_of(record, {"a": {"attribution": said}})
    assert (batch["attribution"] == IGNORE).all()
    log_shares = model(**batch)["attribution"][0, 1:-1].log_softmax(-1)
    assert model(**batch)["loss_attribution"].item() == pytest.approx(-log_shares.mean().item())
    _, other_tokens = batch_of(record, {"a": {"attribution": said[1:]}})
    assert "attribution_soft" not in other_tokens


def test_a_dataset_is_built_and_trained_on_with_a_teacher(
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
                        "entities": ["PERSON"],
                        "tasks": ["attribution", "claim"],
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
    report = build_and_teach(config.data, config.data.path)
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
    assert all(
        torch.allclose(start[name], end[name], atol=1e-5) for name in shared
    )  # it went on from the teacher


def test_the_bundled_model_teaches_by_its_name(tmp_path):
    (tmp_path / "news.jsonl").write_text(
        '{"id": "1", "text": "\\"Lima is lost,\\" Lee said.", "claim": "claim"}\n'
    )
    data = DataConfig.model_validate(
        {
            "path": tmp_path / "data",
            "sources": [{"files": [str(tmp_path / "news.jsonl")], "split": "train"}],
            "teachers": [{"model": "bundled", "corpora": ["news"], "tasks": ["claim"]}],
        }
    )
    build_and_teach(data, data.path)
    [said] = load_soft(data.path).values()
    assert said["claim"][1] > 0.8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"data": {"teachers": [{"model": "gone", "corpora": ["news"], "tasks": ["claim"]}]}},
            "data.teachers: expected a trained model in gone, or 'bundled', found no such folder",
        ),
        (
            {"model": {"init_from": "gone"}},
            "model.init_from: expected a trained model in gone, or 'bundled', found no such folder",
        ),
    ],
)
def test_a_teacher_or_a_start_that_is_not_there_is_told_before_the_work(tmp_path, change, message):
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


def test_a_start_with_other_labels_keeps_its_own_head(trained, tiny_encoder):
    earlier = ClaimStanceModel.from_pretrained(trained)
    labels = {**DEFAULT_LABELS, "claim": ("opinion", "news", "claim")}
    model = ClaimStanceModel.from_encoder(str(tiny_encoder), {"max_tokens": 64, "labels": labels})
    own = model.heads["claim"].layers[1].weight.clone()
    model.init_from(earlier)
    assert torch.equal(model.heads["claim"].layers[1].weight, own)
    assert torch.equal(model.heads["stance"].no_holder, earlier.heads["stance"].no_holder)
    earlier.tokenizer_json = "{}"
    with pytest.raises(ConfigError, match="expected a model with the encoder of this one"):
        model.init_from(earlier)
