"""torrents, show, add, files: what they print, what they refuse, and what is said while qBittorrent is away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.ssh.prompt import an_instant
from tests.ssh.verbs.conftest import House
from tests.torrents import metainfos
from uuutorrent.torrents.engine import Peer, Tracker

TORRENT = {
    "infohash", "name", "phase", "progress", "size", "completed", "down_bps", "up_bps", "eta_s", "ratio", "seeds",
    "peers", "added_at", "completed_at", "media_id", "episode", "episodes", "part", "owners", "shared", "sequential",
    "down_limit_bps", "up_limit_bps", "note", "health", "why",
}  # fmt: skip
MAGNET = f"magnet:?xt=urn:btih:{'ab' * 20}&dn=Lecture"


async def test_torrents_tell_what_scripts_rely_on(house: House) -> None:
    infohash = await house.holds(house.ann)
    house.engine.progress(infohash, 0.5, down_bps=2_000_000)
    await house.services.live.refresh()
    (torrent,) = await house.ann.json("torrents")
    assert set(torrent) == TORRENT
    assert datetime.now(UTC) - an_instant(torrent.pop("added_at")) < timedelta(minutes=1)
    assert torrent == {
        "infohash": infohash,
        "name": "Lecture",
        "phase": "downloading",
        "progress": 0.5,
        "size": 3000,
        "completed": 1500,
        "down_bps": 2_000_000,
        "up_bps": 0,
        "eta_s": 60,
        "ratio": 0.0,
        "seeds": 1,
        "peers": 0,
        "completed_at": None,
        "media_id": None,
        "episode": None,
        "episodes": [],
        "part": False,
        "owners": [],
        "shared": False,
        "sequential": False,
        "down_limit_bps": 0,
        "up_limit_bps": 0,
        "note": "",
        "health": "well",
        "why": "",
    }
    assert (await house.ann.says("torrents")).splitlines() == [
        "HASH        PHASE        DONE  RATE       SIZE     NAME",
        f"{infohash[:10]}  downloading  50 %  1.9 MiB/s  2.9 KiB  Lecture",
    ]


async def test_a_torrent_that_is_whole_says_since_when(house: House) -> None:
    infohash = await house.holds(house.ann)
    await house.completes(infohash, {"Lecture/Show - 01.mkv": bytes(1000), "Lecture/Show - 02.mkv": bytes(2000)})
    (torrent,) = await house.ann.json("torrents")
    assert (torrent["phase"], torrent["progress"]) == ("seeding", 1.0)
    assert an_instant(torrent["completed_at"]) <= datetime.now(UTC)


async def test_everybodys_torrents_are_for_admins(house: House) -> None:
    await house.holds(house.ann, "Ann's")
    shared = await house.holds(house.ann, "Both's")
    await house.holds(house.bob, "Both's")
    assert "admins" in await house.ann.fails("torrents --all", 3)
    every = await house.boss.json("torrents --all")
    assert {one["name"]: one["owners"] for one in every} == {"Ann's": ["ann"], "Both's": ["ann", "bob"]}
    assert "Both's [ann, bob]" in await house.boss.says("torrents --all")
    assert await house.boss.json("torrents") == []
    assert [one["owners"] for one in await house.bob.json("torrents")] == [[]]
    assert [one["shared"] for one in await house.bob.json("torrents")] == [True]
    assert [one["infohash"] for one in await house.bob.json("torrents")] == [shared]


async def test_long_names_are_folded_and_whole(house: House) -> None:
    name = "[Group] A Very Long Title of a Show That Nobody Can Remember - 05 (BD 1080p HEVC 10-bit FLAC) [ABCD1234]"
    await house.holds(house.ann, name)
    for width in (66, 80, 120):
        _, *rows = (await house.ann.says("torrents", width=width)).splitlines()
        margin = rows[0].index("[Group]")
        assert "".join(row[margin:] for row in rows).replace(" ", "") == name.replace(" ", "")
        assert all(row[:margin].isspace() for row in rows[1:])


@pytest.mark.parametrize(
    ("source", "name"), [(f"'{MAGNET}'", "Lecture"), (f"'{MAGNET.removesuffix('&dn=Lecture')}'", "magnet abababababab")]
)
async def test_a_magnet_is_added_once(house: House, source: str, name: str) -> None:
    assert await house.ann.json(f"add {source}") == {"infohash": "ab" * 20, "name": name, "already": False}
    assert (await house.ann.json(f"add {source}"))["already"] is True
    assert await house.ann.says(f"add {source}") == f"You have it already: {name}\n"
    assert await house.bob.says(f"add {source}") == f"Added: {name}\n"


async def test_a_torrent_file_is_added_from_stdin_and_from_an_address(house: House) -> None:
    post = house.post(5)
    by_address = await house.ann.json(f"add {house.nyaa.url}/download/{post.id}.torrent")
    assert by_address["infohash"] == post.infohash
    by_file = await house.bob.json("add -", post.torrent)
    assert by_file == {"infohash": post.infohash, "name": post.title, "already": False}


async def test_what_takes_much_of_what_is_left_is_told_before_it_is_added(house: House) -> None:
    await house.boss.says("users quota ann --size 4000")
    answers = [await house.ann.type("add -", metainfos.single(name, 1500)) for name in ("one", "one", "two")]
    assert [answer.err for answer in answers] == [
        "it needs 1 KiB, you have 4 KiB of 4 KiB left\n", "", "it needs 1 KiB, you have 2 KiB of 4 KiB left\n"
    ]  # fmt: skip
    refused = await house.ann.fails("add -", 3, metainfos.single("three", 1500))
    assert "It needs 1 KiB; 1 KiB of your 4 KiB are free." in refused


async def test_what_cannot_be_added_is_refused(house: House) -> None:
    for line, given, code in (
        ("add -", b"", 2),
        ("add -", b"not a torrent", 2),
        ("add -", b"x" * (9 << 20), 2),
        ("add", b"", 2),
        ("add magnet:?dn=nothing", b"", 2),
        ("add ftp://127.0.0.1/x.torrent", b"", 2),
        ("add /etc/passwd", b"", 2),
        ("add http://169.254.169.254/latest/meta-data", b"", 3),
        ("add http://10.0.0.1/x.torrent", b"", 3),
        ("add http://127.0.0.1:9/x.torrent", b"", 75),
    ):
        assert await house.ann.fails(line, code, given)
        assert await house.ann.json("torrents") == []


async def test_a_torrent_that_is_too_large_is_refused(house: House) -> None:
    assert "Delete something first" in await house.ann.fails("add -", 3, metainfos.single("Big.mkv", 60 << 30))


async def test_a_torrent_from_near(house: House) -> None:
    infohash = await house.holds(house.ann)
    house.engine.file_progress(infohash, 1, 0.25)
    house.engine.trackers_of[infohash] = (Tracker("http://tracker/announce", "working", 5, 2, ""),)
    house.engine.peers_of[infohash] = (Peer("10.1.2.3:6881", "qBittorrent/4.5.2", 0.5, 1000, 2000),)
    near = await house.ann.json(f"show {infohash}")
    assert set(near) == {"torrent", "files", "trackers", "peers"}
    assert set(near["torrent"]) == TORRENT
    assert near["files"] == [
        {"index": 0, "path": "Lecture/Show - 01.mkv", "size": 1000, "progress": 0.0, "priority": "normal"},
        {"index": 1, "path": "Lecture/Show - 02.mkv", "size": 2000, "progress": 0.25, "priority": "normal"},
    ]
    assert near["trackers"] == [
        {"url": "http://tracker/announce", "status": "working", "seeds": 5, "peers": 2, "message": ""}
    ]
    assert near["peers"] == [
        {"address": "10.1.2.3:6881", "client": "qBittorrent/4.5.2", "progress": 0.5, "down_bps": 1000, "up_bps": 2000}
    ]
    shown = await house.ann.says(f"show {infohash}")
    for part in ("1      25 %  normal    2.0 KiB  Lecture/Show - 02.mkv", "http://tracker/announce", "10.1.2.3:6881"):
        assert part in shown


async def test_a_magnet_from_near_says_what_is_not_known_yet(house: House) -> None:
    await house.ann.says(f"add '{MAGNET}'")
    assert "Its files are not known yet." in await house.ann.says("show abababab")
    assert "metadata" in await house.ann.fails("priority abababab all --to skip", 5)


async def test_a_hash_may_be_cut_short_and_typed_large(house: House) -> None:
    infohash = await house.holds(house.ann)
    assert (await house.ann.json(f"pause {infohash[:6].upper()}"))["infohash"] == infohash
    assert (await house.ann.json(f"pause {infohash.upper()}"))["infohash"] == infohash
    assert "at least 6" in await house.ann.fails(f"pause {infohash[:5]}", 2)
    assert await house.ann.fails("pause ''", 2)


async def test_a_hash_that_could_be_several_is_refused(house: House) -> None:
    for last in "12":
        await house.ann.says(f"add 'magnet:?xt=urn:btih:{'c' * 39}{last}'")
    assert "several" in await house.ann.fails("pause cccccc", 2)
    assert (await house.ann.json(f"pause {'c' * 39}1"))["infohash"] == f"{'c' * 39}1"


async def test_a_hybrid_is_named_by_either_hash(house: House) -> None:
    added = await house.ann.json("add -", metainfos.hybrid())
    stored = await house.services.library.claimed(house.ann.user, added["infohash"])
    assert stored is not None
    assert stored.v2
    assert (await house.ann.json(f"pause {stored.v2}"))["infohash"] == stored.v1


async def test_while_qbittorrent_is_away_what_was_last_seen_is_shown(house: House) -> None:
    await house.holds(house.ann)
    await house.away()
    answer = await house.ann.type("torrents")
    assert answer.code == 75
    assert "Lecture" in answer.out
    assert answer.err.startswith("qBittorrent: cannot be reached; this is from 20")
    scripted = await house.ann.type("torrents --json")
    assert (scripted.code, list(scripted.json)) == (75, ["error"])
    added = await house.ann.type("add - --json", metainfos.single())
    assert (added.code, added.json["name"], added.json["error"]["code"]) == (75, "Show - 01.mkv", "unreachable")
    assert "as soon as qBittorrent answers" in added.err


async def test_files_are_listed_as_sftp_shows_them(house: House) -> None:
    assert await house.ann.says("files /torrents") == "Nothing is here yet.\n"
    rooms = ["anime", "drop", "incoming", "new", "torrents", "unwatched"]
    assert [entry["name"] for entry in await house.ann.json("files")] == rooms
    infohash = await house.holds(house.ann, files={"01.mkv": 1000, "Extras/a.txt": 5})
    await house.completes(infohash, {"Lecture/01.mkv": bytes(1000), "Lecture/Extras/a.txt": bytes(5)})
    (folder,) = await house.ann.json("files /torrents")
    assert an_instant(folder.pop("modified_at")) <= datetime.now(UTC)
    assert folder == {"name": "Lecture", "dir": True, "size": 0}
    file, extras = await house.ann.json("files /torrents/Lecture")
    assert (file["name"], file["dir"], file["size"]) == ("01.mkv", False, 1000)
    assert (extras["name"], extras["dir"]) == ("Extras", True)
    shown = await house.ann.says("files torrents/Lecture")
    assert "Extras/" in shown
    assert "1000 B" in shown
    for path, code in (("/torrents/Lecture/nothing", 4), ("/../../etc", 4), ("/torrents/Lecture/01.mkv", 2)):
        assert await house.ann.fails(f"files {path}", code)
    assert await house.bob.json("files /torrents") == []
    assert await house.bob.fails("files /torrents/Lecture", 4)


async def test_names_in_torrents_do_not_drive_the_terminal(house: House) -> None:
    name = "Evil\x1b]52;c;eA==\x07\u202e\x9b31m\nrow"
    infohash = await house.holds(house.ann, name, {"\x1b[2J.mkv": 100, "b\u2028.mkv": 5})
    house.engine.trackers_of[infohash] = (Tracker("http://t/", "not working", 0, 0, "go \x1b[31maway\n"),)
    house.engine.peers_of[infohash] = (Peer("10.1.2.3:1", "client\x1b[5m", 0.5, 0, 0),)
    lines = (f"show {infohash}", "torrents", f"pause {infohash}", f"priority {infohash} all --to skip")
    for line in lines:
        assert all(char.isprintable() or char == "\n" for char in await house.ann.says(line))
        answer = await house.ann.type(f"{line} --json")
        assert answer.json
        assert answer.out.rstrip("\n").isprintable()
    near = await house.ann.json(f"show {infohash}")
    assert near["torrent"]["name"] == name
    assert near["trackers"][0]["message"] == "go \x1b[31maway\n"
    failed = await house.ann.type("add -", metainfos.several(name))
    assert failed.out.count("\n") == 1
