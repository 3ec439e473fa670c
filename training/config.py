"""The configuration: one YAML file, checked before any work is done.

``load_config`` reads the file, applies ``a.b=value`` from the command line, and where something is wrong names the key,
what was expected and what was found.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from claimstance.model.errors import ConfigError, shorten, unknown
from claimstance.model.labels import DEFAULT_LABELS, SENTENCE_TASKS, TASKS
from claimstance.training.corpora import CORPORA

SPLITS = ("train", "dev", "test")
COLUMNS = ("text", "label", "target", "holder", "id", "doc_id")
LABELLED = (*SENTENCE_TASKS, "stance")


def _one_of(kind: str, names: Sequence[str]) -> AfterValidator:
    """Checks that a string, each of a list, or each key of a mapping is one of ``names``."""

    def check(value: Any) -> Any:
        for name in [value] if isinstance(value, str) else value or ():
            if name not in names:
                raise ValueError(unknown(kind, name, names))
        return value

    return AfterValidator(check)


SplitName = Annotated[str, _one_of("split", SPLITS)]
Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]


class _Section(BaseModel):
    # Defaults are written in this file; a key that is not known is a typing error.
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Split(_Section):
    """How files without a split are divided, whole documents at a time."""

    train: Share = Field(default=0.8, description="Share of the rows to train on.")
    dev: Share = Field(default=0.1, description="Share of the rows to choose and calibrate on.")
    test: Share = Field(default=0.1, description="Share of the rows to report figures on.")
    seed: int = Field(default=13, ge=0, description="Seed of the division: the same seed and rows, the same division.")

    @model_validator(mode="after")
    def _adds_up(self) -> "Split":
        total = self.train + self.dev + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"expected shares that add up to 1, found {total:g}")
        return self


class Source(_Section):
    """Where rows come from: a public corpus, or files of your own."""

    corpus: Annotated[str | None, _one_of("corpus", tuple(CORPORA))] = Field(
        default=None, description="Name of a public corpus. Give this or `files`."
    )
    files: list[str] = Field(default=[], description="Files of annotated sentences. Give these or `corpus`.")
    format: Literal["jsonl", "csv", "tsv"] | None = Field(
        default=None, description="Format of the files; by their suffix if null."
    )
    options: dict[str, Any] = Field(
        default={}, description="Options of the corpus's reader. A relative path is taken from `data.corpora`."
    )
    splits: dict[str, SplitName] = Field(
        default={}, description="Which split of the corpus becomes which of train, dev and test."
    )
    split: SplitName | None = Field(
        default=None, description="The split that all rows of the files belong to; null: divided by `data.split`."
    )
    columns: Annotated[dict[str, str], _one_of("column", COLUMNS)] = Field(
        default={},
        description="CSV and TSV: the file's own names for the columns text, label, target, holder, id, doc_id.",
    )
    task: Annotated[str | None, _one_of("task", LABELLED)] = Field(
        default=None,
        description="What the label column is: claim, check_worthy, subjective or stance; null: stance if there is a "
        "target, else claim.",
    )
    target: str | None = Field(default=None, description="CSV and TSV: one stance target for all rows of the files.")
    lenient: bool = Field(
        default=False, description="CSV and TSV: leave out and count rows that cannot be used, instead of stopping."
    )

    @model_validator(mode="after")
    def _is_corpus_or_files(self) -> "Source":
        if (self.corpus is None) == (not self.files):
            raise ValueError(f"expected either corpus or files, found {'both' if self.files else 'neither'}")
        if self.corpus is not None:
            self._check_corpus(self.corpus)
        elif given := [key for key in ("splits", "options") if getattr(self, key)]:
            raise ValueError(f"expected no {given[0]} beside files, which belong to a corpus")
        return self

    def _check_corpus(self, name: str) -> None:
        corpus = CORPORA[name]
        if given := [key for key in ("format", "split", "columns", "task", "target", "lenient") if getattr(self, key)]:
            raise ValueError(f"expected no {given[0]} beside corpus, which belongs to files")
        if not self.splits:
            raise ValueError(f"expected splits, such as {{{corpus.splits[0]}: train}}, found none. "
                             f"The splits of {name}: {', '.join(corpus.splits)}")
        for split in self.splits:
            if split not in corpus.splits:
                raise ValueError(f"corpus {name}: {unknown('split', split, corpus.splits)}")
        for option in self.options:
            if option not in corpus.options:
                raise ValueError(f"corpus {name}: {unknown('option', option, corpus.options)}")


class Teacher(_Section):
    """A trained model that says what it thinks of train rows: its probabilities are soft labels.

    Its tokenizer should cut words as the student's does (BERT's and MPNet's do): where it counts other tokens, what it
    says of tokens is left out.
    """

    model: Path = Field(description="Folder of the trained model, with its weights.")
    corpora: list[str] = Field(
        min_length=1, description="The corpora, or files without their suffix, whose train sentences it reads."
    )
    share: Share = Field(default=1.0, description="Share of those sentences that it reads, whole documents at a time.")
    entities: list[str] = Field(
        default=[],
        description="Kinds of named entities: it is asked the stance of nobody named toward each, in sentences alone.",
    )
    tasks: Annotated[list[str], _one_of("task", (*SENTENCE_TASKS, "attribution", "stance"))] = Field(
        default=[], description="Tasks of whose labelled rows it also says what it thinks, read in their documents."
    )


class DataConfig(_Section):
    """What to train and measure on."""

    path: Path = Field(description="Folder of the built dataset: `build` writes it, `train` reads it.")
    corpora: Path = Field(
        default=Path("corpora"), description="Folder that holds your copies of the public corpora, a folder each."
    )
    sources: list[Source] = Field(default=[], description="Where the rows come from.")
    teachers: list[Teacher] = Field(
        default=[], description="Models that add soft labels to the train split: distillation."
    )
    labels: Annotated[dict[str, list[str]], _one_of("task", tuple(DEFAULT_LABELS))] = Field(
        default={}, description="Label names of a task, in place of its default ones."
    )
    split: Split = Field(default=Split(), description="How files without a split are divided.")

    @model_validator(mode="after")
    def _labels_differ(self) -> "DataConfig":
        for task, names in self.labels.items():
            if len(names) < 2 or len(set(names)) < len(names):
                raise ValueError(f"labels.{task}: expected two or more names that differ, found {names}")
        return self


class ModelConfig(_Section):
    """The network."""

    encoder: str = Field(
        default="sentence-transformers/all-MiniLM-L6-v2", description="Hugging Face name or folder of the encoder."
    )
    start: Path | None = Field(
        default=None,
        description="Folder of a trained model with this encoder: its weights are gone on from, but for heads whose "
        "labels differ.",
    )
    tasks: Annotated[list[str] | None, _one_of("task", TASKS)] = Field(
        default=None, min_length=1, description="Tasks to learn; null: those that the data has labels for."
    )
    max_tokens: int = Field(default=256, ge=16, description="Length of a window of sentences, in tokens.")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="Dropout before the heads.")


class Given(_Section):
    """How a sentence task's logits become probabilities, where dev is not the place to fit it."""

    temperature: float = Field(default=1.0, gt=0, description="What logits are divided by.")
    bias: float = Field(default=0.0, description="What is added to the last label's logit before.")
    threshold: Share | None = Field(
        default=None, description="The last label's probability from which it is decided for."
    )


class TrainingConfig(_Section):
    """How the network is trained."""

    epochs: float = Field(default=3, gt=0, description="Times each row is seen.")
    tokens_per_batch: int = Field(default=2048, ge=16, description="Tokens of a batch, padding included.")
    learning_rate: float = Field(default=1e-4, gt=0, description="Highest learning rate of the encoder.")
    head_learning_rate: float = Field(default=1e-3, gt=0, description="Highest learning rate of the heads.")
    weight_decay: float = Field(default=0.01, ge=0, description="Weight decay (AdamW).")
    warmup_ratio: Share = Field(default=0.06, description="Share of the steps in which the learning rate rises.")
    max_grad_norm: float = Field(default=1.0, gt=0, description="Norm that gradients are cut to.")
    seed: int = Field(default=13, ge=0, description="Seed of weights, order and dropout.")
    precision: Literal["bfloat16", "float32"] = Field(default="float32", description="Precision of the computation.")
    evaluations_per_epoch: int = Field(
        default=1, ge=0, description="Times per epoch the dev split is scored; 0: never, and the last weights are kept."
    )
    patience: int = Field(
        default=0, ge=0, description="Evaluations without a better score after which training stops; 0: never."
    )
    metric: str = Field(default="mean", min_length=1, description="The dev score by which the best weights are kept.")
    class_weight_power: Annotated[dict[str, Share], _one_of("task", LABELLED)] = Field(
        default={}, description="Task → p: classes weigh their inverse frequency to the power p; 0: all the same."
    )
    loss_weights: Annotated[dict[str, NotNegative], _one_of("task", (*TASKS, "link"))] = Field(
        default={}, description="Task → weight of its loss; 1 if not given."
    )
    corpus_weights: dict[str, NotNegative] = Field(
        default={}, description="Corpus → weight of its labels beside those of others in a batch; 1 if not given."
    )
    soft_share: Share = Field(
        default=0.5, description="How much the soft label of teachers or annotators counts where there is a label, too."
    )
    given: Annotated[dict[str, Given], _one_of("task", SENTENCE_TASKS)] = Field(
        default={}, description="Sentence task → scale and threshold fitted elsewhere, in place of those fitted on dev."
    )
    neighbours: Share = Field(
        default=0.5, description="Share of the rows without an article that are shown beside other sentences."
    )
    alone: Share = Field(default=0.1, description="Share of an article's sentences that are shown without it.")
    topics: Share = Field(
        default=0.1, description="Share of stances toward a mention that are also asked about it as a topic."
    )
    threads: int | None = Field(default=None, ge=1, description="Processor threads; null: PyTorch decides.")
    sampling: dict[str, Share] = Field(default={}, description="Corpus → share of its rows seen in an epoch.")


class Config(_Section):
    """The whole configuration."""

    name: str = Field(default="claimstance", min_length=1, description="Name of the model, as results will state it.")
    output: Path = Field(description="Folder of the trained model.")
    data: DataConfig = Field(description="What to train and measure on.")
    model: ModelConfig = Field(default=ModelConfig(), description="The network.")
    training: TrainingConfig = Field(default=TrainingConfig(), description="How the network is trained.")

    def to_yaml(self) -> str:
        """The configuration with every default spelled out, as YAML that ``load_config`` reads back."""
        return str(yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=120))


def load_config(path: Path | str, overrides: Sequence[str] = ()) -> Config:
    """Read a configuration file and put ``overrides`` (``a.b=value``, the value as YAML) in it.

    Raises:
        ConfigError: naming the file or the override, the key, what was expected and what was found.
    """
    data = _read_yaml(Path(path))
    keys = {}
    for override in overrides:
        keys[_apply(data, override)] = override
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_explain(error, str(path), keys)) from None


def parse_data_config(data: dict[str, Any], where: str) -> DataConfig:
    """A data section from plain values; ``where`` opens the message of the ``ConfigError``."""
    try:
        return DataConfig.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_explain(error, where, {}, DataConfig)) from None


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: expected YAML, found {' '.join(str(error).split())}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected keys with values, found {shorten(repr(data))}")
    return data


def _apply(data: dict[str, Any], override: str) -> str:
    """Put one override into ``data``; returns its key."""
    key, equals, text = override.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        raise ConfigError(f"override '{override}': expected KEY=VALUE, such as training.epochs=2")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigError(f"override '{override}': expected a YAML value, found {shorten(repr(text))}") from None
    place: Any = data
    for part in parts[:-1]:
        place = _step(place, part, override)
    if isinstance(place, list):
        _step(place, parts[-1], override)
        place[int(parts[-1])] = value
    else:
        place[parts[-1]] = value
    return ".".join(parts)


def _step(place: Any, part: str, override: str) -> Any:
    if isinstance(place, list):
        if not part.isdecimal() or int(part) >= len(place):
            raise ConfigError(f"override '{override}': expected a number below {len(place)}, found '{part}'")
        return place[int(part)]
    if place.get(part) is None:
        place[part] = {}
    if not isinstance(place[part], (dict, list)):
        raise ConfigError(f"override '{override}': expected '{part}' to hold keys, found {shorten(repr(place[part]))}")
    return place[part]


def _explain(
    error: ValidationError, path: str, overrides: dict[str, str], section: type[BaseModel] = Config
) -> str:
    """The first problem as ``FILE: KEY: expected …, found …``, and how many more there are."""
    # An unknown key comes first: where a key is missing, a typing error is why.
    errors = sorted(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
    first = errors[0]
    key = ".".join(str(part) for part in first["loc"] if part != "[key]")
    given = [o for k, o in overrides.items() if key == k or key.startswith(f"{k}.") or k.startswith(f"{key}.")]
    where = f"override '{given[-1]}'" if given else path
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    if first["type"] == "extra_forbidden":
        problem = unknown("key", str(first["loc"][-1]), _fields_at(first["loc"][:-1], section))
    elif first["type"] == "missing":
        problem = "expected a value, found none"
    elif first["type"] == "too_short":
        problem = f"expected at least one item, found {shorten(repr(first['input']))}"
    elif first["type"] == "value_error":
        problem = str(first["ctx"]["error"])
    else:
        wanted = first["msg"].removeprefix("Input should be ").partition(", unable")[0]
        problem = f"expected {wanted}, found {shorten(repr(first['input']))}"
    return f"{where}: {key or 'the file'}: {problem}{more}"


def _fields_at(location: tuple[int | str, ...], section: type[BaseModel]) -> list[str]:
    """The keys that the section at ``location``, counted from ``section``, has."""
    for part in location:
        if isinstance(part, str):
            annotation: Any = section.model_fields[part].annotation
            found = [a for a in (annotation, *get_args(annotation)) if isinstance(a, type) and issubclass(a, BaseModel)]
            section = found[0]
    return list(section.model_fields)
