"""`python -m uuutorrent` is the same as `uuutorrent`."""

from uuutorrent.cli import main

main()
