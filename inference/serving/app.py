"""The application: which paths there are, and what each of them answers."""

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
from claimstance.inference.serving.form import SUFFIXES, Pasted, parse_pasted, read_pasted
from claimstance.inference.serving.metrics import Metrics
from claimstance.inference.serving.problems import GONE, Refusal, problem_response, unreadable
from claimstance.inference.serving.requests import Articles, AskedArticle, JsonRoute, Records
from claimstance.inference.serving.settings import Settings
from claimstance.inference.serving.worker import Begin, Worker
from claimstance.inference.tagger import Tagger
from claimstance.model.errors import ClaimstanceError
from claimstance.model.io.validation import first_problem
from claimstance.model.prediction import contexts
from claimstance.model.predictor import Stop
from claimstance.model.record import Record

_CLOSING_SECONDS = 5.0  # within which all that reads has to end, when everybody has been answered
_DOCUMENTS = 2  # files that are parsed at a time, each in a process with its own limit of memory
_SPARE = 1.0  # seconds, after which a file that was to be given up has been
_PAGE_HEADERS = {
    # Nothing from elsewhere. Which style and script may run is told, by their hashes, by the policy in each page.
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "cache-control": "private, no-cache",  # kept for the buttons back and forward: what was typed is there
}


class Server:
    """What the paths share: the model, the thread that reads with it, the limits and the figures.

    Attributes:
        is_leaving: whether the server has been told to stop: it answers, but wants no more to come.
    """

    def __init__(self, tagger: Tagger, settings: Settings) -> None:
        self.tagger, self.settings = tagger, settings
        self.metrics = Metrics()
        # One ahead for each thread: whoever waits is to be answered soon.
        limit = settings.max_articles or tagger.threads + 1
        self.worker = Worker(tagger.threads, limit, self.metrics)
        self.is_leaving = False
        self._documents = ThreadPoolExecutor(_DOCUMENTS, "documents")

    async def read(self, request: Request, begins: Sequence[Begin]) -> list[Any]:
        """What ``begins`` give; what a client no longer waits for is not read on."""
        work = asyncio.ensure_future(self.worker.read(begins))
        gone = asyncio.ensure_future(_left(request))
        seconds = self.settings.timeout
        try:
            await asyncio.wait((work, gone), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return work.result()
            if gone.done():
                raise Refusal(GONE, "the client left")
            raise Refusal(
                504, f"timeout: expected to be done within {seconds:g} s; ask for less at once"
            )
        finally:
            for task in (work, gone):
                task.cancel()

    async def tag(self, request: Request, articles: Articles) -> Response:
        """Tag an article, or each of a list: sentences, claims, who says what, and who stands where."""
        several = articles if isinstance(articles, list) else [articles]
        self._check_pairs(sum(len(article.targets) for article in several))
        begins = [partial(self._begin_article, article) for article in several]
        return _json(await self.read(request, begins), isinstance(articles, list))

    async def predict(self, request: Request, records: Records) -> Response:
        """Add "predicted" to a record, or to each of a list, in order. Those of one document see each other."""
        several = records if isinstance(records, list) else [records]
        self._check_pairs(sum(len(record.stances or ()) for record in several))
        documents = contexts(several)
        begins = [
            partial(self._begin_records, [several[number] for number in document])
            for document in documents
        ]
        rows: dict[int, bytes] = {}
        for document, predicted in zip(documents, await self.read(request, begins), strict=True):
            rows |= zip(document, predicted, strict=True)
        return _json([rows[number] for number in range(len(several))], isinstance(records, list))

    async def form(self) -> Response:
        """The page on which an article is pasted."""
        return self._form(200)

    async def paste(self, request: Request) -> Response:
        """The page of an article that was pasted; the form again, with what is wrong, if it cannot be read."""
        typed: tuple[str, list[str]] = "", []
        try:
            body = await request.body()
            article, targets = await self._read_pasted(
                await asyncio.to_thread(parse_pasted, request.headers["content-type"], body)
            )
            typed = article.text, targets
            self._check_pairs(len(targets))
            (page,) = await self.read(request, [partial(self._begin_page, article, targets)])
        except Refusal as refusal:
            return self._form(
                refusal.status_code, refusal.detail, *typed, headers=dict(refusal.headers or {})
            )
        return HTMLResponse(page, headers=_PAGE_HEADERS)

    async def health(self) -> Response:
        """Whether the program works: its reading thread, too."""
        if not (self.worker.is_alive or self.is_leaving):
            raise Refusal(500, "the thread that reads has ended")
        return _json([b'{"status": "ok"}'], False)

    async def ready(self) -> Response:
        """Whether more may come: not while as much as may be is in flight, nor once the server is about to stop."""
        if self.is_leaving:
            raise Refusal(503, "about to stop")
        self.worker.check()
        return _json([b'{"status": "ready"}'], False)

    async def figures(self) -> Response:
        """What was counted, in Prometheus' text format."""
        return Response(self.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    def _check_pairs(self, count: int) -> None:
        """Refuse a request that asks about more stances than memory is promised for."""
        limit = self.settings.max_pairs
        if count > limit:
            raise unreadable(
                "body",
                f"expected at most {limit} stances to be asked about in a request (targets of "
                f"articles, stances of records), found {count}; send several requests",
            )

    async def _read_pasted(self, pasted: Pasted) -> tuple[Article, list[str]]:
        """Return the article of a form; files wait for each other, and for no longer than a request may take."""
        if pasted.file is None:
            return await asyncio.to_thread(read_pasted, pasted, LIMITS)
        seconds = self.settings.timeout
        end = time.monotonic() + seconds

        def read() -> tuple[Article, list[str]]:
            return read_pasted(pasted, Limits(max(end - time.monotonic(), 0.01)))

        work = asyncio.get_running_loop().run_in_executor(self._documents, read)
        try:
            return await asyncio.wait_for(work, seconds + _SPARE)
        except asyncio.TimeoutError:
            raise Refusal(
                504, f"file: expected to be read within {seconds:g} s, behind other files", "file"
            ) from None

    def close(self) -> None:
        """Read what was handed in, and end; no files are read any more."""
        self._documents.shutdown(wait=False, cancel_futures=True)
        self.worker.close(_CLOSING_SECONDS)

    def _begin_article(self, article: AskedArticle, stop: Stop) -> Callable[[], bytes]:
        finish = self.tagger.begin(article.article(), article.targets, stop)
        return lambda: _written(self._counted(finish()).to_dict())

    def _begin_page(self, article: Article, targets: list[str], stop: Stop) -> Callable[[], str]:
        finish = self.tagger.begin(article, targets, stop)
        return lambda: render_page(self._counted(finish()), back="/")

    def _begin_records(self, records: Sequence[Record], stop: Stop) -> Callable[[], list[bytes]]:
        finish = self.tagger.begin_records(records, stop)

        def rows() -> list[bytes]:
            found = finish()
            self.metrics.records.inc(len(found))
            return [_written(row) for row in found]

        return rows

    def _counted(self, tagged: TaggedArticle) -> TaggedArticle:
        self.metrics.articles.inc()
        self.metrics.sentences.inc(len(tagged.sentences))
        return tagged

    def _form(
        self,
        status: int,
        wrong: str = "",
        text: str = "",
        targets: Sequence[str] = (),
        headers: dict[str, str] | None = None,
    ) -> Response:
        page = render_form(
            {
                "wrong": wrong,
                "text": text,
                "targets": targets,
                "suffixes": SUFFIXES,
                "model": self.tagger.model,
                "most": self.settings.max_body,
            }
        )
        return HTMLResponse(page, status, {**(headers or {}), **_PAGE_HEADERS})


def create_app(tagger: Tagger, settings: Settings) -> FastAPI:
    """The application, which reads with ``tagger``; ``app.state.server`` is its ``Server``."""
    server = Server(tagger, settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        server.worker.start()
        yield
        await asyncio.to_thread(server.close)

    app = FastAPI(
        **ABOUT,
        lifespan=lifespan,
        # No pages of FastAPI's own: they load their scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
        exception_handlers={
            HTTPException: _refused,
            RequestValidationError: _invalid,
            ClaimstanceError: _unread,
            Exception: _failed,
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
    app.get("/favicon.ico", include_in_schema=False)(_icon)
    return app


async def _icon() -> Response:
    """No icon: browsers ask for one, and would complain."""
    return Response(status_code=204)


async def _left(request: Request) -> None:
    """Wait until the client leaves; its body was read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _json(parts: Sequence[bytes], many: bool) -> Response:
    """What was written, each as JSON, as one answer: a list if a list was asked for."""
    content = b"[" + b", ".join(parts) + b"]" if many else parts[0]
    return Response(content, media_type="application/json")


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem_response(error)


async def _invalid(_: Request, error: Exception) -> Response:
    """Answer a request of which a field is not what it should be."""
    assert isinstance(error, RequestValidationError)
    # A place begins with the body and the one of its two forms: ("body", "list", 2, "targets").
    problems = [{**problem, "loc": problem["loc"][2:]} for problem in error.errors()]
    field, detail = first_problem(problems, AskedArticle)
    # What is said of a record names the part of it, as "stances[0].target: expected …".
    part, colon, rest = detail.partition(": ")
    if colon and " " not in part:
        field, detail = f"{field}.{part}", rest
    return problem_response(unreadable(field.strip(".") or "body", detail))


async def _unread(_: Request, error: Exception) -> Response:
    return problem_response(Refusal(422, str(error)))


async def _failed(_: Request, error: Exception) -> Response:
    detail = "a mistake of this program, which its log tells more about"
    return problem_response(Refusal(500, detail))
