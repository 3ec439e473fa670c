"""Test the pipeline component in spaCy itself."""

import json
import shutil
import subprocess
import sys
from unittest.mock import Mock

import pytest

from claimstance.inference import Tagger
from claimstance.inference.articles.sources import Article
from claimstance.inference.results import Sentence, Stance
from claimstance.model.article.spans import Attribution, Entity
from claimstance.model.errors import ModelError
from helpers import pages
from helpers.paths import ROOT
from helpers.program import TEXT
from helpers.tiny import script

spacy = pytest.importorskip("spacy")
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:spacy", "ignore::DeprecationWarning:thinc"
)

TEXTS = [TEXT, "", "Critics 🚢 blamed him for the delay.\r\n\r\nHe said: “No.”", "Rain fell.   "]


def pipeline(model, **config):
    nlp = spacy.blank("en")
    nlp.add_pipe("claimstance", config={"model": model, "threads": 1, **config})
    return nlp


@pytest.fixture
def tagged_doc():
    """Return a document that a scripted model has tagged, so that its spans are known."""
    nlp = spacy.blank("en")
    component = nlp.add_pipe("claimstance", config={"targets": ["harbour tax", "rail"]})
    component._tagger, _ = script(
        "He said that the harbour tax is theft. Critics blamed him for the delay."
    )
    return nlp("He said that the harbour tax is theft. Critics blamed him for the delay.")


def group(doc, kind):
    return [(span.text, span.label_) for span in doc.spans[f"claimstance_{kind}"]]


def test_results_are_spans_of_the_document(tagged_doc):
    assert group(tagged_doc, "sentences") == [
        ("He said that the harbour tax is theft.", "claim"),
        ("Critics blamed him for the delay.", "no_claim"),
    ]
    assert group(tagged_doc, "sources") == [("He", "source"), ("Critics", "source")]
    assert group(tagged_doc, "cues") == [("said", "cue"), ("blamed", "cue")]
    assert [text for text, _ in group(tagged_doc, "contents")] == ["harbour tax is theft"]
    assert ("harbour tax", "favor") in group(tagged_doc, "stances")
    # A stance on a target that is not mentioned has the span of its sentence.
    assert ("Critics blamed him for the delay.", "favor") in group(tagged_doc, "stances")
    article = tagged_doc._.claimstance
    for kind, result_type in (
        ("sentences", Sentence),
        ("sources", Attribution),
        ("stances", Stance),
    ):
        for span in tagged_doc.spans[f"claimstance_{kind}"]:
            assert isinstance(span._.claimstance, result_type)
    assert (
        tagged_doc.spans["claimstance_sources"][1]._.claimstance
        == article.sentences[1].attributions[0]
    )
    assert [s._.claimstance for s in tagged_doc.spans["claimstance_stances"]] == article.stances
    assert tagged_doc[0:2]._.claimstance is None


def test_neutral_stances_are_listed_on_request(model):
    nlp = pipeline(model, neutral=True)
    expected = Tagger.from_pretrained(model, 1).tag(TEXTS[0], neutral=True).stances
    assert nlp(TEXTS[0])._.claimstance.stances == expected
    copy = pipeline(model)
    copy.get_pipe("claimstance").from_bytes(nlp.get_pipe("claimstance").to_bytes())
    assert copy.get_pipe("claimstance").neutral


def test_the_resolved_name_is_the_kb_id_of_the_source():
    nlp = spacy.blank("en")
    component = nlp.add_pipe("claimstance")
    component._tagger, _ = script()
    doc = nlp("Senator Carl Amsel spoke on Monday. He said that the harbour tax is theft.")
    assert [(s.text, s.kb_id_) for s in doc.spans["claimstance_sources"]] == [("He", "Carl Amsel")]
    assert group(doc, "entities") == [("Carl Amsel", "PERSON")]
    assert isinstance(doc.spans["claimstance_entities"][0]._.claimstance, Entity)


def test_spans_are_widened_to_tokens():
    nlp = spacy.blank("en")
    component = nlp.add_pipe("claimstance")
    component._tagger, _ = script("x (He) said so")
    nlp.tokenizer = spacy.tokenizer.Tokenizer(nlp.vocab)  # by white space alone
    doc = nlp("(He) said so")
    assert group(doc, "sources") == [("(He)", "source")]
    assert doc._.claimstance.sentences[0].attributions[0].source.text == "He"


@pytest.mark.parametrize("targets", [[], ["Carl Amsel", "rail"]])
def test_results_equal_those_of_the_tagger(model, targets):
    nlp = pipeline(model, targets=targets)
    tagger = Tagger.from_pretrained(model, 1)
    expected = list(tagger.tag_all((Article("", text) for text in TEXTS), targets))
    docs = list(nlp.pipe(TEXTS, batch_size=2))
    assert [doc._.claimstance for doc in docs] == expected
    assert [nlp(text)._.claimstance for text in TEXTS] == expected
    for doc, article in zip(docs, expected, strict=True):
        stances = [span._.claimstance for span in doc.spans["claimstance_stances"]]
        assert stances == article.stances
        for span, sentence in zip(
            doc.spans["claimstance_sentences"], article.sentences, strict=True
        ):
            assert span._.claimstance == sentence
            assert span.start_char <= sentence.start < sentence.end <= span.end_char


def test_few_documents_are_pending_at_a_time(model):
    nlp = pipeline(model)
    drawn = []

    def docs():
        for number in range(30):
            drawn.append(number)
            yield TEXT

    first = next(iter(nlp.pipe(docs(), batch_size=1)))
    assert first._.claimstance.sentences
    assert len(drawn) < 10


def test_results_are_serialized_with_the_document(tagged_doc):
    from spacy.tokens import Doc, DocBin

    box = DocBin(store_user_data=True)
    box.add(tagged_doc)
    from_box = next(DocBin().from_bytes(box.to_bytes()).get_docs(tagged_doc.vocab))
    for copy in (Doc(tagged_doc.vocab).from_bytes(tagged_doc.to_bytes()), from_box):
        assert copy._.claimstance == tagged_doc._.claimstance
        assert [
            span._.claimstance for span in copy.spans["claimstance_stances"]
        ] == tagged_doc._.claimstance.stances


def test_a_saved_pipeline_includes_its_model(model, tmp_path):
    model_folder = tmp_path / "mine"
    shutil.copytree(model, model_folder)
    nlp = pipeline(str(model_folder), targets=["rail"])
    nlp.get_pipe("claimstance").targets.append("Carl Amsel")
    expected = nlp(TEXT)._.claimstance
    nlp.to_disk(tmp_path / "pipeline")
    shutil.rmtree(model_folder)
    loaded = spacy.load(tmp_path / "pipeline")
    assert loaded(TEXT)._.claimstance == expected
    loaded.to_disk(tmp_path / "pipeline")  # onto itself
    assert spacy.load(tmp_path / "pipeline")(TEXT)._.claimstance == expected


def test_the_bundled_model_is_not_copied_but_its_sha256_is_checked(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("claimstance", config={"targets": ["rail"]})
    nlp.to_disk(tmp_path / "pipeline")
    assert [path.name for path in (tmp_path / "pipeline" / "claimstance").iterdir()] == [
        "settings.json"
    ]
    assert spacy.load(tmp_path / "pipeline").get_pipe("claimstance").targets == ["rail"]
    settings = tmp_path / "pipeline" / "claimstance" / "settings.json"
    settings.write_text(
        json.dumps({**json.loads(settings.read_bytes()), "sha256": "f" * 64}), encoding="utf-8"
    )
    with pytest.raises(
        ModelError,
        match="expected the model with the sha256 ffffffffffff…, with which the pipeline",
    ):
        spacy.load(tmp_path / "pipeline")("Rain fell.")


def test_a_pipeline_is_restored_from_bytes(model):
    nlp = pipeline(model, targets=["rail"])
    copy = spacy.blank("en")
    copy.add_pipe("claimstance")
    copy.from_bytes(nlp.to_bytes())
    assert copy(TEXT)._.claimstance == nlp(TEXT)._.claimstance


def test_a_missing_model_is_an_error_of_one_line():
    with pytest.raises(ModelError, match="gone: expected a model folder, found nothing"):
        pipeline("gone")("Rain fell.")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="processes are forked on Linux")
def test_several_processes_give_the_same_results(model):
    """Check that forked processes encode even after the first use: they have none of the encoder's threads."""
    program = f"""
import spacy
nlp = spacy.blank("en")
nlp.add_pipe("claimstance", config={{"model": {model!r}, "threads": 2}})
texts = ["He said that the tax is theft. Critics blamed him."] * 6
alone = [doc._.claimstance for doc in nlp.pipe(texts)]
forked = [doc._.claimstance for doc in nlp.pipe(texts, n_process=2, batch_size=2)]
print(alone == forked, len(forked))
"""
    completed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        cwd=ROOT / "tests",
    )
    assert completed.stdout == "True 6\n"


def test_a_stance_may_have_its_holder_in_another_sentence():
    text = "“The dam leaks. Go home,” Ann Lee said."
    holder, dam = pages.span(text, "Ann Lee", "Ann Lee"), pages.span(text, "The dam")
    mention = pages.stance(0, "Ann Lee", "The dam", "against", holder=holder, target=dam)
    topic = pages.stance(0, "Ann Lee", "floods", "against", holder=holder)
    article = pages.tagged(
        text, ["“The dam leaks.", "Go home,” Ann Lee said."], stances=[mention, topic]
    )
    nlp = spacy.blank("en")
    component = nlp.add_pipe("claimstance")
    component._tagger = Mock(tag_all=lambda articles, *_, **__: [article for _ in articles])
    doc = nlp(text)
    assert group(doc, "stances") == [("The dam", "against"), ("“The dam leaks.", "against")]
    assert doc.spans["claimstance_stances"][0]._.claimstance.holder_span == holder
