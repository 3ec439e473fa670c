"""What the form of the page sends."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from claimstance.inference.serving.problems import Refusal, unreadable

_BOUNDARY = re.compile(
    r'multipart/form-data\s*;.*?\bboundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE
)
_DISPOSITION = re.compile(rb"content-disposition:([^\r\n]*)", re.IGNORECASE)
_NAME, _FILENAME = re.compile(rb';\s*name="([^"]*)"'), re.compile(rb';\s*filename="([^"]*)"')


@dataclass(frozen=True)
class Part:
    """A field of a form.

    Attributes:
        filename: of a field for files; empty if no file was chosen.
    """

    name: str
    filename: str | None
    data: bytes


def parse_form(content_type: str, body: bytes) -> Iterator[Part]:
    """The fields of a form (``multipart/form-data``, RFC 7578).

    Raises:
        Refusal: 415 for another content type, 422 for a body that is no such form.
    """
    found = _BOUNDARY.match(content_type)
    if found is None:
        raise Refusal(
            415, "content-type: expected multipart/form-data with its boundary", "content-type"
        )
    delimiter = b"\r\n--" + (found.group(1) or found.group(2)).encode("latin-1")
    before, *parts = (b"\r\n" + body).split(delimiter)
    if before or not parts or not parts[-1].startswith(b"--"):
        raise unreadable(
            "body", "expected the fields of a form, each between boundaries, found none or no end"
        )
    for part in parts[:-1]:
        head, _, data = part.partition(b"\r\n\r\n")
        disposition = _DISPOSITION.search(head)
        name = disposition and _NAME.search(disposition.group(1))
        if disposition is None or not name:
            raise unreadable(
                "body", "expected each field of the form to have a name, found one without"
            )
        filename = _FILENAME.search(disposition.group(1))
        yield Part(
            name.group(1).decode("utf-8", "replace"),
            filename and filename.group(1).decode("utf-8", "replace"),
            data,
        )
