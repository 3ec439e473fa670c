"""The pipeline component ``claimstance`` for spaCy: claims, attributions and stances as spans of a ``Doc``.

.. code-block:: python

    nlp = spacy.blank("en")
    nlp.add_pipe("claimstance", config={"targets": ["Orvane"]})
    doc = nlp(text)

``doc._.claimstance`` is the tagged article. Its results are in span groups (``doc.spans``), widened to whole tokens:

- ``claimstance_sentences``, labelled with their claim;
- ``claimstance_sources``, ``_cues`` and ``_contents``; a source's ``kb_id_`` is its resolved name, if there is one;
- ``claimstance_entities``, labelled with their type;
- ``claimstance_stances``, labelled with the stance: the mention of the target, or else the sentence.

``span._.claimstance`` is the ``Sentence``, ``Attribution``, ``Entity`` or ``Stance`` of such a span.
All of it is saved with the document: as bytes, in a ``DocBin`` with ``store_user_data``, to other processes.
"""

import json
import shutil
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from spacy.language import Language
from spacy.tokens import Doc, Span

from claimstance.inference.articles.sources import Article
from claimstance.inference.results import Sentence, Stance, TaggedArticle
from claimstance.inference.tagger import Tagger
from claimstance.model.article.spans import Attribution, Entity
from claimstance.model.bundled import BUNDLED_MODELS, DEFAULT_MODEL
from claimstance.model.errors import ClaimstanceError, ModelError
from claimstance.model.io.hub import FILES
from claimstance.model.labels import ROLES
from claimstance.model.onnx.backend import model_folder, model_sha256
from claimstance.model.onnx.manifest import check_files

NAME = "claimstance"
KINDS = ("sentences", *(f"{role}s" for role in ROLES), "entities", "stances")
_RESULT_TYPES = {
    "sentences": Sentence,
    "attributions": Attribution,
    "entities": Entity,
    "stances": Stance,
}
_SETTINGS_FILE = "settings.json"
_MODEL_FOLDER = "model"


class Component:
    """Tag documents in a pipeline. ``targets`` and ``neutral`` may be changed at any time.

    The model is loaded with the first document, so that a pipeline that was saved on another machine
    can be read before ``model`` is set to the path on this one.
    """

    def __init__(
        self,
        model: str | None,
        targets: Sequence[str],
        threads: int | None,
        neutral: bool = False,
    ) -> None:
        self.model = model
        self.targets = list(targets)
        self.neutral = neutral
        self.threads = threads
        self._sha256: str | None = None  # of the model that the pipeline was saved with
        self._tagger: Tagger | None = None

    @property
    def tagger(self) -> Tagger:
        """Return the tagger, and load its model at the first use.

        Raises:
            ModelError: if the model is not found, or is not the one the pipeline was saved with.
        """
        if self._tagger is None:
            tagger = Tagger.from_pretrained(self.model, self.threads)
            if self._sha256 not in (None, tagger.model["sha256"]):
                raise ModelError(
                    f"{self.model or DEFAULT_MODEL}: expected the model with the sha256 "
                    f"{str(self._sha256)[:12]}…, with which the pipeline was saved, found "
                    f"{tagger.model['sha256'][:12]}…"
                )
            self._tagger = tagger
        return self._tagger

    def __call__(self, doc: Doc) -> Doc:
        """Tag a document."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int | None = None) -> Iterator[Doc]:
        """Tag documents, in order; the encoder is always a few documents ahead, whatever ``batch_size`` is."""
        pending: deque[Doc] = deque()

        def articles() -> Iterator[Article]:
            for doc in stream:
                pending.append(doc)
                yield Article("", doc.text)

        for article in self.tagger.tag_all(articles(), self.targets, neutral=self.neutral):
            doc = pending.popleft()
            if isinstance(article, ClaimstanceError):
                raise article
            yield _annotate(doc, article)

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Return the settings and the sha256 of the model, but not the model itself."""
        folder = model_folder(self.model)
        check_files(folder)
        return json.dumps(
            {
                "model": self.model,
                "targets": self.targets,
                "threads": self.threads,
                "neutral": self.neutral,
                "sha256": model_sha256(folder),
            }
        ).encode()

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> "Component":
        """Load the settings from ``to_bytes``."""
        settings = json.loads(data)
        self.model = settings["model"]
        self.targets = settings["targets"]
        self.threads = settings["threads"]
        self.neutral = settings.get("neutral", False)  # older pipelines have none
        self._sha256 = settings["sha256"]
        self._tagger = None
        return self

    def to_disk(self, path: Path | str, *, exclude: Iterable[str] = ()) -> None:
        """Write the settings into a folder, and the model beside them, unless it is a bundled one."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _SETTINGS_FILE).write_bytes(self.to_bytes())
        source = model_folder(self.model)
        copy = folder / _MODEL_FOLDER
        if source not in BUNDLED_MODELS.values() and source.resolve() != copy.resolve():
            copy.mkdir(exist_ok=True)
            for name in FILES:
                if (source / name).is_file():
                    shutil.copyfile(source / name, copy / name)

    def from_disk(self, path: Path | str, *, exclude: Iterable[str] = ()) -> "Component":
        """Load the settings from a folder of ``to_disk``, with the model that is beside them."""
        self.from_bytes(Path(path, _SETTINGS_FILE).read_bytes())
        if self.model is not None and self.model not in BUNDLED_MODELS:
            self.model = str(Path(path, _MODEL_FOLDER))
        return self


@Language.factory(
    NAME,
    default_config={"model": None, "targets": [], "threads": None, "neutral": False},
    assigns=["doc.spans", f"doc._.{NAME}", f"span._.{NAME}"],
)
def create(
    nlp: Language,
    name: str,
    model: str | None,
    targets: list[str],
    threads: int | None,
    neutral: bool,
) -> Component:
    """Return the component, for ``nlp.add_pipe``.

    Args:
        nlp: the pipeline.
        name: the component's name in the pipeline.
        model: ``small`` or ``base``, a model's folder, or its name on the Hugging Face hub; ``base``
            if ``None``.
        targets: names or topics to score stances on; the entities of each sentence if empty.
        threads: the number of windows encoded at a time; the number of cores if ``None``.
        neutral: whether stances that take no side are listed for entities, too.
    """
    return Component(model, targets, threads, neutral)


def _annotate(doc: Doc, article: TaggedArticle) -> Doc:
    """Add a tagged article to a document: as plain values, and as groups of spans.

    The id of a span is the path of its result in the plain values: ``sentences.3.attributions.0``.
    """
    # Plain values, since spaCy cannot write dataclasses to bytes.
    doc.user_data[NAME] = asdict(article)
    groups: dict[str, list[Span]] = {kind: [] for kind in KINDS}

    def add(kind: str, start: int, end: int, label: str, path: str, name: str = "") -> None:
        span = doc.char_span(
            start, end, label=label, kb_id=name, span_id=path, alignment_mode="expand"
        )
        if span is not None:
            groups[kind].append(span)

    for sentence in article.sentences:
        path = f"sentences.{sentence.index}"
        claim = sentence.claim.label if sentence.claim else ""
        add("sentences", sentence.start, sentence.end, claim, path)
        for number, attribution in enumerate(sentence.attributions or ()):
            for role in ROLES:
                span = getattr(attribution, role)
                if span is not None:
                    attribution_path = f"{path}.attributions.{number}"
                    add(f"{role}s", span.start, span.end, role, attribution_path, span.name or "")
        for number, entity in enumerate(sentence.entities or ()):
            add("entities", entity.start, entity.end, entity.label, f"{path}.entities.{number}")
        for number, stance in enumerate(sentence.stances):
            span = stance.target_span or sentence
            add("stances", span.start, span.end, stance.label, f"{path}.stances.{number}")
    for kind, spans in groups.items():
        doc.spans[f"{NAME}_{kind}"] = spans
    return doc


@cache
def _adapter(result_type: Any) -> TypeAdapter[Any]:
    return TypeAdapter(result_type)


def _tagged_article(doc: Doc) -> TaggedArticle | None:
    """Return the tagged article of a document; ``None`` if it was not tagged."""
    plain = doc.user_data.get(NAME)
    return None if plain is None else _adapter(TaggedArticle).validate_python(plain)


def _result_of(span: Span) -> "Sentence | Attribution | Entity | Stance | None":
    """Return the result of a span by the path in its id; ``None`` for a span of another component."""
    plain: Any = span.doc.user_data.get(NAME)
    if plain is None or not span.id_.startswith("sentences."):
        return None
    steps = span.id_.split(".")
    for step in steps:
        key = int(step) if step.isdecimal() else step
        plain = plain[key]
    kind = steps[-2]
    return _adapter(_RESULT_TYPES[kind]).validate_python(plain)  # type: ignore[no-any-return]


Doc.set_extension(NAME, getter=_tagged_article, force=True)
Span.set_extension(NAME, getter=_result_of, force=True)
