"""Parser for the fields of a submitted form (``multipart/form-data``)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from claimstance.inference.serving.problems import Refusal, invalid_field

_BOUNDARY = re.compile(
    r'multipart/form-data\s*;.*?\bboundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE
)
_DISPOSITION = re.compile(rb"content-disposition:([^\r\n]*)", re.IGNORECASE)
_NAME, _FILENAME = re.compile(rb';\s*name="([^"]*)"'), re.compile(rb';\s*filename="([^"]*)"')


@dataclass(frozen=True)
class FormField:
    """Represent a field of a form.

    Attributes:
        filename: set for a file field; empty if no file was chosen.
    """

    name: str
    filename: str | None
    data: bytes


def parse_form(content_type: str, body: bytes) -> Iterator[FormField]:
    """Yield the fields of a form (``multipart/form-data``, RFC 7578).

    Raises:
        Refusal: 415 for another content type, 422 for a malformed body.
    """
    boundary = _BOUNDARY.match(content_type)
    if boundary is None:
        raise Refusal(
            415, "content-type: expected multipart/form-data with its boundary", "content-type"
        )
    delimiter = b"\r\n--" + (boundary.group(1) or boundary.group(2)).encode("latin-1")
    preamble, *sections = (b"\r\n" + body).split(delimiter)
    # The last boundary is followed by two hyphens.
    if preamble or not sections or not sections[-1].startswith(b"--"):
        raise invalid_field(
            "body", "expected the fields of a form, each between boundaries, found none or no end"
        )
    for section in sections[:-1]:
        head, _, data = section.partition(b"\r\n\r\n")
        disposition = _DISPOSITION.search(head)
        name = disposition and _NAME.search(disposition.group(1))
        if disposition is None or not name:
            raise invalid_field(
                "body", "expected each field of the form to have a name, found one without"
            )
        filename = _FILENAME.search(disposition.group(1))
        yield FormField(
            name.group(1).decode("utf-8", "replace"),
            filename and filename.group(1).decode("utf-8", "replace"),
            data,
        )
