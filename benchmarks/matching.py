"""How well names are read and releases chosen, and how fast, beside three libraries that read names.

Run: python -m benchmarks.matching [--anitomy data.json] [--titles file.tsv] [--mutations 100000]

`--anitomy` is anitomy's own test data (github.com/erengy/anitomy, test/data.json); it is measured, not kept here.
A name counts as right when title, episode or range, and season are; titles are compared without case, spaces and
punctuation. "Knowing" means that the right title is cut out first, as the ranking does with all titles of a family;
for the libraries it is replaced by one plain word. Every name that is read wrong is listed with the reason.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import readers
from benchmarks.machine import machine
from benchmarks.misses import why
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
from uuutorrent.releases.names import Reader
from uuutorrent.releases.ranking import best, rank
from uuutorrent.releases.release import ReleaseName

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


def accuracy(corpus: str, labels: Sequence[Labelled]) -> None:
    print(f"\n{corpus} ({len(labels)} names), percent right")
    print(f"{'':22}{'title':>8}{'episode':>9}{'season':>8}{'group':>8}{'all three':>11}{'names/s':>10}")
    for who, read in readers.libraries().items():
        table_row(who, labels, partial(readers.unknowing, read))
        table_row(f"{who}, knowing", labels, partial(readers.knowing, read))
    unknown = table_row("ours", labels, readers.ours)
    known = table_row("ours, knowing", labels, readers.ours_knowing)
    for how, reads in (("not knowing the title", unknown), ("knowing the title", known)):
        list_misses(how, [(one, label) for one, label in zip(reads, labels, strict=True) if not is_right(one, label)])


def table_row(who: str, labels: Sequence[Labelled], read: Callable[[Labelled], ReleaseName]) -> list[ReleaseName]:
    begun = time.process_time()
    reads = [read(label) for label in labels]
    rate = len(labels) / (time.process_time() - begun)
    pairs = list(zip(reads, labels, strict=True))
    columns = [
        [title_is_right(one.title, label.titles) for one, label in pairs],
        [episode_is_right(one, label.episode) for one, label in pairs],
        [season_is_right(one, label.season) for one, label in pairs],
        [one.group == label.group for one, label in pairs],
        [is_right(one, label) for one, label in pairs],
    ]
    shares = [100 * sum(column) / len(column) for column in columns]
    cells = "".join(f"{share:{width}.1f}" for share, width in zip(shares, (8, 9, 8, 8, 11), strict=True))
    print(f"{who:22}{cells}{rate:10,.0f}" if "knowing" not in who else f"{who:22}{cells}")
    return reads


def list_misses(how: str, misses: Sequence[tuple[ReleaseName, Labelled]]) -> None:
    arguable = sum(why(label.name).arguable for _, label in misses)
    print(f"  ours, {how}: {len(misses)} wrong, of them {arguable} where the label is arguable")
    for one, label in misses:
        reason = why(label.name)
        print(f"    {label.name}\n        read: {one.title!r}, {_said(one)}; label: {_wanted(label)}")
        print(f"        {'arguable: ' if reason.arguable else ''}{reason.text}")


def _said(one: ReleaseName) -> str:
    season = f"season {one.season or 1}" + (f"-{one.last_season}" if one.last_season else "")
    number = one.episode if one.fraction is None else one.fraction
    return f"{season}, episode {number}" + (f"-{one.last_episode}" if one.last_episode else "") + f", {one.kind}"


def _wanted(label: Labelled) -> str:
    return f"{label.titles[0]!r}, season {label.season or 1}, episode {label.episode or None}"


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
    chosen = parser.parse_args()
    print(machine())
    if absent := readers.missing():
        print(f"not measured, because they are not installed: {', '.join(absent)}. To install them: {readers.INSTALL}")
    corpora = {chosen.titles.name: labelled(chosen.titles)}
    if chosen.anitomy:
        corpora["anitomy"] = from_anitomy(chosen.anitomy)
    for corpus, labels in corpora.items():
        accuracy(corpus, labels)
    every = [label for labels in corpora.values() for label in labels]
    speed(every)
    robustness(every, chosen.mutations)
    choosing()


if __name__ == "__main__":
    main()
