"""Checks of the articles of a corpus against each other, whose findings are warnings."""

from collections import Counter
from hashlib import blake2b

from claimstance.inference.results import TaggedArticle
from claimstance.model.errors import plural

_SHOWN_FIELDS = 8
_MODEL_KEYS = ("name", "version", "sha256")
_Model = tuple[str, str, str]  # the values of these keys


class ConsistencyChecks:
    """Find articles that come twice, models that differ, and metadata that is missing or not understood.

    A few hashes for each article are all that stays in memory.
    """

    def __init__(self) -> None:
        self._doc_ids: set[bytes] = set()
        self._texts: set[bytes] = set()
        self._articles: set[bytes] = set()
        self._models: Counter[_Model] = Counter()
        self._counts: Counter[str] = Counter()
        self._bad_date = ""
        self._fields: dict[str, None] = {}

    @property
    def models(self) -> list[dict[str, str]]:
        """Return the models in order of appearance, each with ``name``, ``version`` and ``sha256``."""
        return [dict(zip(_MODEL_KEYS, model, strict=True)) for model in self._models]

    def is_repeated(self, article: TaggedArticle) -> bool:
        """Return whether an article with the same id and the same text came before, and record it."""
        # Hashes take a few bytes, where the texts of a corpus would fill the memory.
        text = digest(article.text)
        doc_id = digest(article.doc_id)
        id_and_text = digest(article.doc_id, article.text)
        if id_and_text in self._articles:
            self._counts["repeated"] += 1
            return True
        if doc_id in self._doc_ids:
            self._counts["other text"] += 1
        elif text in self._texts:
            self._counts["other id"] += 1
        self._articles.add(id_and_text)
        self._doc_ids.add(doc_id)
        self._texts.add(text)
        return False

    def record(self, article: TaggedArticle, day: str | None) -> None:
        """Record the model and the metadata of an article that is kept; ``day`` is the date as understood."""
        name, version, sha256 = (article.model.get(key, "") for key in _MODEL_KEYS)
        self._models[name, version, sha256] += 1
        self._counts["articles"] += 1
        value = article.meta.get("date")
        if day is not None:
            self._counts["dated"] += 1
        elif value not in (None, ""):
            self._counts["bad date"] += 1
            if not self._bad_date:
                self._bad_date = f"{str(value)[:40]!r} of '{article.doc_id}'"
        if article.meta.get("outlet"):
            self._counts["outlet"] += 1
        for field in article.meta:
            if len(self._fields) < _SHOWN_FIELDS:
                self._fields[field] = None

    def warnings(self) -> list[str]:
        """Return the findings, one sentence or two each."""
        counts = self._counts
        warnings = []
        if len(self._models) > 1:
            models = []
            for (name, version, sha256), count in self._models.items():
                models.append(f"{name} {version} ({sha256[:12]}; {plural(count, 'article')})")
            warnings.append(
                f"the articles were tagged by {len(models)} models, whose figures do not compare: "
                f"{', '.join(models)}"
            )
        if counts["repeated"]:
            warnings.append(
                f"{plural(counts['repeated'], 'article')} came twice, with the same text and id (doc_id), "
                "and counted once"
            )
        if counts["other text"]:
            warnings.append(
                f"{plural(counts['other text'], 'article')} had the id (doc_id) of an earlier article but another "
                "text, and counted as well"
            )
        if counts["other id"]:
            warnings.append(
                f"{plural(counts['other id'], 'article')} had the text of an earlier article under another id "
                "(doc_id), and counted as well"
            )
        if counts["bad date"]:
            warnings.append(
                f"{plural(counts['bad date'], 'article')} had a date that was not understood, such as "
                f"{self._bad_date}: expected a day such as 2016-05-09 or May 9, 2016"
            )
        elif counts["articles"] and not counts["dated"]:
            warnings.append(
                f"no article has a date: expected the field 'date' in meta, {self._metadata_in_words()}"
            )
        if counts["articles"] and not counts["outlet"]:
            warnings.append(
                f"no article has an outlet: expected the field 'outlet' in meta, {self._metadata_in_words()}"
            )
        return warnings

    def _metadata_in_words(self) -> str:
        """Return the names of the metadata that the articles have, for a warning about those they lack."""
        fields = ", ".join(f"'{field}'" for field in self._fields)
        return f"found {fields or 'no fields'}"


def digest(*texts: str, size: int = 16) -> bytes:
    """Return a hash of texts with ``size`` bytes; half of a surrogate pair is hashed, too."""
    text_hash = blake2b(digest_size=size)
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        # The length separates the texts: "ab" and "c" have another hash than "a" and "bc".
        text_hash.update(len(data).to_bytes(8, "big") + data)
    return text_hash.digest()
