from __future__ import annotations

import ast
import json
import os
import tomllib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from uuutorrent import config, sections
from uuutorrent.config import Config
from uuutorrent.configuring import MASK, explain, find, load, reload
from uuutorrent.errors import BadConfig

EXAMPLE = Path(__file__).parent.parent / "config.example.toml"

Write = Callable[[str], Path]


@pytest.fixture(autouse=True)
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("UUUTORRENT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> Path:
        file = tmp_path / "written.toml"
        file.write_text(text)
        return file

    return written


def complaint(file: Path | None = None) -> str:
    with pytest.raises(BadConfig) as caught:
        load(file)
    return caught.value.message


# Where it comes from


def test_without_any_file_the_defaults_hold(tmp_path: Path) -> None:
    assert find() is None
    loaded = load()
    assert loaded.ssh.port == 2222
    assert loaded.server.data == tmp_path / "home/.local/share/uuutorrent"
    assert loaded.download_dir == loaded.server.data / "downloads"
    assert loaded.database_url == f"sqlite+aiosqlite:///{loaded.server.data}/uuutorrent.db"


def test_the_nearest_file_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
    there = [Path("config.toml").absolute(), tmp_path / "home/.config/uuutorrent/config.toml"]
    for file in there:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    elsewhere, named = tmp_path / "elsewhere.toml", write("")
    elsewhere.touch()
    monkeypatch.setenv("UUUTORRENT_CONFIG", str(elsewhere))
    assert find(named) == named
    assert find() == elsewhere
    monkeypatch.delenv("UUUTORRENT_CONFIG")
    assert find() == Path("config.toml")
    there[0].unlink()
    assert find() == there[1]
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert find() is None


@pytest.mark.parametrize("by_environment", [False, True])
def test_a_file_that_was_named_must_be_there(monkeypatch: pytest.MonkeyPatch, by_environment: bool) -> None:
    if by_environment:
        monkeypatch.setenv("UUUTORRENT_CONFIG", "/nowhere.toml")
    assert (
        complaint(None if by_environment else Path("/nowhere.toml")) == "there is no configuration file /nowhere.toml"
    )


def test_the_file_goes_before_the_default_and_the_environment_before_the_file(
    monkeypatch: pytest.MonkeyPatch, write: Write
) -> None:
    file = write('[ssh]\nport = 2200\nhost = "127.0.0.1"\n')
    assert (load(file).ssh.port, load(file).ssh.host, load(file).ssh.password_tries) == (2200, "127.0.0.1", 3)
    monkeypatch.setenv("UUUTORRENT_SSH__PORT", "2201")
    assert (load(file).ssh.port, load(file).ssh.host, load(file).ssh.password_tries) == (2201, "127.0.0.1", 3)


def test_every_key_can_be_given_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for section, values in Config().model_dump(mode="json").items():
        for key, value in values.items():
            text = value if isinstance(value, str) else json.dumps(value)
            monkeypatch.setenv(f"UUUTORRENT_{section}__{key}".upper(), text)
    assert load() == Config()


# Secrets


def test_a_secret_is_read_from_its_file_without_the_line_end(tmp_path: Path, write: Write) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    assert load(write(f'[qbittorrent]\npassword_file = "{secret}"\n')).qbittorrent.password == "hunter2"


def test_a_secret_file_may_be_in_the_home_directory(tmp_path: Path, write: Write) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/url").write_text("postgresql+asyncpg://u:p@h/d")
    assert load(write('[database]\nurl_file = "~/url"\n')).database_url == "postgresql+asyncpg://u:p@h/d"


def test_a_secret_in_the_environment_goes_before_the_file_whichever_way_each_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Write
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("old")
    new.write_text("new")
    for in_file in (f'password_file = "{old}"', 'password = "old"'):
        for name, value in (("PASSWORD", "new"), ("PASSWORD_FILE", str(new))):
            with monkeypatch.context() as only_now:
                only_now.setenv(f"UUUTORRENT_QBITTORRENT__{name}", value)
                assert load(write(f"[qbittorrent]\n{in_file}\n")).qbittorrent.password == "new"


@pytest.mark.parametrize(("content", "told"), [(None, "No such file or directory"), ("\n", "is empty")])
def test_a_secret_file_that_cannot_be_used_is_told_by_name(
    tmp_path: Path, write: Write, content: str | None, told: str
) -> None:
    secret = tmp_path / "secret"
    if content is not None:
        secret.write_text(content)
    message = complaint(write(f'[database]\nurl_file = "{secret}"\n'))
    assert "database: url_file: " in message
    assert str(secret) in message
    assert told in message


# Mistakes


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[ssh]\nprot = 22\n", "ssh.prot: there is no such key; did you mean ssh.port?"),
        ("[shh]\nport = 22\n", "shh: there is no such key; did you mean ssh?"),
        ("[anilist]\nclientid = '1'\n", "anilist.clientid: there is no such key; did you mean anilist.client_id?"),
        ("zzzzzzzz = 1\n", "zzzzzzzz: there is no such key"),
        ("[ssh]\nport = 'twenty-two'\n", "ssh.port: Input should be a valid integer"),
        ("[ssh]\nport = 65536\n", "ssh.port: Input should be less than or equal to 65535"),
        ("[ssh]\nlogin_grace_s = 0\n", "ssh.login_grace_s: Input should be greater than 0"),
        ("[ssh]\npassword_tries = 0\n", "ssh.password_tries: Input should be greater than or equal to 1"),
        ("[qbittorrent]\npoll_s = 0.1\n", "qbittorrent.poll_s: Input should be greater than or equal to 0.2"),
        ("[anilist]\nrequests_per_min = 91\n", "anilist.requests_per_min: Input should be less than or equal to 90"),
        ("[torrents]\nquota_bytes = -1\n", "torrents.quota_bytes: Input should be greater than or equal to 0"),
        ("[accounts]\nsignup = 'maybe'\n", "accounts.signup: Input should be 'closed', 'invite' or 'open'"),
        ("[ssh]\nstartups_full = 5\n", "ssh: startups_full must not be below startups_begin"),
        ("[penalties]\ncap_s = 10\n", "penalties: cap_s must not be below enforced_from_s"),
        ("ssh = 5\n", "ssh: Input should be a valid dictionary"),
        ("[ssh\n", "Expected ']'"),
    ],
)
def test_a_mistake_is_told_with_the_file_the_key_and_what_to_write(write: Write, text: str, told: str) -> None:
    file = write(text)
    message = complaint(file)
    assert message.startswith(f"{file}: ")
    assert told in message


def test_all_mistakes_are_told_at_once(write: Write) -> None:
    message = complaint(write("[ssh]\nport = -1\nprot = 2\n[nyaa]\nurl = 'x'\n"))
    assert [line.split(": ")[1] for line in message.splitlines()] == ["ssh.port", "ssh.prot", "nyaa.url"]


def test_a_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe\x00")
    assert str(tmp_path / "x.toml") in complaint(tmp_path / "x.toml")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("UUUTORRENT_SSH__PROT", "ssh.prot: there is no such key; did you mean ssh.port?"),
        ("UUUTORRENT_SHH__PORT", "UUUTORRENT_SHH__PORT: there is no such key; did you mean UUUTORRENT_SSH__PORT?"),
        ("UUUTORRENT_SSH_PORT", "UUUTORRENT_SSH_PORT: there is no such key; did you mean UUUTORRENT_SSH__PORT?"),
        ("UUUTORRENT_SSH__PORT", "ssh.port: Input should be a valid integer"),
    ],
)
def test_a_mistake_in_the_environment_is_told_like_one_in_the_file(
    monkeypatch: pytest.MonkeyPatch, name: str, told: str
) -> None:
    monkeypatch.setenv(name, "x")
    assert told in complaint()


def test_a_mistake_shows_no_secret(write: Write) -> None:
    assert "hunter2" not in complaint(write('[qbittorrent]\npassword = ["hunter2"]\n'))


# Who says what


def origins(file: Path | None = None) -> dict[str, tuple[Any, str]]:
    return {f"{one.section}.{one.key}": (one.value, one.origin) for one in explain(file)}


def test_every_key_is_told_with_its_origin(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write("[ssh]\nport = 2022\nhost = '127.0.0.1'\n[server]\nlog_level = 'debug'")
    monkeypatch.setenv("UUUTORRENT_SSH__HOST", "127.0.0.2")
    monkeypatch.setenv("UUUTORRENT_NYAA", '{"category": "1_0"}')
    told = origins(file)
    assert told["ssh.port"] == (2022, str(file))
    assert told["ssh.host"] == ("127.0.0.2", "UUUTORRENT_SSH__HOST")
    assert told["nyaa.category"] == ("1_0", "UUUTORRENT_NYAA")
    assert told["nyaa.base_url"] == ("https://nyaa.si", "default")
    assert len(told) == sum(len(section.model_fields) for section in config.Section.__subclasses__())


def test_secrets_are_not_told(write: Write, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2")
    file = write(f"[qbittorrent]\npassword_file = '{tmp_path}/secret'\n[database]\nurl = 'sqlite+aiosqlite:///x'")
    told = origins(file)
    assert told["qbittorrent.password"] == (MASK, str(file))
    assert told["database.url"] == (MASK, str(file))
    assert "hunter2" not in str(told)
    assert origins()["database.url"] == ("", "default")


def test_what_systemd_hands_over_goes_before_the_file_and_after_the_environment(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "qbittorrent.password").write_text("handed over\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    file = write("[qbittorrent]\npassword = 'of the file'")
    assert load(file).qbittorrent.password == "handed over"
    assert origins(file)["qbittorrent.password"] == (MASK, str(tmp_path / "qbittorrent.password"))
    monkeypatch.setenv("UUUTORRENT_QBITTORRENT__PASSWORD", "of the environment")
    assert load(file).qbittorrent.password == "of the environment"
    assert origins(file)["qbittorrent.password"][1] == "UUUTORRENT_QBITTORRENT__PASSWORD"


# Read anew


def test_what_can_change_changes_for_everybody_and_the_rest_is_told(write: Write) -> None:
    file = write("[ssh]\nchannels = 5\nport = 2022")
    loaded = load(file)
    held = loaded.ssh
    write("[ssh]\nchannels = 7\nport = 2023\n[accounts]\nsignup = 'open'")
    done = reload(loaded, file)
    assert done.changed == ("ssh.channels", "accounts.signup")
    assert done.waiting == ("ssh.port",)
    assert (held.channels, held.port, loaded.accounts.signup) == (7, 2022, "open")
    assert reload(loaded, file).changed == ()


def test_a_file_that_is_wrong_by_now_changes_nothing(write: Write) -> None:
    file = write("[ssh]\nchannels = 5")
    loaded = load(file)
    write("[ssh]\nchannels = 7\n[nyaa]\ncolour = 'red'")
    with pytest.raises(BadConfig):
        reload(loaded, file)
    assert loaded.ssh.channels == 5


def test_every_key_that_can_change_exists() -> None:
    for section in config.Section.__subclasses__():
        assert set(section.live) <= set(section.model_fields), section


# The example


def test_the_example_is_the_code(write: Write) -> None:
    assert tomllib.loads(EXAMPLE.read_text()) == Config().model_dump(mode="json")
    assert load(EXAMPLE) == Config()


def test_the_example_explains_every_section_and_key_in_the_words_of_the_code() -> None:
    explained: list[str] = []
    lines = EXAMPLE.read_text().splitlines()
    for above, line in pairwise(lines):
        if line and not line.startswith("#"):
            assert above.startswith("# "), line
            explained.append(above.removeprefix("# "))
    assert explained == in_the_code()


def in_the_code() -> list[str]:
    """What the pages of the configuration say of every section and then of each of its keys, in order."""
    pages = (Path(str(page.__file__)).read_text() for page in (config, sections))
    classes = {node.name: node for page in pages for node in ast.parse(page).body if isinstance(node, ast.ClassDef)}
    said: list[str] = []
    for field in Config.model_fields.values():
        assert isinstance(field.annotation, type)
        section = classes[field.annotation.__name__]
        said.append((ast.get_docstring(section) or "").splitlines()[0])
        for key, after in pairwise(section.body):
            if isinstance(key, ast.AnnAssign):
                assert isinstance(after, ast.Expr), ast.unparse(key)
                said.append(" ".join(str(literal(after.value)).split()))
    return said


def literal(node: ast.expr) -> Any:
    return ast.literal_eval(node)
