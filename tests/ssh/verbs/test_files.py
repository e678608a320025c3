"""`cat`: a file's bytes on stdout, as they are, and no faster than they are taken."""

from __future__ import annotations

import os
import shlex

import pytest

from tests.ssh.laptop import Laptop
from tests.ssh.port import Port
from tests.ssh.prompt import Pipe, Prompt
from uuutorrent.ssh import commands
from uuutorrent.users import User

EPISODE = os.urandom(3_000_001)
PATH = "torrents/Show/Show - 01.mkv"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
async def prompt(port: Port, ann: User) -> Prompt:
    await port.give(ann, "Show", {"Show - 01.mkv": EPISODE, "empty.txt": b"", "notes.txt": b"some notes\n"})
    return Prompt(port.services, ann)


async def pipes(prompt: Prompt, line: str) -> tuple[int, bytes]:
    """How it ended, and what came on stdout."""
    pipe = Pipe()
    return await commands.run(prompt.services.desk(prompt.user), line, pipe), bytes(pipe.written)


async def test_a_file_comes_as_it_is_through_a_real_ssh(laptop: Laptop, port: Port, ann: User) -> None:
    await port.give(ann, "Show", {"Show - 01.mkv": EPISODE})
    line = shlex.join(["ssh", *laptop.options(), "ann@127.0.0.1", f"cat '{PATH}'"])
    done = await laptop.runs("sh", "-c", f"{line} > got")

    assert done.code == 0, done
    assert (laptop.home / "got").read_bytes() == EPISODE
    assert port.counted("served_bytes", "cat") == len(EPISODE)


async def test_it_goes_on_from_any_byte(prompt: Prompt) -> None:
    assert (await prompt.type("cat torrents/Show/notes.txt --from 5")).out == "notes\n"
    assert (await prompt.type("cat torrents/Show/notes.txt --from 500")).out == ""
    assert (await prompt.type("cat torrents/Show/empty.txt")).out == ""


async def test_it_is_described_for_scripts(prompt: Prompt) -> None:
    told = await prompt.json("cat /torrents/Show/notes.txt")

    assert (told["name"], told["size"]) == ("notes.txt", 11)


async def test_no_terminal_gets_bytes(prompt: Prompt) -> None:
    answer = await prompt.type("cat torrents/Show/notes.txt", is_tty=True)

    assert (answer.code, answer.out) == (2, "")
    assert "pipe them into a program" in answer.err


@pytest.mark.parametrize(
    ("path", "code"), [("/torrents/Show", 2), ("/", 2), ("/torrents/Show/none", 4), ("/etc/passwd", 4)]
)
async def test_what_is_no_file_of_theirs_is_told(prompt: Prompt, path: str, code: int) -> None:
    assert await prompt.fails(f"cat {path}", code)


async def test_somebody_elses_file_does_not_exist(prompt: Prompt, bob: User) -> None:
    others = Prompt(prompt.services, bob)

    assert await others.fails("cat /torrents/Show/notes.txt", 4) == "There is no torrents/Show/notes.txt."
    assert await others.fails("cat /torrents/Nothing/notes.txt", 4) == "There is no torrents/Nothing/notes.txt."


async def test_a_file_that_becomes_shorter_is_no_success(
    prompt: Prompt, port: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = next(port.services.config.download_dir.rglob("Show - 01.mkv"))
    real = os.pread

    def shrinking(fd: int, size: int, offset: int) -> bytes:
        os.truncate(place, 1000)
        return real(fd, size, offset)

    monkeypatch.setattr("uuutorrent.ssh.verbs.files.os.pread", shrinking)

    assert await pipes(prompt, f"cat '{PATH}'") == (5, EPISODE[:1000])


async def test_a_client_that_does_not_read_is_waited_for(prompt: Prompt, port: Port, ann: User) -> None:
    async with port.as_user(ann) as connection:
        process = await connection.create_process(f"cat '{PATH}'", encoding=None, window=65536)
        process.channel.pause_reading()
        for _ in range(10):
            await connection.run("whoami", check=True)
        assert port.counted("served_bytes", "cat") <= 512 * 1024
        process.channel.resume_reading()
        assert await process.stdout.read() == EPISODE


async def test_what_is_read_to_its_end_was_read(prompt: Prompt) -> None:
    assert await pipes(prompt, f"cat '{PATH}'") == (0, EPISODE)
    await prompt.services.uses.run_once()

    assert [one.path for one in await prompt.services.uses.served(prompt.user)] == ["Show/Show - 01.mkv"]
