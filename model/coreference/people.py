"""The people that a text names, with their full names and genders, for the resolver.

All evidence comes from the form of the text: titles, commas, quotation marks, and pronouns near a single name. There is
no list of first names.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from claimstance.model.coreference.quotes import find_quotes
from claimstance.model.encoding import ShouldCancel, cancellable, never_cancel
from claimstance.model.text.accents import fold_accents
from claimstance.model.text.offsets import Offsets
from claimstance.model.text.person_names import bare_name, person_name, words

LabelledOffsets = tuple[int, int, str]

GENDERS = {
    **dict.fromkeys(("he", "him", "his", "himself"), "male"),
    **dict.fromkeys(("she", "her", "hers", "herself"), "female"),
}
PRONOUN = re.compile(rf"\b(?:{'|'.join(GENDERS)})\b", re.IGNORECASE)
_MALE = words(
    "mr sir lord king prince father son brother husband man chairman spokesman congressman councilman businessman actor"
)
_FEMALE = words(
    """
    mrs ms miss dame lady queen princess mother daughter sister wife woman chairwoman spokeswoman congresswoman
    councilwoman businesswoman actress
    """
)
# Votes for a gender: a title is surer than a pronoun whose subject is the person, and that is surer
# than any other pronoun nearby, which counts one.
_TITLE_WEIGHT, _SUBJECT_WEIGHT = 3, 2
_AFTER_PREPOSITION = re.compile(
    r"\b(?:about|above|after|against|among|around|as|at|before|behind|beside|between|by|for|from|in|into|like|near|of|on"
    r"|over|than|to|towards?|under|with|without)\s+(?:the\s+|former\s+|[A-Z]\w*\.?\s+)*$"
)
_POSSESSIVE = re.compile(r"['’]s?\b")
_CONTEXT = 60  # characters before a name in which a title or a preposition is looked for


@dataclass(frozen=True)
class Mention:
    """Represent a mention of a person in the text.

    Attributes:
        start: index of its first character in the text.
        end: index behind its last character.
        sentence: index of the sentence.
        name: the fullest form of the person's name in the text.
        quoted: true within quotation marks.
        subject: true if it may be the subject of its clause.
        source: true if it is a source.
        pronoun: the gender of a pronoun; ``None`` for a name or a description.
    """

    start: int
    end: int
    sentence: int
    name: str
    quoted: bool
    subject: bool
    source: bool = False
    pronoun: str | None = None


class PeopleInText:
    """Represent a text with the people that it names.

    Lookups by position are binary searches, so the time for all lookups of an article grows with its
    length, not with the square of it.

    Attributes:
        people: mentions by name, in order.
        genders: name → ``male`` or ``female``, where there is evidence and it mostly agrees.

    Raises:
        CancelledError: once ``should_cancel`` returns true.
    """

    def __init__(
        self,
        text: str,
        sentences: Sequence[Offsets],
        entities: Iterable[LabelledOffsets],
        should_cancel: ShouldCancel = never_cancel,
    ) -> None:
        self.text = text
        self._sentence_starts = [start for start, _ in sentences]
        self._quotes = [(quote.start, quote.end) for quote in find_quotes(text)]

        spans = []
        for start, end, label in entities:
            if label == "PERSON" and text[start:end].strip():
                spans.append((start, end))
        spans.sort()
        names = Counter(bare_name(text[start:end]) for start, end in spans)

        # The keys, spellings and surnames, have no accents.
        spellings: dict[str, Counter[str]] = defaultdict(Counter)
        full_names: dict[str, Counter[str]] = defaultdict(Counter)
        for name, frequency in names.items():
            folded = fold_accents(name)
            spellings[folded][name] += frequency
            person_in_name = person_name(folded)
            if person_in_name is not None:
                surname = person_in_name.surname
                for key in {surname, person_in_name.particles + surname}:
                    full_names[key][name] += frequency
        self._spellings = _most_frequent(spellings)
        self._full_names = _most_frequent(full_names)

        self.people: list[Mention] = []
        for start, end in cancellable(spans, should_cancel):
            words_of_person = text[start:end]
            # A possessive or an object of a preposition cannot be a subject.
            is_possessive = words_of_person.endswith(("'s", "’s")) or _POSSESSIVE.match(text, end)
            after_preposition = _AFTER_PREPOSITION.search(text, max(0, start - _CONTEXT), start)
            person = Mention(
                start,
                end,
                sentence=self.sentence_at(start),
                name=self.fullest(words_of_person),
                quoted=self.is_quoted(start),
                subject=not is_possessive and not after_preposition,
            )
            self.people.append(person)

        self._starts = [person.start for person in self.people]
        self._by_end = sorted((person.end, number) for number, person in enumerate(self.people))
        self.genders = self._guess_genders(should_cancel)

    def sentence_at(self, position: int) -> int:
        """Return the index of the sentence at a position, or of the last one before it."""
        return max(0, bisect_right(self._sentence_starts, position) - 1)

    def is_quoted(self, position: int) -> bool:
        """Return whether a position lies within quotation marks."""
        i = bisect_right(self._quotes, (position, len(self.text))) - 1
        return i >= 0 and position < self._quotes[i][1]

    def fullest(self, name: str) -> str:
        """Return the full name that a person's name stands for in this text, else the bare name."""
        bare = bare_name(name)
        folded = fold_accents(bare)
        if person_name(folded) is not None:
            return self._spellings.get(folded, bare)
        return self._full_names.get(folded, bare)

    def is_person(self, name: str) -> bool:
        """Return whether a bare name has the form of a person's name, or is a surname in this text."""
        folded = fold_accents(name)
        return person_name(folded) is not None or folded in self._full_names

    def within(self, span: Offsets) -> Iterator[tuple[int, Mention]]:
        """Yield the people named within a span, in order, with their index in ``people``."""
        start, end = span
        first = bisect_left(self._starts, start)
        last = bisect_right(self._starts, end)
        for number in range(first, last):
            person = self.people[number]
            if person.end <= end:
                yield number, person

    def ending_between(self, first: int, last: int) -> list[Mention]:
        """Return the people whose mention ends at a position from ``first`` to ``last``, in order."""
        low = bisect_left(self._by_end, (first, -1))
        high = bisect_left(self._by_end, (last + 1, -1))
        numbers = sorted(number for _, number in self._by_end[low:high])
        return [self.people[number] for number in numbers]

    def _guess_genders(self, should_cancel: ShouldCancel) -> dict[str, str]:
        """Return genders by the votes of titles and of pronouns outside quotes."""
        votes: dict[str, Counter[str]] = defaultdict(Counter)
        unquoted: dict[int, list[Mention]] = defaultdict(list)  # by sentence
        for person in cancellable(self.people, should_cancel):
            # A title is one of the two words before a name, or its first word.
            before_name = self.text[max(0, person.start - _CONTEXT) : person.start]
            words_before = re.findall(r"\w+", before_name)
            words_within = re.findall(r"\w+", self.text[person.start : person.end])
            title_words = {word.lower() for word in (*words_before[-2:], *words_within[:1])}
            for gender, nouns in (("male", _MALE), ("female", _FEMALE)):
                if not title_words.isdisjoint(nouns):
                    votes[person.name][gender] += _TITLE_WEIGHT
            if not person.quoted:
                unquoted[person.sentence].append(person)

        for name, gender, weight in self._votes_of_pronouns(unquoted, should_cancel):
            votes[name][gender] += weight

        genders = {}
        for name, counts in votes.items():
            minority, majority = sorted((counts["male"], counts["female"]))
            # A single vote, or one against another, is too little evidence.
            if majority > 1 and majority >= 3 * minority:
                genders[name] = max(counts, key=counts.__getitem__)
        return genders

    def _votes_of_pronouns(
        self, unquoted: Mapping[int, Sequence[Mention]], should_cancel: ShouldCancel
    ) -> Iterator[tuple[str, str, int]]:
        """Yield the name, the gender and the weight of each pronoun's vote.

        A pronoun votes if its sentence so far, else the sentence before, names only one person.

        Args:
            unquoted: the people outside of quotes, by sentence.
            should_cancel: see ``cancellable``.
        """
        current_sentence = -1
        people: Sequence[Mention] = ()  # of the sentence
        position = 0  # number of its people before the pronoun
        before: set[str] = set()  # the names before the pronoun in its sentence
        previous: set[str] = set()  # the names in the sentence before
        for pronoun in cancellable(PRONOUN.finditer(self.text), should_cancel):
            start = pronoun.start()
            if self.is_quoted(start):
                continue
            sentence = self.sentence_at(start)
            if sentence != current_sentence:
                current_sentence = sentence
                people = unquoted.get(sentence, ())
                position = 0
                before = set()
                previous = {person.name for person in unquoted.get(sentence - 1, ())}
            # The people before the pronoun are collected step by step, so that the work stays linear.
            while position < len(people) and people[position].start < start:
                before.add(people[position].name)
                position += 1

            names = before or previous
            if len(names) != 1:
                continue
            (name,) = names
            gender = GENDERS[pronoun[0].lower()]
            follows_subject = bool(before) and people[0].subject
            yield name, gender, _SUBJECT_WEIGHT if follows_subject else 1


def _most_frequent(counts: Mapping[str, Counter[str]]) -> dict[str, str]:
    """Return the most frequent form of each key; the first one if several are."""
    forms = {}
    for key, count in counts.items():
        ((form, _),) = count.most_common(1)
        forms[key] = form
    return forms
