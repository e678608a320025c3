"""The documents of all verbs have the keys that `docs/commands.md` shows."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PASSWORD
from tests.people import OTHER, a_key
from tests.servers.receiver import receiving
from tests.ssh.verbs.conftest import House
from tests.ssh.verbs.test_upkeep import leave, watched
from tests.test_secondfactors import code_of
from tests.torrents import metainfos
from uuutorrent.automation.every import Job, take_turn
from uuutorrent.automation.feeds.rule import Saving, Terms
from uuutorrent.automation.inbox.notice import Kind
from uuutorrent.penalties import Offence, Source
from uuutorrent.presence import Here
from uuutorrent.signup import Newcomer
from uuutorrent.ssh import commands
from uuutorrent.torrents.engine import NewTorrent, Peer, Phase, Tracker
from uuutorrent.torrents.metainfo import parse_torrent
from uuutorrent.torrents.placing import OURS

PAGE = (Path(__file__).parents[3] / "docs/commands.md").read_text()
SECTIONS = dict(re.findall(r"^### (.+?)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))


def described(name: str) -> Any:
    """The example of a verb's document, or the one it refers to."""
    shown = re.search(r"^```json\n(.*?)^```", SECTIONS[name], re.MULTILINE | re.DOTALL)
    if shown:
        return json.loads(shown[1])
    said = re.search(r"The document is (an entry|a list of|your taste|as)\b[^.]*?\[([a-z ]+)\]\(#", SECTIONS[name])
    assert said, name
    there = described(said[2])
    if said[1] == "an entry":
        return there[0]
    return [there] if said[1] == "a list of" else there


def shape(document: Any) -> Any:
    """The keys of a document, all the way down."""
    if isinstance(document, Mapping):
        return {key: shape(value) for key, value in document.items()}
    if isinstance(document, Sequence) and not isinstance(document, str):
        return [shape(document[0])] if document and isinstance(document[0], Mapping) else []
    return None


async def about_shows(house: House) -> dict[str, Any]:
    show = house.frieren.id
    ann = house.ann
    house.post(1)
    return {
        "shows": await ann.json("shows frieren"),
        "watch": await ann.json(f"watch {show}"),
        "watchlist": await ann.json("watchlist"),
        "progress": await ann.json(f"progress {show} 0"),
        "status": await ann.json(f"status {show} paused"),
        "search": await ann.json(f"search {show} 1"),
        "get": await ann.json(f"get {show} 1"),
        "grabs": await ann.json("grabs"),
        "taste": await ann.json("taste"),
        "taste set": await ann.json("taste set --resolutions 1080"),
        "taste show": await ann.json(f"taste show {show}"),
        "taste clear": await ann.json(f"taste clear {show}"),
        "unwatch": await ann.json(f"unwatch {show}"),
    }


async def about_corrections(house: House) -> dict[str, Any]:
    show, ann, bob, boss = house.frieren.id, house.ann, house.bob, house.boss
    posted = house.post(1)
    return {
        "correct release": await ann.json(f"correct release {show} 1 {posted.infohash} --is-not"),
        "correct offset": await ann.json(f"correct offset {show} 28 --group SubsPlease"),
        "correct title": await ann.json(f"correct title {show} Frieren at the Funeral"),
        "corrections": await ann.json("corrections"),
        "corrections offers": await bob.json(f"corrections offers {show}"),
        "corrections accept": await bob.json("corrections accept 1"),
        "corrections decline": await bob.json("corrections decline 2"),
        "corrections remove": await bob.json("corrections remove 2"),
        "corrections all": await boss.json("corrections all"),
        "corrections share": await boss.json("corrections share 1 on"),
        "corrections reject": await boss.json("corrections reject 1"),
    }


async def about_feeds(house: House) -> dict[str, Any]:
    ann = house.ann
    house.post(1)
    return {
        "feeds add": await ann.json(f"feeds add {house.nyaa.url}/?page=rss"),
        "feeds test": await ann.json("feeds test 1"),
        "feeds poll": await ann.json("feeds poll"),
        "feeds list": await ann.json("feeds list"),
        "feeds log": await ann.json("feeds log"),
        "feeds change": await ann.json("feeds change 1 --daily 5"),
        "feeds disable": await ann.json("feeds disable 1"),
        "feeds enable": await ann.json("feeds enable 1"),
        "feeds remove": await ann.json("feeds remove 1"),
    }


async def about_the_autopilot(house: House) -> dict[str, Any]:
    show, ann = house.frieren.id, house.ann
    for line in (f"watch {show}", f"status {show} current", f"progress {show} 26"):
        await ann.json(line)
    house.post(27)
    return {
        "autopilot plan": await ann.json("autopilot plan"),
        "autopilot on": await ann.json("autopilot on --confirm all"),
        "autopilot show": await ann.json(f"autopilot show {show} ask"),
        "autopilot": await ann.json("autopilot"),
        "autopilot decide": await ann.json("autopilot decide 1 skip"),
        "autopilot off": await ann.json("autopilot off"),
        "autopilot ask": await ann.json("autopilot ask --confirm new"),
    }


async def about_the_inbox(house: House) -> dict[str, Any]:
    ann, inbox, show = house.ann, house.services.inbox, house.frieren
    house.anilist.list_entry(member := house.anilist.add_user("AnnThere"), show)
    await house.services.watchlists.link(ann.user, member.token)
    about: dict[str, Any] = {"key": f"watched:{show.id}:5", "media_id": show.id, "episode": 5}
    await inbox.tell(ann.user.id, Kind.WATCHED, "Watched?", choices=("yes", "no"), **about)
    return {
        "inbox": await ann.json("inbox"),
        "activity": await ann.json("activity"),
        "inbox answer": await ann.json("inbox answer 1 yes"),
        "inbox seen": await ann.json("inbox seen"),
        "inbox watched": await ann.json("inbox watched"),
    }


async def about_channels(house: House) -> dict[str, Any]:
    ann = house.ann
    async with receiving() as receiver:
        return {
            "notify add": await ann.json(f"notify add {receiver.url}"),
            "notify list": await ann.json("notify list"),
            "notify test": await ann.json("notify test 1"),
            "notify change": await ann.json("notify change 1 --digest 5"),
            "notify disable": await ann.json("notify disable 1"),
            "notify enable": await ann.json("notify enable 1"),
            "notify remove": await ann.json("notify remove 1"),
            "notify quiet": await ann.json("notify quiet 23:30 07:00 --zone Europe/Berlin"),
        }


async def about_torrents(house: House) -> dict[str, Any]:
    ann, held = house.ann, await house.holds(house.ann, "Lectures", {"one.mkv": 5})
    house.engine.peers_of[held] = (Peer("203.0.113.7:51413", "qBittorrent 5.1.0", 1.0, 0, 0),)
    house.engine.trackers_of[held] = (Tracker("https://tracker.example.org/announce", "working", 1, 1, ""),)
    documents = {
        "torrents": await ann.json("torrents"),
        "show": await ann.json(f"show {held}"),
        "pause": await ann.json(f"pause {held}"),
        "resume": await ann.json(f"resume {held}"),
        "recheck": await ann.json(f"recheck {held}"),
        "priority": await ann.json(f"priority {held} 0 --to high"),
        "sequential": await ann.json(f"sequential {held} on"),
        "limit": await ann.json(f"limit {held} --down 2M"),
        "add": await ann.json("add -", metainfos.single("lecture.mkv")),
    }
    await house.completes(held, {"Lectures/one.mkv": b"12345"})
    documents |= {"files": await ann.json("files /torrents"), "cat": await ann.json("cat /torrents/Lectures/one.mkv")}
    return documents | {"delete": await ann.json(f"delete {held} --files")}


async def about_stuck_downloads(house: House) -> dict[str, Any]:
    ann, services, show = house.ann, house.services, house.frieren.id
    old, new = house.post(1), house.nyaa.post("[Other] Sousou no Frieren - 01 (1080p)", size=1000, seeders=9)
    await ann.json(f"get {show} 1")
    later = datetime.now(UTC) + timedelta(days=1)
    await services.releases.blocks.block(ann.user.id, old.infohash, title="x", reason="dead", until=later)
    await services.replacing.replace(
        ann.user, old.infohash, parse_torrent(new.torrent), media_id=show, episode=1, title=new.title, why="it is dead"
    )
    return {
        "timeline": await ann.json(f"timeline {new.infohash}"),
        "blocks": await ann.json("blocks"),
        "blocks all": await house.boss.json("blocks all"),
        "blocks lift": await ann.json(f"blocks lift {old.infohash}"),
        "blocks add": (added := await house.boss.json(f"blocks add {old.infohash} a virus")),
        "blocks drop": await house.boss.json(f"blocks drop {added['id']}"),
        "undo": await ann.json("undo 1"),
    }


async def about_oneself(house: House) -> dict[str, Any]:
    ann = house.ann
    return {
        "link": await ann.json("link", house.anilist.add_user("AnnOnAniList").token.encode()),
        "whoami": await ann.json("whoami"),
        "unlink": await ann.json("unlink"),
        "passwd": await ann.json("passwd", f"{PASSWORD}\n{OTHER}\n".encode()),
        "keys add": await ann.json(f"keys add {a_key()}"),
        "keys list": await ann.json("keys list"),
        "keys remove": await ann.json("keys remove 1"),
    }


async def about_people(house: House) -> dict[str, Any]:
    boss = house.boss
    return {
        "users add": await boss.json("users add carl"),
        "users list": await boss.json("users list"),
        "users passwd": await boss.json("users passwd carl"),
        "users role": await boss.json("users role carl admin"),
        "users quota": await boss.json("users quota carl --bytes 200G"),
        "users disable": await boss.json("users disable carl"),
        "users approve": await boss.json(f"users approve {await waiting(house, 'kim')}"),
        "users reject": await boss.json(f"users reject {await waiting(house, 'lee')}"),
        "users unfactor": await unfactored(house),
        "users enable": await boss.json("users enable carl"),
        "users delete": await boss.json("users delete carl"),
    }


async def waiting(house: House, name: str) -> str:
    """Somebody who signed up, and waits for a yes."""
    house.people_sign_up("open")
    await house.services.signups.sign_up(Newcomer(name, password=PASSWORD))
    return name


async def about_invitations(house: House) -> dict[str, Any]:
    house.people_sign_up("invite")
    return {
        "invites create": await house.boss.json("invites create --note 'the film club'"),
        "invites list": await house.boss.json("invites list"),
        "invites revoke": await house.boss.json("invites revoke 1"),
    }


async def unfactored(house: House) -> Any:
    begun = await house.ann.json("factor begin")
    await house.ann.json(f"factor confirm {code_of(begun['secret'], -1)}")
    return await house.boss.json("users unfactor ann")


async def about_factors(house: House) -> dict[str, Any]:
    ann, secret = house.ann, ""

    async def begun() -> Any:
        nonlocal secret
        answer = await ann.json("factor begin")
        secret = answer["secret"]
        return answer

    return {
        "factor begin": await begun(),
        "factor confirm": await ann.json(f"factor confirm {code_of(secret, -1)}"),
        "factor": await ann.json("factor"),
        "code": await ann.json(f"code {code_of(secret)}"),
        "factor codes": await ann.json(f"factor codes {code_of(secret, 1)}"),
        "factor remove": await removed(house),
    }


async def about_being_here(house: House) -> dict[str, Any]:
    ann = house.ann
    here = Here(ann.user, "192.0.2.7", "publickey", say=lambda _: True)
    house.services.presence.came(here)
    return {
        "sessions": await ann.json("sessions"),
        "sessions message": await house.boss.json(f"sessions message {here.id} hello"),
        "sessions end": await ann.json(f"sessions end {here.id}"),
        "account": await ann.json("account"),
        "account delete": await ann.json("account delete ann", f"{PASSWORD}\n".encode()),
    }


async def removed(house: House) -> Any:
    """With a second factor made anew: a code can be used once only."""
    await house.boss.json("users unfactor ann")
    begun = await house.ann.json("factor begin")
    confirmed = await house.ann.json(f"factor confirm {code_of(begun['secret'])}")
    return await house.ann.json(f"factor remove {confirmed['recovery_codes'][0]}")


async def about_sources(house: House) -> dict[str, Any]:
    house.services.penalties.add(Source("192.0.2.7"), Offence.UNKNOWN, 3)
    return {
        "penalties list": await house.boss.json("penalties list"),
        "penalties lift": await house.boss.json("penalties lift 192.0.2.7"),
        "panic on": await house.boss.json("panic on a letter came"),
        "panic": await house.boss.json("panic"),
        "panic off": await house.boss.json("panic off"),
    }


async def about_health(house: House) -> dict[str, Any]:
    infohash = await house.holds(house.ann, "Lectures", {"one.mkv": 5})
    house.engine.change(infohash, phase=Phase.MISSING)
    await house.services.live.refresh()
    await house.services.observations.look_once()
    await house.services.machine.sample_once()
    now, book = datetime.now(UTC), house.services.feeds.rulebook
    await book.add(house.ann.user, "https://tracker.example/rss", Terms(), Saving(), now)
    (feed,) = await book.due(now)
    await book.failed(feed, "It answered 503.", now)
    await take_turn(Job("guard", 1, 10, house.services.upkeep.guard_once), house.services.tally)
    return {
        "machine": await house.boss.json("machine"),
        "health": await house.boss.json("health"),
        "audit": await house.boss.json("audit"),
    }


async def about_upkeep(house: House) -> dict[str, Any]:
    boss = house.boss
    held = await house.holds(house.ann, "Lectures", {"one.mkv": 5})
    await house.completes(held, {"Lectures/one.mkv": b"12345"})
    await house.ann.says(f"delete {held}")
    leave(house)
    for name, tag in (("lost.mkv", OURS), ("theirs.iso", "")):
        made = parse_torrent(metainfos.single(name))
        tags = tuple(filter(None, [tag]))
        await house.engine.add(NewTorrent(made.v1, "", name, made.raw, None, "/elsewhere", "", tags))
    await watched(house, house.ann)
    return {
        "policy": await boss.json("policy bob --ratio 2"),
        "traffic": await boss.json("traffic"),
        "orphans": await boss.json("orphans"),
        "orphans remove": await boss.json("orphans remove left.mkv"),
        "tidy": await house.ann.json("tidy 14"),
    }


ABOUT = (
    about_shows,
    about_corrections,
    about_feeds,
    about_stuck_downloads,
    about_the_autopilot,
    about_the_inbox,
    about_channels,
    about_torrents,
    about_oneself,
    about_factors,
    about_being_here,
    about_people,
    about_invitations,
    about_sources,
    about_health,
    about_upkeep,
)


@pytest.mark.parametrize("about", ABOUT)
async def test_documents_are_as_described(house: House, about: Callable[[House], Awaitable[dict[str, Any]]]) -> None:
    documents = await about(house)
    assert {name: shape(answer) for name, answer in documents.items()} == {
        name: shape(described(name)) for name in documents
    }


def test_no_verb_is_left_out() -> None:
    asked = re.compile(r'"([a-z ]+)": \(?(?:\w+ := )?await')
    shown = {name for about in ABOUT for name in asked.findall(inspect.getsource(about))}
    assert shown == {" ".join(verb.name) for verbs in commands.SUBJECTS.values() for verb in verbs}
