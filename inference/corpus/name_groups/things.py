"""Names of groups and things across articles: their spellings, their acronyms, and the bodies of the country."""

import sqlite3

from claimstance.inference.corpus.name_groups.evidence import Groups, meant_in_articles
from claimstance.inference.corpus.name_groups.mentions import Mention, is_acronym, without_article
from claimstance.model.coreference.aliases import COUNTRY, name_key
from claimstance.model.coreference.resolver import refers_to
from claimstance.model.text.mentions import has_capital
from claimstance.model.text.person_names import words

#: An acronym that fits several names needs so many articles that have it beside one of them.
_MIN_ARTICLES = 3
_SHORT_ACRONYM = 3  # letters
#: Other senates may occur in so many articles for each one with the U.S. Senate.
_MAX_RIVALS = 0.05
#: Whoever has the majority in it, it is the same body: *the Republican Senate*.
_MAJORITIES = words("democratic republican gop")


def join_spellings(groups: Groups, members: list[Mention]) -> None:
    """Join names that differ in case, accents, *the* and a possessive ending.

    A word in capitals may be another one (*ICE*), unless it is long and both are entities (*NATO*). So may a
    capitalised one (*Turkey*), unless it is no entity and occurs at the beginning of sentences alone.
    """
    lower, acronyms, capitalised = [], [], []
    for member in members:
        bare = without_article(member.name)
        is_entity = bool(member.person or member.thing)
        if not has_capital(bare) or (bare[0].islower() and not is_entity):
            lower.append(member)
        elif is_acronym(member.name):
            acronyms.append(member)
        else:
            capitalised.append(member)
    for same in (lower, acronyms, capitalised):
        groups.join(member.id for member in same)
    if not capitalised:
        return
    # One member of each list stands for all of them, which are joined already.
    is_entity = any(member.person or member.thing for member in capitalised)
    only_begins_sentences = not any(member.inner for member in capitalised)
    if lower and not is_entity and only_begins_sentences:
        groups.join((lower[0].id, capitalised[0].id))
    if acronyms and is_entity and len(name_key(acronyms[0].name)) > _SHORT_ACRONYM:
        groups.join((acronyms[0].id, capitalised[0].id))


def join_acronym(
    connection: sqlite3.Connection, groups: Groups, acronym: str, members: list[Mention]
) -> None:
    """Join an acronym with the only name that it abbreviates."""
    short = [member for member in members if is_acronym(member.name)]
    # Most blocks have no acronym: leaving here saves comparing names, whose cache takes memory.
    if not short:
        return
    full = [
        member
        for member in members
        if not is_acronym(member.name) and refers_to(member.name, acronym)
    ]
    fitting = {groups.find(member.id) for member in full}
    has_thing = any(member.thing for member in full)
    meant: int | None
    # An acronym of two letters, or one of a person's name, needs an article that has both forms.
    if len(fitting) == 1 and len(acronym) > 2 and has_thing:
        (meant,) = fitting
    else:
        least = 1 if len(fitting) == 1 else _MIN_ARTICLES
        meant = meant_in_articles(connection, groups, short, fitting, least)
    if meant is not None:
        groups.join([meant, *(member.id for member in short)])


def join_body(groups: Groups, body: str, members: list[Mention]) -> None:
    """Join *U.S. Senate* and *the Senate*, unless the corpus has another senate as well."""
    exact, national, rivals = [], [], []
    for member in members:
        key = name_key(member.name)
        if key == body:
            exact.append(member)
        elif COUNTRY.match(without_article(member.name)):
            national.append(member)
        elif key.removesuffix(body).strip() not in _MAJORITIES:
            rivals.append(member)
    is_entity = any(member.thing for member in exact)
    articles_of_rivals = sum(member.articles for member in rivals)
    articles_of_nation = sum(member.articles for member in national)
    if is_entity and articles_of_rivals <= _MAX_RIVALS * articles_of_nation:
        groups.join(member.id for member in (*exact, *national))
