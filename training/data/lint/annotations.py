"""Checks that compare the annotations of one record with one another."""

from collections.abc import Iterator

from claimstance.model.errors import shorten
from claimstance.model.record import Span
from claimstance.training.data.lint.base import CheckedRecord, surface
from claimstance.training.data.lint.facts import same_name, stance_question


def no_cue(checked: CheckedRecord) -> Iterator[str]:
    """Yield attributions without a cue.

    The cue of an attribution over several sentences (``event``) may be in another record.
    """
    for i, attribution in enumerate(checked.record.attributions or ()):
        if attribution.cue is not None or attribution.event is not None:
            continue
        roles = [role for role in ("source", "content") if getattr(attribution, role) is not None]
        listed = " and ".join(roles) or "no part at all"
        yield f"attributions[{i}].cue: expected a span, found {listed} alone"


def content_without_claim(checked: CheckedRecord) -> Iterator[str]:
    """Yield the first attributed content of a sentence that is labelled ``no_claim``.

    The default label set defines every attributed content as a claim.
    """
    if checked.record.claim != "no_claim":
        return
    for i, attribution in enumerate(checked.record.attributions or ()):
        if attribution.content is not None:
            content = shorten(repr(surface(checked.record.text, attribution.content)))
            yield (
                f"claim: expected 'claim', since attributions[{i}] has a content ({content}), "
                "found 'no_claim'"
            )
            return


def claim_without_content(checked: CheckedRecord) -> Iterator[str]:
    """Yield claims of records whose attributions are annotated, but have no content."""
    attributions = checked.record.attributions
    if checked.record.claim != "claim" or attributions is None:
        return
    if any(attribution.content for attribution in attributions):
        return
    alternative = "attributions without one" if attributions else "no attribution"
    yield (
        "claim: expected 'no_claim', or an attribution with a content, found 'claim' beside "
        f"{alternative}"
    )


def two_stance_labels(checked: CheckedRecord) -> Iterator[str]:
    """Yield stances whose holder has another stance toward the same target."""
    first: dict[str, tuple[int, str]] = {}  # question → index and label of its first stance
    for i, stance in enumerate(checked.record.stances or ()):
        if stance.label is None:
            continue
        question = stance_question(checked.record.text, stance)
        # Another check reports labels that differ in case or blanks alone.
        j, label = first.setdefault(question, (i, stance.label))
        if label.strip().casefold() != stance.label.strip().casefold():
            yield (
                f"stances[{i}].label: expected '{label}', as in stances[{j}] ({question}), "
                f"found '{stance.label}'"
            )


def holder_is_target(checked: CheckedRecord) -> Iterator[str]:
    """Yield stances of a holder toward themselves."""
    text = checked.record.text
    for i, stance in enumerate(checked.record.stances or ()):
        if stance.holder is None:
            continue
        holder = _name_or_surface(text, stance.holder)
        target = _name_or_surface(text, stance.target)
        if stance.holder == stance.target or same_name(holder) == same_name(target):
            yield (
                f"stances[{i}]: expected a holder who is not the target, "
                f"found {shorten(repr(holder))} as both"
            )


def _name_or_surface(text: str, participant: Span | str) -> str:
    """Return the name of a holder or target, or the text of its span."""
    return participant if isinstance(participant, str) else surface(text, participant)


def blank_target(checked: CheckedRecord) -> Iterator[str]:
    """Yield stances whose target is a blank name."""
    for i, stance in enumerate(checked.record.stances or ()):
        if isinstance(stance.target, str) and not stance.target.strip():
            yield f"stances[{i}].target: expected a name or a topic, found a blank one"


def padded_target(checked: CheckedRecord) -> Iterator[str]:
    """Yield target names with outer white space, which makes them different names."""
    for i, stance in enumerate(checked.record.stances or ()):
        if not isinstance(stance.target, str):
            continue
        name = stance.target.strip()
        # Another check reports names that are blank.
        if name not in ("", stance.target):
            yield f"stances[{i}].target: expected '{name}', found {stance.target!r}"
