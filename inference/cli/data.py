"""The commands that create, convert and build annotated data."""

import json
import shlex
from collections.abc import Iterable, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from claimstance.inference.cli.console import check_exists, progress
from claimstance.model.errors import ConfigError, plural, printable

if TYPE_CHECKING:
    from claimstance.training.data.config import DataConfig

# Options and arguments that describe annotated files, which several commands share.
InputsArgument = Annotated[
    list[Path],
    typer.Argument(
        metavar="CONFIG|FILE",
        help="Annotated files or folders of them, or a configuration (.yaml) that lists them.",
    ),
]
FormatOption = Annotated[
    str | None,
    typer.Option("--format", "-f", help="Format of the files; detected if not given."),
]
TaskOption = Annotated[
    str | None,
    typer.Option(
        "--task",
        help="Task of the labels: claim, check_worthy, subjective or stance; if not given, stance for rows with "
        "a target, else claim.",
    ),
]
TargetOption = Annotated[
    str | None,
    typer.Option("--target", help="Stance target of all rows; each row's own if not given."),
]
ColumnOption = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        help="Name of a column in the files: text=sentence, label=code (several times).",
    ),
]
RoleOption = Annotated[
    list[str] | None,
    typer.Option(
        "--role",
        help="Role of a label or question in the files: Sprecher=source (several times).",
    ),
]
ValueOption = Annotated[
    list[str] | None,
    typer.Option(
        "--value",
        help="Meaning of a label value in the files: Positive=favor, or =neutral for a blank one (several times).",
    ),
]
AnnotatorOption = Annotated[
    str | None,
    typer.Option(
        "--annotator",
        help="Name of the annotator, where the files do not contain it ({file}: the name of each file); "
        "no name if not given.",
    ),
]
CodebookOption = Annotated[
    Path | None,
    typer.Option(
        "--codebook",
        help="Codebook (.yaml) that defines the labels; labels are not checked against one if not given.",
    ),
]
LenientOption = Annotated[
    bool, typer.Option("--lenient", help="Leave out and count rows that cannot be used.")
]


class SplitBy(str, Enum):
    """Name the units that a split holds out."""

    document = "document"
    outlet = "outlet"
    date = "date"
    target = "target"


class Adjudication(str, Enum):
    """Name the ways to combine the annotators of a sentence."""

    majority = "majority"
    soft = "soft"


class ConversionFormat(str, Enum):
    """Name the formats that ``convert`` writes."""

    jsonl = "jsonl"
    brat = "brat"
    labelstudio = "labelstudio"
    conll = "conll"


def init(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="Folder to write to; the current one if not given."),
    ] = Path(),
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels",
            help="Label names, such as favor,against,neutral; the default ones of the task if not given.",
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            help="Task to annotate: stance, claim, check_worthy, subjective or attribution; if not given, the one "
            "that the --labels belong to, else stance.",
        ),
    ] = None,
) -> None:
    """Write a configuration and a codebook to start from.

    Example: claimstance init study --labels favor,against,neutral
    """
    from claimstance.training.scaffold import write_starter

    names = [] if labels is None else [name.strip() for name in labels.split(",")]
    config, codebook = write_starter(folder, task, names)
    typer.echo(
        f"{printable(f'{config}, {codebook}')}: written. Read both, define your labels in the codebook, and put\n"
        "your annotated sentences into annotations.jsonl beside them (or name another file in data.sources). Next:"
    )
    steps = (
        "check config.yaml",
        "build config.yaml",
        "train config.yaml",
        "evaluate runs/own --data dataset",
    )
    # The steps name the configuration by its file name alone.
    if folder.resolve() != Path.cwd():
        typer.echo(f"  cd {printable(shlex.quote(str(folder)))}")
    for step in steps:
        typer.echo(f"  claimstance {step}")


def build(
    inputs: InputsArgument,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder of the dataset; the one in CONFIG if not given."),
    ] = None,
    data_format: FormatOption = None,
    task: TaskOption = None,
    target: TargetOption = None,
    column: ColumnOption = None,
    role: RoleOption = None,
    value: ValueOption = None,
    annotator: AnnotatorOption = None,
    lenient: LenientOption = False,
    codebook: CodebookOption = None,
    by: Annotated[
        SplitBy | None,
        typer.Option(
            "--by", help="Unit that is held out for dev and test; documents if not given."
        ),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            "--folds", min=3, help="Number of folds to split into; a single split if not given."
        ),
    ] = None,
    fold: Annotated[
        int | None,
        typer.Option(
            "--fold", min=0, help="Number of the fold used as test, from 0; 0 if not given."
        ),
    ] = None,
    adjudicate: Annotated[
        Adjudication | None,
        typer.Option(
            "--adjudicate",
            help="Resolve disagreement of annotators by majority, or also keep soft labels; majority if not given.",
        ),
    ] = None,
    adjudicator: Annotated[
        str | None,
        typer.Option(
            "--adjudicator",
            help="Annotator whose labels override the others'; none if not given.",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            min=0,
            help="Random seed of the split into train, dev and test; 13 if not given.",
        ),
    ] = None,
    corpora: Annotated[
        Path | None,
        typer.Option("--corpora", help="Folder of the public corpora; ./corpora if not given."),
    ] = None,
    no_teachers: Annotated[
        bool,
        typer.Option(
            "--no-teachers",
            help="Build without the soft labels of teachers, for example for evaluation.",
        ),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing dataset.")
    ] = False,
) -> None:
    """Build a dataset for training from annotated sentences or texts.

    Example: claimstance build export.json --role Speaker=source --by outlet --out dataset
    """
    from claimstance.inference.cli.tables import print_build
    from claimstance.training.data.build import check_can_write
    from claimstance.training.pipeline import build_configured_dataset

    check_exists("CONFIG|FILE", *inputs)
    check_exists("--codebook", codebook)
    source = source_options(data_format, task, target, column, role, value, annotator, lenient)
    if adjudicator and adjudicate:
        raise ConfigError("expected --adjudicate or --adjudicator, found both")
    adjudication = None
    if adjudicator:
        adjudication = "adjudicator"
    elif adjudicate:
        adjudication = adjudicate.value
    options = {
        "path": out and str(out),
        "corpora": corpora and str(corpora),
        "split.seed": seed,
        "split.by": by and by.value,
        "split.folds": folds,
        "split.fold": fold,
        "adjudicate": adjudication,
        "adjudicator": adjudicator,
        "codebook": codebook and str(codebook),
    }
    # Options that are not set must not override the values of a configuration.
    set_options = {key: value for key, value in options.items() if value is not None}
    config = data_config(inputs, source, set_options)
    if no_teachers:
        config = config.model_copy(update={"teachers": [], "hard_negatives": None})
    # Before any row is read: a build may take long, and would be in vain.
    check_can_write(config.path, overwrite)
    with progress("reading rows", None) as advance:
        report = build_configured_dataset(config, config.path, advance, overwrite)
    print_build(config.path, report.model_dump(mode="json"))


def convert(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Annotated files or folders of them.")
    ],
    to: Annotated[ConversionFormat, typer.Option("--to", help="Format of the output.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Output file; for brat, a folder.")],
    data_format: FormatOption = None,
    task: TaskOption = None,
    target: TargetOption = None,
    column: ColumnOption = None,
    role: RoleOption = None,
    value: ValueOption = None,
    annotator: AnnotatorOption = None,
    lenient: LenientOption = False,
) -> None:
    """Write annotated files in another format.

    Example: claimstance convert export.json --to brat --out annotated/
    """
    from claimstance.training.data.convert import convert as convert_files

    check_exists("FILE", *inputs)
    source = source_options(data_format, task, target, column, role, value, annotator, lenient)
    # A configuration may have several sources, but the output is one file.
    if inputs[0].suffix in (".yaml", ".yml"):
        raise ConfigError(f"FILE: expected annotated files, found the configuration '{inputs[0]}'")
    config = data_config(inputs, source)
    with progress("reading records", None) as advance:
        count, dropped = convert_files(config, to.value, out, advance)
    typer.echo(f"{printable(str(out))}: {plural(count, 'record')} written as {to.value}")
    for reason, number in dropped.items():
        typer.echo(f"left out: {number}: {printable(reason)}")


def source_options(
    data_format: str | None,
    task: str | None,
    target: str | None,
    columns: Iterable[str] | None,
    roles: Iterable[str] | None,
    values: Iterable[str] | None,
    annotator: str | None = None,
    lenient: bool = False,
) -> dict[str, Any]:
    """Return the options about files as keys of an entry in ``data.sources``, without the unset ones."""
    options = {
        "format": data_format,
        "task": task,
        "target": target,
        "columns": _parse_pairs("--column", columns),
        "roles": _parse_pairs("--role", roles),
        "values": _parse_pairs("--value", values, allow_empty_key=True),
        "annotator": annotator,
        "lenient": lenient,
    }
    return {key: value for key, value in options.items() if value}


def data_config(
    inputs: Sequence[Path], source: dict[str, Any], options: dict[str, Any] | None = None
) -> "DataConfig":
    """Load the data section of a configuration, or create one for annotated files.

    Args:
        inputs: one configuration, or annotated files.
        source: the result of ``source_options``.
        options: values of keys of the data section, such as ``split.by``.

    Raises:
        ConfigError: if a configuration is combined with files or their options, or if files have no ``path``.
    """
    from claimstance.training.load_config import load_config, parse_data_config

    options_by_key = options or {}
    if inputs[0].suffix in (".yaml", ".yml"):
        if len(inputs) > 1 or source:
            raise ConfigError(
                "expected either one CONFIG, or annotated files with their options, found both"
            )
        # JSON is YAML, too, in which the values of a configuration are parsed.
        overrides = [f"data.{key}={json.dumps(value)}" for key, value in options_by_key.items()]
        return load_config(inputs[0], overrides).data
    if options is not None and "path" not in options:
        raise ConfigError("expected --out DIR, the folder to build the dataset in, found none")
    # The configuration needs a folder for the dataset, which a conversion and a check do not write.
    section: dict[str, Any] = {
        "path": ".",
        "sources": [{"files": [str(path) for path in inputs], **source}],
    }
    for key, value in options_by_key.items():
        subsection, _, name = key.rpartition(".")
        if subsection:
            section.setdefault(subsection, {})[name] = value
        else:
            section[name] = value
    return parse_data_config(section, "the command line")


def _parse_pairs(
    option: str, arguments: Iterable[str] | None, allow_empty_key: bool = False
) -> dict[str, str]:
    """Parse the values ``KEY=VALUE`` of an option that may be set several times.

    Raises:
        ConfigError: if a value is not a pair.
    """
    pairs = {}
    for argument in arguments or ():
        key, equals, value = argument.partition("=")
        if not equals or not value or not (key or allow_empty_key):
            # A column is named by us first, other names by the files first.
            names = "OURS=THEIRS, such as text=sentence" if option == "--column" else "THEIRS=OURS"
            raise ConfigError(f"{option}: expected {names}, found '{argument}'")
        pairs[key] = value
    return pairs
