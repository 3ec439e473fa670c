"""Check that the seed corpus is sound, since the documentation and other tests rest on it."""

import re
from collections import Counter, defaultdict

import pytest

from claimstance.model.labels import CHECK_WORTHY, CLAIM, ENTITY, STANCE
from claimstance.model.record import read_jsonl
from helpers.paths import SEEDS

ARTICLES = {
    path.stem: path.read_bytes().decode("utf-8")
    for path in sorted((SEEDS / "articles").glob("*.txt"))
}
TASK_FIELDS = ("claim", "check_worthy", "attributions", "entities", "stances")


@pytest.fixture(scope="module")
def records():
    return list(read_jsonl(SEEDS / "records.jsonl"))


@pytest.fixture(scope="module")
def by_article(records):
    articles = defaultdict(list)
    for record in records:
        articles[record.doc_id].append(record)
    return articles


@pytest.fixture(scope="module")
def counts(records):
    attributions = [a for r in records for a in r.attributions]
    stances = [s for r in records for s in r.stances]
    count = {
        "articles": len(ARTICLES),
        "sentences": len(records),
        "attributions": len(attributions),
        "attributions without a source": sum(a.source is None for a in attributions),
        "attributions over several sentences": len({a.event for a in attributions} - {None}),
        "discontinuous contents": sum(
            a.content is not None and len(a.content) > 1 for a in attributions
        ),
        "entities": sum(len(r.entities) for r in records),
        "stances": len(stances),
        "stances of the text itself": sum(s.holder is None for s in stances),
    }
    labels = {
        "claim": [r.claim for r in records],
        "check-worthy": [r.check_worthy for r in records],
        "stance": [s.label for s in stances],
        "entity": [e.label for r in records for e in r.entities],
    }
    for task, task_labels in labels.items():
        count |= {f"{task}: {label}": n for label, n in Counter(task_labels).items()}
    return count


def test_the_corpus_is_large_enough(records):
    assert len(records) >= 250
    assert len(ARTICLES) == 12


def test_every_record_is_annotated_for_every_task(records):
    missing = [(r.id, field) for r in records for field in TASK_FIELDS if getattr(r, field) is None]
    assert missing == []
    assert {r.annotator for r in records} == {"seed"}
    assert all(
        r.meta.keys() == {"corpus", "date", "outlet"} and r.meta["corpus"] == "seeds"
        for r in records
    )


def test_offsets_lead_into_the_articles(records, by_article):
    assert by_article.keys() == ARTICLES.keys()
    wrong = [r.id for r in records if not ARTICLES[r.doc_id].startswith(r.text, r.start)]
    assert wrong == []


@pytest.mark.parametrize("slug", ARTICLES)
def test_sentences_cover_their_article_in_order(slug, by_article):
    end = 0
    for number, record in enumerate(by_article[slug]):
        assert record.id == f"{slug}:{number}"
        assert ARTICLES[slug][end : record.start].strip() == ""
        assert record.text == record.text.strip()
        end = record.start + len(record.text)
    assert ARTICLES[slug][end:] == "\n"


@pytest.mark.parametrize("slug", ARTICLES)
def test_an_article_opens_with_a_headline(slug, by_article):
    headline = by_article[slug][0].text
    assert ARTICLES[slug].startswith(headline + "\n")
    assert headline[-1].isalnum()


def test_every_label_occurs_often(counts):
    names = [f"claim: {n}" for n in CLAIM] + [f"check-worthy: {n}" for n in CHECK_WORTHY]
    names += [f"stance: {n}" for n in STANCE]
    assert {name: counts[name] for name in names if counts[name] < 50} == {}
    assert all(counts[f"entity: {name}"] >= 10 for name in ENTITY)


def test_the_text_itself_takes_every_stance(records):
    labels = Counter(s.label for r in records for s in r.stances if s.holder is None)
    assert all(labels[name] >= 5 for name in STANCE)


def test_a_claim_is_a_sentence_with_attributed_content(records):
    wrong = [
        r.id for r in records if (r.claim == "claim") != any(a.content for a in r.attributions)
    ]
    assert wrong == []


def test_an_attribution_without_a_cue_names_its_event(records):
    loose = [r.id for r in records for a in r.attributions if a.event is None and a.cue is None]
    assert loose == []


def test_an_event_runs_over_neighbouring_sentences_of_one_article(by_article):
    for records in by_article.values():
        events = defaultdict(list)
        for number, record in enumerate(records):
            for attribution in record.attributions:
                if attribution.event is not None:
                    events[attribution.event].append((number, attribution))
        for event, numbered in events.items():
            numbers = [number for number, _ in numbered]
            attributions = [attribution for _, attribution in numbered]
            assert len(numbers) > 1, event
            assert numbers == list(range(numbers[0], numbers[-1] + 1)), event
            assert event.startswith(f"{records[0].doc_id}#")
            assert sum(a.cue is not None for a in attributions) == 1, event
            assert sum(a.source is not None for a in attributions) == 1, event
            assert all(a.content for a in attributions), event


def test_spans_begin_and_end_at_the_bounds_of_words(records):
    for record in records:
        for field, span in record.spans():
            location = (record.id, field)
            for start, end in span:
                surface = record.text[start:end]
                before, after = record.text[:start], record.text[end:]
                assert surface == surface.strip(), location
                assert not re.match(r"\w", after) or not re.search(r"\w$", surface), location
                assert not re.search(r"\w$", before) or not re.match(r"\w", surface), location


def test_pieces_of_a_span_are_in_order_and_apart(records):
    for record in records:
        for field, span in record.spans():
            ends = [position for piece in span for position in piece]
            assert ends == sorted(set(ends)), (record.id, field)


def test_entities_do_not_overlap(records):
    for record in records:
        characters = []
        for entity in record.entities:
            for start, end in entity.span:
                characters += range(start, end)
        assert len(characters) == len(set(characters)), record.id


def test_the_readme_states_the_counts(counts):
    rows = re.findall(
        r"^\| ([^|]+?) \| (\d+) \|$",
        (SEEDS / "README.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert {name: int(value) for name, value in rows} == counts


def test_the_demo_article_is_not_annotated(records):
    demo = (SEEDS / "demo.txt").read_text(encoding="utf-8")
    assert demo.count("\n") > 10
    assert [r.id for r in records if r.text in demo] == []
