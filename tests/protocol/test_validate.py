"""
Tests for ``openclaw.protocol.validate`` and ``openclaw.protocol.explain``.
"""

import re
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.protocol.agent import AgentParams
from openclaw.protocol.chat import ChatAbortParams, ChatHistoryParams, ChatSendParams
from openclaw.protocol.config import ConfigApplyParams, ConfigGetParams, ConfigPatchParams, ConfigSetParams
from openclaw.protocol.connect import ConnectParams
from openclaw.protocol.cron import (
    CronAddParams,
    CronListParams,
    CronRemoveParams,
    CronRunParams,
    CronRunsParams,
    CronUpdateParams,
    WakeParams,
)
from openclaw.protocol.frames import RequestFrame
from openclaw.protocol.nodes import NodeInvokeParams, NodeListParams
from openclaw.protocol.send import SendParams
from openclaw.protocol.sessions import (
    SessionsCompactParams,
    SessionsDeleteParams,
    SessionsListParams,
    SessionsPatchParams,
    SessionsPreviewParams,
    SessionsResetParams,
    SessionsResolveParams,
)
from openclaw.protocol.validate import violations
from tests.protocol.recorded import Refusal, refusals

PARAMS: dict[str, Any] = {
    "agent": AgentParams,
    "chat.abort": ChatAbortParams,
    "chat.history": ChatHistoryParams,
    "chat.send": ChatSendParams,
    "config.apply": ConfigApplyParams,
    "config.get": ConfigGetParams,
    "config.patch": ConfigPatchParams,
    "config.set": ConfigSetParams,
    "connect": ConnectParams,
    "cron.add": CronAddParams,
    "cron.list": CronListParams,
    "cron.remove": CronRemoveParams,
    "cron.run": CronRunParams,
    "cron.runs": CronRunsParams,
    "cron.update": CronUpdateParams,
    "node.invoke": NodeInvokeParams,
    "node.list": NodeListParams,
    "send": SendParams,
    "sessions.compact": SessionsCompactParams,
    "sessions.delete": SessionsDeleteParams,
    "sessions.list": SessionsListParams,
    "sessions.patch": SessionsPatchParams,
    "sessions.preview": SessionsPreviewParams,
    "sessions.reset": SessionsResetParams,
    "sessions.resolve": SessionsResolveParams,
    "wake": WakeParams,
}

#: What a method fills in before it looks at its parameters (``methods.md`` 16.2).
FILLED_IN: dict[str, dict[str, Any]] = {"cron.add": {"wakeMode": "next-heartbeat"}}

#: Recordings, and how many messages about the schema each has.
RECORDINGS = {
    "ws-connect-invalid-params.jsonl": 20,
    "ws-request-errors.jsonl": 18,
    "rpc-chat-invalid.jsonl": 7,
    "rpc-sessions.jsonl": 2,
    "rpc-config-errors.jsonl": 3,
    "rpc-cron.jsonl": 3,
}

ABOUT_SCHEMA = re.compile(r"invalid (?P<what>request frame|[\w.-]+ params): (?P<list>(at |must ).*)", re.DOTALL)


class RecordedTests(SynchronousTestCase):
    def check(self, refusal: Refusal) -> bool:
        """
        Compare one refusal with what we say.

        :return: whether it was about the schema.
        """
        frame = refusal.frame
        told = ABOUT_SCHEMA.fullmatch(refusal.message)
        if told is not None and told["what"] == "request frame":
            self.assertEqual(violations(RequestFrame, frame), told["list"])
            return True
        method = frame["method"]
        # The handshake alone does not take missing parameters for an empty object.
        params = frame.get("params")
        if params is None and method != "connect":
            params = {}
        if method in FILLED_IN:
            params = FILLED_IN[method] | params
        if told is not None:
            self.assertEqual(told["what"], f"{method} params")
            self.assertEqual(violations(PARAMS[method], params), told["list"])
        elif method in PARAMS:
            self.assertIsNone(violations(PARAMS[method], params), refusal)
        return told is not None

    def test_messages(self) -> None:
        """
        Every message about the schema that was recorded comes out to the letter; what was refused for another
        reason has no violations.
        """
        for name, expected in RECORDINGS.items():
            self.assertEqual(sum(self.check(refusal) for refusal in refusals(name)), expected, name)
