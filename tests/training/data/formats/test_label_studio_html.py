"""Test Label Studio exports whose texts are HTML."""

import json

import pytest

from claimstance.model.errors import InputError
from claimstance.training.data.formats import read_file
from helpers.data.label_studio import one_task


def html_region(name, label, start, end, text, **fields):
    return {
        "id": name,
        "from_name": "span",
        "to_name": "text",
        "type": "hypertextlabels",
        "value": {
            "start": "/div[1]/p[1]/text()[1]",
            "end": "/div[1]/p[1]/text()[1]",
            "startOffset": 0,
            "endOffset": end - start,
            "globalOffsets": {"start": start, "end": end},
            "text": text,
            "hypertextlabels": [label],
            **fields,
        },
    }


def html_task(folder, html, displayed, *words, unit=len):
    """Write a task whose regions are words of the displayed text, and return its path."""
    regions = []
    for number, (label, text) in enumerate(words):
        start = unit(displayed[: displayed.index(text)])
        regions.append(html_region(str(number), label, start, start + unit(text), text))
    return one_task(folder, regions, {"text": html})


SAID = (("Source", "Ida Holm"), ("Cue", "said"), ("Content", "the ferry sank"))


@pytest.mark.parametrize(
    ("html", "displayed"),
    [
        ("<p>Ida Holm said the ferry sank.</p>", "Ida Holm said the ferry sank."),
        ("Ida <b>Holm</b> <i>said</i> the ferry sank.", "Ida Holm said the ferry sank."),
        (
            "Tea &amp; rain. Ida&#32;Holm said the ferry sank.",
            "Tea & rain. Ida Holm said the ferry sank.",
        ),
        ("<h1>Rain</h1><p>Ida Holm said the ferry sank.</p>", "RainIda Holm said the ferry sank."),
        ("Rain.<br>Ida Holm said<br/>the ferry sank.", "Rain.\nIda Holm said\nthe ferry sank."),
        (
            "<div>\n<p>Sun.</p>\n<p>Ida Holm said the ferry sank.</p></div>",
            "\nSun.\nIda Holm said the ferry sank.",
        ),
        (
            "<!-- no --><p class='a>b'>Ida Holm said the ferry sank.",
            "Ida Holm said the ferry sank.",
        ),
        ("Ida Holm said the ferry sank.", "Ida Holm said the ferry sank."),
    ],
)
def test_offsets_of_html_regions_count_in_the_displayed_text(tmp_path, html, displayed):
    words = [(label, text.replace("said the", "said\nthe")) for label, text in SAID]
    records = list(read_file(html_task(tmp_path, html, displayed, *words)))
    (record,) = [record for record in records if record.attributions]
    (attribution,) = record.attributions
    covered = [
        record.text[slice(*span[0])]
        for span in (attribution.source, attribution.cue, attribution.content)
    ]
    assert covered == [text for _, text in SAID]
    assert "<" not in "".join(record.text for record in records)


def test_a_sentence_ends_where_a_block_does(tmp_path):
    html = (
        "<h1>Ferry sinks</h1><p>Ida Holm said the ferry sank.</p><ul><li>Sun</li><li>Rain</li></ul>"
    )
    path = html_task(tmp_path, html, "Ferry sinksIda Holm said the ferry sank.SunRain", *SAID)
    texts = [record.text for record in read_file(path)]
    assert texts == ["Ferry sinks", "Ida Holm said the ferry sank.", "Sun", "Rain"]


def test_html_in_utf16_units_and_with_crlf(tmp_path):
    html = "<p>🚢 Rain.</p>\r\n<p>Ida Holm said the ferry sank.</p>"
    displayed = "🚢 Rain.\r\nIda Holm said the ferry sank."
    path = html_task(
        tmp_path, html, displayed, *SAID, unit=lambda text: len(text.encode("utf-16-le")) // 2
    )
    assert len(list(read_file(path))) == 2
    path = html_task(tmp_path, html, displayed.replace("\r\n", "\n"), *SAID)
    assert len(list(read_file(path))) == 2


def test_html_that_displays_another_text_is_refused(tmp_path):
    path = html_task(tmp_path, "<p>Ida Holm denied it.</p>", "Ida Holm said the ferry sank.", *SAID)
    with pytest.raises(InputError, match="expected 'said' at 9-13, as the file says, found 'deni'"):
        list(read_file(path))


def test_html_regions_without_offsets_in_the_text_are_refused(tmp_path):
    region = html_region("1", "Source", 0, 8, "Ida Holm")
    del region["value"]["globalOffsets"]
    with pytest.raises(
        InputError, match="expected 'globalOffsets' of a region in HyperText, found"
    ):
        list(read_file(one_task(tmp_path, [region], {"text": "<p>Ida Holm left.</p>"})))


def test_html_in_json_min(tmp_path):
    value = {
        "start": "/p[1]/text()[1]",
        "globalOffsets": {"start": 0, "end": 8},
        "text": "Ida Holm",
    }
    row = {"id": 1, "text": "<p>Ida Holm left.</p>", "annotator": 1, "annotation_id": 1}
    row["span"] = [{**value, "hypertextlabels": ["Source"]}]
    path = tmp_path / "min.json"
    path.write_text(json.dumps([row]), encoding="utf-8")
    (record,) = read_file(path)
    assert (record.text, record.attributions[0].source) == ("Ida Holm left.", [(0, 8)])
