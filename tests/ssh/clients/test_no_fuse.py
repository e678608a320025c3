"""In the place of test_mount.py on a machine that lets nobody mount: sshfs fails, and not because of the seedbox."""

from __future__ import annotations

import pytest

from tests.ssh.clients.programs import Programs

pytestmark = pytest.mark.real


async def test_sshfs_fails_for_want_of_fuse_alone(programs: Programs) -> None:
    where = programs.home / "mount"
    where.mkdir()
    done = await programs.laptop.runs("sshfs", *programs.laptop.options(), "ann@127.0.0.1:/", str(where))
    assert done.code != 0
    assert "fuse" in done.err.lower(), done
    # What it would have asked for is there.
    assert (await programs.sftp("ls /", "df")).code == 0
