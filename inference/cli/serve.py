"""The command that answers requests; ``cli`` registers it."""

from typing import Annotated

import typer

from claimstance.inference.cli.console import must_be_model, stop

_MEGABYTE = 1 << 20
_NEEDED = ("fastapi", "prometheus_client", "starlette", "uvicorn")


def serve(
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="0: one that is free.")
    ] = 8000,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            help="Model folder, or a name on the Hugging Face hub, fetched before anything is answered; the "
            "bundled model if not given.",
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option("--threads", min=1, help="Processor threads; all cores if not given."),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            envvar="CLAIMSTANCE_TOKEN",
            help="What every request has to show; nothing if not given.",
        ),
    ] = None,
    no_token: Annotated[
        bool, typer.Option("--no-token", help="Let other machines ask without a token.")
    ] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            help="A name by which it is asked for, of a proxy, say (several times); those of "
            "this machine alone if not given.",
        ),
    ] = None,
    max_body: Annotated[
        float, typer.Option("--max-body", min=0.001, help="Size of a request, in MiB.")
    ] = 1.0,
    max_articles: Annotated[
        int | None,
        typer.Option(
            "--max-articles",
            min=1,
            help="Articles in flight, from which on others are told to come again (503); one "
            "a thread and one more if not given.",
        ),
    ] = None,
    max_pairs: Annotated[
        int,
        typer.Option(
            "--max-pairs",
            min=1,
            help="Stances that a request may ask about: those of its records, and the targets of its articles.",
        ),
    ] = 4096,
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout", min=0.1, help="Seconds for a request to arrive, and again to be answered."
        ),
    ] = 60.0,
) -> None:
    """Answer requests by HTTP, with a page to paste articles on.

    Example: claimstance serve --port 8000 --threads 2
    """
    try:
        from claimstance.inference.serving import run
        from claimstance.inference.serving.settings import Settings
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _NEEDED:
            raise
        stop(f"this needs '{error.name}': pip install 'claimstance[serve]'", 1)
    from claimstance.inference.tagger import Tagger

    must_be_model("--model", model)
    settings = Settings(
        host=host,
        port=port,
        token=token,
        anonymous=no_token,
        max_body=round(max_body * _MEGABYTE),
        max_articles=max_articles,
        max_pairs=max_pairs,
        timeout=timeout,
        names=tuple(name.lower() for name in allow_host or ()),
    )
    with run.listen(settings) as opened:
        address, at = opened.getsockname()[:2]
        url = f"http://[{address}]:{at}/" if ":" in address else f"http://{address}:{at}/"
        tagger = Tagger.from_pretrained(model, threads)
        run.serve(
            tagger,
            settings,
            opened,
            lambda: typer.echo(f"listening on {url} (Ctrl-C ends it)", err=True),
        )
