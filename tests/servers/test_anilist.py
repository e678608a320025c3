"""The fake service refuses what the real one refuses."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.servers.anilist import FakeAniList


@pytest.fixture
def service() -> Iterator[FakeAniList]:
    with FakeAniList() as running:
        yield running


def ask(service: FakeAniList, query: str, token: str = "") -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = httpx.post(service.url, json={"query": query, "variables": {}}, headers=headers)
    return answer.status_code, answer.json()


def test_a_field_that_is_not_in_the_schema_is_refused(service: FakeAniList) -> None:
    status, body = ask(service, "{ Page { media { cover } } }")
    assert status == 400
    assert body["errors"][0]["message"].startswith("Cannot query field 'cover' on type 'Media'")


def test_a_question_of_more_than_500_fields_is_refused(service: FakeAniList) -> None:
    many = " ".join(f"a{number}: Page {{ media {{ id }} }}" for number in range(200))
    status, body = ask(service, f"{{ {many} }}")
    assert (status, body["errors"][0]["message"]) == (400, "Max query complexity should be 500 but got 600.")


def test_a_token_it_does_not_know_is_refused_even_for_what_is_public(service: FakeAniList) -> None:
    status, body = ask(service, "{ Page { media { id } } }", token="nobody's")
    assert (status, body["errors"][0]["message"], body["data"]) == (400, "Invalid token", {"Page": None})


def test_what_needs_a_token_is_refused_without(service: FakeAniList) -> None:
    assert ask(service, "{ Viewer { id } }")[0] == 401


def test_somebody_elses_entry_cannot_be_deleted(service: FakeAniList) -> None:
    ann, bob = service.add_user("ann"), service.add_user("bob")
    entry = service.list_entry(bob, service.add_media("Show"))
    assert ask(service, f"mutation {{ DeleteMediaListEntry(id: {entry.id}) {{ deleted }} }}", ann.token)[0] == 403
    assert service.entry(bob, entry.media) is entry
