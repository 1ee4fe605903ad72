"""
A bare Autobahn echo server: what every ratio is taken to.
"""

from __future__ import annotations

import sys
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet import epollreactor


class Echo(WebSocketServerProtocol):
    """
    Sends back what it gets.
    """

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N803 - Autobahn names it
        self.sendMessage(payload, isBinary)


def main(port: int) -> None:
    epollreactor.install()
    import twisted.internet.reactor

    reactor: Any = twisted.internet.reactor

    factory = WebSocketServerFactory()
    factory.protocol = Echo
    factory.setProtocolOptions(tcpNoDelay=True, openHandshakeTimeout=0, autoPingInterval=0, utf8validateIncoming=False)
    reactor.listenTCP(port, factory, backlog=512, interface="127.0.0.1")
    reactor.run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
