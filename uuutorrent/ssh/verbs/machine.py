"""The verb for admins that says how the machine does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from uuutorrent.machine import FIGURES, Sample
from uuutorrent.ssh.call import Reply, TheCall, Verb
from uuutorrent.ssh.verbs.upkeep import lines, told
from uuutorrent.tui.admin.gauges import NAMED, shown


async def machine(*, call: TheCall) -> Reply:
    """How busy processors, memory, disk, line and event loop are, now and over hour and day; what left this month."""
    month = await call.desk.traffic.month(await call.admin())
    seen = call.desk.machine
    hour, day = seen.hour(), seen.day()
    spans = {"hour": _over(hour), "day": _over(day)}
    document = {"samples": len(hour), "now": asdict(hour[-1]) if hour else None, **spans, "traffic": told(month)}
    rows = [
        (
            NAMED[name],
            shown(name, getattr(hour[-1], name)) or "-",
            *(shown(name, spans[which][name][how]) or "-" for which in ("hour", "day") for how in ("mean", "most")),
        )
        for name in FIGURES
        if hour
    ]
    headings = ("", "NOW", "HOUR", "AT MOST", "DAY", "AT MOST")
    figures = call.table(headings, rows, empty="Nothing was measured yet: ask again in some seconds.")
    return Reply(document, f"{figures}\n\n{call.listing([(line,) for line in lines(month)], empty='')}")


VERBS = (Verb("machine", machine),)


def _over(samples: Sequence[Sample]) -> Mapping[str, Mapping[str, Any]]:
    values = {name: [v for one in samples if (v := getattr(one, name)) is not None] for name in FIGURES}
    return {
        name: {"mean": sum(of) / len(of) if of else None, "most": max(of, default=None)} for name, of in values.items()
    }
