"""The label sets, in one place. They are saved with a model and come back as themselves."""

CLAIM = ("no_claim", "claim")
CHECK_WORTHY = ("no", "yes")
SUBJECTIVE = ("objective", "subjective")  # whether the sentence gives its author's own view
STANCE = ("against", "neutral", "favor")
ENTITY = ("LOCATION", "MISC", "ORGANIZATION", "PERSON")
ROLES = ("source", "cue", "content")  # the parts of an attribution

#: Tasks whose labels a user may replace, with the default set of each.
DEFAULT_LABELS: dict[str, tuple[str, ...]] = {
    "claim": CLAIM,
    "check_worthy": CHECK_WORTHY,
    "stance": STANCE,
    "entity": ENTITY,
    "subjective": SUBJECTIVE,
}

#: Tasks with one label a sentence.
SENTENCE_TASKS = ("claim", "check_worthy", "subjective")

#: Everything that one reading of a window can give.
TASKS = ("attribution", "entity", "claim", "check_worthy", "stance", "subjective")


def bio(labels: tuple[str, ...]) -> tuple[str, ...]:
    """The tags of a token head: ``O``, then ``B-`` and ``I-`` of each label.

    >>> bio(("cue",))
    ('O', 'B-cue', 'I-cue')
    """
    return ("O", *(f"{prefix}-{label}" for label in labels for prefix in "BI"))
