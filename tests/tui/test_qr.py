from __future__ import annotations

import pytest
import segno

from uuutorrent.tui.qr import halves

LIGHT = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}


@pytest.mark.parametrize("text", ["otpauth://totp/uuutorrent:ann?secret=JBSWY3DPEHPK3PXP", "x" * 100])
def test_every_square_of_the_code_is_there_light_on_dark(text: str) -> None:
    rows = [[LIGHT[char][half] for char in line] for line in halves(text, border=1) for half in (0, 1)]
    squares = [[1 - dark for dark in row] for row in segno.make(text, error="l", micro=False).matrix_iter(1, 1)]
    assert rows[: len(squares)] == squares


@pytest.mark.parametrize("name", ["ann", "a" * 32])
def test_a_code_for_any_name_fits_eighty_by_twentyfour_beside_its_words(name: str) -> None:
    shown = halves(f"otpauth://totp/uuutorrent:{name}?secret={'A' * 32}", border=1)
    assert len(shown) <= 20
    assert len(shown[0]) <= 40
