"""Salience: the antecedent of a *he* or *she* among the people of the sentences before it."""

from collections import deque
from collections.abc import Container, Iterator, Mapping, Set

from claimstance.inference.coreference.people import Mention, PeopleInText

_MAX_DISTANCE = 8  # sentences back from a pronoun to its antecedent
# Where the best antecedent is ruled out: sentences back to the second best one, and to a pronoun of the same gender if
# two people speak in turns. Chosen on the development split of GAP and the train split of PolNeAR.
_RIVAL_DISTANCE, _TURN_DISTANCE = 5, 2
# Mentions that are stored for one sentence. Only a list without sentence ends has more, and every pronoun is compared
# with all of them.
_MAX_MENTIONS = 200

Antecedents = Mapping[int, Set[tuple[str, str]]]  # sentence → gender and name of its pronouns


class RecentMentions:
    """Store the mentions of the last sentences, to which each pronoun is added once it is resolved.

    Of several equal mentions in a sentence only the first is stored, since it would be chosen.

    Args:
        people: the people of the text.
        antecedents: those of the pronouns that are resolved already, also in later sentences.
    """

    def __init__(self, people: PeopleInText, antecedents: Antecedents | None = None) -> None:
        self._genders = people.genders
        self._antecedents = antecedents or {}
        self._sentences: deque[tuple[int, dict[tuple[object, ...], Mention]]] = deque()

    def add(self, mention: Mention) -> None:
        """Store a mention; mentions are added in the order of the text."""
        if not self._sentences or self._sentences[-1][0] != mention.sentence:
            self._sentences.append((mention.sentence, {}))
            while self._sentences[0][0] < mention.sentence - _MAX_DISTANCE:
                self._sentences.popleft()
        key = (mention.name, mention.quoted, mention.subject, mention.source, mention.pronoun)
        mentions = self._sentences[-1][1]
        if len(mentions) < _MAX_MENTIONS:
            mentions.setdefault(key, mention)

    def resolve(
        self, gender: str, sentence: int, quoted: bool, excluded: Set[str] = frozenset()
    ) -> str | None:
        """Return the name that a pronoun stands for, or ``None`` if it is unclear.

        It is taken from the nearest sentence with a person who fits: the first source, else the first
        subject, else the first person. A person is not both *he* and *she*: the antecedent of a
        pronoun of the other gender in this sentence or a neighbouring one is ruled out. If that is
        the best candidate, the second best one is returned only if it is clear.

        Args:
            gender: the gender of the pronoun.
            sentence: the index of the pronoun's sentence.
            quoted: true if the pronoun stands in a quote; it may then mean people named in quotes.
            excluded: names that it does not stand for.
        """
        best = self._most_salient(gender, sentence, quoted, _MAX_DISTANCE, excluded)
        if best is None:
            return None
        ruled_out: set[str] = set()  # the antecedents of the other gender
        for mentions in self._back_to(sentence - 1):
            for mention in mentions:
                if mention.pronoun not in (None, gender):
                    ruled_out.add(mention.name)
        for neighbour in (sentence, sentence + 1):
            for pronoun_gender, name in self._antecedents.get(neighbour, ()):
                if pronoun_gender != gender:
                    ruled_out.add(name)
        if best not in ruled_out:
            return best

        ruled_out |= excluded
        second = self._most_salient(gender, sentence, quoted, _RIVAL_DISTANCE, ruled_out)
        if second is None:
            return None
        # Two people speak in turns: a pronoun of this gender meant the second best name just before.
        for mentions in self._back_to(sentence - _TURN_DISTANCE):
            if any(mention.pronoun == gender and mention.name == second for mention in mentions):
                return second
        # Two people who are named together, of whom only one is left for this pronoun.
        fitting_names = set()
        are_a_pair = False
        for mentions in self._back_to(sentence - _RIVAL_DISTANCE):
            people_named = {mention.name for mention in mentions if mention.pronoun is None}
            are_a_pair = are_a_pair or {best, second} <= people_named
            for mention in mentions:
                if self._fits(mention, gender, quoted) and mention.name not in ruled_out:
                    fitting_names.add(mention.name)
        return second if are_a_pair and len(fitting_names) == 1 else None

    def _most_salient(
        self, gender: str, sentence: int, quoted: bool, distance: int, ruled_out: Container[str]
    ) -> str | None:
        """Return the best name of the nearest sentence that has one."""
        for mentions in self._back_to(sentence - distance):
            fitting = [
                mention
                for mention in mentions
                if self._fits(mention, gender, quoted) and mention.name not in ruled_out
            ]
            if fitting:
                # Of several equally good ones, max returns the first in the sentence.
                return max(fitting, key=lambda mention: (mention.source, mention.subject)).name
        return None

    def _back_to(self, first: int) -> Iterator[list[Mention]]:
        """Yield the mentions of each sentence back to ``first``, the last sentence first."""
        for sentence, mentions in reversed(self._sentences):
            if sentence < first:
                return
            yield list(mentions.values())

    def _fits(self, mention: Mention, gender: str, quoted: bool) -> bool:
        """Return whether a pronoun may mean that person, by gender and by quotation marks."""
        # A person whose gender is unknown fits both.
        same_gender = self._genders.get(mention.name, gender) == gender
        return same_gender and (quoted or not mention.quoted)
