"""Answers on their way out, as one stream: each is a few bytes of head and, for a READ, a part of a file behind it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from uuutorrent.errors import Unreachable
from uuutorrent.ssh import filexfer
from uuutorrent.ssh.filexfer import Status
from uuutorrent.ssh.sftp.handles import OpenFile


@dataclass(slots=True)
class Piece:
    """What is left to be sent of one answer. `request_id` is for telling that a file is shorter than it was."""

    head: bytes
    file: OpenFile | None = None
    offset: int = 0
    left: int = 0
    request_id: int = 0
    begun: bool = False
    """Part of it is sent: its length is settled."""

    @property
    def size(self) -> int:
        """Bytes to send."""
        return len(self.head) + self.left


@dataclass(slots=True)
class Run:
    """A part of a file that belongs into these places."""

    file: OpenFile
    offset: int
    size: int = 0
    places: list[memoryview] = field(default_factory=list)


class Stream:
    """Answers that are not sent yet, in the order of their requests."""

    def __init__(self) -> None:
        self._pieces: deque[Piece] = deque()
        self.size = 0
        """Bytes to send."""

    def __len__(self) -> int:
        return len(self._pieces)

    def add(self, piece: Piece) -> None:
        """One more answer."""
        self._pieces.append(piece)
        self.size += piece.size

    def spread(self, places: Sequence[memoryview]) -> Sequence[Run]:
        """Put heads into their places, and say which parts of files belong to the others."""
        runs: list[Run] = []
        room = _Room(places)
        for piece in self._pieces:
            at = 0
            for place in room.take(len(piece.head)):
                place[:] = piece.head[at : at + len(place)]
                at += len(place)
            if piece.file is not None and piece.left and room.left:
                _extend(runs, piece.file, piece.offset, room, piece.left)
            if not room.left:
                break
        return runs

    def sent(self, size: int) -> int:
        """So many bytes are sent; returns how many of them were files'."""
        self.size -= size
        of_files = 0
        while size:
            piece = self._pieces[0]
            of_head = min(size, len(piece.head))
            of_file = min(size - of_head, piece.left)
            if of_file and piece.file is not None:
                piece.file.coverage.note(piece.offset, of_file)
            piece.head, piece.begun = piece.head[of_head:], True
            piece.offset, piece.left = piece.offset + of_file, piece.left - of_file
            size -= of_head + of_file
            of_files += of_file
            if not piece.size:
                self._pieces.popleft()
        return of_files

    def shrink(self, file: OpenFile) -> None:
        """The file is shorter than it was: change the answers that can be.

        Raises:
            Unreachable: one of them is sent in part.
        """
        for piece in self._pieces:
            left = max(0, min(piece.left, file.size - piece.offset))
            if piece.file is not file or left == piece.left:
                continue
            if piece.begun:
                raise Unreachable("The disk", "a file became shorter while it was read; fetch it again")
            head = filexfer.data_head(piece.request_id, left)
            piece.head = head if left else filexfer.status(piece.request_id, Status.EOF)
            piece.left = left
        self.size = sum(piece.size for piece in self._pieces)

    def fail(self, file: OpenFile, offset: int, size: int, why: OSError) -> None:
        """A part of the file cannot be read: say so in the answers that would hold some of it.

        Raises:
            Unreachable: one of them is sent in part.
        """
        for piece in self._pieces:
            if piece.file is not file or piece.offset >= offset + size or piece.offset + piece.left <= offset:
                continue
            if piece.begun:
                raise Unreachable("The disk", f"a file cannot be read any further ({why.strerror})")
            piece.head, piece.left = filexfer.status(piece.request_id, Status.FAILURE, unreadable(why)), 0
        self.size = sum(piece.size for piece in self._pieces)

    def clear(self) -> None:
        """Nobody takes them."""
        self._pieces.clear()
        self.size = 0


def unreadable(why: OSError) -> str:
    """What is said of bytes that the disk does not give."""
    return f"it cannot be read just now ({why.strerror})"


class _Room:
    """Places, taken from the front."""

    def __init__(self, places: Sequence[memoryview]) -> None:
        self._places = deque(places)
        self.left = sum(len(place) for place in places)

    def take(self, size: int) -> list[memoryview]:
        taken: list[memoryview] = []
        size = min(size, self.left)
        self.left -= size
        while size:
            place = self._places[0]
            if len(place) <= size:
                taken.append(self._places.popleft())
            else:
                taken.append(place[:size])
                self._places[0] = place[size:]
            size -= len(taken[-1])
        return taken


def _extend(runs: list[Run], file: OpenFile, offset: int, room: _Room, size: int) -> None:
    last = runs[-1] if runs else None
    if last is None or last.file is not file or last.offset + last.size != offset:
        last = Run(file, offset)
        runs.append(last)
    before = room.left
    last.places += room.take(size)
    last.size += before - room.left
