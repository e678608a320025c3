"""The month's traffic beside the line that leads to the budget."""

from __future__ import annotations

from uuutorrent.tui.admin.course import plotted


def drawn(course: list[int], *, days: int = 12, budget: int = 1200, width: int = 12) -> list[str]:
    return ["".join(span.text for span in row) for row in plotted(course, days, budget, width)]


def test_the_line_leads_to_the_budget_on_the_last_day() -> None:
    assert drawn([]) == ["       ·····", "   ····     ", "···         "]


def test_what_left_stands_below_the_line_or_above_it() -> None:
    below, above = plotted([50, 100, 150], 12, 1200, 12), plotted([400, 800, 1200], 12, 1200, 12)
    assert ["".join(span.text for span in row) for row in below] == ["       ·····", "   ····     ", "▁▂▃         "]
    assert ["".join(span.text for span in row) for row in above] == ["  █    ·····", " ██····     ", "███         "]
    assert {span.style for row in below for span in row if span.text.strip(" ·")} == {"accent"}
    assert {span.style for row in above for span in row if span.text.strip(" ·")} == {"warn"}


def test_more_than_the_budget_reaches_the_top_and_no_further() -> None:
    assert [row[0] for row in drawn([5000])] == ["█", "█", "█"]


def test_a_narrow_and_a_wide_screen_show_the_same_days() -> None:
    assert [len(row) for row in drawn([100, 200], width=6)] == [6, 6, 6]
    assert drawn([1200, 1200], width=24)[0].count("█") == 4
