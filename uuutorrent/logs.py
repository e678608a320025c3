"""The log: one line per event on the stderr of the moment the daemon started, as logfmt or JSON.

The stream is bound at start-up on purpose: each Textual app swaps `sys.stdout` and `sys.stderr` while it runs, and apps
that overlap do not put them back.
"""

from __future__ import annotations

import logging
import sys
import traceback
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor

from uuutorrent import config

QUIET = ("asyncssh", "httpx", "httpcore", "alembic", "aiosqlite", "qbittorrentapi", "urllib3")
"""Libraries whose own tales are only wanted when something is wrong."""

SILENT = ("pgqueuer", "aiohttp.server")
"""Told by whoever runs it."""


def configure(settings: config.Server) -> None:
    """Send our events and the libraries' warnings to stderr, from `log_level` up."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    stream = cast("TextIO", Stream(sys.stderr))
    render = _renderer(settings.log_format)
    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _traceback_without_locals,
        _harmless,
    ]
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    others: list[Processor] = [structlog.stdlib.add_logger_name, *shared]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=render, foreign_pre_chain=others))
    logging.basicConfig(handlers=[handler], level=max(level, logging.INFO), force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def to_stderr() -> None:
    """For the operator's commands: what they answer is on stdout, and what is logged meanwhile must not get into it."""
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(cast("TextIO", Stream(sys.stderr))))


class Stream:
    """A stream that can be lost: whoever logs is not to fail because nobody reads the log, or its disk is full."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write, if that is possible."""
        with suppress(OSError, ValueError):  # the latter: it was closed
            self._stream.write(text)

    def flush(self) -> None:
        """Flush, if that is possible."""
        with suppress(OSError, ValueError):
            self._stream.flush()


def _renderer(kind: str) -> Processor:
    if kind == "json":
        return structlog.processors.JSONRenderer()
    return structlog.processors.LogfmtRenderer(key_order=("timestamp", "level", "event"), bool_as_flag=False)


def _traceback_without_locals(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Put `exc_info` into the line as text; the values of variables (passwords among them) stay out."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    elif isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if isinstance(info, tuple) and info[0] is not None:
        event["exception"] = "".join(traceback.format_exception(*info)).rstrip()
    return event


def _harmless(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Escape what would drive the terminal of whoever reads the log. Line breaks are the renderer's to escape."""
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[key] = "".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in value)
    return event


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
