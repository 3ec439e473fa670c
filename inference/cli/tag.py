"""The command that tags articles."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from claimstance.inference.cli.console import (
    check_exists,
    check_model,
    check_outside_inputs,
    check_utf8,
    print_diagnostics,
    print_message,
    progress,
)
from claimstance.inference.cli.long_run import tag_into_folder
from claimstance.inference.cli.options import MinConfidenceOption, ModelOption, ThreadsOption
from claimstance.inference.cli.report import ReportRequest, write_report
from claimstance.inference.cli.tag_request import (
    Engine,
    TagRequest,
    check_page_output,
    check_parts_folder,
    check_report_output,
    choose_format,
    choose_ray_options,
    parts_folder_of,
)
from claimstance.inference.writers.formats import (
    TABLE_FORMATS,
    OutputFormat,
    RowKind,
    article_writer,
)
from claimstance.inference.writers.rows import has_sentence_columns
from claimstance.model.errors import ClaimstanceError, ConfigError
from claimstance.model.labels import TASKS

if TYPE_CHECKING:
    from claimstance.inference.tagger import Tagger
    from claimstance.inference.writers.text import Writer

#: A part of this many articles takes about a minute, the work that a killed run repeats.
_ARTICLES_PER_PART = 500


def tag(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT",
            help="Articles (.txt, .html, .pdf, .docx), corpora (.jsonl, .csv, .tsv, .parquet), folders of "
            "them, URLs, or - for standard input.",
        ),
    ],
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            "-t",
            help="Person, thing or topic to find stances on (several times); the entities of each article if not "
            "given.",
        ),
    ] = None,
    neutral: Annotated[
        bool,
        typer.Option(
            "--neutral",
            help="List every pair of holder and target that was scored; if not given, pairs that take a side, and "
            "neutral pairs only for the names and topics of --target.",
        ),
    ] = False,
    output_format: Annotated[
        OutputFormat | None,
        typer.Option(
            "--format",
            "-f",
            help="Output format; if not given, the one that the suffix of --out implies, else jsonl.",
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
        bool, typer.Option("--allow-network", help="Download inputs that are URLs.")
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
            help="Report on the corpus (.html), as the command report writes it; none if not given. It needs --out in "
            "JSON Lines, or in Parquet with --rows sentences.",
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

    # Everything that needs no model is checked first, so that a wrong call fails at once.
    targets = target or []
    chosen_format = choose_format(output_format, rows, out)
    parts_folder = parts_folder_of(chosen_format, out)
    if not all(name.strip() for name in targets):
        raise ConfigError("--target: expected a name or a topic, found a blank one")
    check_utf8("--target", *targets)
    check_utf8("--text-column, --id-column, --title-column", text_column, id_column, title_column)
    for name in inputs:
        check_address(name, allow_network)
        if name != "-" and not is_address(name):
            check_exists("INPUT", name)
    check_model("--model", model)
    check_parts_folder(parts_folder, inputs, restart or articles_per_part is not None)
    ray_options = choose_ray_options(engine, workers, ray_address, parts_folder)
    check_outside_inputs(out, inputs, SUFFIXES)
    if report is not None:
        check_report_output(report, chosen_format, rows, out)
    article_count = count_articles(inputs)
    if chosen_format is OutputFormat.html:
        check_page_output(out, article_count, inputs)

    # On Ray, further processors get workers of their own: each has one thread unless --threads gives it more.
    if ray_options is not None:
        threads = threads or 1
    tagger = Tagger.from_pretrained(model, threads, min_confidence)
    # Only the model shows whether the rows can be sentences, as a report needs them.
    if rows is None:
        rows = RowKind.sentences if has_sentence_columns(tagger.tasks) else RowKind.stances
        if report is not None:
            check_report_output(report, chosen_format, rows, out)
    _check_row_kind(tagger, chosen_format, rows)
    _print_notes(tagger, chosen_format, rows, bool(targets))
    request = TagRequest(
        inputs=inputs,
        columns=Columns(text_column, id_column, title_column),
        allow_network=allow_network,
        targets=targets,
        neutral=neutral,
        min_confidence=min_confidence,
        output_format=chosen_format,
        row_kind=rows,
        article_count=article_count,
        show=show,
    )
    if parts_folder is None:
        tagged, failed = _tag_into_file(request, out, tagger)
    else:
        size = articles_per_part or _ARTICLES_PER_PART
        tagged, failed = tag_into_folder(request, parts_folder, tagger, size, restart, ray_options)
    if report is not None and out is not None and tagged:
        write_report(ReportRequest([out], report))
    if failed:
        raise ClaimstanceError(
            f"not read: {failed} of {tagged + failed} inputs or lines; tagged: {tagged}"
        )


def _tag_into_file(request: TagRequest, out: Path | None, tagger: "Tagger") -> tuple[int, int]:
    """Tag into one file, a folder of pages or standard output.

    Returns:
        The number of tagged articles, and of inputs or lines that could not be read.
    """
    from claimstance.inference.articles.sources import read_articles
    from claimstance.model.text.mentions import has_capital

    # Only a name, which has a capital, can go unmentioned: topics are scored in every sentence.
    unmentioned: set[str] = set()
    if "stance" in tagger.tasks:
        unmentioned = {name for name in request.targets if has_capital(name)}

    tagged_count = failed = 0
    description = f"tagging with {tagger.model['name']}"
    prints_results = out is None or request.show
    with (
        progress(description, request.article_count, prints_results) as advance,
        _open_writer(request, out, tagger) as writer,
    ):
        articles = read_articles(request.inputs, request.columns, request.allow_network)
        for result in tagger.tag_all(articles, request.targets, neutral=request.neutral):
            if isinstance(result, ClaimstanceError):
                failed += 1
            else:
                tagged_count += 1
                if writer is not None:
                    writer.write(result)
                unmentioned -= {stance.target for stance in result.stances}
            print_diagnostics(result, request.show)
            advance(1)

    if tagged_count:
        for name in sorted(unmentioned):
            print_message(
                f"target '{name}': no sentence mentions it, so there is no stance on it; to score a topic in "
                "every sentence, write it without a capital",
                "warning",
            )
    return tagged_count, failed


@contextmanager
def _open_writer(
    request: TagRequest, out: Path | None, tagger: "Tagger"
) -> Iterator["Writer | None"]:
    """Open a writer of one file, of a folder of pages or of Label Studio tasks; ``None`` if tables are printed."""
    # With --show, tables take the place of the results on standard output.
    if out is None and request.show:
        yield None
        return
    # Each format imports only the modules it needs, so that the program starts fast.
    if request.output_format is OutputFormat.html:
        from claimstance.inference.pages.folder import open_pages

        with open_pages(out) as pages:
            yield pages
    elif request.output_format is OutputFormat.labelstudio:
        from claimstance.inference.writers.label_studio import open_tasks

        with open_tasks(out, tagger.tasks, tagger.labels) as tasks:
            yield tasks
    else:
        from claimstance.inference.writers.text import open_output

        with (
            open_output(out) as file,
            article_writer(
                request.output_format, request.row_kind, file, tasks=tagger.tasks
            ) as writer,
        ):
            yield writer


def _check_row_kind(tagger: "Tagger", output_format: OutputFormat, row_kind: RowKind) -> None:
    """Raise ``ConfigError`` if the model predicts nothing that a row could hold."""
    task = {RowKind.attributions: "attribution", RowKind.stances: "stance"}.get(row_kind)
    if output_format in TABLE_FORMATS and task is not None and task not in tagger.tasks:
        raise ConfigError(
            f"--rows {row_kind.value}: expected a model with the task {task}, found one that predicts only "
            f"{', '.join(tagger.tasks)}: use --rows sentences"
        )


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
