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
    """The log as a library has it, whatever the command line made of it in the test before."""
    log = logging.getLogger("claimstance")
    log.setLevel(logging.NOTSET)
    log.propagate = True
    log.handlers.clear()


@pytest.fixture(scope="session")
def seeds():
    """Article → its annotated sentences."""
    articles = {}
    for record in read_jsonl(SEEDS / "records.jsonl"):
        articles.setdefault(record.doc_id, []).append(record)
    return articles


@pytest.fixture(scope="session")
def splits(seeds):
    """Twenty sentences of an article to train on, which have labels for every task, and some of another.

    The seeds say nothing of who is subjective: here quotes are.
    """
    found = {"train": seeds["port-strike"][:20], "dev": seeds["mayoral-debate"][:12]}
    return {
        split: [
            record.model_copy(update={"subjective": SUBJECTIVE['"' in record.text]})
            for record in records
        ]
        for split, records in found.items()
    }


@pytest.fixture(scope="session")
def tokenizer_json():
    """A small WordPiece vocabulary, from the seed articles."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=500, special_tokens=special, show_progress=False)
    tokenizer.train([str(path) for path in sorted((SEEDS / "articles").glob("*.txt"))], trainer)
    return tokenizer.to_str()


@pytest.fixture(scope="session")
def tiny_encoder(tokenizer_json, tmp_path_factory):
    """The folder of a BERT with random weights, as Hugging Face has it: what a configuration names as ``encoder``."""
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
    """Torch on one thread: sums in one order, so that runs can be compared to the last bit."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def make_config(tiny_encoder):
    """A configuration that trains the tiny encoder; ``settings`` are those of its section ``training``."""
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
    """The folder of a model that was trained on ``splits`` and exported in int8. Not to be written to."""
    import torch

    from claimstance.training.fine_tuning.train import train

    before = torch.get_num_threads()
    folder = train(
        make_config(tmp_path_factory.mktemp("trained") / "model"), splits, DEFAULT_LABELS
    )
    torch.set_num_threads(before)
    return folder


@pytest.fixture(scope="session")
def words_tokenizer():
    """One token for each run of letters or punctuation: windows that can be counted by hand."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer = Tokenizer(
        models.WordLevel({name: i for i, name in enumerate(special)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer.to_str()


@pytest.fixture
def word_windows(words_tokenizer):
    """A builder of windows of so many tokens, a token for each word."""
    return lambda max_tokens=16: WindowBuilder.from_json(words_tokenizer, max_tokens)


@pytest.fixture(scope="session")
def model(tiny_encoder):
    """The folder of a model with random weights."""
    from helpers.tiny import exported

    return str(exported(tiny_encoder))


@pytest.fixture
def start(tagger):
    """Starts a server, in this process, with these settings; gives a client of it."""
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
    """A client of a server, in this process."""
    return start()


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Change to an empty folder and return it, so that messages contain relative paths."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(here, monkeypatch, capfd):
    """Runs the program in this process: code, what it printed, and the lines of its messages."""
    from claimstance.inference.cli.main import main

    def call(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "argv", ["claimstance", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as end:
            main()
        printed = capfd.readouterr()
        assert "Traceback" not in printed.err
        return SimpleNamespace(
            code=end.value.code or 0, out=printed.out, messages=printed.err.splitlines()
        )

    return call


@pytest.fixture(scope="session")
def tagger(tiny_encoder):
    """A tagger with a model of random weights."""
    from claimstance.inference import Tagger
    from helpers.tiny import exported

    return Tagger.from_pretrained(exported(tiny_encoder), threads=1)


@pytest.fixture(scope="session")
def browser():
    """A Chromium, where there is one (Debian: ``apt-get install chromium``), and Playwright (the extra ``dev``)."""
    pytest.importorskip("playwright.sync_api", reason="needs playwright")
    path = chromium.find()
    if path is None:
        pytest.skip(f"needs a browser: found none of {', '.join(chromium.NAMES)}")
    with chromium.running(path) as started:
        yield started


@pytest.fixture
def open_page(browser, tmp_path):
    """Opens a page of this HTML; at the end nothing may have been complained of or asked for but the page itself."""
    contexts, said, asked = [], [], []

    def show(html, width=1200, **options):
        file = tmp_path / "page.html"
        file.write_bytes(html.encode())
        context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        return page

    yield show
    for context in contexts:
        context.close()
    assert said == []
    assert set(asked) <= {(tmp_path / "page.html").as_uri()}


@pytest.fixture
def complaints():
    """Return a function that lists axe's accessibility problems on a page, which has to bypass its policy, since axe is
    a script of its own.
    """
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="needs axe-playwright-python"
    ).Axe()

    def run(page):
        found = axe.run(page).response["violations"]
        return [(it["id"], it["impact"], it["nodes"][0]["html"]) for it in found]

    return run
