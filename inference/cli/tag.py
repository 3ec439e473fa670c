"""The command that tags articles."""

from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from claimstance.inference.cli.console import (
    check_exists,
    check_model,
    check_outside_inputs,
    check_utf8,
    print_message,
    progress,
)
from claimstance.inference.cli.options import MinConfidenceOption, ModelOption, ThreadsOption
from claimstance.inference.cli.outputs import (
    check_page_output,
    check_parts_folder,
    choose_format,
    is_parts_folder,
    open_writer,
)
from claimstance.inference.cli.report import ReportRequest, check_page, write_report
from claimstance.inference.writers.formats import TABLE_FORMATS, OutputFormat, RowKind
from claimstance.inference.writers.rows import has_sentence_columns
from claimstance.model.errors import ClaimstanceError, ConfigError
from claimstance.model.labels import TASKS

if TYPE_CHECKING:
    from claimstance.inference.articles.sources import Columns
    from claimstance.inference.jobs.run import TagItems
    from claimstance.inference.results import TaggedArticle
    from claimstance.inference.tagger import Tagger
    from claimstance.inference.writers.text import Writer

#: A part of this many articles takes about a minute, the work that a killed run repeats.
_ARTICLES_PER_PART = 500


class Engine(str, Enum):
    """Name the engines that tag a long run."""

    local = "local"
    ray = "ray"


@dataclass(frozen=True)
class RayOptions:
    """Configure the workers on Ray.

    Attributes:
        workers: their number; ``None`` for as many as fit.
        address: the address of a cluster; ``None`` to start one on this machine.
    """

    workers: int | None
    address: str | None


@dataclass(frozen=True)
class TagRequest:
    """Represent the articles to tag, the targets and the output.

    Attributes:
        inputs: files, folders, addresses or ``-``.
        columns: the columns of a corpus that are read.
        allow_network: whether addresses may be fetched.
        targets: the names and topics on which stances are predicted.
        neutral: whether to list the stances that take no side, too.
        min_confidence: the probability below which stances abstain; ``None`` for the model's limits.
        output_format: the format.
        row_kind: the kind of rows of a table.
        article_count: the number of articles; ``None`` if unknown.
        show: whether to print a table of each article.
    """

    inputs: list[str]
    columns: "Columns"
    allow_network: bool
    targets: list[str]
    neutral: bool
    min_confidence: float | None
    output_format: OutputFormat
    row_kind: RowKind
    article_count: int | None
    show: bool


def tag(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT",
            help="Articles (.txt, .html, .pdf, .docx), corpora (.jsonl, .csv, .tsv, .parquet), folders of "
            "them, addresses, or - for standard input.",
        ),
    ],
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            "-t",
            help="A person, thing or topic to find stances on (several times); entities if not given.",
        ),
    ] = None,
    neutral: Annotated[
        bool,
        typer.Option(
            "--neutral",
            help="List every pair of holder and target that was scored; if not given, those that take a side, and "
            "the neutral ones only for the names and topics of --target.",
        ),
    ] = False,
    output_format: Annotated[
        OutputFormat | None,
        typer.Option(
            "--format",
            "-f",
            help="Output format; if not given, the one that the name of --out implies, else jsonl.",
        ),
    ] = None,
    rows: Annotated[
        RowKind | None,
        typer.Option(
            "--rows",
            help="Kind of rows of CSV or Parquet (attributions: who says what); sentences if not given, "
            "or stances for a model that predicts nothing else.",
        ),
    ] = None,
    text_column: Annotated[
        str | None,
        typer.Option(
            "--text-column",
            help="Column of a corpus with the text; text, body, content or article if not given.",
        ),
    ] = None,
    id_column: Annotated[
        str | None,
        typer.Option("--id-column", help="Column with the id; doc_id or id if not given."),
    ] = None,
    title_column: Annotated[
        str | None,
        typer.Option(
            "--title-column", help="Column with the title; title or headline if not given."
        ),
    ] = None,
    allow_network: Annotated[
        bool, typer.Option("--allow-network", help="Fetch inputs that are addresses.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Output file or folder; standard output if not given. A folder (an existing one, or a name without "
            "a suffix) is written in parts, and the same command resumes an interrupted run.",
        ),
    ] = None,
    articles_per_part: Annotated[
        int | None,
        typer.Option(
            "--articles-per-part",
            min=1,
            help=f"Size of the parts in --out FOLDER; {_ARTICLES_PER_PART} if not given.",
        ),
    ] = None,
    restart: Annotated[
        bool,
        typer.Option(
            "--restart", help="Delete the parts of an earlier run in --out FOLDER and start again."
        ),
    ] = False,
    engine: Annotated[
        Engine,
        typer.Option(
            "--engine",
            help="Engine for --out FOLDER: this process, or workers on Ray, on one or more machines.",
        ),
    ] = Engine.local,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            help="Number of workers of --engine ray, each with --threads processors (1 if not given); as many as "
            "fit if not given.",
        ),
    ] = None,
    ray_address: Annotated[
        str | None,
        typer.Option(
            "--ray-address",
            help="Address of a Ray cluster, or auto; a cluster is started on this machine if not given.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            help="Report on the corpus to write as well (.html): who speaks and who stands where, see the command "
            "report. It needs --out in JSON Lines, or in Parquet with --rows sentences; none if not given.",
        ),
    ] = None,
    min_confidence: MinConfidenceOption = None,
    model: ModelOption = None,
    threads: ThreadsOption = None,
    show: Annotated[
        bool, typer.Option("--show", help="Print a table of each article, for reading.")
    ] = False,
) -> None:
    """Tag articles: who claims what, and who is for or against whom.

    Example: claimstance tag articles/ --target "Bashar al-Assad" --out tagged.jsonl

    A long run, in parts: claimstance tag news.jsonl --out tagged

    Who says what, as a table: claimstance tag articles/ --rows attributions --out said.csv

    With a report: claimstance tag news.jsonl --out tagged.jsonl --report report.html

    On a Ray cluster: claimstance tag news.parquet --out tagged --format parquet --engine ray --ray-address auto
    """
    from claimstance.inference.articles.sources import (
        SUFFIXES,
        Columns,
        check_address,
        count_articles,
        is_address,
    )
    from claimstance.inference.tagger import Tagger

    targets = target or []
    chosen_format = choose_format(output_format, rows, out)
    parts_folder = out if is_parts_folder(chosen_format, out) else None
    if not all(name.strip() for name in targets):
        raise ConfigError("--target: expected a name or a topic, found a blank one")
    check_utf8("--target", *targets)
    check_utf8("--text-column, --id-column, --title-column", text_column, id_column, title_column)
    for name in inputs:
        check_address(name, allow_network)
        if name != "-" and not is_address(name):
            check_exists("INPUT", name)
    check_model("--model", model)
    has_folder_options = restart or articles_per_part is not None
    check_parts_folder(parts_folder, inputs, SUFFIXES, has_folder_options)
    ray_options = _ray_options(engine, workers, ray_address, parts_folder)
    check_outside_inputs(out, inputs, SUFFIXES)
    if report is not None:
        _check_report(report, chosen_format, rows, out)
    article_count = count_articles(inputs)
    if chosen_format is OutputFormat.html:
        check_page_output(out, article_count, inputs)

    if ray_options is not None:
        threads = threads or 1
    tagger = Tagger.from_pretrained(model, threads, min_confidence)
    if rows is None:
        rows = RowKind.sentences if has_sentence_columns(tagger.tasks) else RowKind.stances
        if report is not None:
            _check_report(report, chosen_format, rows, out)
    _print_notes(tagger, chosen_format, rows, bool(targets))
    request = TagRequest(
        inputs,
        Columns(text_column, id_column, title_column),
        allow_network,
        targets,
        neutral,
        min_confidence,
        chosen_format,
        rows,
        article_count,
        show,
    )
    if parts_folder is not None:
        size = articles_per_part or _ARTICLES_PER_PART
        tagged, failed = _tag_into_folder(request, parts_folder, tagger, size, restart, ray_options)
    else:
        tagged, failed = _tag_into_file(request, out, tagger)
    if report is not None and out is not None and tagged:
        write_report(ReportRequest([out], report))
    if failed:
        raise ClaimstanceError(
            f"not read: {failed} of {tagged + failed} inputs or lines; tagged: {tagged}"
        )


def _check_report(
    report: Path, output_format: OutputFormat, rows: RowKind | None, out: Path | None
) -> None:
    """Raise ``ConfigError`` if a report cannot be made of the results; ``rows`` is ``None`` if not given."""
    check_page("--report", report)
    if out is None:
        found = "no --out"
    elif output_format not in (OutputFormat.jsonl, OutputFormat.parquet):
        found = f"--format {output_format.value}"
    elif rows not in (None, RowKind.sentences):
        found = f"Parquet with rows of {rows.value}"
    elif not out.is_dir() and not _has_suffix_of(output_format, out):
        # The report reads the results by their suffix.
        found = f"{output_format.value} in '{out}'"
    else:
        return
    raise ConfigError(
        f"--report: expected --out in JSON Lines, or in Parquet with --rows sentences, found {found}"
    )


def _has_suffix_of(output_format: OutputFormat, out: Path) -> bool:
    """Return whether the results in a file are read in the format in which they are written."""
    suffix = out.suffix.lower()
    if output_format is OutputFormat.parquet:
        return suffix in ("", ".parquet")  # a folder of parts has no suffix
    return suffix not in (".parquet", ".csv", ".tsv")


def _print_notes(
    tagger: "Tagger", output_format: OutputFormat, row_kind: RowKind, has_targets: bool
) -> None:
    """Print the limits of a model that a user of the results might not expect."""
    if output_format in TABLE_FORMATS and len(tagger.tasks) < len(TASKS):
        tasks = ", ".join(tagger.tasks)
        print_message(
            f"the model {tagger.model['name']} predicts only {tasks}: the rows are {row_kind.value}, without "
            "the columns of other tasks",
            "note",
        )
    if tagger.topics and not has_targets:
        print_message(
            f"no --target: the stance of each sentence is predicted on '{tagger.topics[0]}', the only topic of the "
            "model's training data. Its predictions on other topics mean nothing",
            "note",
        )


def _ray_options(
    engine: Engine, workers: int | None, address: str | None, parts_folder: Path | None
) -> RayOptions | None:
    """Return the options of Ray; ``None`` for the local engine.

    Raises:
        ConfigError: if the options contradict each other.
    """
    if engine is Engine.local:
        if workers is not None:
            raise ConfigError("--workers: expected --engine ray, found local")
        if address is not None:
            raise ConfigError("--ray-address: expected --engine ray, found local")
        return None
    if parts_folder is None:
        raise ConfigError(
            "--engine: ray writes parts: expected --out FOLDER (a name without a suffix)"
        )
    return RayOptions(workers, address)


def _tag_into_file(request: TagRequest, out: Path | None, tagger: "Tagger") -> tuple[int, int]:
    """Tag into one file, a folder of pages or standard output.

    Returns:
        The number of tagged articles, and of inputs or lines that could not be read.
    """
    from claimstance.inference.articles.sources import read_articles
    from claimstance.model.text.mentions import has_capital

    tagged_count = failed = 0
    # Only a name, which has a capital, can go unmentioned: topics are scored in every sentence.
    unmentioned: set[str] = set()
    if "stance" in tagger.tasks:
        unmentioned = {name for name in request.targets if has_capital(name)}
    # With --show, tables take the place of the results on standard output.
    output: AbstractContextManager[Writer | None] = nullcontext()
    if out is not None or not request.show:
        output = open_writer(request.output_format, request.row_kind, out, tagger)
    prints_results = out is None or request.show
    description = f"tagging with {tagger.model['name']}"
    with progress(description, request.article_count, prints_results) as advance, output as writer:
        articles = read_articles(request.inputs, request.columns, request.allow_network)
        for result in tagger.tag_all(articles, request.targets, neutral=request.neutral):
            if isinstance(result, ClaimstanceError):
                failed += 1
            else:
                tagged_count += 1
                if writer:
                    writer.write(result)
                unmentioned -= {stance.target for stance in result.stances}
            _print_messages(result, request.show)
            advance(1)
    if tagged_count:
        for name in sorted(unmentioned):
            print_message(
                f"target '{name}': no sentence mentions it, so there is no stance on it; to score a topic in "
                "every sentence, write it without a capital",
                "warning",
            )
    return tagged_count, failed


def _tag_into_folder(
    request: TagRequest,
    folder: Path,
    tagger: "Tagger",
    articles_per_part: int,
    restart: bool,
    ray_options: RayOptions | None,
) -> tuple[int, int]:
    """Tag into a folder of parts.

    Returns:
        The number of tagged articles, and of inputs or lines that could not be read, including those of
        earlier runs into the folder.
    """
    from claimstance.inference.articles.sources import read_articles
    from claimstance.inference.cli.signals import catch_signals
    from claimstance.inference.jobs.manifest import run_settings
    from claimstance.inference.jobs.ray_workers import ray_workers
    from claimstance.inference.jobs.run import RunCallbacks, open_run
    from claimstance.model.predictor import CancelledError

    settings = run_settings(
        request.inputs,
        tagger,
        request.targets,
        request.neutral,
        request.min_confidence,
        request.output_format,
        request.row_kind,
        request.columns,
        articles_per_part,
    )
    with catch_signals(f"the same command continues in '{folder}'") as signals:
        with open_run(folder, settings, restart) as run, ExitStack() as stack:
            description = f"tagging with {tagger.model['name']}"
            advance = stack.enter_context(
                progress(description, request.article_count, request.show)
            )
            # A complete run has nothing to tag, so no cluster is started.
            if ray_options is None or run.manifest.complete:
                tag_items: TagItems = partial(
                    tagger.tag_all,
                    targets=request.targets,
                    stop=signals.is_immediate,
                    neutral=request.neutral,
                )
            else:
                workers = ray_workers(
                    tagger,
                    request.targets,
                    signals.is_immediate,
                    ray_options.workers,
                    ray_options.address,
                    neutral=request.neutral,
                )
                tag_items = stack.enter_context(workers)
            callbacks = RunCallbacks(
                tag_items,
                partial(_print_messages, show=request.show),
                advance,
                signals.is_requested,
            )
            try:
                articles = read_articles(request.inputs, request.columns)
                run.tag_missing_parts(articles, callbacks, tagger.tasks)
            except CancelledError:
                signals.exit_if_requested("at once")
        manifest = run.manifest
        if not manifest.complete:
            signals.exit_if_requested(f"with {manifest.articles:,} articles tagged")
    return manifest.articles, manifest.failed


def _print_messages(result: "TaggedArticle | ClaimstanceError", show: bool) -> None:
    """Print an error, or the warnings of an article and with ``show`` its table."""
    if isinstance(result, ClaimstanceError):
        print_message(str(result))
        return
    for warning in result.warnings:
        print_message(f"{result.doc_id}: {warning}", "warning")
    if show:
        from claimstance.inference.cli.tables import print_article

        print_article(result)
