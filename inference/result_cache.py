"""A cache of results, so that copies of an article (wire stories, reprints) are not encoded again."""

import pickle
import threading
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b

from claimstance.inference.results import TaggedArticle

CAPACITY = 32 * 2**20  # bytes of results, about 4,000 articles of forty sentences


class ResultCache:
    """Keep the results of the texts used last, within a number of bytes. Several threads may share it.

    The key is the whole text with the targets and the choice of ``neutral``, so a cached result
    equals that of tagging again. Results are stored compressed: for an article of forty sentences,
    compressing takes a fiftieth of the time that tagging does.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[bytes, bytes] = OrderedDict()  # least recently used first
        self._size = 0
        self._lock = threading.Lock()

    def get(self, text: str, targets: Sequence[str], neutral: bool = False) -> TaggedArticle | None:
        """Return the result for a text and targets as a new object; ``None`` if it is not cached."""
        key = _key(text, targets, neutral)
        with self._lock:
            packed = self._entries.get(key)
            if packed is None:
                return None
            self._entries.move_to_end(key)
        # Unpacked without the lock, so that threads do not wait for each other.
        tagged: TaggedArticle = pickle.loads(zlib.decompress(packed))
        return tagged

    def put(self, tagged: TaggedArticle, targets: Sequence[str], neutral: bool = False) -> None:
        """Store a result, and drop the least recently used ones if there is no room."""
        key = _key(tagged.text, targets, neutral)
        packed = zlib.compress(pickle.dumps(tagged, protocol=pickle.HIGHEST_PROTOCOL), level=1)
        with self._lock:
            replaced = self._entries.pop(key, b"")
            self._entries[key] = packed
            self._size += len(packed) - len(replaced)
            while self._size > self._capacity:
                _, evicted = self._entries.popitem(last=False)
                self._size -= len(evicted)


def _key(text: str, targets: Sequence[str], neutral: bool) -> bytes:
    """Return a hash of what is asked; lengths separate the texts, so no two lists are alike."""
    digest = blake2b(b"neutral " if neutral else b"", digest_size=16)
    for string in (text, *targets):
        encoded = string.encode("utf-8")
        digest.update(b"%d:" % len(encoded) + encoded)
    return digest.digest()
