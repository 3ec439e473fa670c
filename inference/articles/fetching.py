"""Fetch an article over http or https, within limits of time and size, if the user allows it."""

import http.client
import re
import threading
import urllib.error
import urllib.request
import zlib
from dataclasses import replace
from importlib.metadata import version
from queue import Empty, Queue
from urllib.parse import quote

from claimstance.inference.articles import DOCUMENTS, DocumentFormat
from claimstance.inference.articles.article import Article, RawFile, one_line, read_all
from claimstance.model.errors import ConfigError, InputError

_TOTAL_SECONDS = 30.0
_SOCKET_SECONDS = 10.0  # without any byte
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
_PRINTABLE_ASCII = "".join(map(chr, range(33, 127)))
#: Handlers of http and https alone, redirects included: urllib's default ones open files and ftp, too.
_HANDLERS = (
    urllib.request.ProxyHandler,
    urllib.request.UnknownHandler,
    urllib.request.HTTPHandler,
    urllib.request.HTTPSHandler,
    urllib.request.HTTPDefaultErrorHandler,
    urllib.request.HTTPRedirectHandler,
    urllib.request.HTTPErrorProcessor,
)


def is_address(name: str) -> bool:
    """Return whether an input is an address rather than a path."""
    return _SCHEME.match(name) is not None


def check_address(name: str, allowed: bool) -> None:
    """Raise ``ConfigError`` for an address that may not be fetched: none may unless the user has ``allowed`` it."""
    scheme = _SCHEME.match(name)
    if scheme is None:
        return
    if scheme[1].lower() not in ("http", "https"):
        raise ConfigError(
            f"INPUT: expected an address that begins with http:// or https://, found '{name}'"
        )
    if not allowed:
        raise ConfigError(
            f"INPUT: expected --allow-network beside an address, found '{name}' alone: nothing is "
            "fetched unless it is asked for"
        )


def fetch(url: str, seconds: float = _TOTAL_SECONDS) -> Article:
    """Return the article at an address; its id is the address.

    Raises:
        InputError: if it cannot be reached, does not arrive in time, or is no article.
    """
    outcomes: Queue[tuple[DocumentFormat, RawFile] | Exception] = Queue()

    def download() -> None:
        try:
            outcomes.put(_download(url))
        except Exception as error:
            outcomes.put(error)

    # A server that sends a byte now and then can keep a socket busy forever: we stop waiting for its thread.
    threading.Thread(target=download, daemon=True).start()
    try:
        outcome = outcomes.get(timeout=seconds)
    except Empty:
        raise InputError(
            f"{url}: expected all of it within {seconds:g} seconds, found it not sent by then"
        ) from None
    if isinstance(outcome, Exception):
        raise outcome
    document_format, raw = outcome
    article = document_format.read(raw)
    return replace(article, meta={"url": raw.url, **article.meta})


def _download(url: str) -> tuple[DocumentFormat, RawFile]:
    """Return what an address sends, and its format.

    Raises:
        InputError: if it cannot be reached, sends another format, too much or too little.
    """
    opener = urllib.request.OpenerDirector()
    for handler in _HANDLERS:
        opener.add_handler(handler())
    try:
        request = urllib.request.Request(
            quote(url, safe=_PRINTABLE_ASCII),  # as browsers write other characters
            headers={"User-Agent": f"claimstance/{version('claimstance')}"},
        )
        with opener.open(request, timeout=_SOCKET_SECONDS) as response:
            media_type = response.headers.get_content_type()
            for document_format in DOCUMENTS.values():
                if media_type in document_format.media_types:
                    break
            else:
                raise InputError(
                    f"{url}: expected a web page, plain text, a PDF or a Word document, found "
                    f"'{media_type}'"
                )
            data = read_all(response, document_format.max_bytes, url)
            # http.client counts down the bytes that the server announced, and reads a shorter body without an error.
            if response.length:
                total = len(data) + response.length
                raise InputError(
                    f"{url}: expected {total:,} bytes, found {len(data):,}: it was cut off"
                )
            packing = response.headers.get("Content-Encoding", "identity")
            data = _unpack(data, packing, document_format.max_bytes, url)
            charset = response.headers.get_content_charset()
            return document_format, RawFile(data, url, url, response.url, charset)
    except urllib.error.HTTPError as error:
        error.close()  # it holds the connection
        raise InputError(
            f"{url}: expected an article, found the answer {error.code} {one_line(error.reason)}"
        ) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise InputError(f"{url}: cannot be fetched: {one_line(reason)}") from None


def _unpack(data: bytes, packing: str, max_bytes: int, url: str) -> bytes:
    """Return the body, unpacked if the server packed it although the request did not offer that.

    Raises:
        InputError: if that is more than ``max_bytes`` bytes, or packed in another way than by zlib.
    """
    packing = packing.strip().lower()
    if packing in ("", "identity"):
        return data
    try:
        if packing not in ("gzip", "x-gzip", "deflate"):
            raise zlib.error
        decompressor = zlib.decompressobj(zlib.MAX_WBITS | 32)  # 32: gzip or zlib, by its header
        # One byte more than allowed proves that the body is too large; the rest is never unpacked.
        plain = decompressor.decompress(data, max_bytes + 1)
        if len(plain) <= max_bytes and not decompressor.eof:
            raise zlib.error
    except zlib.error:
        raise InputError(
            f"{url}: expected a page as it is, or packed by gzip, found '{packing}' that cannot be "
            "unpacked"
        ) from None
    if len(plain) > max_bytes:
        raise InputError(f"{url}: expected at most {max_bytes:,} bytes, found more")
    return plain
