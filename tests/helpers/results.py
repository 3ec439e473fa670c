"""Make up results of tagging, for tests of programs that process the results of many articles."""

import json
from pathlib import Path

from claimstance.inference.results import Label, Sentence, Stance, TaggedArticle
from claimstance.model.article.spans import Attribution, Entity, Span

MODEL = {"name": "made-up", "version": "1.0", "sha256": "0" * 64}


def tagged(
    doc_id="a1",
    says=(),
    stances=(),
    people=(),
    things=(),
    model=MODEL,
    title=None,
    warnings=(),
    **meta,
):
    """Return a tagged article with a sentence for each statement, each stance and each entity.

    Args:
        doc_id: its id.
        says: statements: the source and its content, or the source alone; ``None`` for a source without a name.
        stances: holder, target, and optionally the label and true if the model abstains.
        people: entities that are people.
        things: entities that are not.
        model: the model.
        title: its title.
        warnings: its warnings.
        meta: its metadata.
    """
    builder = _Builder()
    for statement in says:
        source, *content = statement if isinstance(statement, tuple) else (statement,)
        builder.add_statement(source, *content)
    for stance in stances:
        builder.add_stance(*stance)
    for label, names in (("PERSON", people), ("ORGANIZATION", things)):
        for name in names:
            builder.add_entity(name, label)
    return TaggedArticle(
        doc_id, title, builder.text, model, builder.sentences, [], list(warnings), dict(meta)
    )


def write_results(path, *articles):
    """Write articles as ``tag --format jsonl`` does, and return the path."""
    path = Path(path)
    lines = [json.dumps(article.to_dict(), ensure_ascii=False) + "\n" for article in articles]
    path.write_text("".join(lines), encoding="utf-8")
    return path


class _Builder:
    """Put an article together, sentence by sentence."""

    def __init__(self):
        self.text = ""
        self.sentences = []

    def add_statement(self, source, content="all is well"):
        start = len(self.text)
        speaker = source or "Someone"
        sentence = self._begin(f"{speaker} said {content}.", is_claim=True)
        source_span = self._span(start, speaker, name=source)
        cue_span = self._span(start + len(speaker) + 1, "said")
        content_span = self._span(start + len(speaker) + 6, content)
        attribution = Attribution(source_span, cue_span, content_span, 0.75)
        sentence.attributions.append(attribution)

    def add_stance(self, holder, target, label="against", abstained=False):
        start = len(self.text)
        subject = holder or "It"
        sentence = self._begin(f"{subject} judges {target}.")
        sentence.stances.append(
            Stance(
                holder,
                target,
                label,
                0.5,
                {label: 0.5},
                sentence.index,
                self._span(start, holder) if holder else None,
                self._span(start + len(subject) + 8, target),
                abstained,
            )
        )

    def add_entity(self, name, label):
        start = len(self.text)
        sentence = self._begin(f"{name} came.")
        sentence.entities.append(Entity(start, start + len(name), name, label, 0.9))

    def _begin(self, text, is_claim=False):
        start = len(self.text)
        label = "claim" if is_claim else "no_claim"
        claim = Label(label, 0.9, {label: 0.9})
        sentence = Sentence(
            len(self.sentences), start, start + len(text), text, claim, None, [], []
        )
        self.text += f"{text} "
        self.sentences.append(sentence)
        return sentence

    def _span(self, start, text, name=None):
        end = start + len(text)
        return Span(start, end, text, ((start, end),), name)
