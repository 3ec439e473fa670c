"""Whom a he or a she means: the most salient of the people mentioned in the sentences before it."""

from collections import deque
from collections.abc import Container, Iterator, Mapping, Set

from claimstance.inference.coreference.people import Mention, PeopleInText

_FAR = 8  # sentences back from a pronoun; farther, nobody is meant
# Sentences back from a pronoun that cannot mean whom it seems to mean: to whom else it may mean, and to a pronoun like
# it where two people speak in turns. Chosen on the development part of GAP and the train part of PolNeAR.
_NEAR, _IN_TURNS = 5, 2
# Mentions that are remembered of one sentence. Only a list that lacks sentence ends has more, and each pronoun looks at
# all of them.
_MOST_MENTIONS = 200

Meant = Mapping[int, Set[tuple[str, str]]]  # sentence → gender and name of its pronouns


class RecentMentions:
    """The mentions of the last sentences, to which each pronoun is added once it is resolved.

    A sentence remembers the first of several mentions that are alike, since the first is the one that is chosen.

    Args:
        people: of the text.
        meant: whom pronouns mean that are resolved already, in sentences to come as well.
    """

    def __init__(self, people: PeopleInText, meant: Meant | None = None) -> None:
        self._genders = people.genders
        self._meant = meant or {}
        self._sentences: deque[tuple[int, dict[tuple[object, ...], Mention]]] = deque()

    def add(self, mention: Mention) -> None:
        """Remember a mention; mentions come in the order of the text."""
        if not self._sentences or self._sentences[-1][0] != mention.sentence:
            self._sentences.append((mention.sentence, {}))
            while self._sentences[0][0] < mention.sentence - _FAR:
                self._sentences.popleft()
        alike = (mention.name, mention.quoted, mention.subject, mention.source, mention.pronoun)
        mentions = self._sentences[-1][1]
        if len(mentions) < _MOST_MENTIONS:
            mentions.setdefault(alike, mention)

    def resolve(
        self, gender: str, sentence: int, quoted: bool, excluded: Set[str] = frozenset()
    ) -> str | None:
        """Return the name that a pronoun stands for: of the nearest sentence with somebody who fits, the first source,
        else the first subject, else the first person.

        One person is not both he and she: whom a pronoun of the other gender means in this sentence or a neighbouring
        one is out of the question. If that is who would be chosen, the answer is nobody, unless it is plain who else.

        Args:
            gender: of the pronoun.
            sentence: the index of the pronoun's sentence.
            quoted: whether the pronoun stands in a quote, and may then mean people named in quotes.
            excluded: names that it does not stand for.
        """
        best = self._most_salient(gender, sentence, quoted, _FAR, excluded)
        barred = self._meant_by_others(gender, sentence)
        if best is None or best not in barred:
            return best
        barred |= excluded
        other = self._most_salient(gender, sentence, quoted, _NEAR, barred)
        if other is None or self._was_meant(other, gender, sentence):
            return other
        if self._are_a_pair(best, other, sentence) and self._only_one_fits(
            gender, sentence, quoted, barred
        ):
            return other
        return None

    def _meant_by_others(self, gender: str, sentence: int) -> set[str]:
        """Return whom pronouns of the other gender mean, in a sentence and its neighbours."""
        names = {
            mention.name
            for _, mentions in self._back_to(sentence - 1)
            for mention in mentions
            if mention.pronoun not in (None, gender)
        }
        for near in (sentence, sentence + 1):
            names |= {name for other, name in self._meant.get(near, ()) if other != gender}
        return names

    def _most_salient(
        self, gender: str, sentence: int, quoted: bool, reach: int, barred: Container[str]
    ) -> str | None:
        for _, mentions in self._back_to(sentence - reach):
            fitting = [
                mention
                for mention in mentions
                if self._fits(mention, gender, quoted) and mention.name not in barred
            ]
            if fitting:
                return max(fitting, key=lambda mention: (mention.source, mention.subject)).name
        return None

    def _was_meant(self, name: str, gender: str, sentence: int) -> bool:
        """Return whether a pronoun of the gender meant that person a moment ago: the two speak in turns."""
        return any(
            mention.pronoun == gender and mention.name == name
            for _, mentions in self._back_to(sentence - _IN_TURNS)
            for mention in mentions
        )

    def _are_a_pair(self, first: str, second: str, sentence: int) -> bool:
        """Return whether a sentence not far back has the names of both."""
        for _, mentions in self._back_to(sentence - _NEAR):
            names = {mention.name for mention in mentions if mention.pronoun is None}
            if first in names and second in names:
                return True
        return False

    def _only_one_fits(
        self, gender: str, sentence: int, quoted: bool, barred: Container[str]
    ) -> bool:
        names = {
            mention.name
            for _, mentions in self._back_to(sentence - _NEAR)
            for mention in mentions
            if self._fits(mention, gender, quoted) and mention.name not in barred
        }
        return len(names) == 1

    def _back_to(self, first: int) -> Iterator[tuple[int, list[Mention]]]:
        """Yield the sentences that mention anybody with their mentions, the last sentence first."""
        for sentence, mentions in reversed(self._sentences):
            if sentence < first:
                return
            yield sentence, list(mentions.values())

    def _fits(self, mention: Mention, gender: str, quoted: bool) -> bool:
        return self._genders.get(mention.name, gender) == gender and (quoted or not mention.quoted)
