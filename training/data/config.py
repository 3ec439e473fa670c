"""The data section of a configuration: where rows come from, and how they are divided."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from claimstance.model.errors import unknown
from claimstance.model.labels import DEFAULT_LABELS, SENTENCE_TASKS
from claimstance.training.data.corpora import CORPORA
from claimstance.training.data.formats import COLUMNS, FORMATS, Layout, files_in
from claimstance.training.data.splits import SPLITS

LABELLED = (*SENTENCE_TASKS, "stance")
_OF_FILES = (
    "format",
    "split",
    "columns",
    "task",
    "target",
    "roles",
    "values",
    "annotator",
    "sentences",
    "lenient",
)


def one_of(kind: str, names: Sequence[str]) -> AfterValidator:
    """Checks that a string, each of a list, or each key of a mapping is one of ``names``."""

    def check(value: Any) -> Any:
        for name in [value] if isinstance(value, str) else value or ():
            if name not in names:
                raise ValueError(unknown(kind, name, names))
        return value

    return AfterValidator(check)


SplitName = Annotated[str, one_of("split", SPLITS)]
Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]


class Section(BaseModel):
    """A part of the configuration, whose unknown keys are errors."""

    # Defaults are written in this file; a key that is not known is a typing error.
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Split(Section):
    """How files without a split are divided, whole groups of rows at a time.

    Rows of one document, rows with one text and, if ``near`` is given, near-duplicates are always in one group; but
    not documents that have a ``short`` text in common alone.
    """

    train: Share = Field(default=0.8, description="Share of the rows to train on.")
    dev: Share = Field(default=0.1, description="Share of the rows to choose and calibrate on.")
    test: Share = Field(default=0.1, description="Share of the rows to report figures on.")
    seed: int = Field(
        default=13,
        ge=0,
        description="Seed of the division: the same seed and rows, the same division.",
    )
    by: Literal["document", "outlet", "date", "target"] = Field(
        default="document",
        description="What is held out: documents; outlets; the latest days, trained on earlier ones; targets.",
    )
    near: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=0.8,
        description="Jaccard similarity of word shingles from which two texts (wire copies, say) stay in one split; "
        "null: only equal texts do.",
    )
    short: int = Field(
        default=8,
        ge=0,
        description="Texts of fewer words tie no documents together: 'He said no.' stands in many, and would make one "
        "group of them all. What splits then share of these is reported; 0: they do tie.",
    )
    folds: int | None = Field(
        default=None,
        ge=3,
        description="Divide into this many folds instead: `fold` is test, the next one dev. By date they are "
        "stretches of time, and later ones are trained on, too.",
    )
    fold: int = Field(default=0, ge=0, description="Which fold is the test split, from 0.")

    @model_validator(mode="after")
    def _adds_up(self) -> "Split":
        total = self.train + self.dev + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"expected shares that add up to 1, found {total:g}")
        if self.fold >= (self.folds or 1):
            raise ValueError(f"expected a fold below {self.folds or 1}, found {self.fold}")
        return self


class Source(Section):
    """Where rows come from: a public corpus, or files of your own."""

    corpus: Annotated[str | None, one_of("corpus", tuple(CORPORA))] = Field(
        default=None, description="Name of a public corpus. Give this or `files`."
    )
    files: list[str] = Field(
        default=[],
        description="Files of annotated sentences, or folders of them. Give these or `corpus`.",
    )
    format: Annotated[str | None, one_of("format", tuple(FORMATS))] = Field(
        default=None, description="Format of the files; recognised by their content if null."
    )
    options: dict[str, Any] = Field(
        default={},
        description="Options of the corpus's reader. A relative path is taken from `data.corpora`.",
    )
    splits: dict[str, SplitName] = Field(
        default={}, description="Which split of the corpus becomes which of train, dev and test."
    )
    split: SplitName | None = Field(
        default=None,
        description="The split that all rows of the files belong to; null: what their column `split` has, else divided "
        "by `data.split`.",
    )
    columns: Annotated[dict[str, str], one_of("column", COLUMNS)] = Field(
        default={}, description=f"The files' own names for {', '.join(COLUMNS)}."
    )
    task: Annotated[str | None, one_of("task", LABELLED)] = Field(
        default=None,
        description="What the label column is: claim, check_worthy, subjective or stance; null: stance if there is a "
        "target, else claim.",
    )
    target: str | None = Field(
        default=None, description="One stance target for all rows of the files."
    )
    roles: dict[str, str] = Field(
        default={},
        description="The files' labels and questions → what they are: source, cue, content, holder, target, entity, "
        "claim, check_worthy, subjective, stance, or ignore.",
    )
    values: dict[str, str] = Field(
        default={}, description="The files' label values → ours, such as Positive: favor."
    )
    annotator: str | None = Field(
        default=None,
        description="Who annotated the files, where they do not say so; {file} stands for a file's name without its "
        "suffix. Sources with an annotator are put together: a file or a source for each person.",
    )
    sentences: bool | None = Field(
        default=None,
        description="Whether texts are cut into sentences; null: those without a label of the whole text are.",
    )
    lenient: bool = Field(
        default=False,
        description="Leave out and count what cannot be used, instead of stopping there.",
    )

    def paths(self) -> list[Path]:
        """Its files, those of folders among them."""
        return [path for file in self.files for path in files_in(Path(file), self.format)]

    def layout(
        self, file: Path, labels: Mapping[str, Sequence[str]], lenient: bool | None = None
    ) -> Layout:
        """What the reader of one of its files is told; ``labels`` are the configured sets."""
        return Layout(
            columns=self.columns,
            task=self.task,
            target=self.target,
            labels=labels,
            roles=self.roles,
            values=self.values,
            annotator=self.annotator and self.annotator.replace("{file}", file.stem),
            sentences=self.sentences,
            lenient=self.lenient if lenient is None else lenient,
        )

    @model_validator(mode="after")
    def _is_corpus_or_files(self) -> "Source":
        if (self.corpus is None) == (not self.files):
            raise ValueError(
                f"expected either corpus or files, found {'both' if self.files else 'neither'}"
            )
        if self.corpus is not None:
            self._check_corpus(self.corpus)
        elif given := [key for key in ("splits", "options") if getattr(self, key)]:
            raise ValueError(f"expected no {given[0]} beside files, which belong to a corpus")
        return self

    def _check_corpus(self, name: str) -> None:
        corpus = CORPORA[name]
        if given := [key for key in _OF_FILES if getattr(self, key)]:
            raise ValueError(f"expected no {given[0]} beside corpus, which belongs to files")
        if not self.splits:
            raise ValueError(
                f"expected splits, such as {{{corpus.splits[0]}: train}}, found none. "
                f"The splits of {name}: {', '.join(corpus.splits)}"
            )
        for split in self.splits:
            if split not in corpus.splits:
                raise ValueError(f"corpus {name}: {unknown('split', split, corpus.splits)}")
        for option in self.options:
            if option not in corpus.options:
                raise ValueError(f"corpus {name}: {unknown('option', option, corpus.options)}")


def _as_list(value: object) -> object:
    """One folder of a list that has no other."""
    return [value] if isinstance(value, str | Path) else value


class Teacher(Section):
    """A trained model, or several, that says what it thinks of train rows: its probabilities are soft labels.

    Its tokenizer should cut words as the student's does (BERT's and MPNet's do): where it counts other tokens, what it
    says of tokens is left out.
    """

    model: Annotated[list[Path], BeforeValidator(_as_list)] = Field(
        min_length=1,
        description="Folder of the trained model, or bundled; of several, the mean counts, but see "
        "cross_fitted.",
    )
    corpora: list[str] = Field(
        min_length=1,
        description="The corpora, or files without their suffix, whose train sentences it reads.",
    )
    share: Share = Field(
        default=1.0,
        description="Share of those sentences that it reads, whole documents at a time.",
    )
    entities: list[str] = Field(
        default=[],
        description="Kinds of named entities: it is asked the stance of nobody named toward each, in sentences alone.",
    )
    mentions: bool = Field(
        default=False,
        description="Whether it is asked the same toward every holder and target that has a span.",
    )
    by_sources: bool = Field(
        default=False,
        description="Whether all this is asked of each source of an attribution in the sentence, where "
        "it is no part of it, in place of nobody.",
    )
    topics: int = Field(
        default=0,
        ge=0,
        description="Number of topics, drawn from those of all rows, that it is asked about in each "
        "sentence: most have nothing to do with it, which is worth learning, too.",
    )
    tasks: Annotated[list[str], one_of("task", (*SENTENCE_TASKS, "attribution", "stance"))] = Field(
        default=[],
        description="Tasks of which it also says what it thinks, whether a row has a label or not, read in "
        "their documents; stances, where one was asked for. Where annotators divide, their shares count half.",
    )
    cross_fitted: bool = Field(
        default=False,
        description="Whether each of the models was trained without a fold of as many as there are "
        "models, in this order (`training.held_out_fold`): it alone tells of that fold, which it never saw.",
    )

    @model_validator(mode="after")
    def _several_are_cross_fitted(self) -> "Teacher":
        if self.cross_fitted and len(self.model) < 2:
            raise ValueError("expected two or more models that are cross-fitted, found one")
        return self

    @model_validator(mode="after")
    def _sources_are_asked_something(self) -> "Teacher":
        if self.by_sources and not (self.entities or self.mentions or self.topics):
            raise ValueError(
                "expected entities, mentions or topics for sources to be asked about, found none"
            )
        return self


class DataConfig(Section):
    """What to train and measure on."""

    path: Path = Field(
        description="Folder of the built dataset: `build` writes it, `train` reads it."
    )
    corpora: Path = Field(
        default=Path("corpora"),
        description="Folder that holds your copies of the public corpora, a folder each.",
    )
    sources: list[Source] = Field(default=[], description="Where the rows come from.")
    teachers: list[Teacher] = Field(
        default=[], description="Models that add soft labels to the train split: distillation."
    )
    labels: Annotated[dict[str, list[str]], one_of("task", tuple(DEFAULT_LABELS))] = Field(
        default={}, description="Label names of a task, in place of its default ones."
    )
    split: Split = Field(default=Split(), description="How files without a split are divided.")
    adjudicate: Literal["majority", "soft", "adjudicator"] = Field(
        default="majority",
        description="Several annotators of a sentence become one record: by most votes; the same, keeping how they "
        "divide as soft labels; or as the adjudicator has it.",
    )
    adjudicator: str | None = Field(default=None, description="The annotator whose word counts.")
    codebook: Path | None = Field(
        default=None,
        description="YAML file that defines the labels, which the data is checked against.",
    )

    @model_validator(mode="after")
    def _labels_differ(self) -> "DataConfig":
        for task, names in self.labels.items():
            if len(names) < 2 or len(set(names)) < len(names):
                raise ValueError(
                    f"labels.{task}: expected two or more names that differ, found {names}"
                )
        if (self.adjudicate == "adjudicator") != (self.adjudicator is not None):
            raise ValueError(
                "expected adjudicator: NAME and adjudicate: adjudicator together, found one of them"
            )
        return self
