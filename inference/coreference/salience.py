"""Whom a he or a she means: the most salient of the people mentioned in the sentences before it."""

from collections import deque
from collections.abc import Iterator

from claimstance.inference.coreference.people import Mention, PeopleInText

_FAR = 8  # sentences back from a pronoun; farther, nobody is meant
# Mentions that are remembered of one sentence. Only a list that lacks sentence ends has more, and each pronoun looks at
# all of them.
_MOST_MENTIONS = 200


class RecentMentions:
    """The mentions of the last sentences, to which each pronoun is added once it is resolved.

    A sentence remembers the first of several mentions that are alike, since the first is the one that is chosen.
    """

    def __init__(self, people: PeopleInText) -> None:
        self._genders = people.genders
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

    def resolve(self, gender: str, sentence: int, quoted: bool) -> str | None:
        """Return the name that a pronoun stands for: of the nearest sentence with somebody who fits, the first source,
        else the first subject, else the first person.

        Args:
            gender: of the pronoun.
            sentence: the index of the pronoun's sentence.
            quoted: whether the pronoun stands in a quote, and may then mean people named in quotes.
        """
        for _, mentions in self._back_to(sentence - _FAR):
            fitting = [mention for mention in mentions if self._fits(mention, gender, quoted)]
            if fitting:
                return max(fitting, key=lambda mention: (mention.source, mention.subject)).name
        return None

    def _back_to(self, first: int) -> Iterator[tuple[int, list[Mention]]]:
        """Yield the sentences that mention anybody with their mentions, the last sentence first."""
        for sentence, mentions in reversed(self._sentences):
            if sentence < first:
                return
            yield sentence, list(mentions.values())

    def _fits(self, mention: Mention, gender: str, quoted: bool) -> bool:
        return self._genders.get(mention.name, gender) == gender and (quoted or not mention.quoted)
