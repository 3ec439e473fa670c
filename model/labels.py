"""The default label sets and the tasks that they belong to. A model is saved with its label sets."""

CLAIM = ("no_claim", "claim")
CHECK_WORTHY = ("no", "yes")
SUBJECTIVE = ("objective", "subjective")  # subjective: the sentence gives its author's own view
STANCE = ("against", "neutral", "favor")
ENTITY = ("LOCATION", "MISC", "ORGANIZATION", "PERSON")
ROLES = ("source", "cue", "content")  # of the spans of an attribution

# The kinds of stance queries, each with its own calibration (see ``StanceQuery.kind``).
#: The stance of the text itself toward a mention that somebody asked about.
MENTION = "stance.mention"
#: The stance of the text itself toward a name that nobody asked about. A model that finds targets asks about far
#: more names than the corpora that have such labels, and no corpus lists these stances of whole articles. Therefore
#: nothing is promised of them: of 90 such answers above the limit for given names, 39 % were right
#: (docs/experiments/stances.md).
OWN_VOICE = "stance.own_voice"
#: The stance of a holder that somebody asked about.
HOLDER = "stance.holder"
#: The stance in a pair that nobody asked about: the model found the holder and the target.
FOUND = "stance.found"
#: The stance of the text itself, or of a holder, on a topic, which the sentence need not mention.
TOPIC, HOLDER_TOPIC = "stance.topic", "stance.holder_topic"
STANCE_KINDS = (MENTION, OWN_VOICE, HOLDER, FOUND, TOPIC, HOLDER_TOPIC)

#: Token heads that find the holders and targets of stances → the label of their spans.
OPINION_HEADS = {"opinion_holder": "holder", "opinion_target": "target"}

#: Tasks whose labels a user may replace → the default label set.
DEFAULT_LABELS: dict[str, tuple[str, ...]] = {
    "claim": CLAIM,
    "check_worthy": CHECK_WORTHY,
    "stance": STANCE,
    "entity": ENTITY,
    "subjective": SUBJECTIVE,
}

#: Tasks with one label per sentence.
SENTENCE_TASKS = ("claim", "check_worthy", "subjective")

#: Tasks with one label per sentence or per pair of a holder and a target, unlike those that tag tokens.
LABEL_TASKS = (*SENTENCE_TASKS, "stance")

#: All tasks that a model can have heads for.
TASKS = ("attribution", "entity", "claim", "check_worthy", "stance", "subjective")


def bio(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return the tags of a token head: ``O``, then ``B-`` and ``I-`` of each label.

    >>> bio(("cue",))
    ('O', 'B-cue', 'I-cue')
    """
    tags = ["O"]
    for label in labels:
        tags += [f"B-{label}", f"I-{label}"]
    return tuple(tags)
