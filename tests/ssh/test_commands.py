"""The line before the verb is found: words, --json, help, mistakes, and what breaks."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.ssh.prompt import Pipe, Prompt
from uuutorrent.accounts import Accounts, Admin, User
from uuutorrent.desk import Services
from uuutorrent.errors import Unexpected, Unreachable
from uuutorrent.ssh import commands
from uuutorrent.ssh.call import Reply, Verb

EVERY_VERB = [verb for verbs in commands.SUBJECTS.values() for verb in verbs]
HOSTILE = "Frieren\x1b]52;c;ZXZpbA==\x07\x9b31m\u202e\u2066\r\n\u2028\ud800 \u3000ok"
"""Sets the clipboard, colours, turns the reading direction round, breaks the line, is half a character."""


@pytest.fixture
def prompt(services: Services, ann: User) -> Prompt:
    return Prompt(services, ann)


async def test_without_a_verb_there_is_help(prompt: Prompt) -> None:
    shown = await prompt.says("")
    assert shown.startswith("Usage: ssh -p 2222 ann@seedbox COMMAND\n")
    assert "\n\n\n" not in shown
    assert shown == await prompt.says("help") == await prompt.says("--help") == await prompt.says("help help")


async def test_help_lists_every_verb_with_a_sentence(prompt: Prompt) -> None:
    shown = await prompt.says("help")
    for verb in EVERY_VERB:
        assert f"\n  {verb.name[0]} " in shown
    assert "<" not in shown


@pytest.mark.parametrize("width", [80, 40])
async def test_usage_lines_can_be_typed_as_they_stand(prompt: Prompt, width: int) -> None:
    for verb in EVERY_VERB:
        shown = await prompt.says(f"help {' '.join(verb.name)}", width=width)
        is_family = len(verb.name) == 1 and verb.name[0] in commands.FAMILIES
        typed = f"{verb.name[0]} COMMAND" if is_family else verb.usage
        assert " ".join(shown.split("\n\n")[0].split()) == f"Usage: ssh -p 2222 ann@seedbox {typed}"
        assert "object at" not in shown


async def test_what_people_type_at_the_same_time_is_answered_as_if_each_were_alone(
    prompt: Prompt, services: Services, bob: User
) -> None:
    """The tree of verbs is one for all: neither words, options and mistakes nor names and widths stay in it."""
    people = ((prompt, 80), (Prompt(services, bob), 40))
    lines = ["whoami", "whoami --json", "keys", "keys --json", "files --no", "no such verb", "taste", "torrents --json"]
    lines += [f"help {' '.join(verb.name)}" for verb in EVERY_VERB[::9]]
    asked = [(who, line, width) for line in lines for who, width in people]
    alone = [await who.type(line, width=width) for who, line, width in asked]
    assert len({(one.code, one.out, one.err) for one in alone}) > len(lines)
    for order in (asked, asked[::-1]):
        together = await asyncio.gather(*(who.type(line, width=width) for who, line, width in order))
        assert together == (alone if order is asked else alone[::-1])


@pytest.mark.parametrize("verb", EVERY_VERB, ids=lambda verb: "-".join(verb.name))
def test_every_option_of_a_usage_line_is_one_of_the_verb(verb: Verb) -> None:
    app = commands.tree()
    for word in verb.name:
        app = app[word]
    options = {name for argument in app.assemble_argument_collection() for name in argument.names}
    assert {word.strip("[]") for word in verb.usage.split() if word.strip("[").startswith("--")} <= options


async def test_help_as_json_is_a_document_too(prompt: Prompt) -> None:
    assert (await prompt.json("help keys add"))["help"].startswith("Usage: ssh -p 2222 ann@seedbox keys add [KEY]\n")


@pytest.mark.parametrize("line", ["whoami --json", "--json whoami", "  whoami   --json  ", "'whoami' \"--json\""])
async def test_json_may_be_anywhere_in_the_line(prompt: Prompt, line: str) -> None:
    assert (await prompt.type(line)).json["name"] == "ann"


async def test_two_dashes_end_the_options(prompt: Prompt) -> None:
    answer = await prompt.type("files -- --json")
    assert answer.code == 4
    assert answer.out == ""
    assert "--json" in answer.err
    assert (await prompt.type("--json files -- --json")).json["error"]["message"] == "There is no --json."


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("torents", 'Did you mean "torrents"?'),
        ("ls", 'Did you mean "files"?'),
        ("rm abcdef", 'Did you mean "delete"?'),
        ("start abcdef", 'Did you mean "resume"?'),
        ("keys lst", 'Did you mean "list"?'),
        ("help nonsense", 'Unknown command "nonsense"'),
        ("get", "MEDIA"),
        ("get eleven", "eleven"),
        ("get 0", ">= 1"),
        ("get 99999999999999999999", "<= 2147483647"),
        ("get 1 5 --qualty 720", "--quality"),
        ("whoami there", "it does not take there."),
        ("whoami --there", "--there"),
        ('shows "Bocchi', "quote"),
        ("shows Bocchi's", "another around them"),
        ("shows trailing\\", "quote"),
        ("torrents --no-all", "--no-all"),
    ],
)
async def test_what_cannot_be_read_is_answered_with_what_can(prompt: Prompt, line: str, said: str) -> None:
    assert said in await prompt.fails(line, 2)


@pytest.mark.parametrize(
    ("line", "page"), [("get eleven", "help get"), ("keys add --x", "help keys add"), ("x", "help")]
)
async def test_a_mistake_names_the_help_that_belongs_to_it(prompt: Prompt, line: str, page: str) -> None:
    assert (await prompt.fails(line, 2)).endswith(f" See: ssh -p 2222 ann@seedbox {page}")


@pytest.mark.parametrize(
    ("error", "code"), [(Unreachable("AniList", "no answer"), 75), (Unexpected("AniList", "nonsense"), 76)]
)
async def test_services_that_let_us_down_have_codes_of_their_own(
    prompt: Prompt, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    async def away(*_: object) -> None:
        raise error

    monkeypatch.setattr(Accounts, "keys", away)
    assert await prompt.fails("keys list", code) == str(error)


async def test_what_breaks_is_logged_and_told_in_one_sentence(prompt: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Accounts, "keys", breaks)
    with capture_logs() as logged:
        assert await prompt.fails("keys list", 70) == commands.BROKE
    expected = {"event": "command_failed", "log_level": "error", "user": "ann", "exc_info": True}
    assert logged == [expected, expected]


async def test_an_answer_that_cannot_be_written_is_told_too(prompt: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    async def odd(*_: object, **__: object) -> Reply:
        return Reply({"at": object()})

    monkeypatch.setattr(commands, "_call", odd)
    with capture_logs():
        answer = await prompt.type("whoami --json")
    assert (answer.code, answer.json["error"]["code"]) == (70, "internal")


async def test_a_cancelled_command_is_cancelled(prompt: Prompt) -> None:
    task = asyncio.create_task(prompt.type("keys add", None))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("form", ["", "--json"])
async def test_text_from_outside_does_not_drive_the_terminal(
    prompt: Prompt, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    async def hostile(*_: object, **__: object) -> Reply:
        return Reply({"title": HOSTILE}, f"first line\n{HOSTILE}")

    monkeypatch.setattr(commands, "_call", hostile)
    answer = await prompt.type(f"whoami {form}")
    assert answer.code == 0
    assert all(char.isprintable() or char in "\n\u3000" for char in answer.out)
    if form:
        assert answer.json == {"title": HOSTILE}


async def test_what_is_typed_does_not_drive_the_terminal_either(prompt: Prompt) -> None:
    answer = await prompt.type(f"files '{HOSTILE}' --json")
    assert answer.code == 4
    assert answer.err.count("\n") == 1
    assert all(char.isprintable() or char in "\n\u3000" for char in answer.out + answer.err)


async def test_who_seems_not_to_know_that_input_is_read_is_told(
    prompt: Prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uuutorrent.ssh.call.HINT_AFTER_S", 0)
    pipe = Pipe(None)
    task = asyncio.create_task(commands.run(prompt.services.desk(prompt.user), "passwd", pipe))
    while not pipe.complained:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0)
    task.cancel()
    assert pipe.complained.decode() == "type the old password and Enter, the new one and Enter, then Ctrl+D\n"
    assert not pipe.written


async def test_input_that_is_no_text_is_refused_where_text_is_read(prompt: Prompt) -> None:
    assert "UTF-8" in await prompt.fails("passwd", 2, given=b"\xff\xfe\n\xff\n")


async def test_too_much_input_is_refused(prompt: Prompt) -> None:
    assert "too much" in await prompt.fails("keys add", 2, given=b"x" * 10_000)


async def test_a_one_time_password_allows_to_choose_another_and_to_read_how(
    services: Services, accounts: Accounts, boss: Admin, ann: User
) -> None:
    once = await accounts.reset_password(boss, "ann")
    prompt = Prompt(services, await accounts.get(ann.id))
    for line in ("whoami", "torrents", "--json add -", "taste set --groups"):
        assert "ssh -p 2222 ann@seedbox passwd" in await prompt.fails(line.removeprefix("--json "), 3)
    assert await prompt.says("help passwd")
    assert await prompt.says("")
    assert await prompt.json("passwd", f"{once}\nquiet gravel lantern seven\n".encode()) == {"changed": True}


def test_documents_are_one_line_of_json_with_japanese_left_readable() -> None:
    document: dict[str, Any] = {"title": "葬送のフリーレン\u3000🎉", "n": None, "ok": True}
    written = commands._json(document)
    assert written.startswith('{"title": "葬送のフリーレン'.encode())
    assert json.loads(written) == document


async def test_two_who_ask_at_once_are_each_answered_as_themselves(
    services: Services, ann: User, boss: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tree of verbs is everybody's: what one is told must not depend on who else asks at that moment."""
    begun = asyncio.Event()
    is_open = services.inbox.unseen

    async def slow(user: User) -> int:
        begun.set()
        await asyncio.sleep(0)
        return await is_open(user)

    monkeypatch.setattr(services.inbox, "unseen", slow)
    hers, his = Prompt(services, ann), Prompt(services, boss.user)
    lines = ["whoami", "help", "help get", "no-such-verb", "add", "torrents --nonsense", "whoami --json", "keys list"]
    alone = [[await one.type(line, width=width) for line in lines] for one, width in ((hers, 80), (his, 48))]
    assert alone[0][0].out != alone[1][0].out
    assert alone[0][2].out != alone[1][2].out
    asked = [one.type(line, width=width) for one, width in ((hers, 80), (his, 48)) for line in lines]
    assert await asyncio.gather(*asked) == [*alone[0], *alone[1]]
    assert begun.is_set()
