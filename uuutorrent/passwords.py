"""Passwords: which are good enough, and hashing them without holding anybody else up."""

from __future__ import annotations

import asyncio
import os
import secrets
import stringprep
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import bcrypt
from zxcvbn import zxcvbn

from uuutorrent.errors import Invalid, Refused

ROUNDS = 12
"""bcrypt's cost: about a quarter of a second each."""
MIN_BYTES, MAX_BYTES = 10, 72
"""bcrypt reads 72 bytes; what comes after would not count."""
LONGEST_TYPED = 1024
"""Characters; who sends more sends no password, and it is not looked at."""
MIN_SCORE = 3
"""Of zxcvbn's 0..4: safe against an attack on a stolen slow hash. Source: github.com/dropbox/zxcvbn, usage."""
QUEUE = 8
"""Checks that may wait for a thread; a quarter of a second each is as long as anybody should wait."""

JUDGED = 32
"""Characters that are judged; what follows makes a password no worse."""
SYMBOLS = 6
"""Different signs in one piece that may stand for letters. zxcvbn tries every way to read them: with all of them, and
72 characters, it computes for twenty seconds, and nothing else in this process gets on well meanwhile."""
_AS_LETTERS = frozenset("!$%(+0123456789<@[{|")
"""Source: github.com/dropbox/zxcvbn, src/matching.coffee, L33T_TABLE."""

_ONE_TIME_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_ONE_TIME_GROUPS = 4


@dataclass(frozen=True, slots=True)
class Strength:
    """How good a password is, and what would make it better."""

    score: int
    """0..4, as zxcvbn has it; `MIN_SCORE` is enough."""
    advice: str
    """In a few words; empty: it can be used."""


class Crowded(Refused):
    """Nothing was looked at: too many are signing in at once."""

    def __init__(self) -> None:
        super().__init__("too many people are signing in just now; try again")


class Passwords:
    """Hashes and checks passwords in threads of its own, one less than there are cores, so that sessions stay live.

    The threads are a pool, not a semaphore around a thread: whoever hangs up while being checked frees no place early.
    """

    def __init__(self, *, rounds: int = ROUNDS, queue: int = QUEUE) -> None:
        self.at_once = max(1, len(os.sched_getaffinity(0)) - 1)
        self._rounds = rounds
        self._queue = queue
        self._checking = 0
        self._threads = ThreadPoolExecutor(self.at_once, thread_name_prefix="bcrypt")
        self._judging = ThreadPoolExecutor(1, thread_name_prefix="zxcvbn")
        # Nothing hashes to this; checking against it costs what checking against a real one costs.
        self._nobody = bcrypt.gensalt(rounds) + b"." * 31

    async def hash(self, password: str) -> str:
        """The hash to store. Check the password with `good` first."""
        salt = bcrypt.gensalt(self._rounds)
        hashed = await self._in_thread(_typed(password), salt)
        return hashed.decode("ascii")

    async def check(self, password: str, hashed: str | None) -> bool:
        """Whether the password belongs to the hash; None, and a password that cannot be one, take as long to deny.

        Raises:
            Crowded: too many wait already.
        """
        if self._checking >= self.at_once + self._queue:
            raise Crowded
        given = _typed(password)
        against = (hashed or "").encode("ascii") or self._nobody
        self._checking += 1
        try:
            found = await self._in_thread(given[:MAX_BYTES], against)
        finally:
            self._checking -= 1
        return secrets.compare_digest(found, against) and len(given) <= MAX_BYTES and hashed is not None

    async def good(self, password: str, *, name: str) -> None:
        """Check that a new password is good enough for the user `name`.

        Raises:
            Invalid: with what to do instead.
        """
        await asyncio.get_running_loop().run_in_executor(self._judging, _check_strength, password, name)

    async def strength(self, password: str, *, name: str) -> Strength:
        """How good a password would be for the user `name`."""
        return await asyncio.get_running_loop().run_in_executor(self._judging, _strength, password, name)

    async def _in_thread(self, password: bytes, salt: bytes) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._threads, bcrypt.hashpw, password, salt)


def one_time() -> str:
    """A password to hand over once: four groups of four, easy to read out, about 79 bits."""
    groups = ("".join(secrets.choice(_ONE_TIME_ALPHABET) for _ in range(4)) for _ in range(_ONE_TIME_GROUPS))
    return "-".join(groups)


def _typed(password: str) -> bytes:
    """The bytes that count, of which there can be fewer or more than were sent."""
    return (_prepared(password) if len(password) <= LONGEST_TYPED else password).encode("utf-8", "surrogatepass")


def _prepared(password: str) -> str:
    """The same text however a keyboard composes it and a client sends it.

    asyncssh does this to passwords that are sent by themselves, and not to those that it asks for.
    Source: RFC 4013 (SASLprep), 2.1 and 2.2.
    """
    kept = (" " if stringprep.in_table_c12(char) else char for char in password if not _is_nothing(char))
    return unicodedata.normalize("NFKC", "".join(kept))


def _is_nothing(char: str) -> bool:
    return stringprep.in_table_b1(char) and not stringprep.in_table_c12(char)


_PROHIBITED = (
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def _can_be_sent(password: str) -> bool:
    """Whether asyncssh takes it when it is sent by itself. Source: RFC 4013, 2.3 to 2.5; RFC 3454, 6."""
    prepared = _prepared(password)
    from_the_right = [stringprep.in_table_d1(char) for char in prepared]
    if any(from_the_right):
        mixed = any(map(stringprep.in_table_d2, prepared))
        if mixed or not (from_the_right[0] and from_the_right[-1]):
            return False
    prohibited = any(table(char) for table in _PROHIBITED for char in prepared)
    return not prohibited and not any(map(stringprep.in_table_a1, password))


def _check_strength(password: str, name: str) -> None:
    size = len(_typed(password))
    if size < MIN_BYTES:
        raise Invalid(f"that password is too short: use at least {MIN_BYTES} characters", field="password")
    if size > MAX_BYTES:
        raise Invalid(f"that password is {size} bytes long: use at most {MAX_BYTES}", field="password")
    if not _can_be_sent(password):
        raise Invalid(
            "that password holds characters that some programs cannot send (emoji, control characters, or letters of "
            "both writing directions): use others",
            field="password",
        )
    score, warning = _scored(password, name)
    if score < MIN_SCORE:
        because = f" ({warning})" if warning else ""
        raise Invalid(
            f"that password is too easy to guess{because}: use four or more unrelated words, or let a program make one",
            field="password",
        )


def _strength(password: str, name: str) -> Strength:
    size = len(_typed(password))
    if size < MIN_BYTES:
        return Strength(0, f"at least {MIN_BYTES} characters")
    if size > MAX_BYTES:
        return Strength(0, f"at most {MAX_BYTES} bytes, these are {size}")
    if not _can_be_sent(password):
        return Strength(0, "some programs cannot send that")
    score, _ = _scored(password, name)
    return Strength(score, "" if score >= MIN_SCORE else "try four unrelated words")


def _scored(password: str, name: str) -> tuple[int, str]:
    """How good it is, 0..4, and what makes it bad."""
    told = [zxcvbn(piece, user_inputs=[name, "uuutorrent"]) for piece in _pieces(_prepared(password))]
    best = max(told, key=lambda one: int(one["guesses"]))  # not all together: a row of digits is no better for a cut
    warning = str(best["feedback"]["warning"]).rstrip(".")
    return int(best["score"]), f"{warning[:1].lower()}{warning[1:]}"


def _pieces(password: str) -> tuple[str, ...]:
    """As much of a password as is judged, in pieces that can be judged in a moment, whoever made it up."""
    pieces = [""]
    for char in password[:JUDGED]:
        if len({*pieces[-1], char} & _AS_LETTERS) > SYMBOLS:
            pieces.append("")
        pieces[-1] += char
    return tuple(pieces)
