"""The data folder: made for one user, with secrets that are made once."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from flask_chat import datafolder
from flask_chat.config import ConfigError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_is_made_for_this_user_alone_and_left_empty(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "data"
    datafolder.prepare(folder)
    datafolder.prepare(folder)
    assert mode(folder) == 0o700
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"cannot be written to.*--data"):
        datafolder.prepare(tmp_path / "file" / "data")


def test_a_secret_is_made_once_and_for_this_user_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made = datafolder.secret(tmp_path / "secret.key")
    finally:
        os.umask(before)
    assert len(made) >= 43
    assert datafolder.secret(tmp_path / "secret.key") == made
    assert mode(tmp_path / "secret.key") == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_two_chats_have_two_secrets(tmp_path: Path) -> None:
    assert datafolder.secret(tmp_path / "one") != datafolder.secret(tmp_path / "two")


@pytest.mark.parametrize("left", ["", "\n", "  \n"])
def test_a_secret_that_is_empty_is_made_anew(tmp_path: Path, left: str) -> None:
    (tmp_path / "secret.key").write_text(left)
    made = datafolder.secret(tmp_path / "secret.key")
    assert made
    assert (tmp_path / "secret.key").read_text().strip() == made


def test_a_secret_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        datafolder.secret(tmp_path / "secret.key")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("folder", "lost"),
    [
        ("/app/data", True),
        ("/data", False),
        ("/data/chat", False),
        ("/database", True),
        ("/tmp/chat", True),
        ("/mnt/my disk/chat", False),
        ("/srv/ann", False),
    ],
)
def test_a_disk_that_does_not_last_is_recognised(tmp_path: Path, folder: str, lost: bool) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "overlay / overlay rw 0 0\n"
        "/dev/sda1 /data ext4 rw 0 0\n"
        "tmpfs /tmp tmpfs rw 0 0\n"
        "/dev/sdb1 /mnt/my\\040disk ext4 rw 0 0\n"
        "tmpfs /srv tmpfs rw 0 0\n"
        "/dev/sdc1 /srv btrfs rw 0 0\n"
    )
    assert datafolder.fleeting(Path(folder), {}, str(mounts)) is lost


def test_a_dyno_has_no_disk_that_lasts(tmp_path: Path) -> None:
    assert datafolder.fleeting(tmp_path, {"DYNO": "web.1"}, str(tmp_path / "none")) is True


def test_a_system_without_a_list_of_mounts_is_trusted(tmp_path: Path) -> None:
    assert datafolder.fleeting(tmp_path, {}, str(tmp_path / "none")) is False
