"""Windows: whole consecutive sentences that fill the encoder's length, so that it encodes them in context.

A window is ``[CLS] sentence [SEP] sentence [SEP] …``. A sentence that is too long for one window is divided into
pieces. A topic that the text does not mention is a second segment: ``[CLS] sentence [SEP] topic [SEP]``.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tokenizers import Tokenizer

from claimstance.model.errors import ModelError

#: Start, separator and padding token of BERT's and of RoBERTa's family.
_SPECIAL_TOKENS = (("[CLS]", "[SEP]", "[PAD]"), ("<s>", "</s>", "<pad>"))
MAX_TOPIC_TOKENS = 32
NO_OFFSET = (0, 0)


@dataclass(frozen=True)
class Tokens:
    """Represent the tokens of one sentence.

    Attributes:
        ids: the token ids.
        offsets: the code points ``(start, end)`` of each token in the sentence.
        words: the number of the word that each token belongs to.
    """

    ids: list[int]
    offsets: list[tuple[int, int]]
    words: list[int | None]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Piece:
    """Represent tokens ``[start, end)`` of a window: tokens of one sentence, from its token ``skipped`` on."""

    sentence: int
    start: int
    end: int
    skipped: int = 0

    def __len__(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, order=True)
class SentenceSpan:
    """Represent characters ``[start, end)`` of a sentence."""

    sentence: int
    start: int
    end: int

    def overlaps(self, other: "SentenceSpan") -> bool:
        """Return whether two spans are in one sentence and have characters in common."""
        is_in_sentence = self.sentence == other.sentence
        return is_in_sentence and self.start < other.end and other.start < self.end


@dataclass
class Window:
    """Represent one input of the encoder.

    Attributes:
        ids: the token ids, special tokens included.
        segments: 0 for tokens of sentences, 1 for those of a topic.
        offsets: the code points of each token in its sentence.
        words: the number of each token's word in its sentence.
        pieces: the sentences, or pieces of them, in order.
        topic: the tokens ``(start, end)`` of the topic, if there is one.
    """

    ids: list[int]
    segments: list[int]
    offsets: list[tuple[int, int]]
    words: list[int | None]
    pieces: list[Piece] = field(default_factory=list)
    topic: tuple[int, int] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def token_span(self, piece: Piece, start: int, end: int) -> tuple[int, int] | None:
        """Return the tokens that overlap characters ``[start, end)`` of a piece's sentence, ``None`` if none does."""
        first = last = None
        for token in range(piece.start, piece.end):
            token_start, token_end = self.offsets[token]
            if token_start >= end:
                break  # the tokens are in the order of the text
            if token_end > start:
                first = token if first is None else first
                last = token
        if first is None or last is None:
            return None
        return first, last + 1

    def locate(self, start: int, end: int) -> list[SentenceSpan]:
        """Return the characters of tokens ``[start, end)``, one piece for each of their sentences."""
        pieces = []
        for piece in self.pieces:
            first, last = max(start, piece.start), min(end, piece.end)
            if first < last:
                start_char, end_char = self.offsets[first][0], self.offsets[last - 1][1]
                pieces.append(SentenceSpan(piece.sentence, start_char, end_char))
        return pieces


class WindowBuilder:
    """Build windows of sentences with a model's own tokenizer.

    Raises:
        ModelError: if the tokenizer lacks the special tokens.
    """

    def __init__(self, tokenizer: Tokenizer, max_tokens: int) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.tokenizer = tokenizer
        self.max_tokens = max_tokens
        # A topic gets at most half of a short window: the sentence needs the rest.
        self.max_topic = min(MAX_TOPIC_TOKENS, (max_tokens - 3) // 2)
        self.cls, self.sep, self.pad = _special_token_ids(tokenizer)

    @classmethod
    def from_file(cls, path: Path, max_tokens: int) -> "WindowBuilder":
        """Return a builder with the tokenizer in ``path`` (``tokenizer.json``)."""
        try:
            return cls.from_json(path.read_text(encoding="utf-8"), max_tokens)
        except OSError as error:
            raise ModelError(f"{path}: {error.strerror}") from None
        except (UnicodeDecodeError, ModelError) as error:
            raise ModelError(f"{path}: {error}") from None

    @classmethod
    def from_json(cls, text: str, max_tokens: int) -> "WindowBuilder":
        """Return a builder with the tokenizer in ``text``, the content of ``tokenizer.json``."""
        try:
            tokenizer = Tokenizer.from_str(text)
        # The library raises bare Exception for a damaged file.
        except Exception as error:
            raise ModelError(f"expected a tokenizer, found {error}") from None
        return cls(tokenizer, max_tokens)

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each text, in order, without special tokens.

        Raises:
            ModelError: if the tokenizer has no token for unknown words.
        """
        try:
            encodings = self.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        # The library raises bare Exception, for example if "[UNK]" is missing.
        except Exception as error:
            raise ModelError(f"the tokenizer cannot read a text: {error}") from None
        return [Tokens(encoding.ids, encoding.offsets, encoding.word_ids) for encoding in encodings]

    def windows(
        self, sentences: Iterable[tuple[int, Tokens]], limit: int | None = None
    ) -> Iterator[Window]:
        """Yield windows, filled greedily with consecutive sentences.

        Args:
            sentences: the number and the tokens of each sentence.
            limit: the length of the first window alone, with which training varies the divisions of a document.
        """
        window = self._new_window()
        length = min(limit or self.max_tokens, self.max_tokens)
        longest_piece = self.max_tokens - 2  # beside the start token and a separator
        for index, tokens in sentences:
            if window.pieces and len(window) + len(tokens) + 1 > length:
                yield window
                window, length = self._new_window(), self.max_tokens
            # A sentence without tokens has one empty piece, so that it keeps its place.
            for skipped in range(0, max(len(tokens), 1), longest_piece):
                if skipped:
                    yield window
                    window, length = self._new_window(), self.max_tokens
                self._append(window, index, tokens, skipped, longest_piece)
        if window.pieces:
            yield window

    def with_topic(self, index: int, sentence: Tokens, topic: Tokens) -> Window:
        """Return a window of a sentence and a topic that it does not mention.

        If they do not fit, their ends are cut; callers warn of that (see ``fits_with_topic``).
        """
        ids = topic.ids[: self.max_topic]
        window = self._new_window()
        self._append(window, index, sentence, 0, self.max_tokens - len(ids) - 3)
        start = len(window)
        window.ids += [*ids, self.sep]
        window.offsets += [NO_OFFSET] * (len(ids) + 1)
        window.words += [None] * (len(ids) + 1)
        window.segments += [1] * (len(ids) + 1)
        window.topic = (start, start + len(ids))
        return window

    def fits_with_topic(self, sentence: Tokens, topic: Tokens) -> bool:
        """Return whether ``with_topic`` cuts neither of them."""
        return len(topic) <= self.max_topic and len(sentence) + len(topic) + 3 <= self.max_tokens

    def _new_window(self) -> Window:
        """Return a window with the start token alone."""
        return Window([self.cls], [0], [NO_OFFSET], [None])

    def _append(self, window: Window, index: int, tokens: Tokens, skipped: int, limit: int) -> None:
        """Append at most ``limit`` tokens of a sentence, from its token ``skipped`` on, and a separator."""
        selected = slice(skipped, skipped + limit)
        start = len(window)
        window.ids += [*tokens.ids[selected], self.sep]
        window.offsets += [*tokens.offsets[selected], NO_OFFSET]
        window.words += [*tokens.words[selected], None]
        window.segments += [0] * (len(window.ids) - start)
        window.pieces.append(Piece(index, start, len(window) - 1, skipped))


def _special_token_ids(tokenizer: Tokenizer) -> tuple[int, int, int]:
    """Return the ids of the start, separator and padding token."""
    for names in _SPECIAL_TOKENS:
        start, separator, padding = (tokenizer.token_to_id(name) for name in names)
        if start is not None and separator is not None and padding is not None:
            return start, separator, padding
    raise ModelError("the tokenizer has neither [CLS] [SEP] [PAD] nor <s> </s> <pad>")
