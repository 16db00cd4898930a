"""The house stays as ARCHITECTURE.md draws it, and nothing of one machine is left lying in it."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "flask_chat"

# Put together from pieces, or this file would find itself.
LEFTOVERS = re.compile("TO" + "DO|FIX" + "ME|XX" + "X|NotImplemented" + "Error")
MACHINE = re.compile("/(ro" + "ot|wo" + "rk|ho" + "me|Us" + "ers)/|[.]py" + "env/")
REGISTRY = re.compile("--(extra-)?index" + "-url|--find" + "-links|/sim" + "ple/|python" + "hosted")

LINES = {".py": 400, ".js": 300, ".css": 300, ".html": 300}


def kept_files() -> list[Path]:
    """Every file that git keeps, or would keep if it were added."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is not a clone: nobody can say which files belong to it")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = [ROOT / os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
    return [path for path in paths if path.is_file()]


def kept_texts() -> list[tuple[Path, str]]:
    texts = []
    for path in kept_files():
        content = path.read_bytes()
        if b"\0" not in content:
            texts.append((path.relative_to(ROOT), content.decode()))
    return texts


def found(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()[:100]}"
        for path, text in kept_texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_the_import_table_holds(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == 0, capsys.readouterr().out


def test_every_file_of_the_source_is_short_enough_to_be_one_noun() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path in SOURCE.rglob("*")
        if path.suffix in LINES and (lines := len(path.read_text().splitlines())) > LINES[path.suffix]
    ]
    assert not long


def test_nothing_is_left_for_later() -> None:
    assert not found(LEFTOVERS)


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    assert not found(MACHINE)


def test_no_file_names_a_package_registry() -> None:
    assert not found(REGISTRY)


def test_nothing_that_is_made_is_kept() -> None:
    made = [path for path in kept_files() if {"__pycache__", ".venv", "node_modules"} & set(path.parts)]
    assert not made
    assert not [path for path in kept_files() if path.suffix in {".pyc", ".db", ".key", ".log"}]


@pytest.mark.parametrize(
    "command",
    [*(path for path in (ROOT / "bin").iterdir() if not path.name.startswith(("_", "."))), ROOT / ".ci" / "run"],
    ids=lambda path: path.name,
)
def test_every_command_can_be_run_and_stops_at_the_first_error(command: Path) -> None:
    assert os.access(command, os.X_OK)
    first, *lines = command.read_text().splitlines()
    assert first.startswith("#!/usr/bin/env ")
    assert "python" in first or "set -euo pipefail" in lines


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_everything_that_is_asked_for_is_pinned(name: str) -> None:
    asked = re.findall(r"^[\w-]+", (ROOT / f"{name}.in").read_text(), re.MULTILINE)
    pinned = re.findall(r"^([\w-]+)==\S+.* \\\n    --hash=sha256:", (ROOT / f"{name}.txt").read_text(), re.MULTILINE)
    assert {package for package in asked if not package.startswith("-")} <= set(pinned)


def test_what_runs_the_tests_runs_the_same_versions_of_the_chat() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^[\w-]+==\S+", (ROOT / name).read_text(), re.MULTILINE))

    assert pins("requirements.txt") <= pins("requirements-dev.txt")
