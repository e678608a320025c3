"""Makes the pictures of the door for browsers: `.venv/bin/python -m docs.browsing` (after `./dev test`).

The same house as for the other pictures, and a real Chromium without a window that signs in to it. The pictures are PNG
with as many colours as the screens have. The machine needs a font for Japanese titles, such as fonts-ipafont-gothic. It
takes about two minutes.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from docs.pictures import NAME, PICTURES, SETTLE_S, TOAST_S, fill, town_of
from tests.ports import free_port
from tests.servers.chromium import Page, chromium

PASSWORD = "seven brass kettles hum"  # noqa: S105 - of nobody
WIDTH, HEIGHT = 1000, 525
FORM_HEIGHT = 390
FEW_COLOURS = "split[a][b];[a]palettegen=max_colors=64:stats_mode=full[p];[b][p]paletteuse=dither=none"


def main() -> None:
    """Make them."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="browsing-", ignore_cleanup_errors=True) as place, ExitStack() as stack:
        town = town_of(Path(place), stack, extra=f"[browser]\nenabled = true\nport = {port}")
        fill(town)
        town.house.uuutorrent("user", "passwd", NAME, "--password-stdin", given=f"{PASSWORD}\n")
        asyncio.run(_browse(Path(place) / "chromium", f"http://127.0.0.1:{port}/"))


async def _browse(home: Path, url: str) -> None:
    async with chromium(home) as browser:
        form = await browser.new_page(url, width=WIDTH, height=FORM_HEIGHT)
        await form.fill("#name", NAME)
        await form.fill("#password", PASSWORD)
        await _take(form, "browser-signin")
        await form.type("\r")
        await form.shows("Umibe no Toshokan", "behind")
        page = await browser.new_page(url, width=WIDTH, height=HEIGHT)
        await page.shows("Umibe no Toshokan", "behind")
        await asyncio.sleep(TOAST_S)
        await page.type("g\r")
        await page.shows("✓ link", "Episode 6 downloading")
        await _take(page, "browser-watchlist")


async def _take(page: Page, name: str) -> None:
    await asyncio.sleep(SETTLE_S)
    file = PICTURES / f"{name}.png"
    words = ("ffmpeg", "-v", "error", "-y", "-i", "-", "-vf", FEW_COLOURS, str(file))
    subprocess.run(words, input=await page.picture(), check=True)  # noqa: ASYNC221 - nothing else goes on here
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {file.name}: {file.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
