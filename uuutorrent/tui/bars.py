"""The bars at the top and the bottom of every screen: where you are and who you are; what the keys do here."""

from __future__ import annotations

from rich.cells import cell_len
from textual.screen import Screen

from uuutorrent.tui.line import Line, LineStyle, Span
from uuutorrent.tui.shell import Shell


class TopLine(Line):
    """The screens to choose from, trouble with the engine, and the name of the person."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._mode = ""

    def on_mount(self) -> None:
        """Follow what the app knows. It stands on one screen: whatever comes while another is shown, that stays."""
        self._mode = self.app.current_mode
        self.watch(self.app, "trouble", self._show, init=False)
        self.watch(self.app, "waiting", self._show, init=False)
        self._show()

    def on_resize(self) -> None:
        """Where there is little room, only the title of this screen stands there."""
        self._show()

    def _show(self) -> None:
        app = self.app
        if not isinstance(app, Shell):
            return
        trouble = [Span(f" {app.trouble} ", "bad")] if app.trouble else []
        right, spans = [*trouble, Span(f" {app.who} ", "dim")], _tabs(app, self._mode, is_short=False)
        if _cells(spans) + cell_len(f" {app.who} ") > self.size.width:
            spans = _tabs(app, self._mode, is_short=True)
        self.set(*spans, right=right)


class KeyBar(Line):
    """The keys that do something here, from the nearest to the app's own; clicking one presses it."""

    def on_mount(self) -> None:
        """Follow the active bindings."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)
        self._show()

    def on_unmount(self) -> None:
        """Follow no more."""
        self.screen.bindings_updated_signal.unsubscribe(self)

    def _changed(self, screen: Screen[object]) -> None:
        if self.is_attached and screen is self.screen:
            self.call_after_refresh(self._show)

    def _show(self) -> None:
        if not self.is_attached:
            return  # a dialog that was closed before its keys were painted
        shown: dict[str, list[Span]] = {}
        for _node, binding, enabled, _tooltip in self.screen.active_bindings.values():
            if binding.show and enabled and binding.action not in shown:
                key, press = self.app.get_key_display(binding), f"app.simulate_key('{binding.key}')"
                shown[binding.action] = [Span(f" {key} ", "key", press), Span(f"{binding.description} ", "", press)]
        help_spans = shown.pop("app.help", shown.pop("help", []))
        self.set(*(span for spans in shown.values() for span in spans), right=help_spans)


def _tabs(app: Shell, mode: str, *, is_short: bool) -> list[Span]:
    spans = [Span(" uuutorrent ", "accent")]
    for place in app.places:
        is_here, go = place.mode == mode, f"app.show('{place.mode}')"
        here: LineStyle = "here" if is_here else ""
        spans.append(Span(f" {place.key} ", "key", go))
        if is_here or not is_short:
            spans.append(Span(f"{place.title} ", here, go))
        if waiting := app.waiting.get(place.mode):
            spans.append(Span(f"({waiting}) ", "warn", go))
    return spans


def _cells(spans: list[Span]) -> int:
    return sum(cell_len(span.text) for span in spans)
