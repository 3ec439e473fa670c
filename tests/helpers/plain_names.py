"""The sieves of the resolver in their plainest form, which looks at everything for each source and each pronoun.

Slow, and so simple that it can be checked by reading: what the resolver gives is compared with it.
"""

import re
from collections import Counter, defaultdict

from claimstance.inference.coreference import people as people_module
from claimstance.inference.coreference import phrases as forms
from claimstance.inference.coreference import resolver
from claimstance.inference.coreference.people import GENDERS, PRONOUN, PeopleInText

FAR, PAIR, NEAR = 8, 5, 4


def genders_of(people):
    """The gender of each name, by titles and by pronouns beside the only name around."""
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
        free = [person for person in people.people if not person.quoted]
        before = [p for p in free if p.sentence == sentence and p.start < pronoun.start()]
        around = before or [p for p in free if p.sentence == sentence - 1]
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
    """The same as ``resolve_references``."""
    people = PeopleInText(text, sentences, entities)
    genders = genders_of(people)
    assert people.genders == genders
    phrases = {span: " ".join(text[slice(*span)].split()) for span in sources}
    names = {}
    for span, phrase in phrases.items():
        if not forms.is_pronoun(forms.lower_case(phrase)):
            name = named(people, span) or role_of(people, phrase.lower())
            names[span] = name or phrase.rstrip(" ,;") or phrase
    pronouns = resolve_pronouns(people, genders, set(sources), names)
    names |= {span: pronouns[span] for span in sources if span in pronouns}
    for number, span in enumerate(sources):
        if span not in names:
            names[span] = other(people, phrases[span], sources[:number], span, names)
    return {**pronouns, **names}


def named(people, span):
    for person in people.people:
        inside = span[0] <= person.start and person.end <= span[1]
        if inside and forms.means_person(people.text, span, person):
            return person.name
    whole = resolver.bare_name(people.text[slice(*span)])
    return people.fullest(whole) if people.is_person(whole) else None


def role_of(people, phrase):
    holders = {p.name for p in people.people if phrase in forms.roles_of(people.text, p)}
    return holders.pop() if len(holders) == 1 else None


def resolve_pronouns(people, genders, sources, names):
    mentions = []
    for person in people.people:
        speaks = any(
            a <= person.start and person.end <= b and name == person.name
            for (a, b), name in names.items()
        )
        mentions.append(
            (
                person.start,
                person.sentence,
                person.name,
                person.quoted,
                person.subject,
                speaks,
                None,
            )
        )
    for (start, _), name in names.items():
        if name and forms.introduces_person(name):
            quoted = people.is_quoted(start)
            mentions.append((start, people.sentence_at(start), name, quoted, True, True, None))
    # A mention: start, sentence, name, quoted, subject, source, gender of the pronoun.
    resolved = {}
    for quoted in (False, True):
        outside = list(mentions)
        for match in PRONOUN.finditer(people.text):
            if people.is_quoted(match.start()) != quoted:
                continue
            gender = GENDERS[match[0].lower()]
            sentence = people.sentence_at(match.start())
            acting = resolver._subject_before(people, resolved, match)
            known = sorted((m for m in mentions if m[0] < match.start()), key=lambda m: m[0])
            behind = [m for m in outside if m[6] and m[0] > match.start()]
            name = meaning(genders, known, behind, acting, (gender, sentence, quoted))
            resolved[match.span()] = name
            if name is not None:
                subject, speaks = match[0].lower() in ("he", "she"), match.span() in sources
                mentions.append((match.start(), sentence, name, quoted, subject, speaks, gender))
    return resolved


def meaning(genders, known, behind, acting, pronoun):
    gender, sentence, _ = pronoun
    fitting = fit(genders, known, pronoun, FAR)
    best = most_salient(fitting, acting)
    barred = {
        m[2] for m in [*known, *behind] if m[6] not in (None, gender) and abs(m[1] - sentence) <= 1
    }
    if best is None or best not in barred:
        return best
    near = fit(genders, known, pronoun, PAIR)
    other = most_salient(near, barred | acting)
    if other is None:
        return None
    if any(m[2] == other and m[6] == gender and m[1] >= sentence - 2 for m in known):
        return other
    named = {(m[1], m[2]) for m in known if m[6] is None and m[1] >= sentence - PAIR}
    together = any((place, best) in named and (place, other) in named for place, _ in named)
    alone = {m[2] for m in near} - barred - acting == {other}
    return other if together and alone else None


def fit(genders, known, pronoun, reach):
    gender, sentence, quoted = pronoun
    return [
        m
        for m in known
        if m[1] >= sentence - reach and genders.get(m[2], gender) == gender and (quoted or not m[3])
    ]


def most_salient(fitting, barred):
    fitting = [m for m in fitting if m[2] not in barred]
    if not fitting:
        return None
    nearest = max(m[1] for m in fitting)
    best = [m for m in fitting if m[1] == nearest]
    return max(best, key=lambda m: (m[5], m[4]))[2]


def other(people, phrase, earlier, span, names):
    word = forms.lower_case(phrase)
    if word in forms.RELATIVE_PRONOUNS:
        for person in people.people:
            between = people.text[person.end : span[0]]
            if person.end <= span[0] and re.fullmatch(r"['’]?,?\s*", between):
                return person.name
        near = [name for place, name in names.items() if 0 <= span[0] - place[1] <= 2]
        return near[0] if near else None
    if word not in forms.GROUP_PRONOUNS and word not in forms.THING_PRONOUNS:
        return None
    persons = {person.name for person in people.people}
    for place in reversed(earlier):
        if people.sentence_at(span[0]) - people.sentence_at(place[0]) > NEAR:
            return None
        name = names.get(place)
        if name is None or name in persons or forms.is_person_noun(name):
            continue
        if forms.is_plural(name) == (word in forms.GROUP_PRONOUNS):
            return name
    return None
