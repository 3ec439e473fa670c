"""The command line. It alone knows all parts; each command imports what it needs when it runs."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from claimstance.model.errors import ClaimstanceError, ConfigError

app = typer.Typer(
    help="Who claims what in the news, and where each source stands.", no_args_is_help=True,
    pretty_exceptions_enable=False, rich_markup_mode=None, context_settings={"help_option_names": ["-h", "--help"]},
)

Model = Annotated[Path | None, typer.Option("--model", help="Model folder; the bundled model if not given.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Where to write; standard output if not given.")]
Threads = Annotated[int | None, typer.Option("--threads", min=1, help="Processor threads; all cores if not given.")]


class Format(str, Enum):
    """What `tag` writes."""

    jsonl = "jsonl"
    csv = "csv"


class Rows(str, Enum):
    """What a row of CSV is."""

    sentences = "sentences"
    stances = "stances"


class Precision(str, Enum):
    """Of the encoder of an exported model."""

    int8 = "int8"
    float32 = "float32"


@app.callback()
def _options(verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say what is being done.")] = False) -> None:
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s: %(message)s")


@app.command()
def tag(
    inputs: Annotated[list[str], typer.Argument(
        metavar="INPUT...", help="Files ending in .txt or .jsonl, folders of them, or - for standard input.")],
    target: Annotated[list[str] | None, typer.Option(
        "--target", "-t", help="Whom or what stances are wanted on (several times); entities found if not given.")] = None,
    output_format: Annotated[Format, typer.Option("--format", "-f", help="What to write.")] = Format.jsonl,
    rows: Annotated[Rows, typer.Option("--rows", help="What a row of CSV is.")] = Rows.sentences,
    out: Out = None,
    model: Model = None,
    threads: Threads = None,
    show: Annotated[bool, typer.Option("--show", help="Print a table to read.")] = False,
) -> None:
    """Tag articles: claims, who says them, and where each source stands.

    Example: claimstance tag articles/ --target "Bashar al-Assad" --out tagged.jsonl
    """
    from rich.console import Console

    from claimstance.inference.articles import count_articles, read_articles
    from claimstance.inference.tagger import Tagger
    from claimstance.inference.writers import CsvWriter, JsonlWriter, open_output, table

    _must_exist([name for name in inputs if name != "-"], "INPUT")
    tagger = Tagger.from_pretrained(model, threads)
    unread = 0
    with _progress("tagging", count_articles(inputs)) as advance, open_output(out) as file:
        written = out is not None or not show
        writer = (JsonlWriter(file) if output_format is Format.jsonl else CsvWriter(file, rows.value)) if written else None
        for article in read_articles(inputs):
            if isinstance(article, ClaimstanceError):
                unread += 1
                _complain(str(article))
                continue
            tagged = tagger.tag(article.text, target or (), article.doc_id, article.title)
            for warning in tagged.warnings:
                _complain(f"{article.doc_id}: {warning}", "warning")
            if writer:
                writer.write(tagged)
            if show:
                Console(width=None if sys.stdout.isatty() else 140).print(table(tagged))
            advance(1)
    if unread:
        raise ClaimstanceError(f"{unread} of the inputs could not be read: the others were tagged")


@app.command()
def predict(
    rows: Annotated[Path, typer.Argument(metavar="ROWS.jsonl", help="Records, one a line.")],
    out: Out = None,
    model: Model = None,
    threads: Threads = None,
) -> None:
    """Read records, and write them with "predicted" added, in the same order.

    Example: claimstance predict rows.jsonl --out predicted.jsonl
    """
    from claimstance.inference.tagger import Tagger
    from claimstance.inference.writers import open_output
    from claimstance.model.record import read_jsonl

    _must_exist([str(rows)], "ROWS.jsonl")
    tagger = Tagger.from_pretrained(model, threads)
    # Labels are not looked at, so any will do.
    records = list(read_jsonl(rows, labels=None if model is None else tagger.labels))
    with _progress("predicting", len(records)) as advance, open_output(out) as file:
        for row in tagger.predict(records):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            advance(1)


@app.command()
def build(
    inputs: Annotated[list[Path], typer.Argument(
        metavar="CONFIG | FILE...", help="A configuration (.yaml), or annotated files (.jsonl, .csv, .tsv).")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the dataset; a CONFIG may name it.")] = None,
    task: Annotated[str | None, typer.Option("--task", help="What the label column is: claim, check_worthy, stance.")] = None,
    target: Annotated[str | None, typer.Option("--target", help="One stance target for all rows.")] = None,
    column: Annotated[list[str] | None, typer.Option(
        "--column", help="A column under another name: text=sentence, label=code (several times).")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the division into train, dev and test.")] = 13,
    corpora: Annotated[Path | None, typer.Option("--corpora", help="Folder of the public corpora.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a dataset that is there.")] = False,
) -> None:
    """Turn annotated sentences into a dataset to train on, with a report.

    Example: claimstance build labelled.csv --column text=sentence --out data
    """
    from claimstance.training.build import build as build_dataset
    from claimstance.training.build import check_target

    _must_exist([str(path) for path in inputs], "CONFIG | FILE")
    config = _data_config(inputs, out, task, target, column or [], seed, corpora)
    folder = out or config.path
    check_target(folder, overwrite)
    with _progress("reading rows", None) as advance:
        report = build_dataset(config, folder, progress=advance, overwrite=overwrite)
    from claimstance.inference.summaries import built

    built(folder, report.model_dump(mode="json"))


def _data_config(
    inputs: list[Path], out: Path | None, task: str | None, target: str | None, columns: list[str], seed: int,
    corpora: Path | None,
) -> Any:
    from claimstance.training.config import load_config, parse_data_config

    if inputs[0].suffix in (".yaml", ".yml"):
        if len(inputs) > 1 or task or target or columns:
            raise ConfigError("expected one CONFIG alone, or annotated files with their options")
        return load_config(inputs[0], [f"data.corpora={corpora}"] if corpora else []).data
    if out is None:
        raise ConfigError("expected --out DIR, the folder to build the dataset in")
    pairs = dict(pair.partition("=")[::2] for pair in columns)
    source = {"files": [str(path) for path in inputs], "task": task, "target": target, "columns": pairs}
    return parse_data_config({"path": out, "sources": [source], "split": {"seed": seed}}, "the call")


@app.command(context_settings={"allow_interspersed_args": True})
def train(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A configuration (.yaml).")],
    overrides: Annotated[list[str] | None, typer.Argument(
        metavar="[key=value]...", help="Values in place of the configuration's.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue from the last checkpoint.")] = False,
) -> None:
    """Fine-tune a model on a dataset; one that is described but not there yet is built first.

    Example: claimstance train configs/quickstart.yaml training.epochs=5 output=runs/mine
    """
    from claimstance.training.config import load_config
    from claimstance.training.run import run

    _must_exist([str(config)], "CONFIG")
    settings = load_config(config, overrides or [])
    folder = run(settings, resume)
    typer.echo(f"{folder}: trained and exported. Next: claimstance evaluate {folder} --data {settings.data.path}")


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Model folder, or 'bundled'.")],
    data: Annotated[Path, typer.Option("--data", help="Folder of a built dataset.")],
    split: Annotated[str, typer.Option("--split", help="Which split to score on.")] = "test",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for evaluation.json.")] = None,
    precision: Annotated[Precision | None, typer.Option(
        help="float32: the weights through torch, not the exported model.")] = None,
) -> None:
    """Score a model on held-out data, with 95 % intervals.

    Example: claimstance evaluate runs/mine --data data --split test
    """
    from claimstance.inference.summaries import evaluated
    from claimstance.training.run import score

    folder = None if model == "bundled" else Path(model)
    _must_exist([str(path) for path in (folder, data) if path], "MODEL or --data")
    with _progress("reading sentences", None) as advance:
        account = score(folder, data, split, precision is Precision.float32, advance)
    evaluated(account)
    if out is not None:
        from claimstance.inference.writers import open_output

        with open_output(out / "evaluation.json") as file:
            file.write(json.dumps(account, indent=2, ensure_ascii=False) + "\n")


@app.command()
def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Folder of a trained model.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Another folder for the exported model.")] = None,
    precision: Annotated[Precision, typer.Option(help="Of the encoder.")] = Precision.int8,
) -> None:
    """Export a trained model for onnxruntime.

    Example: claimstance export runs/mine --precision float32 --out exported
    """
    from claimstance.model.export import export as export_model

    _must_exist([str(model)], "MODEL")
    typer.echo(export_model(model, out, precision.value))


@app.command()
def info(model: Model = None) -> None:
    """Say what is installed, and what the model is.

    Example: claimstance info --model runs/mine
    """
    from claimstance.inference.summaries import about

    about(model)


def _must_exist(names: list[str], what: str) -> None:
    for name in names:
        if not Path(name).exists():
            raise typer.BadParameter(f"'{name}' does not exist", param_hint=what)


@contextmanager
def _progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error while it is a terminal; what it gives is called with each step's size."""
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task(what, total=total)
        yield lambda count: bars.advance(bar, count)


def _complain(message: str, kind: str = "error") -> None:
    typer.echo(f"{kind}: {message}", err=True)


def main() -> None:
    """Run the command line; expected errors become one line and an exit code (1: the work failed, 2: a wrong call)."""
    try:
        app()
    except ClaimstanceError as error:
        _complain(str(error))
        sys.exit(2 if isinstance(error, ConfigError) else 1)
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] in ("torch", "transformers", "datasets", "sklearn", "safetensors", "onnx"):
            _complain(f"this command needs '{error.name}': pip install 'claimstance[train]'")
            sys.exit(1)
        raise
    except BrokenPipeError:  # the reader of our output has had enough
        sys.stderr.close()
        sys.exit(0)
    except KeyboardInterrupt:
        _complain("interrupted")
        sys.exit(130)
