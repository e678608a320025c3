from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from textual.app import App

from uuutorrent import logs
from uuutorrent.config import Server

log = structlog.get_logger()


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Put the process's logging back: it is the daemon's, and here it is everybody's."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    quiet = {name: logging.getLogger(name).level for name in logs.QUIET}
    root.handlers.clear()  # or `configure` would close them
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in quiet.items():
        logging.getLogger(name).setLevel(before)


Start = Callable[..., io.StringIO]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Start:
    """Begin to log as the daemon does; what is returned was stderr at that moment."""

    def configure(**settings: Any) -> io.StringIO:
        stream = io.StringIO()
        monkeypatch.setattr(sys, "stderr", stream)
        logs.configure(Server(**settings))
        return stream

    return configure


def lines(stderr: io.StringIO) -> list[str]:
    return stderr.getvalue().splitlines()


def document(stderr: io.StringIO) -> dict[str, Any]:
    (line,) = lines(stderr)
    read: dict[str, Any] = json.loads(line)
    return read


def fail_with_a_secret() -> None:
    password = "plain horses battery staple"
    raise ValueError(f"no good ({len(password)} characters)")


def test_an_event_is_one_line_of_logfmt_with_its_time_first(start: Start) -> None:
    stderr = start()
    log.info("ssh_auth_failed", ip="203.0.113.9", port=52100, user="a b", why=None, again=True)
    (line,) = lines(stderr)
    timestamp, _, rest = line.partition(" ")
    assert rest == 'level=info event=ssh_auth_failed ip=203.0.113.9 port=52100 user="a b" why= again=true'
    at = datetime.fromisoformat(timestamp.removeprefix("timestamp="))
    assert at.tzinfo is not None
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)


def test_an_event_is_one_json_document(start: Start) -> None:
    stderr = start(log_format="json")
    log.warning("engine.away", why="葬送\nno answer", in_s=1.5)
    read = document(stderr)
    assert datetime.fromisoformat(read.pop("timestamp")) <= datetime.now(UTC)
    assert read == {"level": "warning", "event": "engine.away", "why": "葬送\nno answer", "in_s": 1.5}


@pytest.mark.parametrize("log_format", ["logfmt", "json"])
def test_a_traceback_is_on_the_line_and_names_no_values(start: Start, log_format: str) -> None:
    stderr = start(log_format=log_format)
    try:
        fail_with_a_secret()
    except ValueError:
        log.exception("command_failed", user="ann")
    (line,) = lines(stderr)
    assert "ValueError: no good (27 characters)" in line
    assert "fail_with_a_secret" in line
    assert "battery" not in line


def test_a_traceback_of_an_error_that_is_handed_over(start: Start) -> None:
    stderr = start(log_format="json")
    try:
        fail_with_a_secret()
    except ValueError as e:
        error = e
    log.error("session broke", exc_info=error)
    read = document(stderr)
    assert read["exception"].startswith("Traceback (most recent call last):\n")
    assert read["exception"].endswith("ValueError: no good (27 characters)")
    assert "exc_info" not in read


def test_an_event_with_no_error_around_it_has_no_traceback(start: Start) -> None:
    stderr = start(log_format="json")
    log.error("session broke", exc_info=True)
    assert "exception" not in document(stderr)


@pytest.mark.parametrize("log_format", ["logfmt", "json"])
def test_text_from_outside_neither_drives_a_terminal_nor_makes_a_line(start: Start, log_format: str) -> None:
    stderr = start(log_format=log_format)
    log.info("x\x1b]0;owned\x07", why="a\nlevel=error\r\x9b2J\u202e\u2028 \ud800")
    (line,) = lines(stderr)
    assert line.isprintable()


def test_the_libraries_own_lines_look_the_same(start: Start) -> None:
    stderr = start(log_format="json")
    try:
        fail_with_a_secret()
    except ValueError:
        logging.getLogger("asyncio").exception("Task exception was %s", "never retrieved")
    read = document(stderr)
    assert (read["logger"], read["level"]) == ("asyncio", "error")
    assert read["event"] == "Task exception was never retrieved"
    assert "ValueError: no good" in read["exception"]
    assert "battery" not in read["exception"]


def test_chatty_libraries_are_heard_only_when_something_is_wrong(start: Start) -> None:
    stderr = start(log_level="debug")
    for name in logs.QUIET:
        logging.getLogger(f"{name}.within").info("hello")
        logging.getLogger(name).warning("oh no")
    assert len(lines(stderr)) == len(logs.QUIET)


@pytest.mark.parametrize(
    ("log_level", "heard"),
    [("debug", "debug info warning"), ("info", "info warning"), ("warning", "warning"), ("error", "")],
)
def test_what_is_below_the_level_is_not_written(start: Start, log_level: str, heard: str) -> None:
    stderr = start(log_level=log_level)
    log.debug("debug")
    log.info("info")
    log.warning("warning")
    assert [line.rpartition("event=")[2] for line in lines(stderr)] == heard.split()


async def test_the_log_stays_where_it_was_while_apps_swap_the_streams(start: Start) -> None:
    stderr = start()

    class Talking(App[None]):
        def on_mount(self) -> None:
            assert sys.stderr is not stderr
            log.info("from_within")
            logging.getLogger("library").warning("from a library")

    async with Talking().run_test():
        log.info("meanwhile")
    log.info("after")
    assert [line.rpartition("event=")[2].partition(" ")[0] for line in lines(stderr)] == [
        "from_within",
        '"from',
        "meanwhile",
        "after",
    ]


def test_a_log_that_nobody_reads_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    for stream in (Gone(), io.StringIO()):
        monkeypatch.setattr(sys, "stderr", stream)
        logs.configure(Server())
        if not isinstance(stream, Gone):
            stream.close()
        log.error("anything")
        logging.getLogger("library").error("anything")
