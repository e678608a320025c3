"""A real browser: Debian's Chromium without a window, told what to do by its DevTools protocol. It reaches no network.

Source: Chrome DevTools Protocol, domains Target, Page, Runtime, Input, Browser and Network.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

from tests.stories.hatchery import die_with_parent

PROGRAM = "chromium"
PATIENCE_S = 60
LOOK_S = 0.05
ALONE = (
    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars",
    "--no-first-run", "--no-default-browser-check", "--disable-background-networking", "--disable-component-update",
    "--disable-default-apps", "--disable-domain-reliability", "--disable-extensions", "--disable-sync",
    "--metrics-recording-only", "--no-pings", "--password-store=basic", "--use-mock-keychain", "--lang=en",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)  # fmt: skip
"""Root has no sandbox, /dev/shm is small in containers, and nothing is asked of anybody outside."""
KEYS = {"\r": ("Enter", 13), "\t": ("Tab", 9), "\x1b": ("Escape", 27)}
GET_HOLD = """
    Object.defineProperty(Object.prototype, "fitAddon", {configurable: true, set(value) {
        window.shown = this;
        Object.defineProperty(this, "fitAddon", {value, writable: true});
    }});
"""
"""The page's terminal is nowhere to be found from outside; this sees it when it is made."""
READ = """(() => {
    const terminal = window.shown?.terminal, buffer = terminal?.buffer.active;
    if (!buffer) return "";
    return [...Array(terminal.rows).keys()]
        .map((y) => buffer.getLine(buffer.viewportY + y)?.translateToString(true) ?? "").join("\\n");
})()"""


class Chromium:
    """The whole browser: what is saved goes to `saved`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, saved: Path) -> None:
        self.saved = saved
        self._socket = socket
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def hear(self) -> None:
        """Take in answers, until the browser is gone."""
        async for message in self._socket:
            told = json.loads(message.data)
            if (waiting := self._waiting.pop(told.get("id", 0), None)) is not None and not waiting.done():
                waiting.set_result(told)

    async def tell(self, method: str, session: str = "", **params: Any) -> dict[str, Any]:
        """One command; returns its result."""
        number = next(self._ids)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        order = {"id": number, "method": method, "params": params} | ({"sessionId": session} if session else {})
        await self._socket.send_json(order)
        async with asyncio.timeout(PATIENCE_S):
            told = await answer
        assert "error" not in told, f"{method}: {told}"
        result: dict[str, Any] = told["result"]
        return result

    async def new_page(self, url: str, *, alone: bool = False, width: int = 1100, height: int = 640) -> Page:
        """A page on that address; `alone`: without the cookies of the others."""
        context = (
            {"browserContextId": (await self.tell("Target.createBrowserContext"))["browserContextId"]} if alone else {}
        )
        saving = {"behavior": "allow", "downloadPath": str(self.saved), **context}
        await self.tell("Browser.setDownloadBehavior", **saving)
        made = await self.tell("Target.createTarget", url="about:blank", **context)
        joined = await self.tell("Target.attachToTarget", targetId=made["targetId"], flatten=True)
        page = Page(self, joined["sessionId"])
        await page.tell("Page.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await page.tell("Emulation.setDeviceMetricsOverride", **size)
        await page.tell("Page.addScriptToEvaluateOnNewDocument", source=GET_HOLD)
        await page.go(url)
        return page

    async def has_saved(self, name: str) -> Path:
        """Wait until a file of that name is saved whole."""
        file = self.saved / name

        async def is_there() -> bool:
            return file.exists() and not list(self.saved.glob("*.crdownload"))

        await until(is_there, f"{name} is not saved; there are {[one.name for one in self.saved.iterdir()]}")
        return file


class Page:
    """One page, as a person uses it."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self.browser = browser
        self._session = session

    async def tell(self, method: str, **params: Any) -> dict[str, Any]:
        return await self.browser.tell(method, self._session, **params)

    async def go(self, url: str) -> None:
        """To an address, until the page is there."""
        await self.tell("Page.navigate", url=url)
        await self.settles()

    async def settles(self) -> None:
        """Wait until a page is there."""

        async def is_ready() -> bool:
            return bool(await self.look("document.readyState == 'complete' && location.href != 'about:blank'"))

        await until(is_ready, "the page does not load")

    async def run(self, script: str) -> Any:
        """What a script in the page comes to."""
        told = await self.tell("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    async def look(self, script: str) -> Any:
        """The same; None while one page gives way to another."""
        with suppress(AssertionError):
            return await self.run(script)
        return None

    async def type(self, text: str) -> None:
        """Press keys."""
        for char in text:
            name, code = KEYS.get(char, (char, ord(char.upper())))
            key = {"key": name, "windowsVirtualKeyCode": code, "text": char}
            await self.tell("Input.dispatchKeyEvent", type="keyDown", **key)
            await self.tell("Input.dispatchKeyEvent", type="keyUp", key=name, windowsVirtualKeyCode=code)

    async def fill(self, field: str, text: str) -> None:
        """Type into a field of a form."""
        await self.run(f"document.querySelector({json.dumps(field)}).focus()")
        await self.tell("Input.insertText", text=text)

    async def screen(self) -> str:
        """The text that the terminal in the page shows."""
        return str(await self.look(READ))

    async def shows(self, *words: str) -> str:
        """Wait until the terminal shows every word; returns all that it shows."""
        shown = ""

        async def is_shown() -> bool:
            nonlocal shown
            shown = await self.screen()
            return all(word in shown for word in words)

        try:
            await until(is_shown, f"not on the screen: {words}")
        except AssertionError as e:
            raise AssertionError(f"{e}\n{shown}\n{await self.run('location.href')}") from None
        return shown

    async def says(self, words: str) -> str:
        """Wait until the page itself, in no terminal, says that; returns all that it says."""

        said = ""

        async def is_said() -> bool:
            nonlocal said
            said = str(await self.look("document.body?.innerText"))
            return words in said

        await until(is_said, f"the page does not say {words}")
        return said

    async def picture(self) -> bytes:
        """What it looks like, as PNG."""
        return base64.b64decode((await self.tell("Page.captureScreenshot", format="png"))["data"])

    async def cookies(self) -> str:
        """All that are kept of its site, also those that scripts cannot read, as they would be sent."""
        kept = (await self.tell("Network.getCookies"))["cookies"]
        return "; ".join(f"{one['name']}={one['value']}" for one in kept)


@asynccontextmanager
async def chromium(home: Path) -> AsyncIterator[Chromium]:
    """A browser that nobody has used before."""
    saved = home / "saved"
    saved.mkdir(parents=True)
    process = await asyncio.create_subprocess_exec(
        *(PROGRAM, *ALONE, "--remote-debugging-port=0", f"--user-data-dir={home / 'profile'}", "about:blank"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        preexec_fn=die_with_parent,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
    )
    try:
        file = home / "profile" / "DevToolsActivePort"

        async def is_ready() -> bool:
            assert process.returncode is None, "the browser ended"
            return file.exists() and file.read_text().count("\n") > 0

        await until(is_ready, "the browser does not start")
        port, path = file.read_text().splitlines()
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"ws://127.0.0.1:{port}{path}", max_msg_size=1 << 26) as socket,
        ):
            browser = Chromium(socket, saved)
            hearing = asyncio.create_task(browser.hear())
            try:
                yield browser
            finally:
                with suppress(ConnectionError, TimeoutError, AssertionError):
                    await browser.tell("Browser.close")
                    async with asyncio.timeout(PATIENCE_S):
                        await process.wait()
                hearing.cancel()
                await asyncio.wait({hearing})
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def until(true: Any, complaint: str) -> None:
    """Wait until it is so."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await true():  # noqa: ASYNC110 - what is waited for tells nobody
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        raise AssertionError(complaint) from None
