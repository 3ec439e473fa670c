"""Training examples: sentences with labels on their tokens."""

from collections.abc import Collection
from dataclasses import dataclass, field

from claimstance.model.labels import OPINION_HEADS
from claimstance.model.windows import Tokens
from claimstance.training.data.soft_labels import SoftLabels


@dataclass(frozen=True)
class RoleSpan:
    """Represent tokens ``[start, end)`` of a sentence in one flat role of one attribution.

    Attributes:
        role: source, cue or content.
        event: the attribution.
        start: the first token.
        end: the end, exclusive.
        continues: whether the content of the sentence before continues here.
    """

    role: str
    event: str
    start: int
    end: int
    continues: bool


@dataclass(frozen=True)
class StanceExample:
    """Represent a stance with its spans in tokens of the sentence.

    Attributes:
        holder: the holder's tokens; ``None`` for the text itself.
        target: the target's tokens, or its name where the sentence does not mention it.
        probabilities: that of each label; 1 for one of them unless annotators or teachers divide.
        weight: weight in the loss.
        mention: text of a target span, which is sometimes queried as a topic.
        sentences_back: number of sentences back to the holder, the speaker of a quotation that runs on. A window
            that does not show that sentence queries the text itself.
        takes_side: the label is another than that of pairs without a stance.
    """

    holder: tuple[int, int] | None
    target: tuple[int, int] | str
    probabilities: tuple[float, ...]
    weight: float
    mention: str | None = None
    sentences_back: int = 0
    takes_side: bool = True


@dataclass
class Example:
    """Represent one sentence with its labels; fields that its corpus has no labels for are ``None`` or empty.

    Attributes:
        corpus: the corpus.
        tokens: the tokens of the sentence.
        text: its text; empty for an augmented example.
        role_spans: flat roles of attributions.
        contents: event → tokens of its whole content.
        entities: a tag for each token.
        opinions: head of ``OPINION_HEADS`` → a tag for each token.
        labels: sentence task → index of the label.
        weights: sentence task → weight in the loss.
        stances: holder–target pairs.
        soft: task, or head of ``OPINION_HEADS`` → probabilities of teachers.
    """

    corpus: str
    tokens: Tokens
    text: str = ""
    role_spans: list[RoleSpan] | None = None
    contents: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    entities: list[int] | None = None
    opinions: dict[str, list[int]] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    stances: list[StanceExample] = field(default_factory=list)
    soft: SoftLabels = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def has_labels_beyond_topics(self) -> bool:
        """Return whether the example has labels beyond stances on topics."""
        return bool(
            self.role_spans is not None
            or self.entities is not None
            or self.labels
            or self.soft
            or self.opinions
            or any(isinstance(stance.target, tuple) for stance in self.stances)
        )

    def has_labels_of(self, tasks: Collection[str]) -> bool:
        """Return whether the example has a label for one of ``tasks``."""
        own_tasks = {*self.labels, *self.soft}
        if not own_tasks.isdisjoint(OPINION_HEADS):
            own_tasks.add("stance")
        if self.role_spans is not None:
            own_tasks.add("attribution")
        if self.entities is not None:
            own_tasks.add("entity")
        if self.stances or self.opinions:
            own_tasks.add("stance")
        return not own_tasks.isdisjoint(tasks)
