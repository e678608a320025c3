"""The pages: our own few, and the program of textual-serve's that shows a terminal. Nothing comes from elsewhere."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

OWN = Path(str(files("uuutorrent.browser"))) / "static"
TERMINAL = Path(str(files("textual_serve"))) / "static"

_FORM = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
_SCREEN = (
    # xterm.js makes style sheets for its colours and sizes; everything else is a file of ours.
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self' {socket}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class Pages:
    """Writes the pages. What is put into them is text, and never markup."""

    def __init__(self) -> None:
        loader = PackageLoader("uuutorrent.browser", "pages")
        self._templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)

    def sign_in(self, *, told: str = "", name: str = "", asks: str = "password", status: int = 200) -> web.Response:
        """The form: `asks` for a name and a "password", or for a "code", or for nothing ("")."""
        page = self._templates.get_template("signin.html").render(told=told, name=name, asks=asks)
        # Without a referrer a browser would not say either that it is our own form that it sends.
        headers = {"Content-Security-Policy": _FORM, "Referrer-Policy": "same-origin"}
        return web.Response(text=page, content_type="text/html", status=status, headers=headers)

    def screen(self, socket: str) -> web.Response:
        """The terminal; `socket` is the address of its websocket."""
        page = self._templates.get_template("screen.html").render(socket=socket)
        origin = "/".join(socket.split("/", 3)[:3])
        headers = {"Content-Security-Policy": _SCREEN.format(socket=origin), "Referrer-Policy": "same-origin"}
        return web.Response(text=page, content_type="text/html", headers=headers)


def routes() -> list[web.AbstractRouteDef]:
    """The files of the pages."""
    return [web.static("/static/own", OWN), web.static("/static/terminal", TERMINAL)]
