"""
Recorded requests get the recorded answers, where a whole replay would need the machine on which they were recorded.
The other captures are replayed in ``tests.gateway.test_replays``.
"""

from __future__ import annotations

from tests.methods.support import MethodCase, recording


class RecordingTests(MethodCase):
    """
    Request by request.
    """

    def test_models(self) -> None:
        """
        The configured model, and a parameter too many (``rpc-models``). Our list has no models without a key.
        """
        (model,) = self.ask("models.list", {})["models"]
        (_, _, answer), (_, request, refusal) = recording("rpc-models.jsonl")
        self.assertEqual(model, answer["payload"]["models"][0])
        self.assertEqual(self.refused("models.list", request["params"]), refusal["error"]["message"])

    def test_logs(self) -> None:
        """
        All of ``logs.tail`` (``rpc-logs``), on a file as large as the recorded one and with its last lines.
        """
        pairs = list(recording("rpc-logs.jsonl"))
        (_, _, first), *_ = pairs
        end = "".join(f"{line}\n" for line in first["payload"]["lines"]).encode()
        path = self.context.log_path()
        path.parent.mkdir()
        path.write_bytes(b"x" * (first["payload"]["size"] - len(end) - 1) + b"\n" + end)
        for _, request, answer in pairs:
            (reply,) = self.asked("logs.tail", request["params"])
            if answer["ok"]:
                self.assertEqual(reply.payload, {**answer["payload"], "file": str(path)}, request)
            else:
                self.assertEqual(reply.members()["error"], answer["error"])
