"""The command that starts the HTTP server."""

from typing import Annotated

import typer

from claimstance.inference.cli.console import check_model, exit_with_error
from claimstance.inference.cli.options import MODEL_HELP, MinConfidenceOption, ThreadsOption
from claimstance.model.bundled import FAST_MODEL

_MEBIBYTE = 1 << 20
#: Import names of the libraries that the extra ``serve`` installs.
_SERVE_LIBRARIES = ("fastapi", "prometheus_client", "starlette", "uvicorn")


def serve(
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 for any free one.")
    ] = 8000,
    # A server reads many articles within its limits of time and memory, which were measured with this model.
    model: Annotated[str, typer.Option("--model", help=MODEL_HELP)] = FAST_MODEL,
    threads: ThreadsOption = None,
    min_confidence: MinConfidenceOption = None,
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            envvar="CLAIMSTANCE_TOKEN",
            help="Token that every request must send; none if not given.",
        ),
    ] = None,
    no_token: Annotated[
        bool,
        typer.Option("--no-token", help="Accept requests from other machines without a token."),
    ] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            help="Host name that requests may use, such as that of a proxy (several times); only those of "
            "this machine if not given.",
        ),
    ] = None,
    max_body: Annotated[
        float, typer.Option("--max-body", min=0.001, help="Maximum size of a request, in MiB.")
    ] = 1.0,
    max_articles: Annotated[
        int | None,
        typer.Option(
            "--max-articles",
            min=1,
            help="Maximum number of articles in progress; further requests get status 503. One per thread "
            "and one more if not given.",
        ),
    ] = None,
    max_pairs: Annotated[
        int,
        typer.Option(
            "--max-pairs",
            min=1,
            help="Maximum number of stances per request: those of its records, and the targets of its articles.",
        ),
    ] = 4096,
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout",
            min=0.1,
            help="Maximum time for receiving a request, and again for answering it, in seconds.",
        ),
    ] = 60.0,
) -> None:
    """Start an HTTP server, with a page for pasting articles.

    Example: claimstance serve --port 8000 --threads 2
    """
    try:
        from claimstance.inference.serving import run
        from claimstance.inference.serving.settings import Settings
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _SERVE_LIBRARIES:
            raise
        exit_with_error(f"this needs '{error.name}': pip install 'claimstance[serve]'", 1)
    from claimstance.inference.tagger import Tagger

    check_model("--model", model)
    settings = Settings(
        host=host,
        port=port,
        token=token,
        anonymous=no_token,
        max_body=round(max_body * _MEBIBYTE),
        max_articles=max_articles,
        max_pairs=max_pairs,
        timeout=timeout,
        names=tuple(name.lower() for name in allow_host or ()),
    )
    run.limit_arenas()  # before any thread starts
    with run.listen(settings) as listener:
        address, actual_port = listener.getsockname()[:2]
        url_host = f"[{address}]" if ":" in address else address  # brackets for IPv6
        message = f"listening on http://{url_host}:{actual_port}/ (Ctrl-C ends it)"
        # The port is bound before the model is loaded: a port in use is an error at once.
        tagger = Tagger.from_pretrained(model, threads, min_confidence)
        run.serve(tagger, settings, listener, lambda: typer.echo(message, err=True))
