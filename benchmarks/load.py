"""
Load loops over prepared frames; they measure the server as long as this process is not the slower one.
"""

from __future__ import annotations

import select
import selectors
import time
from collections.abc import Callable, Sequence

from benchmarks.wire import Wire


def round_trips(wires: Sequence[Wire], frame: bytes, *, depth: int, total: int) -> float:
    """
    Requests answered a second, with so many in flight on each connection.

    Events that arrive meanwhile are counted as answers; keep the gateway quiet, or count on many requests.
    """
    selector = selectors.DefaultSelector()
    batch = frame * depth
    owed: dict[int, int] = {}
    for wire in wires:
        wire.socket.setblocking(False)
        selector.register(wire.socket, selectors.EVENT_READ, wire)
        owed[id(wire)] = depth
    started = time.perf_counter()
    for wire in wires:
        wire.socket.sendall(batch)
    answered = 0
    while answered < total:
        for key, _ in selector.select(5):
            wire = key.data
            wire._more()
            got = wire.count()
            answered += got
            owed[id(wire)] -= got
            if owed[id(wire)] <= 0:
                owed[id(wire)] += depth
                wire.socket.sendall(batch)
    elapsed = time.perf_counter() - started
    for wire in wires:
        selector.unregister(wire.socket)
        wire.socket.setblocking(True)
        wire.socket.settimeout(5)
    settle(wires, owed)
    selector.close()
    return answered / elapsed


def settle(wires: Sequence[Wire], owed: dict[int, int]) -> None:
    """
    Read what is still on its way, so that the next loop starts clean.
    """
    for wire in wires:
        while owed[id(wire)] > 0:
            wire._more()
            owed[id(wire)] -= wire.count()


def deliveries(wires: Sequence[Wire], publish: Callable[[], object], *, name: bytes, times: int) -> tuple[float, float]:
    """
    Event deliveries a second when each of many clients gets each event.

    :param publish: makes one event.
    :param name: what an event's frame contains.
    :return: deliveries a second, and seconds until the last client had the last event.
    """
    poll = select.epoll()
    sockets = {}
    for wire in wires:
        wire.socket.setblocking(False)
        poll.register(wire.socket, select.EPOLLIN)
        sockets[wire.socket.fileno()] = wire.socket
    # A name may lie across two reads.
    tails = dict.fromkeys(sockets, b"")
    wanted = len(wires)
    total, started = 0, time.perf_counter()
    last = 0.0
    for _ in range(times):
        begun = time.perf_counter()
        publish()
        got = 0
        while got < wanted:
            for number, _mask in poll.poll(10):
                data = tails[number] + sockets[number].recv(262_144)
                got += data.count(name)
                tails[number] = data[1 - len(name) :]
        last = time.perf_counter() - begun
        total += got
    elapsed = time.perf_counter() - started
    poll.close()
    for wire in wires:
        wire.socket.setblocking(True)
        wire.socket.settimeout(10)
    return total / elapsed, last
