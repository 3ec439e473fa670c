"""The command line: it registers the commands and turns expected errors into messages and exit codes.

Only the modules in ``inference/cli`` know all parts of the program. Commands import what they need
when they run, so that ``--help`` and tagging start fast and tagging works without torch.
"""

import io
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from claimstance.inference.cli import check as cli_check
from claimstance.inference.cli import data as cli_data
from claimstance.inference.cli import evaluate as cli_evaluate
from claimstance.inference.cli import report as cli_report
from claimstance.inference.cli import serve as cli_serve
from claimstance.inference.cli import tag as cli_tag
from claimstance.inference.cli.console import (
    check_exists,
    check_model,
    configure_logging,
    exit_with_error,
    progress,
)
from claimstance.inference.cli.evaluate import ExportPrecision
from claimstance.inference.cli.options import (
    MinConfidenceOption,
    ModelOption,
    OutOption,
    ThreadsOption,
    VersionOption,
)
from claimstance.model.errors import ClaimstanceError, ConfigError, printable

#: The class of wrong calls, which is click's or typer's own, depending on the version of typer.
UsageError: Any = typer.BadParameter.__base__
#: Import names of the libraries that the extra ``train`` installs. A test compares them with the imports.
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
    "tqdm",
)
_EXAMPLE = "\n\nExample: "
_NO_WRAP = "\b\n"  # click's mark before a paragraph that keeps its line ends


class CommandGroup(TyperGroup):
    """Show the example in a command's help on one line, so that it can be copied."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the name, the command and its remaining arguments."""
        name, command, arguments = super().resolve_command(ctx, args)
        if command is not None and command.help and _NO_WRAP not in command.help:
            command.help = command.help.replace(_EXAMPLE, f"\n\n{_NO_WRAP}{_EXAMPLE.lstrip()}")
        return name, command, arguments


app = typer.Typer(
    cls=CommandGroup,
    help="Find out who claims what in the news, and where each source stands.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _set_verbosity(
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            "-v",
            help="Log each step, and the progress if no progress bar can be shown.",
        ),
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show only errors: no warnings, no progress bar.")
    ] = False,
    version: VersionOption = False,
) -> None:
    """Apply the options that stand before a command."""
    if verbose and quiet:
        raise ConfigError("expected --verbose or --quiet, found both")
    configure_logging(verbose, quiet)


# Commands are registered in the order in which --help lists them.
app.command()(cli_tag.tag)
app.command()(cli_report.report)
app.command()(cli_report.sample)


@app.command()
def predict(
    rows: Annotated[Path, typer.Argument(metavar="ROWS.jsonl", help="Records, one per line.")],
    out: OutOption = None,
    model: ModelOption = None,
    threads: ThreadsOption = None,
    min_confidence: MinConfidenceOption = None,
) -> None:
    """Add "predicted" to records, one per line, in the same order.

    Example: claimstance predict rows.jsonl --out predicted.jsonl
    """
    from claimstance.inference.articles.sources import read_records
    from claimstance.inference.tagger import Tagger
    from claimstance.inference.writers.text import open_output

    check_exists("ROWS.jsonl", rows)
    check_model("--model", model)
    records = list(read_records(rows))
    tagger = Tagger.from_pretrained(model, threads, min_confidence)
    description = f"predicting with {tagger.model['name']}"
    with progress(description, len(records), out is None) as advance, open_output(out) as file:
        for row in tagger.predict(records):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            advance(1)


app.command()(cli_data.init)
app.command()(cli_check.check)
app.command()(cli_data.build)
app.command()(cli_data.convert)


@app.command(context_settings={"allow_interspersed_args": True})
def train(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG", help="Path of a configuration (.yaml).")
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="Values that replace those of the configuration."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue from the last checkpoint, with the same data, labels and settings; start from the "
            "beginning if there is none.",
        ),
    ] = False,
) -> None:
    """Train a model on a dataset, which is built first if missing.

    Example: claimstance train configs/quickstart.yaml training.epochs=5 output=runs/mine
    """
    from claimstance.inference.cli.tables import print_training
    from claimstance.training.load_config import load_config
    from claimstance.training.pipeline import run
    from claimstance.training.training_report import dev_figures

    check_exists("CONFIG", config)
    settings = load_config(config, overrides or [])
    # The training library prints its progress to standard output, which is for results.
    with redirect_stdout(sys.stderr):
        folder = run(settings, resume, lambda: progress("reading rows", None))
    figures = dev_figures(folder)
    if figures is not None:
        print_training(figures["results"], figures["baselines"])
    next_step = f"claimstance evaluate {folder} --data {settings.data.path}"
    typer.echo(printable(f"{folder}: trained and exported. Next: {next_step}"))


app.command()(cli_evaluate.evaluate)
app.command()(cli_evaluate.compare)


@app.command()
def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Folder of a trained model.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder for the exported model; MODEL itself if not given."
        ),
    ] = None,
    precision: Annotated[
        ExportPrecision,
        typer.Option(
            help="Number format of the weights: int8-compact has coarser steps and compresses better, for "
            "large encoders."
        ),
    ] = ExportPrecision.int8,
    largest_file: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="MB",
            help="Size from which the encoder is divided into several files, such as 45 for a code host that limits "
            "file sizes; one file if not given.",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            help="Folder of a built dataset; int8-compact uses its train sentences to lose less accuracy; "
            "none if not given.",
        ),
    ] = None,
) -> None:
    """Export a trained model for onnxruntime.

    Example: claimstance export runs/mine --precision float32 --out exported
    """
    from claimstance.model.onnx.export import export as export_model

    check_exists("MODEL", model)
    check_exists("--data", data)
    texts = []
    if data is not None:
        from claimstance.training.data.dataset import load_records

        texts = [record.text for record in load_records(data, "train")]
    max_file_bytes = None if largest_file is None else largest_file * 1_000_000
    folder = export_model(model, out, precision.value, None, max_file_bytes, texts)
    typer.echo(printable(str(folder)))


@app.command()
def info(model: ModelOption = None) -> None:
    """Show the installed version, the extras and the model.

    Example: claimstance info --model runs/mine
    """
    from claimstance.inference.cli.tables import print_info

    check_model("--model", model)
    print_info(model)


app.command()(cli_serve.serve)


def main() -> None:
    """Run the command line.

    Expected errors become one message and an exit code: 1 if the work failed, 2 for a wrong call.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Results must be the same whatever the locale and the system's line ends.
        sys.stdout.reconfigure(encoding="utf-8", newline="")
    try:
        sys.exit(app(prog_name="claimstance", standalone_mode=False))
    except ClaimstanceError as error:
        exit_with_error(str(error), 2 if isinstance(error, ConfigError) else 1)
    except UsageError as error:
        if len(sys.argv) < 2:  # the "error" is the help text
            sys.exit(error.show() or 2)
        command = error.ctx.command_path if error.ctx else "claimstance"
        exit_with_error(f"{error.format_message()} (see {command} --help)", 2)
    except ModuleNotFoundError as error:
        if not error.name or error.name.partition(".")[0] not in TRAINING:
            raise
        exit_with_error(f"this command needs '{error.name}': pip install 'claimstance[train]'", 1)
    except (KeyboardInterrupt, typer.Abort):  # newer versions of typer exit with 130 themselves
        exit_with_error("interrupted", 130)
    except OSError as error:
        exit_with_error(f"{error.filename or 'input or output'}: {error.strerror or error}", 1)


if __name__ == "__main__":
    main()
