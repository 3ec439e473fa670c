"""Implement the sieves of the resolver in their plainest form, as a reference that the resolver is compared with.

It searches the whole text for each source and each pronoun: slow, but simple enough to be checked by reading.
"""

import re
from collections import Counter, defaultdict
from typing import NamedTuple

from claimstance.model.coreference import people as people_module
from claimstance.model.coreference import phrases as forms
from claimstance.model.coreference import resolver
from claimstance.model.coreference.people import GENDERS, PRONOUN, PeopleInText

FAR, PAIR, NEAR = 8, 5, 2


class Mention(NamedTuple):
    """Represent a mention of a person; ``gender`` is that of a resolved pronoun, and ``None`` for a name."""

    start: int
    sentence: int
    name: str
    is_quoted: bool
    is_subject: bool
    is_source: bool
    gender: str | None = None


def genders_of(people):
    """Return the gender of each name, by titles and by pronouns beside the only name around."""
    votes = defaultdict(Counter)
    text = people.text
    for person in people.people:
        near = re.findall(r"\w+", text[max(0, person.start - 60) : person.start])[-2:]
        near += re.findall(r"\w+", text[person.start : person.end])[:1]
        for gender, nouns in (("male", people_module._MALE), ("female", people_module._FEMALE)):
            votes[person.name][gender] += 3 * any(word.lower() in nouns for word in near)
    for pronoun in PRONOUN.finditer(text):
        if people.is_quoted(pronoun.start()):
            continue
        sentence = people.sentence_at(pronoun.start())
        unquoted = [person for person in people.people if not person.quoted]
        before = [p for p in unquoted if p.sentence == sentence and p.start < pronoun.start()]
        around = before or [p for p in unquoted if p.sentence == sentence - 1]
        if len({person.name for person in around}) == 1:
            weight = 2 if before and before[0].subject else 1
            votes[around[0].name][GENDERS[pronoun[0].lower()]] += weight
    genders = {}
    for name, count in votes.items():
        few, many = sorted((count["male"], count["female"]))
        if many > 1 and many >= 3 * few:
            genders[name] = "male" if count["male"] == many else "female"
    return genders


def resolve(text, sentences, sources, entities):
    """Return the names of sources and pronouns, as ``resolve_references`` does."""
    people = PeopleInText(text, sentences, entities)
    genders = genders_of(people)
    assert people.genders == genders
    phrases = {span: " ".join(text[slice(*span)].split()) for span in sources}
    names = {}
    for span, phrase in phrases.items():
        if not forms.pronoun_of(phrase):
            name = name_in_span(people, span) or role_of(people, phrase.lower())
            names[span] = name or forms.plain_name(phrase)
    pronouns = resolve_pronouns(people, genders, set(sources), names)
    names |= {span: pronouns[span] for span in sources if span in pronouns}
    for number, span in enumerate(sources):
        if span not in names:
            names[span] = antecedent(people, phrases[span], sources[:number], span, names)
    return {**pronouns, **names}


def name_in_span(people, span):
    """Return the name of the person that a span means, or ``None``."""
    for person in people.people:
        inside = span[0] <= person.start and person.end <= span[1]
        if inside and forms.means_person(people.text, span, person):
            return person.name
    name = resolver.bare_name(people.text[slice(*span)])
    return people.fullest(name) if people.is_person(name) else None


def role_of(people, phrase):
    """Return the name of the only person with a role, or ``None``."""
    holders = {p.name for p in people.people if phrase in forms.roles_of(people.text, p)}
    return holders.pop() if len(holders) == 1 else None


def resolve_pronouns(people, genders, sources, names):
    """Return the name that each pronoun means, or ``None``, by the span of the pronoun."""
    mentions = []
    for person in people.people:
        is_source = any(
            start <= person.start and person.end <= end and name == person.name
            for (start, end), name in names.items()
        )
        mentions.append(
            Mention(
                person.start,
                person.sentence,
                person.name,
                person.quoted,
                person.subject,
                is_source,
            )
        )
    for (start, _), name in names.items():
        if name and forms.introduces_person(name):
            sentence, is_quoted = people.sentence_at(start), people.is_quoted(start)
            mentions.append(Mention(start, sentence, name, is_quoted, True, True))
    resolved = {}
    for is_quoted in (False, True):
        earlier_pass = list(mentions)
        for match in PRONOUN.finditer(people.text):
            if people.is_quoted(match.start()) != is_quoted:
                continue
            gender = GENDERS[match[0].lower()]
            sentence = people.sentence_at(match.start())
            subjects = resolver._subject_before(people, resolved, match)
            preceding = sorted(
                (mention for mention in mentions if mention.start < match.start()),
                key=lambda mention: mention.start,
            )
            following = [
                mention
                for mention in earlier_pass
                if mention.gender and mention.start > match.start()
            ]
            pronoun = (gender, sentence, is_quoted)
            name = meaning(genders, preceding, following, subjects, pronoun)
            resolved[match.span()] = name
            if name is not None:
                is_subject, is_source = match[0].lower() in ("he", "she"), match.span() in sources
                mentions.append(
                    Mention(match.start(), sentence, name, is_quoted, is_subject, is_source, gender)
                )
    return resolved


def meaning(genders, preceding, following, subjects, pronoun):
    """Return the name that a pronoun, as (gender, sentence, is quoted), means among the mentions around it."""
    gender, sentence, _ = pronoun
    fitting = fit(genders, preceding, pronoun, FAR)
    best = most_salient(fitting, subjects)
    barred = {
        mention.name
        for mention in [*preceding, *following]
        if mention.gender not in (None, gender) and abs(mention.sentence - sentence) <= 1
    }
    if best is None or best not in barred:
        return best
    near = fit(genders, preceding, pronoun, PAIR)
    second = most_salient(near, barred | subjects)
    if second is None:
        return None
    for mention in preceding:
        if (mention.name, mention.gender) == (second, gender) and mention.sentence >= sentence - 2:
            return second
    named_in = {
        (mention.sentence, mention.name)
        for mention in preceding
        if mention.gender is None and mention.sentence >= sentence - PAIR
    }
    are_named_together = any(
        (number, best) in named_in and (number, second) in named_in for number, _ in named_in
    )
    is_alone = {mention.name for mention in near} - barred - subjects == {second}
    return second if are_named_together and is_alone else None


def fit(genders, mentions, pronoun, reach):
    """Return the mentions within ``reach`` sentences whose gender and quotation fit a pronoun."""
    gender, sentence, is_quoted = pronoun
    return [
        mention
        for mention in mentions
        if mention.sentence >= sentence - reach
        and genders.get(mention.name, gender) == gender
        and (is_quoted or not mention.is_quoted)
    ]


def most_salient(mentions, barred):
    """Return the name of the best mention in the latest sentence: a source before others, then a subject."""
    mentions = [mention for mention in mentions if mention.name not in barred]
    if not mentions:
        return None
    latest = max(mention.sentence for mention in mentions)
    candidates = [mention for mention in mentions if mention.sentence == latest]
    return max(candidates, key=lambda mention: (mention.is_source, mention.is_subject)).name


def antecedent(people, phrase, earlier, span, names):
    """Return the name that a relative pronoun or a pronoun of a group or thing means, or ``None``."""
    word = forms.pronoun_of(phrase)
    if word in forms.RELATIVE_PRONOUNS:
        for person in people.people:
            between = people.text[person.end : span[0]]
            if person.end <= span[0] and re.fullmatch(r"['’]?,?\s*", between):
                return person.name
        near = [name for (_, end), name in names.items() if 0 <= span[0] - end <= 2]
        return near[0] if near else None
    if word not in forms.GROUP_PRONOUNS and word not in forms.THING_PRONOUNS:
        return None
    persons = {person.name for person in people.people}
    for source in reversed(earlier):
        if people.sentence_at(span[0]) - people.sentence_at(source[0]) > NEAR:
            return None
        name = names.get(source)
        if name is None or name in persons or forms.is_person_noun(name):
            continue
        if forms.is_plural(name) == (word in forms.GROUP_PRONOUNS):
            return name
    return None
