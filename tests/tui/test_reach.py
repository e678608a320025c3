"""The lines that people type at home, as their shells and programs read them."""

from __future__ import annotations

import shlex

from uuutorrent.config import Ssh
from uuutorrent.tui.reach import url, ways

SSH = Ssh(public_host="box.example", port=2222)
FILE = "/torrents/[Group] Bob's Show - 01 「一」/01.mkv"


def test_each_line_is_read_by_the_shell_as_it_is_meant() -> None:
    read = {way.program: shlex.split(way.line) for way in ways(SSH, "ann", FILE)}
    folder = FILE.rpartition("/")[0]
    assert read["scp"][:3] == ["scp", "-P", "2222"]
    assert read["sftp"] == ["sftp", "-P", "2222", f"ann@box.example:{folder}"]
    assert read["rclone"] == ["rclone", "copy", "-P", f":sftp,host=box.example,port=2222,user=ann:{FILE}", "."]
    # mpv finds nothing when the address is encoded.
    assert read["mpv"] == ["mpv", f"sftp://ann@box.example:2222{FILE}"]
    *ssh, cat, pipe, player, dash = read["ssh | mpv"]
    assert (ssh, [pipe, player, dash]) == (["ssh", "-p", "2222", "ann@box.example"], ["|", "mpv", "-"])
    # The command is read a second time on the seedbox.
    assert shlex.split(cat) == ["cat", FILE]


def test_a_folder_of_several_files_has_no_line_for_a_player() -> None:
    assert [way.program for way in ways(SSH, "ann", "/torrents/Show")] == ["scp", "sftp", "rclone"]


def test_the_usual_port_is_left_out() -> None:
    lines = [way.line for way in ways(Ssh(public_host="box.example", port=22), "ann", "/torrents/Show")]
    assert lines[1] == "sftp ann@box.example:/torrents/Show"


def test_an_address_is_encoded() -> None:
    assert url(SSH, "ann", "/torrents/a b") == "sftp://ann@box.example:2222/torrents/a%20b"
