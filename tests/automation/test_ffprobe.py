"""ffprobe is asked within bounds: of time, of what it may open, of how much it may say."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.people import PATIENCE_S
from tests.swarm import FFMPEG, mkv
from uuutorrent.automation.health.ffprobe import FFprobe, Sight
from uuutorrent.errors import Unexpected, Unreachable

WATCHED_S = 3.0
film = pytest.fixture(scope="module")(lambda: mkv(WATCHED_S))


@contextmanager
def opened(folder: Path, content: bytes) -> Iterator[int]:
    place = folder / "content"
    place.write_bytes(content)
    fd = os.open(place, os.O_RDONLY)
    try:
        yield fd
    finally:
        os.close(fd)


def pretend(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    """Let another program be ffprobe."""
    program = folder / "bin/ffprobe"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


async def until_gone(pid: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while Path(f"/proc/{pid}/stat").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text():  # noqa: ASYNC110, ASYNC240
            await asyncio.sleep(0.02)


@pytest.mark.real
async def test_a_video_is_seen_with_its_length(tmp_path: Path, film: bytes) -> None:
    with opened(tmp_path, film) as fd:
        sight = await FFprobe().look(fd)
    assert sight is not None
    assert sight.has_picture
    assert sight.duration_s == pytest.approx(WATCHED_S, abs=0.2)


@pytest.mark.real
async def test_what_is_no_video_cannot_be_read(tmp_path: Path, film: bytes) -> None:
    for content in (b"", os.urandom(1 << 20), b"MZ" + os.urandom(1000), film[:300], b"<html>no</html>"):
        with opened(tmp_path, content) as fd:
            assert await FFprobe().look(fd) is None


@pytest.mark.real
async def test_sound_alone_has_no_picture(tmp_path: Path) -> None:
    words = [*FFMPEG[:3], "-f", "lavfi", "-i", "sine", "-t", "2", "-c:a", "aac", "-f", "matroska", "-"]
    process = await asyncio.create_subprocess_exec(
        *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    sound, _ = await process.communicate()
    with opened(tmp_path, sound) as fd:
        sight = await FFprobe().look(fd)
    assert sight is not None
    assert not sight.has_picture


@pytest.mark.real
async def test_a_playlist_opens_nothing_else(tmp_path: Path, film: bytes) -> None:
    (tmp_path / "film.ts").write_bytes(film)
    for playlist in (f"#EXTM3U\n#EXTINF:3,\n{tmp_path}/film.ts\n", f"ffconcat version 1.0\nfile {tmp_path}/film.ts\n"):
        with opened(tmp_path, playlist.encode()) as fd:
            assert await FFprobe().look(fd) is None


async def test_a_hanging_one_is_killed_with_all_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pids = tmp_path / "pids"
    pretend(monkeypatch, tmp_path, f"sleep 1000 &\necho $$ $! > {pids}\nwait")
    begun = time.monotonic()
    with opened(tmp_path, b"x") as fd, pytest.raises(Unreachable, match="no answer"):
        await FFprobe(deadline_s=1.0).look(fd)
    assert time.monotonic() - begun < PATIENCE_S
    for pid in pids.read_text().split():
        await until_gone(int(pid))


async def test_one_looks_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    pretend(monkeypatch, tmp_path, f"echo in >> {log}; sleep 0.05; echo out >> {log}; echo '{{}}'")
    ffprobe = FFprobe()
    with opened(tmp_path, b"x") as fd:
        sights = await asyncio.gather(*(ffprobe.look(fd) for _ in range(4)))
    assert sights == [Sight(has_picture=False, duration_s=None)] * 4
    assert log.read_text().split() == ["in", "out"] * 4


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("kill -9 $$", Unreachable),
        ("exit 127", Unreachable),
        ("echo 'no such option' >&2; exit 1", Unreachable),
        ("echo no json", Unexpected),
        ("echo '[1]'", Unexpected),
        ('echo \'{"format": {"duration": "N/A?"}}\'', Unexpected),
        ("yes", Unexpected),
    ],
)
async def test_what_it_says_wrong_is_no_verdict_on_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, error: type[Exception]
) -> None:
    pretend(monkeypatch, tmp_path, script)
    with opened(tmp_path, b"x") as fd, pytest.raises(error):
        await FFprobe().look(fd)


async def test_one_that_never_stops_talking_is_ended_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, tmp_path, "yes")
    with opened(tmp_path, b"x") as fd:
        for _ in range(40):
            async with asyncio.timeout(PATIENCE_S):
                with pytest.raises(Unexpected):
                    await FFprobe().look(fd)


async def test_where_it_is_not_installed_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with opened(tmp_path, b"x") as fd, pytest.raises(Unreachable, match="apt-get install ffmpeg"):
        await FFprobe().look(fd)
