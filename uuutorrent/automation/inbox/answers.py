"""Answers to notices that ask: whoever asked does what the choice says, then it is written down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from weakref import WeakValueDictionary

from uuutorrent.accounts import User
from uuutorrent.automation.inbox.inbox import Inbox, check_choice
from uuutorrent.automation.inbox.notice import Notice
from uuutorrent.errors import Conflict, Missing

Decide = Callable[[User, Notice, str], Awaitable[str]]
"""Does what a choice says, which may come twice, and tells it in a sentence."""


class Answers:
    """Brings each answer to whoever asked: the first part of a notice's key says who that is."""

    def __init__(self, inbox: Inbox, deciders: Mapping[str, Decide]) -> None:
        self._inbox = inbox
        self._deciders = deciders
        self._answering: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def answer(self, user: User, notice_id: int, choice: str) -> str:
        """Do what this user chose, and remember that they did; a sentence says what came of it.

        Where there is nothing left to choose the sentence says that, and the notice waits no more. If doing it fails
        otherwise, the notice waits as before.

        Raises:
            Missing: they have no such notice.
            Invalid: that is not one of its choices.
            Conflict: it was answered already.
            UuuError: it could not be done.
        """
        # Of two answers at once the second finds the first: what is done and what is written down are the same.
        lock = self._answering.setdefault(notice_id, asyncio.Lock())
        async with lock:
            return await self._answer(user, notice_id, choice.strip().lower())

    async def _answer(self, user: User, notice_id: int, choice: str) -> str:
        notice = await self._inbox.one(user, notice_id)
        check_choice(notice, choice)
        decide = self._deciders.get(notice.key.partition(":")[0], _nobody)
        try:
            said = await decide(user, notice, choice)
        except (Missing, Conflict) as e:
            await self._inbox.withdraw(user.id, notice.key, _sentence(e.message))
            return _sentence(e.message)
        await self._inbox.note_answer(user, notice_id, choice)
        return said


async def _nobody(_user: User, _notice: Notice, _choice: str) -> str:
    raise Missing("nothing waits for this answer any more")


def _sentence(message: str) -> str:
    told = message[:1].upper() + message[1:]
    return told if told.endswith((".", "!", "?")) else f"{told}."
