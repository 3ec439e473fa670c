"""Building of training examples from records."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from claimstance.model.article.record_prediction import MAX_SENTENCES_BACK
from claimstance.model.labels import OPINION_HEADS, SENTENCE_TASKS, bio
from claimstance.model.record import Record, Span, Stance
from claimstance.model.text.mentions import find_mentions
from claimstance.model.windows import Tokens, WindowBuilder
from claimstance.training.data.documents.spans import enclosing
from claimstance.training.data.soft_labels import SoftLabels
from claimstance.training.evaluation.flat_spans import attribution_id, attribution_sizes, flatten
from claimstance.training.fine_tuning.training_example import Example, RoleSpan, StanceExample


@dataclass(frozen=True)
class ExampleBuilder:
    """Build training examples from records.

    Attributes:
        windows: the tokenizer.
        labels: task → label names.
        class_weight_power: task → p; each label of a corpus weighs (mean count / its count) ** p.
        corpus_weights: corpus → weight of its labels; 1 where absent.
        soft: record id → task → probabilities of teachers. Token labels are dropped where the teacher's
            tokenizer produces a different number of tokens.
        distillation_weight: share of the soft labels where a label exists, too.
        exhaustive_stances: corpora whose sentences list every stance that they express. Their stances
            teach where holders and targets stand; a holder whom the sentence does not mention is
            sought in the sentences before it.
        no_stance: the label of pairs without a stance.
    """

    windows: WindowBuilder
    labels: Mapping[str, Sequence[str]]
    class_weight_power: Mapping[str, float] = field(default_factory=dict)
    corpus_weights: Mapping[str, float] = field(default_factory=dict)
    soft: Mapping[str, SoftLabels] = field(default_factory=dict)
    distillation_weight: float = 0.5
    exhaustive_stances: Collection[str] = ()
    no_stance: str = "neutral"

    def build(self, records: Sequence[Record]) -> list[list[Example]]:
        """Return documents of examples: lists of consecutive sentences; a single sentence is a document of one.

        The records may be in any order.
        """
        weigh = _LabelWeights(records, self.class_weight_power, self.corpus_weights)
        # Several records may share a text, which is tokenized once.
        texts = list(dict.fromkeys(record.text for record in records))
        tokens_of_text = dict(zip(texts, self.windows.tokenize(texts), strict=True))
        documents = []
        for group in _group_by_document(records):
            sizes = attribution_sizes(group)
            document: list[Example] = []
            for record in group:
                example = self._example(record, tokens_of_text[record.text], document, weigh)
                if record.attributions is not None:
                    _add_attributions(example, record, sizes, document[-1] if document else None)
                document.append(example)
            documents.append(document)
        return documents

    def _example(
        self,
        record: Record,
        tokens: Tokens,
        preceding: Sequence[Example],
        weigh: "_LabelWeights",
    ) -> Example:
        """Return the example of a record, without attributions; ``preceding`` are the earlier sentences."""
        example = Example(_corpus(record), tokens, record.text)
        for task in SENTENCE_TASKS:
            label = getattr(record, task)
            if label is not None and task in self.labels:
                example.labels[task] = list(self.labels[task]).index(label)
                example.weights[task] = weigh(record, task, label)

        if record.entities is not None and "entity" in self.labels:
            example.entities = _entity_tags(record, tokens, self.labels["entity"])
        is_exhaustive = example.corpus in self.exhaustive_stances
        if "stance" in self.labels:
            # In other corpora, nobody looked for the holder outside the sentence.
            searched = preceding[-MAX_SENTENCES_BACK:] if is_exhaustive else ()
            example.stances = self._stances(record, tokens, searched, weigh)
        if is_exhaustive and record.stances is not None:
            example.opinions = self._opinion_tags(record, tokens)

        for task, probabilities in self.soft.get(record.id, {}).items():
            if probabilities.ndim == 1 or len(probabilities) == len(example):
                example.soft[task] = probabilities
        return example

    def _stances(
        self,
        record: Record,
        tokens: Tokens,
        preceding: Sequence[Example],
        weigh: "_LabelWeights",
    ) -> list[StanceExample]:
        """Return the stances of a record.

        ``preceding`` are the sentences that are searched for a holder whom the record does not mention.
        """
        examples = []
        for stance in record.stances or ():
            probabilities = self._label_probabilities(stance)
            if not probabilities:
                continue
            holder, sentences_back = None, 0
            if stance.holder is not None:
                holder, sentences_back = _find_holder(stance.holder, record, tokens, preceding)
                if holder is None:
                    # Without a span, the example would teach that the text itself takes this side.
                    continue
            mention = None
            if isinstance(stance.target, str):
                name = stance.target
            else:
                start, end = enclosing(stance.target)
                name = mention = record.text[start:end]
            examples.append(
                StanceExample(
                    holder=holder,
                    target=_token_span(record.text, tokens, stance.target) or name,
                    probabilities=probabilities,
                    weight=weigh(record, "stance", stance.label),
                    mention=mention,
                    sentences_back=sentences_back,
                    takes_side=stance.label != self.no_stance,
                )
            )
        return examples

    def _opinion_tags(self, record: Record, tokens: Tokens) -> dict[str, list[int]]:
        """Return the tags of the holders and of the targets of a sentence's stances.

        Where two spans overlap ("Trump's plan", "Trump"), the longer one is tagged: the shorter one is a
        name, which is a candidate without a tag.
        """
        spans: dict[str, list[Span]] = {name: [] for name in OPINION_HEADS}
        for stance in record.stances or ():
            if stance.label == self.no_stance:
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

    def _label_probabilities(self, stance: Stance) -> tuple[float, ...]:
        """Return the probability of each label; empty if the stance has neither label nor probabilities."""
        labels = self.labels["stance"]
        soft = stance.probabilities or {}
        total = sum(soft.values())
        if not total:
            if stance.label is None:
                return ()
            return tuple(float(label == stance.label) for label in labels)
        soft_weight = 1.0 if stance.label is None else self.distillation_weight
        probabilities = []
        for label in labels:
            hard_part = (1 - soft_weight) * (label == stance.label)
            soft_part = soft_weight * soft.get(label, 0.0) / total
            probabilities.append(hard_part + soft_part)
        return tuple(probabilities)


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


def _find_holder(
    holder: Span | str, record: Record, tokens: Tokens, preceding: Sequence[Example]
) -> tuple[tuple[int, int] | None, int]:
    """Return the tokens of a holder, and the number of sentences back to them; ``None`` and 0 if there are none."""
    span = _token_span(record.text, tokens, holder)
    if span is not None or not isinstance(holder, str):
        return span, 0
    # The speaker of a quotation that runs on is named in an earlier sentence.
    for distance, example in enumerate(reversed(preceding), 1):
        span = _token_span(example.text, example.tokens, holder)
        if span is not None:
            return span, distance
    return None, 0


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


def _token_span(text: str, tokens: Tokens, value: Span | str) -> tuple[int, int] | None:
    """Return the tokens of a span, or of the first mention of a name; ``None`` if there are none."""
    if isinstance(value, str):
        value = find_mentions(value, text)[:1]
    indices = overlapping_tokens(tokens, value[:1])
    if not indices:
        return None
    return indices[0], indices[-1] + 1


def overlapping_tokens(tokens: Tokens, span: Span) -> list[int]:
    """Return the indices of the tokens that share a character with the span."""
    indices = []
    for index, (token_start, token_end) in enumerate(tokens.offsets):
        if any(token_start < end and start < token_end for start, end in span):
            indices.append(index)
    return indices


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
