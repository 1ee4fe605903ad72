"""
How a connection ends on the side of the socket: who does not answer a close frame is cut off.
"""

from __future__ import annotations

from pathlib import Path
from struct import unpack_from
from typing import Any

import orjson
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from openclaw.gateway.events import MAX_BUFFERED_BYTES
from openclaw.testing.gateway import TOKEN, MemoryGateway
from tests.gateway.test_framing import masked

UPGRADE = b"""GET / HTTP/1.1\r
Host: 127.0.0.1:18789\r
Upgrade: websocket\r
Connection: Upgrade\r
Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r
Sec-WebSocket-Version: 13\r
\r
"""

CONNECT = {
    "type": "req",
    "id": "c",
    "method": "connect",
    "params": {
        "minProtocol": 3,
        "maxProtocol": 3,
        "client": {"id": "test", "version": "1", "platform": "linux", "mode": "test"},
        "auth": {"token": TOKEN},
    },
}


class Socket(StringTransport):
    """
    A socket whose other side may have stopped reading.

    :ivar dataBuffer: what waits to be sent, as Twisted's own transports call it.
    """

    protocol: Any = None
    dataBuffer = b""
    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True


class ClosingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.gateway = MemoryGateway(directory=Path(self.mktemp())).start()
        self.addCleanup(self.gateway.stop)

    def opened(self) -> Socket:
        """
        The socket of an upgraded connection.
        """
        socket = Socket(peerAddress=IPv4Address("TCP", "127.0.0.1", 50000))
        socket.protocol = self.gateway.reactor.tcpServers[-1][1].buildProtocol(socket.getPeer())
        socket.protocol.makeConnection(socket)
        socket.protocol.dataReceived(UPGRADE)
        self.gateway.flush()
        socket.clear()
        return socket

    def close_code(self, socket: Socket) -> int:
        """
        The code in the close frame at the end of what was sent.
        """
        data = socket.value()
        start = data.rindex(b"\x88")
        return int(unpack_from("!H", data, start + 2)[0])

    def test_wrong_frames(self) -> None:
        """
        Whoever breaks the protocol and stays is not kept, however the connection was broken off.
        """
        wrong = {
            "unmasked": b"\x81\x02hi",
            "reserved bits": masked(b"hi", b"abcd", 0xF1),
            "unknown opcode": masked(b"hi", b"abcd", 0x83),
            "too big": b"\x81\xff" + (70_000).to_bytes(8, "big") + b"abcd",
            "nothing to continue": masked(b"hi", b"abcd", 0x80),
        }
        for name, data in wrong.items():
            socket = self.opened()
            socket.protocol.dataReceived(data)
            self.gateway.advance(0)
            self.assertIn(self.close_code(socket), (1002, 1009), name)
            self.gateway.advance(1.9)
            self.assertFalse(socket.aborted, name)
            self.gateway.advance(0.2)
            self.assertTrue(socket.aborted, name)
            socket.protocol.connectionLost(Failure(ConnectionDone()))

    def test_slow_consumer(self) -> None:
        """
        A slow client has half a minute to take what it was sent before, and then the close frame.
        """
        socket = self.opened()
        socket.protocol.dataReceived(masked(orjson.dumps(CONNECT), b"abcd"))
        self.gateway.flush()
        socket.dataBuffer = b"x" * (MAX_BUFFERED_BYTES + 1)
        socket.clear()
        self.gateway.service.clients.events.publish("chat", {})
        self.assertEqual(self.close_code(socket), 1008)
        self.assertNotIn(b"chat", socket.value())
        self.gateway.advance(29)
        self.assertFalse(socket.aborted)
        self.gateway.advance(2)
        self.assertTrue(socket.aborted)
        socket.protocol.connectionLost(Failure(ConnectionDone()))
