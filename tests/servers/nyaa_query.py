"""How Nyaa reads a query: words are ANDed, | is OR, both from left to right without precedence; parentheses group.

-word excludes. A "quoted phrase" is taken out first: it must stand in the title to the letter, signs and all, and
several with | between them are either. Inside parentheses that leaves nothing useful.
Source: nyaadevs/nyaa (search.py, es_mapping.yml), Lucene's SimpleQueryParser.
"""

from __future__ import annotations

import re
from collections.abc import Callable

LONGEST_GRAM = 15
Predicate = Callable[[str], bool]
_EITHER = re.compile(r'(-)?(".+?"(?:\|".+?")+)')
_PHRASE = re.compile(r'(-)?"(.+?)"')
_TOKEN = re.compile(r"\s+|(?P<not>-(?=\S))|(?P<sign>[|()])|(?P<word>[^\s|()]+)")
_WORD = re.compile(r"[぀-ヿ一-鿿]|[^\W_぀-ヿ一-鿿]+(?:'[^\W_]+)*")


def compiled(query: str) -> Predicate:
    """The query as a test of titles."""
    phrases: list[tuple[bool, list[str]]] = []

    def taken_out(match: re.Match[str]) -> str:
        said = match[2] if match[2].startswith('"') else f'"{match[2]}"'
        phrases.append((not match[1], [one.lower() for _, one in _PHRASE.findall(said)]))
        return ""

    rest = _PHRASE.sub(taken_out, _EITHER.sub(taken_out, query)).strip()
    tokens = [match for match in _TOKEN.finditer(rest) if match.lastgroup]
    predicate, _ = _group(tokens, 0, inside=False)
    if rest and not any(match.lastgroup == "word" for match in tokens):
        predicate = _nothing

    def matches(title: str) -> bool:
        exact = (any(one in title.lower() for one in either) is wanted for wanted, either in phrases)
        return all(exact) and predicate(title)

    return matches


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
            test = _words(text)
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

    # Words are indexed by their beginnings, up to 15 characters; longer ones in a field of their own.
    return matches if sought else lambda _: True


def _begins(word: str, sought: str) -> bool:
    # "Journey's" is indexed as it is and by its parts, never as "Journeys".
    spellings = (word, *word.split("'"))
    if len(sought) > LONGEST_GRAM:
        return sought in spellings
    # A number is found without its leading zeros as well.
    return any(one.startswith(sought) for one in spellings) or (word[:1] == "0" and word.lstrip("0").startswith(sought))
