"""Style rules parsed once for all sessions.

Parsing the style sheets takes longer than everything else that happens when a session opens, and the rules of each
session would weigh as much as its widgets. They depend on nothing but the sheets and the theme.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.css.types import CSSLocation

Theme = frozenset[tuple[str, str]]
_Key = tuple[int, str, CSSLocation, bool, int, str]


class Rules:
    """The parsed rules of every sheet under every theme in use; the least used go first."""

    def __init__(self, limit: int = 512) -> None:
        self._parsed: OrderedDict[_Key, list[RuleSet]] = OrderedDict()
        self._themes: dict[Theme, int] = {}
        self._limit = limit

    def __len__(self) -> int:
        return len(self._parsed)

    def theme(self, variables: Mapping[str, str]) -> int:
        """A number for this set of theme variables."""
        return self._themes.setdefault(frozenset(variables.items()), len(self._themes))

    def get(self, key: _Key) -> list[RuleSet] | None:
        """The rules, if they were parsed."""
        rules = self._parsed.get(key)
        if rules is not None:
            self._parsed.move_to_end(key)
        return rules

    def put(self, key: _Key, rules: list[RuleSet]) -> None:
        """Remember rules."""
        self._parsed[key] = rules
        if len(self._parsed) > self._limit:
            self._parsed.popitem(last=False)


class SharedStylesheet(Stylesheet):
    """A session's style sheet, whose rules are shared with every session of the same theme."""

    def __init__(self, shared: Rules, variables: dict[str, str]) -> None:
        super().__init__(variables=variables)
        self._shared = shared
        self._theme = shared.theme(variables)

    def set_variables(self, variables: dict[str, str]) -> None:
        """Take another theme."""
        super().set_variables(variables)
        self._theme = self._shared.theme(variables)

    def reparse(self) -> None:
        """Parse again with the present theme; what is known already is not parsed."""
        self.parse()

    def _parse_rules(
        self,
        css: str,
        read_from: CSSLocation,
        is_default_rules: bool = False,  # noqa: FBT002 - as the base has it
        tie_breaker: int = 0,
        scope: str = "",
    ) -> list[RuleSet]:
        key = (self._theme, css, read_from, is_default_rules, tie_breaker, scope)
        rules = self._shared.get(key)
        if rules is None:
            rules = super()._parse_rules(css, read_from, is_default_rules, tie_breaker, scope)
            self._shared.put(key, rules)
        return rules
