"""WebAnno TSV 3.2 and 3.3: a document of one annotator, as INCEpTION and WebAnno export it.

The annotations of span and chain layers are marks. The label of a mark is, in this order:

1. the first feature whose value is *source*, *target* or another kind of span (``roles`` may say so);
2. the last part of the layer's name, if that is a kind of span;
3. the feature ``value``;
4. the first feature with a value;
5. the last part of the layer's name.

All other features are attributes. Relations, the links of chains, and slots are relations. Offsets count UTF-16 code
units, as the format prescribes.

DKPro's layers of words (lemma, part of speech, dependency, …) are left out and counted, because no task needs them.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from claimstance.model.errors import InputError, shorten
from claimstance.training.data.documents.document import Document, LeftOut
from claimstance.training.data.documents.format import Format, Item, Layout
from claimstance.training.data.documents.roles import roles_of
from claimstance.training.data.formats.webanno.annotations import Annotations
from claimstance.training.data.formats.webanno.lines import (
    FORMAT_LINE,
    WebAnnoSentence,
    read,
    unescape,
    utf16_length,
)

_WORD_LAYER = re.compile(
    r"de\.tudarmstadt\.ukp\.dkpro\.core\.api\.(lexmorph|segmentation|syntax|transform)\."
)
#: Folders of an exported project, whose files are ``FOLDER/DOCUMENT/ANNOTATOR.tsv``.
_EXPORT_FOLDERS = ("annotation", "annotation_ser", "curation")


def items(path: Path) -> Iterator[Item]:
    """Yield the document of a file."""
    layers, sentences = read(path)
    name = path.parent.name if _is_in_export(path) else path.stem
    yield Item(str(path), name, (path, layers, sentences))


def _is_in_export(path: Path) -> bool:
    """Return whether a file lies where an exported project has it."""
    return path.parent.parent.name in _EXPORT_FOLDERS


def parse(item: Item, layout: Layout) -> Iterator[Document | LeftOut]:
    """Yield the document of a file, and the layers of words that are left out.

    Raises:
        InputError: naming the line, what was expected and what was found.
    """
    path, all_layers, sentences = item.data
    text, bounds = _join_sentences(sentences)
    tokens = [token for sentence in sentences for token in sentence.tokens]
    layers = []
    for layer in all_layers:
        if _WORD_LAYER.match(layer.name):
            yield LeftOut(f"layer of words ({layer.short})")
        else:
            layers.append(layer)

    annotations = Annotations(all_layers, tokens)
    for token in tokens:
        for layer in layers:
            annotations.add_spans(layer, token)
    # A relation may point to a later token, so that all spans come first.
    for token in tokens:
        for layer in layers:
            annotations.add_relations(layer, token)
    annotations.add_chains()

    roles = roles_of(layout)
    yield Document(
        name=item.name,
        text=text,
        where=item.where,
        annotator=path.stem if _is_in_export(path) else None,
        marks=[span.to_mark(roles) for span in annotations.spans],
        relations=list(dict.fromkeys(annotations.relations)),
        sentences=bounds,
        unit="UTF-16 code units",
    )


def _join_sentences(sentences: Sequence[WebAnnoSentence]) -> tuple[str, list[tuple[int, int]]]:
    """Return the text of the document, and the bounds of its sentences in code points.

    Raises:
        InputError: if the offsets of a token do not fit the text.
    """
    text = ""
    length = 0  # of the text, in UTF-16 code units
    bounds = []
    for sentence in sentences:
        first_token = sentence.tokens[0]
        gap = first_token.start - length
        if gap < 0:
            raise InputError(
                f"{first_token.where}: expected an offset from {length} on, where the sentence "
                f"before ends, found {first_token.start}"
            )
        # The format does not say what lies between sentences; most often it is a line end.
        if gap and text:
            text += "\n" + " " * (gap - 1)
        else:
            text += " " * gap

        sentence_text = "\n".join(sentence.text_lines)
        encoded = sentence_text.encode("utf-16-le", "surrogatepass")
        for token in sentence.tokens:
            # Each code unit has two bytes.
            start, end = 2 * (token.start - first_token.start), 2 * (token.end - first_token.start)
            surface = encoded[start:end].decode("utf-16-le", "replace")
            has_length = utf16_length(surface) == token.end - token.start
            if not has_length or surface not in (token.word, unescape(token.word)):
                raise InputError(
                    f"{token.where}: expected {shorten(repr(token.word))} at "
                    f"{token.start}-{token.end} of the text, found {shorten(repr(surface))}"
                )

        bounds.append((len(text), len(text) + len(sentence_text)))
        text += sentence_text
        length = first_token.start + utf16_length(sentence_text)
    return text, bounds


def recognise(head: str) -> bool:
    """Return whether the first line names the format."""
    return head.startswith(FORMAT_LINE)


FORMAT = Format("webanno", (".tsv",), recognise, items=items, parse=parse)
