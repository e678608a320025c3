from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable

import bcrypt
import pytest
from asyncssh.saslprep import SASLPrepError, saslprep
from hypothesis import example, given, strategies

from uuutorrent import passwords as module
from uuutorrent.errors import Invalid
from uuutorrent.passwords import LONGEST_TYPED, MAX_BYTES, QUEUE, Crowded, Passwords, Strength, one_time

GOOD = "plain horses battery staple"
SAME = [
    ("cafe\u0301 cafe\u0301", "caf\u00e9 caf\u00e9"),
    ("of\ufb01ce of\ufb02our", "office offlour"),
    ("\uff50\uff4c\uff41\uff49\uff4e horses", "plain horses"),
    ("plain\u3000horses\u00a0here", "plain horses here"),
    ("soft\u00adhyphens\u200d here", "softhyphens here"),
]
"""Pairs that look the same and are sent differently."""


@pytest.fixture
def passwords() -> Passwords:
    return Passwords(rounds=4)


async def test_a_password_fits_its_own_hash_only(passwords: Passwords) -> None:
    hashed = await passwords.hash(GOOD)
    assert await passwords.check(GOOD, hashed)
    assert not await passwords.check(GOOD + ".", hashed)
    assert hashed != await passwords.hash(GOOD)


@pytest.mark.parametrize(("one", "other"), SAME)
async def test_a_letter_is_the_same_however_a_keyboard_composes_it(passwords: Passwords, one: str, other: str) -> None:
    assert await passwords.check(one, await passwords.hash(other))
    assert await passwords.check(other, await passwords.hash(one))


async def test_only_what_is_left_of_a_password_is_counted(passwords: Passwords) -> None:
    await passwords.good("\u00ad".join(GOOD) + "\u00ad" * 50, name="ann")
    with pytest.raises(Invalid, match="too short"):
        await passwords.good("\u00ad".join("kx8$Qv!2z"), name="ann")
    with pytest.raises(Invalid, match="165 bytes long"):
        await passwords.good("\ufdfa" * 5, name="ann")
    with pytest.raises(Invalid, match="bytes long"):
        await passwords.good(GOOD + "\u00ad" * LONGEST_TYPED, name="ann")


@pytest.mark.parametrize("password", ["plain horses battery 🔋", "plain horses\tbattery staple", "plain horses אבגדה"])
async def test_a_password_that_some_programs_could_not_send_is_refused(passwords: Passwords, password: str) -> None:
    with pytest.raises(Invalid, match="some programs cannot send"):
        await passwords.good(password, name="ann")


@given(strategies.text())
@example("")
@example("אבג1אבג")
@example("אבג1")
@example("a\u200db\u1680c")
def test_passwords_are_prepared_as_those_that_are_sent_by_themselves(password: str) -> None:
    try:
        sent = saslprep(password)
    except SASLPrepError:
        assert not module._can_be_sent(password)
    else:
        assert module._can_be_sent(password)
        assert module._prepared(password) == module._prepared(sent) == sent


async def test_what_comes_after_72_bytes_counts(passwords: Passwords) -> None:
    longest = "x" * MAX_BYTES
    hashed = await passwords.hash(longest)
    assert await passwords.check(longest, hashed)
    assert not await passwords.check(longest + "y", hashed)


async def test_without_a_hash_the_answer_is_no(passwords: Passwords) -> None:
    for password in (GOOD, "", "\0", "x" * 1000, "\ud800"):
        assert not await passwords.check(password, None)


async def test_checking_nobody_does_the_same_work_as_checking_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    work: list[bytes] = []
    real: Callable[[bytes, bytes], bytes] = bcrypt.hashpw

    def counted(password: bytes, salt: bytes) -> bytes:
        work.append(salt[:7])
        return real(password, salt)

    monkeypatch.setattr(bcrypt, "hashpw", counted)
    passwords = Passwords(rounds=5)
    hashed = await passwords.hash(GOOD)
    work.clear()
    await passwords.check("wrong", hashed)
    await passwords.check("wrong", None)
    await passwords.check("wrong " * 100, None)
    assert work == [b"$2b$05$"] * 3


async def test_no_more_are_hashed_at_once_than_cores_less_one_even_when_askers_hang_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running, most, lock = 0, 0, threading.Lock()

    def slow(password: bytes, salt: bytes) -> bytes:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1
        return salt

    monkeypatch.setattr(bcrypt, "hashpw", slow)
    passwords = Passwords(rounds=4)
    assert passwords.at_once == max(1, len(os.sched_getaffinity(0)) - 1)
    asking = [asyncio.create_task(passwords.check(GOOD, None)) for _ in range(12)]
    await asyncio.sleep(0)
    for task in asking[:6]:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    assert 1 <= most <= passwords.at_once


async def test_who_would_wait_too_long_is_sent_away_before_anything_is_hashed(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, hashed = threading.Event(), []

    def slow(password: bytes, salt: bytes) -> bytes:
        go.wait(20)
        hashed.append(password)
        return salt

    monkeypatch.setattr(bcrypt, "hashpw", slow)
    places = passwords.at_once + QUEUE
    asking = [asyncio.create_task(passwords.check(GOOD, None)) for _ in range(places)]
    await asyncio.sleep(0)
    for known in (None, "$2b$04$"):
        with pytest.raises(Crowded, match="too many people are signing in just now; try again"):
            await passwords.check("one more", known)
    asking.pop().cancel()
    await asyncio.sleep(0)
    asking.append(asyncio.create_task(passwords.check(GOOD, None)))
    await asyncio.sleep(0)
    go.set()
    assert await asyncio.gather(*asking) == [False] * places
    assert set(hashed) == {GOOD.encode()}
    assert not await passwords.check(GOOD, None)


async def test_sessions_go_on_while_a_password_is_hashed() -> None:
    passwords = Passwords()
    checking = asyncio.create_task(passwords.check(GOOD, None))
    turns = 0
    while not checking.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 100


@pytest.mark.parametrize(
    ("password", "told"),
    [
        ("", "too short: use at least 10"),
        ("kx8$Qv!2z", "too short: use at least 10"),
        ("日本", "too short"),
        ("x" * 73, "73 bytes long: use at most 72"),
        ("日本語の長いパスワードを使いたいのですが長すぎるようです", "bytes long: use at most 72"),
        ("password1234", r"too easy to guess \(this is a very common password\)"),
        ("aaaaaaaaaaaaaaaaaaaa", "too easy to guess"),
        ("qwertyuiop", "too easy to guess"),
        ("annabel-2026", "too easy to guess"),
        ("uuutorrent1", "too easy to guess"),
    ],
)
async def test_a_poor_password_is_refused_with_what_to_do_instead(
    passwords: Passwords, password: str, told: str
) -> None:
    with pytest.raises(Invalid, match=told) as caught:
        await passwords.good(password, name="annabel")
    assert caught.value.field == "password"
    assert ": use" in caught.value.message
    assert not password or password not in caught.value.message


@pytest.mark.parametrize("password", [GOOD, "kx8$Qv!2zR", "猫が好きな犬は東京にいる", GOOD.ljust(MAX_BYTES, "ß")[:45]])
async def test_a_good_password_passes(passwords: Passwords, password: str) -> None:
    await passwords.good(password, name="ann")


async def test_one_time_passwords_are_good_easy_to_read_and_never_the_same(passwords: Passwords) -> None:
    made = {one_time() for _ in range(200)}
    assert len(made) == 200
    for password in made:
        assert not set(password) & set("01oilOIL")
        assert [len(group) for group in password.split("-")] == [4, 4, 4, 4]
    await passwords.good(made.pop(), name="ann")


def test_a_hash_costs_twelve_rounds_unless_a_test_says_otherwise() -> None:
    assert module.ROUNDS == 12


@pytest.mark.parametrize(
    ("password", "score", "advice"),
    [
        ("short", 0, "at least 10 characters"),
        ("x" * 80, 0, "at most 72 bytes, these are 80"),
        ("kimkimkimkim", 0, "try four unrelated words"),
        ("smile \U0001f600 and the world", 0, "some programs cannot send that"),
        ("four unrelated words, kim", 4, ""),
    ],
)
async def test_how_good_a_password_is_can_be_shown_while_it_is_typed(
    passwords: Passwords, password: str, score: int, advice: str
) -> None:
    assert await passwords.strength(password, name="kim") == Strength(score, advice)


@pytest.mark.parametrize("password", ["@4({[<6!1|0$5+7%2zZ" * 4, "I" * MAX_BYTES, "1l|!" * 18])
def test_what_would_take_long_to_judge_is_judged_in_pieces(password: str) -> None:
    pieces = module._pieces(password)
    assert "".join(pieces) == password[: module.JUDGED]
    assert all(len(set(piece) & module._AS_LETTERS) <= module.SYMBOLS for piece in pieces)


@given(strategies.text(max_size=40))
def test_an_ordinary_password_is_judged_as_it_is(password: str) -> None:
    if len(password) <= module.JUDGED and len(set(password) & module._AS_LETTERS) <= module.SYMBOLS:
        assert module._pieces(password) == (password,)


@pytest.mark.parametrize(
    "password", ["1234567890", "kim12345678", "0123456789012345", "qwertz1234567890", "password0987654321"]
)
async def test_rows_of_digits_make_no_password_good(passwords: Passwords, password: str) -> None:
    assert (await passwords.strength(password, name="kim")).advice


@pytest.mark.parametrize("password", ["9f86d081884c7d659a2f", "kx8$Qv!2zRw0m4Tp7h5j", "x7$Kp2!mQ9@w4Z#r"])
async def test_what_a_program_made_is_good_whatever_signs_are_in_it(passwords: Passwords, password: str) -> None:
    assert not (await passwords.strength(password, name="kim")).advice
