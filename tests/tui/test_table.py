from __future__ import annotations

import pytest
from textual import on
from textual.message import Message

from tests.tui.screen import ShowsApp, seated, shows
from uuutorrent.tui.cells import Row
from uuutorrent.tui.pace import Studio
from uuutorrent.tui.table import Table
from uuutorrent.tui.terminal import Terminal


class Listening(ShowsApp):
    """Remembers what its table said."""

    def __init__(self, terminal: Terminal | None = None, *, rows: tuple[Row, ...] = shows(50)) -> None:
        super().__init__(terminal, rows=rows)
        self.said: list[Message] = []

    @on(Table.Highlighted)
    @on(Table.Selected)
    @on(Table.Marked)
    @on(Table.SortAsked)
    def hear(self, message: Message) -> None:
        self.said.append(message)

    def heard(self, kind: type[Message]) -> list[Message]:
        return [message for message in self.said if isinstance(message, kind)]


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        (["j"], 1),
        (["down", "down", "k"], 1),
        (["G"], 49),
        (["end", "up"], 48),
        (["G", "g"], 0),
        (["G", "home"], 0),
        (["up"], 0),
        (["pagedown"], 21),
        (["ctrl+f", "ctrl+b"], 0),
        (["ctrl+d"], 10),
        (["ctrl+d", "ctrl+u"], 0),
    ],
)
async def test_keys_move_the_cursor(keys: list[str], place: int) -> None:
    app = Listening()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*keys)
        assert app.table.key == f"k{place}"


async def test_the_cursor_is_always_in_sight() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("› Show 0")
        for keys, seen in (("G", "› Show 49"), ("g", "› Show 0"), ("\x04\x04\x04", "› Show 30"), ("k", "› Show 29")):
            seat.type(keys)
            await seat.sees(seen)


async def test_the_cursor_stays_on_its_row_while_rows_come_go_and_change_places() -> None:
    app = Listening(rows=shows(10))
    async with app.run_test() as pilot:
        await pilot.press("j", "j", "j")
        table = app.table
        assert table.key == "k3"
        table.set_rows((*shows(3, prefix="New"), *reversed(shows(10)))[3:])
        await pilot.pause()
        assert table.key == "k3"
        table.set_rows((Row("new", ("New", "", "")), *shows(10)))
        await pilot.pause()
        assert table.key == "k3"
        assert len(app.heard(Table.Highlighted)) == 3


async def test_when_the_row_under_the_cursor_goes_the_next_takes_its_place() -> None:
    app = Listening(rows=shows(5))
    async with app.run_test() as pilot:
        await pilot.press("j", "j")
        rows = shows(5)
        app.table.set_rows((*rows[:2], *rows[3:]))
        await pilot.pause()
        assert app.table.key == "k3"
        app.table.set_rows(rows[:1])
        await pilot.pause()
        assert app.table.key == "k0"
        app.table.set_rows(())
        await pilot.pause()
        assert [app.table.key, app.table.row] == [None, None]
        last = app.heard(Table.Highlighted)[-1]
        assert isinstance(last, Table.Highlighted)
        assert last.key is None


async def test_an_empty_table_says_so_and_keys_do_no_harm() -> None:
    async with seated(lambda terminal: ShowsApp(terminal, rows=())) as seat:
        await seat.sees("No shows yet.")
        seat.type("jkgG \r\x01\x1b")
        await seat.settled()
        seat.app.call_later(seat.app.table.set_rows, shows(2))
        await seat.sees("› Show 0")
        await seat.sees_no("No shows yet.")


async def test_enter_and_a_double_click_choose_and_a_click_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Listening, "CLICK_CHAIN_TIME_THRESHOLD", 3600)
    app = Listening()
    async with app.run_test() as pilot:
        await pilot.click(Table, offset=(5, 3))
        assert app.table.key == "k2"
        assert not app.heard(Table.Selected)
        await pilot.press("enter")
        await pilot.click(Table, offset=(5, 4), times=2)
        await pilot.pause()
        assert [message.key for message in app.heard(Table.Selected) if isinstance(message, Table.Selected)] == [
            "k2",
            "k3",
        ]


async def test_clicking_below_the_last_row_does_nothing() -> None:
    app = Listening(rows=shows(3))
    async with app.run_test() as pilot:
        await pilot.click(Table, offset=(5, 12))
        assert app.table.key == "k0"


async def test_a_click_on_a_title_asks_for_sorting_and_the_arrow_shows_it() -> None:
    async with seated(Listening) as seat:
        await seat.sees("Done")
        x = seat.glass.lines[1].index("Done") + 1
        seat.type(f"\x1b[<0;{x + 1};2M\x1b[<0;{x + 1};2m")
        await seat.until(lambda: bool(seat.app.heard(Table.SortAsked)))
        asked = seat.app.heard(Table.SortAsked)[0]
        assert isinstance(asked, Table.SortAsked)
        assert (asked.column, asked.control) == ("done", seat.app.table)
        seat.app.call_later(seat.app.table.show_sort, "done", descending=True)
        await seat.sees("Done ▼")
        seat.app.call_later(seat.app.table.show_sort, "name")
        await seat.sees("Name ▲")
        await seat.sees_no("Done ▼")


async def test_marks_follow_their_rows_and_are_told() -> None:
    app = Listening(rows=shows(5))
    async with app.run_test() as pilot:
        await pilot.press("space", "space")
        assert [*app.table.marked, app.table.key] == ["k0", "k1", "k2"]
        app.table.set_rows(tuple(reversed(shows(5))))
        assert list(app.table.marked) == ["k1", "k0"]
        app.table.set_rows(shows(5)[1:])
        await pilot.pause()
        assert list(app.table.marked) == ["k1"]
        await pilot.press("escape")
        assert list(app.table.marked) == []
        await pilot.press("ctrl+a")
        assert len(app.table.marked) == 4
        app.table.clear_marks()
        await pilot.pause()
        told = [message.keys for message in app.heard(Table.Marked) if isinstance(message, Table.Marked)]
        assert told == [("k0",), ("k0", "k1"), ("k1",), (), ("k1", "k2", "k3", "k4"), ()]


async def test_marks_are_seen() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("› Show 0")
        seat.type(" ")
        await seat.sees("✓ Show 0")
        await seat.sees("› Show 1")


async def test_a_table_without_marks_leaves_their_keys_to_the_screen() -> None:
    app = Listening()
    async with app.run_test():
        table = Table(())
        assert not table.check_action("mark", ())
        assert not table.check_action("mark_all", ())
        assert not app.table.check_action("clear_marks", ())
        assert app.table.check_action("mark", ())


async def test_what_is_said_stands_above_the_rows_and_goes_again() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 0")
        table = seat.app.table
        seat.app.call_later(table.say, "AniList does not answer.")
        await seat.until(lambda: "AniList does not answer." in seat.glass.lines[2], "the trouble")
        assert "Show 0" in seat.glass.lines[3]
        seat.app.call_later(table.say, "Asking AniList", busy=True)
        await seat.until(lambda: seat.glass.lines[2].strip()[0] in "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "the wheel")
        before = seat.glass.lines[2]
        await seat.until(lambda: seat.glass.lines[2] != before, "the wheel to turn")
        seat.app.call_later(table.say, "")
        await seat.until(lambda: "Show 0" in seat.glass.lines[2], "the rows back in their place")


async def test_only_lines_that_changed_are_sent() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 20")
        sent = await seat.settled()
        rows = list(shows(50))
        rows[7] = Row("k7", ("Changed", "", ""))
        rows[40] = Row("k40", ("Out of sight", "", ""))
        seat.app.call_later(seat.app.table.set_rows, tuple(rows))
        await seat.sees("Changed")
        more = seat.glass.raw[sent:].decode()
        assert "Show 6" not in more
        assert "Show 8" not in more
        assert "Out of sight" not in more
        assert len(more) < 400


async def test_the_same_rows_again_send_nothing() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 20")
        sent = await seat.settled()
        seat.app.call_later(seat.app.table.set_rows, shows(50))
        seat.type("j")
        await seat.sees("› Show 1")
        assert seat.glass.raw[sent:].decode().count("Show") == 2


async def test_rows_in_sight_are_painted_once_for_all_sessions() -> None:
    studio = Studio()
    async with seated(lambda terminal: ShowsApp(terminal, studio)) as first:
        await first.sees("Show 20")
        await first.settled()
        painted = studio.strips.misses
        async with seated(lambda terminal: ShowsApp(terminal, studio)) as second:
            await second.sees("Show 20")
            assert studio.strips.misses == painted


async def test_a_narrow_terminal_shows_fewer_columns() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("Down")
        seat.resize(50, 24)
        await seat.until(lambda: "Done" in seat.glass.lines[1])
        seat.resize(40, 12)
        await seat.sees("Show 5")
        await seat.sees("Name")


async def test_the_wheel_of_the_mouse_scrolls() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 0")
        seat.type("\x1b[<65;5;5M" * 5)
        await seat.sees_no("Show 0 ")
        assert seat.app.table.key == "k0"


async def test_going_to_a_key_that_is_not_there_changes_nothing() -> None:
    app = Listening()
    async with app.run_test() as pilot:
        assert app.table.go("k33")
        await pilot.pause()
        assert app.table.key == "k33"
        assert not app.table.go("nobody")
        assert app.table.key == "k33"


async def test_another_theme_is_painted() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 5")
        before = seat.glass.cell_at("Show 5").bg
        seat.app.call_later(setattr, seat.app, "theme", "textual-light")
        await seat.until(lambda: seat.glass.cell_at("Show 5").bg != before, "another background")
