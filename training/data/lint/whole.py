"""Checks of the whole data: label names, targets, documents, annotators."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from claimstance.model.errors import unknown
from claimstance.model.labels import DEFAULT_LABELS
from claimstance.training.data.codebook import undefined
from claimstance.training.data.label_warnings import CLASSIFIED, one_label, unseen_label
from claimstance.training.data.lint.base import Place, Severity
from claimstance.training.data.lint.facts import Facts, Tally, same_name, words_of

FEW = 10  # examples of a label: with fewer, a test part of a tenth has none or one
COMMON = 20  # items two annotators must share before their agreement says anything
FAR = 0.2  # how far an annotator's agreement with others may lie below that of the others with one another
_NEAR = 0.8  # the ratio of difflib from which two labels look like one misspelt: favor and favour have 0.91
_RARER = 10  # times that a misspelling is rarer than what was meant


@dataclass(frozen=True)
class DataCheck:
    """A check of the whole data: ``find`` gives a place and a message for each thing that it finds."""

    code: str
    severity: Severity
    find: Callable[[Facts], Iterator[tuple[Place, str]]]


def spelling(facts: Facts) -> dict[tuple[str, str], str]:
    """(task, label) → the label of the reference that differs from it in case and surrounding blanks alone."""
    meant = {}
    for task in list(facts.found):
        names = facts.reference(task) or _commonest_forms(facts.found[task])
        by_form = {_form(name): name for name in names}
        for label in facts.found[task]:
            if label not in names and (name := by_form.get(_form(label))) is not None:
                meant[task, label] = name
    return meant


def _form(label: str) -> str:
    return label.strip().casefold()


def _commonest_forms(found: dict[str, Tally]) -> list[str]:
    """Of labels that differ in case and blanks alone, the commonest."""
    return [max(labels, key=lambda label: found[label].count) for labels in _alike(found, _form)]


def _alike(names: dict[str, Tally], form: Callable[[str], str]) -> list[list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[form(name)].append(name)
    return list(groups.values())


def misspelt_case(facts: Facts) -> Iterator[tuple[Place, str]]:
    """Case and blanks make other labels."""
    for (task, label), name in spelling(facts).items():
        tally = facts.found[task][label]
        yield tally.first, f"{task}: expected the label '{name}', found {label!r} {_times(tally)}"


def unknown_label(facts: Facts) -> Iterator[tuple[Place, str]]:
    """Labels outside the sets that are given, or that JSON Lines has unless others are given."""
    spelt = spelling(facts)
    for task in list(facts.found):
        names = facts.reference(task)
        if names is not None and facts.is_strict(task):
            for label, tally in facts.found[task].items():
                if label not in names and (task, label) not in spelt:
                    yield tally.first, f"{task}: {unknown('label', label, names)} ({_times(tally)})"


def near_label(facts: Facts) -> Iterator[tuple[Place, str]]:
    """Where no label set is given, a label that looks like a default one, or like one ten times as common."""
    spelt = spelling(facts)
    for task in list(facts.found):
        if facts.is_strict(task):
            continue
        found, names = facts.found[task], facts.reference(task) or ()
        for label, tally in found.items():
            if label in names or (task, label) in spelt:
                continue
            common = [other for other in found if found[other].count >= _RARER * tally.count]
            if near := get_close_matches(label, {*names, *common} - {label}, n=1, cutoff=_NEAR):
                yield (
                    tally.first,
                    f"{task}: expected '{near[0]}', as it seems, found '{label}' {_times(tally)}",
                )


def joined_labels(facts: Facts) -> Iterator[tuple[Place, str]]:
    """Several labels in one cell, as doccano writes them: taken apart only where the label sets are given."""
    known = {
        _form(label)
        for task in list(facts.found)
        for label in {*facts.found[task], *DEFAULT_LABELS[task], *(facts.reference(task) or ())}
    }
    for task in list(facts.found):
        names = facts.reference(task) or ()
        for label, tally in facts.found[task].items():
            if "#" in label and label not in names and known & set(map(_form, label.split("#"))):
                yield (
                    tally.first,
                    (
                        f"{task}: expected one label, found '{label}' {_times(tally)}: if they are "
                        "several, data.labels takes them apart"
                    ),
                )


def unused_label(facts: Facts) -> Iterator[tuple[Place, str]]:
    """A label that is defined, of a task that is annotated, but never given."""
    for task, tallies in facts.found.items():
        for label in facts.reference(task) or ():
            if not (tally := tallies.get(label)) or not tally.count:
                yield (
                    _file_of(tallies),
                    f"{task}: expected the label '{label}' somewhere, found it nowhere",
                )


def rare_label(facts: Facts) -> Iterator[tuple[Place, str]]:
    """What has few examples is neither learnt nor measured."""
    spelt = spelling(facts)
    for task in list(facts.found):
        names = facts.reference(task) if facts.is_strict(task) else None
        for label, tally in facts.found[task].items():
            known = (names is None or label in names) and (task, label) not in spelt
            if known and 0 < tally.count < FEW:
                yield (
                    tally.first,
                    (
                        f"{task}: expected at least {FEW} examples of '{label}' to learn it from and to "
                        f"measure it on, found {tally.count}"
                    ),
                )


def single_label(facts: Facts) -> Iterator[tuple[Place, str]]:
    """A task with one label leaves nothing to choose; where splits are named, that goes for train."""
    for task in CLASSIFIED:
        train = facts.by_split.get("train", {}).get(task, {})
        for split, tallies in ((None, facts.found.get(task, {})), ("train", train)):
            if len(tallies) == 1:
                [(label, tally)] = tallies.items()
                yield tally.first, one_label(task, label, tally.count, split)
                break


def unseen_in_train(facts: Facts) -> Iterator[tuple[Place, str]]:
    """No model learns a label that train has not; where no splits are named, `build` looks again."""
    train = facts.by_split.get("train", {})
    for split, tasks in facts.by_split.items():
        for task, tallies in tasks.items():
            known = train.get(task, {})
            for label, tally in tallies.items():
                if known and label not in known:
                    yield tally.first, unseen_label(task, label, tally.count, split)


def _file_of(tallies: dict[str, Tally]) -> Place:
    return Place(next(iter(tallies.values())).first.file)


def _times(tally: Tally) -> str:
    return f"{tally.count} time{'s' * (tally.count != 1)}"


def target_forms(facts: Facts) -> dict[str, str]:
    """Target name → the commonest of those that differ from it in case and white space alone, if it is another."""
    meant = {}
    for names in _alike(facts.targets, same_name):
        counts: Counter[str] = Counter()
        for name in names:
            counts[name.strip()] += facts.targets[name].count
        best = max(counts, key=lambda name: counts[name])
        meant.update({name: best for name in names if name != best and best})
    return meant


def target_variants(facts: Facts) -> Iterator[tuple[Place, str]]:
    """One target under two names is two targets."""
    for name, best in target_forms(facts).items():
        if name.strip() != best:
            tally = facts.targets[name]
            yield (
                tally.first,
                f"stances.target: expected '{best}', as elsewhere, found '{name}' {_times(tally)}",
            )


def unmentioned_target(facts: Facts) -> Iterator[tuple[Place, str]]:
    """A name that no text has may be misspelt; topics need not be mentioned.

    Told of where no text that is asked about it mentions it, and not all of its words stand in other texts either.
    """
    for name, tally in facts.targets.items():
        missing = [word for word in words_of(name) if word not in facts.words]
        if not tally.mentioned and missing and _is_proper_name(name):
            yield (
                tally.first,
                f"stances.target: expected '{name}' in some text, found '{missing[0]}' in none",
            )


def _is_proper_name(name: str) -> bool:
    """Whether all words but short ones, such as *of* and *the*, begin with a capital."""
    words = [word for word in name.split() if len(word) > 3] or name.split()
    return bool(words) and all(word[0].isupper() for word in words)


def unlisted_target(facts: Facts) -> Iterator[tuple[Place, str]]:
    """Targets are those that the codebook lists, if it lists any."""
    if facts.codebook and facts.codebook.targets:
        for name, tally in facts.targets.items():
            if problem := facts.codebook.target_problem(name.strip()):
                yield tally.first, f"stances.target: {problem} ({_times(tally)})"


def undefined_label(facts: Facts) -> Iterator[tuple[Place, str]]:
    """A label without a definition means what each annotator takes it for."""
    if facts.codebook:
        for task, label in undefined(facts.codebook):
            yield (
                Place(facts.codebook.path),
                f"labels.{task}.{label}: expected a definition, found none",
            )


def lone_records(facts: Facts) -> Iterator[tuple[Place, str]]:
    """Sentences of a document are one another's context."""
    alone, documents, first = facts.lone_records()
    if first is not None:
        yield (
            first,
            (
                f"doc_id: expected documents of several records, which are one another's context, found one "
                f"record in {alone} of {documents}"
            ),
        )


def missing_annotator(facts: Facts) -> Iterator[tuple[Place, str]]:
    """Where some records say who annotated them, the others should."""
    tally = facts.annotators.get(None)
    if tally is not None and tally.count < facts.records:
        yield (
            tally.first,
            (
                f"annotator: expected a name, as other records have, found none in {tally.count} of "
                f"{facts.records}"
            ),
        )


def odd_annotator(facts: Facts) -> Iterator[tuple[Place, str]]:
    """An annotator who agrees with the others far less than they do with one another.

    For each task: the share of items answered alike, averaged over the pairs of annotators with ``COMMON`` items in
    common or more. An annotator is told of whose pairs have on average ``FAR`` less than the pairs of the others; so
    there must be three. Items are sentence labels, and stances of the same holder toward the same target.
    """
    shares: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    for (task, *pair), counts in facts.pairs.items():
        if counts["common"] >= COMMON:
            shares[task][pair[0], pair[1]] = counts["alike"] / counts["common"]
    for task, pairs in shares.items():
        for who in sorted({name for pair in pairs for name in pair}):
            own = [share for pair, share in pairs.items() if who in pair]
            others = [share for pair, share in pairs.items() if who not in pair]
            if others and _mean(own) <= _mean(others) - FAR:
                yield (
                    facts.annotators[who].first,
                    (
                        f"annotator: expected '{who}' to agree with others about {task} as they do with one another "
                        f"({_mean(others):.0%} of common items), found {_mean(own):.0%}"
                    ),
                )


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
