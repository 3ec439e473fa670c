"""Recognize articles that are not in English, the language that the model reads."""

import logging
import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

log = logging.getLogger(__name__)
#: The warning of an article that is not in English.
NOT_ENGLISH = "the article seems not to be in English, which the model was trained on"
_SAMPLE = 100_000  # characters from the beginning, which show as much as the entire text
_FEWEST_LETTERS = 20
#: Frequent words of English that are words of hardly any other language.
_ENGLISH_WORDS = {
    *("the", "and", "that", "this", "with", "from", "which", "who"),
    *("their", "they", "have", "were", "been", "would", "said"),
}
_ENGLISH_SHARE = 0.05  # in news it is 0.13
_SURE = 0.9  # of the two likeliest languages: Spanish and Galician share much, and so do Czech and Slovak
_WORD = re.compile(r"[^\W\d_]+")
# Quoted words may be in another language than the article.
_QUOTED = re.compile(r"“[^“”]*”|«[^«»]*»|\"[^\"]*\"")
#: What the identifier gives for English, for Nigerian Pidgin, which headlines are taken for, and for no language.
_NOT_FOREIGN = ("en", "pcm", "zxx")


def is_foreign(text: str) -> bool:
    """Return whether a text as a whole is in another language than English; few short texts are recognized."""
    sample = _QUOTED.sub(" ", text[:_SAMPLE])
    words = _WORD.findall(sample.lower())
    if sum(map(len, words)) < _FEWEST_LETTERS:
        # Nearly everything is quoted, so that the quotations decide.
        sample = text[:_SAMPLE]
        words = _WORD.findall(sample.lower())
    if sum(map(len, words)) < _FEWEST_LETTERS:
        return False
    # This is true of all but headlines, and saves loading the identifier: half a second and 100 MB.
    english_words = sum(word in _ENGLISH_WORDS for word in words)
    if english_words >= _ENGLISH_SHARE * len(words):
        return False
    try:
        identifier = _load_identifier()
    except OSError as error:  # it unpacks its model into a temporary file
        log.warning("whether articles are in English cannot be told: %s", error)
        return False
    foreign = 0.0
    for name, share in identifier.rank(sample)[:2]:
        if name not in _NOT_FOREIGN:
            foreign += share
    return bool(foreign >= _SURE)


@cache
def _load_identifier() -> "LanguageIdentifier":
    """Return the identifier of py3langid, whose model is part of its package."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
