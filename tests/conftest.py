"""Share fixtures: a tiny encoder, the seeds as records, and a small trained and exported model."""

import io
import logging
import os
import sys
from contextlib import ExitStack
from types import SimpleNamespace

import chromium
import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from claimstance.model.labels import DEFAULT_LABELS, SUBJECTIVE
from claimstance.model.record import read_jsonl
from claimstance.model.windows import WindowBuilder
from helpers.paths import SEEDS

MAX_TOKENS = 64

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # no test looks a name up on a hub


@pytest.fixture(autouse=True)
def own_log():
    """Reset the log to that of a library, since the test before may have configured it through the command line."""
    log = logging.getLogger("claimstance")
    log.setLevel(logging.NOTSET)
    log.propagate = True
    log.handlers.clear()


@pytest.fixture(scope="session")
def seeds():
    """Return the annotated sentences by article."""
    articles = {}
    for record in read_jsonl(SEEDS / "records.jsonl"):
        articles.setdefault(record.doc_id, []).append(record)
    return articles


@pytest.fixture(scope="session")
def splits(seeds):
    """Return twenty sentences of an article for training, with labels for every task, and twelve of another for dev.

    The seeds have no labels of subjectivity, so sentences with quotation marks are labelled subjective.
    """

    def with_subjectivity(record):
        return record.model_copy(update={"subjective": SUBJECTIVE['"' in record.text]})

    return {
        "train": [with_subjectivity(record) for record in seeds["port-strike"][:20]],
        "dev": [with_subjectivity(record) for record in seeds["mayoral-debate"][:12]],
    }


@pytest.fixture(scope="session")
def tokenizer_json():
    """Return a small WordPiece tokenizer, trained on the seed articles, as JSON."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=500, special_tokens=special, show_progress=False)
    tokenizer.train([str(path) for path in sorted((SEEDS / "articles").glob("*.txt"))], trainer)
    return tokenizer.to_str()


@pytest.fixture(scope="session")
def tiny_encoder(tokenizer_json, tmp_path_factory):
    """Return the folder of a BERT with random weights in the format of Hugging Face, for the setting ``encoder``."""
    import torch
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("encoder")
    vocabulary = Tokenizer.from_str(tokenizer_json).get_vocab_size()
    with torch.random.fork_rng():
        torch.manual_seed(5)
        BertModel(
            BertConfig(
                vocab_size=vocabulary,
                hidden_size=32,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=64,
                max_position_embeddings=128,
            )
        ).save_pretrained(folder)
    (folder / "tokenizer.json").write_text(tokenizer_json, encoding="utf-8")
    return folder


@pytest.fixture
def one_thread():
    """Run torch on one thread, so that sums have one order and runs are equal to the last bit."""
    import torch

    previous_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(previous_threads)


@pytest.fixture(scope="session")
def make_config(tiny_encoder):
    """Return a function that makes configurations for the tiny encoder; ``settings`` are those of ``training``."""
    from claimstance.training.config import Config

    def make(output, *, model=None, **settings):
        return Config.model_validate(
            {
                "name": "tiny",
                "output": output,
                "data": {"path": output / "data"},
                "model": {"encoder": str(tiny_encoder), "max_tokens": MAX_TOKENS, **(model or {})},
                "training": {
                    "epochs": 3,
                    "tokens_per_batch": 256,
                    "learning_rate": 5e-3,
                    "head_learning_rate": 5e-3,
                    "threads": 1,
                    **settings,
                },
            }
        )

    return make


@pytest.fixture(scope="session")
def trained(make_config, splits, tmp_path_factory):
    """Return the folder of a model that was trained on ``splits`` and exported in int8. Tests must not write to it."""
    import torch

    from claimstance.training.fine_tuning.train import train

    previous_threads = torch.get_num_threads()
    folder = train(
        make_config(tmp_path_factory.mktemp("trained") / "model"), splits, DEFAULT_LABELS
    )
    torch.set_num_threads(previous_threads)
    return folder


@pytest.fixture(scope="session")
def words_tokenizer():
    """Return a tokenizer with one token for each run of letters or punctuation, so that tokens are easy to count."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer = Tokenizer(
        models.WordLevel({name: i for i, name in enumerate(special)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer.to_str()


@pytest.fixture
def word_windows(words_tokenizer):
    """Return a function that makes a window builder with one token for each word."""
    return lambda max_tokens=16: WindowBuilder.from_json(words_tokenizer, max_tokens)


@pytest.fixture(scope="session")
def model(tiny_encoder):
    """Return the folder of a model with random weights."""
    from helpers.tiny import exported

    return str(exported(tiny_encoder))


@pytest.fixture
def start(tagger):
    """Return a function that starts a server in this process and returns its client."""
    from starlette.testclient import TestClient

    from claimstance.inference.serving.app import create_app
    from claimstance.inference.serving.settings import Settings

    with ExitStack() as running:
        yield lambda using=tagger, **settings: running.enter_context(
            TestClient(
                create_app(using, Settings(**settings)),
                base_url="http://localhost",
                raise_server_exceptions=False,
            )
        )


@pytest.fixture
def client(start):
    """Return a client of a server in this process."""
    return start()


@pytest.fixture
def workdir(tmp_path, monkeypatch):
    """Change to an empty folder and return it, so that messages contain relative paths."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(workdir, monkeypatch, capfd):
    """Return a function that runs the program in this process and returns its exit code, output and message lines."""
    from claimstance.inference.cli.main import main

    def call(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "argv", ["claimstance", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as exit_info:
            main()
        streams = capfd.readouterr()
        assert "Traceback" not in streams.err
        return SimpleNamespace(
            code=exit_info.value.code or 0, out=streams.out, messages=streams.err.splitlines()
        )

    return call


@pytest.fixture(scope="session")
def tagger(tiny_encoder):
    """Return a tagger whose model has random weights."""
    from claimstance.inference import Tagger
    from helpers.tiny import exported

    return Tagger.from_pretrained(exported(tiny_encoder), threads=1)


@pytest.fixture(scope="session")
def browser():
    """Start Chromium (Debian: ``apt-get install chromium``) with Playwright (extra ``dev``), or skip the test."""
    pytest.importorskip("playwright.sync_api", reason="needs playwright")
    path = chromium.find()
    if path is None:
        pytest.skip(f"needs a browser: found none of {', '.join(chromium.NAMES)}")
    with chromium.running(path) as chromium_browser:
        yield chromium_browser


@pytest.fixture
def open_page(browser, tmp_path):
    """Return a function that opens a page; check afterwards that it logged nothing and requested only itself."""
    contexts, console_messages, requested_urls = [], [], []

    def show(html, width=1200, **options):
        file = tmp_path / "page.html"
        file.write_bytes(html.encode())
        context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: console_messages.append(message.text))
        page.on("pageerror", lambda error: console_messages.append(str(error)))
        page.on("request", lambda request: requested_urls.append(request.url))
        page.goto(file.as_uri())
        return page

    yield show
    for context in contexts:
        context.close()
    assert console_messages == []
    assert set(requested_urls) <= {(tmp_path / "page.html").as_uri()}


@pytest.fixture
def complaints():
    """Return a function that lists axe's accessibility problems on a page.

    The page has to be opened with its content security policy bypassed, since axe is an inline script.
    """
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="needs axe-playwright-python"
    ).Axe()

    def run(page):
        violations = axe.run(page).response["violations"]
        return [
            (violation["id"], violation["impact"], violation["nodes"][0]["html"])
            for violation in violations
        ]

    return run
