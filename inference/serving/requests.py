"""What a request asks for: its JSON as articles or records, each field checked and named where it is wrong."""

import json
import math
import re
import reprlib
from collections.abc import Callable
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictStr, ValidationError

from claimstance.inference.articles.sources import Article, title_of
from claimstance.inference.serving.problems import unreadable
from claimstance.model.errors import InputError, unknown
from claimstance.model.record import Record, parse_record

MAX_ITEMS = 1000  # articles or records of a request
MAX_TARGETS = (
    32  # of an article: each topic has every sentence that does not mention it read once more
)
_LONGEST_TARGET = 200
_UNKNOWN = re.compile(r"unknown field '(\w+)'")
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_MAYBE_NO_TEXT = re.compile(r"\\u(?:0000|d[89a-f])", re.IGNORECASE)  # how JSON says it
T = TypeVar("T")


class AskedArticle(BaseModel):
    """An article to tag."""

    model_config = ConfigDict(extra="forbid")

    text: StrictStr = Field(
        description="The article. Offsets of the answer count its Unicode code points."
    )
    title: StrictStr | None = Field(
        None, description="If there is none: its first line, where that stands alone."
    )
    doc_id: Annotated[
        StrictStr, BeforeValidator(lambda given: str(given) if type(given) is int else given)
    ] = Field("", description="Comes back in the answer.")
    targets: list[Annotated[StrictStr, Field(max_length=_LONGEST_TARGET)]] = Field(
        [],
        max_length=MAX_TARGETS,
        description="Whom or what stances are wanted on; the entities of each sentence if there are none.",
    )

    def article(self) -> Article:
        """As it is read."""
        return Article(
            self.doc_id, self.text, title_of(self.text) if self.title is None else self.title
        )


def parse_articles(body: bytes) -> tuple[list[AskedArticle], bool]:
    """The articles of a body, and whether it is a list of them.

    Raises:
        Refusal: 422, naming the field.
    """
    return _one_or_more(parse_json(body), parse_article)


def parse_records(body: bytes) -> tuple[list[Record], bool]:
    """The records of a body, and whether it is a list of them.

    Raises:
        Refusal: 422, naming the field.
    """
    return _one_or_more(parse_json(body), _record)


def _one_or_more(data: Any, parse: Callable[[Any, str], T]) -> tuple[list[T], bool]:
    if not isinstance(data, list):
        return [parse(data, "")], False
    if len(data) > MAX_ITEMS:
        raise unreadable("body", f"expected at most {MAX_ITEMS} of a list, found {len(data)}")
    return [parse(item, f"[{number}]") for number, item in enumerate(data)], True


def parse_article(data: Any, place: str) -> AskedArticle:
    """An article from decoded JSON; ``place`` is where it stands in the body.

    Raises:
        Refusal: 422, naming the field.
    """
    try:
        asked = AskedArticle.model_validate(data)
    except ValidationError as error:
        raise unreadable(*_explained(error, place)) from None
    for number, target in enumerate(asked.targets):
        if not target.strip():
            raise unreadable(
                _field(place, ("targets", number)), "expected a name or a topic, found a blank one"
            )
    return asked


def _explained(error: ValidationError, place: str) -> tuple[str, str]:
    """The field that an error is about, and what was expected and found there."""
    first = error.errors(include_url=False)[0]
    field, kind = _field(place, first["loc"]), first["type"]
    if kind == "missing":
        return field, "expected a value, found none"
    if kind == "extra_forbidden":
        return field, unknown("field", str(first["loc"][-1]), AskedArticle.model_fields)
    if kind == "model_type":
        return (
            field,
            f"expected an article, an object with its 'text', found {reprlib.repr(first['input'])}",
        )
    wanted = first["msg"].partition(" should ")[2] or first["msg"]
    return field, f"should {wanted}, found {reprlib.repr(first['input'])}"


def _field(place: str, loc: tuple[int | str, ...]) -> str:
    path = "".join([place, *(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)])
    return path.lstrip(".") or "body"


def _record(data: Any, place: str) -> Record:
    try:
        return parse_record(data, place)
    except InputError as error:
        raise unreadable(*_told(str(error).removeprefix(f"{place}: "), place)) from None
    except RecursionError:
        raise unreadable(
            place or "body", "expected a record, found values nested too deeply"
        ) from None


def _told(message: str, place: str) -> tuple[str, str]:
    """The field that a message about a record names, such as ``stances[0].target: expected …``, and the rest of it."""
    path, colon, rest = message.partition(": ")
    if not colon or " " in path:  # it is about the whole record
        path, rest = "", message
    if found := _UNKNOWN.match(rest):
        path = f"{path}.{found.group(1)}"
    return f"{place}.{path.lstrip('.')}".strip(".") or "body", rest


def parse_json(body: bytes) -> Any:
    """The value of a body, whose strings are all text that UTF-8 can hold, and whose numbers are all finite.

    Raises:
        Refusal: 422, naming the field.
    """
    try:
        text = body.decode("utf-8-sig")
        data = json.loads(text, parse_constant=_not_finite, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise unreadable(
            "body", f"expected UTF-8, found {error.reason} (byte {error.start + 1})"
        ) from None
    except RecursionError:
        raise unreadable("body", "expected JSON, found values nested too deeply") from None
    except ValueError as error:
        raise unreadable("body", f"expected JSON, found what is none: {error}") from None
    if _MAYBE_NO_TEXT.search(text):
        _check_text(data)
    return data


def _not_finite(number: str) -> NoReturn:
    raise ValueError(f"the number {number}")


def _finite(number: str) -> float:
    if math.isinf(value := float(number)):
        _not_finite(f"{number[:20]}, beyond what a program can hold")
    return value


def _check_text(data: Any) -> None:
    """Refuse strings, anywhere in ``data``, with what no text holds."""
    waiting: list[tuple[str, Any]] = [("", data)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, str):
            check_text(place.lstrip(".") or "body", value)
        elif isinstance(value, dict):
            for key, held in value.items():
                check_text(place.lstrip(".") or "body", key)
                waiting.append((f"{place}.{key}", held))
        elif isinstance(value, list):
            waiting += [(f"{place}[{number}]", held) for number, held in enumerate(value)]


def check_text(field: str, text: str) -> None:
    """Refuse (422) a text with a NUL or half of a surrogate pair."""
    if found := _NO_TEXT.search(text):
        what = "a NUL" if found.group() == "\0" else f"half of a surrogate pair, {found.group()!a},"
        raise unreadable(field, f"expected text, found {what} at character {found.start()}")
