"""Checks of one record's annotations against one another."""

from collections.abc import Iterator

from claimstance.model.errors import shorten
from claimstance.training.data.lint.base import Seen, surface
from claimstance.training.data.lint.facts import same_name, stance_question


def no_cue(seen: Seen) -> Iterator[str]:
    """An attribution is found by its cue, which may stand in another sentence if it runs over several (``event``)."""
    for i, attribution in enumerate(seen.record.attributions or ()):
        parts = [name for name in ("source", "content") if getattr(attribution, name) is not None]
        if attribution.cue is None and attribution.event is None:
            yield f"attributions[{i}].cue: expected a span, found {' and '.join(parts) or 'no part at all'} alone"


def content_without_claim(seen: Seen) -> Iterator[str]:
    """A sentence that says what somebody said carries a claim, as claims are defined here."""
    if seen.record.claim == "no_claim":
        for i, attribution in enumerate(seen.record.attributions or ()):
            if attribution.content is not None:
                words = shorten(repr(surface(seen.record.text, attribution.content)))
                yield f"claim: expected 'claim', since attributions[{i}] has a content ({words}), found 'no_claim'"
                return


def claim_without_content(seen: Seen) -> Iterator[str]:
    """Where attributions are annotated, a claim has the content of one."""
    claim, attributions = seen.record.claim, seen.record.attributions
    if claim == "claim" and attributions is not None and not any(a.content for a in attributions):
        yield (
            "claim: expected 'no_claim', or an attribution with a content, found 'claim' beside "
            f"{'attributions without one' if attributions else 'no attribution'}"
        )


def two_stance_labels(seen: Seen) -> Iterator[str]:
    """One holder has one stance toward one target."""
    first: dict[str, tuple[int, str]] = {}
    for i, stance in enumerate(seen.record.stances or ()):
        if stance.label is not None:
            question = stance_question(seen.record.text, stance)
            j, label = first.setdefault(question, (i, stance.label))
            if label.strip().casefold() != stance.label.strip().casefold():
                yield f"stances[{i}].label: expected '{label}', as in stances[{j}] ({question}), found '{stance.label}'"


def holder_is_target(seen: Seen) -> Iterator[str]:
    """Nobody is asked for a stance toward themselves."""
    for i, stance in enumerate(seen.record.stances or ()):
        if stance.holder is None:
            continue
        holder, target = (
            who if isinstance(who, str) else surface(seen.record.text, who)
            for who in (stance.holder, stance.target)
        )
        if stance.holder == stance.target or same_name(holder) == same_name(target):
            yield f"stances[{i}]: expected a holder who is not the target, found {shorten(repr(holder))} as both"


def blank_target(seen: Seen) -> Iterator[str]:
    """A stance is toward something."""
    for i, stance in enumerate(seen.record.stances or ()):
        if isinstance(stance.target, str) and not stance.target.strip():
            yield f"stances[{i}].target: expected a name or a topic, found a blank one"


def padded_target(seen: Seen) -> Iterator[str]:
    """White space around a name makes it another name."""
    for i, stance in enumerate(seen.record.stances or ()):
        if isinstance(stance.target, str) and stance.target != stance.target.strip() != "":
            yield f"stances[{i}].target: expected '{stance.target.strip()}', found {stance.target!r}"
