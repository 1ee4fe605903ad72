"""
What clients are told when the database cannot be used.
"""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase

from openclaw.cli.exits import FAILED, TRY_AGAIN, code_for
from openclaw.methods.mapping import refused
from openclaw.store.errors import StoreClosed, StoreDamaged, StoreTooNew, StoreUnavailable, StoreUnusable, known
from openclaw.store.memory import MemoryStore
from openclaw.testing.gateway import TOKEN
from tests.harness.http import ask
from tests.tools.case import BEARER, ToolCase


def sqlite_error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("/secret/place: it went wrong")
    error.sqlite_errorcode = code
    return error


class KnownTests(SynchronousTestCase):
    def test_codes(self) -> None:
        """
        Troubles of disk and file have a text without a path, also by their extended codes; defects of ours have none.
        """
        for code, word, retryable in (
            (sqlite3.SQLITE_FULL, "full", False),
            (sqlite3.SQLITE_BUSY, "in use", True),
            (sqlite3.SQLITE_BUSY_SNAPSHOT, "in use", True),
            (sqlite3.SQLITE_CORRUPT, "damaged", False),
            (sqlite3.SQLITE_IOERR_FSYNC, "disk", False),
        ):
            told = known(sqlite_error(code))
            assert told is not None
            self.assertEqual((word in str(told), told.retryable, "/" in str(told)), (True, retryable, False), code)
        for error in (sqlite_error(sqlite3.SQLITE_ERROR), sqlite_error(sqlite3.SQLITE_CONSTRAINT), ValueError(), None):
            self.assertIsNone(known(error))
        self.assertEqual(str(known(OSError(errno.ENOSPC, "x"))), "The disk is full: nothing more can be stored.")
        self.assertIsNone(known(OSError(errno.ENOENT, "x")))

    def test_unopened(self) -> None:
        """
        Why a database was not opened is told with its path to whoever starts the gateway, and without it to clients.
        """
        path = Path("/secret/place")
        busy = StoreUnusable(path, "database is locked")
        busy.__cause__ = sqlite_error(sqlite3.SQLITE_BUSY)
        for error, word, code in (
            (busy, "in use", TRY_AGAIN),
            (StoreUnusable(path, "?"), "opened", FAILED),
            (StoreTooNew(path, 9), "opened", FAILED),
            (StoreDamaged(path, "?"), "damaged", FAILED),
        ):
            told = known(error)
            assert told is not None
            self.assertIn(str(path), str(error))
            self.assertEqual((word in str(told), "/" in str(told), code_for(error)), (True, False, code), error)

    def test_closed(self) -> None:
        """
        Who asks while the store is closed may ask again: the gateway restarts.
        """
        told = refused(StoreClosed(), "chat.send", lambda: "id").error
        self.assertEqual((told.code, told.message, told.retryable), ("UNAVAILABLE", "The store is closed.", True))
        self.assertEqual(code_for(StoreClosed()), TRY_AGAIN)

    def test_on_the_wire(self) -> None:
        """
        ``UNAVAILABLE``, with when to ask again only where that makes sense.
        """
        for retryable in (False, True):
            told = refused(StoreUnavailable("why", retryable=retryable), "chat.send", lambda: "id").error
            self.assertEqual((told.code, told.message), ("UNAVAILABLE", "why"))
            self.assertEqual((told.retryable, told.retry_after_ms is not None), (retryable or None, retryable))


class FullStore(MemoryStore):
    """
    A store whose disk may be full.
    """

    full = False
    unreadable = False

    def read(self, work: Any) -> Deferred[Any]:
        return fail(StoreUnavailable("The database is damaged.")) if self.unreadable else super().read(work)

    def write(self, work: Any) -> Deferred[Any]:
        if not self.full:
            return super().write(work)
        return fail(StoreUnavailable("The disk is full: nothing more can be stored."))


class HttpTests(ToolCase):
    def test_full_disk(self) -> None:
        """
        Programs get 503, and the model is not asked.
        """
        store = FullStore()
        gateway = self.gateway({"hooks": {"enabled": True, "token": "a-hook-token"}}, store=store)
        client = gateway.connected()
        store.full = True
        for path, body, headers in (
            ("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]}, BEARER),
            ("/hooks/agent", {"message": "x"}, {"Authorization": "Bearer a-hook-token"}),
        ):
            answer = ask(gateway, "POST", path, headers=headers, body=body)
            self.assertEqual(answer.status, 503, answer.body)
            self.assertIn("The disk is full", answer.text)
        told = client.call("chat.send", {"sessionKey": "main", "message": "x", "idempotencyKey": "k"})
        self.assertEqual((told["ok"], told["error"]["code"]), (False, "UNAVAILABLE"))
        self.assertIn("The disk is full", told["error"]["message"])

    def test_tools(self) -> None:
        """
        Who calls a tool that cannot read is to come again, and the failure is not kept for the key of the call.
        """
        store = FullStore()
        gateway = self.gateway(store=store)
        headers = {**BEARER, "Idempotency-Key": "k"}
        store.unreadable = True
        answer = ask(gateway, "POST", "/tools/invoke", headers=headers, body={"tool": "session_status"})
        told = {"type": "unavailable", "message": "The database is damaged."}
        self.assertEqual((answer.status, answer.value), (503, {"ok": False, "error": told}))
        self.assertEqual(answer.headers["retry-after"], "2")
        store.unreadable = False
        answer = ask(gateway, "POST", "/tools/invoke", headers=headers, body={"tool": "session_status"})
        self.assertEqual(answer.status, 200, answer.body)

    def test_coming_in(self) -> None:
        """
        Who comes then is told so, and to come again.
        """
        store = FullStore()
        gateway = self.gateway(store=store)
        store.full = True
        client = gateway.client()
        told = client.connect(token=TOKEN)
        self.assertEqual((told["ok"], told["error"]["code"], told["error"]["retryable"]), (False, "UNAVAILABLE", True))
        self.assertIn("The disk is full", told["error"]["message"])
        assert client.closed is not None
        self.assertEqual(client.closed[0], 1013)
