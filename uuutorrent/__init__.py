"""uuutorrent: a seedbox for a campus, reached with nothing but ssh."""
