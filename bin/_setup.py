"""Makes .venv, or brings it up to date: `_setup.py ROOT REQUIREMENTS COMMAND`, run by the commands beside it.

A copy of the requirements in .venv says that they are installed. It is taken away first and written last, so an
interrupted installation is never mistaken for a finished one: without any copy the next start begins afresh.
Needs nothing but Python's own library. Exits with 1 and one plain line when it cannot go on.
"""

import fcntl
import shutil
import subprocess
import sys
import venv
from pathlib import Path

EVERYTHING = ("requirements.txt", "requirements-dev.txt")


def main(root: Path, wanted: str, command: str) -> None:
    """Leaves ROOT/.venv with what the file `wanted` pins, and flask_chat importable from ROOT/src."""
    home = root / ".venv"
    home.mkdir(exist_ok=True)
    with open(home / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{command}: another start is setting up .venv: waiting for it …", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished(home):
            print(f"{command}: setting up .venv with Python {sys.version.split()[0]}, once …", file=sys.stderr)
            rebuild(home)
        if not holds(home, root / wanted):
            print(f"{command}: installing {wanted} …", file=sys.stderr)
            install(home, root, wanted)
        path_file(home).write_text(f"{root / 'src'}\n")


def finished(home: Path) -> bool:
    """Whether an installation here once came to its end, and its Python is still there and still the same version."""
    if not any((home / name).exists() for name in EVERYTHING):
        return False
    try:
        return subprocess.run([home / "bin/python", "-I", "-c", "import pip"], capture_output=True).returncode == 0
    except OSError:
        return False


def rebuild(home: Path) -> None:
    for item in home.iterdir():
        if item.is_dir() and not item.is_symlink():
            shutil.rmtree(item)
        elif item.name != ".lock":
            item.unlink()
    venv.create(home, with_pip=True, symlinks=True)


def holds(home: Path, requirements: Path) -> bool:
    stamp = home / requirements.name
    return stamp.exists() and stamp.read_bytes() == requirements.read_bytes()


def install(home: Path, root: Path, wanted: str) -> None:
    for name in EVERYTHING:
        (home / name).unlink(missing_ok=True)
    pip: list[str | Path] = [home / "bin/python", "-I", "-m", "pip", "install", "-qq", "--no-input", "--require-hashes"]
    subprocess.run([*pip, "--disable-pip-version-check", "-r", root / wanted], check=True)
    for name in EVERYTHING[: EVERYTHING.index(wanted) + 1]:  # The longer list contains the shorter one.
        shutil.copyfile(root / name, home / name)


def path_file(home: Path) -> Path:
    """Where Python reads, at every start, that src belongs to its path."""
    return next(home.glob("lib/python3.*/site-packages")) / "flask_chat.pth"


if __name__ == "__main__":
    arguments = sys.argv[1:]
    try:
        main(Path(arguments[0]), arguments[1], arguments[2])
    except subprocess.CalledProcessError:
        sys.exit(
            f"{arguments[2]}: could not install {arguments[1]}. Is this machine online? Then run the command again."
        )
    except OSError as error:
        sys.exit(f"{arguments[2]}: could not set up .venv: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
