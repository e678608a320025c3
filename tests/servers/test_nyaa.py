import pytest

from tests.servers.nyaa import FakeNyaa, infohash_of, made_up_torrent
from tests.servers.nyaa_query import compiled

TITLE = "[SubsPlease] Sousou no Frieren S2 - 03v2 (1080p) [A1B2C3D4].mkv"


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("frieren", True),
        ("FRIEREN sousou", True),
        ("frier", True),
        ("rieren", False),
        ("frieren dandadan", False),
        ('"sousou no frieren"', True),
        ('"sousou frieren"', False),
        ("dandadan|frieren", True),
        ('"dandadan"|"sousou no"', True),
        ("frieren -sousou", False),
        ("frieren -dandadan", True),
        ("frieren - dandadan", False),
        ('"sousou no frieren" (03|31)', True),
        ('"sousou no frieren" (04|31)', False),
        ('("sousou no frieren"|"x")', False),
        ("3", True),
        ("dandadan|frieren 04", False),
        ("dandadan 04|frieren", True),
        ('"sousou no frieren s2 03v2"', False),
        ('"S2 - 03v2 (1080p)"', True),
        ('-"sousou no"|"x"', False),
        ("(sousou frieren)|(dandadan)", True),
        ("(sousou dandadan)|(dandadan)", False),
        ("(sousou frieren)|(dandadan) (03|31)", True),
        ("(sousou frieren)|(dandadan) (04|31)", False),
        ("frieren antidisestablishmentarianism", False),
        ("", True),
    ],
)
def test_the_grammar(query: str, fits: bool) -> None:
    assert compiled(query)(TITLE) is fits


def test_possessives_and_native_titles() -> None:
    assert compiled('"Journey\'s End"')("Frieren: Beyond Journey's End - 01")
    assert not compiled('"Journey End"')("Frieren: Beyond Journey's End - 01")
    assert compiled("Journey End")("Frieren: Beyond Journey's End - 01")
    assert not compiled("Journey's End")("Frieren.Beyond.Journeys.End.S01E01")
    assert compiled("Beyond Journey")("Frieren.Beyond.Journeys.End.S01E01")
    assert not compiled('"Beyond Journey"')("Frieren.Beyond.Journeys.End.S01E01")
    assert compiled('"葬送のフリーレン"')("[G] 葬送のフリーレン 第2期")
    assert not compiled('"葬送フリーレン"')("[G] 葬送のフリーレン 第2期")


def test_a_made_up_torrent_has_its_hash() -> None:
    with FakeNyaa() as index:
        post = index.post("x", size=10)
        assert post.infohash == infohash_of(made_up_torrent("x", 10))
        assert index.found("x") == [post]
        assert index.found("x", category="1_3") == []
        assert index.found("x", category="1_0", quality="2") == []
