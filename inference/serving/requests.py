"""Types of request bodies: articles or records, validated by pydantic."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Body, Request, Response
from fastapi.routing import APIRoute
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    StrictStr,
    Tag,
    ValidationError,
)
from pydantic_core import from_json

from claimstance.inference.articles.sources import Article, headline_of
from claimstance.inference.serving.description import ARTICLE_EXAMPLES, RECORD_EXAMPLES
from claimstance.inference.serving.problems import invalid_field
from claimstance.model.errors import InputError
from claimstance.model.io.validation import first_problem
from claimstance.model.record import Record, parse_record

MAX_ITEMS = 1000  # articles or records of a request
# Per article: every sentence is encoded once more for each topic that it does not mention.
MAX_TARGETS = 32
_MAX_TARGET_LENGTH = 200


def _check_text(text: str) -> str:
    """Raise an error for a NUL character; pydantic does so for halves of surrogate pairs."""
    position = text.find("\0")
    if position >= 0:
        raise ValueError(f"expected text, found a NUL at character {position}")
    return text


def _check_target(target: str) -> str:
    """Raise an error for a blank target."""
    if not target.strip():
        raise ValueError("expected a name or a topic, found a blank one")
    return target


def _number_as_text(value: Any) -> Any:
    """Return an integer as text, since ids are often numbers; True is no integer here."""
    return str(value) if type(value) is int else value


def _read_record(value: Any) -> Record:
    """Return a record as from a file; an error begins with the invalid field."""
    try:
        return parse_record(value, "")
    except InputError as error:
        raise ValueError(str(error).removeprefix(": ")) from None


def _union_tag(value: Any) -> str:
    """Return the tag by which pydantic chooses the type of a body, so that errors are those of one type alone."""
    return "list" if isinstance(value, list) else "one"


_Text = Annotated[StrictStr, AfterValidator(_check_text)]
_Target = Annotated[
    StrictStr,
    Field(max_length=_MAX_TARGET_LENGTH),
    AfterValidator(_check_text),
    AfterValidator(_check_target),
]
_Record = Annotated[Record, BeforeValidator(_read_record)]


class AskedArticle(BaseModel):
    """An article to tag."""

    model_config = ConfigDict(extra="forbid")

    text: _Text = Field(
        description="The article. Offsets of the answer count its Unicode code points."
    )
    title: _Text | None = Field(
        None, description="If there is none: its first line, where that stands alone."
    )
    doc_id: Annotated[_Text, BeforeValidator(_number_as_text)] = Field(
        "", description="Comes back in the answer."
    )
    targets: list[_Target] = Field(
        [],
        max_length=MAX_TARGETS,
        description="Whom or what stances are wanted on; the entities of each sentence if there are none.",
    )
    neutral: StrictBool = Field(
        False,
        description="List every pair of holder and target that was scored; else those that take a side, "
        "and the neutral ones only for the targets above.",
    )

    def article(self) -> Article:
        """Return the article, with its first line as the title if it has none."""
        title = headline_of(self.text) if self.title is None else self.title
        return Article(self.doc_id, self.text, title)


Articles = Annotated[
    Annotated[AskedArticle, Tag("one")]
    | Annotated[list[AskedArticle], Field(max_length=MAX_ITEMS), Tag("list")],
    Discriminator(_union_tag),
    Body(openapi_examples=ARTICLE_EXAMPLES),
]
Records = Annotated[
    Annotated[_Record, Tag("one")]
    | Annotated[list[_Record], Field(max_length=MAX_ITEMS), Tag("list")],
    Discriminator(_union_tag),
    Body(openapi_examples=RECORD_EXAMPLES),
]


def check_article(text: str, targets: list[str]) -> AskedArticle:
    """Return the article of a form.

    Raises:
        Refusal: 422, naming the field.
    """
    try:
        return AskedArticle.model_validate({"text": text, "targets": targets})
    except ValidationError as error:
        raise invalid_field(*first_problem(error.errors(), AskedArticle)) from None


def read_json(body: bytes) -> Any:
    """Return the JSON value of a body, whose strings can all be encoded as UTF-8.

    Raises:
        Refusal: 422 for invalid JSON, or for JSON nested deeper than pydantic reads.
    """
    try:
        return from_json(body.removeprefix(b"\xef\xbb\xbf"), allow_inf_nan=False)
    except ValueError as error:
        raise invalid_field("body", f"expected JSON, found what is none: {error}") from None


class _JsonRequest(Request):
    """A request whose JSON is read by ``read_json``."""

    async def json(self) -> Any:
        return read_json(await self.body())


class JsonRoute(APIRoute):
    """A route that parses JSON with pydantic: the standard library accepts invalid JSON (NaN)."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """See ``APIRoute``."""
        handle = super().get_route_handler()

        async def handle_json(request: Request) -> Response:
            return await handle(_JsonRequest(request.scope, request.receive))

        return handle_json
