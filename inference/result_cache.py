"""Articles read lately, so that copies of them (wire stories, reprints) are not read again."""

import pickle
import threading
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b

from claimstance.inference.results import TaggedArticle

CAPACITY = 32 * 2**20  # bytes of results, about 4,000 articles of forty sentences


class Copies:
    """The results of texts, the latest used ones kept, within a number of bytes. Several threads may use it.

    A text is known by itself and the targets asked about, to the last character: what comes out is what reading it
    again would give. Results are kept packed; on one of forty sentences, packing takes a fiftieth of what reading does.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._held: OrderedDict[bytes, bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, text: str, targets: Sequence[str]) -> TaggedArticle | None:
        """What ``keep`` was given for this text and these targets, as a new object, if it is still held."""
        key = _key(text, targets)
        with self._lock:
            packed = self._held.get(key)
            if packed is None:
                return None
            self._held.move_to_end(key)
        found: TaggedArticle = pickle.loads(zlib.decompress(packed))
        return found

    def keep(self, tagged: TaggedArticle, targets: Sequence[str]) -> None:
        """Keep a result, and forget those used longest ago if there is no room."""
        key = _key(tagged.text, targets)
        packed = zlib.compress(pickle.dumps(tagged, protocol=pickle.HIGHEST_PROTOCOL), level=1)
        with self._lock:
            self._size += len(packed) - len(self._held.pop(key, b""))
            self._held[key] = packed
            while self._size > self._capacity:
                self._size -= len(self._held.popitem(last=False)[1])


def _key(text: str, targets: Sequence[str]) -> bytes:
    digest = blake2b(digest_size=16)
    for part in (text, *targets):
        encoded = part.encode("utf-8")
        digest.update(b"%d:" % len(encoded) + encoded)
    return digest.digest()
