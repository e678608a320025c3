"""The sign-up screen: all that a stranger sees. It asks for a name and for what is to sign them in."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input

from uuutorrent.errors import Invalid, UuuError
from uuutorrent.invites import NotInvited
from uuutorrent.passwords import Strength
from uuutorrent.publickeys import PublicKey
from uuutorrent.signup import Enough, Lobby, Newcomer, Taken, Welcome
from uuutorrent.tui.dialogs import Dialog, Pasted, Typed
from uuutorrent.tui.form import Fields
from uuutorrent.tui.inks import InkName
from uuutorrent.tui.line import Line, Span
from uuutorrent.tui.pace import Studio
from uuutorrent.tui.panel import Panel, said
from uuutorrent.tui.shell import Shell
from uuutorrent.tui.terminal import Terminal
from uuutorrent.users import check_shape

LONGEST = 200
LONGEST_KEY = 8192
"""Characters of a public key's line."""
TYPING_S = 0.3
"""A password is looked at once nothing more is typed for so long."""
RULE = "1 to 32 of a-z, 0-9, _ and -, beginning with a letter"
WORDS = ("very weak", "very weak", "weak", "good", "strong")
"""What the scores of passwords are called."""
STEPS = 4
LAST = "Enter goes on to the next line, and on the last one it makes the account."


class Tick(Line, can_focus=True):
    """A box to tick, with the space bar or the mouse."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "tick", "Tick", id="join.tick"),
        Binding("enter", "app.focus_next", "Next", id="join.on"),
    ]

    def __init__(self, about: str, *, id: str) -> None:
        super().__init__(id=id)
        self.is_on = True
        self._about = about

    def on_mount(self) -> None:
        """Show the box."""
        self._show()

    async def on_click(self, event: events.Click) -> None:
        """As the space bar."""
        event.stop()
        self.action_tick()

    def action_tick(self) -> None:
        """The other way."""
        self.is_on = not self.is_on
        self._show()

    def _show(self) -> None:
        self.set(Span(" [x] " if self.is_on else " [ ] ", "key"), self._about)


class JoinDialog(Dialog[Welcome]):
    """Asks for all that an account takes; the answer is how it went."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", "Back", id="join.up", show=False),
        Binding("down", "app.focus_next", "On", id="join.down", show=False),
        Binding("escape", "app.quit", "Leave", id="join.leave"),
    ]
    AUTO_FOCUS: ClassVar[str | None] = "Input"

    def __init__(self, lobby: Lobby) -> None:
        super().__init__("Sign up")
        self.lobby = lobby
        self._is_busy = False
        self.add_class("form")

    def body(self) -> ComposeResult:
        """A line for each thing."""
        yield Panel(said(self._welcome(), wraps=True), classes="words")
        with Fields():
            code_hint = "if you have one" if self.lobby.signups.mode == "open" else ""
            yield _field("Invitation code", Pasted(placeholder=code_hint, compact=True, max_length=LONGEST, id="code"))
            yield _field("Name", Typed(placeholder=RULE, compact=True, max_length=LONGEST, id="name"))
            password = Typed(placeholder=self._password_hint(), password=True, compact=True, max_length=LONGEST)
            password.id = "password"
            yield _field("Password", password)
            yield _field("", Line(id="strength"))
            yield _field("Once more", Typed(password=True, compact=True, max_length=LONGEST, id="again"))
            if (offered := self.lobby.offered) is not None:
                yield _field("Key you came with", Tick(_named(offered), id="offered"))
            key_hint = "ssh-ed25519 AAAA… you@laptop, if you like"
            label = "Another key" if offered else "Public key"
            yield _field(label, Pasted(placeholder=key_hint, compact=True, max_length=LONGEST_KEY, id="key"))
        yield Line(id="hint")

    def _welcome(self) -> str:
        if self.lobby.signups.mode == "open":
            return f"{LAST} Without an invitation an admin has to say yes before you can sign in."
        return f"{LAST} An account takes an invitation."

    def _password_hint(self) -> str:
        if not self.lobby.passwords:
            return "none is taken here: leave it empty"
        return "empty: none, the key is enough" if self.lobby.offered else "empty: none, if you give a key"

    @on(Input.Changed, "#name")
    def _name_typed(self, event: Input.Changed) -> None:
        self.query_one("#hint", Line).set(*_rule(event.value))
        self._look_at_password()

    @on(Input.Changed, "#password")
    def _password_typed(self) -> None:
        self._look_at_password()

    @work(group="strength", exclusive=True)
    async def _look_at_password(self) -> None:
        await asyncio.sleep(TYPING_S)
        name, password = self._typed("name"), self._typed("password")
        strength = await self.lobby.signups.strength(password, name) if password else None
        self.query_one("#strength", Line).set(*_bar(strength))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if event.input.id != "key":
            self.focus_next()
        elif self._typed("password") != self._typed("again"):
            self._again("password")
            self.failed(Invalid("the password and its repetition differ: type both again", field="password"))
        else:
            self._sign_up()

    @work(group="join")
    async def _sign_up(self) -> None:
        if self._is_busy:  # a second Enter must not cut off what the first one began
            return
        self._is_busy = True
        self.busy("Checking…")
        try:
            self.dismiss(await self.lobby.sign_up(self._newcomer()))
        except Enough as e:
            self.shell.leave(e.message, code=e.exit_code)
        except UuuError as e:
            self._again(_place(e))
            self.failed(e)
        finally:
            self._is_busy = False

    def _newcomer(self) -> Newcomer:
        typed = self._typed("key").strip()
        offered = self.lobby.offered
        keys = [offered.line] if offered and self.query_one(Tick).is_on else []
        return Newcomer(
            self._typed("name").strip(),
            self._typed("code"),
            self._typed("password"),
            (*keys, *([typed] if typed else [])),
        )

    def _again(self, field: str) -> None:
        if field == "password":
            for name in ("again", "password"):
                self.query_one(f"#{name}", Input).value = ""
        if field in ("code", "name", "password", "key"):
            self.set_focus(self.query_one(f"#{field}", Input))  # now: the next key may be there already

    def _typed(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value


class JoinApp(Shell):
    """A stranger's session: one form, and then it is over."""

    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, lobby: Lobby, terminal: Terminal | None = None, studio: Studio | None = None) -> None:
        super().__init__(terminal, studio, who="join")
        self.lobby = lobby

    def on_mount(self) -> None:
        """Show the form."""
        self.push_screen(JoinDialog(self.lobby), self._done)

    def _done(self, welcome: Welcome | None) -> None:
        if welcome is not None:
            self.leave(_farewell(welcome, self.lobby.reach(welcome.name)))


def _farewell(welcome: Welcome, reach: str) -> str:
    if welcome.waits:
        return f"Thank you, {welcome.name}. An admin has to say yes first; then you sign in with: {reach}"
    return f"Welcome, {welcome.name}. You can now sign in: {reach}"


def _place(error: UuuError) -> str:
    """Which line is to be typed again."""
    return "code" if isinstance(error, NotInvited) else error.field if isinstance(error, Invalid | Taken) else ""


def _field(label: str, widget: Line | Input) -> Horizontal:
    return Horizontal(Line(label, classes="label"), widget, classes="field")


def _named(key: PublicKey) -> str:
    return f"{key.line.split()[0].removeprefix('ssh-')} {key.fingerprint}"


def _rule(name: str) -> tuple[Span, ...]:
    if not name:
        return ()
    try:
        check_shape(name.strip())
    except Invalid:
        return (Span(f"  A name is {RULE}.", "bad"),)
    return (Span(f"  You will be {name.strip()} here, if nobody else is.", "dim"),)


def _bar(strength: Strength | None) -> tuple[Span, ...]:
    """How good a password is, as a bar and in words."""
    if strength is None:
        return ()
    style: InkName = "bad" if strength.advice else "good"
    full = max(strength.score, 1)
    words = f" {WORDS[strength.score]}" + (f": {strength.advice}" if strength.advice else "")
    return (Span(" " + "▰" * full, style), Span("▱" * (STEPS - full), "dim"), Span(words, style))
