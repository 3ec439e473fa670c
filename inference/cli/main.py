"""The command line. It and its parts (``cli_…``) alone know all folders, and import what they need when they run."""

import io
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import typer

from claimstance.inference.cli import check as cli_check
from claimstance.inference.cli import data as cli_data
from claimstance.inference.cli import evaluate as cli_scores
from claimstance.inference.cli import serve as cli_serve
from claimstance.inference.cli import tag as cli_tag
from claimstance.inference.cli.console import must_be_model, must_exist, progress, show_log, stop
from claimstance.inference.cli.evaluate import Precision
from claimstance.inference.cli.help import Commands, Version
from claimstance.inference.cli.options import Model, Out, Threads
from claimstance.model.errors import ClaimstanceError, ConfigError, printable

#: What typer raises for a wrong call; from click or from its own copy of it, depending on its version.
UsageError: Any = typer.BadParameter.__base__
#: What the extra ``train`` brings, as it is imported; a test compares.
TRAINING = (
    "torch",
    "transformers",
    "accelerate",
    "datasets",
    "scipy",
    "sklearn",
    "safetensors",
    "onnx",
    "tensorboard",
    "matplotlib",
    "datasketch",
    "xxhash",
    "pyarrow",
    "filelock",
    "regex",
)

app = typer.Typer(
    cls=Commands,
    help="Who claims what in the news, and where each source stands.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _options(
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            "-v",
            help="Say what is being done; also, where no bar is shown, how far it is.",
        ),
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Say nothing but errors: no warnings, no bar.")
    ] = False,
    version: Version = False,
) -> None:
    if verbose and quiet:
        raise ConfigError("expected --verbose or --quiet, found both")
    show_log(verbose, quiet)


app.command()(cli_tag.tag)


@app.command()
def predict(
    rows: Annotated[Path, typer.Argument(metavar="ROWS.jsonl", help="Records, one a line.")],
    out: Out = None,
    model: Model = None,
    threads: Threads = None,
) -> None:
    """Add "predicted" to records, one a line, in the same order.

    Example: claimstance predict rows.jsonl --out predicted.jsonl
    """
    from claimstance.inference.articles.sources import read_records
    from claimstance.inference.tagger import Tagger
    from claimstance.inference.writers.text import open_output

    must_exist("ROWS.jsonl", rows)
    must_be_model("--model", model)
    records = list(read_records(rows))
    tagger = Tagger.from_pretrained(model, threads)
    with progress("predicting", len(records), out is None) as advance, open_output(out) as file:
        for row in tagger.predict(records):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            advance(1)


for command in (cli_data.init, cli_check.check, cli_data.build, cli_data.convert):
    app.command()(command)


@app.command(context_settings={"allow_interspersed_args": True})
def train(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A configuration (.yaml).")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="Values in place of the configuration's."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue from the last checkpoint, with the same data, labels and settings; from the beginning if "
            "there is none.",
        ),
    ] = False,
) -> None:
    """Train a model on a dataset, which is built first if need be.

    Example: claimstance train configs/quickstart.yaml training.epochs=5 output=runs/mine
    """
    from claimstance.inference.cli.tables import trained
    from claimstance.training.load_config import load_config
    from claimstance.training.pipeline import dev_figures, run

    must_exist("CONFIG", config)
    settings = load_config(config, overrides or [])
    with redirect_stdout(sys.stderr):  # the training library prints its progress
        folder = run(settings, resume, lambda: progress("reading rows", None))
    figures = dev_figures(folder)
    if figures is not None:
        trained(figures)
    next_step = f"claimstance evaluate {folder} --data {settings.data.path}"
    typer.echo(printable(f"{folder}: trained and exported. Next: {next_step}"))


app.command()(cli_scores.evaluate)
app.command()(cli_scores.compare)


@app.command()
def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Folder of a trained model.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder for the exported model; MODEL itself if not given."
        ),
    ] = None,
    precision: Annotated[Precision, typer.Option(help="Of the encoder.")] = Precision.int8,
) -> None:
    """Export a trained model for onnxruntime.

    Example: claimstance export runs/mine --precision float32 --out exported
    """
    from claimstance.model.onnx.export import export as export_model

    must_exist("MODEL", model)
    typer.echo(printable(str(export_model(model, out, precision.value))))


@app.command()
def info(model: Model = None) -> None:
    """Say what is installed, and what the model is.

    Example: claimstance info --model runs/mine
    """
    from claimstance.inference.cli.tables import about

    must_be_model("--model", model)
    about(model)


app.command()(cli_serve.serve)


def main() -> None:
    """Run the command line; expected errors become one line and an exit code (1: the work failed, 2: a wrong call)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(
            encoding="utf-8", newline=""
        )  # results are the same whatever the locale
    try:
        sys.exit(app(prog_name="claimstance", standalone_mode=False))
    except ClaimstanceError as error:
        stop(str(error), 2 if isinstance(error, ConfigError) else 1)
    except UsageError as error:
        if len(sys.argv) < 2:
            sys.exit(error.show() or 2)  # the error is the help
        stop(
            f"{error.format_message()} (see {error.ctx.command_path if error.ctx else 'claimstance'} --help)",
            2,
        )
    except ModuleNotFoundError as error:
        if not error.name or error.name.partition(".")[0] not in TRAINING:
            raise
        stop(f"this command needs '{error.name}': pip install 'claimstance[train]'", 1)
    except (KeyboardInterrupt, typer.Abort):  # newer versions of typer exit with 130 by themselves
        stop("interrupted", 130)
    except OSError as error:
        stop(f"{error.filename or 'input or output'}: {error.strerror or error}", 1)
