from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.conftest import PASSWORD
from tests.torrents import metainfos
from tests.tui.evening import ENTER, ESCAPE, TAB, Evening, paste
from tests.tui.screen import Seat
from uuutorrent.accounts import Operator
from uuutorrent.errors import Refused
from uuutorrent.tui.app import UuuApp

NEW = "correct battery staple horse"


async def open_row(seat: Seat[UuuApp], title: str) -> None:
    """Go to a row of the account screen, and press Enter."""
    seat.type("5")
    await seat.sees("Your account")
    await seat.sees("Come here")  # the rows are there, as far as there is room
    seat.type("g")
    await seat.sees("› AniList")
    rows = [line.strip("› ") for line in seat.glass.lines]
    place = next(n for n, row in enumerate(rows) if row.startswith(title))
    first = next(n for n, row in enumerate(rows) if row.startswith("AniList "))
    seat.type("j" * (place - first))
    await seat.sees(f"› {title}")
    seat.type(ENTER)


@pytest.fixture
def public_key(tmp_path: Path) -> str:
    place = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ann@laptop", "-f", place], check=True)
    return place.with_suffix(".pub").read_text()


async def test_the_account_says_all_there_is_to_it(evening: Evening) -> None:
    await evening.fetch(1, 13)
    async with evening.sit() as seat:
        seat.type("5")
        await seat.sees("linked as frieren-fan, until")
        await seat.sees("none; you sign in by password")
        await seat.sees("1080p, then 720p, then 480p · English · at least 1")
        await seat.sees("1.3 GiB of 50 GiB · 1 of 500 torrents")
        await seat.sees("ssh -p 2222 ann@seedbox")
        await seat.sees("sftp -P 2222 ann@seedbox")
        await seat.sees("scp -P 2222 -r ann@seedbox:/torrents .")
        await seat.sees("Your list on AniList, with your progress.")


async def test_the_lines_to_type_can_be_copied(evening: Evening) -> None:
    async with evening.sit() as seat:
        await open_row(seat, "Your files")
        await seat.sees("Copied the line")
        assert b"\x1b]52;c;c2Z0cCAtUCAyMjIyIGFubkBzZWVkYm94" in seat.glass.raw


async def test_linking_shows_the_address_and_takes_a_token_broken_into_lines(evening: Evening) -> None:
    await evening.without_link()
    token = evening.member.token
    async with evening.sit(width=120) as seat:
        await open_row(seat, "AniList")
        await seat.sees("https://anilist.co/api/v2/oauth/authorize?client_id=4242&response_type=token")
        seat.type("\x19")
        await seat.sees("Copied the address")
        paste(seat, "not-a-token")
        seat.type(ENTER)
        await seat.sees("AniList does not accept this token")
        paste(seat, "\n".join(token[at : at + 76] for at in range(0, len(token), 76)) + "\n")
        await seat.settled()
        assert token[:20] not in seat.glass.text
        seat.type(ENTER)
        await seat.sees("Linked as frieren-fan.")
        await seat.sees("linked as frieren-fan, until")
        seat.type("1")
        await seat.sees("› Sousou no Frieren")


async def test_an_outage_while_linking_is_said_in_the_dialog(evening: Evening) -> None:
    await evening.without_link()
    evening.anilist.fault = "outage"
    async with evening.sit(width=120) as seat:
        await open_row(seat, "AniList")
        await seat.sees("paste the token")
        paste(seat, evening.member.token)
        seat.type(ENTER)
        await seat.sees("AniList:")
        await seat.sees("Link your AniList account")
        seat.type(ESCAPE)
        await seat.sees("not linked; your list is kept here")


async def test_unlinking_asks_and_forgets(evening: Evening) -> None:
    async with evening.sit() as seat:
        await open_row(seat, "AniList")
        await seat.sees("Unlink: forget the account and its token here")
        seat.type("u")
        await seat.sees("Unlinked. Your list is kept here from now on.")
        await seat.sees("not linked; your list is kept here")
        assert await evening.services.watchlists.link_of(evening.ann) is None


async def test_keys_are_added_by_pasting_and_removed_with_a_question(evening: Evening, public_key: str) -> None:
    async with evening.sit(width=120) as seat:
        await open_row(seat, "SSH keys")
        await seat.sees("None yet: you sign in by password.")
        paste(seat, public_key)
        await seat.sees("Add an SSH key")
        await seat.sees("ann@laptop")
        seat.type(ENTER)
        await seat.sees("ann@laptop signs you in from now on.")
        await seat.sees("› ann@laptop")
        await seat.sees("never")
        await seat.sees("SHA256:")
        seat.type("a")
        await seat.sees("Add an SSH key")
        paste(seat, public_key)
        seat.type(ENTER)
        await seat.sees("that key is there already")
        seat.type(ESCAPE)
        await seat.sees_no("Add an SSH key")
        seat.type("x")
        await seat.sees("If nothing else signs you in, you lock yourself out.")
        seat.type("x")
        await seat.sees("None yet")
        seat.type(ESCAPE)
        await seat.sees("none; you sign in by password")


async def test_a_private_key_is_refused_with_a_word_of_advice(evening: Evening) -> None:
    async with evening.sit(width=120) as seat:
        await open_row(seat, "SSH keys")
        await seat.sees("None yet")
        paste(seat, "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----\n")
        await seat.sees("Add an SSH key")
        seat.type(ENTER)
        await seat.sees("that is a private key")
        assert await evening.services.accounts.keys(evening.ann) == ()


async def type_passwords(seat: Seat[UuuApp], *passwords: str) -> None:
    """Fill in as many fields, from the one with the cursor in it to the last."""
    await seat.settled()
    for left, password in reversed([*enumerate(reversed(passwords))]):
        field = seat.app.focused
        assert isinstance(field, Input)
        seat.type(password)
        await seat.until(lambda: field.value == password, "the password in its field")  # noqa: B023 - now
        seat.type(ENTER)
        if left:
            await seat.until(lambda: seat.app.focused is not field, "the next field")  # noqa: B023 - now


async def test_the_password_is_changed_when_the_old_one_is_right(evening: Evening) -> None:
    async with evening.sit() as seat:
        await open_row(seat, "Password")
        await seat.sees("Change your password")
        await type_passwords(seat, "wrong", NEW, NEW)
        await seat.sees("the old password is wrong")
        await type_passwords(seat, PASSWORD, NEW, "another")
        await seat.sees("differ; type both again")
        await type_passwords(seat, "1234567890", "1234567890")
        await seat.sees("too easy to guess")
        await type_passwords(seat, NEW, NEW)
        await seat.sees("Your password is changed.")
        assert NEW not in seat.glass.text_sent
    await evening.services.accounts.with_password("ann", NEW)
    with pytest.raises(Refused):
        await evening.services.accounts.with_password("ann", PASSWORD)


async def test_after_a_one_time_password_nothing_comes_before_a_new_one(evening: Evening) -> None:
    async with evening.sit(as_=evening.expired()) as seat:
        await seat.sees("Welcome! First, a password of your own")
        for key in ("2", "5", "?", "\x10"):
            seat.type(key)
        await seat.settled()
        assert seat.app.current_mode == "watchlist"
        assert "Welcome!" in seat.glass.text
        await seat.clears()
        await type_passwords(seat, PASSWORD, NEW, NEW)
        await seat.sees("Your password is changed.")
        await seat.sees_no("Welcome!")
        seat.type("5")
        await seat.sees("Your account")


async def test_who_does_not_want_a_new_password_can_only_leave(evening: Evening) -> None:
    async with evening.sit(as_=evening.expired()) as seat:
        await seat.sees("Welcome!")
        seat.type(ESCAPE)
        await seat.end()
        assert seat.app.return_code == 0


async def test_taste_is_a_line_for_each_preference(evening: Evening) -> None:
    async with evening.sit() as seat:
        await open_row(seat, "Taste")
        await seat.sees("What you like among releases")
        await seat.clears()
        seat.type("999" + ENTER)
        await seat.sees("name at least one resolution")
        await seat.clears()
        seat.type("720p 1080")
        await seat.settled()
        seat.type(TAB)
        await seat.settled()
        seat.type("SubsPlease, Erai-raws" + ENTER)
        await seat.sees("From now on releases are chosen by that.")
        await seat.sees("720p, then 1080p · best from SubsPlease, Erai-raws")
    taste = await evening.services.releases.tastes.of(evening.ann)
    assert (taste.resolutions, taste.groups) == ((720, 1080), ("SubsPlease", "Erai-raws"))


async def test_a_broken_link_stands_out(evening: Evening) -> None:
    evening.anilist.revoke(evening.member)
    async with evening.sit() as seat:
        await seat.sees("does not accept your sign-in")
        seat.type("5")
        await seat.sees("AniList does not accept the sign-in any more; link it anew")


async def test_what_else_is_limited_is_told_and_what_waits_says_why(evening: Evening) -> None:
    limits = evening.services.limits
    await limits.set(Operator(), "ann", {"active": 1, "month_bytes": 500 << 30, "bps": 20 << 20})
    limits.count(limits.meter(evening.ann), 3 << 30)
    for name in ("first.mkv", "second.mkv"):
        await evening.services.library.add_given(evening.ann, metainfos.single(name, 1000))
    async with evening.sit(width=80, height=24) as seat:
        seat.type("5")
        await seat.sees("1 of 1 downloads run")
        await seat.sees("3.0 GiB of 500 GiB read this month, at most 20 MiB/s")
        await open_row(seat, "Reading")
        await seat.sees("What you read over SFTP and with cat this month")
        await open_row(seat, "Downloads")
        await seat.sees("1 of 1 run")
        await seat.sees("queued")
        seat.type(ENTER)
        await seat.sees("It waits: 1 of your downloads runs already. It goes on by itself.")
