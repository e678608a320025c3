import asyncio

import httpx

from tests.ports import free_port
from tests.servers.nyaa import FakeNyaa


async def test_answers_wait_while_the_gate_is_shut(http: httpx.AsyncClient) -> None:
    with FakeNyaa() as index:
        index.gate.shut()
        asking = [asyncio.create_task(http.get(index.url)) for _ in range(3)]
        await index.gate.holds(3)
        assert not any(task.done() for task in asking)
        index.gate.open()
        assert [answer.status_code for answer in await asyncio.gather(*asking)] == [200] * 3
        assert (await http.get(index.url)).status_code == 200


async def test_a_gate_shut_for_one_answer_lets_the_next_through(http: httpx.AsyncClient) -> None:
    with FakeNyaa() as index:
        index.gate.shut(answers=1)
        first = asyncio.create_task(http.get(index.url))
        await index.gate.holds()
        assert (await http.get(index.url)).status_code == 200
        assert not first.done()
        index.gate.open()
        assert (await first).status_code == 200


async def test_a_reserved_port_can_be_listened_on_and_left_and_listened_on_again() -> None:
    port = free_port()
    for _ in range(2):
        async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            await writer.wait_closed()
