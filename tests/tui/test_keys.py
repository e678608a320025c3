"""No key means two things at once: on the screens, in their tables and panes, and in the dialogs that hold tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

from uuutorrent.tui import (
    account,
    autopilot,
    detail,
    downloads,
    feeds,
    inbox,
    sessions,
    sshkeys,
    telling,
    torrents,
    watching,
    watchlist,
)
from uuutorrent.tui.admin import screen as admin
from uuutorrent.tui.app import UuuApp
from uuutorrent.tui.shell import Shell
from uuutorrent.tui.table import Table

TABLES_OWN = {"escape", "space", "enter", "ctrl+a"}
"""Keys that a table leaves to its screen where they would do nothing, or that a table on a screen does otherwise."""
TOGETHER: list[tuple[type[DOMNode], ...]] = [
    (watchlist.WatchlistScreen, watching.Shows),
    (torrents.TorrentsScreen, downloads.Torrents),
    (torrents.TorrentsScreen, detail.Detail, detail.Parts),
    (feeds.FeedsScreen, feeds.Rules),
    (inbox.InboxScreen, inbox.Notices),
    (account.AccountScreen, account.Rows),
    (admin.AdminScreen, admin.Listed),
]
ALONE: list[tuple[type[DOMNode], ...]] = [
    (autopilot.AutopilotDialog, Table),
    (autopilot.PlanDialog, Table),
    (telling.ChannelsDialog, telling.Listed),
    (sshkeys.KeysDialog, Table),
    (sessions.SessionsDialog, Table),
]


def bound(kind: type[DOMNode]) -> Iterator[tuple[str, str]]:
    """The keys that a screen or widget binds, and what each does; what it takes over from its kind comes last."""
    for one in reversed(kind.__mro__):
        if one.__module__.startswith("uuutorrent"):
            for binding in one.__dict__.get("BINDINGS", ()):
                assert isinstance(binding, Binding)
                for key in binding.key.split(","):
                    yield key, binding.action


@pytest.mark.parametrize("kinds", [*TOGETHER, *ALONE], ids=lambda kinds: kinds[0].__name__)
def test_no_key_means_two_things_at_once(kinds: tuple[type[DOMNode], ...]) -> None:
    seen: dict[str, str] = {}
    for kind in (*kinds, *((UuuApp, Shell) if kinds in TOGETHER else ())):
        for key, action in bound(kind):
            assert key in TABLES_OWN or seen.setdefault(key, action) == action, f"{key}: {seen[key]} and {action}"


@pytest.mark.parametrize("kinds", [*TOGETHER, *ALONE], ids=lambda kinds: kinds[0].__name__)
def test_whatever_can_be_done_is_named_and_can_be_bound_anew(kinds: tuple[type[DOMNode], ...]) -> None:
    for kind in kinds:
        for binding in kind.__dict__.get("BINDINGS", ()):
            assert isinstance(binding, Binding)
            assert binding.description
            assert binding.id
            assert "." in binding.id
