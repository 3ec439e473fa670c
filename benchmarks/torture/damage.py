"""Damage bytes and JSON values, and make texts of strange characters."""

import copy
import random
from typing import Any

#: Fragments of HTML, among them malformed ones, and a sentence to read.
MARKUP = (
    "<p>",
    "</p>",
    "<div>",
    "<br>",
    "<table>",
    "<td>",
    "<h1>",
    "<script>",
    "<!--",
    "-->",
    "<a href=x>",
    "&amp",
    "&#0;",
    "&#xd800;",
    "<svg><p>",
    "<template>",
    "<meta charset=utf-7>",
    "<base href=//x>",
    "<article>",
    "<time datetime=2026-13-99>",
    "He said that the levy is theft, and left. " * 5,
)
JUNK: list[Any] = [
    None,
    True,
    -1,
    2**70,
    1.5,
    "",
    "x",
    [],
    {},
    [[]],
    {"start": "a"},
    "9" * 400,
    float("nan"),
]
BYTES = [
    b"\x00",
    b"\xff",
    b"\r",
    b"\n",
    b"\t",
    b'"',
    b"{",
    b"]",
    b"\xef\xbb\xbf",
    b"\xf0\x9f\x99\x82",
    b"-1",
    b"\\",
]
#: Characters that programs stumble over: controls, marks of direction and order, joiners, surrogates, rare spaces.
STRANGE = (
    "\x00\x01\x0b\x0c\x1c\x85\xa0\xad\u0300\u034f\u061c\u115f\u1680\u180e\u200b\u200d\u200e\u202a\u202e\u2028"
    "\u2029\u2066\u2069\u3000\ufe0f\ufeff\ufffc\ufffd\ufffe\U0001f1e6\U0001f469\U0001f3fd\U000e0041\U0010ffff"
)
WORDS = (
    "said",
    "Kerry",
    "“no",
    "”",
    '"',
    "'",
    "Mr.",
    "U.S.",
    "p.m.",
    "...",
    "?!",
    "—",
    "(",
    ")",
    "3.5",
    "http://a.b/c",
    "@x",
    "e.g.",
    "Ł",
    "ß",
    "ﬁ",
    "İ",
    "中文。",
    "日本",
    "العربية",
    "🚲",
    "\n",
    "\n\n",
    "\t",
    "  ",
    "a" * 300,
    "No. 5",
)


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Return bytes of which a few are removed, changed or inserted."""
    content = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        position = rng.randint(0, len(content))
        kind = rng.randrange(3)
        if kind == 0:
            del content[position : position + rng.choice([1, 2, 7, 50, len(content)])]
        elif kind == 1:
            content[position : position + 1] = rng.choice(BYTES)
        else:
            content[position:position] = rng.choice(BYTES) * rng.choice([1, 1, 3])
    return bytes(content)


def replaced(value: Any, rng: random.Random) -> None:
    """Replace, remove or double one of the parts of a JSON value, in place."""
    # Descends into the value at random; the deepest level that is reached loses or changes an item.
    while isinstance(value, (dict, list)) and value and rng.random() < 0.85:
        parent: Any = value
        key = rng.choice(list(value) if isinstance(value, dict) else range(len(value)))
        value = parent[key]
        if not (isinstance(value, (dict, list)) and value) or rng.random() < 0.2:
            if rng.random() < 0.25:
                del parent[key]
            else:
                parent[key] = copy.deepcopy(rng.choice(JUNK))
            return


def strange_text(rng: random.Random, most: int = 60) -> str:
    """Return words, marks and strange characters in any order; no halves of surrogate pairs."""
    pieces = []
    for _ in range(rng.randrange(most)):
        kind = rng.random()
        if kind < 0.6:
            pieces.append(rng.choice(WORDS) + rng.choice(("", " ", " ")))
        elif kind < 0.9:
            pieces.append(rng.choice(STRANGE) * rng.choice((1, 1, 2, 9)))
        else:
            code = rng.randrange(0x110000)
            pieces.append(chr(code) if not 0xD800 <= code < 0xE000 else "�")
    return "".join(pieces)
