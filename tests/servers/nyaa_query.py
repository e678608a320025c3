"""How Nyaa reads a query: words and "phrases" are ANDed, | is OR, both from left to right without precedence.

-word excludes; parentheses group, but a quoted string inside them finds nothing useful.
Source: nyaadevs/nyaa (search.py, es_mapping.yml), Lucene's SimpleQueryParser.
"""

from __future__ import annotations

import re
from collections.abc import Callable

LONGEST_GRAM = 15
Predicate = Callable[[str], bool]
_TOKEN = re.compile(r'\s+|(?P<not>-(?=\S))|(?P<phrase>"[^"]*")|(?P<sign>[|()])|(?P<word>[^\s|()"]+)')
_WORD = re.compile(r"[぀-ヿ一-鿿]|[^\W_぀-ヿ一-鿿]+(?:'[^\W_]+)*")


def compiled(query: str) -> Predicate:
    """The query as a test of titles."""
    tokens = [match for match in _TOKEN.finditer(query) if match.lastgroup]
    predicate, _ = _group(tokens, 0, inside=False)
    return predicate


def _group(tokens: list[re.Match[str]], at: int, *, inside: bool) -> tuple[Predicate, int]:
    tests: list[tuple[bool, Predicate]] = []
    either = exclude = False
    while at < len(tokens):
        kind, text = tokens[at].lastgroup, tokens[at][0]
        at += 1
        if text == "|":
            either = True
            continue
        if text == ")" and inside:
            break
        if kind == "not":
            exclude = True
            continue
        if text == "(":
            test, at = _group(tokens, at, inside=True)
        elif text == ")":
            continue
        else:
            test = _nothing if inside and kind == "phrase" else _words(text.strip('"'))
        tests.append((either, _other_than(test) if exclude else test))
        either = exclude = False
    return _from_left(tests), at


def _from_left(tests: list[tuple[bool, Predicate]]) -> Predicate:
    def matches(title: str) -> bool:
        so_far = True
        for at, (either, test) in enumerate(tests):
            so_far = test(title) if at == 0 else (so_far or test(title)) if either else (so_far and test(title))
        return so_far

    return matches


def _nothing(_: str) -> bool:
    return False


def _other_than(test: Predicate) -> Predicate:
    return lambda title: not test(title)


def _words(text: str) -> Predicate:
    sought = _WORD.findall(text.casefold())

    def matches(title: str) -> bool:
        words = _WORD.findall(title.casefold())
        return any(
            all(map(_begins, words[at : at + len(sought)], sought)) for at in range(len(words) - len(sought) + 1)
        )

    # Words are indexed by their beginnings, up to 15 characters; longer ones in a field of their own,
    # so that a phrase of both kinds finds nothing.
    if len({len(word) > LONGEST_GRAM for word in sought}) > 1:
        return _nothing
    return matches if sought else lambda _: True


def _begins(word: str, sought: str) -> bool:
    # "Journey's" is indexed as it is and as "Journey", never as "Journeys".
    spellings = (word, word.removesuffix("'s"))
    if len(sought) > LONGEST_GRAM:
        return sought in spellings
    # A number is found without its leading zeros as well.
    return any(one.startswith(sought) for one in spellings) or (word[:1] == "0" and word.lstrip("0").startswith(sought))
