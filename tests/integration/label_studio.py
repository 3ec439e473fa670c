"""Test with Label Studio itself: import tagged articles, correct them as an annotator would, and `build` the export.

Import a sample as well, code it, and correct the shares of the results with each kind of export.

    make integration

The server keeps everything in a temporary folder, listens on loopback alone, and makes no calls to other machines. This
is not part of `make test`, since its environment takes a gigabyte.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from claimstance.inference.corpus.sampling.population import read_population
from claimstance.inference.corpus.sampling.sheets import read_labelled
from claimstance.model.record import Record
from claimstance.training.data.dataset import load_records, split_names
from claimstance.training.data.formats import read_file

ROOT = Path(__file__).resolve().parents[2]
CLAIMSTANCE = (sys.executable, "-c", "from claimstance.inference.cli.main import main; main()")
ARTICLES = [
    ROOT / "seeds/demo.txt",
    *(ROOT / f"seeds/articles/{name}.txt" for name in ("port-strike", "sable-dam")),
]
TOKEN = (
    "0123456789abcdef0123456789abcdef01234567"  # of a server that lives for a minute, on loopback
)
STARTS_WITHIN = 300  # seconds
#: Turn off statistics, checks for newer versions and error reports.
QUIET = {
    "COLLECT_ANALYTICS": "false",
    "LATEST_VERSION_CHECK": "false",
    "SENTRY_DSN": "",
    "FRONTEND_SENTRY_DSN": "",
    "SENTRY_RATE": "0",
    "FRONTEND_SENTRY_RATE": "0",
    "DJANGO_DB": "sqlite",
}


class Server:
    """Call a running Label Studio."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}"

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        """Call the API; return the decoded response."""
        return json.loads(self._answer(method, path, body))

    def export(self, project: int, kind: str) -> bytes:
        """Return the export of a project, as a file of a kind."""
        path = f"/api/projects/{project}/export?exportType={kind}"
        return self._answer("GET", path)

    def _answer(self, method: str, path: str, body: Any = None) -> bytes:
        request = urllib.request.Request(
            self._base + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Token {TOKEN}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                content: bytes = response.read()
                return content
        except urllib.error.HTTPError as error:
            sys.exit(
                f"{method} {path}: {error.code}: {error.read().decode(errors='replace')[:2000]}"
            )


@contextmanager
def label_studio(program: str, folder: Path) -> Iterator[Server]:
    """Run a Label Studio that keeps its files in ``folder``."""
    with socket.socket() as port_finder:
        port_finder.bind(("127.0.0.1", 0))
        port = port_finder.getsockname()[1]
    home = {
        name: str(folder) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")
    }
    log = folder / "server.log"
    command = [
        program,
        "start",
        "--no-browser",
        "--internal-host",
        "127.0.0.1",
        "--port",
        str(port),
        "--data-dir",
        str(folder / "data"),
        "--username",
        "anna@example.org",
        "--password",
        "only-on-loopback-1",
        "--user-token",
        TOKEN,
        "--enable-legacy-api-token",
    ]
    with (
        log.open("wb") as log_file,
        subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **QUIET, **home},
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            _wait(process, port, log)
            yield Server(port)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    ends = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < ends and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    sys.exit(
        f"Label Studio did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}"
    )


def claimstance(*arguments: Any) -> None:
    """Call the program, which writes its results to files."""
    print("claimstance", *(str(a).removeprefix(f"{ROOT}/") for a in arguments), flush=True)
    subprocess.run(
        [*CLAIMSTANCE, *map(str, arguments)], check=True, timeout=300, stdout=subprocess.DEVNULL
    )


def records(dataset: Path) -> dict[str, Record]:
    """Return the sentences of all splits of a built dataset by their ids."""
    return {
        record.id: record
        for split in split_names(dataset)
        for record in load_records(dataset, split)
    }


def as_suggested(tasks: list[dict[str, Any]], file: Path) -> dict[str, Record]:
    """Return the records that `build` would read if all suggestions were accepted."""
    accepted = [
        {"id": n, "data": task["data"], "annotations": task["predictions"]}
        for n, task in enumerate(tasks)
    ]
    file.write_text(json.dumps(accepted), encoding="utf-8")
    return {record.id: record for record in read_file(file)}


def is_side(result: dict[str, Any]) -> bool:
    """Return whether a result is a stance of a source that takes a side."""
    return result["type"] == "relation" and result["labels"][0] in ("favor", "against")


def corrected(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the results with three corrections.

    The first sentence's claim is inverted, the first source of several words loses its first word, and the first
    stance of a source that takes a side becomes neutral.
    """
    results = json.loads(json.dumps(results))
    claim = next(r for r in results if r.get("from_name") == "claim")["value"]
    claim["choices"] = ["no_claim" if claim["choices"] == ["claim"] else "claim"]
    source = next(
        r["value"]
        for r in results
        if r.get("value", {}).get("labels") == ["Source"] and " " in r["value"]["text"]
    )
    source["text"] = source["text"].partition(" ")[2]
    source["start"] = source["end"] - len(source["text"])
    stance = next(filter(is_side, results))
    stance["labels"] = ["neutral"]
    return results


def check(built: dict[str, Record], suggested: dict[str, Record], doc_id: str) -> None:
    """Check that the dataset differs from the suggestions in the three corrections and in nothing else."""
    assert built.keys() == suggested.keys()
    claims, sources, stances = [], [], []
    for name, record in built.items():
        suggestion = suggested[name]
        claims += [(name, record.claim)] * (record.claim != suggestion.claim)
        sources += [
            (old.source, new.source)
            for old, new in zip(
                suggestion.attributions or (), record.attributions or (), strict=True
            )
            if old != new
        ]
        stances += [
            (old.label, new.label)
            for old, new in zip(suggestion.stances or (), record.stances or (), strict=True)
            if old.label != new.label
        ]
        assert record.entities == suggestion.entities, name
        assert record.check_worthy == suggestion.check_worthy, name
    first = suggested[f"{doc_id}:0"].claim
    assert claims == [(f"{doc_id}:0", "no_claim" if first == "claim" else "claim")], claims
    assert sources, "the corrected source is not there"
    assert all(old[0][0] < new[0][0] and old[-1][1] == new[-1][1] for old, new in sources), sources
    assert len(stances) == 1, stances
    assert stances[0][1] == "neutral", stances


def check_suggestions(server: Server, folder: Path) -> None:
    """Correct suggestions, and build a dataset from the export."""
    claimstance(
        "tag",
        *ARTICLES,
        "--target",
        "Orvane",
        "--target",
        "food prices",
        "--format",
        "labelstudio",
        "--out",
        folder / "tasks.json",
    )
    suggested = json.loads((folder / "tasks.json").read_text(encoding="utf-8"))
    config = (folder / "tasks.xml").read_text(encoding="utf-8")
    project, tasks = create_project(server, config, suggested)
    scores = [task["predictions"][0]["score"] for task in tasks]
    assert scores == sorted(scores), scores
    assert [task["predictions"][0]["result"] for task in tasks] == [
        task["predictions"][0]["result"] for task in suggested
    ]
    chosen = next(task for task in tasks if any(map(is_side, task["predictions"][0]["result"])))
    for task in tasks:
        result = task["predictions"][0]["result"]
        annotate(server, task, corrected(result) if task is chosen else result)
    export = folder / "export.json"
    export.write_bytes(server.export(project, "JSON"))
    claimstance("build", export, "--out", folder / "dataset")
    built = records(folder / "dataset")
    check(built, as_suggested(suggested, folder / "accepted.json"), chosen["data"]["id"])
    print(
        f"{len(tasks)} tasks suggested, one corrected, exported and built: {len(built)} sentences, the three "
        "corrections are there and nothing else has changed"
    )


def check_sample(server: Server, folder: Path) -> None:
    """Code all rows of a sample but the last, and read every kind of export."""
    claimstance("tag", *ARTICLES, "--out", folder / "tagged.jsonl")
    claimstance(
        "sample", folder / "tagged.jsonl", "--rows", "sentences", "-n", 30, "-o", folder / "s.json"
    )
    drawn = json.loads((folder / "s.json").read_text(encoding="utf-8"))
    config = (folder / "s.xml").read_text(encoding="utf-8")
    project, tasks = create_project(server, config, drawn)
    gold = {}
    for task in tasks[:-1]:
        label = gold[task["data"]["unit"]] = task["data"]["model_label"]
        choice = {
            "from_name": "gold",
            "to_name": "text",
            "type": "choices",
            "value": {"choices": [label]},
        }
        annotate(server, task, [choice])
    for kind, suffix in (("JSON", ".json"), ("JSON_MIN", ".json"), ("CSV", ".csv")):
        export = folder / f"{kind}{suffix}"
        export.write_bytes(server.export(project, kind))
        sample = read_labelled(export)
        assert {row.unit: row.gold for row in sample.rows} == gold, kind
        population = read_population([folder / "tagged.jsonl"], sample)
        share = population.corrected_share("claim")
        assert share is not None
        assert share.agreement == 1, share
    print(f"{len(gold)} of {len(tasks)} rows of a sample coded: JSON, JSON_MIN and CSV are read")


def create_project(
    server: Server, config: str, tasks: list[dict[str, Any]]
) -> tuple[int, list[dict[str, Any]]]:
    """Create a project and import its tasks; return its id, and the tasks as the server has them."""
    title = {"title": "claimstance", "label_config": config}
    project = server("POST", "/api/projects", title)["id"]
    taken = server("POST", f"/api/projects/{project}/import", tasks)
    predictions = sum(len(task.get("predictions", ())) for task in tasks)
    assert (taken["task_count"], taken["prediction_count"]) == (len(tasks), predictions), taken
    stored = server("GET", f"/api/tasks?project={project}&fields=all&page_size=100")["tasks"]
    return project, sorted(stored, key=lambda task: task["id"])


def annotate(server: Server, task: dict[str, Any], result: list[dict[str, Any]]) -> None:
    """Submit an annotation of a task."""
    server("POST", f"/api/tasks/{task['id']}/annotations", {"result": result})


def main(program: str) -> None:
    """Run Label Studio, and check suggestions and a sample with it."""
    with (
        tempfile.TemporaryDirectory(prefix="label-studio-") as name,
        label_studio(program, Path(name)) as server,
    ):
        check_suggestions(server, Path(name))
        check_sample(server, Path(name))


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).resolve()))
