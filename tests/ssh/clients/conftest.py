"""A machine with every client on it."""

from __future__ import annotations

import pytest

from tests.ssh.clients.programs import Programs, can_mount
from tests.ssh.laptop import Laptop

collect_ignore = ["test_no_fuse.py" if can_mount() else "test_mount.py"]
"""One of the two: what a machine cannot do is asserted as well."""


@pytest.fixture
def programs(laptop: Laptop) -> Programs:
    return Programs(laptop)
