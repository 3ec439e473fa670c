"""Sentences made of train sentences, with labels that follow from how they were made.

Corpora ask of a sentence's holder and target, hardly ever of those who merely stand beside them, and tell what people
said far more often than what nobody knows. A model that has seen nothing else takes a sentence's stance for that of
everybody in it, and a question for its answer.

The labels are right for nearly all, not for every one: a relative clause behind *It is unclear whether* still says what
it says. Sentences are put together as tokens, as WordPiece has them: a tokenizer that writes spaces into its tokens
sees one missing.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from itertools import product

from claimstance.model.windows import Tokens, WindowBuilder
from claimstance.training.examples import Example, StanceExample

#: What two sentences are joined with; the first one loses its full stop.
_JOINTS = (";", ", and", ", while", ", but", ", as", ".")
#: What a sentence no longer says when it stands behind it.
_UNSAYING = (
    "It is unclear whether", "Nobody could say whether", "Officials would not confirm that",
    "There is no evidence that", "The question is whether", "If", "It remains to be seen whether")
#: What stands around the name of somebody who merely stands by, before a sentence and behind it.
_STANDING_BEFORE = (
    ("At a meeting with", ","), ("Asked by", ","), ("In a letter to", ","), ("As", "looked on,"), ("In front of", ","),
    ("", "reported that"))
_STANDING_BEHIND = (
    (", as", "looked on"), ("after a call from", ""), (", in a conversation with", ""), (", with", "in the room"),
    ("before meeting", ""), (",", "reported"))
_PAIRS = 4  # of one from each half that are asked about, at most
_Span = tuple[int, int]


class Augmenter:
    """Makes examples of others.

    Args:
        windows: of the model that is trained.
        no_stance: the shares of the labels where there is no stance.
    """

    def __init__(self, windows: WindowBuilder, no_stance: tuple[float, ...]) -> None:
        self._no_stance = no_stance
        self._joints, self._unsaying = windows.tokenize(_JOINTS), windows.tokenize(_UNSAYING)
        self._before, self._behind = ([windows.tokenize(each) for each in around]
                                      for around in (_STANDING_BEFORE, _STANDING_BEHIND))
        [self._stop] = windows.tokenize(["."])

    def takes_side(self, example: Example, named: bool = False) -> bool:
        """Whether somebody (``named``: whom the sentence names) takes a side here, for or against a mention."""
        return any(isinstance(stance.target, tuple) and max(stance.shares) > self._of_no_stance(stance)
                   and (stance.holder is not None or not named) for stance in example.stances)

    def _of_no_stance(self, stance: StanceExample) -> float:
        return sum(share for share, none in zip(stance.shares, self._no_stance, strict=True) if none)

    def strangers(self, first: Example, second: Example) -> bool:
        """Whether neither has a mention whose last word stands in the other, which may be of the same."""
        return not (_last_words(first) & set(second.tokens.ids) or _last_words(second) & set(first.tokens.ids))

    def joined(self, first: Example, second: Example, rng: random.Random) -> Example:
        """One sentence of two: the stances toward mentions in each, and between the two, where there is none."""
        beginning = self._without_stop(first)
        joint = rng.choice(self._joints)
        left = _moved(first.stances, 0)
        right = _moved(second.stances, len(beginning) + len(joint))
        across = self._none_between(_spans(left), _spans(right), rng)
        return Example(first.corpus, _put_together(beginning, joint, second.tokens), stances=[*left, *right, *across])

    def _without_stop(self, example: Example) -> Tokens:
        """The sentence without its full stop, unless a mention ends with it: *the U.S.* does."""
        end = max((end for _, end in _spans(example.stances)), default=0)
        stops = example.tokens.ids[-1:] == self._stop.ids and end < len(example)
        return _cut(example.tokens, 0, len(example) - stops)

    def _none_between(self, some: set[_Span], others: set[_Span], rng: random.Random) -> list[StanceExample]:
        """No stance of some of these toward some of those, in either direction."""
        pairs = list(product(some, others))
        pairs += [(target, holder) for holder, target in pairs]
        return [StanceExample(holder, target, self._no_stance, 1.0)
                for holder, target in rng.sample(sorted(pairs), min(_PAIRS, len(pairs)))]

    def beside(self, example: Example, other: Example, rng: random.Random) -> Example:
        """The sentence with somebody of another one standing by: toward them nobody takes a side, nor do they.

        Who reports a sentence stands by, too, if it names those whose stances it tells of: only these are kept.
        """
        name = _cut(other.tokens, *rng.choice(sorted(_spans(other.stances))))
        if rng.random() < 0.5:
            left, right = rng.choice(self._before)
            tokens = _put_together(left, name, right, example.tokens)
            place, shift = len(left), len(left) + len(name) + len(right)
        else:
            left, right = rng.choice(self._behind)
            beginning = self._without_stop(example)
            tokens = _put_together(beginning, left, name, right, self._stop)
            place, shift = len(beginning) + len(left), 0
        stances = [stance for stance in _moved(example.stances, shift) if stance.holder]
        by = self._none_between({(place, place + len(name))}, _spans(stances), rng)
        return Example(example.corpus, tokens, stances=[*stances, *by])

    def unsaid(self, example: Example, rng: random.Random) -> Example:
        """The sentence behind words that leave open whether it is so: whom it names takes no side.

        It weighs as much as what it takes back.
        """
        before = rng.choice(self._unsaying)
        stances = [replace(stance, shares=self._no_stance) for stance in _moved(example.stances, len(before))
                   if stance.holder]
        return Example(example.corpus, _put_together(before, example.tokens), stances=stances)


def _last_words(example: Example) -> set[int]:
    """The last token of each mention that a stance is of or toward."""
    return {example.tokens.ids[end - 1] for _, end in _spans(example.stances)}


def _spans(stances: Sequence[StanceExample]) -> set[_Span]:
    return {span for stance in stances for span in (stance.holder, stance.target) if isinstance(span, tuple)}


def _moved(stances: Sequence[StanceExample], shift: int) -> list[StanceExample]:
    """Those toward mentions, as many tokens further on."""
    def moved(span: _Span) -> _Span:
        return span[0] + shift, span[1] + shift

    return [replace(stance, holder=stance.holder and moved(stance.holder), target=moved(stance.target))
            for stance in stances if isinstance(stance.target, tuple)]


def _cut(tokens: Tokens, start: int, end: int) -> Tokens:
    return Tokens(tokens.ids[start:end], tokens.offsets[start:end], tokens.words[start:end])


def _put_together(*parts: Tokens) -> Tokens:
    """Tokens one behind the other, as if there were a space between their texts."""
    return reduce(_appended, parts)


def _appended(tokens: Tokens, more: Tokens) -> Tokens:
    """Tokens with others behind them, as if there were a space between their texts."""
    characters = tokens.offsets[-1][1] + 1 if tokens.offsets else 0
    words = max((word for word in tokens.words if word is not None), default=-1) + 1
    return Tokens(
        tokens.ids + more.ids,
        tokens.offsets + [(start + characters, end + characters) for start, end in more.offsets],
        tokens.words + [None if word is None else word + words for word in more.words])
