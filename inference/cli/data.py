"""The commands that make a dataset of annotated files; ``cli`` registers them."""

import json
import shlex
from collections.abc import Iterable, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from claimstance.inference.cli.console import must_exist, progress
from claimstance.model.errors import ConfigError, printable

if TYPE_CHECKING:
    from claimstance.training.data.config import DataConfig

# What the commands ask of annotated files.
Inputs = Annotated[
    list[Path],
    typer.Argument(
        metavar="CONFIG|FILE",
        help="Annotated files or folders of them, or a configuration (.yaml) that lists them.",
    ),
]
DataFormat = Annotated[
    str | None, typer.Option("--format", "-f", help="Format of the files; recognised if not given.")
]
Task = Annotated[
    str | None,
    typer.Option(
        "--task",
        help="What labels are of: claim, check_worthy, subjective or stance; if not given, stance where there is "
        "a target, else claim.",
    ),
]
Target = Annotated[
    str | None,
    typer.Option("--target", help="One stance target for all rows; each row's own if not given."),
]
Column = Annotated[
    list[str] | None,
    typer.Option(
        "--column", help="A column under another name: text=sentence, label=code (several times)."
    ),
]
Role = Annotated[
    list[str] | None,
    typer.Option(
        "--role", help="What a label or question of the files is: Sprecher=source (several times)."
    ),
]
Value = Annotated[
    list[str] | None,
    typer.Option(
        "--value",
        help="What a label value of the files is: Positive=favor, or =neutral for a blank one (several times).",
    ),
]
Annotator = Annotated[
    str | None,
    typer.Option(
        "--annotator",
        help="Who annotated, where the files do not say so ({file}: each file is called after its person); "
        "nobody named if not given.",
    ),
]
Codebook = Annotated[
    Path | None,
    typer.Option(
        "--codebook", help="What defines the labels (.yaml); nothing is held to one if not given."
    ),
]
Lenient = Annotated[
    bool, typer.Option("--lenient", help="Leave out and count what cannot be used.")
]


class By(str, Enum):
    """What a division holds out."""

    document = "document"
    outlet = "outlet"
    date = "date"
    target = "target"


class Adjudicate(str, Enum):
    """How several annotators of a sentence become one."""

    majority = "majority"
    soft = "soft"


class Written(str, Enum):
    """What `convert` writes."""

    jsonl = "jsonl"
    brat = "brat"
    labelstudio = "labelstudio"
    conll = "conll"


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where to write; here if not given.")
    ] = Path(),
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels",
            help="Label names: favor,against,neutral; the task's default ones if not given.",
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            help="What is annotated: stance, claim, check_worthy, subjective or attribution; what --labels are "
            "of, else stance, if not given.",
        ),
    ] = None,
) -> None:
    """Write a configuration and a codebook to begin with.

    Example: claimstance init study --labels favor,against,neutral
    """
    from claimstance.training.scaffold import write_starter

    names = [] if labels is None else [name.strip() for name in labels.split(",")]
    config, codebook = write_starter(folder, task, names)
    typer.echo(
        f"{printable(f'{config}, {codebook}')}: written. Read both, write down what your labels mean, and put "
        "your annotated\n"
        "sentences into annotations.jsonl beside them (or name another file in data.sources). Next:"
    )
    steps = (
        "check config.yaml",
        "build config.yaml",
        "train config.yaml",
        "evaluate runs/own --data dataset",
    )
    if folder.resolve() != Path.cwd():
        typer.echo(f"  cd {printable(shlex.quote(str(folder)))}")
    for step in steps:
        typer.echo(f"  claimstance {step}")


def build(
    inputs: Inputs,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder of the dataset; the one that CONFIG names if not given."
        ),
    ] = None,
    data_format: DataFormat = None,
    task: Task = None,
    target: Target = None,
    column: Column = None,
    role: Role = None,
    value: Value = None,
    annotator: Annotator = None,
    lenient: Lenient = False,
    codebook: Codebook = None,
    by: Annotated[
        By | None, typer.Option("--by", help="What test and dev hold out; documents if not given.")
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option("--folds", min=3, help="Divide into so many folds; once if not given."),
    ] = None,
    fold: Annotated[
        int | None,
        typer.Option("--fold", min=0, help="Which fold is test, from 0; 0 if not given."),
    ] = None,
    adjudicate: Annotated[
        Adjudicate | None,
        typer.Option(
            "--adjudicate",
            help="Annotators who differ: by majority, or soft labels, too; majority if not given.",
        ),
    ] = None,
    adjudicator: Annotated[
        str | None,
        typer.Option(
            "--adjudicator",
            help="The annotator whose word counts; nobody's does alone if not given.",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed", min=0, help="Of the division into train, dev and test; 13 if not given."
        ),
    ] = None,
    corpora: Annotated[
        Path | None,
        typer.Option("--corpora", help="Folder of the public corpora; ./corpora if not given."),
    ] = None,
    no_teachers: Annotated[
        bool, typer.Option("--no-teachers", help="Leave out soft labels: to evaluate on.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a dataset that is there.")
    ] = False,
) -> None:
    """Make a dataset to train on from annotated sentences or texts.

    Example: claimstance build export.json --role Speaker=source --by outlet --out dataset
    """
    from claimstance.inference.cli.tables import built
    from claimstance.training.data.build import check_target
    from claimstance.training.pipeline import build_and_teach

    must_exist("CONFIG|FILE", *inputs)
    must_exist("--codebook", codebook)
    source = source_options(data_format, task, target, column, role, value, annotator, lenient)
    options = {
        "path": out and str(out),
        "corpora": corpora and str(corpora),
        "split.seed": seed,
        "split.by": by and by.value,
        "split.folds": folds,
        "split.fold": fold,
        "adjudicate": "adjudicator" if adjudicator else adjudicate and adjudicate.value,
        "adjudicator": adjudicator,
        "codebook": codebook and str(codebook),
    }
    if adjudicator and adjudicate:
        raise ConfigError("expected --adjudicate or --adjudicator, found both")
    config = data_config(
        inputs, source, {key: given for key, given in options.items() if given is not None}
    )
    if no_teachers:
        config = config.model_copy(update={"teachers": []})
    check_target(config.path, overwrite)
    with progress("reading rows", None) as advance:
        report = build_and_teach(config, config.path, advance, overwrite)
    built(config.path, report.model_dump(mode="json"))


def convert(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Annotated files or folders of them.")
    ],
    to: Annotated[Written, typer.Option("--to", help="Format to write.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write; with brat, a folder.")],
    data_format: DataFormat = None,
    task: Task = None,
    target: Target = None,
    column: Column = None,
    role: Role = None,
    value: Value = None,
    annotator: Annotator = None,
    lenient: Lenient = False,
) -> None:
    """Write annotated files in another format.

    Example: claimstance convert export.json --to brat --out annotated/
    """
    from claimstance.training.data.convert import convert as convert_files

    must_exist("FILE", *inputs)
    source = source_options(data_format, task, target, column, role, value, annotator, lenient)
    if inputs[0].suffix in (".yaml", ".yml"):
        raise ConfigError(f"FILE: expected annotated files, found the configuration '{inputs[0]}'")
    config = data_config(inputs, source)
    with progress("reading records", None) as advance:
        count, dropped = convert_files(config, to.value, out, advance)
    typer.echo(f"{printable(str(out))}: {count} records written as {to.value}")
    for reason, number in dropped.items():
        typer.echo(f"left out: {number}: {printable(reason)}")


def source_options(
    data_format: str | None,
    task: str | None,
    target: str | None,
    column: Iterable[str] | None,
    role: Iterable[str] | None,
    value: Iterable[str] | None,
    annotator: str | None = None,
    lenient: bool = False,
) -> dict[str, Any]:
    """What a call says of its files, as a source of ``data.sources`` has it; what it leaves open is absent."""
    options = {
        "format": data_format,
        "task": task,
        "target": target,
        "columns": _pairs("--column", column),
        "roles": _pairs("--role", role),
        "values": _pairs("--value", value, blank=True),
        "annotator": annotator,
        "lenient": lenient,
    }
    return {key: given for key, given in options.items() if given}


def data_config(
    inputs: Sequence[Path], source: dict[str, Any], options: dict[str, Any] | None = None
) -> "DataConfig":
    """The data section of a configuration, or one for files, with ``options`` (``split.by``: …) put in.

    Raises:
        ConfigError: for a configuration beside other files or their options; for files without ``path``.
    """
    from claimstance.training.load_config import load_config, parse_data_config

    if inputs[0].suffix in (".yaml", ".yml"):
        if len(inputs) > 1 or source:
            raise ConfigError("expected one CONFIG alone, or annotated files with their options")
        overrides = [f"data.{key}={json.dumps(given)}" for key, given in (options or {}).items()]
        return load_config(inputs[0], overrides).data
    if options is not None and "path" not in options:
        raise ConfigError("expected --out DIR, the folder to build the dataset in, found none")
    plain: dict[str, Any] = {
        "path": ".",
        "sources": [{"files": [str(path) for path in inputs], **source}],
    }
    for key, given in (options or {}).items():
        section, _, name = key.rpartition(".")
        (plain.setdefault(section, {}) if section else plain)[name] = given
    return parse_data_config(plain, "the call")


def _pairs(option: str, given: Iterable[str] | None, blank: bool = False) -> dict[str, str]:
    """Return the pairs of an option that is given several times; with ``blank``, a pair may begin with ``=``."""
    for pair in given or ():
        theirs, equals, ours = pair.partition("=")
        if not equals or not ours or not (theirs or blank):
            names = "OURS=THEIRS, such as text=sentence" if option == "--column" else "THEIRS=OURS"
            raise ConfigError(f"{option}: expected {names}, found '{pair}'")
    return dict(pair.partition("=")[::2] for pair in given or ())
