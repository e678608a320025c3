from __future__ import annotations

import re

import pytest

from tests.tui.screen import ShowsApp, seated
from uuutorrent.tui.colours import Colours, colours_of, downgrade
from uuutorrent.tui.pace import Studio
from uuutorrent.tui.terminal import TerminalInfo

RGB = re.compile(r"[34]8;2;")
ANY_COLOUR = re.compile(r"\x1b\[[0-9;]*\b(3[0-9]|4[0-9]|9[0-7]|10[0-7])\b[0-9;]*m")


@pytest.mark.parametrize(
    ("term", "env", "colours"),
    [
        ("xterm-256color", {}, "256"),
        ("xterm-256color", {"COLORTERM": "truecolor"}, "truecolor"),
        ("xterm-256color", {"LC_COLORTERM": "24bit"}, "truecolor"),
        ("xterm-kitty", {}, "truecolor"),
        ("foot-direct", {}, "truecolor"),
        ("xterm", {}, "16"),
        ("screen", {}, "16"),
        ("linux", {}, "16"),
        ("vt220", {}, "none"),
        ("xterm-mono", {}, "none"),
        ("xterm-kitty", {"NO_COLOR": "1"}, "none"),
        ("xterm-256color", {"NO_COLOR": ""}, "256"),
    ],
)
def test_a_terminal_is_believed(term: str, env: dict[str, str], colours: Colours) -> None:
    assert colours_of(term, env) == colours


def test_truecolor_passes_untouched() -> None:
    text = "\x1b[1;38;2;1;2;3mx\x1b[0m"
    assert downgrade(text, "truecolor") == text


def test_attributes_survive_the_loss_of_colours() -> None:
    text = "\x1b[1;4;38;2;200;10;10;48;2;0;0;0mx\x1b[0m"
    assert downgrade(text, "none") == "\x1b[1;4mx\x1b[0m"
    assert downgrade("\x1b[38;2;200;10;10mx\x1b[0m", "none") == "x\x1b[0m"


def test_256_colours_are_indexed() -> None:
    assert downgrade("\x1b[1;38;2;255;0;0mx", "256") == "\x1b[1;38;5;196mx"


def test_16_colours_are_the_plain_codes() -> None:
    assert downgrade("\x1b[38;2;255;0;0mx", "16") == "\x1b[31mx"
    assert downgrade("\x1b[38;5;196mx", "16") == "\x1b[31mx"


@pytest.mark.parametrize("shade", [0x10, 0x60, 0xB0, 0xFA])
def test_what_is_written_never_takes_the_colour_of_its_ground(shade: int) -> None:
    near = f"\x1b[38;2;{shade};{shade};{shade};48;2;{shade + 5};{shade + 5};{shade + 5}mx"
    codes = downgrade(near, "16").removeprefix("\x1b[").removesuffix("mx").split(";")
    assert int(codes[0]) + 10 != int(codes[1])


def test_text_that_looks_like_colours_is_left_alone() -> None:
    assert downgrade("[38;2;1;2;3m and 48;5;9", "none") == "[38;2;1;2;3m and 48;5;9"


@pytest.mark.parametrize(("colours", "env", "term"), [("256", {}, "xterm-256color"), ("16", {}, "xterm")])
async def test_a_lesser_terminal_beside_a_better_one_gets_only_its_own_colours(
    colours: Colours, env: dict[str, str], term: str
) -> None:
    studio = Studio()
    better = TerminalInfo(term="xterm-kitty")
    async with (
        seated(lambda terminal: ShowsApp(terminal, studio), better) as first,
        seated(lambda terminal: ShowsApp(terminal, studio), TerminalInfo(term=term, env=env)) as second,
    ):
        await first.sees("Show 5")
        await second.sees("Show 5")
        assert RGB.search(first.glass.text_sent)
        assert not RGB.search(second.glass.text_sent)
        if colours == "16":
            assert "8;5;" not in second.glass.text_sent


async def test_without_colours_the_cursor_is_still_seen() -> None:
    async with seated(ShowsApp, TerminalInfo(env={"NO_COLOR": "1"})) as seat:
        await seat.sees("› Show 0")
        assert not ANY_COLOUR.search(seat.glass.text_sent)
        assert seat.glass.cell_at("Show 0").reverse
        assert not seat.glass.cell_at("Show 1").reverse


async def test_colours_can_be_changed_while_the_app_runs() -> None:
    async with seated(ShowsApp, TerminalInfo(term="xterm")) as seat:
        await seat.sees("Show 5")
        assert not RGB.search(seat.glass.text_sent)
        seat.app.call_later(seat.app.set_colours, "truecolor")
        await seat.until(lambda: bool(RGB.search(seat.glass.text_sent)), "24-bit colours")
