"""
A gateway that encrypts, and clients that are not ours (``protocol.md`` 23).
"""

from __future__ import annotations

import json
import signal
import socket
import ssl
import threading

from websockets.exceptions import ConnectionClosed

from tests.process.case import ProcessCase
from tests.process.gateway import TOKEN, GatewayProcess, eventually
from tests.process.peer import Peer


class TlsTests(ProcessCase):
    def gateway(self) -> GatewayProcess:
        gateway = self.make_gateway(tls={"enabled": True})
        assert gateway.config is not None
        gateway.config = {**gateway.config, "commands": {"restart": True}}
        return gateway.start()

    def dial(self, gateway: GatewayProcess, context: ssl.SSLContext) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
        self.addCleanup(plain.close)
        return context.wrap_socket(plain, server_hostname="127.0.0.1")

    def test_port(self) -> None:
        """
        HTTP and WebSocket share the encrypted port; TLS 1.1, plain HTTP and HTTP/2 are not spoken there; clients that
        come from elsewhere are told an encrypted canvas.
        """
        gateway = self.gateway()
        self.assertIn(f"listening on wss://127.0.0.1:{gateway.port} ", gateway.output)
        self.assertNotIn("ws://127", gateway.output.replace("wss://", ""))
        self.assertEqual(gateway.get("/healthz").status, 200)
        peer = self.join(gateway)
        self.assertEqual(peer.hello["type"], "hello-ok")
        self.assertTrue(peer.ask("health")["ok"])

        context = gateway.tls()
        context.set_alpn_protocols(["h2", "http/1.1"])
        with self.dial(gateway, context) as socket_:
            self.assertEqual(socket_.selected_alpn_protocol(), "http/1.1")
        old = gateway.tls()
        old.set_ciphers("DEFAULT:@SECLEVEL=0")
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        self.assertRaises(OSError, self.dial, gateway, old)
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as plain:
            plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertNotIn(b"HTTP/1.1 200", plain.recv(1000))

        way = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
        far = Peer.open("wss://gateway.example:18789", sock=way, ssl=gateway.tls())
        self.addCleanup(far.close)
        far.greet()
        start = "https://gateway.example:18789/__openclaw__/cap/"
        self.assertEqual(far.hello["canvasHostUrl"][: len(start)], start)
        self.assertNotIn("Traceback", gateway.output)

    def test_large(self) -> None:
        """
        What is larger than any buffer comes whole, by WebSocket and by HTTP.
        """
        gateway = self.gateway()
        peer = self.join(gateway)
        text = "x" * 400_000
        peer.ask("chat.send", {"sessionKey": "main", "message": text, "idempotencyKey": "large"})
        peer.wait_event(lambda event: event["event"] == "chat" and event["payload"]["state"] == "final")
        body = json.dumps({"model": "openclaw", "messages": [{"role": "user", "content": text}]})
        with self.dial(gateway, gateway.tls()) as socket_:
            head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
            head += f"Content-Type: application/json\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
            sender = threading.Thread(target=socket_.sendall, args=[(head + body).encode()])
            sender.start()
            answer = b""
            while part := socket_.recv(65536):
                answer += part
            sender.join()
        self.assertIn(b" 200 OK", answer[:20])
        self.assertIn(text.encode(), answer)

    def test_commands(self) -> None:
        """
        Our own commands know the certificate of this machine; elsewhere they ask for the right fingerprint, and tell
        the token to nobody else.
        """
        gateway = self.gateway()
        said = gateway.openclaw("health", "--json")
        self.assertEqual((said.returncode, json.loads(said.stdout)["ok"]), (0, True), said.stderr)
        fingerprint = gateway.output.partition("gateway.remote.tlsFingerprint): ")[2].split()[0]
        remote = ("gateway", "call", "health", "--url", gateway.url, "--token", TOKEN)
        shown = ":".join(fingerprint[at : at + 2] for at in range(0, 64, 2)).upper()
        said = gateway.openclaw(*remote, "--tls-fingerprint", f"sha256:{shown}")
        self.assertEqual(said.returncode, 0, said.stderr)
        said = gateway.openclaw(*remote, "--tls-fingerprint", "0" * 64)
        self.assertEqual(said.returncode, 1)
        self.assertIn("gateway tls fingerprint mismatch", said.stderr)

    def test_restart(self) -> None:
        """
        A restart in place shows the certificate that is there then; nobody is refused meanwhile.
        """
        gateway = self.gateway()
        peer = self.join(gateway)
        before = gateway.tls()
        for path in (gateway.state / "gateway" / "tls").iterdir():
            path.unlink()
        gateway.signal(signal.SIGUSR1)
        self.assertRaises(ConnectionClosed, lambda: [peer.socket.recv(30) for _ in range(1000)])
        eventually(lambda: gateway.output.count(f"listening on wss://127.0.0.1:{gateway.port}") == 2, "no restart")
        self.assertTrue(self.join(gateway).ask("health")["ok"])
        self.assertRaises(ssl.SSLCertVerificationError, self.dial, gateway, before)
        self.assertEqual(gateway.stop(), 0)
