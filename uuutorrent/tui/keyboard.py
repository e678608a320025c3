"""What a person types, out of raw bytes: bounded, fair, and never trusted.

Textual's message loop does not yield while its queue is full, so whoever floods one session with keys would stop every
other. Here raw bytes wait (the transport is paused while there are many), are parsed in small slices, and go out a few
messages at a time with pauses between, in which the other sessions run. A key waits until the one before it has done
all it does: see `order`.
"""

from __future__ import annotations

import asyncio
from codecs import getincrementaldecoder
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

from textual import constants, events, messages
from textual._xterm_parser import XTermParser
from textual.message import Message

MAX_PASTE = 256 * 1024
"""Characters of one paste that are kept; the rest is dropped."""
RAW_HIGH, RAW_LOW = 16 * 1024, 4 * 1024
"""Bytes waiting at which the transport is paused, and resumed."""
BYTES_AT_ONCE, PASTED_AT_ONCE = 512, 16 * 1024
MESSAGES_AT_ONCE = 4
GAP_S, MAX_GAP_S = 0.004, 0.1
"""Pause between two helpings, at least and at most."""
HELD_AT_MOST_S = 1.0
"""How long a key waits for the one before it: whatever hangs, keys go on."""
PATIENCE = 4
"""A helping that came so much too late makes the next pause so many times as much longer."""

PASTE_START, PASTE_END = "\x1b[200~", "\x1b[201~"
_WANTED = (
    events.Key,
    events.MouseEvent,
    events.Paste,
    messages.TerminalSupportsSynchronizedOutput,
)
"""What a terminal may say. Not: sizes and cursor positions, which it could claim to be anything."""


class Pausable(Protocol):
    """Where the bytes come from."""

    def pause_reading(self) -> None:
        """Take no more for now."""
        ...

    def resume_reading(self) -> None:
        """Go on."""
        ...


class Listener(Protocol):
    """Who is typed to."""

    def is_busy(self) -> bool:
        """Nothing more for now: too much is waiting there."""
        ...

    def hear(self, message: Message, done: Callable[[], None]) -> bool:
        """Take a message; whether the next must wait until `done` is called."""
        ...


def pause_s(late_s: float) -> float:
    """Seconds until the next helping: the later the last one came, the busier everybody is, and the longer they are."""
    return min(MAX_GAP_S, GAP_S + PATIENCE * max(0.0, late_s))


class Pastes:
    """Tells pasted text from typed text, however it is cut into pieces; keeps at most `MAX_PASTE` of a paste."""

    def __init__(self) -> None:
        self.carry = ""
        """The beginning of what may become a marker."""
        self._pasted: list[str] | None = None
        self._length = 0

    @property
    def is_open(self) -> bool:
        """A paste has begun and not ended."""
        return self._pasted is not None

    def split(self, text: str) -> Iterator[tuple[bool, str]]:
        """Pairs of (is a whole paste, text), in order."""
        text, self.carry = self.carry + text, ""
        while text:
            marker = PASTE_START if self._pasted is None else PASTE_END
            before, found, text = text.partition(marker)
            if not found:
                before = self._keep_beginning(before, marker)
            yield from self._took(before, ended=bool(found))

    def give_up_carry(self) -> str:
        """What looked like the beginning of a marker and was not."""
        carry, self.carry = self.carry, ""
        return carry

    def _took(self, text: str, *, ended: bool) -> Iterator[tuple[bool, str]]:
        if self._pasted is None:
            if text:
                yield False, text
            if ended:
                self._pasted, self._length = [], 0
            return
        kept = text[: MAX_PASTE - self._length]
        self._length += len(kept)
        self._pasted.append(kept)
        if ended:
            whole, self._pasted = "".join(self._pasted), None
            yield True, whole

    def _keep_beginning(self, text: str, marker: str) -> str:
        at = text.rfind("\x1b")
        if at < 0 or not marker.startswith(text[at:]):
            return text
        self.carry = text[at:]
        return text[:at]


class Keyboard:
    """One session's input: `feed` takes bytes at any time; after `open` they go out as Textual's messages."""

    def __init__(self, source: Pausable) -> None:
        self._source = source
        self._raw = bytearray()
        self._paused = False
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._pastes = Pastes()
        self._parser = XTermParser()
        self._waiting: deque[Message] = deque()
        self._listener: Listener | None = None
        self._left = 0
        """Messages that may still go out in this helping."""
        self._behind: Message | None = None
        """What the next message waits for, and until when."""
        self._behind_until = 0.0
        self._pump: asyncio.Handle | None = None
        self._tick: asyncio.TimerHandle | None = None
        self._closed = False
        self._due = 0.0
        """When the next helping was to be given; 0 while none is."""

    def feed(self, data: bytes) -> None:
        """Take bytes from the person. They wait while nobody wants them, and are dropped after `close`."""
        if self._closed or not data:
            return
        self._raw += data
        if len(self._raw) > RAW_HIGH and not self._paused:
            self._paused = True
            self._source.pause_reading()
        if self._pump is None and self._listener is not None:
            self._turn()

    def open(self, listener: Listener) -> None:
        """From now on somebody listens."""
        self._listener = listener
        if self._raw and self._pump is None:
            self._turn()

    def close(self) -> None:
        """Forget everything, and let nothing in or out any more."""
        self._closed, self._listener = True, None
        self._raw.clear()
        self._waiting.clear()
        for handle in (self._pump, self._tick):
            if handle is not None:
                handle.cancel()
        self._pump = self._tick = None
        if self._paused:
            # What still comes is dropped, so the channel must not stay shut: its end has to get through.
            self._paused = False
            self._source.resume_reading()

    def _turn(self) -> None:
        self._pump = None
        if self._listener is None:
            return
        self._left = MESSAGES_AT_ONCE
        self._give_some()
        if self._raw or self._waiting:
            self._turn_later()
        else:
            self._due = 0.0
        if self._paused and len(self._raw) < RAW_LOW:
            self._paused = False
            self._source.resume_reading()

    def _give_some(self) -> None:
        if self._listener is None or self._listener.is_busy():
            return
        if not self._waiting and self._raw:
            self._parse_some()
        while self._left and self._waiting and not self._must_wait():
            self._left -= 1
            message = self._waiting.popleft()
            if self._listener.hear(message, partial(self._dealt_with, message)):
                self._behind = message
                self._behind_until = asyncio.get_running_loop().time() + HELD_AT_MOST_S

    def _must_wait(self) -> bool:
        return self._behind is not None and asyncio.get_running_loop().time() < self._behind_until

    def _dealt_with(self, message: Message) -> None:
        """The next need not wait for this one; it goes at once if this helping has not been all given out."""
        if self._behind is message:
            self._behind = None
            if self._pump is not None:
                self._give_some()

    def _turn_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._due = loop.time() + pause_s(loop.time() - self._due if self._due else 0.0)
        self._pump = loop.call_at(self._due, self._turn)

    def _parse_some(self) -> None:
        size = PASTED_AT_ONCE if self._pastes.is_open else BYTES_AT_ONCE
        text = self._decode(bytes(self._raw[:size]))
        del self._raw[:size]
        for pasted, piece in self._pastes.split(text):
            if pasted:
                self._waiting.append(events.Paste(piece.replace("\x00", "")))
            else:
                self._type(piece)
        if self._pastes.carry and not self._pastes.is_open:
            self._tick_soon()

    def _type(self, text: str) -> None:
        try:
            # An empty string would mean the end of input to the parser, for good.
            for message in self._parser.feed(text) if text else ():
                self._put(message)
        except (ValueError, OverflowError, IndexError, StopIteration, RuntimeError):
            # Made-up key codes (no such character) end the parser's generator; a new one knows nothing of them.
            self._parser = XTermParser()
        if self._parser._timeout_time is not None:
            self._tick_soon()

    def _put(self, message: Message) -> None:
        waiting = self._waiting
        if not isinstance(message, _WANTED):
            return
        if type(message) is events.MouseMove and waiting and type(waiting[-1]) is events.MouseMove:
            waiting[-1] = message
        else:
            waiting.append(message)

    def _tick_soon(self) -> None:
        if self._tick is None:
            self._tick = asyncio.get_running_loop().call_later(constants.ESCAPE_DELAY + 0.005, self._timed_out)

    def _timed_out(self) -> None:
        """No more came: what looked like the beginning of a sequence was the Escape key."""
        self._tick = None
        if self._listener is None:
            return
        if not self._pastes.is_open:
            carry = self._pastes.give_up_carry()
            if carry == "\x1b":
                # The parser would wait as long again before it is sure.
                self._put(events.Key("escape", carry))
            else:
                self._type(carry)
        for message in self._parser.tick():
            self._put(message)
        if self._parser._timeout_time is not None:
            self._tick_soon()
        if self._waiting and self._pump is None:
            self._turn()
