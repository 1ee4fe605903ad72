"""
Many clients in one process of their own: ``python -m tests.process.crowd <url> <count>``.

Prints ``connected`` when all have said hello, and ``seen`` when each has seen a chat message end.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys

from websockets.asyncio.client import ClientConnection, connect

from tests.process.peer import connect_params

#: Handshakes under way at once.
WIDTH = 50


async def join(url: str, gate: asyncio.Semaphore) -> ClientConnection:
    async with gate:
        socket = await connect(url, max_size=None, proxy=None, open_timeout=60, ping_interval=None)
        nonce = json.loads(await socket.recv())["payload"]["nonce"]
        params = connect_params(nonce, mode="cli")
        await socket.send(json.dumps({"type": "req", "id": "c", "method": "connect", "params": params}))
        answer = json.loads(await socket.recv())
        assert answer["ok"], answer
        return socket


async def see(socket: ClientConnection) -> None:
    async for text in socket:
        frame = json.loads(text)
        if frame.get("event") == "chat" and frame["payload"]["state"] == "final":
            return


async def main(url: str, count: int) -> None:
    gate = asyncio.Semaphore(WIDTH)
    sockets = await asyncio.gather(*(join(url, gate) for _ in range(count)))
    seeing = [asyncio.ensure_future(see(socket)) for socket in sockets]
    print("connected", flush=True)  # noqa: T201
    await asyncio.gather(*seeing)
    print("seen", flush=True)  # noqa: T201


if __name__ == "__main__":
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
