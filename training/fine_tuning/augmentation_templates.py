"""The words put around or into sentences to make new ones, and how they are joined as tokens."""

import re
from collections.abc import Iterable
from functools import reduce

from claimstance.model.windows import Tokens, WindowBuilder

Form = list[Tokens | str]  # tokens, and the names of what stands between them

#: What two sentences are joined with; the first one loses its full stop.
JOINTS = (";", ", and", ", while", ", but", ", as", ".")
NAME, SENTENCE = "{name}", "{sentence}"
#: What a sentence no longer says when it stands behind it.
UNSAID = (
    "It is unclear whether {sentence}",
    "Nobody could say whether {sentence}",
    "Officials would not confirm that {sentence}",
    "There is no evidence that {sentence}",
    "The question is whether {sentence}",
    "If {sentence}",
    "It remains to be seen whether {sentence}",
)
#: Who merely stands by, before a sentence and behind it.
BESIDE = (
    "At a meeting with {name}, {sentence}",
    "Asked by {name}, {sentence}",
    "In a letter to {name}, {sentence}",
    "As {name} looked on, {sentence}",
    "In front of {name}, {sentence}",
    "{name} reported that {sentence}",
    "{sentence}, as {name} looked on.",
    "{sentence} after a call from {name}.",
    "{sentence}, in a conversation with {name}.",
    "{sentence}, with {name} in the room.",
    "{sentence} before meeting {name}.",
    "{sentence}, {name} reported.",
)
#: Whose words a sentence is.
QUOTED = (
    "{name} said that {sentence}",
    "{name} says {sentence}",
    "According to {name}, {sentence}",
    "{name}: “{sentence}”",
    "{name} said: “{sentence}”",
    "{name} argued that {sentence}",
    "{name} told reporters that {sentence}",
    "{name} believes {sentence}",
    "“{sentence},” said {name}.",
    "“{sentence},” {name} said.",
    "{sentence}, according to {name}.",
    "{sentence}, {name} told reporters.",
    "“{sentence},” {name} added.",
)
#: What a word behind a holder becomes where they do not do what follows.
NOT = {
    "has": ("has not", "has never"),
    "have": ("have not", "have never"),
    "had": ("had not", "had never"),
    "is": ("is not", "is no longer"),
    "are": ("are not", "are no longer"),
    "was": ("was not", "was never"),
    "were": ("were not", "were never"),
    "will": ("will not", "did not", "does not", "refused to", "declined to"),
    "would": ("would not", "did not", "does not", "refused to", "declined to"),
    "could": ("could not",),
    "can": ("cannot",),
    "may": ("may not",),
    "might": ("might not",),
    "should": ("should not",),
    "did": ("did not", "never did"),
    "does": ("does not",),
    "do": ("do not",),
}
NOT_PAST = ("never", "has not", "has never", "had not", "had never")  # before a past tense
#: Signs that a sentence is somebody's words already: quotation marks, words of saying, names behind its beginning.
SAYS = re.compile(r"[\"“”]|\b(?:said|says|told|according)\b|(?<!^)(?<![.!?]\s)\b[A-Z]\w")


def forms(windows: WindowBuilder, texts: Iterable[str]) -> list[Form]:
    """Texts with holes, in parts."""
    holes = (NAME, SENTENCE)
    parts = [
        [part.strip() for part in re.split(r"(\{\w+\})", text) if part.strip()] for text in texts
    ]
    return [
        [part if part in holes else windows.tokenize([part])[0] for part in form] for form in parts
    ]


def cut(tokens: Tokens, start: int, end: int) -> Tokens:
    """Some of the tokens, with offsets and words as they were."""
    return Tokens(tokens.ids[start:end], tokens.offsets[start:end], tokens.words[start:end])


def put_together(*parts: Tokens) -> Tokens:
    """Tokens one behind the other, as if there were a space between their texts.

    Offsets and numbers of words grow from one to the next; behind tokens that were cut out they leave some out.
    """
    return reduce(_appended, parts)


def _appended(tokens: Tokens, more: Tokens) -> Tokens:
    """Tokens with others behind them, as if there were a space between their texts."""
    characters = tokens.offsets[-1][1] + 1 if tokens.offsets else 0
    words = max((word for word in tokens.words if word is not None), default=-1) + 1
    return Tokens(
        tokens.ids + more.ids,
        tokens.offsets + [(start + characters, end + characters) for start, end in more.offsets],
        tokens.words + [None if word is None else word + words for word in more.words],
    )
