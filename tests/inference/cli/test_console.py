"""Test help, completion, colours, progress and verbosity of the command line."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import typer

from claimstance.inference.cli.console import print_message
from claimstance.inference.cli.main import app
from claimstance.model.onnx.backend import model_sha256
from helpers.program import PROGRAM, ROOT, TEXT, write
from helpers.tiny import exported

COMMANDS = {
    command.name or command.callback.__name__: command.callback
    for command in app.registered_commands
}
terminal = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")


def run_on_terminal(*arguments, **environment):
    """Return the output of a command on a terminal of 120 columns."""
    import pty

    master, slave = pty.openpty()
    inherited = {
        key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")
    }
    process = subprocess.Popen(
        [*PROGRAM, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=slave,
        env={**inherited, "TERM": "xterm-256color", "COLUMNS": "120", **environment},
    )
    os.close(slave)
    output = b""
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        output += chunk
    os.close(master)
    process.wait()
    return output.decode()


def test_version_is_printed(run):
    assert run("--version").out == f"claimstance {metadata.version('claimstance')}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_of_the_help_stay_on_one_line(run, name):
    example = next(
        line.strip() for line in COMMANDS[name].__doc__.splitlines() if "Example:" in line
    )
    assert f"  {example}\n" in run(name, "--help").out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_states_its_default(name):
    command = typer.main.get_command(app).get_command(None, name)
    phrases = ("if not given", "(several times)")
    for option in command.params:
        if option.param_type_name != "option" or option.is_flag:
            continue
        if option.default is not None:
            assert option.show_default, option.name
        elif not option.required:
            assert any(phrase in option.help for phrase in phrases), option.name


@terminal
@pytest.mark.skipif(not shutil.which("bash"), reason="no bash")
@pytest.mark.parametrize(
    ("words", "completions"),
    [
        ("ta", ["tag"]),
        ("e", ["evaluate", "export"]),
        ("tag --form", ["--format"]),
        ("tag --format lab", ["labelstudio"]),
        ("build --by ", ["document", "outlet", "date", "target"]),
    ],
)
def test_bash_completes_commands_and_options(words, completions):
    program = Path(sys.executable).with_name("claimstance")
    if not program.exists():
        pytest.skip("the program is not installed as a script")
    count = len(words.split(" "))
    script = f"""
        source <("{program}" --show-completion bash)
        COMP_WORDS=(claimstance {words}); COMP_CWORD={count}
        _claimstance_completion "{program}"
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    environment = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.split() == completions


@terminal
def test_a_terminal_shows_colours_unless_no_color_is_set(workdir, tiny_encoder):
    model = str(exported(tiny_encoder, stance=("against", "favor")))  # both labels have a colour
    assert run_on_terminal("tag", "gone.txt").startswith("\x1b[")
    assert run_on_terminal("tag", "gone.txt", NO_COLOR="1").startswith("error: ")
    write("a.txt", TEXT)
    call = ("tag", "a.txt", "--model", model, "--show", "-t", "tax", "-t", "Amsel")
    label_colours = ("\x1b[31m", "\x1b[32m")  # against, favor
    coloured, plain = (run_on_terminal(*call, NO_COLOR=value) for value in ("", "1"))
    assert any(code in coloured for code in label_colours)
    assert not any(code in plain for code in label_colours)


def test_a_pipe_receives_no_colours(workdir):
    done = subprocess.run([*PROGRAM, "tag", "gone.txt"], capture_output=True, check=False)
    assert done.stderr == b"error: INPUT: 'gone.txt' does not exist\n".replace(
        b"\n", os.linesep.encode()
    )


@terminal
def test_progress_bar_shows_rate_and_remaining_time(workdir, model):
    for name in "abc":
        write(f"in/{name}.txt", TEXT)
    output = run_on_terminal("tag", "in", "--model", model, "--out", "t.jsonl")
    assert "3/3" in output
    assert "/s" in output
    assert "left" in output
    assert run_on_terminal("--quiet", "tag", "in", "--model", model, "--out", "u.jsonl") == ""
    assert Path("u.jsonl").read_bytes() == Path("t.jsonl").read_bytes()


def test_verbose_logs_progress_without_a_terminal(run, model, monkeypatch):
    monkeypatch.setattr("claimstance.inference.cli.console.PROGRESS_INTERVAL", 0.0)
    for name in "abc":
        write(f"in/{name}.txt", TEXT)
    messages = run("--verbose", "tag", "in", "--model", model, "--out", "t.jsonl").messages
    assert re.fullmatch(r"info: tagging with \S+: 3 of 3, \d+\.\d/s, 0 min left", messages[-1])
    assert run("tag", "in", "--model", model, "--out", "u.jsonl").messages == []


def test_quiet_shows_only_errors(run, model):
    write("in/a.txt", "")
    write("in/b.pptx", "x")
    write("in/c.txt", "x\0")
    done = run("tag", "in", "--model", model)
    kinds = [message.partition(":")[0] for message in done.messages]
    assert kinds == ["warning", "warning", "error", "error"]
    quiet = run("-q", "tag", "in", "--model", model)
    quiet_kinds = [message.partition(":")[0] for message in quiet.messages]
    assert (quiet.code, quiet_kinds) == (1, ["error", "error"])
    rejected = run("--verbose", "--quiet", "info")
    assert (rejected.code, rejected.messages) == (
        2,
        ["error: expected --verbose or --quiet, found both"],
    )


def test_info_shows_versions_extras_and_model(run, model):
    output = run("info").out
    assert model_sha256(ROOT / "model/bundled/base") in output
    config = json.loads((ROOT / "model/bundled/base/config.json").read_bytes())
    assert f"claimstance-mpnet {config['version']} (base)" in output
    lines = {}
    for line in output.splitlines():
        if "│" in line:
            _, key, value, *_ = line.split("│")
            lines[key.strip()] = value.strip()
    assert lines["claimstance"] == metadata.version("claimstance")
    assert lines["threads"].split()[0].isdecimal()
    assert lines["card"].startswith(str(ROOT)[:20])
    installed, missing = (lines[key].split(", ") for key in ("extras installed", "other extras"))
    assert {"train", "scale", "spacy", "serve"} <= {*installed, *missing}
    assert not {*installed} & {*missing}
    assert "card" in run("info", "--model", model).out


def test_warning_is_printed_once_if_a_library_configures_the_root_logger():
    code = (
        "import logging; from claimstance.inference.cli.console import configure_logging; logging.basicConfig();"
        "configure_logging(False); logging.getLogger('claimstance.training').warning('the dikes are low')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "warning: the dikes are low\n"


@pytest.mark.parametrize("kind", ["error", "warning"])
def test_messages_stay_on_one_line_and_escape_control_characters(capsys, kind):
    print_message("a\nerror: forged\x1b[2J.txt: gone", kind)
    assert capsys.readouterr().err == f"{kind}: a\\nerror: forged\\x1b[2J.txt: gone\n"


def test_a_table_escapes_control_characters_of_an_article(run, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("Lena \x1b[31mOrr said that\nthe dam was unsafe.", encoding="utf-8")
    output = run("tag", str(path), "--show").out
    assert "\x1b" not in output
    assert "\\x1b" in output
