"""Checks of the data as a whole: label names, targets, documents and annotators."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain

from claimstance.model.errors import unknown
from claimstance.model.labels import DEFAULT_LABELS, LABEL_TASKS
from claimstance.training.data.codebook import undefined
from claimstance.training.data.label_checks import one_label, unseen_label
from claimstance.training.data.lint.base import Location, Severity
from claimstance.training.data.lint.facts import Facts, Tally, same_name, words_of

# With fewer examples of a label, a test split of a tenth has at most one of them.
MIN_EXAMPLES = 10
# Two annotators with fewer common items have no reliable agreement.
MIN_COMMON_ITEMS = 20
# An annotator's mean agreement may lie this far below that of the others with one another.
MAX_AGREEMENT_GAP = 0.2
# Labels with a difflib ratio from here on look like spellings of one: favor and favour have 0.91.
_MIN_SIMILARITY = 0.8
# A label that is this many times as common as a similar one is taken for the correct one.
_MIN_FREQUENCY_RATIO = 10

LocatedMessage = tuple[Location, str]


@dataclass(frozen=True)
class DataCheck:
    """Represent a check of the whole data: ``find`` yields location and message of each fault."""

    code: str
    severity: Severity
    find: Callable[[Facts], Iterator[LocatedMessage]]


def spelling(facts: Facts) -> dict[tuple[str, str], str]:
    """Return (task, label) → the reference label that differs in case and outer blanks alone."""
    corrections = {}
    for task, tallies in list(facts.tallies.items()):
        names = list(facts.reference(task) or ())
        if not names:
            # Without a label set, the commonest spelling of a label is taken for the correct one.
            groups = _group_spellings(tallies, _form)
            names = [max(group, key=lambda label: tallies[label].count) for group in groups]
        by_form = {_form(name): name for name in names}
        for label in tallies:
            name = by_form.get(_form(label))
            if label not in names and name is not None:
                corrections[task, label] = name
    return corrections


def _form(label: str) -> str:
    """Return a label without the differences that two spellings of it may have."""
    return label.strip().casefold()


def _group_spellings(names: dict[str, Tally], form: Callable[[str], str]) -> list[list[str]]:
    """Return the names in groups of equal form, in order of their first occurrence."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[form(name)].append(name)
    return list(groups.values())


def misspelt_case(facts: Facts) -> Iterator[LocatedMessage]:
    """Yield labels that differ from another one in case and blanks alone."""
    for (task, label), name in spelling(facts).items():
        tally = facts.tallies[task][label]
        yield tally.first, f"{task}: expected the label '{name}', found {label!r} {_times(tally)}"


def unknown_label(facts: Facts) -> Iterator[LocatedMessage]:
    """Yield labels outside the label set, where ``build`` would refuse them."""
    corrections = spelling(facts)
    for task, tallies in list(facts.tallies.items()):
        names = facts.reference(task)
        if names is None or not facts.is_strict(task):
            continue
        for label, tally in tallies.items():
            if label not in names and (task, label) not in corrections:
                yield tally.first, f"{task}: {unknown('label', label, names)} ({_times(tally)})"


def near_label(facts: Facts) -> Iterator[LocatedMessage]:
    """Yield labels that look like a misspelt default label, or a much commoner one.

    Tasks with a configured label set have the check for unknown labels instead.
    """
    corrections = spelling(facts)
    for task, tallies in list(facts.tallies.items()):
        if facts.is_strict(task):
            continue
        names = facts.reference(task) or ()
        for label, tally in tallies.items():
            if label in names or (task, label) in corrections:
                continue
            min_count = _MIN_FREQUENCY_RATIO * tally.count
            common = [name for name in tallies if tallies[name].count >= min_count]
            candidates = {*names, *common} - {label}
            similar = get_close_matches(label, candidates, n=1, cutoff=_MIN_SIMILARITY)
            if similar:
                yield (
                    tally.first,
                    f"{task}: expected '{similar[0]}', as it seems, "
                    f"found '{label}' {_times(tally)}",
                )


def joined_labels(facts: Facts) -> Iterator[LocatedMessage]:
    """Yield cells with several labels, as doccano writes them.

    The reader can split them only if the label sets are configured.
    """
    forms: set[str] = set()
    for task, tallies in list(facts.tallies.items()):
        names = (*tallies, *DEFAULT_LABELS[task], *(facts.reference(task) or ()))
        forms.update(_form(name) for name in names)
    for task, tallies in list(facts.tallies.items()):
        reference = facts.reference(task) or ()
        for label, tally in tallies.items():
            # A "#" alone may belong to the name of a label, such as C#.
            if label in reference or "#" not in label:
                continue
            if forms.isdisjoint(_form(name) for name in label.split("#")):
                continue
            yield (
                tally.first,
                f"{task}: expected one label, found '{label}' {_times(tally)}: if they are "
                "several, data.labels takes them apart",
            )


def unused_label(facts: Facts) -> Iterator[LocatedMessage]:
    """Yield defined labels without any example, for tasks that are annotated."""
    for task, tallies in facts.tallies.items():
        for label in facts.reference(task) or ():
            if label not in tallies or not tallies[label].count:
                any_tally = next(iter(tallies.values()))
                message = f"{task}: expected the label '{label}' somewhere, found it nowhere"
                yield Location(any_tally.first.file), message


def rare_label(facts: Facts) -> Iterator[LocatedMessage]:
    """Yield labels with too few examples to learn and to evaluate them."""
    corrections = spelling(facts)
    for task, tallies in list(facts.tallies.items()):
        names = facts.reference(task) if facts.is_strict(task) else None
        for label, tally in tallies.items():
            # Other checks report labels that are misspelt or not in the set.
            is_valid = (names is None or label in names) and (task, label) not in corrections
            if is_valid and 0 < tally.count < MIN_EXAMPLES:
                yield (
                    tally.first,
                    f"{task}: expected at least {MIN_EXAMPLES} examples of '{label}' to learn it "
                    f"from and to measure it on, found {tally.count}",
                )


def single_label(facts: Facts) -> Iterator[LocatedMessage]:
    """Yield tasks with a single label, in all of the data or in the train split."""
    for task in LABEL_TASKS:
        train = facts.by_split.get("train", {}).get(task, {})
        for split, tallies in ((None, facts.tallies.get(task, {})), ("train", train)):
            if len(tallies) == 1:
                [(label, tally)] = tallies.items()
                yield tally.first, one_label(task, label, tally.count, split)
                break  # A second warning about the same task would add nothing.


def unseen_in_train(facts: Facts) -> Iterator[LocatedMessage]:
    """Yield labels of named splits that the train split lacks.

    Where splits are not named, ``build`` assigns them and checks again.
    """
    train = facts.by_split.get("train", {})
    for split, tasks in facts.by_split.items():
        for task, tallies in tasks.items():
            train_labels = train.get(task, {})
            for label, tally in tallies.items():
                if train_labels and label not in train_labels:
                    yield tally.first, unseen_label(task, label, tally.count, split)


def _times(tally: Tally) -> str:
    return f"{tally.count} time{'s' * (tally.count != 1)}"


def target_forms(facts: Facts) -> dict[str, str]:
    """Return target name → its commonest spelling in other case or white space."""
    corrections = {}
    for names in _group_spellings(facts.targets, same_name):
        # Names with outer white space count as their stripped form.
        counts: Counter[str] = Counter()
        for name in names:
            counts[name.strip()] += facts.targets[name].count
        best = max(counts, key=lambda name: counts[name])
        for name in names:
            if best and name != best:
                corrections[name] = best
    return corrections


def target_variants(facts: Facts) -> Iterator[LocatedMessage]:
    """Yield target names that are rarer spellings of another one."""
    for name, best in target_forms(facts).items():
        # Another check reports names with outer white space alone.
        if name.strip() != best:
            tally = facts.targets[name]
            yield (
                tally.first,
                f"stances.target: expected '{best}', as elsewhere, found '{name}' {_times(tally)}",
            )


def unmentioned_target(facts: Facts) -> Iterator[LocatedMessage]:
    """Yield target names that may be misspelt.

    No text with a stance toward such a target mentions it, and some of its words are in no text at
    all. Topics need not be mentioned: only proper names are checked.
    """
    for name, tally in facts.targets.items():
        missing = [word for word in words_of(name) if word not in facts.words]
        if tally.mentioned or not missing:
            continue
        # Short words, such as *of* and *the*, have no capital even in a proper name.
        words = [word for word in name.split() if len(word) > 3] or name.split()
        if all(word[0].isupper() for word in words):
            message = (
                f"stances.target: expected '{name}' in some text, found '{missing[0]}' in none"
            )
            yield tally.first, message


def unlisted_target(facts: Facts) -> Iterator[LocatedMessage]:
    """Yield targets that the codebook does not list, if it lists any."""
    if facts.codebook is None or not facts.codebook.targets:
        return
    for name, tally in facts.targets.items():
        problem = facts.codebook.target_problem(name.strip())
        if problem:
            yield tally.first, f"stances.target: {problem} ({_times(tally)})"


def undefined_label(facts: Facts) -> Iterator[LocatedMessage]:
    """Yield labels of the codebook without a definition."""
    if facts.codebook is None:
        return
    for task, label in undefined(facts.codebook):
        message = f"labels.{task}.{label}: expected a definition, found none"
        yield Location(facts.codebook.path), message


def lone_records(facts: Facts) -> Iterator[LocatedMessage]:
    """Yield the number of documents with one sentence, which has no context."""
    lone, documents, first = facts.lone_records()
    if first is not None:
        yield (
            first,
            "doc_id: expected documents of several records, which are one another's context, "
            f"found one record in {lone} of {documents}",
        )


def missing_annotator(facts: Facts) -> Iterator[LocatedMessage]:
    """Yield the number of records without an annotator, if others have one."""
    tally = facts.annotators.get(None)
    if tally is not None and tally.count < facts.records:
        yield (
            tally.first,
            "annotator: expected a name, as other records have, "
            f"found none in {tally.count} of {facts.records}",
        )


def odd_annotator(facts: Facts) -> Iterator[LocatedMessage]:
    """Yield annotators who agree with the others far less than those agree with one another.

    For each task, the agreement of two annotators is the share of their common items that have
    equal labels; pairs with fewer than ``MIN_COMMON_ITEMS`` are left out. An annotator is odd whose
    mean agreement lies ``MAX_AGREEMENT_GAP`` below the mean of all pairs without them, which takes
    at least three annotators. Items are sentence labels, and stances of one holder toward one
    target.
    """
    agreement: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    for (task, first, second), counts in facts.pairs.items():
        if counts["common"] >= MIN_COMMON_ITEMS:
            agreement[task][first, second] = counts["alike"] / counts["common"]
    for task, pairs in agreement.items():
        for annotator in sorted(set(chain.from_iterable(pairs))):
            own = [share for pair, share in pairs.items() if annotator in pair]
            rest = [share for pair, share in pairs.items() if annotator not in pair]
            if rest and _mean(own) <= _mean(rest) - MAX_AGREEMENT_GAP:
                yield (
                    facts.annotators[annotator].first,
                    f"annotator: expected '{annotator}' to agree with others about {task} as they "
                    f"do with one another ({_mean(rest):.0%} of common items), "
                    f"found {_mean(own):.0%}",
                )


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
