"""FastAPI application: the paths of the server and their answers."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, PlainTextResponse
from starlette.exceptions import HTTPException

from claimstance.inference.articles.isolation import LIMITS, Limits
from claimstance.inference.articles.sources import Article
from claimstance.inference.pages.article_page import render_form, render_page
from claimstance.inference.results import TaggedArticle
from claimstance.inference.serving.access import Guard
from claimstance.inference.serving.bodies import BodyLimits
from claimstance.inference.serving.description import ABOUT, RESPONSES, PredictedRecord
from claimstance.inference.serving.form import SUFFIXES, PastedForm, parse_pasted, read_pasted
from claimstance.inference.serving.metrics import Metrics
from claimstance.inference.serving.problems import (
    CLIENT_CLOSED_REQUEST,
    Refusal,
    invalid_field,
    problem_response,
)
from claimstance.inference.serving.requests import Articles, AskedArticle, JsonRoute, Records
from claimstance.inference.serving.settings import Settings
from claimstance.inference.serving.worker import Begin, Worker
from claimstance.inference.tagger import Tagger
from claimstance.model.article.record_prediction import contexts
from claimstance.model.encoding import ShouldCancel
from claimstance.model.errors import ClaimstanceError
from claimstance.model.io.validation import first_problem

_CLOSING_SECONDS = 5.0  # for threads to end once every request is answered
_FILE_WORKERS = 2  # files parsed at a time, each in a process with its own memory limit
_GRACE_SECONDS = 1.0  # for a process to end that has reached its time limit
_PAGE_HEADERS = {
    # Nothing is loaded from other sites. Each page has a stricter policy with the hashes of its style and script.
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "cache-control": "private, no-cache",  # "Back" in the browser shows the typed text again
}


class Server:
    """Answer the requests of all paths, which share the model, the worker, the limits and the metrics.

    Attributes:
        is_leaving: true during shutdown, when requests are answered but no more should arrive.
    """

    def __init__(self, tagger: Tagger, settings: Settings) -> None:
        self.tagger = tagger
        self.settings = settings
        self.metrics = Metrics()
        # One article ahead per thread: those who wait should be answered soon.
        limit = settings.max_articles or tagger.threads + 1
        self.worker = Worker(tagger.threads, limit, self.metrics)
        self.is_leaving = False
        self._documents = ThreadPoolExecutor(_FILE_WORKERS, "documents")

    async def read(self, request: Request, begins: Sequence[Begin]) -> list[Any]:
        """Return the results of ``begins``; cancel them at the timeout, or when the client disconnects."""
        work = asyncio.ensure_future(self.worker.read(begins))

        async def wait_for_disconnect() -> None:
            # The body has been read already: the only further message is this one.
            while (await request.receive())["type"] != "http.disconnect":
                pass

        disconnect = asyncio.ensure_future(wait_for_disconnect())
        seconds = self.settings.timeout
        try:
            await asyncio.wait(
                (work, disconnect), timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if work.done():
                return work.result()
            if disconnect.done():
                raise Refusal(CLIENT_CLOSED_REQUEST, "the client left")
            raise Refusal(
                504, f"timeout: expected to be done within {seconds:g} s; ask for less at once"
            )
        finally:
            for task in (work, disconnect):
                task.cancel()

    async def tag(self, request: Request, articles: Articles) -> Response:
        """Tag an article, or each of a list: sentences, claims, attributions and stances."""
        batch = articles if isinstance(articles, list) else [articles]
        self._check_pairs(sum(len(article.targets) for article in batch))

        def begin(article: AskedArticle, should_cancel: ShouldCancel) -> Callable[[], bytes]:
            finish = self.tagger.begin(
                article.article(), article.targets, should_cancel, article.neutral
            )
            return lambda: _encode_json(self._count(finish()).to_dict())

        begins = [partial(begin, article) for article in batch]
        results = await self.read(request, begins)
        return _json(results, isinstance(articles, list))

    async def predict(self, request: Request, records: Records) -> Response:
        """Add "predicted" to a record, or to each of a list. Records of one document are its context."""
        batch = records if isinstance(records, list) else [records]
        self._check_pairs(sum(len(record.stances or ()) for record in batch))

        def begin(
            document: Sequence[int], should_cancel: ShouldCancel
        ) -> Callable[[], list[bytes]]:
            """Start to predict the records of a document; return a function that waits for the rows."""
            finish = self.tagger.begin_records(
                [batch[number] for number in document], should_cancel
            )

            def encode_rows() -> list[bytes]:
                predicted = finish()
                self.metrics.records.inc(len(predicted))
                return [_encode_json(row) for row in predicted]

            return encode_rows

        documents = contexts(batch)
        predictions = await self.read(request, [partial(begin, document) for document in documents])
        # Documents may interleave in the request; the answer has the order of the request.
        rows: dict[int, bytes] = {}
        for document, predicted in zip(documents, predictions, strict=True):
            rows.update(zip(document, predicted, strict=True))
        in_order = [rows[number] for number in range(len(batch))]
        return _json(in_order, isinstance(records, list))

    async def form(self) -> Response:
        """Return the page with the form for an article."""
        return self._form(200)

    async def paste(self, request: Request) -> Response:
        """Return the page of a pasted article, or the form with an error message."""
        typed: tuple[str, list[str]] = "", []
        neutral = False
        try:
            body = await request.body()
            # Parsing a large form would block the event loop.
            content_type = request.headers["content-type"]
            pasted = await asyncio.to_thread(parse_pasted, content_type, body)
            neutral = pasted.neutral
            article, targets = await self._read_pasted(pasted)
            typed = article.text, targets
            self._check_pairs(len(targets))

            def begin(should_cancel: ShouldCancel) -> Callable[[], str]:
                finish = self.tagger.begin(article, targets, should_cancel, neutral)
                return lambda: render_page(self._count(finish()), back="/")

            (page,) = await self.read(request, [begin])
        except Refusal as refusal:
            return self._form(
                refusal.status_code,
                refusal.detail,
                *typed,
                neutral=neutral,
                headers=dict(refusal.headers or {}),
            )
        return HTMLResponse(page, headers=_PAGE_HEADERS)

    async def health(self) -> Response:
        """Return 200 while the worker thread is alive."""
        if not (self.worker.is_alive or self.is_leaving):
            raise Refusal(500, "the worker thread has ended")
        return _json([b'{"status": "ok"}'], False)

    async def ready(self) -> Response:
        """Return 200 while requests are let in: neither at the limit of articles nor during shutdown."""
        if self.is_leaving:
            raise Refusal(503, "the server is shutting down")
        self.worker.check()
        return _json([b'{"status": "ready"}'], False)

    async def figures(self) -> Response:
        """Return the metrics in Prometheus' text format."""
        return Response(self.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    def _check_pairs(self, count: int) -> None:
        """Refuse a request with more stances than the memory limit allows."""
        limit = self.settings.max_pairs
        if count > limit:
            raise invalid_field(
                "body",
                f"expected at most {limit} stances to be asked about in a request (targets of "
                f"articles, stances of records), found {count}; send several requests",
            )

    async def _read_pasted(self, pasted: PastedForm) -> tuple[Article, list[str]]:
        """Return the article and the targets of a form; a file waits its turn within the timeout."""
        if pasted.file is None:
            return await asyncio.to_thread(read_pasted, pasted, LIMITS)
        seconds = self.settings.timeout
        deadline = time.monotonic() + seconds

        def read() -> tuple[Article, list[str]]:
            # The time that the file has waited behind others is no longer left for parsing it.
            seconds_left = deadline - time.monotonic()
            return read_pasted(pasted, Limits(max(seconds_left, 0.01)))

        work = asyncio.get_running_loop().run_in_executor(self._documents, read)
        try:
            return await asyncio.wait_for(work, seconds + _GRACE_SECONDS)
        except asyncio.TimeoutError:
            raise Refusal(
                504, f"file: expected to be read within {seconds:g} s, behind other files", "file"
            ) from None

    def close(self) -> None:
        """Answer the requests that are in, and end; files that wait are not parsed."""
        self._documents.shutdown(wait=False, cancel_futures=True)
        self.worker.close(_CLOSING_SECONDS)

    def _count(self, tagged: TaggedArticle) -> TaggedArticle:
        """Count a tagged article in the metrics, and return it."""
        self.metrics.articles.inc()
        self.metrics.sentences.inc(len(tagged.sentences))
        return tagged

    def _form(
        self,
        status: int,
        wrong: str = "",
        text: str = "",
        targets: Sequence[str] = (),
        neutral: bool = False,
        headers: dict[str, str] | None = None,
    ) -> Response:
        """Return the page with the form, with what was typed and what is wrong with it, if anything."""
        values = {
            "wrong": wrong,
            "text": text,
            "targets": targets,
            "neutral": neutral,
            "suffixes": SUFFIXES,
            "model": self.tagger.model,
            "most": self.settings.max_body,
        }
        page_headers = {**(headers or {}), **_PAGE_HEADERS}
        return HTMLResponse(render_form(values), status, page_headers)


def create_app(tagger: Tagger, settings: Settings) -> FastAPI:
    """Return the application for a tagger; ``app.state.server`` is its ``Server``."""
    server = Server(tagger, settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        server.worker.start()
        yield
        await asyncio.to_thread(server.close)

    app = FastAPI(
        **ABOUT,
        lifespan=lifespan,
        # FastAPI's own documentation pages load scripts from other sites.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
        exception_handlers={
            HTTPException: _http_error,
            RequestValidationError: _validation_error,
            ClaimstanceError: _input_error,
            Exception: _internal_error,
        },
    )
    app.state.server = server
    app.router.route_class = JsonRoute
    app.add_middleware(BodyLimits, settings=settings, check=server.worker.check)
    app.add_middleware(
        Guard, settings=settings, metrics=server.metrics, is_leaving=lambda: server.is_leaving
    )
    tagged: Any = TaggedArticle | list[TaggedArticle]
    predicted: Any = PredictedRecord | list[PredictedRecord]
    app.post("/v1/tag", operation_id="tag", response_model=tagged, responses=RESPONSES)(server.tag)
    app.post("/v1/predict", operation_id="predict", response_model=predicted, responses=RESPONSES)(
        server.predict
    )
    app.get("/healthz", response_model=dict[str, str])(server.health)
    app.get("/readyz", response_model=dict[str, str])(server.ready)
    app.get("/metrics", response_class=PlainTextResponse)(server.figures)
    app.get("/", include_in_schema=False)(server.form)
    app.post("/", include_in_schema=False)(server.paste)

    @app.get("/favicon.ico", include_in_schema=False)
    async def icon() -> Response:
        # Browsers ask for an icon, and log an error at 404.
        return Response(status_code=204)

    return app


def _encode_json(value: Any) -> bytes:
    """Return a value as JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False).encode()


def _json(values: Sequence[bytes], is_list: bool) -> Response:
    """Return encoded JSON values as one answer: a list for a request with a list."""
    content = b"[" + b", ".join(values) + b"]" if is_list else values[0]
    return Response(content, media_type="application/json")


async def _http_error(_: Request, error: Exception) -> Response:
    """Answer a request that was refused, or whose path does not exist."""
    assert isinstance(error, HTTPException)
    return problem_response(error)


async def _validation_error(_: Request, error: Exception) -> Response:
    """Answer a request with an invalid field."""
    assert isinstance(error, RequestValidationError)
    # A location begins with "body" and the tag of the union: ("body", "list", 2, "targets").
    problems = [{**problem, "loc": problem["loc"][2:]} for problem in error.errors()]
    field, detail = first_problem(problems, AskedArticle)
    # The detail of a record begins with the field in it: "stances[0].target: expected …".
    inner_field, colon, message = detail.partition(": ")
    if colon and " " not in inner_field:
        field, detail = f"{field}.{inner_field}", message
    return problem_response(invalid_field(field.strip(".") or "body", detail))


async def _input_error(_: Request, error: Exception) -> Response:
    """Answer a request whose content the tagger cannot process."""
    return problem_response(Refusal(422, str(error)))


async def _internal_error(_: Request, error: Exception) -> Response:
    """Answer a request at which the program failed, without any detail that could reveal something."""
    return problem_response(Refusal(500, "internal error: see the log of the server"))
