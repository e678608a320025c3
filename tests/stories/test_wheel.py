"""The wheel, installed where there is nothing else, is the whole product."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.stories.house import House

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run([UV, "build", "--quiet", "--wheel", "--out-dir", out, ROOT], check=True, timeout=300)
    return next(out.glob("*.whl"))


def test_the_wheel_carries_migrations_styles_and_units(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "uuutorrent/tui/app.tcss" in names
    assert "uuutorrent/migrations/env.py" in names
    assert any(name.startswith("uuutorrent/migrations/versions/0001") for name in names)
    for name in (
        "units/uuutorrent.service",
        "fail2ban/jail.d/uuutorrent.conf",
        "monitoring/prometheus/uuutorrent.rules.yml",
    ):
        assert f"uuutorrent/systemd/{name}" in names
    assert not any(name.startswith("tests/") for name in names)


def test_installed_in_an_empty_environment_it_starts_and_signs_people_in(wheel: Path, tmp_path: Path) -> None:
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv"], check=True)
    python = tmp_path / "venv/bin/python"
    subprocess.run([UV, "pip", "install", "--quiet", "--python", python, wheel], check=True, timeout=300)
    signs_people_in(House(tmp_path / "house", program=(str(python), "-m", "uuutorrent")))


def test_the_one_file_starts_and_signs_people_in(tmp_path: Path) -> None:
    one = tmp_path / "uuutorrent"
    subprocess.run([ROOT / "dev", "binary", str(one)], check=True, timeout=300, capture_output=True)
    signs_people_in(House(tmp_path / "house", program=(str(one),)))


def signs_people_in(house: House) -> None:
    assert house.uuutorrent("--version").stdout.strip() == "0.1.0"
    house.start()
    house.add_user("ann")
    assert house.json("ann", "whoami")["name"] == "ann"
    with house.screen("ann") as screen:
        screen.shows("Watchlist")
    assert house.stop() == 0
