"""invites: what admins do, and that nobody else does."""

from __future__ import annotations

import pytest

from tests.conftest import PASSWORD
from tests.ssh.verbs.conftest import House
from uuutorrent.signup import Newcomer


@pytest.fixture(autouse=True)
def by_invitation(house: House) -> None:
    """Else each invitation comes with a notice that nobody can sign up."""
    house.people_sign_up("invite")


EACH = pytest.mark.parametrize("line", ["list", "create", "revoke 1"])


@EACH
async def test_who_is_no_admin_may_do_none_of_it(house: House, line: str) -> None:
    await house.boss.says("invites create")
    assert await house.ann.fails(f"invites {line}", 3) == "only admins may do that"
    assert len(await house.boss.json("invites list")) == 1


async def test_the_code_of_an_invitation_makes_an_account_with_what_it_says(house: House) -> None:
    made = await house.boss.json("invites create --admin --uses 2 --days 3 --bytes 5G --note 'film club'")
    assert (made["role"], made["uses_left"], made["quota_bytes"]) == ("admin", 2, 5 * 2**30)
    assert made["reach"].startswith("ssh ")
    assert "join@" in made["reach"]
    await house.services.signups.sign_up(Newcomer("kim", made["code"], PASSWORD))
    (kim,) = [one for one in await house.boss.json("users list") if one["name"] == "kim"]
    assert (kim["role"], kim["quota_bytes"]) == ("admin", 5 * 2**30)
    (listed,) = await house.boss.json("invites list")
    assert (listed["uses_left"], listed["open"], listed["note"]) == (1, True, "film club")
    assert "code" not in listed


async def test_people_read_the_code_and_where_to_type_it(house: House) -> None:
    said = await house.boss.says("invites create --uses 3")
    assert "They type: ssh" in said
    assert "code, shown only now: " in said
    assert "for 3 users" in said
    await house.boss.says("invites revoke 1")
    assert await house.boss.says("invites list") == "None.\n"


async def test_what_makes_no_sense_is_refused(house: House) -> None:
    for line in ("create --uses 0", "create --days 9999", "create --bytes lots", "revoke x"):
        await house.boss.fails(f"invites {line}", 2)
    await house.boss.fails("invites revoke 7", 4)


async def test_who_waits_is_listed_and_admins_are_told_once(house: House) -> None:
    house.people_sign_up("open")
    await house.services.signups.sign_up(Newcomer("kim", password=PASSWORD))
    for _ in range(2):
        await house.services.upkeep.newcomers_once()
    (told,) = await house.boss.json("inbox")
    assert "kim signed up and waits for a yes" in told["text"]
    assert await house.ann.json("inbox") == []
    assert "waits for a yes" in await house.boss.says("users list")
    assert await house.boss.says("users approve kim") == "kim can sign in from now on.\n"
    assert await house.boss.fails("users reject kim", 5) == "kim does not wait for anybody to say yes"
    assert await house.boss.fails("users approve nobody", 4) == "there is no user nobody"


async def test_where_nobody_can_sign_up_an_admin_is_told_so(house: House) -> None:
    house.people_sign_up("closed")
    answer = await house.boss.type("invites create")
    assert answer.code == 0
    assert "nobody can sign up here" in answer.err
