"""Settings of a server: its address, access and limits."""

import ipaddress
from dataclasses import dataclass

from claimstance.model.errors import ConfigError


@dataclass(frozen=True)
class Settings:
    """Represent the address, the access rules and the limits of a server.

    Attributes:
        host: a name or an address to listen on; a loopback address is reached only from this machine.
        port: the port; 0 for a free one.
        token: the token that every request must have; ``None`` for no token.
        anonymous: true to let other machines in without a token.
        max_body: bytes of a request.
        max_articles: articles in flight at which further requests are refused; ``None`` for one per
            thread and one more, so that accepted requests are answered soon.
        max_pairs: stances per request: those of its records, and the targets of its articles. Each
            takes some 35 kB of memory.
        timeout: seconds for a request to arrive, and again for its answer.
        names: further host names of this server, such as those of a proxy.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    anonymous: bool = False
    max_body: int = 1 << 20
    max_articles: int | None = None
    max_pairs: int = 4096
    timeout: float = 60.0
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        token = self.token
        if token is not None and not (token and token.isascii() and token.isprintable()):
            actual = "others" if token else "none"
            raise ConfigError(
                f"--token: expected printable ASCII characters, which a header can hold, found {actual}"
            )
        if not (self.is_local or self.token or self.anonymous):
            raise ConfigError(
                f"--host: '{self.host}' lets other machines in: expected --token (or CLAIMSTANCE_TOKEN) "
                "beside it, or --no-token if everyone may ask, found neither"
            )

    @property
    def is_local(self) -> bool:
        """Return whether only this machine can connect. A name is not looked up, to send no DNS query."""
        address = as_address(self.host)
        return self.host == "localhost" if address is None else address.is_loopback


def as_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address in ``host``, with or without the brackets of a URL; ``None`` for a name."""
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
