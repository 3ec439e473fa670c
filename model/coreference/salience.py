"""Salience: the antecedent of a *he* or *she* among the people of the sentences before it."""

from collections import deque
from collections.abc import Container, Iterator, Mapping, Sequence, Set

from claimstance.model.coreference.people import Mention, PeopleInText

_MAX_DISTANCE = 8  # sentences back from a pronoun to its antecedent
# Where the best antecedent is ruled out: sentences back to the second best one, and to a pronoun of the same gender if
# two people speak in turns. Chosen on the development split of GAP and the train split of PolNeAR.
_RIVAL_DISTANCE, _TURN_DISTANCE = 5, 2
# Mentions that are stored for one sentence. Only a list without sentence ends has more, and every pronoun is compared
# with all of them.
_MAX_MENTIONS = 200

Antecedents = Mapping[int, Set[tuple[str, str]]]  # sentence → gender and name of its pronouns
MentionsByKey = dict[tuple[object, ...], Mention]


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
        # (sentence, its mentions by what makes them equal), for each of the last sentences.
        self._sentences: deque[tuple[int, MentionsByKey]] = deque()

    def add(self, mention: Mention) -> None:
        """Store a mention; mentions are added in the order of the text."""
        sentences = self._sentences
        if not sentences or sentences[-1][0] != mention.sentence:
            sentences.append((mention.sentence, {}))
            while sentences[0][0] < mention.sentence - _MAX_DISTANCE:
                sentences.popleft()
        _, mentions = sentences[-1]
        key = (mention.name, mention.quoted, mention.subject, mention.source, mention.pronoun)
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
        fitting_names: set[str] = set()
        are_a_pair = False
        for mentions in self._back_to(sentence - _RIVAL_DISTANCE):
            people_named = {mention.name for mention in mentions if mention.pronoun is None}
            if {best, second} <= people_named:
                are_a_pair = True
            fitting = self._fitting(mentions, gender, quoted, ruled_out)
            fitting_names.update(mention.name for mention in fitting)
        return second if are_a_pair and len(fitting_names) == 1 else None

    def _most_salient(
        self, gender: str, sentence: int, quoted: bool, distance: int, ruled_out: Container[str]
    ) -> str | None:
        """Return the best name of the nearest sentence that has one.

        Args:
            gender: the gender of the pronoun.
            sentence: the index of the pronoun's sentence.
            quoted: see ``resolve``.
            distance: the number of sentences back to the farthest one.
            ruled_out: names that the pronoun does not stand for.
        """
        for mentions in self._back_to(sentence - distance):
            fitting = self._fitting(mentions, gender, quoted, ruled_out)
            if fitting:
                # Of several equally good ones, max returns the first in the sentence.
                best = max(fitting, key=lambda mention: (mention.source, mention.subject))
                return best.name
        return None

    def _fitting(
        self,
        mentions: Sequence[Mention],
        gender: str,
        quoted: bool,
        ruled_out: Container[str],
    ) -> list[Mention]:
        """Return the mentions that a pronoun may mean, by gender, name and quotation marks."""
        fitting = []
        for mention in mentions:
            # A person whose gender is unknown fits both.
            has_gender = self._genders.get(mention.name, gender) == gender
            is_visible = quoted or not mention.quoted
            if has_gender and is_visible and mention.name not in ruled_out:
                fitting.append(mention)
        return fitting

    def _back_to(self, first: int) -> Iterator[list[Mention]]:
        """Yield the mentions of each sentence back to ``first``, the last sentence first."""
        for sentence, mentions in reversed(self._sentences):
            if sentence < first:
                return
            yield list(mentions.values())
