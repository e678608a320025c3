"""How long `get` takes, from the command to the torrent added, against fakes of AniList and Nyaa on loopback.

Run: python -m benchmarks.get [--runs 50] [--slow SECONDS] [--seen]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path

import asyncssh

from benchmarks.machine import machine, percentile
from tests.servers.anilist import FakeAniList
from tests.servers.nyaa import FakeNyaa
from tests.stories.house import House
from tests.swarm import make

BREATH_S = 4.2
"""Between two runs: the daemon asks the index at most once in two seconds, and that pause is not what is measured."""
EPISODE = 5
SMALL = 20_000
"""Bytes of each episode: nothing is downloaded."""


async def measure(house: House, media: list[int], *, seen: bool) -> tuple[list[float], list[dict[str, float]]]:
    """Wall seconds of each `get` over one open connection, and what the daemon says each step took."""
    walls, steps = [], []
    options = {"username": "ann", "client_keys": [str(house.key("ann"))], "known_hosts": None, "config": None}
    async with asyncssh.connect("127.0.0.1", house.port, **options) as connection:
        for number in media:
            if seen:
                await connection.run("watchlist --json", check=True)
            await asyncio.sleep(BREATH_S)
            begun = time.perf_counter()
            done = await connection.run(f"get {number} {EPISODE} --json")
            walls.append(time.perf_counter() - begun)
            answer = json.loads(str(done.stdout))
            assert answer["state"] == "added", answer
            steps.append({step["step"]: step["ms"] for step in answer["steps"]})
    return walls, steps


def main() -> None:
    """Print p50 and p95, and the median of each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--slow", type=float, default=0.0, help="seconds that AniList and Nyaa each take to answer")
    parser.add_argument("--seen", action="store_true", help="look at the watchlist before each get, as a person does")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, FakeAniList() as anilist, FakeNyaa() as nyaa:
        house = House(Path(folder) / "house", anilist_url=anilist.url, nyaa_url=nyaa.url).start()
        house.add_user("ann")
        member = anilist.add_user("Ann")
        house.json("ann", "link", given=member.token.encode())
        shows = [anilist.add_media(f"Made Up Show {chr(65 + n % 26)}{n}", episodes=12) for n in range(given.runs)]
        for show in shows:
            anilist.list_entry(member, show, progress=EPISODE - 1)
            for episode in range(1, 13):
                name = f"[Group] {show.romaji} - {episode:02} (1080p) [{show.id:04X}{episode:04X}].mkv"
                wanted = make(Path(folder), name, SMALL).metainfo if episode == EPISODE else None
                nyaa.post(name, torrent=wanted, size=300_000_000)
        anilist.delay_s = nyaa.delay_s = given.slow
        walls, steps = asyncio.run(measure(house, [show.id for show in shows], seen=given.seen))
        house.stop()
    print(machine())
    seen = "just seen" if given.seen else "not seen"
    print(f"get, upstream answers after {given.slow:g} s, watchlist {seen}, {given.runs} runs:")
    print(f"  wall p50 {percentile(walls, 50) * 1000:.0f} ms, p95 {percentile(walls, 95) * 1000:.0f} ms")
    for name in steps[0]:
        print(f"  {name:10} median {percentile([run.get(name, 0.0) for run in steps], 50):.1f} ms")


if __name__ == "__main__":
    main()
