"""Fetching an article from an address: over http or https, within bounds of time and size, only when asked for."""

import http.client
import re
import threading
import urllib.error
import urllib.request
import zlib
from dataclasses import replace
from email.message import Message
from importlib.metadata import version
from queue import Empty, Queue
from urllib.parse import quote

from claimstance.inference.articles import DOCUMENTS, Document
from claimstance.inference.articles.article import Article, Raw, read_all, told
from claimstance.model.errors import ConfigError, InputError

_SECONDS = 30.0  # for all of it
_WAIT = 10.0  # for the next bytes
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)


def is_address(name: str) -> bool:
    """Return true if an input is an address rather than a path."""
    return _SCHEME.match(name) is not None


def check_address(name: str, allowed: bool) -> None:
    """Raise ``ConfigError`` for an address that may not be fetched: none may unless the user has ``allowed`` it."""
    found = _SCHEME.match(name)
    if found and found[1].lower() not in ("http", "https"):
        raise ConfigError(
            f"INPUT: expected an address that begins with http:// or https://, found '{name}'"
        )
    if found and not allowed:
        raise ConfigError(
            f"INPUT: expected --allow-network beside an address, found '{name}' alone: nothing is "
            "fetched unless it is asked for"
        )


def fetch(url: str, seconds: float = _SECONDS) -> Article:
    """The article at an address; its id is the address.

    Raises:
        InputError: if it cannot be reached, has not been sent in time, or is no article.
    """
    outcome: Queue[tuple[Document, Raw] | Exception] = Queue()
    # A server that sends a byte now and then keeps a socket busy for as long as it likes: its thread is left behind.
    threading.Thread(target=_fetch_into, args=(outcome, url), daemon=True).start()
    try:
        found = outcome.get(timeout=seconds)
    except Empty:
        raise InputError(
            f"{url}: expected all of it within {seconds:g} seconds, found it not sent by then"
        ) from None
    if isinstance(found, Exception):
        raise found
    document, raw = found
    article = document.read(raw)
    return replace(article, meta={"url": raw.url, **article.meta})


def _fetch_into(outcome: "Queue[tuple[Document, Raw] | Exception]", url: str) -> None:
    try:
        outcome.put(_fetch(url))
    except urllib.error.HTTPError as error:
        outcome.put(
            InputError(
                f"{url}: expected an article, found the answer {error.code} {told(error.reason)}"
            )
        )
    except (OSError, http.client.HTTPException, ValueError) as error:
        outcome.put(
            InputError(f"{url}: cannot be fetched: {told(getattr(error, 'reason', error))}")
        )
    except Exception as error:
        outcome.put(error)


def _fetch(url: str) -> tuple[Document, Raw]:
    address = quote(
        url, safe="".join(map(chr, range(33, 127)))
    )  # as browsers write what is not ASCII
    request = urllib.request.Request(
        address, headers={"User-Agent": f"claimstance/{version('claimstance')}"}
    )
    with _opener().open(request, timeout=_WAIT) as response:
        kind = response.headers.get_content_type()
        document = next((one for one in DOCUMENTS.values() if kind in one.sent_as), None)
        if document is None:
            raise InputError(
                f"{url}: expected a web page, plain text, a PDF or a Word document, found '{kind}'"
            )
        data = read_all(response, document.most, url)
        if response.length:
            whole = len(data) + response.length
            raise InputError(
                f"{url}: expected {whole:,} bytes, found {len(data):,}: it was cut off"
            )
        data = _unpacked(data, response.headers, document.most, url)
        return document, Raw(data, url, url, response.url, response.headers.get_content_charset())


def _opener() -> urllib.request.OpenerDirector:
    """Opens http and https alone, redirections included: neither files nor ftp."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.UnknownHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener


def _unpacked(data: bytes, headers: Message, most: int, url: str) -> bytes:
    """Return the body, unpacked if the server packed it unasked.

    Raises:
        InputError: if that is more than ``most`` bytes, or packed in another way than by zlib.
    """
    packed = headers.get("Content-Encoding", "identity").strip().lower()
    if packed in ("", "identity"):
        return data
    try:
        if packed not in ("gzip", "x-gzip", "deflate"):
            raise zlib.error
        unpacking = zlib.decompressobj(zlib.MAX_WBITS | 32)
        plain = unpacking.decompress(data, most + 1)
        if len(plain) <= most and not unpacking.eof:
            raise zlib.error
    except zlib.error:
        raise InputError(
            f"{url}: expected a page as it is, or packed by gzip, found '{packed}' that cannot be "
            "unpacked"
        ) from None
    if len(plain) > most:
        raise InputError(f"{url}: expected at most {most:,} bytes, found more")
    return plain
