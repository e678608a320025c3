"""Files and directories that are nobody else's: the data directory, the database file, the key ring."""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from uuutorrent.errors import Refused


def make_directory(path: Path) -> None:
    """Make a directory, and those above it, for this account only (0700). One that exists stays as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)


def make_file(path: Path) -> None:
    """Make an empty file for this account only (0600). One that exists stays as it is."""
    make_directory(path.parent)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))


def write_once(path: Path, content: bytes, *, mode: int = 0o400) -> bool:
    """Write a whole file that is never written again; False when there was one already, which is left alone.

    Of several processes doing so at once one wins, and no reader ever sees half a file. It is on the disk on return.
    """
    make_directory(path.parent)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    _sync_directory(path.parent)
    return True


def hand_over(directory: Path) -> None:
    """Give what root made in a directory of another account to that account, which could not use it otherwise.

    Only root's files are given away, links are not followed, and a file that has another name elsewhere is left alone:
    that account might have put it there to be given it.
    """
    if os.geteuid() != 0 or not directory.is_dir() or (owner := directory.stat()).st_uid == 0:
        return
    for _, folders, files, at in os.fwalk(directory):
        for name in (*folders, *files):
            found = os.stat(name, dir_fd=at, follow_symlinks=False)
            if found.st_uid == 0 and (stat.S_ISDIR(found.st_mode) or found.st_nlink == 1):
                os.chown(name, owner.st_uid, owner.st_gid, dir_fd=at, follow_symlinks=False)


@contextmanager
def hold(directory: Path) -> Iterator[None]:
    """Keep `hold_alone` away from a directory of ours for as long as we work with it; a kill lets go as well.

    Raises:
        Refused: somebody holds it alone.
    """
    with _held(directory, fcntl.LOCK_SH, "a backup is being put back there: wait until that is done"):
        yield


@contextmanager
def hold_alone(directory: Path) -> Iterator[None]:
    """Have a directory of ours to oneself.

    Raises:
        Refused: somebody works with it.
    """
    with _held(directory, fcntl.LOCK_EX, f"a daemon runs with {directory}: stop it first"):
        yield


@contextmanager
def _held(directory: Path, how: int, refusal: str) -> Iterator[None]:
    make_directory(directory)
    with (directory / "lock").open("w") as file:
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError as e:
            raise Refused(refusal) from e
        yield


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
