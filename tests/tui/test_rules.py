from __future__ import annotations

from tests.tui.screen import ShowsApp, seated
from uuutorrent.tui.pace import Studio
from uuutorrent.tui.rules import Rules, SharedStylesheet


async def test_the_second_session_parses_no_styles() -> None:
    studio = Studio()
    async with seated(lambda terminal: ShowsApp(terminal, studio)) as first:
        await first.sees("Show 5")
        parsed = len(studio.rules)
        assert parsed > 0
        async with seated(lambda terminal: ShowsApp(terminal, studio)) as second:
            await second.sees("Show 5")
            assert len(studio.rules) == parsed
            assert second.app.stylesheet.rules[0] is first.app.stylesheet.rules[0]


async def test_each_session_keeps_its_own_theme() -> None:
    studio = Studio()
    async with (
        seated(lambda terminal: ShowsApp(terminal, studio)) as dark,
        seated(lambda terminal: ShowsApp(terminal, studio)) as light,
    ):
        await dark.sees("Show 5")
        await light.sees("Show 5")
        before = dark.glass.cell_at("Show 5").bg
        assert light.glass.cell_at("Show 5").bg == before
        light.app.call_later(setattr, light.app, "theme", "textual-light")
        await light.until(lambda: light.glass.cell_at("Show 5").bg != before, "a light background")
        dark.type("jj")
        await dark.sees("› Show 2")
        assert dark.glass.cell_at("Show 5").bg == before


async def test_a_theme_chosen_again_looks_as_before() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 5")
        before = seat.glass.cell_at("Show 5").bg
        for theme in ("nord", "textual-light", "textual-dark"):
            seat.app.call_later(setattr, seat.app, "theme", theme)
            await seat.settled()
        assert seat.glass.cell_at("Show 5").bg == before


def test_no_more_rules_are_kept_than_allowed() -> None:
    rules = Rules(limit=2)
    sheet = SharedStylesheet(rules, {"primary": "red"})
    for n in range(5):
        sheet.add_source(f"#w{n} {{ color: $primary; }}", read_from=("here", str(n)))
    assert len(sheet.rules) == 5
    assert len(rules) == 2


def test_another_colour_behind_a_variable_is_parsed_anew() -> None:
    rules = Rules()
    sheet = SharedStylesheet(rules, {"primary": "red"})
    sheet.add_source("#w { color: $primary; }", read_from=("here", ""))
    first = sheet.rules[0].styles.color
    sheet.set_variables({"primary": "blue"})
    sheet.reparse()
    assert sheet.rules[0].styles.color != first
    sheet.set_variables({"primary": "red"})
    sheet.reparse()
    assert sheet.rules[0].styles.color == first
