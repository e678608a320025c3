"""The nouns of commands: a verb, a call being made, and the reply that is printed as text or as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Annotated, Any, Self

from cyclopts import Parameter

from uuutorrent.accounts import Admin
from uuutorrent.desk import Desk
from uuutorrent.errors import Invalid, UuuError
from uuutorrent.ssh import text
from uuutorrent.ssh.io import Io
from uuutorrent.tui.plain import plain

Document = Mapping[str, Any] | Sequence[Any]
"""What becomes the one JSON document: names and shapes that scripts rely on."""

HINT_AFTER_S = 1.0
"""Somebody whose input does not come is told what is waited for."""


@dataclass(frozen=True, slots=True)
class Call:
    """A verb being run: for whom, over what, and how the reply is wanted."""

    desk: Desk
    io: Io
    json: bool
    verb: str = ""
    """Its name, for the audit."""

    async def admin(self) -> Admin:
        """Proof that whoever runs the verb is an admin now.

        Raises:
            Refused: they are not; or a code of their second factor is due first.
        """
        proof = self.desk.second_factors.of_commands(self.desk.here)
        return await self.desk.accounts.admin(self.desk.user, proof, self.verb)

    def notice(self, sentence: str) -> None:
        """Say something beside the reply, on stderr."""
        self.io.err(f"{plain(sentence)}\n".encode())

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> str:
        """Columns that fit the person's terminal; the last one is folded."""
        return text.table(headings, rows, empty=empty, width=self.io.width)

    def listing(self, items: Sequence[Sequence[str]], *, empty: str) -> str:
        """Items of several lines that fit the person's terminal."""
        return text.listing(items, empty=empty, width=self.io.width)

    async def read(self, limit: int, hint: str) -> bytes:
        """All of stdin; `hint` is said to somebody who seems not to know that it is read.

        Raises:
            Invalid: more than `limit` bytes came, or nothing came in time.
        """
        waited = asyncio.get_running_loop().call_later(0 if self.io.is_tty else HINT_AFTER_S, self.notice, hint)
        try:
            return await self.io.read(limit)
        finally:
            waited.cancel()

    async def read_text(self, limit: int, hint: str) -> str:
        """All of stdin as text.

        Raises:
            Invalid: it is no UTF-8 text, or as with `read`.
        """
        try:
            return (await self.read(limit, hint)).decode()
        except UnicodeDecodeError as e:
            raise Invalid("what came on stdin is not UTF-8 text", field="stdin") from e


TheCall = Annotated[Call, Parameter(parse=False)]
"""Marks a verb's parameter as handed in, not typed by the person."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a verb answers: the document for scripts, the text for people, and how it ended."""

    document: Document
    text: str = ""
    exit_code: int = 0

    @classmethod
    def failed(cls, document: Mapping[str, Any], kind: type[UuuError], message: str) -> Self:
        """A failure that has something to show all the same: the document says what, beside the error."""
        error = {"code": kind.code, "message": plain(message)}
        return cls({**document, "error": error}, plain(message), kind.exit_code)


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb of the tree. `usage` is how it is typed: its name in lower case, then what it takes."""

    usage: str
    run: Callable[..., Awaitable[Reply]]

    @property
    def name(self) -> tuple[str, ...]:
        """One word, or two for a verb of a family: ("keys", "add")."""
        return tuple(takewhile(lambda word: word.isalpha() and word.islower(), self.usage.split()))
