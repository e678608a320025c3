from __future__ import annotations

from tests.ssh.verbs.conftest import House
from uuutorrent.penalties import Offence, Source


async def test_an_admin_sees_who_is_refused_and_lets_them_in_again(house: House) -> None:
    penalties, far = house.services.penalties, Source("192.0.2.7")
    penalties.add(far, Offence.UNKNOWN, 3)
    penalties.add(Source("2001:db8::/64"), Offence.WRONG)
    first, second = await house.boss.json("penalties list")
    assert (first["source"], first["refused"], second["source"], second["refused"]) == (
        far, True, "2001:db8::/64", False,
    )  # fmt: skip
    assert 25 < first["left_s"] <= 30
    assert "refused" in await house.boss.says("penalties list")
    assert await house.boss.json("penalties lift 192.0.2.7") == {"source": "192.0.2.7", "lifted": True}
    assert penalties.left_s(far) == 0
    assert await house.boss.fails("penalties lift 192.0.2.7", 4) == "192.0.2.7 has no penalty"


async def test_nobody_else_sees_or_lifts_them(house: House) -> None:
    house.services.penalties.add(Source("192.0.2.7"), Offence.UNKNOWN, 3)
    assert await house.ann.fails("penalties list", 3) == "only admins may do that"
    assert await house.ann.fails("penalties lift 192.0.2.7", 3) == "only admins may do that"
    assert house.services.penalties.left_s(Source("192.0.2.7")) > 0
