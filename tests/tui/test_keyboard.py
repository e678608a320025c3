from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual import constants, events
from textual.message import Message

from tests.tui.screen import PATIENCE_S
from uuutorrent.tui.keyboard import (
    BYTES_AT_ONCE,
    GAP_S,
    MAX_GAP_S,
    MAX_PASTE,
    MESSAGES_AT_ONCE,
    PASTE_END,
    PASTE_START,
    RAW_HIGH,
    Keyboard,
    Pastes,
    pause_s,
)


class Source:
    def __init__(self) -> None:
        self.is_paused = False

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False


class Desk:
    """A keyboard with somebody listening."""

    def __init__(self) -> None:
        self.source = Source()
        self.keyboard = Keyboard(self.source)
        self.heard: list[Message] = []
        self.has_much_to_do = self.is_slow = False
        self.done: Callable[[], None] = lambda: None

    def listen(self) -> None:
        self.keyboard.open(self)

    def is_busy(self) -> bool:
        return self.has_much_to_do

    def hear(self, message: Message, done: Callable[[], None]) -> bool:
        self.heard.append(message)
        self.done = done
        return self.is_slow

    @property
    def keys(self) -> list[str]:
        return [message.key for message in self.heard if isinstance(message, events.Key)]

    @property
    def pastes(self) -> list[str]:
        return [message.text for message in self.heard if isinstance(message, events.Paste)]

    async def hears(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.heard) < count:  # noqa: ASYNC110 - only looked at
                await asyncio.sleep(0.002)


@pytest.fixture
async def desk() -> Desk:
    return Desk()


def split(pastes: Pastes, pieces: Iterable[str]) -> list[tuple[bool, str]]:
    return [found for piece in pieces for found in pastes.split(piece)]


async def test_keys_typed_before_anybody_listens_are_not_lost(desk: Desk) -> None:
    desk.keyboard.feed(b"ab")
    assert desk.keys == []
    desk.listen()
    await desk.hears(2)
    assert desk.keys == ["a", "b"]


async def test_a_flood_comes_in_small_helpings_and_pauses_its_source(desk: Desk) -> None:
    desk.listen()
    desk.keyboard.feed(b"k" * (RAW_HIGH + 1))
    assert desk.source.is_paused
    assert len(desk.heard) == MESSAGES_AT_ONCE
    desk.keyboard.feed(b"k" * 100)
    assert len(desk.heard) == MESSAGES_AT_ONCE
    await desk.hears(3 * MESSAGES_AT_ONCE)
    assert len(desk.heard) < BYTES_AT_ONCE
    desk.keyboard.close()
    assert not desk.source.is_paused


async def test_a_busy_app_is_given_nothing_more(desk: Desk) -> None:
    desk.has_much_to_do = True
    desk.listen()
    desk.keyboard.feed(b"abc")
    await asyncio.sleep(0.02)
    assert desk.heard == []
    desk.has_much_to_do = False
    await desk.hears(3)


def test_a_flood_slows_down_when_everybody_is_kept_waiting() -> None:
    assert pause_s(0.0) == pause_s(-1.0) == GAP_S
    assert pause_s(0.01) > 10 * GAP_S
    assert pause_s(60.0) == MAX_GAP_S


async def test_reading_resumes_once_the_flood_has_drained(desk: Desk) -> None:
    desk.listen()
    desk.keyboard.feed((PASTE_START + "x" * (RAW_HIGH + 100) + PASTE_END).encode())
    assert desk.source.is_paused
    await desk.hears(1)
    assert not desk.source.is_paused


async def test_a_paste_is_one_event_and_not_keys(desk: Desk) -> None:
    desk.listen()
    desk.keyboard.feed(f"a{PASTE_START}rm -rf\n\x1b[Ab\x00{PASTE_END}z".encode())
    await desk.hears(3)
    assert desk.keys == ["a", "z"]
    assert desk.pastes == ["rm -rf\n\x1b[Ab"]


async def test_a_paste_is_capped(desk: Desk) -> None:
    desk.listen()
    for piece in (PASTE_START, *("x" * 10_000 for _ in range(40)), PASTE_END):
        desk.keyboard.feed(piece.encode())
    await desk.hears(1)
    assert len(desk.pastes[0]) == MAX_PASTE


@given(st.integers(min_value=1, max_value=7), st.text(alphabet="ab\x1b[0~", max_size=30))
def test_a_paste_is_found_however_it_is_cut(size: int, text: str) -> None:
    whole = f"k{PASTE_START}{text}{PASTE_END}j"
    found = split(Pastes(), (whole[at : at + size] for at in range(0, len(whole), size)))
    assert [piece for pasted, piece in found if pasted] == [text]
    assert "".join(piece for pasted, piece in found if not pasted) == "kj"


async def test_a_lone_escape_is_the_escape_key(desk: Desk) -> None:
    desk.listen()
    desk.keyboard.feed(b"\x1b")
    await desk.hears(1)
    assert desk.keys == ["escape"]


async def test_half_a_paste_marker_that_stays_alone_is_let_go(desk: Desk) -> None:
    desk.listen()
    desk.keyboard.feed(b"\x1b[20")
    await desk.hears(1)
    desk.keyboard.feed(b"q")
    async with asyncio.timeout(PATIENCE_S):
        while desk.keys[-1:] != ["q"]:  # noqa: ASYNC110 - only looked at
            await asyncio.sleep(0.002)


async def test_arrow_keys_cut_in_two_stay_arrow_keys(desk: Desk) -> None:
    desk.listen()
    desk.keyboard.feed(b"\x1b")
    desk.keyboard.feed(b"[A")
    await desk.hears(1)
    assert desk.keys == ["up"]


async def test_mouse_moves_in_a_row_become_one(desk: Desk) -> None:
    desk.has_much_to_do = True
    desk.listen()
    desk.keyboard.feed(b"".join(b"\x1b[<35;%d;5M" % x for x in range(1, 20)) + b"\x1b[<0;9;5M")
    desk.has_much_to_do = False
    await desk.hears(2)
    assert [type(message) for message in desk.heard] == [events.MouseMove, events.MouseDown]


@pytest.mark.parametrize("forged", ["\x1b[48;9999999;9999999;0;0t", "\x1b[99999;99999R", "\x1b[?2048;1$y"])
async def test_a_terminal_cannot_claim_sizes_and_positions_in_its_input(desk: Desk, forged: str) -> None:
    desk.listen()
    desk.keyboard.feed(f"{forged}q".encode())
    await desk.hears(1)
    await asyncio.sleep(0.02)
    assert [type(message) for message in desk.heard] == [events.Key]
    assert desk.keys == ["q"]


@pytest.mark.parametrize("forged", ["\x1b[99999999999u", "\x1b[1114112;5u", "\x1b[1;1;99999999999u", "\x1b[;;;;u"])
async def test_keys_that_cannot_be_do_not_end_the_input(desk: Desk, forged: str) -> None:
    desk.listen()
    desk.keyboard.feed(forged.encode())
    await asyncio.sleep(0.01)
    desk.keyboard.feed(b"q")
    await desk.hears(1)
    async with asyncio.timeout(PATIENCE_S):
        while desk.keys[-1:] != ["q"]:  # noqa: ASYNC110 - only looked at
            await asyncio.sleep(0.002)


async def test_bytes_that_are_no_text_do_no_harm(desk: Desk) -> None:
    desk.listen()
    desk.keyboard.feed(b"\xff\xfe\xc3q")
    await desk.hears(3)
    assert desk.keys[-1] == "q"


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200) | st.text(alphabet="\x1b[]<>?;:0123456789uMmRtAZ~$y\x00", max_size=120).map(str.encode))
def test_no_input_whatsoever_raises_or_deafens(junk: bytes) -> None:
    async def typing() -> None:
        desk = Desk()
        desk.listen()
        desk.keyboard.feed(junk)
        desk.keyboard.feed(PASTE_END.encode() + b"\x1b\x1b")
        async with asyncio.timeout(PATIENCE_S):
            while desk.keys[-1:] != ["q"]:
                desk.keyboard.feed(b"q")
                await asyncio.sleep(0.01)
        desk.keyboard.close()

    with patch.object(constants, "ESCAPE_DELAY", 0.001):
        asyncio.run(typing())


async def test_after_closing_nothing_is_heard(desk: Desk) -> None:
    desk.listen()
    desk.keyboard.feed(b"\x1b")
    desk.keyboard.close()
    desk.keyboard.feed(b"abc")
    await asyncio.sleep(0.02)
    assert desk.heard == []


async def test_what_follows_waits_until_what_was_heard_is_dealt_with(desk: Desk) -> None:
    desk.is_slow = True
    desk.listen()
    with patch("uuutorrent.tui.keyboard.HELD_AT_MOST_S", PATIENCE_S * 2):
        desk.keyboard.feed(b"abc")
        for heard in ("a", "ab", "abc"):
            await desk.hears(len(heard))
            await asyncio.sleep(2 * GAP_S)
            assert desk.keys == list(heard)
            desk.done()


async def test_what_is_never_dealt_with_keeps_nothing_for_ever(desk: Desk) -> None:
    desk.is_slow = True
    desk.listen()
    desk.keyboard.feed(b"abc")
    await desk.hears(3)
    assert desk.keys == ["a", "b", "c"]
