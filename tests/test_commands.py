"""The commands in bin/ set themselves up: anywhere, once, and again after whatever went wrong.

They run here in a copy of the checkout that asks for no packages, so that these tests need no network.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAM = "import pathlib, sys; print(pathlib.Path(__file__).parents[2], *sys.argv[1:], sep='|')"


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A checkout that was never started, in a folder whose name has a space."""
    copy = tmp_path / "a copy"
    shutil.copytree(ROOT / "bin", copy / "bin")
    for name in ("requirements.txt", "requirements-dev.txt"):
        (copy / name).write_text("# nothing\n")
    (copy / "src" / "flask_chat").mkdir(parents=True)
    (copy / "src" / "flask_chat" / "__init__.py").touch()
    (copy / "src" / "flask_chat" / "__main__.py").write_text(PROGRAM)
    return copy


def start(checkout: Path, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "bin" / command, *arguments], cwd="/", capture_output=True, text=True, timeout=100, check=False
    )


def test_a_checkout_is_set_up_once_follows_its_folder_and_takes_what_is_new(fresh: Path) -> None:
    first = start(fresh, "serve", "--port", "0")
    assert first.stdout == f"{fresh}|serve|--port|0\n", first.stderr
    assert "setting up .venv" in first.stderr

    second = start(fresh, "flask-chat", "backup", "a file")
    assert second.stdout == f"{fresh}|backup|a file\n"
    assert second.stderr == ""

    moved = fresh.rename(fresh.with_name("moved"))
    for _ in range(2):
        result = start(moved, "serve")
        assert (result.stdout, result.stderr) == (f"{moved}|serve\n", "")

    (moved / "requirements.txt").write_text("# nothing either\n")
    changed = start(moved, "serve")
    assert (changed.stdout, changed.stderr) == (f"{moved}|serve\n", "bin/serve: installing requirements.txt …\n")

    for name in ("python", "python3"):
        (moved / ".venv" / "bin" / name).unlink()
        (moved / ".venv" / "bin" / name).symlink_to("/nowhere/python3")
    result = start(moved, "serve")
    assert result.stdout == f"{moved}|serve\n", result.stderr


def test_an_interrupted_installation_is_begun_afresh(fresh: Path) -> None:
    home = fresh / ".venv"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "python").write_text("half a file")
    result = start(fresh, "serve")
    assert result.stdout == f"{fresh}|serve\n", result.stderr


def test_two_starts_at_once_both_serve(fresh: Path) -> None:
    both = [
        subprocess.Popen([fresh / "bin" / "serve", name], cwd="/", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for name in ("one", "two")
    ]
    said = [process.communicate(timeout=100) for process in both]
    assert sorted(out.decode() for out, _ in said) == [f"{fresh}|serve|one\n", f"{fresh}|serve|two\n"], said


def test_requirements_that_cannot_be_had_are_one_clear_line_and_no_half_start(fresh: Path) -> None:
    (fresh / "requirements.txt").write_text("-r missing.txt\n")
    result = start(fresh, "serve")
    assert result.returncode == 1
    assert result.stdout == ""
    assert "bin/serve: could not install requirements.txt." in result.stderr
    assert "Traceback" not in result.stderr
