"""The whole plan, and what is left to people: to sign in, and to open the ports."""

from __future__ import annotations

from uuutorrent.installing import accounts, engine, packages, postgresql, program, services
from uuutorrent.installing.choices import DAEMON, PGBACKREST, SSH_PORT, Choices
from uuutorrent.installing.step import Step
from uuutorrent.installing.system import System


def plan(system: System, choices: Choices) -> tuple[Step, ...]:
    """Every step, in order."""
    return (
        *packages.steps(system, choices),
        *accounts.steps(system),
        *program.steps(system),
        *(() if choices.sqlite else postgresql.steps(system)),
        *engine.steps(system, choices),
        *services.steps(system, choices),
    )


def parting(system: System, choices: Choices) -> str:
    """What to do now."""
    started = _SIGN_IN if system.has_systemd else _NO_SYSTEMD
    kept = (
        ""
        if choices.sqlite
        else f"\n\nKeep a copy of {PGBACKREST} elsewhere: without its passphrase no backup can be read."
    )
    monitored = _MONITORING if choices.monitoring else ""
    return f"{started.strip()}\n\n{firewall(choices)}{kept}{monitored}"


def firewall(choices: Choices) -> str:
    """The lines to copy."""
    peers = choices.peer_port
    ports = (("tcp", SSH_PORT), ("tcp", peers), ("udp", peers))
    lines = "\n".join(f"    iptables -I INPUT -p {kind} --dport {port} -j ACCEPT" for kind, port in ports)
    return (
        "Ports to open, in the cloud's firewall (at OCI: the subnet's security list, ingress, source 0.0.0.0/0)\n"
        f"    TCP {SSH_PORT} (people), TCP and UDP {peers} (peers)\n"
        "and on the machine: OCI's images end their iptables with a REJECT, and what is appended comes after it.\n"
        "So insert:\n"
        f"{lines}\n    netfilter-persistent save\n"
        "To have people come in at port 22 (move the machine's own sshd away first), and keep that as well:\n"
        f"    iptables -t nat -I PREROUTING -p tcp --dport 22 -j REDIRECT --to-ports {SSH_PORT}\n"
        "    netfilter-persistent save"
    )


_SIGN_IN = f"""
The first start made an admin and wrote their one-time password into the journal:
    journalctl -u {DAEMON} -o cat | grep -A 5 "made an admin"
See whether all is well: {DAEMON} check
"""
_NO_SYSTEMD = f"""
systemd does not run here, so nothing was started or enabled. With systemd: run {DAEMON} install again.
"""
_MONITORING = """

Prometheus: add to /etc/prometheus/prometheus.yml
    under rule_files: - uuutorrent.rules.yml
and what uuutorrent.scrape.yml, beside it, has under scrape_configs, then: systemctl reload prometheus"""
