import pytest
from graphql import parse, validate

from tests.servers.anilist import MOST_COMPLEX, SCHEMA, complexity
from uuutorrent.anime import queries

QUESTIONS = {
    name: text for name, text in vars(queries).items() if name.isupper() and isinstance(text, str) and "{" in text
}
ASKED = ("VIEWER", "COLLECTION", "ENTRY", "MEDIA", "KIN", "SEARCH", "SAVE", "ENTRY_ID", "DELETE")


@pytest.mark.parametrize("name", ASKED)
def test_every_question_fits_the_schema(name: str) -> None:
    assert validate(SCHEMA, parse(QUESTIONS[name])) == []


@pytest.mark.parametrize("name", ASKED)
def test_every_question_is_far_from_the_most_complex_one_allowed(name: str) -> None:
    assert complexity(parse(QUESTIONS[name])) < MOST_COMPLEX / 2
