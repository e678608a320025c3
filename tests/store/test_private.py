from __future__ import annotations

import os
from pathlib import Path

from uuutorrent.store.private import hand_over

NOBODY = 65534


def test_what_root_made_among_anothers_files_becomes_theirs(tmp_path: Path) -> None:
    am_root = os.geteuid() == 0
    theirs, outside = tmp_path / "data", tmp_path / "shadow"
    (theirs / "backups").mkdir(parents=True)
    outside.write_text("secret")
    made = theirs / "backups/manifest.json"
    made.write_text("{}")
    (theirs / "link").symlink_to(outside)
    (theirs / "other-name").hardlink_to(outside)
    if am_root:
        os.chown(theirs, NOBODY, NOBODY)

    hand_over(theirs)

    expected = NOBODY if am_root else os.geteuid()
    assert {one.stat().st_uid for one in (theirs, theirs / "backups", made)} == {expected}
    assert outside.stat().st_uid == os.geteuid(), "neither by a link nor by another name"


def test_files_of_roots_own_directory_stay_roots(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    hand_over(tmp_path)
    hand_over(tmp_path / "nowhere")
    assert (tmp_path / "file").stat().st_uid == os.geteuid()
