"""Names of people across articles: full names of one person, and the surnames that mean one."""

import sqlite3
from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations

from claimstance.inference.corpus.name_groups.evidence import Groups, meant_in_articles
from claimstance.inference.corpus.name_groups.mentions import Mention, without_article
from claimstance.model.coreference.aliases import (
    SUFFIX,
    FullName,
    fits,
    gender_of,
    parse_full_name,
)
from claimstance.model.text.mentions import AMBIGUOUS_SURNAMES, has_capital
from claimstance.model.text.person_names import bare_name, honorific_of

#: Of a surname, the share of the entities that must be people. "Carson" is also a town in one article, and
#: a wrong merge would hide there.
_MIN_PEOPLE = 0.95
#: A surname that fits several people needs so many articles that have it beside a full name.
_MIN_ARTICLES = 10
#: In a corpus of so many articles, a person must have a full name in two of them before a surname alone in
#: another article is taken to mean that person.
_LARGE_CORPUS = 50
_MAX_MIDDLE_NAMES = 40  # of people with one first name and surname; more are not compared


@dataclass(frozen=True)
class PeopleRules:
    """Join the names of people.

    Attributes:
        connection: the database.
        groups: the groups of names.
        has_entities: whether the model finds entities, so that it tells people from things.
        articles: the number of articles in the corpus.
    """

    connection: sqlite3.Connection
    groups: Groups
    has_entities: bool
    articles: int

    def join(self, surname: str, members: list[Mention], is_first_name: bool) -> None:
        """Join the full names of one person, and the short forms that mean one person of the surname.

        Args:
            surname: the surname.
            members: the names that have it, and those that are nothing else.
            is_first_name: whether people of other surnames have it as their first name.
        """
        full: list[tuple[FullName, Mention]] = []
        short: list[Mention] = []
        for member in members:
            person = parse_full_name(member.name)
            if person is not None:
                if member.person > member.thing or not self.has_entities:
                    full.append((person, member))
                continue

            # A short form must be mostly that of a person, and no part of a longer name.
            if not has_capital(without_article(member.name)):
                continue
            if member.thing > (1 - _MIN_PEOPLE) * member.person:
                continue
            # A surname without a title must be an entity.
            has_title_only = not member.person and bool(honorific_of(member.name))
            is_mostly_whole = member.part < member.person - member.part
            if has_title_only or is_mostly_whole or not self.has_entities:
                short.append(member)
        if full:
            _join_full_names(self.groups, full)
            self._join_short_forms([member for _, member in full], short, is_first_name)

    def _join_short_forms(
        self, full: list[Mention], short: list[Mention], is_first_name: bool
    ) -> None:
        """Join surnames, with or without titles, with the full name that they mean."""
        groups = self.groups
        people = {groups.find(mention.id) for mention in full}
        articles_with_full_name = sum(mention.articles for mention in full)
        is_known = self.articles < _LARGE_CORPUS or articles_with_full_name > 1

        titles: dict[int, str] = {}
        genders: set[str] = set()
        has_son = False
        forms: dict[int, list[Mention]] = defaultdict(list)  # group → its short forms
        for mention in short:
            title = honorific_of(mention.name)
            titles[mention.id] = title
            genders.add(gender_of(title.lower().replace(".", "")))
            if SUFFIX.search(mention.name):
                has_son = True
            else:
                forms[groups.find(mention.id)].append(mention)
        genders.discard("")
        is_unique = len(people) == 1 and len(genders) < 2 and not has_son

        for root, mentions in forms.items():
            has_title = all(titles[mention.id] for mention in mentions)
            is_word = any(bare_name(mention.name) in AMBIGUOUS_SURNAMES for mention in mentions)
            is_clear = has_title or (is_known and not is_word and not is_first_name)
            meant: int | None
            if is_unique and is_clear:
                (meant,) = people
            else:
                # The form alone leaves a doubt, which articles with both forms may settle.
                meant = meant_in_articles(self.connection, groups, mentions, people, _MIN_ARTICLES)
            if meant is not None:
                groups.join((meant, root))


def _join_full_names(groups: Groups, full: list[tuple[FullName, Mention]]) -> None:
    """Join full names with one surname: first names are equal, or an initial that fits one of them."""
    by_first: dict[tuple[str, str], list[tuple[FullName, Mention]]] = defaultdict(list)
    for person, mention in full:
        by_first[person.suffix, person.first].append((person, mention))

    for namesakes in by_first.values():
        by_middle: dict[str, list[int]] = defaultdict(list)
        for person, mention in namesakes:
            by_middle[person.middle].append(mention.id)
        for same in by_middle.values():
            groups.join(same)
        # Middle names may tell several people apart.
        middle_names = [middle for middle in by_middle if middle]
        if len(middle_names) > _MAX_MIDDLE_NAMES:
            continue
        if all(fits(a, b) for a, b in combinations(middle_names, 2)):
            groups.join(mention.id for _, mention in namesakes)

    # Initials come afterwards: "J. Orr" fits one person, if "Jane Orr" and "Jane B. Orr" are one.
    for (suffix, first), namesakes in by_first.items():
        has_middle_name = any(person.middle for person, _ in namesakes)
        # "J. B. Orr" says more than "Jane Orr".
        if len(first) > 1 or has_middle_name:
            continue
        fitting: list[int] = []
        for (other_suffix, other_first), others in by_first.items():
            if other_suffix == suffix and other_first.startswith(first):
                fitting += (mention.id for _, mention in others)
        # "J. Orr" is Jane Orr where no other Orr has such a name.
        other_people = {groups.find(number) for number in fitting}
        other_people -= {groups.find(mention.id) for _, mention in namesakes}
        if len(other_people) == 1:
            groups.join(fitting)
