from __future__ import annotations

from dataclasses import replace

from tests.ssh.prompt import Prompt
from tests.ssh.verbs.conftest import House
from tests.test_secondfactors import code_of
from uuutorrent.presence import Here


async def test_setting_it_up_shows_a_qr_code_that_fits_a_terminal(house: House) -> None:
    shown = await house.ann.says("factor begin")
    assert max(map(len, shown.splitlines())) <= 80
    assert "factor confirm CODE" in shown
    assert "█" in shown or "▀" in shown


async def test_it_is_switched_on_used_and_switched_off(house: House) -> None:
    assert await house.ann.json("factor") == {"on": False, "since": None, "recovery_left": 0}
    begun = await house.ann.json("factor begin")
    assert await house.ann.fails("factor confirm 12345", 2) != ""
    confirmed = await house.ann.json(f"factor confirm {code_of(begun['secret'], -1)}")
    assert len(confirmed["recovery_codes"]) == 12
    assert (await house.ann.json("factor"))["recovery_left"] == 12
    renewed = await house.ann.json(f"factor codes {code_of(begun['secret'])}")
    assert await house.ann.fails(f"factor remove {confirmed['recovery_codes'][0]}", 2) != ""
    assert await house.ann.json(f"factor remove {renewed['recovery_codes'][0]}") == {"on": False}


def from_(prompt: Prompt, ip: str) -> Prompt:
    """The same person with a key at this address; each line of theirs is a connection of its own."""
    return replace(prompt, here=lambda: Here(prompt.user, ip=ip, fingerprint="SHA256:key"))


async def test_an_admin_with_one_types_a_code_before_administrating_from_there(house: House) -> None:
    home, elsewhere = from_(house.boss, "192.0.2.7"), from_(house.boss, "192.0.2.8")
    begun = await home.json("factor begin")
    await home.json(f"factor confirm {code_of(begun['secret'], -1)}")
    assert await home.fails("users list", 3) == "type a code of your app first: code 123456"
    assert await home.fails("code 000000", 2) != ""
    await home.says(f"code {code_of(begun['secret'])}")
    assert len(await home.json("users list")) == 3
    assert await elsewhere.fails("users list", 3) == "type a code of your app first: code 123456"


async def test_only_admins_take_anothers_away(house: House) -> None:
    begun = await house.ann.json("factor begin")
    await house.ann.json(f"factor confirm {code_of(begun['secret'], -1)}")
    assert await house.bob.fails("users unfactor ann", 3) == "only admins may do that"
    assert await house.boss.json("users unfactor ann") == {"name": "ann", "factor": False}
    assert not (await house.ann.json("factor"))["on"]
