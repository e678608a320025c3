"""How well names are read and releases chosen, and how fast, beside anitopy.

Run: python -m benchmarks.matching [--anitomy data.json] [--titles file.tsv] [--mutations 100000] [--misses]

`--anitomy` is anitomy's own test data (github.com/erengy/anitomy, test/data.json); it is measured, not kept here.
A name counts as right when title, episode or range, and season are; titles are compared without case, spaces and
punctuation. "Known" means that the right title is cut out first, as the ranking does with all titles of a family.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import anitopy

from benchmarks.machine import machine
from tests.releases.cases import questions
from tests.releases.corpus import (
    TITLES,
    Labelled,
    episode_is_right,
    is_right,
    labelled,
    season_is_right,
    title_is_right,
)
from uuutorrent.releases.names import Reader, parse
from uuutorrent.releases.ranking import best, rank
from uuutorrent.releases.release import ReleaseName

Read = Callable[[Labelled], ReleaseName]
PIECES = ["[", "]", "(", "第", "話", " - ", "S", "E", "0", "²", "½", "|", "\x00", "~12", "v", ".", "_", "【", "1080"]


def from_anitomy(path: Path) -> list[Labelled]:
    return [_label(case["input"], case["output"]) for case in json.loads(path.read_text())]


def _label(name: str, said: dict[str, Any]) -> Labelled:
    season, episode = _ends(said.get("season", "")), _ends(said.get("episode", ""))
    return Labelled(name, (str(said.get("title", "")),), season, episode, str(said.get("release_group", "")), "")


def _ends(said: str | list[str]) -> str:
    """A number or a range, as the corpora write it: letters behind an episode (12a) are dropped."""
    values = said if isinstance(said, list) else [said]
    found = [match[0] for value in values if (match := re.match(r"\d+(\.\d+(?!\w))?", value))]
    plain = [value if "." in value else str(int(value)) for value in found]
    if plain and "." in plain[0]:
        return str(float(plain[0]))
    return "-".join(dict.fromkeys((plain[0], plain[-1]))) if plain else ""


def by_anitopy(label: Labelled) -> ReleaseName:
    try:
        said = anitopy.parse(label.name) or {}
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        said = {}
    season, episode = _ends(said.get("anime_season", "")), _ends(said.get("episode_number", ""))
    first, _, last = episode.partition("-")
    from_, _, to = season.partition("-")
    return ReleaseName(
        raw=label.name,
        title=str(said.get("anime_title", "")),
        group=str(said.get("release_group", "")),
        season=int(from_) if from_ else None,
        last_season=int(to) if to else None,
        episode=int(first) if first and "." not in first else None,
        last_episode=int(last) if last else None,
        fraction=float(first) if "." in first else None,
    )


def by_us(label: Labelled) -> ReleaseName:
    return parse(label.name)


def by_us_knowing(label: Labelled) -> ReleaseName:
    return parse(label.name, label.titles)


READERS: dict[str, Read] = {"anitopy": by_anitopy, "ours": by_us, "ours, title known": by_us_knowing}


def accuracy(corpus: str, labels: Sequence[Labelled], *, misses: bool) -> None:
    print(f"\n{corpus} ({len(labels)} names), percent right")
    print(f"{'':20}{'title':>8}{'episode':>9}{'season':>8}{'group':>8}{'t+e+s':>8}")
    for who, read in READERS.items():
        reads = [(read(label), label) for label in labels]
        columns = [
            [title_is_right(one.title, label.titles) for one, label in reads],
            [episode_is_right(one, label.episode) for one, label in reads],
            [season_is_right(one, label.season) for one, label in reads],
            [one.group == label.group for one, label in reads],
            [is_right(one, label) for one, label in reads],
        ]
        shares = [100 * sum(column) / len(column) for column in columns]
        print(
            f"{who:20}" + "".join(f"{share:{width}.1f}" for share, width in zip(shares, (8, 9, 8, 8, 8), strict=True))
        )
        if misses and who != "anitopy":
            for one, label in reads:
                if not is_right(one, label):
                    got = (one.title, one.season, one.episode, one.last_episode, one.fraction)
                    print(f"    {label.name}\n        {got} instead of {label.titles, label.season, label.episode}")


def speed(labels: Sequence[Labelled]) -> None:
    names, rates = [label.name for label in labels], []
    reader = Reader(["Sousou no Frieren", "Frieren: Beyond Journey's End", "葬送のフリーレン", "86", "Mob Psycho 100"])
    for _ in range(7):
        begun = time.process_time()
        for name in names:
            reader.read(name)
        rates.append(len(names) / (time.process_time() - begun))
    print(f"\nspeed: {statistics.median(rates):,.0f} names/s on one core (median of {len(rates)}, {len(names)} names)")


def mutated(labels: Sequence[Labelled], count: int) -> Iterator[str]:
    chance = random.Random(7)
    for _ in range(count):
        text = chance.choice(labels).name
        for _ in range(chance.randint(1, 6)):
            at, until = chance.randint(0, len(text)), chance.randint(0, len(text))
            piece = chance.choice(PIECES) * chance.choice((1, 1, 2, 40))
            text = chance.choice(
                (
                    text[:at] + piece + text[at:],
                    text[:at],
                    text[at:],
                    text[:at] + text[at + 3 :],
                    text[:at] + text[until:],
                )
            )
        yield text


def robustness(labels: Sequence[Labelled], count: int) -> None:
    reader, took, raised = Reader(["Sousou no Frieren", "86", "Mob Psycho 100"]), [], 0
    for name in mutated(labels, count):
        begun = time.process_time()
        try:
            reader.read(name)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError) as e:
            raised += 1
            print(f"    {name!r}: {e!r}")
        took.append(time.process_time() - begun)
    slow = sum(seconds > 0.01 for seconds in took)
    print(
        f"{count:,} mutated names: {raised} exceptions, {slow} over 10 ms, the slowest {max(took) * 1000:.1f} ms of CPU"
    )


def choosing() -> None:
    asked, right, wrong, took = questions(), 0, 0, []
    for question in asked:
        begun = time.process_time()
        chosen = best(rank(question.wanted, question.taste, question.feed))
        took.append((time.process_time() - begun) * 1000)
        title = chosen.release.title if chosen else None
        right += question.is_answered_by(title)
        wrong += title is not None and not question.is_answered_by(title)
    print(
        f"\n{len(asked)} questions of 75 posts: {right} right, {wrong} wrong picks, "
        f"{len(asked) - right - wrong} not found; {statistics.median(took):.0f} ms of CPU each (median)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--anitomy", type=Path, help="anitomy's test/data.json")
    parser.add_argument(
        "--titles", type=Path, default=TITLES, help="names in the format of tests/data/release-titles.tsv"
    )
    parser.add_argument("--mutations", type=int, default=100_000)
    parser.add_argument("--misses", action="store_true", help="list every name that is read wrong")
    chosen = parser.parse_args()
    print(machine())
    corpora = {chosen.titles.name: labelled(chosen.titles)}
    if chosen.anitomy:
        corpora["anitomy"] = from_anitomy(chosen.anitomy)
    for corpus, labels in corpora.items():
        accuracy(corpus, labels, misses=chosen.misses)
    every = [label for labels in corpora.values() for label in labels]
    speed(every)
    robustness(every, chosen.mutations)
    choosing()


if __name__ == "__main__":
    main()
