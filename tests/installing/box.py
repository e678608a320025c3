"""A machine to install on, whose programs are played: they keep in mind what was done, and make folders below it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from uuutorrent.installing.system import Said, System
from uuutorrent.store.policies import SYSTEM_ROLE

CLUSTER = "15 main 5432 online postgres /var/lib/postgresql/15/main /var/log/postgresql/main.log"
OK = Said(0, "")
NO = Said(1, "", "no")


class Box:
    """An empty Debian."""

    def __init__(self, root: Path, *, systemd: bool = True) -> None:
        self.root = root
        self.ran: list[str] = []
        self.packages: set[str] = set()
        self.accounts: set[str] = set()
        self.roles: set[str] = set()
        self.databases: set[str] = set()
        self.settings: dict[str, str] = {}
        self.stanza = False
        self.backups = 0
        self.revision = ""
        self.units: set[str] = set()
        self.pid = 4242
        self.jails = False
        if systemd:
            (root / "run/systemd/system").mkdir(parents=True)

    @property
    def system(self) -> System:
        return System(self.run, self.root)

    def run(self, words: Sequence[str], given: str) -> Said:
        if words[0] == "runuser":
            words = words[4:]
        self.ran.append(" ".join(words))
        name = Path(words[0]).name.replace("-", "_")
        play = getattr(self, f"_{name}", None)
        return play(list(words[1:]), given) if play else OK

    def _dpkg_query(self, words: list[str], _: str) -> Said:
        return Said(0, "install ok installed") if words[-1] in self.packages else NO

    def _apt_get(self, words: list[str], _: str) -> Said:
        if words[0] == "install":
            self.packages |= {word for word in words[1:] if not word.startswith("-")}
        return OK

    def _getent(self, words: list[str], _: str) -> Said:
        return OK if words[1] in self.accounts else NO

    def _groupadd(self, words: list[str], _: str) -> Said:
        self.accounts.add(words[-1])
        return OK

    _useradd = _groupadd

    def _userdel(self, words: list[str], _: str) -> Said:
        self.accounts.discard(words[-1])
        return OK

    _groupdel = _userdel

    def _install(self, words: list[str], _: str) -> Said:
        place = Path(words[-1])
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(int(words[words.index("-m") + 1], 8))
        return OK

    def _pg_lsclusters(self, words: list[str], _: str) -> Said:
        return Said(0, CLUSTER) if "postgresql" in self.packages else NO

    def _pg_ctlcluster(self, words: list[str], _: str) -> Said:
        written = self.root / "etc/postgresql/15/main/conf.d/uuutorrent.conf"
        text = written.read_text() if written.exists() else ""
        self.settings = dict(re.findall(r"^(\w+) = '?(.*?)'?$", text, re.MULTILINE))
        return OK

    def _psql(self, words: list[str], given: str) -> Said:
        verb, *rest = given.split()
        name = SYSTEM_ROLE if SYSTEM_ROLE in given else "uuutorrent"
        if verb == "TABLE":
            return Said(0, f"{self.revision}\n") if self.revision else NO
        if verb == "SHOW":
            return Said(0, self.settings.get(rest[0], "(disabled)" if rest[0] == "archive_command" else "off") + "\n")
        kept = self.databases if {"DATABASE", "pg_database"} & set(rest) else self.roles
        if verb == "SELECT":
            return Said(0, "1\n" if given == "SELECT 1" or name in kept else "")
        (kept.discard if verb == "DROP" else kept.add)(name)
        return OK

    def _pgbackrest(self, words: list[str], _: str) -> Said:
        if words[-1] == "stanza-create":
            self.stanza = True
        if words[-1] == "backup":
            self.backups += 1
        if "info" in words:
            return Said(0, '[{"backup":[{"label":"20261121-205737F"}]}]' if self.backups else "[]")
        if "stanza-delete" in words:
            self.stanza, self.backups = False, 0
        return OK if self.stanza or words[-1] != "check" else NO

    def _systemctl(self, words: list[str], _: str) -> Said:
        units = {word for word in words[1:] if not word.startswith("-")}
        if words[0] == "enable":
            self.units |= units
        if words[0] == "disable":
            self.units -= units
        if words[0] in ("enable", "restart") and self.units:
            link = self.root / "opt/uuutorrent/bin/uuutorrent"
            running = self.root / f"proc/{self.pid}"
            running.mkdir(parents=True, exist_ok=True)
            (running / "cmdline").write_text(str(link.readlink()))
        if words[0] == "restart" and "fail2ban.service" in units:
            self.jails = True
        if words[0].startswith("is-"):
            return OK if units <= self.units else NO
        return Said(0, f"{self.pid}\nno\n") if words[0] == "show" else OK

    def _fail2ban_client(self, words: list[str], _: str) -> Said:
        return OK if self.jails else NO
