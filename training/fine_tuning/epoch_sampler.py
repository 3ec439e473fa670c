"""The windows and batches of each epoch, sampled from examples.

The seed alone determines all batches of a run, so a run can be resumed at any step.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import TypeVar

from claimstance.model.windows import Window, WindowBuilder
from claimstance.training.fine_tuning.augmentation.augmenter import METHODS, Augmenter
from claimstance.training.fine_tuning.training_example import Example, StanceExample

_WindowT = TypeVar("_WindowT", bound=Sized)
#: Batches within which windows are sorted by length: less padding, while the order stays nearly random.
_BATCHES_PER_CHUNK = 40


@dataclass
class LabelledWindow:
    """Represent a window with the examples of its pieces.

    Attributes:
        window: the window.
        examples: one for each of its pieces.
        topic_stances: the stances toward the topic that is appended to the sentence. Such a window repeats
            its sentence, and only these stances contribute to the loss.
    """

    window: Window
    examples: list[Example]
    topic_stances: list[StanceExample] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.window)


@dataclass(frozen=True)
class SamplingConfig:
    """Configure which sentences an epoch shows, and in which context.

    Attributes:
        tokens_per_batch: greatest number of padded tokens in a batch.
        context_share: share of the sentences of single-sentence corpora that are shown beside others, because
            heads trained on lone sentences would read whole windows badly.
        isolated_share: share of documents' sentences that are shown alone, because users' sentences may be.
        topic_share: share of stances toward a mention that are also queried with the mention as a topic.
        unstated_topic_share: share of the topics on which a sentence of an article takes no stance that are
            queried all the same.
        augmentation: method (one of ``METHODS``) → corpus → share of its eligible single sentences that are
            augmented once per epoch.
        corpus_shares: corpus → share of its sentences in an epoch; 1 where absent.
        same_windows: show the windows of the first epoch in every epoch, in another order.
        seed: the seed of all random choices.
    """

    tokens_per_batch: int = 2048
    context_share: float = 0.5
    isolated_share: float = 0.1
    topic_share: float = 0.1
    unstated_topic_share: float = 1.0
    augmentation: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    corpus_shares: Mapping[str, float] = field(default_factory=dict)
    same_windows: bool = False
    seed: int = 13


def batch_by_length(windows: Iterable[_WindowT], budget: int) -> Iterator[list[_WindowT]]:
    """Yield batches of windows, sorted by length, with at most ``budget`` tokens each, padding included.

    A window that is longer than that has a batch of its own.
    """
    batch: list[_WindowT] = []
    for window in sorted(windows, key=len):
        # The longest window of a batch comes last, and all others are padded to its length.
        if batch and len(window) * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch


class EpochSampler:
    """Sample the batches of each epoch.

    Args:
        documents: the examples, by document.
        windows: the builder of windows.
        sampling: which sentences an epoch shows.
        augmenter: makes examples of others.
        documents_of_epoch: returns further documents of an epoch from its number, those that differ
            between epochs.
    """

    def __init__(
        self,
        documents: Sequence[Sequence[Example]],
        windows: WindowBuilder,
        sampling: SamplingConfig,
        augmenter: Augmenter | None = None,
        documents_of_epoch: Callable[[int], Sequence[Sequence[Example]]] | None = None,
    ) -> None:
        self._documents_of_epoch = documents_of_epoch
        self._documents = [list(document) for document in documents if len(document) > 1]
        self._singles: dict[str, list[Example]] = defaultdict(list)
        for document in documents:
            if len(document) == 1:
                self._singles[document[0].corpus].append(document[0])
        self._windows = windows
        self._sampling = sampling
        self._augmenter = augmenter

    def epoch(self, number: int) -> list[list[LabelledWindow]]:
        """Return the batches of an epoch; the same number gives the same batches."""
        rng = random.Random(f"{self._sampling.seed}/{number}")
        if self._sampling.same_windows:
            return self._batches(list(self.first_windows), rng)
        return self._batches(self._sample_windows(number, rng), rng)

    @cached_property
    def first_windows(self) -> list[LabelledWindow]:
        """Return the windows of the first epoch, which are those of all epochs with ``same_windows``."""
        return self._sample_windows(0, random.Random(f"{self._sampling.seed}/0"))

    def _sample_windows(self, number: int, rng: random.Random) -> list[LabelledWindow]:
        """Return the windows of an epoch."""
        windows = [
            *self._document_windows(number, rng),
            *self._single_windows(rng),
            *self._augmented_windows(rng),
        ]
        examples = list(chain.from_iterable(window.examples for window in windows))
        topic_windows = self._topic_windows(examples, rng)
        # A sentence with stances on topics only is read beside each of them, and not on its own.
        windows = [
            window
            for window in windows
            if any(example.has_labels_beyond_topics for example in window.examples)
        ]
        return [*windows, *topic_windows]

    def _batches(
        self, windows: list[LabelledWindow], rng: random.Random
    ) -> list[list[LabelledWindow]]:
        """Return the windows in random order, in batches with little padding."""
        # Sorting all windows would put each corpus with its own; sorting chunks keeps them mixed.
        rng.shuffle(windows)
        budget = self._sampling.tokens_per_batch
        average_length = sum(map(len, windows)) / max(len(windows), 1)
        chunk_size = max(1, round(_BATCHES_PER_CHUNK * budget / max(average_length, 1)))
        batches: list[list[LabelledWindow]] = []
        for start in range(0, len(windows), chunk_size):
            batches += batch_by_length(windows[start : start + chunk_size], budget)
        # Within a chunk, short windows come first; the optimizer should not see them in that order.
        rng.shuffle(batches)
        return batches

    def _document_windows(self, number: int, rng: random.Random) -> Iterator[LabelledWindow]:
        """Yield windows of documents with several sentences, and a few of these sentences alone."""
        max_tokens = self._windows.max_tokens
        documents: list[Sequence[Example]] = list(self._documents)
        if self._documents_of_epoch is not None:
            documents += self._documents_of_epoch(number)
        for document in documents:
            if rng.random() >= self._sampling.corpus_shares.get(document[0].corpus, 1.0):
                continue
            isolated, in_context = [], []
            for position, example in enumerate(document):
                if rng.random() < self._sampling.isolated_share:
                    isolated.append((position, example))
                else:
                    in_context.append((position, example))
            for sentence in isolated:
                yield from self._fill([sentence], max_tokens)
            # The first window has a random length, so that sentences meet other neighbours in each epoch.
            yield from self._fill(in_context, rng.randint(max_tokens // 4, max_tokens))

    def _single_windows(self, rng: random.Random) -> Iterator[LabelledWindow]:
        """Yield windows of single sentences, a share of them beside others of their corpus."""
        max_tokens = self._windows.max_tokens
        for corpus, examples in sorted(self._singles.items()):
            # The sample is a shuffled copy, so that no epoch depends on the order of another.
            shuffled = rng.sample(examples, len(examples))
            corpus_share = self._sampling.corpus_shares.get(corpus, 1.0)
            shown = shuffled[: round(len(shuffled) * corpus_share)]
            isolated_count = round(len(shown) * (1 - self._sampling.context_share))
            for example in shown[:isolated_count]:
                yield from self._fill([(0, example)], max_tokens)
            remaining = shown[isolated_count:]
            while remaining:
                # Group sentences of one corpus as in an article.
                count = rng.choice((2, 3, 5, 8))
                yield from self._fill(list(enumerate(remaining[:count])), max_tokens)
                remaining = remaining[count:]

    def _augmented_windows(self, rng: random.Random) -> Iterator[LabelledWindow]:
        """Yield windows of augmented sentences, one in each."""
        augmenter = self._augmenter
        if augmenter is None:
            return
        for corpus, examples in sorted(self._singles.items()):
            with_mentions = [
                example
                for example in examples
                if any(isinstance(stance.target, tuple) for stance in example.stances)
            ]
            for method in METHODS:
                share = self._sampling.augmentation.get(method, {}).get(corpus, 0.0)
                if not share:
                    continue
                eligible = [
                    example for example in with_mentions if augmenter.is_eligible(method, example)
                ]
                for example in rng.sample(eligible, round(len(eligible) * share)):
                    augmented = augmenter.augment(method, example, with_mentions, rng)
                    if not augmented:
                        continue
                    windows = list(self._fill([(0, augmented)], self._windows.max_tokens))
                    # An example over several windows would have its pairs torn apart.
                    if len(windows) == 1:
                        yield windows[0]

    def _topic_windows(
        self, examples: Sequence[Example], rng: random.Random
    ) -> Iterator[LabelledWindow]:
        """Yield a window for each sentence and each topic on which its stances are queried."""
        for example in examples:
            # The random numbers are drawn for a whole example before any window is built.
            by_topic: dict[str, list[StanceExample]] = defaultdict(list)
            for stance in example.stances:
                if isinstance(stance.target, str):
                    by_topic[stance.target].append(stance)
                elif rng.random() < self._sampling.topic_share:
                    by_topic[stance.mention or ""].append(stance)
            for topic, stances in list(by_topic.items()):
                # Most sentences of an article say nothing on most of its topics.
                is_unstated = example.opinions and not any(stance.takes_side for stance in stances)
                if is_unstated and rng.random() >= self._sampling.unstated_topic_share:
                    del by_topic[topic]
            for topic, stances in by_topic.items():
                [tokens] = self._windows.tokenize([topic])
                # A topic of characters that the model does not know has no tokens.
                if len(tokens):
                    window = self._windows.with_topic(0, example.tokens, tokens)
                    yield LabelledWindow(window, [example], stances)

    def _fill(
        self, sentences: Sequence[tuple[int, Example]], max_tokens: int
    ) -> Iterator[LabelledWindow]:
        """Pack (position, example) pairs into windows of at most ``max_tokens``."""
        examples = dict(sentences)
        tokens = ((position, example.tokens) for position, example in sentences)
        for window in self._windows.windows(tokens, max_tokens):
            window_examples = [examples[piece.sentence] for piece in window.pieces]
            yield LabelledWindow(window, window_examples)
