"""How a server is run: where it listens, who may ask, and how much at a time."""

import ipaddress
from dataclasses import dataclass

from claimstance.model.errors import ConfigError


@dataclass(frozen=True)
class Settings:
    """What a server keeps to.

    Attributes:
        host: a name or an address of this machine; only programs of this machine reach a loopback one.
        port: 0 for one that is free.
        token: what every request has to show; ``None``: nothing.
        anonymous: whether others than this machine may be let in without a token.
        max_body: bytes of a request.
        max_articles: articles that wait or are being read, from which on no other is let in; ``None``: one a
            thread and one more, so few that those who are let in are answered soon.
        max_pairs: stances that a request may ask about: those of its records, and the targets of its
            articles. Memory grows with them by some 35 kB each.
        timeout: seconds, for a request to arrive, and again for it to be answered.
        names: by which else this server is asked for, such as those of a proxy before it.
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
        if self.token is not None and not (
            self.token and self.token.isascii() and self.token.isprintable()
        ):
            raise ConfigError(
                "--token: expected printable ASCII characters, which a header can hold, found "
                f"{'none' if not self.token else 'others'}"
            )
        if not (self.is_local or self.token or self.anonymous):
            raise ConfigError(
                f"--host: '{self.host}' lets other machines in: expected --token (or CLAIMSTANCE_TOKEN) "
                "beside it, or --no-token if everyone may ask, found neither"
            )

    @property
    def is_local(self) -> bool:
        """Whether only this machine gets through. A name is not looked up: that would be a request of its own."""
        address = as_address(self.host)
        return self.host == "localhost" if address is None else address.is_loopback


def as_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that ``host`` is, with or without the brackets of a URL; ``None`` for a name."""
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
