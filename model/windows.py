"""Windows: whole consecutive sentences that fill the encoder's length, so that one pass reads them in context.

A window is ``[CLS] sentence [SEP] sentence [SEP] …``. A sentence too long for any window is read in several pieces.
A topic that the text does not mention comes as a second segment: ``[CLS] sentence [SEP] topic [SEP]``.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tokenizers import Tokenizer

from claimstance.model.errors import ModelError

#: Special tokens by the encoder families that have them: start, separator, padding.
_SPECIAL = (("[CLS]", "[SEP]", "[PAD]"), ("<s>", "</s>", "<pad>"))
MAX_TOPIC_TOKENS = 32
NO_OFFSET = (0, 0)


@dataclass(frozen=True)
class Tokens:
    """The tokens of one sentence: ids, code-point offsets into it, and the number of the word each belongs to."""

    ids: list[int]
    offsets: list[tuple[int, int]]
    words: list[int | None]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Piece:
    """Tokens ``[start, end)`` of a window hold tokens of sentence ``sentence``, from its token ``skipped`` on."""

    sentence: int
    start: int
    end: int
    skipped: int = 0

    def __len__(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, order=True)
class Located:
    """Characters ``[start, end)`` of a sentence."""

    sentence: int
    start: int
    end: int


@dataclass
class Window:
    """One input of the encoder. ``offsets`` and ``words`` are relative to the sentence of each token."""

    ids: list[int]
    segments: list[int]
    offsets: list[tuple[int, int]]
    words: list[int | None]
    pieces: list[Piece] = field(default_factory=list)
    topic: tuple[int, int] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def token_span(self, piece: Piece, start: int, end: int) -> tuple[int, int] | None:
        """The window's tokens that touch characters ``[start, end)`` of the sentence, or ``None`` if none does."""
        touching = [
            t
            for t in range(piece.start, piece.end)
            if self.offsets[t][0] < end and self.offsets[t][1] > start
        ]
        return (touching[0], touching[-1] + 1) if touching else None

    def located(self, start: int, end: int) -> list[Located]:
        """The characters of tokens ``[start, end)``, a span for each sentence they lie in."""
        found = []
        for piece in self.pieces:
            first, last = max(start, piece.start), min(end, piece.end)
            if first < last:
                found.append(
                    Located(piece.sentence, self.offsets[first][0], self.offsets[last - 1][1])
                )
        return found


class WindowBuilder:
    """Turns sentences into windows with a model's own tokenizer."""

    def __init__(self, tokenizer: Tokenizer, max_tokens: int) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        for names in _SPECIAL:
            ids = [number for name in names if (number := tokenizer.token_to_id(name)) is not None]
            if len(ids) == len(names):
                break
        else:
            raise ModelError("the tokenizer has neither [CLS] [SEP] [PAD] nor <s> </s> <pad>")
        self.tokenizer = tokenizer
        self.max_tokens = max_tokens
        self.max_topic = min(
            MAX_TOPIC_TOKENS, (max_tokens - 3) // 2
        )  # short windows leave the sentence half of them
        self.cls, self.sep, self.pad = ids

    @classmethod
    def from_file(cls, path: Path, max_tokens: int) -> "WindowBuilder":
        """A builder with the tokenizer of ``path`` (``tokenizer.json``)."""
        try:
            return cls.from_json(path.read_text(encoding="utf-8"), max_tokens)
        except OSError as error:
            raise ModelError(f"{path}: {error.strerror}") from None
        except (UnicodeDecodeError, ModelError) as error:
            raise ModelError(f"{path}: {error}") from None

    @classmethod
    def from_json(cls, text: str, max_tokens: int) -> "WindowBuilder":
        """A builder with the tokenizer that ``text`` (the content of ``tokenizer.json``) describes."""
        try:
            tokenizer = Tokenizer.from_str(text)
        except Exception as error:  # tokenizers raises bare Exception for a damaged file
            raise ModelError(f"expected a tokenizer, found {error}") from None
        return cls(tokenizer, max_tokens)

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each text, in order, without special tokens.

        Raises:
            ModelError: if the tokenizer has no token for what it does not know.
        """
        try:
            encodings = self.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        except Exception as error:  # tokenizers raises bare Exception, say for a missing "[UNK]"
            raise ModelError(f"the tokenizer cannot read a text: {error}") from None
        return [Tokens(e.ids, e.offsets, e.word_ids) for e in encodings]

    def windows(
        self, sentences: Iterable[tuple[int, Tokens]], limit: int | None = None
    ) -> Iterator[Window]:
        """Greedily fill windows with ``(index, tokens)`` of consecutive sentences.

        ``limit`` shortens the first window alone: training begins documents at varied places with it.
        """
        window, room = self._open(), min(limit or self.max_tokens, self.max_tokens)
        for index, tokens in sentences:
            if window.pieces and len(window) + len(tokens) + 1 > room:
                yield window
                window, room = self._open(), self.max_tokens
            for skipped in range(0, max(len(tokens), 1), self.max_tokens - 2):
                if skipped:
                    yield window
                    window, room = self._open(), self.max_tokens
                self._append(window, index, tokens, skipped, self.max_tokens - 2)
        if window.pieces:
            yield window

    def with_topic(self, index: int, sentence: Tokens, topic: Tokens) -> Window:
        """A sentence beside a topic that it does not mention.

        Only where there is no room for both are their ends left out: callers warn (see ``fits_with_topic``).
        """
        ids = topic.ids[: self.max_topic]
        window = self._open()
        self._append(window, index, sentence, 0, self.max_tokens - len(ids) - 3)
        start = len(window)
        window.ids += [*ids, self.sep]
        window.offsets += [NO_OFFSET] * (len(ids) + 1)
        window.words += [None] * (len(ids) + 1)
        window.segments += [1] * (len(ids) + 1)
        window.topic = (start, start + len(ids))
        return window

    def fits_with_topic(self, sentence: Tokens, topic: Tokens) -> bool:
        """Whether ``with_topic`` reads the whole of both."""
        return len(topic) <= self.max_topic and len(sentence) + len(topic) + 3 <= self.max_tokens

    def _open(self) -> Window:
        return Window([self.cls], [0], [NO_OFFSET], [None])

    def _append(self, window: Window, index: int, tokens: Tokens, skipped: int, room: int) -> None:
        part = slice(skipped, skipped + room)
        start = len(window)
        window.ids += [*tokens.ids[part], self.sep]
        window.offsets += [*tokens.offsets[part], NO_OFFSET]
        window.words += [*tokens.words[part], None]
        window.segments += [0] * (len(window.ids) - start)
        window.pieces.append(Piece(index, start, len(window) - 1, skipped))
