"""Opens what lies beneath a folder, and nothing else: no symlink is followed, no `..` leads out, no FIFO blocks.

A file that has another name as well (a hard link) may be anything under that name, so whoever wants such files says so.
Linux resolves the whole path itself with `openat2`; where that is missing or forbidden, a walk opens one component
after the other. Every function blocks: call them in a thread. Two of them can be asked not to, and then say EAGAIN
where they would have to: what the kernel has in memory costs no thread.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OPENAT2 = 437
"""The system call's number, the same on every architecture. Source: Linux, include/uapi/asm-generic/unistd.h."""
_RESOLVE = 0x08 | 0x04 | 0x02
"""BENEATH, NO_SYMLINKS, NO_MAGICLINKS. Source: openat2(2)."""
_CACHED = 0x20
"""RESOLVE_CACHED: only by what is in memory. Source: openat2(2), Linux 5.12."""
_NO_XDEV = 0x01
"""RESOLVE_NO_XDEV: what is mounted further below may be anything. Source: openat2(2)."""
_LOCAL = frozenset((0xEF53, 0x58465342, 0x9123683E, 0xF2F52010, 0x2FC12FC1, 0x01021994, 0x794C7630))
"""ext2 to ext4, XFS, Btrfs, F2FS, ZFS, tmpfs, overlayfs. Source: statfs(2)."""
_ABSENT = (errno.ENOSYS, errno.EPERM, errno.EINVAL, errno.E2BIG)
"""How a kernel without `openat2`, or a sandbox that forbids it, answers."""
_RETRIES = 8
_FILE = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK | os.O_NOFOLLOW
_FOLDER = os.O_PATH | os.O_CLOEXEC | os.O_DIRECTORY | os.O_NOFOLLOW
_LOOK = os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW
_HERE = -100
"""AT_FDCWD: paths begin where the process is, or at the root of all. Source: openat(2)."""
_LIBC = ctypes.CDLL(None, use_errno=True)


class _How(ctypes.Structure):
    """Source: openat2(2), struct open_how."""

    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_file(root: Path, path: str, *, hard_links: bool = False, at_once: bool = False) -> int:
    """A descriptor to read the regular file at `path` beneath `root`; the caller closes it.

    `at_once`: do not wait for a disk.

    Raises:
        OSError: there is no such file, the way leads through a symlink or out of `root`, it is no regular file, or it
            has another name and `hard_links` are not wanted (EMLINK).
    """
    with _opened(root, at_once=at_once) as top:
        file = _open_beneath(top, path, _FILE, at_once=at_once)
    # What was opened is asked, not what the path leads to by now.
    seen = os.fstat(file)
    if stat.S_ISREG(seen.st_mode) and (hard_links or seen.st_nlink <= 1):
        return file
    os.close(file)
    if stat.S_ISREG(seen.st_mode):
        raise OSError(errno.EMLINK, "it has another name")
    raise OSError(errno.ENOENT, "not a regular file")


def is_local(root: Path) -> bool:
    """Whether it is on a disk of this machine's. Others are asked over a network although a name is in memory: there
    `at_once` may wait."""
    about = (ctypes.c_long * 64)()
    return _LIBC.statfs(os.fsencode(root), ctypes.byref(about)) == 0 and about[0] & 0xFFFFFFFF in _LOCAL


def look(root: Path, path: str, *, at_once: bool = False) -> os.stat_result:
    """What is known of the regular file at `path` beneath `root`, without opening it.

    Raises:
        OSError: as `open_file` does, but for hard links.
    """
    with _opened(root, at_once=at_once) as top:
        file = _open_beneath(top, path, _LOOK, at_once=at_once)
    try:
        seen = os.fstat(file)
    finally:
        os.close(file)
    if not stat.S_ISREG(seen.st_mode):
        raise OSError(errno.ENOENT, "not a regular file")
    return seen


def remove(root: Path, name: str) -> None:
    """Remove what is called so at the top of `root`: a file, a link (not what it leads to), a folder with all in it.

    Raises:
        OSError: there is no such thing, or it cannot be removed.
    """
    if "/" in name or "\0" in name or name in ("", ".", ".."):
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
    with _opened(root) as top:
        if stat.S_ISDIR(os.lstat(name, dir_fd=top).st_mode):
            shutil.rmtree(name, dir_fd=top)
        else:
            os.unlink(name, dir_fd=top)


@contextmanager
def folder(root: Path, path: str) -> Iterator[int]:
    """A descriptor of the folder at `path` beneath `root`, to look things up in; closed at the end.

    Raises:
        OSError: there is none, or the way leads through a symlink or out of `root`.
    """
    with _opened(root) as top:
        found = _open_beneath(top, path, _FOLDER)
    try:
        yield found
    finally:
        os.close(found)


@contextmanager
def _opened(root: Path, *, at_once: bool = False) -> Iterator[int]:
    flags = os.O_PATH | os.O_CLOEXEC | os.O_DIRECTORY
    top = _at_once(_HERE, str(root), flags, _CACHED) if at_once else os.open(root, flags)
    try:
        yield top
    finally:
        os.close(top)


def _open_beneath(top: int, path: str, flags: int, *, at_once: bool = False) -> int:
    # The kernel would take a `..` that stays beneath the root, which is still somebody else's folder.
    if "\0" in path or any(part in ("", ".", "..") for part in path.split("/")) or not _is_encodable(path):
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
    if at_once:
        return _at_once(top, path, flags, _RESOLVE | _CACHED | _NO_XDEV)
    for _ in range(_RETRIES):
        try:
            return _by_kernel(top, path, flags, _RESOLVE)
        except OSError as e:
            if e.errno in _ABSENT:
                return _by_walk(top, path, flags)
            if e.errno != errno.EAGAIN:  # something was renamed meanwhile: look again
                raise
    raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def _is_encodable(path: str) -> bool:
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return True


def _at_once(top: int, path: str, flags: int, resolve: int) -> int:
    try:
        return _by_kernel(top, path, flags, resolve)
    except OSError as e:
        if e.errno in (*_ABSENT, errno.EXDEV):  # a kernel that cannot tell, or another disk
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from e
        raise


def _by_kernel(top: int, path: str, flags: int, resolve: int) -> int:
    how = _How(flags, 0, resolve)
    found: int = _LIBC.syscall(
        ctypes.c_long(_OPENAT2), ctypes.c_int(top), ctypes.c_char_p(os.fsencode(path)), ctypes.byref(how),
        ctypes.c_size_t(ctypes.sizeof(how)),
    )  # fmt: skip
    if found < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return found


def _by_walk(top: int, path: str, flags: int) -> int:
    *way, last = path.split("/")
    here = os.dup(top)
    try:
        for part in way:
            below = os.open(part, _FOLDER, dir_fd=here)
            os.close(here)
            here = below
        return os.open(last, flags, dir_fd=here)
    finally:
        os.close(here)
