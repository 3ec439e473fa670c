"""Test tasks for Label Studio: their suggestions, their order, and that exports equal the tagged article."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from claimstance.inference.results import Label, Sentence, Stance, TaggedArticle
from claimstance.inference.writers.label_studio import certainty, open_tasks, task_json
from claimstance.model.article.spans import Attribution, Entity, Span
from claimstance.model.io.label_studio import labelling_config
from claimstance.model.labels import DEFAULT_LABELS, ROLES, TASKS
from claimstance.training.data.documents.from_records import documents_of, shift
from claimstance.training.data.formats import read_file, recognise
from helpers.pages import span, stance, tagged
from helpers.paths import SEEDS
from helpers.program import TEXT, write
from helpers.tiny import exported, script, scripted

MODEL = {"name": "tiny", "version": "3", "sha256": "0123456789abcdef"}
EMOJI = "Senator Carl Amsel 🚢 said that the tax is theft.\r\nCritics blamed 👩‍🔬 him for “the delay” — again.\n"


def label(name, probability, *other_labels):
    rest = (1 - probability) / len(other_labels)
    return Label(name, probability, {name: probability, **dict.fromkeys(other_labels, rest)})


def article(name, *sentences):
    return TaggedArticle(name, None, "Rain fell. ", MODEL, list(sentences), [])


def write_export(tasks, path):
    """Write the export of Label Studio after an annotator has accepted all suggestions."""
    exported_tasks = [
        {
            "id": n,
            "annotations": [{"completed_by": 1, "result": task["predictions"][0]["result"]}],
            "data": task["data"],
        }
        for n, task in enumerate(tasks, 1)
    ]
    path.write_text(json.dumps(exported_tasks, ensure_ascii=False), encoding="utf-8")
    return path


def characters(text, pieces):
    """Return the offsets of the characters of a span, except spaces, which records lack between sentences."""
    return frozenset(
        i for start, end in pieces or () for i in range(start, end) if not text[i].isspace()
    )


def holder_of(stance, tagged):
    """Return the offsets of a stance's holder; its name if it stands in another sentence, as records have it."""
    span, sentence = stance.holder_span, tagged.sentences[stance.sentence]
    if span is not None and not sentence.start <= span.start < sentence.end:
        return stance.holder
    return characters(tagged.text, span and span.pieces)


def layers_of_article(tagged):
    """Return a tagged article's labels and spans, as sets of offsets in its text."""
    text = tagged.text
    attributions, entities, stances = set(), set(), set()
    for sentence in tagged.sentences:
        for attribution in sentence.attributions:
            spans = [getattr(attribution, role) for role in ROLES]
            attributions.add(tuple(characters(text, span and span.pieces) for span in spans))
        for entity in sentence.entities:
            entities.add((characters(text, [(entity.start, entity.end)]), entity.label))
    for item in tagged.stances:
        span = item.target_span
        target = characters(text, span.pieces) if span else item.target
        stances.add((item.sentence, holder_of(item, tagged), target, item.label))
    return {
        "claims": [sentence.claim.label for sentence in tagged.sentences],
        "worth": [sentence.check_worthy.label for sentence in tagged.sentences],
        "attributions": attributions,
        "entities": entities,
        "stances": stances,
    }


def layers_of_records(records, text):
    """Return the labels and spans of records, as sets of offsets in the text."""
    (layer,) = documents_of(records)[0].layers

    def offsets(record, words_or_pieces):
        if isinstance(words_or_pieces, list):
            return characters(text, shift(words_or_pieces, record.start))
        return words_or_pieces or frozenset()

    attributions, entities, stances = set(), set(), set()
    for roles in layer.attributions():
        attributions.add(tuple(characters(text, roles.get(role)) for role in ROLES))
    for i, record in enumerate(records):
        for entity in record.entities or ():
            entities.add((offsets(record, entity.span), entity.label))
        for item in record.stances or ():
            holder, target = offsets(record, item.holder), offsets(record, item.target)
            stances.add((i, holder, target, item.label))
    return {
        "claims": [record.claim for record in records],
        "worth": [record.check_worthy for record in records],
        "attributions": attributions,
        "entities": entities,
        "stances": stances,
    }


@pytest.mark.parametrize("text", [TEXT, EMOJI, "seed"])
@pytest.mark.parametrize("targets", [(), ("Carl Amsel", "harbour tax", "rail “fares”")])
def test_an_accepted_export_equals_the_tagged_article(tagger, text, targets, tmp_path):
    if text == "seed":
        text = (SEEDS / "articles/port-strike.txt").read_text(encoding="utf-8")
    tagged = tagger.tag(text, targets, doc_id="a", title="Tax", neutral=True)
    records = list(read_file(write_export([task_json(tagged)], tmp_path / "export.json")))
    assert [(r.id, r.doc_id, r.start, r.text) for r in records] == [
        (f"a:{s.index}", "a", s.start, s.text) for s in tagged.sentences
    ]
    assert {r.meta["title"] for r in records} == {"Tax"}
    assert layers_of_records(records, text) == layers_of_article(tagged)
    assert tagged.stances


def test_a_holder_in_another_sentence_is_exported_as_a_name(tmp_path):
    text = '"The tax is theft , " said Amsel . "The harbour is dead . "'
    roles = {"source": "Amsel", "cue": "said", "content": "The tax is theft harbour dead"}
    opinions = {"opinion_target": "tax harbour"}
    tagger, _ = scripted(text, roles, {}, opinions, opinion_spans=True)
    tagged = tagger.tag(text, doc_id="a")
    records = list(read_file(write_export([task_json(tagged)], tmp_path / "e.json")))
    assert [type(stance.holder) for record in records for stance in record.stances] == [list, str]
    assert records[1].stances[0].holder == "Amsel"
    assert layers_of_records(records, text)["stances"] == layers_of_article(tagged)["stances"]


def test_a_source_of_several_attributions_is_one_region(tmp_path):
    tagger, _ = script()
    tagged = tagger.tag(
        "He said that ferries were late. Critics blamed Carl Amsel.",
        ["Carl Amsel", "ferries", "rail"],
    )
    results = task_json(tagged)["predictions"][0]["result"]
    source_regions = [
        r["id"] for r in results if r["type"] == "labels" and r["value"]["labels"] == ["Source"]
    ]
    assert [r["value"]["text"] for r in results if r.get("id") in source_regions] == [
        "He",
        "Critics",
    ]
    relations = [(r["from_id"], r["labels"][0]) for r in results if r["type"] == "relation"]
    assert relations.count((source_regions[0], "favor")) == 2
    typed_targets = {r["value"]["text"][0] for r in results if r["type"] == "textarea"}
    assert typed_targets == {"ferries", "rail"}  # each is missing from one of the sentences
    records = list(read_file(write_export([task_json(tagged)], tmp_path / "e.json")))
    stances = layers_of_records(records, tagged.text)["stances"]
    assert stances == layers_of_article(tagged)["stances"]


QUOTED = "“The bill robs us. Orvane wrote it,” Salt said. House Republicans agree with Orvane."


def quoted_article():
    """Return a quotation whose speaker stands in its second sentence, with a holder who is no source."""
    sentences = ["“The bill robs us.", "Orvane wrote it,” Salt said."]
    sentences.append("House Republicans agree with Orvane.")
    salt = span(QUOTED, "Salt", "Runa Salt")
    republicans = span(QUOTED, "House Republicans", "House Republicans")
    bill, orvane = span(QUOTED, "The bill"), span(QUOTED, "Orvane")
    second_orvane = span(QUOTED, "Orvane", start=orvane.end)
    stances = [
        stance(0, "Runa Salt", "The bill", "against", holder=salt, target=bill),
        stance(0, "Runa Salt", "greed", "against", holder=salt),
        stance(0, None, "The bill", "favor", target=bill),
        stance(1, "Runa Salt", "Orvane", "against", holder=salt, target=orvane),
        stance(2, "House Republicans", "Orvane", "favor", holder=republicans, target=second_orvane),
    ]
    attributions = [(1, "Salt", "Runa Salt", "said", "Orvane wrote it", 0.9)]
    return tagged(QUOTED, sentences, attributions, stances)


def test_stances_of_holders_in_other_sentences_have_their_names(tmp_path):
    records = list(read_file(write_export([task_json(quoted_article())], tmp_path / "e.json")))

    def words(record, words_or_pieces):
        if isinstance(words_or_pieces, list):
            return record.text[slice(*words_or_pieces[0])]
        return words_or_pieces

    stances = [
        f"{words(record, stance.target)}: {words(record, stance.holder)} {stance.label}"
        for record in records
        for stance in record.stances or ()
    ]
    assert sorted(stances) == [
        "Orvane: House Republicans favor",
        "Orvane: Salt against",
        "The bill: None favor",
        "The bill: Runa Salt against",
        "greed: Runa Salt against",
    ]


def test_a_holder_who_is_no_source_has_its_own_region():
    results = task_json(quoted_article())["predictions"][0]["result"]
    regions = [r["value"] for r in results if r["type"] == "labels"]
    assert [r["text"] for r in regions if r["labels"] == ["Holder"]] == ["House Republicans"]
    assert [r["text"] for r in regions if r["labels"] == ["Source"]] == ["Salt"]


def test_certainty_is_the_mean_over_tasks_of_the_distance_from_a_guess():
    sure, guess = label("claim", 0.75, "no_claim"), label("no_claim", 0.5, "claim")
    span = Span(0, 4, "Rain", ((0, 4),))
    stance = Stance(
        None, "rain", "favor", 0.6, label("favor", 0.6, "against", "neutral").probabilities, 0
    )
    first = Sentence(
        0,
        0,
        10,
        "Rain fell.",
        claim=sure,
        attributions=[Attribution(span, None, None, 0.9)],
        entities=[Entity(0, 4, "Rain", "MISC", 0.3)],
        stances=[stance],
    )
    second = Sentence(1, 10, 11, "", claim=guess, attributions=[], entities=[])
    claims, attributions, entities = (0.5 + 0.0) / 2, 0.8, 0.0
    stances = (0.6 - 1 / 3) / (2 / 3)
    mean = (claims + attributions + entities + stances) / 4
    assert certainty(article("a", first, second)) == pytest.approx(mean)
    assert certainty(article("a", Sentence(0, 0, 10, "Rain fell."))) == 1


def test_the_least_certain_articles_come_first_and_empty_ones_are_omitted(tmp_path):
    out = tmp_path / "new" / "tasks.json"
    with open_tasks(out, ("claim",), {"claim": ("no_claim", "claim")}) as tasks:
        for name, probability in (("b", 0.9), ("ünï", 0.6), ("a", 0.8), ("d", 0.6)):
            claim = label("claim", probability, "no_claim")
            tasks.write(article(name, Sentence(0, 0, 10, "Rain fell.", claim=claim)))
        tasks.write(article("empty"))
    written_tasks = json.loads(out.read_text(encoding="utf-8"))
    assert [(t["data"]["id"], t["predictions"][0]["score"]) for t in written_tasks] == [
        ("ünï", 0.2),
        ("d", 0.2),
        ("a", 0.6),
        ("b", 0.8),
    ]
    assert {t["predictions"][0]["model_version"] for t in written_tasks} == {"tiny 3 0123456789ab"}
    assert sorted(p.name for p in out.parent.iterdir()) == ["tasks.json", "tasks.xml"]


def test_a_failure_leaves_no_files(tmp_path):
    with pytest.raises(RuntimeError), open_tasks(tmp_path / "t.json", (), {}):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_the_configuration_has_every_control_and_label_that_tasks_use(run, model):
    write("a.txt", TEXT)
    command = ("tag", "a.txt", "--model", model, "-t", "Carl Amsel", "-t", "rail")
    result = run(*command, "-f", "labelstudio", "-o", "t.json")
    assert (result.code, result.out, result.messages) == (0, "", [])
    view = ElementTree.parse("t.xml").getroot()
    choices = {}
    for control in view.iter("Choices"):
        choices[control.get("name")] = {choice.get("value") for choice in control}
    texts = {c.get("name") for c in view.iter("TextArea")}
    marks = {m.get("value") for m in view.find("Labels")}
    relations = {m.get("value") for m in view.find("Relations")}
    (task,) = json.loads(Path("t.json").read_text(encoding="utf-8"))
    kinds = set()
    for result in task["predictions"][0]["result"]:
        kinds.add(result["type"])
        if result["type"] == "choices":
            assert set(result["value"]["choices"]) <= choices[result["from_name"]]
        elif result["type"] == "labels":
            assert set(result["value"]["labels"]) <= marks
        else:
            assert set(result.get("labels", ())) <= relations
            assert result.get("from_name", "target") in texts
    assert kinds == {"labels", "choices", "relation", "textarea"}
    printed_result = run(*command, "-f", "labelstudio")
    assert printed_result.out == Path("t.json").read_text(encoding="utf-8")


def test_the_configuration_has_custom_labels(tiny_encoder, run):
    folder = exported(tiny_encoder, ("stance",), stance=("con", 'pro "&'))
    write("a.txt", TEXT)
    options = ("-t", "rail", "-f", "labelstudio", "-o", "t.json")
    assert run("tag", "a.txt", "--model", folder, *options).code == 0
    view = ElementTree.parse("t.xml").getroot()
    assert [m.get("value") for m in view.find("Labels")] == ["Sentence", "Holder", "Target"]
    (control,) = view.iter("Choices")
    assert [choice.get("value") for choice in control] == ["con", 'pro "&']


def test_a_configuration_without_stances_has_no_controls_for_them():
    view = ElementTree.fromstring(
        labelling_config(set(TASKS) - {"stance", "entity"}, DEFAULT_LABELS)
    )
    assert [c.get("name") for c in view.iter("Choices")] == ["claim", "check_worthy", "subjective"]
    assert list(view.iter("TextArea")) == []
    assert [m.get("value") for m in view.find("Labels")] == ["Sentence", "Source", "Cue", "Content"]


def test_the_file_name_must_end_in_json(run):
    write("a.txt", TEXT)
    result = run("tag", "a.txt", "-f", "labelstudio", "-o", "t.jsonl")
    assert (result.code, result.messages) == (
        2,
        ["error: --out: expected a name ending in .json for --format labelstudio, found 't.jsonl'"],
    )


def test_an_export_is_recognised_despite_a_long_first_annotation(tagger, tmp_path):
    tagged = tagger.tag(TEXT * 40, doc_id="a")
    path = write_export([task_json(tagged)], tmp_path / "export.json")
    assert path.read_text(encoding="utf-8").index('"data"') > 65_536
    assert recognise(path).name == "labelstudio"
