"""Take the pictures in ``docs/images/``: the article page of seeds/demo.txt, a report on the seed articles, and an
evaluation on the seed corpus.

    python tools/screenshots.py         # or make screenshots

The bundled model is evaluated on all of seeds/records.jsonl: a picture of what the page shows, no measurement.
"""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import chromium

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
DATASET = f"""\
name: seeds
output: model
data:
  path: data
  sources:
    - files: [{ROOT.as_posix()}/seeds/records.jsonl]
      split: test
"""


def main() -> None:
    """Take all pictures."""
    path = chromium.find()
    if path is None:
        sys.exit(f"error: expected a browser ({', '.join(chromium.NAMES)}), found none")
    IMAGES.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, chromium.running(path) as browser:
        made = Path(folder)
        for name, take, width, height in (
            ("article", _article, 1280, 800),
            ("report", _report, 1180, 1000),
            ("evaluation", _evaluation, 880, 820),
        ):
            page = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme="light"
            )
            take(page, made)
            page.screenshot(path=IMAGES / f"{name}.png")


def _article(page: Any, folder: Path) -> None:
    """Show a text with a source selected: the panel says who speaks, and the stances of the sentence."""
    _claimstance(folder, "tag", ROOT / "seeds" / "demo.txt", "--out", "demo.html")
    page.goto((folder / "demo.html").as_uri())
    page.locator(".prose .m.source", has_text="Salt").nth(1).click()
    _scroll_to(page, "#h-article")


def _report(page: Any, folder: Path) -> None:
    """Show a report on the seed articles, with outlets and dates that they do not have."""
    rows = []
    for number, path in enumerate(sorted((ROOT / "seeds" / "articles").glob("*.txt"))):
        row = {
            "doc_id": path.stem,
            "text": path.read_text(encoding="utf-8"),
            "outlet": ("Harbour Post", "Valley Times")[number % 2],
            "date": f"2016-05-{2 * number + 1:02}",
        }
        rows.append(json.dumps(row) + "\n")
    (folder / "news.jsonl").write_text("".join(rows), encoding="utf-8")
    _claimstance(folder, "tag", "news.jsonl", "--out", "tagged.jsonl", "--report", "report.html")
    page.goto((folder / "report.html").as_uri())


def _evaluation(page: Any, folder: Path) -> None:
    """Show the confusion matrix and the curves of one task."""
    (folder / "seeds.yaml").write_text(DATASET, encoding="utf-8")
    _claimstance(folder, "build", "seeds.yaml")
    _claimstance(folder, "evaluate", "base", "--data", "data", "--out", "evaluation.html")
    page.goto((folder / "evaluation.html").as_uri())
    _scroll_to(page, "#h-t3")


def _scroll_to(page: Any, heading: str) -> None:
    page.locator(heading).evaluate(
        "it => window.scrollTo(0, it.getBoundingClientRect().top + window.scrollY - 16)"
    )


def _claimstance(folder: Path, *arguments: object) -> None:
    program = Path(sys.executable).with_name("claimstance")
    subprocess.run(
        [program, "--quiet", *map(str, arguments)],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    main()
