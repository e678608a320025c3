"""Verbs about feed rules: what is taken from RSS and Atom feeds by itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from uuutorrent.automation.feeds.feeds import Tried
from uuutorrent.automation.feeds.rule import Rule, Saving, Taking, Terms
from uuutorrent.desk import Desk
from uuutorrent.errors import Invalid
from uuutorrent.ssh import typed
from uuutorrent.ssh.call import Document, Reply, TheCall, Verb
from uuutorrent.ssh.text import instant
from uuutorrent.tui.feedwords import in_words
from uuutorrent.tui.figures import count

RuleId = Annotated[int, Parameter(validator=Number(gte=1, lte=2**31 - 1), metavar="RULE")]
Show = Annotated[int | None, Parameter(validator=Number(gte=0, lte=2**31 - 1), metavar="MEDIA")]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Options:
    """What may be said of a rule, once for making and for changing one."""

    include: Annotated[typed.Words, Parameter(help="Words or phrases that the title must hold.")] = None
    any_word: Annotated[
        bool | None,
        Parameter(name="--any", negative="--all", help="One of these words is enough, or all must be there."),
    ] = None
    exclude: Annotated[typed.Words, Parameter(help="Words or phrases that the title must not hold.")] = None
    regex: Annotated[str | None, Parameter(metavar="TEXT", help="Must be found in the title; RE2 syntax.")] = None
    min_size: Annotated[typed.Size, Parameter(help="The smallest size, e.g. 200M; 0: any.")] = None
    max_size: Annotated[typed.Size, Parameter(help="The largest size, e.g. 2G; 0: any.")] = None
    min_seeders: Annotated[typed.Count | None, Parameter(help="Fewer are not taken, where the feed tells.")] = None
    category: Annotated[str | None, Parameter(metavar="TEXT", help="Words that the item's category must hold.")] = None
    show: Annotated[Show, Parameter(help="Only new episodes of this show, each once; 0: anything.")] = None
    stopped: Annotated[bool | None, Parameter(help="Add without starting.")] = None
    daily: Annotated[typed.Count | None, Parameter(help="The most that is taken in 24 hours.")] = None


NOTHING = Options()


async def add(url: str, /, *, options: Options = NOTHING, call: TheCall) -> Reply:
    """Take what fits from a feed, now and whenever it has something new.

    Parameters
    ----------
    url
        The address of an RSS or Atom feed.
    """
    terms, saving = _changed(Terms(), Saving(), options)
    rule = await call.desk.feeds.add(call.desk.user, url, terms, saving)
    return Reply({"rule": rule.id}, f"Rule {rule.id} follows {rule.shown_url}. `feeds test {rule.id}` tells what fits.")


async def change(
    rule: RuleId,
    /,
    *,
    url: Annotated[str | None, Parameter(metavar="URL")] = None,
    options: Options = NOTHING,
    call: TheCall,
) -> Reply:
    """Change a rule; what is not named stays.

    Parameters
    ----------
    rule
        Its number, as `feeds list` shows it.
    url
        Another feed.
    """
    if options == NOTHING and url is None:
        raise Invalid(f"say what to change, e.g. --exclude 720p. See: {call.io.prefix} help feeds change")
    before = await call.desk.feeds.rulebook.one(call.desk.user, rule)
    terms, saving = _changed(before.terms, before.saving, options)
    changed = await call.desk.feeds.change(call.desk.user, rule, url=url, terms=terms, saving=saving)
    return Reply(_rule(changed), "\n".join(_lines(changed)))


async def list_rules(*, call: TheCall) -> Reply:
    """Your feed rules, and what each did last."""
    rules = await call.desk.feeds.rulebook.rules(call.desk.user)
    empty = f"No rules. {call.io.prefix} feeds add URL makes one."
    return Reply([_rule(rule) for rule in rules], call.listing([_lines(rule) for rule in rules], empty=empty))


async def poll(*, call: TheCall) -> Reply:
    """Look at the feeds of your rules now, and take what fits."""
    polled = await call.desk.feeds.poll_now(call.desk.user)
    for error in polled.errors:
        call.notice(error)
    taken = [{"rule": one.rule.id, "infohash": one.infohash, "title": one.title} for one in polled.taken]
    items = [(f"→ {one.title}", f"rule {one.rule.id}") for one in polled.taken]
    text = call.listing(items, empty=f"Nothing new in {count(polled.feeds, 'feed')}.")
    return Reply({"polled": polled.feeds, "taken": taken, "errors": list(polled.errors)}, text)


async def test(rule: RuleId, /, *, call: TheCall) -> Reply:
    """What a rule says to everything in its feed just now; nothing is taken.

    Parameters
    ----------
    rule
        Its number, as `feeds list` shows it.
    """
    tried = await call.desk.feeds.try_out(call.desk.user, rule)
    return Reply(
        [_tried(one) for one in tried], call.listing([_tried_lines(one) for one in tried], empty="It is empty.")
    )


async def log(rule: RuleId | None = None, /, *, call: TheCall) -> Reply:
    """What your rules took lately, newest first.

    Parameters
    ----------
    rule
        Only this one.
    """
    takings = await call.desk.feeds.rulebook.takings(call.desk.user, rule)
    items = [(f"{instant(one.at)}  rule {one.rule_id or '-'}: {one.outcome}", one.title, one.why) for one in takings]
    return Reply([_taking(one) for one in takings], call.listing(items, empty="Nothing was taken yet."))


async def enable(rule: RuleId, /, *, call: TheCall) -> Reply:
    """Let a rule take things again.

    Parameters
    ----------
    rule
        Its number, as `feeds list` shows it.
    """
    return await _switched(call.desk, rule, on=True)


async def disable(rule: RuleId, /, *, call: TheCall) -> Reply:
    """Let a rule take nothing until it is enabled again.

    Parameters
    ----------
    rule
        Its number, as `feeds list` shows it.
    """
    return await _switched(call.desk, rule, on=False)


async def remove(rule: RuleId, /, *, call: TheCall) -> Reply:
    """Forget a rule; what it took stays yours.

    Parameters
    ----------
    rule
        Its number, as `feeds list` shows it.
    """
    await call.desk.feeds.rulebook.remove(call.desk.user, rule)
    return Reply({"rule": rule}, f"Rule {rule} is gone.")


_NAMES = {"any_word": "is_any", "min_size": "min_bytes", "max_size": "max_bytes", "show": "media_id"}
VERBS = (
    Verb("feeds add URL [OPTIONS]", add),
    Verb("feeds list", list_rules),
    Verb("feeds poll", poll),
    Verb("feeds test RULE", test),
    Verb("feeds change RULE [--url URL] [OPTIONS]", change),
    Verb("feeds enable RULE", enable),
    Verb("feeds disable RULE", disable),
    Verb("feeds remove RULE", remove),
    Verb("feeds log [RULE]", log),
)


def _changed(terms: Terms, saving: Saving, options: Options) -> tuple[Terms, Saving]:
    """A rule with what was said laid over it."""
    said = {name: value for name, value in dataclasses.asdict(options).items() if value is not None}
    changes = dict(_read(*one) for one in said.items())
    of_saving = {one.name for one in dataclasses.fields(Saving)}
    return (
        dataclasses.replace(terms, **{name: value for name, value in changes.items() if name not in of_saving}),
        dataclasses.replace(saving, **{name: value for name, value in changes.items() if name in of_saving}),
    )


def _read(option: str, value: Any) -> tuple[str, Any]:
    """The part of a rule that an option names, and its value."""
    name = _NAMES.get(option, option)
    if option in ("min_size", "max_size"):
        return name, typed.size(value, field=option) or None
    if isinstance(value, list):
        return name, tuple(value)
    return name, value or None if name == "media_id" else value


async def _switched(desk: Desk, rule_id: int, *, on: bool) -> Reply:
    rule = await desk.feeds.rulebook.set_enabled(desk.user, rule_id, on=on)
    return Reply(_rule(rule), "\n".join(_lines(rule)))


def _rule(rule: Rule) -> Mapping[str, Any]:
    return {
        "rule": rule.id,
        "url": rule.url,
        "enabled": rule.is_enabled,
        "last_polled_at": instant(rule.polled_at),
        "last_error": rule.error or None,
        "taken": rule.taken,
        "next_poll_at": instant(rule.next_at),
        **dataclasses.asdict(rule.terms),
        **dataclasses.asdict(rule.saving),
        "last": _taking(rule.last) if rule.last else None,
    }


def _taking(taking: Taking) -> Mapping[str, Any]:
    return {
        "rule": taking.rule_id,
        "title": taking.title,
        "infohash": taking.infohash or None,
        "outcome": taking.outcome.value,
        "reason": taking.why,
        "at": instant(taking.at),
    }


def _lines(rule: Rule) -> tuple[str, ...]:
    state = "" if rule.is_enabled else "  (disabled)"
    polled = f"read {instant(rule.polled_at)}" if rule.polled_at else "not read yet"
    last = rule.last
    return (
        f"{rule.id}  {rule.shown_url}{state}",
        in_words(rule.terms, rule.saving),
        f"✗ {rule.error}" if rule.error else f"{polled}, {count(rule.taken, 'item')} taken",
        f"{last.outcome} {instant(last.at)}: {last.title}" if last else "",
    )


def _tried(tried: Tried) -> Document:
    item = tried.item
    return {
        "title": item.title,
        "fits": not tried.complaints,
        "reasons": list(tried.complaints),
        "episode": tried.episode,
        "size": item.size_bytes,
        "seeders": item.seeders,
        "posted_at": instant(item.posted_at),
    }


def _tried_lines(tried: Tried) -> tuple[str, ...]:
    mark = "✗" if tried.complaints else "→"
    return f"{mark} {tried.item.title}", "; ".join(tried.complaints) or (
        "" if tried.episode is None else f"episode {tried.episode}"
    )
