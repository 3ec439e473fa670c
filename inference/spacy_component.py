"""The pipeline component ``claimstance`` for spaCy: claims, attributions and stances as spans of a ``Doc``.

.. code-block:: python

    nlp = spacy.blank("en")
    nlp.add_pipe("claimstance", config={"targets": ["Orvane"]})
    doc = nlp(text)

``doc._.claimstance`` is the tagged article. Span groups (``doc.spans``) have its parts, each widened to whole tokens:

- ``claimstance_sentences``, under the label of their claim;
- ``claimstance_sources``, ``_cues`` and ``_contents``; a source's ``kb_id_`` is the name of who it is, where known;
- ``claimstance_entities``, under their labels;
- ``claimstance_stances``, under theirs: where the target is mentioned, or else the sentence.

``span._.claimstance`` gives what such a span stands for: the ``Sentence``, ``Attribution``, ``Entity`` or ``Stance``.
All of it goes with the document: to bytes, into a ``DocBin`` with ``store_user_data``, to other processes.
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
from claimstance.inference.results import Attribution, Entity, Sentence, Stance, TaggedArticle
from claimstance.inference.tagger import Tagger
from claimstance.model.errors import ClaimstanceError, ModelError
from claimstance.model.io.hub import FILES
from claimstance.model.labels import ROLES
from claimstance.model.onnx.backend import identity, model_folder
from claimstance.model.onnx.manifest import check_files

NAME = "claimstance"
KINDS = ("sentences", *(f"{role}s" for role in ROLES), "entities", "stances")
_MEANINGS = {
    "sentences": Sentence,
    "attributions": Attribution,
    "entities": Entity,
    "stances": Stance,
}
_SETTINGS_FILE = "settings.json"
_MODEL_FOLDER = "model"


class Component:
    """Tags documents. ``targets`` may be changed at any time.

    The model is loaded when the first document comes, so that a pipeline that was saved on another machine can be
    read before it is told where its model is here.
    """

    def __init__(self, model: str | None, targets: Sequence[str], threads: int | None) -> None:
        self.model = model
        self.targets = list(targets)
        self.threads = threads
        self._sha256: str | None = None  # of the model that the pipeline was saved with
        self._tagger: Tagger | None = None

    @property
    def tagger(self) -> Tagger:
        """What tags.

        Raises:
            ModelError: if there is no such model, or another than the pipeline was saved with.
        """
        if self._tagger is None:
            tagger = Tagger.from_pretrained(self.model, self.threads)
            if self._sha256 not in (None, tagger.model["sha256"]):
                raise ModelError(
                    f"{self.model or 'the bundled model'}: expected the model with the sha256 "
                    f"{str(self._sha256)[:12]}…, with which the pipeline was saved, found "
                    f"{tagger.model['sha256'][:12]}…"
                )
            self._tagger = tagger
        return self._tagger

    def __call__(self, doc: Doc) -> Doc:
        """Tag a document."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int | None = None) -> Iterator[Doc]:
        """Tag documents, in order: the encoder reads the next ones meanwhile, whatever ``batch_size`` is."""
        waiting: deque[Doc] = deque()

        def articles() -> Iterator[Article]:
            for doc in stream:
                waiting.append(doc)
                yield Article("", doc.text)

        for article in self.tagger.tag_all(articles(), self.targets):
            doc = waiting.popleft()
            if isinstance(article, ClaimstanceError):
                raise article
            yield _annotated(doc, article)

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """The settings, and the sha256 of the model, which itself is not among them: it has to be there, too."""
        folder = model_folder(self.model)
        check_files(folder)
        return json.dumps(
            {
                "model": self.model,
                "targets": self.targets,
                "threads": self.threads,
                "sha256": identity(folder),
            }
        ).encode()

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> "Component":
        """Take what ``to_bytes`` gave."""
        settings = json.loads(data)
        self.model, self.targets, self.threads = (
            settings[key] for key in ("model", "targets", "threads")
        )
        self._sha256, self._tagger = settings["sha256"], None
        return self

    def to_disk(self, path: Path | str, *, exclude: Iterable[str] = ()) -> None:
        """Write the settings into a folder, and the model beside them, unless it is the bundled one."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _SETTINGS_FILE).write_bytes(self.to_bytes())
        source, copy = model_folder(self.model), folder / _MODEL_FOLDER
        if self.model is not None and source.resolve() != copy.resolve():
            copy.mkdir(exist_ok=True)
            for name in FILES:
                if (source / name).is_file():
                    shutil.copyfile(source / name, copy / name)

    def from_disk(self, path: Path | str, *, exclude: Iterable[str] = ()) -> "Component":
        """Read what ``to_disk`` wrote; the model is the one beside the settings, if there is one."""
        self.from_bytes(Path(path, _SETTINGS_FILE).read_bytes())
        if self.model is not None:
            self.model = str(Path(path, _MODEL_FOLDER))
        return self


@Language.factory(
    NAME,
    default_config={"model": None, "targets": [], "threads": None},
    assigns=["doc.spans", f"doc._.{NAME}", f"span._.{NAME}"],
)
def create(
    nlp: Language, name: str, model: str | None, targets: list[str], threads: int | None
) -> Component:
    """The component, for ``nlp.add_pipe``.

    Args:
        nlp: the pipeline.
        name: of the component in it.
        model: a model's folder, or its name on the Hugging Face hub; the bundled model if ``None``.
        targets: whom or what stances are wanted on; the entities of each sentence if there are none.
        threads: how many windows are encoded at a time; as many as there are cores if ``None``.
    """
    return Component(model, targets, threads)


def _annotated(doc: Doc, article: TaggedArticle) -> Doc:
    # As plain values, which is what spaCy can write.
    doc.user_data[NAME] = asdict(article)
    groups: dict[str, list[Span]] = {kind: [] for kind in KINDS}

    def add(kind: str, start: int, end: int, label: str, place: str, known: str = "") -> None:
        span = doc.char_span(
            start, end, label=label, kb_id=known, span_id=place, alignment_mode="expand"
        )
        if span is not None:
            groups[kind].append(span)

    for sentence in article.sentences:
        at = f"sentences.{sentence.index}"
        add(
            "sentences",
            sentence.start,
            sentence.end,
            sentence.claim.label if sentence.claim else "",
            at,
        )
        for number, attribution in enumerate(sentence.attributions or ()):
            for role in ROLES:
                if (part := getattr(attribution, role)) is not None:
                    place = f"{at}.attributions.{number}"
                    add(f"{role}s", part.start, part.end, role, place, part.name or "")
        for number, entity in enumerate(sentence.entities or ()):
            add("entities", entity.start, entity.end, entity.label, f"{at}.entities.{number}")
        for number, stance in enumerate(sentence.stances):
            there = stance.target_span or sentence
            add("stances", there.start, there.end, stance.label, f"{at}.stances.{number}")
    for kind, spans in groups.items():
        doc.spans[f"{NAME}_{kind}"] = spans
    return doc


@cache
def _reader(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _article_of(doc: Doc) -> TaggedArticle | None:
    plain = doc.user_data.get(NAME)
    return None if plain is None else _reader(TaggedArticle).validate_python(plain)


def _meaning_of(span: Span) -> "Sentence | Attribution | Entity | Stance | None":
    """What a span stands for; its id tells where that is in the article: ``sentences.3.attributions.0``."""
    found: Any = span.doc.user_data.get(NAME)
    if found is None or not span.id_.startswith("sentences."):
        return None
    *_, kind, _ = steps = span.id_.split(".")
    for step in steps:
        found = found[int(step) if step.isdecimal() else step]
    return _reader(_MEANINGS[kind]).validate_python(found)  # type: ignore[no-any-return]


Doc.set_extension(NAME, getter=_article_of, force=True)
Span.set_extension(NAME, getter=_meaning_of, force=True)
