"""Seeding that ends at its limits, and what admins are told of the disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.automation.evening import Clock
from tests.fakes import FakeEngine
from tests.torrents import metainfos
from tests.torrents.shelf import limits_of
from uuutorrent import config
from uuutorrent.accounts import Accounts, Admin, Operator, User
from uuutorrent.automation.inbox.inbox import Inbox, Kind
from uuutorrent.automation.upkeep.meters import Meters
from uuutorrent.automation.upkeep.upkeep import Limit, Upkeep
from uuutorrent.errors import Invalid, Missing, Refused
from uuutorrent.store.database import Database
from uuutorrent.torrents.engine import Phase
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.space import Disk

MIB = 2**20
SIZE = 1000


@dataclass
class Machine:
    """A disk, an engine, and what keeps them in order."""

    database: Database
    accounts: Accounts
    downloads: Path
    settings: config.Upkeep = field(default_factory=lambda: config.Upkeep(free_floor_bytes=800 * MIB))
    free_mib: int = 10_000
    clock: Clock = field(default_factory=Clock)
    engine: FakeEngine = field(default_factory=FakeEngine)

    def __post_init__(self) -> None:
        self.live = Live(self.engine, poll_s=0.001)
        self.inbox = Inbox(self.database, now=self.clock)
        limits, floor = limits_of(self.database, config.Torrents(quota_bytes=0)), self.settings.free_floor_bytes
        self.library = Library(
            self.database, self.engine, self.live, limits, self.downloads, floor_bytes=floor, look=self.look
        )
        meters = Meters(self.database)
        self.upkeep = Upkeep(
            self.database, self.library, self.accounts, self.inbox, meters, self.settings, now=self.clock
        )

    def look(self, root: Path) -> Disk:
        return Disk(self.free_mib * MIB, 20_000 * MIB, 1)

    async def seeds(self, *users: User, name: str = "Show.mkv") -> str:
        """Something that these users have and that seeds."""
        for user in users:
            added = await self.library.add_given(user, metainfos.single(name, SIZE))
        self.engine.complete(added.infohash)
        await self.live.refresh()
        await self.library.reconcile()
        return added.infohash

    async def seeded(self, infohash: str, *, ratio: float = 0, minutes: int = 0) -> Phase:
        """What it does once it was seeded so much for so long."""
        self.engine.change(infohash, uploaded_bytes=round(ratio * SIZE), seeding_s=minutes * 60)
        await self.live.refresh()
        await self.upkeep.seed_once()
        return self.engine.get(infohash).phase

    async def guard(self) -> None:
        await self.live.refresh()
        await self.upkeep.guard_once()

    async def told(self, user: User) -> list[str]:
        return [notice.text for notice in reversed(await self.inbox.of(user)) if notice.kind is Kind.TROUBLE]


@pytest.fixture
async def machine(database: Database, accounts: Accounts, tmp_path: Path) -> Machine:
    (downloads := tmp_path / "downloads").mkdir()
    return Machine(database, accounts, downloads)


def limited(machine: Machine, ratio: float = 0, minutes: int = 0) -> Machine:
    settings = config.Upkeep(seed_ratio=ratio, seed_minutes=minutes)
    return Machine(machine.database, machine.accounts, machine.downloads, settings)


async def test_without_limits_everything_seeds_for_ever(machine: Machine, ann: User) -> None:
    infohash = await machine.seeds(ann)
    assert await machine.seeded(infohash, ratio=900, minutes=5_000_000) is Phase.SEEDING


async def test_seeding_ends_at_the_ratio_or_after_the_time_that_is_configured(machine: Machine, ann: User) -> None:
    house = limited(machine, ratio=2, minutes=60)
    one, two = await house.seeds(ann, name="1.mkv"), await house.seeds(ann, name="2.mkv")
    assert await house.seeded(one, ratio=1.9, minutes=59) is Phase.SEEDING
    assert await house.seeded(one, ratio=2, minutes=59) is Phase.COMPLETE
    assert await house.seeded(two, ratio=0, minutes=60) is Phase.COMPLETE
    await house.live.refresh()
    assert [one.phase for one in await house.library.holdings(ann)] == [Phase.COMPLETE, Phase.COMPLETE]


async def test_the_most_generous_of_several_claimants_decides(
    machine: Machine, ann: User, bob: User, boss: Admin
) -> None:
    house = limited(machine, ratio=1)
    await house.upkeep.settle(boss, "bob", ratio=3)
    shared, anns = await house.seeds(ann, bob, name="shared.mkv"), await house.seeds(ann, name="ann.mkv")
    assert await house.seeded(anns, ratio=1) is Phase.COMPLETE
    assert await house.seeded(shared, ratio=2.9) is Phase.SEEDING
    assert await house.seeded(shared, ratio=3) is Phase.COMPLETE


async def test_a_user_may_seed_without_end(machine: Machine, ann: User, boss: Admin) -> None:
    house = limited(machine, ratio=1, minutes=10)
    policy = await house.upkeep.settle(boss, "ann", ratio=0, minutes=0)
    assert (policy.limit, policy.is_own) == (Limit(0, 0), True)
    infohash = await house.seeds(ann)
    assert await house.seeded(infohash, ratio=50, minutes=50) is Phase.SEEDING

    back = await house.upkeep.settle(boss, "ann", as_configured=True)
    assert (back.limit, back.is_own) == (Limit(1, 10), False)
    assert await house.seeded(infohash, ratio=50, minutes=50) is Phase.COMPLETE


async def test_what_is_not_named_of_a_policy_stays(machine: Machine, ann: User, boss: Admin) -> None:
    house = limited(machine, ratio=1, minutes=10)
    assert (await house.upkeep.settle(boss, "ann", ratio=4)).limit == Limit(4, 10)
    assert (await house.upkeep.settle(boss, "ann", minutes=7)).limit == Limit(4, 7)
    assert (await house.upkeep.policy(boss, "boss")).limit == Limit(1, 10)


async def test_only_who_is_an_admin_now_settles_policies(
    machine: Machine, ann: User, boss: Admin, accounts: Accounts
) -> None:
    with pytest.raises(Missing, match="there is no user nobody"):
        await machine.upkeep.settle(boss, "nobody", ratio=1)
    with pytest.raises(Invalid, match="ratio"):
        await machine.upkeep.settle(boss, "ann", ratio=-1)
    with pytest.raises(Invalid, match="minutes"):
        await machine.upkeep.settle(boss, "ann", minutes=6_000_000)
    await accounts.create(Operator(), "second", role="admin")
    await accounts.set_role(Operator(), "boss", "user")
    with pytest.raises(Refused, match="only admins"):
        await machine.upkeep.settle(boss, "ann", ratio=1)
    assert not (await machine.upkeep.policy(boss, "ann")).is_own


async def test_who_resumes_what_was_ended_keeps_it_seeding(machine: Machine, ann: User) -> None:
    house = limited(machine, ratio=1)
    infohash = await house.seeds(ann)
    assert await house.seeded(infohash, ratio=1) is Phase.COMPLETE
    await house.library.reconcile()
    assert await house.seeded(infohash, ratio=2) is Phase.COMPLETE

    await house.library.resume(ann, infohash)
    assert await house.seeded(infohash, ratio=9) is Phase.SEEDING


async def test_admins_are_told_when_the_disk_is_full_and_when_there_is_room_again(
    machine: Machine, ann: User, boss: Admin
) -> None:
    for name in ("old.mkv", "new.mkv"):
        await machine.library.add_given(ann, metainfos.single(name, 1000 * MIB))
    await machine.guard()
    assert await machine.told(boss.user) == []

    machine.free_mib = 100
    await machine.guard()
    await machine.guard()
    full = (
        "The disk is nearly full (100 MiB free): old.mkv and 1 more wait for room. "
        "Delete something; `orphans` may help."
    )
    assert await machine.told(boss.user) == [full]

    machine.free_mib = 5000
    await machine.guard()
    await machine.guard()
    room = "There is room on the disk again: everything that waited goes on."
    assert await machine.told(boss.user) == [full, room]
    assert await machine.told(ann) == []


async def test_a_disk_that_is_full_now_and_then_is_told_of_once_an_hour(
    machine: Machine, ann: User, boss: Admin
) -> None:
    await machine.library.add_given(ann, metainfos.single("one.mkv", 1000 * MIB))
    for _ in range(3):
        for machine.free_mib in (100, 5000):
            await machine.guard()
        machine.clock.move(minutes=1)
    assert len(await machine.told(boss.user)) == 2

    machine.clock.move(hours=1)
    machine.free_mib = 100
    await machine.guard()
    assert len(await machine.told(boss.user)) == 3


async def test_orphans_are_looked_for_once_an_hour_as_soon_as_there_is_an_engine(machine: Machine) -> None:
    left = machine.downloads / "left.mkv"
    left.write_text("x")
    machine.library.orphans.now = machine.clock

    async def found() -> list[str] | None:
        await machine.guard()
        await machine.upkeep.orphans_once()
        last = machine.library.orphans.last
        return None if last is None else [one.path for one in last.files]

    machine.engine.go_down()
    assert await found() is None
    machine.engine.come_back()
    assert await found() == ["left.mkv"]
    left.unlink()
    machine.clock.move(minutes=59)
    assert await found() == ["left.mkv"]
    machine.clock.move(minutes=1)
    assert await found() == []
