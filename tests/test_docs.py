"""The documentation says what the code does: verbs, commands, settings, figures, sentences, links, pictures.

That the documents of verbs are as described is in `tests/ssh/verbs/test_documented.py`.
"""

from __future__ import annotations

import ast
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from cyclopts import App
from textual.binding import Binding
from textual.dom import DOMNode

from docs.drawing import Cell, svg
from tests.desks import built
from uuutorrent import cli, config, errors, metrics
from uuutorrent.installing import plan as plans
from uuutorrent.installing.choices import Choices
from uuutorrent.installing.system import Said, System
from uuutorrent.ssh import commands
from uuutorrent.ssh.call import Verb
from uuutorrent.store.database import Database
from uuutorrent.torrents.engine import Phase
from uuutorrent.tui.app import UuuApp
from uuutorrent.tui.downloads import DownloadsScreen, Torrents
from uuutorrent.tui.releases import Candidates, ReleasesDialog
from uuutorrent.tui.shell import Shell
from uuutorrent.tui.table import Table
from uuutorrent.tui.torrents import TorrentsScreen
from uuutorrent.tui.watching import Shows, WatchingScreen
from uuutorrent.tui.watchlist import WatchlistScreen

ROOT = Path(__file__).parent.parent
PAGES = {page.relative_to(ROOT): page.read_text() for page in (ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")))}
README, COMMANDS, OPERATORS, USERS, HANDBOOK = (
    (ROOT / name).read_text()
    for name in ("README.md", "docs/commands.md", "docs/operators.md", "docs/users.md", "docs/handbook.md")
)
PICTURES = sorted(ROOT.glob("docs/pictures/*.svg"))
VERBS = [verb for verbs in commands.SUBJECTS.values() for verb in verbs]
KEY_NAMES = {"+": "plus", "-": "minus", "/": "slash", "?": "question_mark"}
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def operators_commands(app: App, path: tuple[str, ...] = ("uuutorrent",)) -> Iterator[tuple[str, App]]:
    for name in app:
        if not name.startswith("-"):
            below = list(operators_commands(app[name], (*path, name)))
            yield from below or [(" ".join((*path, name)), app[name])]


@cache
def sentences_of_the_code() -> frozenset[str]:
    """Every text in the code; what is filled in later is a tab."""
    found = set()
    for file in (ROOT / "uuutorrent").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                found.add("".join(str(part.value) if isinstance(part, ast.Constant) else "\t" for part in node.values))
    return frozenset(found)


def events() -> set[str]:
    """What is logged."""
    source = "\n".join(file.read_text() for file in (ROOT / "uuutorrent").rglob("*.py"))
    return set(re.findall(r"log\.\w+\(\s*\"([^\"]+)\"", source))


def anchors(page: str) -> set[str]:
    """As GitHub makes them of headings."""
    titles = re.findall(r"^#+ (.+)$", FENCED.sub("", page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def rows(page: str, title: str) -> list[list[str]]:
    """The cells of the tables in one section of a page."""
    body = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", page, re.MULTILINE | re.DOTALL)
    assert body, title
    lines = [line for line in body[1].splitlines() if line.startswith("|") and not line.startswith("|---")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: "-".join(verb.name))
def test_every_verb_is_described_with_its_usage(verb: Verb) -> None:
    assert f"\n### {' '.join(verb.name)}\n\n```\n{verb.usage}\n```\n" in COMMANDS


def test_no_verb_is_described_that_is_not_there() -> None:
    described = re.findall(r"^### (.+)$", COMMANDS, re.MULTILINE)
    assert described == [" ".join(verb.name) for verb in VERBS]


def test_every_option_of_a_verb_is_described() -> None:
    for verb in VERBS:
        app = commands.tree()
        for word in verb.name:
            app = app[word]
        options = {name for one in app.assemble_argument_collection() if one.parse for name in one.names}
        body = COMMANDS.split(f"\n### {' '.join(verb.name)}\n", 1)[1].split("\n#", 1)[0]
        assert {name for name in options if name.startswith("--") and name not in body} == set(), verb.usage


def test_the_lines_that_are_shown_as_examples_are_verbs() -> None:
    lines = re.findall(r"^ssh -p 2222 \S+@\S+ ([a-z].*)$", "\n".join(PAGES.values()), re.MULTILINE)
    assert len(lines) > 5
    for line in lines:
        assert any(line.split()[: len(verb.name)] == list(verb.name) for verb in VERBS) or line == "help", line


def test_every_phase_and_every_exit_code_is_described() -> None:
    assert [phase for phase in Phase if f"`{phase.value}`" not in COMMANDS] == []
    listed = {(row[0], row[1].strip("`")) for row in rows(COMMANDS, "For scripts")}
    kinds = (errors.Refused, errors.Missing, errors.Conflict, errors.Invalid, errors.Unreachable, errors.Unexpected)
    assert {(str(kind.exit_code), kind.code) for kind in kinds} | {(str(commands.BROKEN), "internal")} <= listed


@pytest.mark.parametrize("path_and_app", list(operators_commands(cli.tree())), ids=lambda one: one[0])
def test_every_command_of_the_operator_is_described(path_and_app: tuple[str, App]) -> None:
    path, app = path_and_app
    usages = [row[0].strip("`") for row in rows(OPERATORS, "Commands of the operator")]
    (usage,) = [one for one in usages if re.fullmatch(rf"{path}( [^a-z].*)?", one)]
    taken = [name for one in app.assemble_argument_collection() if one.parse is not False for name in one.names]
    assert set(re.findall(r"--[a-z-]+|\b[A-Z]+\b", usage)) >= {name.lstrip() for name in taken}


def test_every_setting_that_is_named_exists_and_every_section_is_described() -> None:
    sections = config.Config.model_fields
    for section in sections:
        assert f"`[{section}]`" in OPERATORS
    known = {f"{name}.{key}" for name in sections for key in getattr(config.Config(), name).__class__.model_fields}
    for page in PAGES.values():
        named = re.findall(rf"`((?:{'|'.join(sections)})\.[a-z_]+)`", page)
        assert set(named) <= known | {f"{name}.py" for name in sections} | events()


def test_the_handbook_names_commands_and_options_that_exist() -> None:
    lines = re.findall(
        r"uuutorrent ((?:install|uninstall|check|backups?|restore|drill|user|invite|db)\b[^`#\n]*)", HANDBOOK
    )
    assert len(lines) > 15
    for line in lines:
        app, words = cli.tree(), line.split()
        while words and words[0] in list(app):
            app = app[words.pop(0)]
        taken = {name for one in app.assemble_argument_collection() for name in one.names}
        assert {word for word in words if word.startswith("--")} <= taken, line


def test_the_handbook_opens_the_ports_that_install_says_and_names_what_it_makes(tmp_path: Path) -> None:
    said = re.findall(r"iptables -I .*ACCEPT", plans.firewall(Choices()))
    assert re.findall(r"^sudo (iptables -I .*)$", HANDBOOK, re.MULTILINE) == said
    made = "\n".join(one.what for one in plans.plan(System(lambda *_: Said(1, ""), tmp_path), Choices()))
    for place in {cell for row in rows(HANDBOOK, "Install")[1:] for cell in re.findall(r"`(/[\w./-]+)", row[0])}:
        assert place.rstrip("/…") in made, place


async def test_the_figures_are_those_that_are_described(database: Database, tmp_path: Path) -> None:
    async with built(database, tmp_path) as there:
        collected = list(metrics.ServiceCollector(there.services, dict, dict).collect())
    names = {f"{one.name}_total" if one.type == "counter" else one.name for one in collected}
    listed = [row[0].strip("`") for row in rows(OPERATORS, "Watching it")]
    assert {name for name in listed if name.startswith(metrics.PREFIX)} == names


def test_the_events_that_are_described_are_logged() -> None:
    named = {name for row in rows(OPERATORS, "Logs")[1:] for name in re.findall(r"`([^`]+)`", row[0])}
    assert named <= events()


def test_the_sentences_people_are_told_about_are_those_of_the_code() -> None:
    told = [row[0] for row in rows(USERS, "When something fails")[1:] if "(from `ssh`)" not in row[0]]
    assert len(told) > 5
    for sentence in told:
        (quoted,) = re.findall(r"^`([^`]+)`", sentence)
        parts = re.sub(r"^(AniList|Nyaa|qBittorrent): ", "", quoted).split("…")
        for part in (part.strip() for part in parts if part.strip()):
            assert any(part in text for text in sentences_of_the_code()), part


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(FENCED.sub("", PAGES[page])):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        assert file.is_file(), target
        assert not anchor or anchor in anchors(file.read_text()), target


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_files_that_are_named_exist(page: Path) -> None:
    for name in re.findall(
        r"`((?:uuutorrent|tests|docs|benchmarks|ssh|tui|releases|torrents|anime|store)/[\w./]+)`", PAGES[page]
    ):
        assert (ROOT / name).exists() or (ROOT / "uuutorrent" / name).exists(), name
    for module in re.findall(r"python -m ([a-z.]+)", PAGES[page]):
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file(), module


def test_the_two_commands_are_there() -> None:
    script = (ROOT / "dev").read_text()
    assert (ROOT / "dev").stat().st_mode & 0o111
    named = set(re.findall(r"\./dev ([a-z]+)", "\n".join(PAGES.values())))
    assert {"up", "test"} <= set(re.findall(r"\./dev ([a-z]+)", README)) <= named
    assert [name for name in named if f"\n{name})\n" not in script] == []


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.stem)
def test_a_picture_is_whole_and_fetches_nothing(picture: Path) -> None:
    drawn = picture.read_text()
    assert "uuutorrent" in "".join(ET.fromstring(drawn).itertext())
    assert re.findall(r"https?://[^\"\s<]+", drawn) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"url\(|href|@import|<script|<image", drawn)


def test_what_a_terminal_shows_is_drawn_in_its_place() -> None:
    row = [Cell("猫", 2, ink="#ff0000"), Cell("", 0), Cell("a", bold=True), Cell(" "), Cell(" "), Cell("<"), Cell("█")]
    drawn = svg([row, [Cell(" ")] * 7], title="t & t", about="a cat")
    assert 'x="0" y="13.2" textLength="16.8" fill="#ff0000">猫<' in drawn
    assert 'x="16.8" y="13.2" textLength="8.4"' in drawn
    assert ">&lt;<" in drawn
    assert '<rect x="50.4" y="0" width="8.4" height="18"' in drawn
    assert "t &amp; t" in "".join(drawn)
    ET.fromstring(drawn)


@pytest.mark.parametrize(
    ("title", "owners"),
    [
        ("The screens", (UuuApp, Table, WatchlistScreen, Shell)),
        ("The watchlist, and fetching", (WatchlistScreen, WatchingScreen, Shows)),
        ("Which release is taken", (ReleasesDialog, Candidates)),
        ("Torrents", (TorrentsScreen, DownloadsScreen, Torrents, Table)),
    ],
)
def test_the_keys_are_those_of_the_screens(title: str, owners: tuple[type[DOMNode], ...]) -> None:
    bound = {
        key for owner in owners for one in owner.BINDINGS if isinstance(one, Binding) for key in one.key.split(",")
    }
    named = [word.strip("`") for row in rows(USERS, title)[1:] for word in re.findall(r"`[^`]+`|[A-Z][a-z]+", row[0])]
    assert len(named) > 5
    assert [key for key in named if KEY_NAMES.get(key, key.lower() if len(key) > 1 else key) not in bound] == []
