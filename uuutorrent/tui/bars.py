"""The bars at the top and the bottom of every screen: where you are and who you are; what the keys do here."""

from __future__ import annotations

from textual.screen import Screen

from uuutorrent.tui.line import Line, LineStyle, Span
from uuutorrent.tui.shell import Shell


class TopLine(Line):
    """The screens to choose from, trouble with the engine, and the name of the person."""

    def on_mount(self) -> None:
        """Follow what the app knows."""
        self.watch(self.app, "trouble", self._show, init=False)
        self._show()

    def _show(self) -> None:
        app = self.app
        if not isinstance(app, Shell):
            return
        spans = [Span(" uuutorrent ", "accent")]
        for place in app.places:
            here: LineStyle = "here" if place.mode == app.current_mode else ""
            spans += [Span(f" {place.key} ", "key"), Span(f"{place.title} ", here, f"app.show('{place.mode}')")]
        trouble = [Span(f" {app.trouble} ", "bad")] if app.trouble else []
        self.set(*spans, right=[*trouble, Span(f" {app.who} ", "dim")])


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
