"""The git-ignored folder bench/.work: the peers' environment, the compiled load generators, data and logs."""

import platform
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench"
WORK = BENCH / ".work"
LOADS = ("fanout", "requests")
PEERS = {
    "flask-socketio": "Flask-SocketIO",
    "gevent": "gevent",
    "gevent-websocket": "gevent-websocket",
    "flask": "Flask",
    "sqlalchemy": "SQLAlchemy",
    "psycopg": "psycopg",
    "waitress": "waitress",
    "uvloop": "uvloop",
}


class NotReadyError(Exception):
    """The bench cannot set itself up here; the message says what is missing."""


def set_up() -> None:
    """Makes what is not there yet or no longer as it should be. Raises NotReadyError."""
    if not sys.platform.startswith("linux"):
        raise NotReadyError("needs Linux: it reads /proc and pins processes to cores")
    WORK.mkdir(exist_ok=True)
    for folder in ("data", "logs"):
        shutil.rmtree(WORK / folder, ignore_errors=True)
        (WORK / folder).mkdir()
    compile_loads()
    install_peers()


def compile_loads() -> None:
    compiler = next((path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)
    if not compiler:
        raise NotReadyError("needs a C compiler (Debian and Ubuntu: apt install gcc libc6-dev)")
    for name in LOADS:
        source, binary = BENCH / "load" / f"{name}.c", WORK / name
        newest = max(path.stat().st_mtime for path in (source, source.with_name("common.h")))
        if not binary.exists() or binary.stat().st_mtime < newest:
            done = subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-o", binary, source], check=False)
            if done.returncode:
                raise NotReadyError(f"bench/load/{name}.c does not compile")


def peer_versions() -> str:
    """What the peers are made of, as it is pinned."""
    pinned = dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", (BENCH / "requirements.txt").read_text(), re.MULTILINE))
    return ", ".join(f"{name} {pinned[shown]}" for shown, name in PEERS.items())


def peers_python() -> Path:
    return WORK / "venv" / "bin" / "python"


def install_peers() -> None:
    """Into an environment with the Python that ours runs on. The stamp in it says that everything is installed."""
    wanted, stamp = BENCH / "requirements.txt", WORK / "venv" / "installed.txt"
    installed = f"# Python {platform.python_version()}\n{wanted.read_text()}"
    if stamp.exists() and stamp.read_text() == installed:
        return
    print("bin/bench: installing the peers, once …", file=sys.stderr)
    venv.create(WORK / "venv", with_pip=True, clear=True, symlinks=True)
    pip = [str(peers_python()), "-I", "-m", "pip", "install", "-qq", "--no-input", "--disable-pip-version-check"]
    done = subprocess.run([*pip, "--require-hashes", "-r", str(wanted)], check=False)
    if done.returncode:
        raise NotReadyError("could not install bench/requirements.txt. Is this machine online?")
    stamp.write_text(installed)
