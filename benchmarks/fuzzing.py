"""The fuzzing of `tests/ssh/test_fuzz.py` with as many inputs as one likes: `python -m benchmarks.fuzzing 100000`.

Half of them are requests to a file session, half beginnings of a connection. It says how many broke something (that is
a bug) and how fast they were taken.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from random import Random

from structlog.testing import capture_logs

from tests.desks import built
from tests.people import CHEAP_ROUNDS
from tests.ssh.fuzz import asks, first_bytes, request
from tests.ssh.port import Port, opened
from uuutorrent.accounts import Accounts, Operator
from uuutorrent.config import Accounts as AccountSettings
from uuutorrent.store.database import Database
from uuutorrent.store.migrate import upgrade

PACKETS = 100
OPEN_DOOR = {"startups_begin": 9000, "startups_full": 10_000, "startups_per_source": 10_000}


async def main(inputs: int) -> None:
    with tempfile.TemporaryDirectory() as folder, capture_logs() as logs:
        home = Path(folder)
        async with Database(f"sqlite+aiosqlite:///{home / 'uuutorrent.db'}") as database:
            await upgrade(database)
            ann = await Accounts(database, AccountSettings(), rounds=CHEAP_ROUNDS).create(Operator(), "ann")
            async with built(database, home, ssh=OPEN_DOOR) as there, opened(there.services, there.engine) as port:
                await port.give(ann, "Lecture", {"one.mkv": b"what ann may read " * 5000})
                desk, began = there.services.desk(ann), time.perf_counter()
                for seed in range(inputs // 2 // PACKETS):
                    random = Random(seed)
                    await asks(desk, [request(random) for _ in range(PACKETS)])
                asked = time.perf_counter()
                for seed in range(inputs // 2):
                    await _connect(port, Random(seed))
                done = time.perf_counter()
    broke = [line for line in logs if "crash" in line["event"] or line["log_level"] == "error"]
    print(f"requests     {inputs // 2 / (asked - began):8.0f} a second")
    print(f"connections  {inputs // 2 / (done - asked):8.0f} a second")
    print(f"broke        {len(broke):8d}", *broke[:3], sep="\n")


async def _connect(port: Port, random: Random) -> None:
    source = f"127.{random.randrange(1, 255)}.{random.randrange(255)}.{random.randrange(1, 255)}"
    reader, writer = await asyncio.open_connection("127.0.0.1", port.number, local_addr=(source, 0))
    with suppress(ConnectionError):
        writer.write(first_bytes(random))
        writer.write_eof()
        async with asyncio.timeout(30):
            await reader.read()
    writer.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
