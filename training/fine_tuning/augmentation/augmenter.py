"""Augmentation: new train sentences made of existing ones, with labels that follow from how they are made.

Corpora annotate the holders and targets of stances, but hardly ever the people who are merely mentioned beside
them, and they report what people said far more often than what nobody knows. A model that has seen nothing else
gives everybody in a sentence its stance and takes a question for its answer. It has also seen too few quotations
and denials.

The labels are right for most augmented sentences, but not for all:

- A relative clause after *It is unclear whether* still asserts something.
- Somebody who *has not criticized* or *does not trust* a person may be against them all the same, and *never
  failed to support* is no denial.
- The *not* after one of two people who act together does not change the stance of the other.
- A name at the beginning of a sentence goes unnoticed where nobody else may be named, and *He* at the beginning
  passes for a name.

Sentences are put together as WordPiece tokens, with a space assumed between any two parts. A tokenizer that writes
spaces into its tokens sees one missing.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from claimstance.model.windows import Tokens, WindowBuilder
from claimstance.training.fine_tuning.augmentation import templates
from claimstance.training.fine_tuning.augmentation.templates import (
    NAME,
    SENTENCE,
    Template,
    concatenate,
    cut,
)
from claimstance.training.fine_tuning.training_example import Example, StanceExample

#: The methods of augmentation by their names in a configuration, in the order in which they are applied.
METHODS = ("joined", "unsaid", "beside", "quoted", "negated")
#: Greatest distance in tokens between a holder and a target that a *not* after the holder concerns.
_NEGATION_REACH = 8
#: Weight of the stances of the people in a quotation toward its speaker, which are assumed to be none.
_TOWARD_SPEAKER_WEIGHT = 0.5
_MAX_PAIRS = 4  # pairs without a stance that one augmentation adds
_MAX_TRIES = 5  # sentences that are drawn to find one about other people
_Span = tuple[int, int]  # start, end (exclusive), in tokens


class Augmenter:
    """Make new examples from existing ones.

    Args:
        windows: the tokenizer of the model.
        no_stance: the probability of each label for a pair without a stance.
    """

    def __init__(self, windows: WindowBuilder, no_stance: tuple[float, ...]) -> None:
        self._no_stance = no_stance
        self._conjunctions = windows.tokenize(templates.CONJUNCTIONS)
        self._unsaid = templates.parse_templates(windows, templates.UNSAID)
        self._beside = templates.parse_templates(windows, templates.BESIDE)
        self._quoted = templates.parse_templates(windows, templates.QUOTED)
        self._negations = {
            word: windows.tokenize(negations) for word, negations in templates.NEGATIONS.items()
        }
        self._past_negations = windows.tokenize(templates.PAST_NEGATIONS)
        [self._full_stop] = windows.tokenize(["."])

    def is_eligible(self, method: str, example: Example) -> bool:
        """Return whether ``augment`` may be called for an example, with one of ``METHODS``."""
        if method != "quoted":
            return self.takes_side(example, only_named_holders=method != "joined")
        if any(stance.holder is not None for stance in example.stances):
            return False
        # The names of targets are blanked, because only other names may be those of speakers.
        text, offsets = example.text, example.tokens.offsets
        for start, end in _mentions(example.stances):
            first, last = offsets[start][0], offsets[end - 1][1]
            text = text[:first] + " " * (last - first) + text[last:]
        return templates.ATTRIBUTION_SIGNS.search(text) is None

    def augment(
        self, method: str, example: Example, partners: Sequence[Example], rng: random.Random
    ) -> Example | None:
        """Return a new example made of an eligible one.

        Args:
            method: one of ``METHODS``.
            example: the example.
            partners: the examples to draw a second sentence or a name from.
            rng: the source of all random choices.

        Returns:
            ``None`` if the example cannot be augmented: none of the partners that were drawn is about other
            people, or no word of the sentence can be negated.
        """
        if method == "unsaid":
            return self.unsay(example, rng)
        if method == "negated":
            return self.negate(example, rng)
        for partner in rng.choices(partners, k=_MAX_TRIES):
            if not self.are_unrelated(example, partner):
                continue
            if method == "joined":
                first, second = rng.sample([example, partner], 2)  # in either order
                return self.join(first, second, rng)
            if not _names(partner):
                continue
            if method == "beside":
                return self.add_bystander(example, partner, rng)
            return self.quote(example, partner, rng)
        return None

    def takes_side(self, example: Example, only_named_holders: bool = False) -> bool:
        """Return whether a holder is for or against a mention.

        Args:
            example: the example.
            only_named_holders: stances of the text itself do not count.
        """
        for stance in example.stances:
            if stance.holder is None and only_named_holders:
                continue
            if self._is_side(stance):
                return True
        return False

    def _is_side(self, stance: StanceExample) -> bool:
        """Return whether the likeliest label of a stance toward a mention is for or against it."""
        if not isinstance(stance.target, tuple):
            return False
        neutral_probability = stance.probabilities[self._no_stance.index(1.0)]
        return max(stance.probabilities) > neutral_probability

    def are_unrelated(self, first: Example, second: Example) -> bool:
        """Return whether neither sentence contains the last word of a mention in the other.

        A shared last word, such as a surname, may mean the same person.
        """
        first_words, second_words = _last_words(first), _last_words(second)
        return first_words.isdisjoint(second.tokens.ids) and second_words.isdisjoint(
            first.tokens.ids
        )

    def join(self, first: Example, second: Example, rng: random.Random) -> Example:
        """Return one sentence made of two, in which nobody has a stance toward a mention in the other half."""
        beginning = self._without_full_stop(first)
        conjunction = rng.choice(self._conjunctions)
        first_stances = _shift_stances(first.stances, 0)
        second_stances = _shift_stances(second.stances, len(beginning) + len(conjunction))
        across = self._pairs_without_stance(
            _mentions(first_stances), _mentions(second_stances), rng
        )
        tokens = concatenate(beginning, conjunction, second.tokens)
        return Example(first.corpus, tokens, stances=[*first_stances, *second_stances, *across])

    def unsay(self, example: Example, rng: random.Random) -> Example:
        """Return the sentence after words that leave open whether it is true, so that nobody takes a side.

        The new example weighs as much as the stances that it takes back.
        """
        tokens, starts = self._fill(rng.choice(self._unsaid), example)
        # The author may mock somebody even in such words, so stances of the text itself are left out.
        stances = [
            replace(stance, probabilities=self._no_stance)
            for stance in _shift_stances(example.stances, starts[SENTENCE])
            if stance.holder is not None
        ]
        return Example(example.corpus, tokens, stances=stances)

    def add_bystander(self, example: Example, partner: Example, rng: random.Random) -> Example:
        """Return the sentence with a bystander from another sentence, who has no stance and is no target of any.

        The bystander may be the one who reports the sentence, and would then share the stances of the text
        itself. Therefore only stances of named holders are kept.
        """
        tokens, bystander, start = self._fill_with_name(self._beside, example, partner, rng)
        stances = [
            stance for stance in _shift_stances(example.stances, start) if stance.holder is not None
        ]
        neutral = self._pairs_without_stance({bystander}, _mentions(stances), rng)
        return Example(example.corpus, tokens, stances=[*stances, *neutral])

    def quote(self, example: Example, partner: Example, rng: random.Random) -> Example:
        """Return the sentence as the words of somebody from another sentence, who then holds its stances.

        The people whom it mentions take no side toward the speaker.
        """
        tokens, speaker, start = self._fill_with_name(self._quoted, example, partner, rng)
        stances, toward_speaker = [], []
        for stance in _shift_stances(example.stances, start):
            assert isinstance(stance.target, tuple)
            stances.append(replace(stance, holder=speaker))
            toward_speaker.append(
                StanceExample(stance.target, speaker, self._no_stance, _TOWARD_SPEAKER_WEIGHT)
            )
        return Example(example.corpus, tokens, stances=[*stances, *toward_speaker])

    def negate(self, example: Example, rng: random.Random) -> Example | None:
        """Return the sentence with a *not* after a holder, who then takes no side toward a target soon after it.

        Other stances of this holder are left out, because the reach of the *not* is unknown, and so are those
        of the text itself; those of other holders stay.

        Returns:
            ``None`` if no holder of a side is followed by a word that can be negated, and by the target.
        """
        for stance in example.stances:
            holder, target = stance.holder, stance.target
            if holder is None or isinstance(target, str) or not self._is_side(stance):
                continue
            start = holder[1]
            if not 1 <= target[0] - start <= _NEGATION_REACH:
                continue
            word, end = _word_at(example, start)
            following_word, _ = _word_at(example, end)
            if word in self._negations and following_word not in ("not", "never", "no"):
                negations = self._negations[word]
            elif word.endswith("ed"):
                # A past tense stays as it is, and its negation stands before it.
                negations, end = self._past_negations, start
            else:
                continue

            negation = rng.choice(negations)
            tokens = concatenate(
                cut(example.tokens, 0, start), negation, cut(example.tokens, end, len(example))
            )
            negated = replace(stance, probabilities=self._no_stance)
            of_others = [it for it in example.stances if it.holder not in (None, holder)]
            shift = len(negation) - (end - start)
            stances = _shift_stances([negated, *of_others], shift, first=end)
            return Example(example.corpus, tokens, stances=stances)
        return None

    def _without_full_stop(self, example: Example) -> Tokens:
        """Return the sentence without its full stop, unless that ends a mention (*the U.S.*)."""
        last_mention_end = max((end for _, end in _mentions(example.stances)), default=0)
        ends_with_stop = example.tokens.ids[-1:] == self._full_stop.ids
        if ends_with_stop and last_mention_end < len(example):
            return cut(example.tokens, 0, len(example) - 1)
        return example.tokens

    def _pairs_without_stance(
        self, first_mentions: set[_Span], second_mentions: set[_Span], rng: random.Random
    ) -> list[StanceExample]:
        """Return a few random pairs of a mention of each set, in either direction, as examples without a stance."""
        pairs = []
        for first, second in product(first_mentions, second_mentions):
            pairs += [(first, second), (second, first)]
        # Sorted, because a set has no order that a seed could repeat.
        drawn = rng.sample(sorted(pairs), min(_MAX_PAIRS, len(pairs)))
        return [StanceExample(holder, target, self._no_stance, 1.0) for holder, target in drawn]

    def _fill_with_name(
        self, templates: Sequence[Template], example: Example, partner: Example, rng: random.Random
    ) -> tuple[Tokens, _Span, int]:
        """Return a random template filled with a sentence and a name from another one.

        Returns:
            The tokens, the span of the name, and the first token of the sentence.
        """
        template = rng.choice(templates)
        name_start, name_end = rng.choice(_names(partner))
        name = cut(partner.tokens, name_start, name_end)
        tokens, starts = self._fill(template, example, name)
        name_span = (starts[NAME], starts[NAME] + len(name))
        return tokens, name_span, starts[SENTENCE]

    def _fill(
        self, template: Template, example: Example, name: Tokens | None = None
    ) -> tuple[Tokens, dict[str, int]]:
        """Return a template filled with a sentence and a name, and slot → its first token."""
        sentence = example.tokens
        last = template[-1]
        if isinstance(last, Tokens) and last.ids[-1:] == self._full_stop.ids:
            sentence = self._without_full_stop(example)  # the template brings its own
        fillers = {SENTENCE: sentence}
        if name is not None:
            fillers[NAME] = name
        filled: list[Tokens] = []
        starts: dict[str, int] = {}
        for element in template:
            if isinstance(element, str):
                starts[element] = sum(map(len, filled))
                filled.append(fillers[element])
            else:
                filled.append(element)
        return concatenate(*filled), starts


def _mentions(stances: Sequence[StanceExample]) -> set[_Span]:
    """Return the spans of all holders and targets."""
    spans: set[_Span] = set()
    for stance in stances:
        for span in (stance.holder, stance.target):
            if isinstance(span, tuple):
                spans.add(span)
    return spans


def _last_words(example: Example) -> set[int]:
    """Return the id of the last token of each mention."""
    return {example.tokens.ids[end - 1] for _, end in _mentions(example.stances)}


def _names(example: Example) -> list[_Span]:
    """Return the mentions that begin with a capital letter, which leaves out pronouns such as *he*."""
    names = []
    for start, end in sorted(_mentions(example.stances)):
        first_character = example.tokens.offsets[start][0]
        if example.text[first_character].isupper():
            names.append((start, end))
    return names


def _shift_stances(
    stances: Sequence[StanceExample], shift: int, first: int = 0
) -> list[StanceExample]:
    """Return the stances toward mentions, with token ``first`` and all later ones moved by ``shift``."""

    def shifted(span: _Span) -> _Span:
        start, end = span
        if start >= first:
            start += shift
        if end > first:
            end += shift
        return start, end

    shifted_stances = []
    for stance in stances:
        if isinstance(stance.target, tuple):
            holder = None if stance.holder is None else shifted(stance.holder)
            target = shifted(stance.target)
            shifted_stances.append(replace(stance, holder=holder, target=target))
    return shifted_stances


def _word_at(example: Example, start: int) -> tuple[str, int]:
    """Return the word that begins with a token, in lower case, and its end in tokens; "" after the last token."""
    words, offsets = example.tokens.words, example.tokens.offsets
    end = start
    while end < len(words) and words[end] == words[start]:
        end += 1
    if end == start:
        return "", end
    first_character, end_character = offsets[start][0], offsets[end - 1][1]
    return example.text[first_character:end_character].lower(), end
