"""Templates of augmented sentences: the words around or inside a sentence, and how tokens are put together."""

import re
from collections.abc import Iterable

from claimstance.model.windows import Tokens, WindowBuilder

NAME, SENTENCE = "{name}", "{sentence}"  # the slots of a template
Template = list[Tokens | str]  # tokens and slots

#: Conjunctions and punctuation between two sentences; the first sentence loses its full stop.
CONJUNCTIONS = (";", ", and", ", while", ", but", ", as", ".")
#: Templates that leave open whether the sentence is true.
UNSAID = (
    "It is unclear whether {sentence}",
    "Nobody could say whether {sentence}",
    "Officials would not confirm that {sentence}",
    "There is no evidence that {sentence}",
    "The question is whether {sentence}",
    "If {sentence}",
    "It remains to be seen whether {sentence}",
)
#: Templates that mention a bystander, before the sentence and after it.
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
#: Templates that attribute the sentence to a speaker.
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
#: Verb after a holder → what may stand in its place to negate the clause.
NEGATIONS = {
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
#: Words that may be put before a past tense to negate it.
PAST_NEGATIONS = ("never", "has not", "has never", "had not", "had never")
#: Signs that a sentence names a speaker: quotation marks, words of saying, and names after its beginning.
ATTRIBUTION_SIGNS = re.compile(
    r"[\"“”]|\b(?:said|says|told|according)\b|(?<!^)(?<![.!?]\s)\b[A-Z]\w"
)


def parse_templates(windows: WindowBuilder, texts: Iterable[str]) -> list[Template]:
    """Return texts with slots as lists of tokens and slots."""
    templates = []
    for text in texts:
        template: Template = []
        for segment in re.split(r"(\{\w+\})", text):
            words = segment.strip()
            if words in (NAME, SENTENCE):
                template.append(words)
            elif words:
                template += windows.tokenize([words])
        templates.append(template)
    return templates


def cut(tokens: Tokens, start: int, end: int) -> Tokens:
    """Return tokens ``[start, end)`` with their offsets and words as they are."""
    return Tokens(tokens.ids[start:end], tokens.offsets[start:end], tokens.words[start:end])


def concatenate(*sequences: Tokens) -> Tokens:
    """Return the tokens of all sequences, as if there were a space between their texts.

    Offsets and word numbers increase from one to the next. They have gaps where tokens were cut out.
    """
    tokens = Tokens([], [], [])
    for sequence in sequences:
        first_character = tokens.offsets[-1][1] + 1 if tokens.offsets else 0
        first_word = max((word for word in tokens.words if word is not None), default=-1) + 1
        tokens.ids.extend(sequence.ids)
        for start, end in sequence.offsets:
            tokens.offsets.append((start + first_character, end + first_character))
        for word in sequence.words:
            tokens.words.append(None if word is None else word + first_word)
    return tokens
