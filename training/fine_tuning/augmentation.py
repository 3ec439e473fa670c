"""Sentences made of train sentences, with labels that follow from how they were made.

Corpora ask of a sentence's holder and target, hardly ever of those who merely stand beside them, and tell what people
said far more often than what nobody knows. A model that has seen nothing else takes a sentence's stance for that of
everybody in it, and a question for its answer; of those who are quoted, and of what is denied, it has seen too little.

The labels are right for most, not for every one: a relative clause behind *It is unclear whether* still says what it
says; whoever *has not criticized*, or *does not trust*, may be against all the same, and *never failed to support* is
no denial; a *not* behind one of two who act together is kept from the other; a name that begins a sentence goes
unnoticed where nobody else is to be named, and *He* that begins one passes for a name.

Sentences are put together as tokens, as WordPiece has them: a tokenizer that writes spaces into its tokens sees one
missing.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from claimstance.model.windows import Tokens, WindowBuilder
from claimstance.training.fine_tuning import augmentation_templates as wording
from claimstance.training.fine_tuning.augmentation_templates import (
    NAME,
    SENTENCE,
    Form,
    cut,
    put_together,
)
from claimstance.training.fine_tuning.examples import Example, StanceExample

#: Ways to make examples out of others, in the order they are applied.
WAYS = ("joined", "unsaid", "beside", "quoted", "negated")
_REACH = range(
    1, 9
)  # tokens from a holder to a target that a *not* behind the holder is taken to concern
_TOWARD_SPEAKER = (
    0.5  # weight of a quote's other half: those it mentions take no side toward the speaker
)
_PAIRS = 4  # of one from each half that are asked about, at most
_TRIES = 5  # to find a sentence about others than this one
_Span = tuple[int, int]


class Augmenter:
    """Makes examples of others.

    Args:
        windows: of the model that is trained.
        no_stance: the shares of the labels where there is no stance.
    """

    def __init__(self, windows: WindowBuilder, no_stance: tuple[float, ...]) -> None:
        self._no_stance = no_stance
        self._joints = windows.tokenize(wording.JOINTS)
        self._unsaid, self._beside, self._quoted = (
            wording.forms(windows, texts)
            for texts in (wording.UNSAID, wording.BESIDE, wording.QUOTED)
        )
        self._not = {word: windows.tokenize(denials) for word, denials in wording.NOT.items()}
        self._not_past = windows.tokenize(wording.NOT_PAST)
        [self._stop] = windows.tokenize(["."])

    def suits(self, way: str, example: Example) -> bool:
        """Return true if ``made`` may try to make an example of this one in ``way``, one of ``WAYS``."""
        if way == "quoted":
            return _says_nobody_named(example)
        return self.takes_side(example, named=way != "joined")

    def made(
        self, way: str, example: Example, others: Sequence[Example], rng: random.Random
    ) -> Example | None:
        """An example made of one that suits, with the help of others.

        ``None`` if none can be: hardly any of the others is about other people, nothing in it takes a *not*.
        """
        if way in ("unsaid", "negated"):
            return self.unsaid(example, rng) if way == "unsaid" else self.negated(example, rng)
        found = [
            other
            for other in rng.choices(others, k=_TRIES)
            if self.strangers(example, other) and (way == "joined" or _names(other))
        ]
        if not found:
            return None
        if way == "joined":
            first, second = rng.sample([example, found[0]], 2)  # in either order
            return self.joined(first, second, rng)
        return (self.beside if way == "beside" else self.quoted)(example, found[0], rng)

    def takes_side(self, example: Example, named: bool = False) -> bool:
        """Return true if a holder (``named``: one whom the sentence names) is for or against a mention."""
        return any(
            self._is_side(stance) and (stance.holder is not None or not named)
            for stance in example.stances
        )

    def _is_side(self, stance: StanceExample) -> bool:
        of_none = sum(
            share for share, none in zip(stance.shares, self._no_stance, strict=True) if none
        )
        return isinstance(stance.target, tuple) and max(stance.shares) > of_none

    def strangers(self, first: Example, second: Example) -> bool:
        """Return true if no mention in one has its last word in the other, where it might mean the same entity."""
        return not (
            _last_words(first) & set(second.tokens.ids)
            or _last_words(second) & set(first.tokens.ids)
        )

    def joined(self, first: Example, second: Example, rng: random.Random) -> Example:
        """One sentence of two: the stances toward mentions in each, and between the two, where there is none."""
        beginning = self._without_stop(first)
        joint = rng.choice(self._joints)
        left = _moved(first.stances, 0)
        right = _moved(second.stances, len(beginning) + len(joint))
        across = self._none_between(_spans(left), _spans(right), rng)
        return Example(
            first.corpus,
            put_together(beginning, joint, second.tokens),
            stances=[*left, *right, *across],
        )

    def _without_stop(self, example: Example) -> Tokens:
        """The sentence without its full stop, unless a mention ends with it: *the U.S.* does."""
        end = max((end for _, end in _spans(example.stances)), default=0)
        stops = example.tokens.ids[-1:] == self._stop.ids and end < len(example)
        return cut(example.tokens, 0, len(example) - stops)

    def _none_between(
        self, some: set[_Span], others: set[_Span], rng: random.Random
    ) -> list[StanceExample]:
        """No stance of some of these toward some of those, in either direction."""
        pairs = list(product(some, others))
        pairs += [(target, holder) for holder, target in pairs]
        return [
            StanceExample(holder, target, self._no_stance, 1.0)
            for holder, target in rng.sample(sorted(pairs), min(_PAIRS, len(pairs)))
        ]

    def beside(self, example: Example, other: Example, rng: random.Random) -> Example:
        """The sentence with somebody of another one standing by: toward them nobody takes a side, nor do they.

        Who reports a sentence stands by, too, if it names those whose stances it tells of: only these are kept.
        """
        tokens, name, shift = self._with_name(rng.choice(self._beside), example, other, rng)
        stances = [stance for stance in _moved(example.stances, shift) if stance.holder]
        by = self._none_between({name}, _spans(stances), rng)
        return Example(example.corpus, tokens, stances=[*stances, *by])

    def quoted(self, example: Example, other: Example, rng: random.Random) -> Example:
        """The sentence as what somebody of another one says: what it says of those whom it mentions, they think.

        Those whom it mentions take no side toward them.
        """
        tokens, name, shift = self._with_name(rng.choice(self._quoted), example, other, rng)
        stances = [replace(stance, holder=name) for stance in _moved(example.stances, shift)]
        back = [
            StanceExample(stance.target, name, self._no_stance, _TOWARD_SPEAKER)
            for stance in stances
            if isinstance(stance.target, tuple)
        ]
        return Example(example.corpus, tokens, stances=[*stances, *back])

    def _with_name(
        self, form: Form, example: Example, other: Example, rng: random.Random
    ) -> tuple[Tokens, _Span, int]:
        """The sentence in a form with somebody of another one; where their name stands, and how far it has moved."""
        name = cut(other.tokens, *rng.choice(_names(other)))
        tokens, places = self._filled(form, example, name)
        return tokens, (places[NAME], places[NAME] + len(name)), places[SENTENCE]

    def unsaid(self, example: Example, rng: random.Random) -> Example:
        """The sentence behind words that leave open whether it is so: whom it names takes no side.

        It weighs as much as what it takes back.
        """
        tokens, places = self._filled(rng.choice(self._unsaid), example)
        stances = [
            replace(stance, shares=self._no_stance)
            for stance in _moved(example.stances, places[SENTENCE])
            if stance.holder
        ]
        return Example(example.corpus, tokens, stances=stances)

    def negated(self, example: Example, rng: random.Random) -> Example | None:
        """The sentence with a *not* behind a holder, who takes no side now toward whom they soon mention.

        ``None`` if no holder is followed by a word that takes it. Of the holder's stances, no other one is kept; those
        of others are as they were.
        """
        for stance in filter(self._is_side, example.stances):
            if not stance.holder or isinstance(stance.target, str):
                continue
            start = stance.holder[1]
            end, denials = self._denials(example, start)
            if denials and stance.target[0] - start in _REACH:
                denial = rng.choice(denials)
                tokens = put_together(
                    cut(example.tokens, 0, start), denial, cut(example.tokens, end, len(example))
                )
                kept = [
                    replace(stance, shares=self._no_stance),
                    *(
                        other
                        for other in example.stances
                        if other.holder and other.holder != stance.holder
                    ),
                ]
                return Example(
                    example.corpus,
                    tokens,
                    stances=_moved(kept, len(denial) - (end - start), behind=end),
                )
        return None

    def _denials(self, example: Example, start: int) -> tuple[int, Sequence[Tokens]]:
        """Where the word at ``start`` that a denial replaces ends, and the denials that may stand there.

        It ends at ``start`` where they are merely put in; none where no word takes a denial.
        """
        word, end = _word(example, start)
        if word in self._not and _word(example, end)[0] not in ("not", "never", "no"):
            return end, self._not[word]
        return start, self._not_past if word.endswith("ed") else []

    def _filled(
        self, form: Form, example: Example, name: Tokens | None = None
    ) -> tuple[Tokens, dict[str, int]]:
        """A form with a sentence and a name in their places, and where these begin.

        The sentence loses its full stop if the form ends with one.
        """
        last = form[-1]
        goes_on = not isinstance(last, str) and last.ids[-1:] == self._stop.ids
        filled = {SENTENCE: self._without_stop(example) if goes_on else example.tokens}
        if name is not None:
            filled[NAME] = name
        tokens = Tokens([], [], [])
        places: dict[str, int] = {}
        for part in form:
            if isinstance(part, str):
                places[part] = len(tokens)
                part = filled[part]
            tokens = put_together(tokens, part)
        return tokens, places


def _last_words(example: Example) -> set[int]:
    """The last token of each mention that a stance is of or toward."""
    return {example.tokens.ids[end - 1] for _, end in _spans(example.stances)}


def _spans(stances: Sequence[StanceExample]) -> set[_Span]:
    return {
        span
        for stance in stances
        for span in (stance.holder, stance.target)
        if isinstance(span, tuple)
    }


def _names(example: Example) -> list[_Span]:
    """The mentions in a sentence that begin with a capital: *he* is none."""
    return [
        span
        for span in sorted(_spans(example.stances))
        if example.text[example.tokens.offsets[span[0]][0]].isupper()
    ]


def _moved(stances: Sequence[StanceExample], shift: int, behind: int = 0) -> list[StanceExample]:
    """Those toward mentions, what stands from token ``behind`` on as many tokens further on."""

    def moved(span: _Span) -> _Span:
        start, end = span
        return start + shift * (start >= behind), end + shift * (end > behind)

    return [
        replace(stance, holder=stance.holder and moved(stance.holder), target=moved(stance.target))
        for stance in stances
        if isinstance(stance.target, tuple)
    ]


def _says_nobody_named(example: Example) -> bool:
    """Return true if the sentence shows no speaker and no holder, only targets of stances."""
    text = example.text
    for start, end in _spans(example.stances):
        left, right = example.tokens.offsets[start][0], example.tokens.offsets[end - 1][1]
        text = text[:left] + " " * (right - left) + text[right:]
    return not (wording.SAYS.search(text) or any(stance.holder for stance in example.stances))


def _word(example: Example, start: int) -> tuple[str, int]:
    """The word that begins with a token, in lower case, and where it ends; empty behind the last token."""
    words, offsets = example.tokens.words, example.tokens.offsets
    end = start
    while end < len(words) and words[end] == words[start]:
        end += 1
    return (
        example.text[offsets[start][0] : offsets[end - 1][1]].lower() if end > start else ""
    ), end
