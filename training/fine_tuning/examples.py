"""Training examples from records: sentences with labels on their tokens."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from claimstance.model.labels import OPINION_HEADS, SENTENCE_TASKS, TASKS, bio
from claimstance.model.prediction import MAX_SENTENCES_BACK
from claimstance.model.record import Record, Span, Stance
from claimstance.model.text.mentions import find_mentions
from claimstance.model.windows import Tokens, WindowBuilder
from claimstance.training.data.soft_labels import SoftLabels
from claimstance.training.evaluation.flat_spans import attribution_id, attribution_sizes, flatten

Labels = Mapping[str, Sequence[str]]


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
        sentences_back: the holder's tokens belong to the sentence this many before: the speaker of a
            quotation that runs on. A window that does not show it queries the text itself.
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


def keep_labels_of(records: Sequence[Record], tasks: Collection[str]) -> list[Record]:
    """Return the records without the labels of other tasks."""
    fields = {"attribution": "attributions", "entity": "entities", "stance": "stances"}
    removed = {fields.get(task, task): None for task in TASKS if task not in tasks}
    if not removed:
        return list(records)
    return [record.model_copy(update=removed) for record in records]


def build_examples(
    records: Sequence[Record],
    windows: WindowBuilder,
    labels: Labels,
    class_weight_power: Mapping[str, float],
    corpus_weights: Mapping[str, float] | None = None,
    soft: Mapping[str, SoftLabels] | None = None,
    distillation_weight: float = 0.5,
    exhaustive_stances: Collection[str] = (),
    no_stance: str = "neutral",
) -> list[list[Example]]:
    """Return documents of examples: lists of consecutive sentences; a single sentence is a document of one.

    Args:
        records: the records, in any order.
        windows: the tokenizer.
        labels: task → label names.
        class_weight_power: task → p; each label of a corpus weighs (mean count / its count) ** p.
        corpus_weights: corpus → weight of its labels; 1 where absent.
        soft: record id → task → probabilities of teachers. Token labels are dropped where the teacher's
            tokenizer counts other tokens.
        distillation_weight: share of the soft labels where a label exists, too.
        exhaustive_stances: corpora whose sentences list every stance that they express. Their stances
            teach where holders and targets stand; a holder whom the sentence does not mention is
            sought in the sentences before it.
        no_stance: the label of pairs without a stance.
    """
    soft = soft or {}
    weigh = _LabelWeights(records, class_weight_power, corpus_weights or {})
    # Several records may share a text, which is tokenized once.
    texts = list(dict.fromkeys(record.text for record in records))
    tokens_of_text = dict(zip(texts, windows.tokenize(texts), strict=True))
    documents = []
    for group in _group_by_document(records):
        sizes = attribution_sizes(group)
        document: list[Example] = []
        for record in group:
            tokens = tokens_of_text[record.text]
            example = Example(_corpus(record), tokens, record.text)
            for task in SENTENCE_TASKS:
                label = getattr(record, task)
                if label is not None and task in labels:
                    example.labels[task] = list(labels[task]).index(label)
                    example.weights[task] = weigh(record, task, label)

            if record.entities is not None and "entity" in labels:
                example.entities = _entity_tags(record, tokens, labels["entity"])
            is_exhaustive = example.corpus in exhaustive_stances
            if "stance" in labels:
                # In other corpora, nobody looked for the holder outside the sentence.
                preceding = document if is_exhaustive else []
                example.stances = _stance_examples(
                    record,
                    tokens,
                    labels["stance"],
                    weigh,
                    distillation_weight,
                    preceding,
                    no_stance,
                )
            if is_exhaustive and record.stances is not None:
                example.opinions = _opinion_tags(record, tokens, no_stance)

            for task, probabilities in soft.get(record.id, {}).items():
                if probabilities.ndim == 1 or len(probabilities) == len(example):
                    example.soft[task] = probabilities
            if record.attributions is not None:
                _add_attributions(example, record, sizes, document[-1] if document else None)
            document.append(example)
        documents.append(document)
    return documents


def _group_by_document(records: Sequence[Record]) -> Iterator[list[Record]]:
    """Yield the records of each document in order, and each record without a position alone.

    A record without a position that has stances, but no attributions and no labels of the sentence, is merged
    into the first one of its corpus with the same text.
    """
    documents: dict[str, list[Record]] = defaultdict(list)
    singles: dict[tuple[str, str], Record] = {}
    for record in records:
        if record.doc_id is not None and record.start is not None:
            documents[record.doc_id].append(record)
            continue
        key = (_corpus(record), record.text)
        first = singles.get(key)
        if first is None:
            singles[key] = record
            continue
        has_sentence_label = any(getattr(record, task) for task in SENTENCE_TASKS)
        if record.stances and not record.attributions and not has_sentence_label:
            stances = [*(first.stances or []), *record.stances]
            singles[key] = first.model_copy(update={"stances": stances})
        else:
            singles[record.id, record.text] = record
    for group in documents.values():
        yield sorted(group, key=lambda record: record.start or 0)
    for record in singles.values():
        yield [record]


def _corpus(record: Record) -> str:
    return str(record.meta.get("corpus", ""))


def _stance_examples(
    record: Record,
    tokens: Tokens,
    labels: Sequence[str],
    weigh: "_LabelWeights",
    distillation_weight: float,
    preceding: Sequence[Example],
    no_stance: str,
) -> list[StanceExample]:
    """Return the stances of a record.

    ``preceding`` are the earlier sentences, which are searched for a holder whom the record does not mention.
    """
    examples = []
    for stance in record.stances or ():
        probabilities = _label_probabilities(stance, labels, distillation_weight)
        if not probabilities:
            continue
        holder, sentences_back = None, 0
        if stance.holder is not None:
            holder = _span(record.text, tokens, stance.holder)
            if holder is None and isinstance(stance.holder, str):
                # The speaker of a quotation that runs on is named in an earlier sentence.
                for distance, example in enumerate(reversed(preceding[-MAX_SENTENCES_BACK:]), 1):
                    holder = _span(example.text, example.tokens, stance.holder)
                    if holder is not None:
                        sentences_back = distance
                        break
            if holder is None:
                # Without a span, the example would teach that the text itself takes this side.
                continue
        mention = None
        if isinstance(stance.target, str):
            name = stance.target
        else:
            start = min(start for start, _ in stance.target)
            end = max(end for _, end in stance.target)
            name = mention = record.text[start:end]
        examples.append(
            StanceExample(
                holder=holder,
                target=_span(record.text, tokens, stance.target) or name,
                probabilities=probabilities,
                weight=weigh(record, "stance", stance.label),
                mention=mention,
                sentences_back=sentences_back,
                takes_side=stance.label != no_stance,
            )
        )
    return examples


def _entity_tags(record: Record, tokens: Tokens, labels: Sequence[str]) -> list[int]:
    """Return the tags of the entities of a sentence."""
    names = bio(tuple(labels))
    tags = [0] * len(tokens)
    for entity in record.entities or ():
        prefix = "B"
        for token in overlapping_tokens(tokens, entity.span):
            tags[token] = names.index(f"{prefix}-{entity.label}")
            prefix = "I"
    return tags


def _opinion_tags(record: Record, tokens: Tokens, no_stance: str) -> dict[str, list[int]]:
    """Return the tags of the holders and of the targets of a sentence's stances.

    Where two spans overlap ("Trump's plan", "Trump"), the longer one is tagged: the shorter one is a
    name, which is a candidate without a tag.
    """
    spans: dict[str, list[Span]] = {name: [] for name in OPINION_HEADS}
    for stance in record.stances or ():
        if stance.label == no_stance:
            continue
        if isinstance(stance.holder, list):
            spans["opinion_holder"].append(stance.holder)
        if isinstance(stance.target, list):
            spans["opinion_target"].append(stance.target)
    tags = {}
    for name, head_spans in spans.items():
        tags[name] = [0] * len(tokens)
        token_spans = [overlapping_tokens(tokens, span) for span in head_spans]
        for span_tokens in sorted(token_spans, key=len):
            tag = 1  # B
            for token in span_tokens:
                tags[name][token] = tag
                tag = 2  # I
    return tags


def _label_probabilities(
    stance: Stance, labels: Sequence[str], distillation_weight: float
) -> tuple[float, ...]:
    """Return the probability of each label; empty if the stance has neither label nor probabilities."""
    soft = stance.probabilities or {}
    total = sum(soft.values())
    if not total:
        if stance.label is None:
            return ()
        return tuple(float(label == stance.label) for label in labels)
    if stance.label is None:
        distillation_weight = 1.0
    probabilities = []
    for label in labels:
        hard_part = (1 - distillation_weight) * (label == stance.label)
        soft_part = distillation_weight * soft.get(label, 0.0) / total
        probabilities.append(hard_part + soft_part)
    return tuple(probabilities)


def _span(text: str, tokens: Tokens, value: Span | str) -> tuple[int, int] | None:
    """Return the tokens of a span, or of the first mention of a name; ``None`` if there are none."""
    if isinstance(value, str):
        value = find_mentions(value, text)[:1]
    numbers = overlapping_tokens(tokens, value[:1])
    if not numbers:
        return None
    return numbers[0], numbers[-1] + 1


def overlapping_tokens(tokens: Tokens, span: Span) -> list[int]:
    """Return the indices of the tokens that share a character with the span."""
    numbers = []
    for number, (token_start, token_end) in enumerate(tokens.offsets):
        if any(token_start < end and start < token_end for start, end in span):
            numbers.append(number)
    return numbers


def _add_attributions(
    example: Example, record: Record, sizes: dict[str, int], before: Example | None
) -> None:
    """Add the flat role spans of a sentence and its whole contents; ``before`` is the preceding sentence."""
    example.role_spans = []
    # Only a content that reaches the end of the sentence before can continue in this one.
    open_event = None
    if before and before.role_spans:
        last = before.role_spans[-1]
        if last.role == "content" and last.end == len(before):
            open_event = last.event
    for flat in flatten(record, sizes):
        tokens = overlapping_tokens(example.tokens, [(flat.start, flat.end)])
        if not tokens:
            continue
        begins_sentence = not example.role_spans and tokens[0] == 0
        continues = begins_sentence and flat.role == "content" and flat.event == open_event
        example.role_spans.append(
            RoleSpan(flat.role, flat.event, tokens[0], tokens[-1] + 1, continues)
        )
    for index, attribution in enumerate(record.attributions or ()):
        spans = []
        for piece in attribution.content or ():
            tokens = overlapping_tokens(example.tokens, [piece])
            if tokens:
                spans.append((tokens[0], tokens[-1] + 1))
        example.contents[attribution_id(record, index)] = spans


class _LabelWeights:
    """Weigh labels in the loss by their corpus, and rare ones of a corpus more, by a power of their rarity."""

    def __init__(
        self, records: Iterable[Record], power: Mapping[str, float], corpora: Mapping[str, float]
    ) -> None:
        self._power = power
        self._corpora = corpora
        self._counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for record in records:
            for task in power:
                if task == "stance":
                    labels = [stance.label for stance in record.stances or ()]
                else:
                    labels = [getattr(record, task)]
                annotated = [label for label in labels if label is not None]
                self._counts[_corpus(record), task].update(annotated)

    def __call__(self, record: Record, task: str, label: str | None) -> float:
        """Return the weight of a record's label; without a label, that of its corpus alone."""
        corpus = _corpus(record)
        corpus_weight = self._corpora.get(corpus, 1.0)
        counts = self._counts.get((corpus, task))
        if not counts or label is None:
            return corpus_weight
        mean_count = counts.total() / len(counts)
        return corpus_weight * float((mean_count / counts[label]) ** self._power[task])
