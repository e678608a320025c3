from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from uuutorrent.errors import BadConfig, Invalid
from uuutorrent.store.sealed import KeyRing

ANN, BOB = "links:sealed_token:1", "links:sealed_token:2"


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return KeyRing.open(tmp_path / "data" / "keys")


def test_a_sealed_secret_opens_in_its_own_place(ring: KeyRing) -> None:
    assert ring.unseal(ring.seal("tok✓en", place=ANN), place=ANN) == "tok✓en"


def test_a_sealed_secret_shows_nothing_of_itself_and_is_never_the_same_twice(ring: KeyRing) -> None:
    sealed = ring.seal("token", place=ANN)
    assert "token" not in sealed
    assert sealed.startswith("v1:")
    assert sealed.count(":") == 3
    assert sealed != ring.seal("token", place=ANN)


def test_a_secret_moved_to_another_users_row_does_not_open(ring: KeyRing) -> None:
    sealed = ring.seal("token", place=ANN)
    with pytest.raises(Invalid, match="changed or moved"):
        ring.unseal(sealed, place=BOB)


def test_a_changed_secret_does_not_open_whichever_character_was_changed(ring: KeyRing) -> None:
    sealed = ring.seal("a token of some length", place=ANN)
    # All but the last: base64 there may carry bits that do not count.
    for position, character in enumerate(sealed[:-1]):
        changed = sealed[:position] + ("A" if character != "A" else "B") + sealed[position + 1 :]
        with pytest.raises(Invalid):
            ring.unseal(changed, place=ANN)


@pytest.mark.parametrize("rubbish", ["", "token", "v1:", "v1::::", "v2:a:b:c", "v1:x:y:z:more", "v1:é:ü:ö"])
def test_what_was_never_sealed_does_not_open(ring: KeyRing, rubbish: str) -> None:
    with pytest.raises(Invalid):
        ring.unseal(rubbish, place=ANN)


def test_the_key_is_made_once_for_this_account_only(tmp_path: Path) -> None:
    path = tmp_path / "data" / "keys"
    sealed = KeyRing.open(path).seal("token", place=ANN)
    made = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o400
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert KeyRing.open(path).unseal(sealed, place=ANN) == "token"
    assert path.read_bytes() == made
    assert [entry.name for entry in path.parent.iterdir()] == ["keys"]


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    sealed = KeyRing.open(tmp_path / "one").seal("token", place=ANN)
    with pytest.raises(Invalid, match="the key it was sealed with is gone"):
        KeyRing.open(tmp_path / "two").unseal(sealed, place=ANN)


def test_a_newer_key_seals_and_the_older_one_still_opens(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    sealed = KeyRing.open(old).seal("token", place=ANN)
    KeyRing.open(new)
    both = tmp_path / "both"
    both.write_bytes(old.read_bytes() + new.read_bytes())
    both.chmod(0o400)
    ring = KeyRing.open(both)
    assert ring.unseal(sealed, place=ANN) == "token"
    assert KeyRing.open(new).unseal(ring.seal("again", place=BOB), place=BOB) == "again"


def test_a_key_file_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    KeyRing.open(path)
    path.chmod(0o440)
    with pytest.raises(BadConfig, match="chmod 400"):
        KeyRing.open(path)


@pytest.mark.parametrize("content", ["", "\n", "abc", "abc c2hvcnQ=", "abc !!!!", "é é"])
def test_a_damaged_key_file_is_told_and_kept(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys"
    path.write_text(content)
    path.chmod(0o400)
    with pytest.raises(BadConfig, match="damaged"):
        KeyRing.open(path)
    assert path.read_text() == content


def test_processes_that_make_the_key_at_once_agree_on_one(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from uuutorrent.store.sealed import KeyRing; print('ready', flush=True);"
        f"sys.stdin.readline(); print(KeyRing.open(pathlib.Path(sys.argv[1])).seal('token', place='{ANN}'))"
    )
    path = tmp_path / "data" / "keys"
    makers = [
        subprocess.Popen(
            [sys.executable, "-c", program, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for maker in makers:
        assert maker.stdout is not None
        assert maker.stdout.readline() == "ready\n"
    for maker in makers:
        assert maker.stdin is not None
        maker.stdin.write("go\n")
        maker.stdin.flush()
    sealed = [maker.communicate()[0].strip() for maker in makers]
    ring = KeyRing.open(path)
    assert [ring.unseal(text, place=ANN) for text in sealed] == ["token"] * 4
