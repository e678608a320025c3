from __future__ import annotations

import fcntl
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import PASSWORD

pytestmark = pytest.mark.real


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UUUTORRENT_SERVER__DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_password_is_asked_twice_and_not_shown() -> None:
    code, told = on_a_terminal(["user", "add", "ann"], [(b"Password: ", PASSWORD), (b"Again: ", PASSWORD)])
    assert code == 0
    assert PASSWORD.encode() not in told
    assert b"ann can sign in" in told


def test_two_different_passwords_make_no_user() -> None:
    code, told = on_a_terminal(["user", "add", "ann"], [(b"Password: ", PASSWORD), (b"Again: ", "another")])
    assert code == 2
    assert b"the two passwords differ: nothing was changed" in told


def test_ctrl_c_at_the_question_ends_the_command() -> None:
    code, told = on_a_terminal(["user", "add", "ann"], [(b"Password: ", "\x03")])
    assert code == 130
    assert b"Traceback" not in told


def test_deleting_asks_for_the_name() -> None:
    on_a_terminal(["user", "add", "ann", "--generate"], [])
    code, told = on_a_terminal(["user", "delete", "ann"], [(b"go on:", "yes")])
    assert code == 2
    assert b"nothing was changed" in told
    code, told = on_a_terminal(["user", "delete", "ann"], [(b"go on:", "ann")])
    assert code == 0
    assert b"ann is deleted" in told


def on_a_terminal(words: Sequence[str], talk: Sequence[tuple[bytes, str]]) -> tuple[int, bytes]:
    """Run a command on a terminal of its own: wait for each question, type each answer."""
    ours, theirs = pty.openpty()
    command = subprocess.Popen(
        [sys.executable, "-m", "uuutorrent", *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    told = b""
    try:
        for question, answer in talk:
            while question not in told:
                piece = _read(ours)
                assert piece, told
                told += piece
            os.write(ours, answer.encode() + b"\n")
        while piece := _read(ours):
            told += piece
        return command.wait(timeout=120), told
    finally:
        command.kill()
        command.wait()
        os.close(ours)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # how Linux says that nobody has the other side open any more
        return b""
