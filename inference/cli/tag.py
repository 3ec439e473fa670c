"""The command that tags articles; ``cli`` registers it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from claimstance.inference.cli.console import (
    complain,
    must_be_model,
    must_be_text,
    must_exist,
    must_not_read,
    progress,
)
from claimstance.inference.cli.options import Model, Threads
from claimstance.inference.writers.formats import (
    Format,
    Rows,
    check_pages,
    check_parts,
    choose_format,
    is_in_parts,
    open_writer,
)
from claimstance.inference.writers.rows import fills_sentences
from claimstance.model.errors import ClaimstanceError, ConfigError
from claimstance.model.labels import TASKS

if TYPE_CHECKING:
    from claimstance.inference.articles.sources import Columns
    from claimstance.inference.results import TaggedArticle
    from claimstance.inference.tagger import Tagger

_PART = 500  # articles: a minute or so of work, which is what a killed run does again


class Engine(str, Enum):
    """What tags a long run."""

    local = "local"
    ray = "ray"


@dataclass(frozen=True)
class _Asked:
    """What is to be tagged, and how."""

    inputs: list[str]
    columns: "Columns"
    network: bool
    targets: list[str]
    format: Format
    rows: Rows
    articles: int | None  # how many there are, where that is known
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
            help="Whom or what stances are wanted on (several times); entities if not given.",
        ),
    ] = None,
    output_format: Annotated[
        Format | None,
        typer.Option(
            "--format",
            "-f",
            help="What to write; if not given, what the name of --out ends in, else jsonl.",
        ),
    ] = None,
    rows: Annotated[
        Rows | None,
        typer.Option(
            "--rows",
            help="What a row of CSV or Parquet is (attributions: who says what); sentences if not given, "
            "stances of a model that reads these alone.",
        ),
    ] = None,
    text_column: Annotated[
        str | None,
        typer.Option(
            "--text-column", help="Of a corpus; text, body, content or article if not given."
        ),
    ] = None,
    id_column: Annotated[
        str | None, typer.Option("--id-column", help="doc_id or id if not given.")
    ] = None,
    title_column: Annotated[
        str | None, typer.Option("--title-column", help="title or headline if not given.")
    ] = None,
    allow_network: Annotated[
        bool, typer.Option("--allow-network", help="Fetch inputs that are addresses.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Where to write; standard output if not given. A folder (there already, or a name without "
            "a suffix) gets parts, and the same command goes on after whatever ended it.",
        ),
    ] = None,
    articles_per_part: Annotated[
        int | None,
        typer.Option("--articles-per-part", min=1, help=f"Of --out FOLDER; {_PART} if not given."),
    ] = None,
    restart: Annotated[
        bool,
        typer.Option(
            "--restart", help="Remove what --out FOLDER has of an earlier run, and begin anew."
        ),
    ] = False,
    engine: Annotated[
        Engine,
        typer.Option(
            "--engine",
            help="What tags for --out FOLDER: this process, or workers on Ray, on any machines.",
        ),
    ] = (Engine.local),
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            help="Of --engine ray, each with --threads processors (1 if not given); as many as there "
            "is room for if not given.",
        ),
    ] = None,
    ray_address: Annotated[
        str | None,
        typer.Option(
            "--ray-address",
            help="Of a Ray cluster, or auto; one is started here for the run if not given.",
        ),
    ] = None,
    model: Model = None,
    threads: Threads = None,
    show: Annotated[bool, typer.Option("--show", help="Print a table to read.")] = False,
) -> None:
    """Tag articles: who claims what, and who is for or against whom.

    Example: claimstance tag articles/ --target "Bashar al-Assad" --out tagged.jsonl

    A long run, in parts: claimstance tag news.jsonl --out tagged

    Who says what, as a table: claimstance tag articles/ --rows attributions --out said.csv

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

    chosen = choose_format(output_format, rows, out)
    in_parts = is_in_parts(chosen, out)
    if not all(name.strip() for name in target or ()):
        raise ConfigError("--target: expected a name or a topic, found a blank one")
    must_be_text("--target", *(target or ()))
    must_be_text("--text-column, --id-column, --title-column", text_column, id_column, title_column)
    for name in inputs:
        check_address(name, allow_network)
    must_exist("INPUT", *(name for name in inputs if name != "-" and not is_address(name)))
    must_be_model("--model", model)
    check_parts(
        out if in_parts else None, inputs, SUFFIXES, restart or articles_per_part is not None
    )
    on_ray = _on_ray(engine, workers, ray_address, out if in_parts else None)
    must_not_read(out, inputs, SUFFIXES)
    articles = count_articles(inputs)
    if chosen is Format.html:
        check_pages(out, articles, inputs)
    tagger = Tagger.from_pretrained(model, threads or 1 if on_ray else threads)
    if rows is None:
        rows = Rows.sentences if fills_sentences(tagger.tasks) else Rows.stances
    _tell_of_tasks(tagger, chosen, rows, bool(target))
    asked = _Asked(
        inputs,
        Columns(text_column, id_column, title_column),
        allow_network,
        target or [],
        chosen,
        rows,
        articles,
        show,
    )
    if out and in_parts:
        done, failed = _into_folder(asked, out, tagger, articles_per_part or _PART, restart, on_ray)
    else:
        done, failed = _into_file(asked, out, tagger)
    if failed:
        raise ClaimstanceError(
            f"not read: {failed} of {done + failed} inputs or lines; tagged: {done}"
        )


def _tell_of_tasks(tagger: "Tagger", chosen: Format, rows: Rows, has_targets: bool) -> None:
    """Say which tasks the model has, where a reader of the results could expect others."""
    if chosen in (Format.csv, Format.parquet) and len(tagger.tasks) < len(TASKS):
        tasks = ", ".join(tagger.tasks)
        complain(
            f"the model {tagger.model['name']} reads {tasks} alone: rows of {rows.value}, without columns of "
            "other tasks",
            "note",
        )
    if tagger.topics and not has_targets:
        complain(
            f"no --target: each sentence is asked about '{tagger.topics[0]}', the one topic that the model was trained "
            "on. It has seen no sentence about anything else: what it says of one means nothing",
            "note",
        )


def _on_ray(
    engine: Engine, workers: int | None, address: str | None, folder: Path | None
) -> dict[str, Any] | None:
    """How Ray is to be used, as ``ray_workers`` takes it; ``None`` if it is not.

    Raises:
        ConfigError: for what does not go together.
    """
    if engine is Engine.local:
        if workers is not None or address is not None:
            raise ConfigError(
                f"{'--workers' if workers else '--ray-address'}: goes with --engine ray alone"
            )
        return None
    if folder is None:
        raise ConfigError(
            "--engine: ray writes parts: expected --out FOLDER (a name without a suffix)"
        )
    return {"workers": workers, "address": address}


def _into_file(asked: _Asked, out: Path | None, tagger: "Tagger") -> tuple[int, int]:
    """How many articles were tagged into one file, a folder of pages or standard output, and how many not read."""
    from claimstance.inference.articles.sources import read_articles
    from claimstance.model.text.mentions import has_capital

    done = failed = 0
    unmet = {name for name in asked.targets if has_capital(name) and "stance" in tagger.tasks}
    written = (
        nullcontext()
        if asked.show and out is None
        else open_writer(asked.format, asked.rows, out, tagger)
    )
    with (
        progress("tagging", asked.articles, out is None or asked.show) as advance,
        written as writer,
    ):
        for tagged in tagger.tag_all(
            read_articles(asked.inputs, asked.columns, asked.network), asked.targets
        ):
            if isinstance(tagged, ClaimstanceError):
                failed += 1
            else:
                done += 1
                if writer:
                    writer.write(tagged)
                unmet -= {stance.target for stance in tagged.stances}
            _tell(tagged, asked.show)
            advance(1)
    for name in sorted(unmet) if done else ():
        complain(
            f"target '{name}': mentioned nowhere, so no stance toward it was asked for; a topic, asked for in "
            "every sentence, is written without a capital",
            "warning",
        )
    return done, failed


def _into_folder(
    asked: _Asked,
    out: Path,
    tagger: "Tagger",
    size: int,
    restart: bool,
    on_ray: dict[str, Any] | None,
) -> tuple[int, int]:
    """How many articles are tagged in a folder of parts, by this run and earlier ones, and how many were not read."""
    from claimstance.inference.articles.sources import read_articles
    from claimstance.inference.jobs.manifest import settings_of
    from claimstance.inference.jobs.run import Item, Tagged, Work, open_run
    from claimstance.inference.jobs.signals import stopping
    from claimstance.model.predictor import StoppedError

    settings = settings_of(
        asked.inputs, tagger, asked.targets, asked.format, asked.rows, asked.columns, size
    )
    with stopping(f"the same command goes on in '{out}'") as heard:
        with open_run(out, settings, restart) as run, ExitStack() as stack:
            advance = stack.enter_context(progress("tagging", asked.articles, asked.show))
            tag: Callable[[Iterable[Item]], Iterator[Tagged]] = partial(
                tagger.tag_all, targets=asked.targets, stop=heard.is_at_once
            )
            if on_ray and not run.manifest.complete:
                from claimstance.inference.jobs.ray_workers import ray_workers

                tag = stack.enter_context(
                    ray_workers(tagger, asked.targets, heard.is_at_once, **on_ray)
                )
            work = Work(tag, partial(_tell, show=asked.show), advance, tagger.tasks)
            try:
                run.go_on(read_articles(asked.inputs, asked.columns), work, heard)
            except StoppedError:
                heard.leave("ended at once")
        manifest = run.manifest
        if not manifest.complete:
            heard.leave(f"stopped with {manifest.articles:,} articles tagged")
    return manifest.articles, manifest.failed


def _tell(tagged: "TaggedArticle | ClaimstanceError", show: bool) -> None:
    """Say what was not read; of what was, what is odd, and with ``show`` a table."""
    if isinstance(tagged, ClaimstanceError):
        complain(str(tagged))
        return
    for warning in tagged.warnings:
        complain(f"{tagged.doc_id}: {warning}", "warning")
    if show:
        from claimstance.inference.cli import tables as summaries

        summaries.tagged(tagged)
