"""
Tests for ``openclaw.protocol.convert``.
"""

from types import MappingProxyType
from typing import Any

from attrs.exceptions import FrozenInstanceError
from twisted.trial.unittest import SynchronousTestCase

from openclaw.protocol.channels import ChannelAccount, ChannelsStatusResult
from openclaw.protocol.codes import ErrorCode
from openclaw.protocol.connect import ConnectParams
from openclaw.protocol.convert import NotEncodable, structure, unstructure
from openclaw.protocol.cron import CronPayloadAgentTurnPatch, CronScheduleEvery, CronUpdateParams
from openclaw.protocol.sessions import SessionsPatchParams
from openclaw.protocol.types import ABSENT

CONNECT: dict[str, Any] = {
    "minProtocol": 3,
    "maxProtocol": 3,
    "client": {"id": "test", "version": "1", "platform": "linux", "mode": "test", "displayName": "Test"},
    "caps": ["camera"],
    "permissions": {"screen": True},
    "pathEnv": "/bin",
    "device": {"id": "d", "publicKey": "k", "signature": "s", "signedAt": 5},
}


class StructureTests(SynchronousTestCase):
    def test_nested(self) -> None:
        """
        Objects within objects become objects of their own definitions, and what is missing is ``None``.
        """
        params = structure(ConnectParams, CONNECT)
        assert params.device is not None
        self.assertEqual((params.client.display_name, params.device.signed_at), ("Test", 5))
        self.assertIsNone(params.auth)
        self.assertIsNone(params.device.nonce)
        self.assertEqual(params.path_env, "/bin")

    def test_frozen(self) -> None:
        """
        What came in cannot be changed.
        """
        params: Any = structure(ConnectParams, CONNECT)
        with self.assertRaises(FrozenInstanceError):
            params.role = "node"

    def test_whole_numbers(self) -> None:
        """
        3.0 is the integer 3, alone and beside ``null``.
        """
        params = structure(ConnectParams, CONNECT | {"minProtocol": 3.0})
        self.assertIs(type(params.min_protocol), int)
        account = structure(ChannelAccount, {"accountId": "a", "port": 80.0})
        self.assertIs(type(account.port), int)

    def test_largest_numbers(self) -> None:
        """
        A number that no store can keep becomes the largest that it can.
        """
        for value in (1e30, 2**64 - 1):
            self.assertEqual(structure(ConnectParams, CONNECT | {"minProtocol": value}).min_protocol, 2**63 - 1)
            self.assertEqual(structure(ChannelAccount, {"accountId": "a", "port": value}).port, 2**63 - 1)

    def test_null_and_absent(self) -> None:
        """
        Where ``null`` means something, it can be told from a missing key.
        """
        params = structure(SessionsPatchParams, {"key": "k", "label": None, "model": "m"})
        self.assertIsNone(params.label)
        self.assertIs(params.send_policy, ABSENT)
        self.assertEqual(unstructure(params), {"key": "k", "label": None, "model": "m"})

    def test_union(self) -> None:
        """
        The constant in ``kind`` says which definition of a union it is.
        """
        patch = {"schedule": {"kind": "every", "everyMs": 5}, "payload": {"kind": "agentTurn", "channel": "last"}}
        params = structure(CronUpdateParams, {"jobId": "j", "patch": patch})
        self.assertEqual(params.patch.schedule, CronScheduleEvery(kind="every", every_ms=5))
        self.assertEqual(params.patch.payload, CronPayloadAgentTurnPatch(kind="agentTurn", channel="last"))
        self.assertEqual((params.id, params.job_id), (None, "j"))

    def test_extra(self) -> None:
        """
        Keys that an open definition does not name are kept, and go out again.
        """
        value = {"accountId": "a", "linked": True, "self": {"e164": "+1"}}
        account = structure(ChannelAccount, value)
        self.assertEqual(account.extra, {"self": {"e164": "+1"}})
        self.assertEqual(unstructure(account), value)

    def test_mappings_and_arrays(self) -> None:
        """
        Objects are also built within mappings and arrays.
        """
        value = {
            "ts": 1,
            "channelOrder": ["x"],
            "channelLabels": {"x": "X"},
            "channels": {"x": {}},
            "channelMeta": [{"id": "x", "label": "X", "detailLabel": "X"}],
            "channelAccounts": {"x": [{"accountId": "default"}]},
            "channelDefaultAccountId": {"x": "default"},
        }
        result = structure(ChannelsStatusResult, value)
        self.assertEqual(result.channel_accounts, {"x": [ChannelAccount(account_id="default")]})
        self.assertEqual(unstructure(result), value)


class UnstructureTests(SynchronousTestCase):
    def test_plain(self) -> None:
        """
        Objects of definitions may stand anywhere within plain values; other mappings, sequences, sets and
        enumerations get their JSON form.
        """
        account = ChannelAccount(account_id="a")
        value = {"a": (account, MappingProxyType({"b": account})), "c": frozenset({1}), "d": ErrorCode.UNAVAILABLE}
        form = {"accountId": "a"}
        self.assertEqual(unstructure(value), {"a": [form, {"b": form}], "c": [1], "d": "UNAVAILABLE"})

    def test_refused(self) -> None:
        """
        What has no JSON form is refused rather than written some other way.
        """
        for value in (object(), b"x", {1: 2}, ABSENT, [ABSENT]):
            self.assertRaises(NotEncodable, unstructure, value)
