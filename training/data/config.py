"""The data section of a configuration: the sources of rows, and how the rows are split."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from claimstance.model.errors import unknown
from claimstance.model.labels import DEFAULT_LABELS, LABEL_TASKS, SENTENCE_TASKS
from claimstance.training.data.corpora import CORPORA
from claimstance.training.data.formats import COLUMNS, FORMATS, Layout, files_in
from claimstance.training.data.splits import SPLITS

_FILE_KEYS = (
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
    """Return a validator of a string, a list or the keys of a mapping: all must be in ``names``."""

    def check(value: Any) -> Any:
        candidates = [value] if isinstance(value, str) else value
        for name in candidates or ():
            if name not in names:
                raise ValueError(unknown(kind, name, names))
        return value

    return AfterValidator(check)


SplitName = Annotated[str, one_of("split", SPLITS)]
Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]


class Section(BaseModel):
    """Represent a section of the configuration; unknown keys are errors."""

    # An unknown key is usually misspelt: without an error, the default would be used instead.
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Split(Section):
    """Configure how rows without a split are assigned to splits, in whole groups.

    Rows of one document, rows with the same text and, if ``near`` is set, near-duplicates form a group.
    A common text that is ``short`` does not join documents.
    """

    train: Share = Field(default=0.8, description="Share of the rows for training.")
    dev: Share = Field(default=0.1, description="Share of the rows for choosing and calibrating.")
    test: Share = Field(default=0.1, description="Share of the rows for the reported figures.")
    seed: int = Field(
        default=13,
        ge=0,
        description="Seed of the split: the same seed and rows give the same split.",
    )
    by: Literal["document", "outlet", "date", "target"] = Field(
        default="document",
        description="The unit that is held out: documents; outlets; the latest days (training uses "
        "earlier ones); targets.",
    )
    near: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=0.8,
        description="Jaccard similarity of word shingles from which two texts, such as wire copies, stay "
        "in one split; null: only equal texts do.",
    )
    short: int = Field(
        default=8,
        ge=0,
        description="Texts of fewer words do not join documents: 'He said no.' occurs in many documents "
        "and would put them all into one group. The report counts such texts that occur in "
        "several splits; 0: all texts join documents.",
    )
    folds: int | None = Field(
        default=None,
        ge=3,
        description="Number of folds, instead of the shares above: `fold` is test, the next one dev. By "
        "date, folds are consecutive periods, and training also uses later ones.",
    )
    fold: int = Field(default=0, ge=0, description="The fold that is the test split, from 0.")

    @model_validator(mode="after")
    def _check_shares(self) -> "Split":
        total = self.train + self.dev + self.test
        # Shares such as 0.7, 0.2 and 0.1 add up to 1 only up to rounding.
        if abs(total - 1) > 1e-6:
            raise ValueError(f"expected shares that add up to 1, found {total:g}")
        if self.fold >= (self.folds or 1):
            raise ValueError(f"expected a fold below {self.folds or 1}, found {self.fold}")
        return self


class Source(Section):
    """Configure a source of rows: a public corpus, or your own files."""

    corpus: Annotated[str | None, one_of("corpus", tuple(CORPORA))] = Field(
        default=None, description="Name of a public corpus. Give this or `files`."
    )
    files: list[str] = Field(
        default=[],
        description="Files of annotated sentences, or folders of such files. Give these or `corpus`.",
    )
    format: Annotated[str | None, one_of("format", tuple(FORMATS))] = Field(
        default=None, description="Format of the files; recognised by their content if null."
    )
    options: dict[str, Any] = Field(
        default={},
        description="Options of the corpus's reader. A relative path is relative to `data.corpora`.",
    )
    splits: dict[str, SplitName] = Field(
        default={}, description="Split of the corpus → train, dev or test."
    )
    split: SplitName | None = Field(
        default=None,
        description="The split that all rows of the files belong to; null: the one in their column `split`, else "
        "`data.split` assigns them.",
    )
    columns: Annotated[dict[str, str], one_of("column", COLUMNS)] = Field(
        default={}, description=f"The files' own names for {', '.join(COLUMNS)}."
    )
    task: Annotated[str | None, one_of("task", LABEL_TASKS)] = Field(
        default=None,
        description="The task of the label column: claim, check_worthy, subjective or stance; null: stance if there "
        "is a target, else claim.",
    )
    target: str | None = Field(
        default=None, description="One stance target for all rows of the files."
    )
    roles: dict[str, str] = Field(
        default={},
        description="Labels and questions in the files → their meaning: source, cue, content, holder, "
        "target, entity, claim, check_worthy, subjective, stance, or ignore.",
    )
    values: dict[str, str] = Field(
        default={},
        description="Label values in the files → label values here, such as Positive: favor.",
    )
    annotator: str | None = Field(
        default=None,
        description="The annotator of the files, if the files do not name one; {file} stands for a file's"
        " name without its suffix. Annotations of one sentence become one record if their "
        "sources have an annotator.",
    )
    sentences: bool | None = Field(
        default=None,
        description="Split texts into sentences; null: only texts without a label of the whole text.",
    )
    lenient: bool = Field(
        default=False,
        description="Leave out and count rows that cannot be used, instead of stopping with an error.",
    )

    def paths(self) -> list[Path]:
        """Return the files, including the files in folders."""
        paths: list[Path] = []
        for file in self.files:
            paths.extend(files_in(Path(file), self.format))
        return paths

    def layout(
        self, file: Path, labels: Mapping[str, Sequence[str]], lenient: bool | None = None
    ) -> Layout:
        """Return the settings for reading one of the files.

        Args:
            file: the file.
            labels: task → the configured label names.
            lenient: replaces the configured value.
        """
        annotator = self.annotator
        # One source may have a file for each annotator.
        if annotator:
            annotator = annotator.replace("{file}", file.stem)
        return Layout(
            columns=self.columns,
            task=self.task,
            target=self.target,
            labels=labels,
            roles=self.roles,
            values=self.values,
            annotator=annotator,
            sentences=self.sentences,
            lenient=self.lenient if lenient is None else lenient,
        )

    def corpus_options(self, corpora: Path) -> dict[str, Any]:
        """Return the options of the corpus's reader.

        Args:
            corpora: the folder that relative paths are relative to.
        """
        options = dict(self.options)
        if self.corpus is not None:
            for name in CORPORA[self.corpus].path_options:
                if options.get(name) is not None:
                    options[name] = corpora / options[name]
        return options

    @model_validator(mode="after")
    def _check_keys(self) -> "Source":
        if (self.corpus is None) == (not self.files):
            raise ValueError(
                f"expected either corpus or files, found {'both' if self.files else 'neither'}"
            )
        keys: tuple[str, ...] = _FILE_KEYS
        other = "corpus"
        if self.corpus is None:
            keys = ("splits", "options")
            other = "files"
        for key in keys:
            if getattr(self, key):
                raise ValueError(f"expected no {key} beside {other}")
        if self.corpus is None:
            return self
        name, corpus = self.corpus, CORPORA[self.corpus]
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
        return self


class Teacher(Section):
    """Configure a teacher: a trained model whose probabilities become soft labels of train rows.

    Its tokenizer should split words as the student's does (BERT's and MPNet's do): soft labels of tokens are
    left out where the numbers of tokens differ.
    """

    model: Path = Field(
        description="Folder of the trained model, or `small` or `base`, the bundled ones."
    )
    corpora: list[str] = Field(
        min_length=1,
        description="The corpora, or files without their suffix, whose train sentences the teacher reads.",
    )
    tasks: Annotated[
        list[str], one_of("task", (*SENTENCE_TASKS, "attribution", "stance", "opinions"))
    ] = Field(
        min_length=1,
        description="Tasks that the teacher predicts for every row, with or without a label. It reads the rows in "
        "their documents. For stance, it predicts the stances that the row lists; if annotators disagree, their "
        "shares count half. `opinions` are the tags of holders and targets of stances.",
    )
    share: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="Share of the documents, or of the rows without one, that the teacher reads, drawn at random.",
    )


class HardNegatives(Section):
    """Configure hard negatives: pairs of a holder and a target that a model finds and the annotation does not list."""

    model: Path = Field(
        description="Folder of the trained model, or `small` or `base`, the bundled ones."
    )
    corpora: list[str] = Field(
        min_length=1,
        description="The corpora whose rows list every stance, and whose train sentences the model reads.",
    )
    bias: float = Field(
        default=1.0,
        description="Added to the log-odds of holders and targets, so that the model finds more of them.",
    )
    share: Share = Field(
        default=1,
        description="Share of these pairs that is added. With many of them, a model decides worse about the pairs that "
        "a user names, and finds stances in whole articles about as well.",
    )
    label: str = Field(
        default="neutral", min_length=1, description="Label of pairs without a stance."
    )


class DataConfig(Section):
    """Configure the dataset to train and evaluate on."""

    path: Path = Field(
        description="Folder of the built dataset: `build` writes it, `train` reads it."
    )
    corpora: Path = Field(
        default=Path("corpora"),
        description="Folder with your copies of the public corpora, one folder each.",
    )
    sources: list[Source] = Field(default=[], description="The sources of the rows.")
    teachers: list[Teacher] = Field(
        default=[], description="Models that add soft labels to the train split (distillation)."
    )
    hard_negatives: HardNegatives | None = Field(
        default=None,
        description="Model that adds pairs without a stance to the train split, as it would find them in an article.",
    )
    labels: Annotated[dict[str, list[str]], one_of("task", tuple(DEFAULT_LABELS))] = Field(
        default={}, description="Task → label names that replace the default ones."
    )
    split: Split = Field(default=Split(), description="Assignment of rows without a split.")
    adjudicate: Literal["majority", "soft", "adjudicator"] = Field(
        default="majority",
        description="How annotations of one sentence by several annotators become one record: `majority`;"
        " `soft`, the majority with the distribution of answers as soft labels; "
        "`adjudicator`, the adjudicator's annotation.",
    )
    adjudicator: str | None = Field(
        default=None, description="The annotator whose answers are used."
    )
    codebook: Path | None = Field(
        default=None,
        description="YAML file that defines the labels; the data is checked against it.",
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
