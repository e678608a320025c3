"""Makes the pictures of the README from the real thing: `.venv/bin/python -m docs.pictures` (after `./dev test`).

A daemon of its own, a real qBittorrent that downloads from a seeder on this machine, a list and an index that stand in
for AniList and Nyaa, and a real `ssh` in a terminal of 110 columns by 24 rows. What that terminal shows is drawn as
SVG. The shows and the groups are made up, and nothing leaves the machine. Port 2222 must be free, so that the lines on
the screens read as they usually do. It takes about three minutes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyte

from docs.drawing import INK, Cell, colour, svg
from tests.servers.anilist import FakeAniList
from tests.servers.anilist_data import Media
from tests.servers.nyaa import FakeNyaa
from tests.stories.conftest import Town
from tests.stories.house import House, Screen
from tests.swarm import Swarm

PICTURES = Path(__file__).parent / "pictures"
COLUMNS, ROWS = 110, 24
PORT, NAME, HOST = 2222, "you", "seedbox.example.edu"
MIB = 1 << 20
FAST = 1 << 30
YEAR = 2026
SETTLE_S = 2.5
"""How long a screen is given to show the newest figures."""
TOAST_S = 7.0
"""After that a message has gone from the screen."""


@dataclass(frozen=True, slots=True)
class Show:
    """A show on the list: how many episodes there are, have aired and are seen; in how many hours the next one airs.

    `before` is the season before it, with so many episodes.
    """

    title: str
    english: str
    native: str
    episodes: int
    aired: int
    seen: int
    hours: float = 0
    before: tuple[str, int] | None = None


SHOWS = (
    Show("Umibe no Toshokan", "The Library by the Sea", "海辺の図書館", 12, 7, 5, 76.4),
    Show("星降る坂の喫茶店", "The Café on Starfall Hill", "", 13, 9, 8, 20.2),
    Show(
        "Soratobu Yuubinkyoku 2nd Season", "The Flying Post Office Season 2", "空飛ぶ郵便局 第2期", 24, 18, 14, 45.7,
        before=("Soratobu Yuubinkyoku", 12),
    ),
    Show("Garasu no Kisetsu", "Season of Glass", "硝子の季節", 12, 8, 7, 5.6),
    Show("Kikai to Odoru Yoru", "Dancing with Machines", "機械と踊る夜", 11, 8, 8, 2.3),
    Show("Toudaimori no Haru", "Spring of the Lighthouse Keeper", "灯台守の春", 12, 6, 6, 128.9),
    Show("Ginga Ryokan Monogatari", "Tales of the Galaxy Inn", "銀河旅館物語", 26, 20, 20, 98.1),
    Show("Neko wa Kaigi ni Iru", "There Is a Cat in the Meeting", "猫は会議にいる", 12, 12, 11),
    Show("Rakugaki Tantei", "The Doodle Detective", "落書き探偵", 12, 12, 4),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Post:
    """A release on the index, and how fast its seeder gives it. Who is `gone` gives nothing; 0 is only listed."""

    title: str
    mib: int
    seeders: int
    trusted: bool = False
    remake: bool = False
    bps: int = 0
    is_gone: bool = False


POSTS = (
    Post("[Hoshizora] Umibe no Toshokan - 06 (1080p) [3F2A91C7]", 412, 1204, trusted=True, bps=7 * MIB),
    Post("[Hoshizora] Umibe no Toshokan - 06 (720p) [B81D4406]", 238, 311, trusted=True),
    Post("[Mikan] Umibe no Toshokan - 06 [1080p HEVC 10bit AAC]", 305, 487),
    Post("[Mikan] Umibe no Toshokan - 06v2 [1080p HEVC 10bit AAC]", 306, 512),
    Post("[Yoake] The Library by the Sea - S01E06 (WEB 1080p AVC AAC) [Dual Audio]", 1434, 96, trusted=True),
    Post("[TinyEnc] Umibe no Toshokan - 06 [1080p x265]", 118, 41, remake=True),
    Post("[Hoshizora] Umibe no Toshokan - 05 (1080p) [77C0E9B2]", 405, 902, trusted=True),
    Post("[Mikan] Umibe no Toshokan - 07 [1080p HEVC 10bit AAC]", 301, 655),
    Post("[Hoshizora] 星降る坂の喫茶店 - 09 (1080p) [5D0E11AF]", 371, 840, trusted=True, bps=4 * MIB),
    Post("[Mikan] Soratobu Yuubinkyoku S2 - 15 [1080p HEVC 10bit AAC]", 288, 366, bps=2 * MIB),
    Post("[Yoake] Soratobu Yuubinkyoku - 27 (WEB 1080p AVC AAC)", 1122, 88, trusted=True),
    Post("[Hoshizora] Soratobu Yuubinkyoku 2nd Season - 15 (720p) [0C4D51E8]", 214, 67, trusted=True),
    Post("[Nanohana] Soratobu Yuubinkyoku Aki-hen - 15 [1080p]", 390, 31),
    Post("[Hoshizora] Garasu no Kisetsu - 08 (1080p) [90AB12CD]", 356, 731, trusted=True, bps=FAST),
    Post("[Mikan] Rakugaki Tantei - 05 [1080p HEVC 10bit AAC]", 264, 2, bps=FAST, is_gone=True),
    *(Post(f"[Mikan] Soratobu Yuubinkyoku S2 - {n} [1080p HEVC 10bit AAC]", 280 + n, 300 - n) for n in (16, 17, 18)),
    *(Post(f"[Mikan] Rakugaki Tantei - {n:02} [1080p HEVC 10bit AAC]", 258 + n, 60 + n) for n in (6, 7, 8, 9, 10)),
    Post("[Yoake] Neko wa Kaigi ni Iru - 12 (WEB 1080p AVC AAC)", 297, 158, bps=FAST),
)


def main() -> None:
    """Make them all."""
    with tempfile.TemporaryDirectory(prefix="pictures-") as place, ExitStack() as stack:
        town = town_of(Path(place), stack)
        fill(town)
        with town.house.screen(NAME, columns=COLUMNS, rows=ROWS) as screen:
            _tour(screen)
    sys.stdout.write(f"Drawn: {', '.join(sorted(path.name for path in PICTURES.glob('*.svg')))}\n")


def cells_of(screen: pyte.Screen) -> list[list[Cell]]:
    """What the terminal shows, cell by cell."""
    return [_row_of([screen.buffer[y][x] for x in range(screen.columns)]) for y in range(screen.lines)]


class Seedbox(House):
    """A house whose screens name a host as people know it, reached from a terminal that says it has all colours."""

    def options(self, name: str) -> list[str]:
        """As for any house, and what `~/.ssh/config` may say."""
        return [*super().options(name), "-o", "SetEnv=COLORTERM=truecolor"]

    def write_config(self) -> None:
        """As any house, reached under a name."""
        super().write_config()
        path = self.home / "config.toml"
        path.write_text(path.read_text().replace('public_host = "127.0.0.1"', f'public_host = "{HOST}"'))


def town_of(place: Path, stack: ExitStack, extra: str = "") -> Town:
    """A seedbox and what is outside of it; `extra` is more of its configuration."""
    (place / "seeds").mkdir()
    anilist, nyaa = stack.enter_context(FakeAniList()), stack.enter_context(FakeNyaa())
    swarm = stack.enter_context(Swarm(place / "seeds"))
    house = Seedbox(place / "house", anilist_url=anilist.url, nyaa_url=nyaa.url, port=PORT, extra=extra)
    stack.callback(lambda: house.stop() if house.process else None)
    return Town(house.start(), anilist, nyaa, swarm)


def fill(town: Town) -> None:
    """Somebody with a list, an index with releases, and torrents in every state."""
    house, member = town.house, town.moves_in(NAME)
    media = {}
    for show in reversed(SHOWS):  # the list shows the newest change first
        media[show.title] = _put_in(town, show)
        town.anilist.list_entry(member, media[show.title], progress=show.seen)
    for post in POSTS:
        _post(town, post)
    complete = [("Garasu no Kisetsu", 8), ("Neko wa Kaigi ni Iru", 12)]
    for title, episode in complete:
        house.json(NAME, "get", str(media[title].id), str(episode), "--wait", "60")
    house.json(NAME, "get", str(media["Rakugaki Tantei"].id), "5")
    house.until(lambda: _is_quiet(town), "something still moves", 150)
    files = {f"lecture {n}.mp4": bytes(size * MIB) for n, size in enumerate((38, 61, 45, 96), 1)}
    lectures = town.swarm.share("Distributed Systems, lectures 1-4", files, limit_bps=20 * MIB)
    paused = house.json(NAME, "add", "-", given=lectures.metainfo)
    house.until(lambda: _progress(town, paused["infohash"]) > 0.2, "nothing of the lectures")
    house.json(NAME, "pause", paused["infohash"])
    house.json(NAME, "get", str(media["Soratobu Yuubinkyoku 2nd Season"].id), "15")
    house.json(NAME, "get", str(media["星降る坂の喫茶店"].id), "9")
    _more_keys(house)


def _is_quiet(town: Town) -> bool:
    """Whether nothing reads as if it moved: qBittorrent lets the rate of a finished download fade out slowly."""
    time.sleep(2)
    return not any(one["down_bps"] for one in town.house.json(NAME, "torrents"))


def _more_keys(house: House) -> None:
    key = house.key("tablet")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{NAME}@tablet", "-f", key], check=True)
    house.json(NAME, "keys", "add", given=key.with_suffix(".pub").read_bytes())


def _put_in(town: Town, show: Show) -> Media:
    first = None
    if show.before is not None:
        title, episodes = show.before
        first = town.anilist.add_media(title, episodes=episodes, year=YEAR - 1, status="FINISHED")
    return town.anilist.add_media(
        show.title,
        english=show.english,
        native=show.native or None,
        episodes=show.episodes,
        year=YEAR,
        next_episode=show.aired + 1 if show.aired < show.episodes else None,
        airs_in=timedelta(hours=show.hours),
        sequel_of=first,
    )


def _post(town: Town, post: Post) -> None:
    name, size = f"{post.title}.mkv", post.mib * MIB
    made = town.swarm.share(name, bytes(size), limit_bps=post.bps, seed=not post.is_gone) if post.bps else None
    town.nyaa.post(
        name,
        torrent=made.metainfo if made else None,
        size=size,
        seeders=post.seeders,
        trusted=post.trusted,
        remake=post.remake,
        posted_at=datetime.now(UTC) - timedelta(days=1),
    )


def _progress(town: Town, infohash: str) -> float:
    (one,) = [one for one in town.house.json(NAME, "torrents") if one["infohash"] == infohash]
    return float(one["progress"])


def _tour(screen: Screen) -> None:
    """Go through the screens as a person does, and take a picture of each."""
    screen.shows("Umibe no Toshokan", "behind")
    time.sleep(TOAST_S)
    screen.type("\r")
    screen.shows("✓ link", "Episode 6 of", "Episode 6 downloading")
    _take(
        screen,
        "watchlist",
        "The watchlist: episode 6 is being fetched, and the message says which release was chosen",
        settle_s=1,
    )
    time.sleep(TOAST_S)
    screen.type("o")
    screen.shows("5 fit")
    screen.type("x")
    _take(screen, "releases", "The releases of an episode, best first, with the reasons")
    screen.type("\x1b")
    time.sleep(1)
    _correct(screen)
    _autopilot(screen)
    screen.type("2")
    screen.shows("Distributed Systems")
    for key in "jjjd":
        screen.type(key)
        time.sleep(0.3)
    _take(screen, "torrents", "The torrents: downloading, stalled, paused and seeding, with the files of one of them")
    screen.type("4")
    screen.shows("choice to make")
    _take(
        screen, "inbox", "The inbox: what finished, and an episode that the autopilot offers, with the keys that answer"
    )
    screen.type("5")
    screen.shows("AniList", "scp")
    _take(screen, "account", "The account: AniList, keys, taste, space, and the lines to type")


def _correct(screen: Screen) -> None:
    """The third show: a release under a title that nobody knows, and what can be said of it."""
    screen.type("jj")
    time.sleep(0.5)
    screen.type("o")
    screen.shows("3 fit")
    screen.type("x")
    screen.shows("Aki-hen")
    while "› ✗ [Nanohana]" not in screen.text:
        screen.type("j")
        time.sleep(0.3)
    screen.type("c")
    screen.shows("What is right?")
    _take(screen, "correct", "A release under a title that AniList does not know, and what can be said of it")
    screen.type("\x1b")
    screen.shows("another show")
    screen.type("\x1b")
    screen.shows("On air")


def _autopilot(screen: Screen) -> None:
    """The plan that comes before the autopilot takes anything, and a show that asks about what had aired."""
    screen.type("A")
    screen.shows("It is off")
    screen.type("m")
    screen.shows("What the autopilot does")
    screen.type("n")
    screen.shows("Nothing is taken before you say so.")
    _take(
        screen,
        "plan",
        "The plan of the autopilot: what has aired and is missing, of which release, and the quota after it",
    )
    screen.type("\x1b")
    time.sleep(1)
    screen.type("\x1b")
    screen.shows("On air")
    for key in "gjj":
        screen.type(key)
        time.sleep(0.5)
    screen.type("m")
    screen.shows("for one show")
    screen.type("a")
    screen.shows("Press 4 to answer")
    time.sleep(TOAST_S)


def _take(screen: Screen, name: str, about: str, *, settle_s: float = SETTLE_S) -> None:
    time.sleep(settle_s)
    sys.stderr.write(f"{name}\n{screen.text}\n")
    drawn = svg(cells_of(screen._screen), title=f"ssh -p {PORT} {NAME}@{HOST}", about=about)
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / f"{name}.svg").write_text(drawn)


def _row_of(row: Sequence[pyte.screens.Char]) -> list[Cell]:
    widths = [2 if x + 1 < len(row) and row[x + 1].data == "" else int(char.data != "") for x, char in enumerate(row)]
    return [_cell(char, width) for char, width in zip(row, widths, strict=True)]


def _cell(char: pyte.screens.Char, columns: int) -> Cell:
    ink, ground = colour(char.fg, INK), colour(char.bg, "#121212")
    if char.reverse:
        ink, ground = ground, ink
    return Cell(char.data, columns, ink, ground, char.bold, char.italics, char.underscore)


if __name__ == "__main__":
    main()
