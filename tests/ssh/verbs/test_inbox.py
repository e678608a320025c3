"""inbox, activity: what is new, what is asked, and that nobody else's is there."""

from __future__ import annotations

import pytest

from tests.ssh.prompt import Prompt
from tests.ssh.verbs.conftest import House
from uuutorrent.automation.inbox.inbox import Kind
from uuutorrent.automation.preferences import Watched


async def tell(house: House, to: Prompt, text: str, kind: Kind = Kind.FINISHED) -> None:
    await house.services.inbox.tell(to.user.id, kind, text, key=text)


async def ask(house: House, to: Prompt) -> str:
    """Ask whether somebody watched an episode; the notice's number."""
    house.anilist.list_entry(member := house.anilist.add_user("There"), house.frieren, progress=4)
    await house.services.watchlists.link(to.user, member.token)
    key, media_id = f"watched:{house.frieren.id}:5", house.frieren.id
    await house.services.inbox.tell(
        to.user.id, Kind.WATCHED, "Watched episode 5?", key=key, media_id=media_id, episode=5, choices=("yes", "no")
    )
    return str((await to.json("activity"))[0]["id"])


async def texts(prompt: Prompt, line: str) -> list[str]:
    return [one["text"] for one in await prompt.json(line)]


async def test_a_script_reads_on_where_it_was(house: House) -> None:
    for text in ("One.", "Two."):
        await tell(house, house.ann, text)
    newest = (await house.ann.json("activity"))[0]
    assert (newest["text"], newest["seen"], newest["choices"], newest["answer"]) == ("Two.", False, [], None)
    assert await house.ann.json(f"activity --since {newest['id']}") == []
    await tell(house, house.ann, "Three.", Kind.TAKEN)
    await tell(house, house.ann, "Four.", Kind.FAILED)
    assert await texts(house.ann, f"activity --since {newest['id']}") == ["Four.", "Three."]
    assert await texts(house.ann, "activity --kind taken failed") == ["Four.", "Three."]
    assert await texts(house.ann, "activity --limit 1") == ["Four."]
    assert len(await texts(house.ann, "activity --unseen")) == 4


async def test_a_kind_that_does_not_exist_is_told(house: House) -> None:
    done = await house.ann.type("activity --kind parties")
    assert done.code == 2
    assert "There is no kind parties" in done.err


async def test_the_inbox_shows_what_is_new_and_what_waits(house: House) -> None:
    await tell(house, house.ann, "One.")
    number = await ask(house, house.ann)
    assert await texts(house.ann, "inbox") == ["Watched episode 5?", "One."]
    assert await house.ann.says("inbox seen") == "2 notices marked as seen.\n"
    assert await texts(house.ann, "inbox") == ["Watched episode 5?"]
    assert f"inbox answer {number} yes|no" in await house.ann.says("inbox")
    assert await texts(house.ann, "inbox --all") == ["Watched episode 5?", "One."]
    assert await texts(house.ann, "activity --unseen") == []


async def test_single_notices_are_marked_as_seen(house: House) -> None:
    for text in ("One.", "Two.", "Three."):
        await tell(house, house.ann, text)
    first, second = (one["id"] for one in reversed((await house.ann.json("activity"))[1:]))
    assert await house.ann.json(f"inbox seen {first} {second}") == {"seen": 2}
    assert await texts(house.ann, "inbox") == ["Three."]


async def test_an_answer_is_done_and_told(house: House) -> None:
    number = await ask(house, house.ann)
    done = await house.ann.json(f"inbox answer {number} yes")
    said = "Sousou no Frieren: episode 5 is marked as watched."
    assert done == {"id": int(number), "answer": "yes", "said": said}
    again = await house.ann.type(f"inbox answer {number} no")
    assert (again.code, "answered already: yes" in again.err) == (5, True)
    assert await house.ann.says("inbox") == "Nothing new.\n"


@pytest.mark.parametrize(("choice", "code"), [("maybe", 2), ("", 2)])
async def test_what_is_no_choice_is_refused(house: House, choice: str, code: int) -> None:
    number = await ask(house, house.ann)
    done = await house.ann.type(f"inbox answer {number} '{choice}'")
    assert (done.code, "yes, no" in done.err) == (code, True)


async def test_another_ones_notices_do_not_exist(house: House) -> None:
    number = await ask(house, house.ann)
    assert await house.bob.json("inbox --all") == []
    assert await house.boss.json("activity") == []
    done = await house.bob.type(f"inbox answer {number} yes")
    assert (done.code, "You have no such notice" in done.err) == (4, True)
    assert await house.bob.json(f"inbox seen {number}") == {"seen": 0}
    assert await texts(house.ann, "activity --unseen") == ["Watched episode 5?"]


async def test_who_signs_in_without_a_terminal_hears_how_much_is_new(house: House) -> None:
    assert (await house.ann.type("help")).err == ""
    await tell(house, house.ann, "One.")
    assert (await house.ann.type("help")).err == "1 new in your inbox: ssh -p 2222 ann@seedbox inbox\n"
    for line in ("help --json", "torrents", "help inbox"):
        assert (await house.ann.type(line)).err == ""


async def test_what_reading_an_episode_means_is_ones_own_choice(house: House) -> None:
    assert await house.ann.json("inbox watched") == {"watched": "ask"}
    assert "your progress is set" in await house.ann.says("inbox watched set")
    assert (await house.services.preferences.of(house.ann.user)).watched is Watched.SET
    assert await house.bob.json("inbox watched") == {"watched": "ask"}
    done = await house.ann.type("inbox watched always")
    assert (done.code, "say off, ask, set" in done.err) == (2, True)
