"""
Tests for :mod:`openclaw.config.migrate`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.config.legacy import find_legacy
from openclaw.config.loader import evaluate
from openclaw.config.migrate import CannotMigrate, migrate

#: Before and after.
CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"telegram": {"botToken": "${T}"}}, {"channels": {"telegram": {"botToken": "${T}"}}}),
    (
        {"telegram": {"botToken": "a", "enabled": True}, "channels": {"telegram": {"botToken": "b"}}},
        {"channels": {"telegram": {"botToken": "b", "enabled": True}}},
    ),
    (
        {"routing": {"allowFrom": ["+1"]}, "whatsapp": {}},
        {"channels": {"whatsapp": {"allowFrom": ["+1"]}}},
    ),
    ({"routing": {"allowFrom": ["+1"]}}, {}),
    (
        {"routing": {"bindings": [{"agentId": "a", "match": {"provider": "telegram", "accountID": "x"}}]}},
        {"bindings": [{"agentId": "a", "match": {"channel": "telegram", "accountId": "x"}}]},
    ),
    (
        {"routing": {"agents": {"a": {"name": "A"}}, "defaultAgentId": "a"}},
        {"agents": {"list": [{"id": "a", "name": "A", "default": True}]}},
    ),
    ({"routing": {"agentToAgent": {"enabled": True}}}, {"tools": {"agentToAgent": {"enabled": True}}}),
    (
        {"routing": {"groupChat": {"requireMention": False}}, "channels": {"whatsapp": {}, "telegram": {}}},
        {
            "channels": {
                "whatsapp": {"groups": {"*": {"requireMention": False}}},
                "telegram": {"groups": {"*": {"requireMention": False}}},
            }
        },
    ),
    (
        {"routing": {"groupChat": {"mentionPatterns": ["x"], "historyLimit": 5}}},
        {"messages": {"groupChat": {"mentionPatterns": ["x"], "historyLimit": 5}}},
    ),
    (
        {"routing": {"queue": {"mode": "collect", "byProvider": {"telegram": "steer"}}}},
        {"messages": {"queue": {"mode": "collect", "byChannel": {"telegram": "steer"}}}},
    ),
    (
        {"routing": {"transcribeAudio": {"command": ["whisper", "-f"], "timeoutSeconds": 5}}},
        {
            "tools": {
                "media": {
                    "audio": {
                        "models": [{"type": "cli", "command": "whisper", "args": ["-f"], "timeoutSeconds": 5}],
                        "enabled": True,
                    }
                }
            }
        },
    ),
    (
        {"telegram": {"requireMention": True}},
        {"channels": {"telegram": {"groups": {"*": {"requireMention": True}}}}},
    ),
    (
        {"identity": {"name": "N"}},
        {"agents": {"list": [{"id": "main", "default": True, "identity": {"name": "N"}}]}},
    ),
    (
        {"identity": {"name": "N"}, "agents": {"list": [{"id": "a"}, {"id": "b", "default": True}]}},
        {"agents": {"list": [{"id": "a"}, {"id": "b", "default": True, "identity": {"name": "N"}}]}},
    ),
    (
        {
            "agent": {
                "model": "p/m",
                "modelFallbacks": ["p/n"],
                "allowedModels": ["p/m", "p/n"],
                "modelAliases": {"n": "p/n"},
                "workspace": "~/w",
                "tools": {"allow": ["read"]},
                "elevated": {"enabled": False},
                "bash": {"timeoutSec": 5},
                "sandbox": {"mode": "off", "tools": {"deny": ["x"]}},
                "subagents": {"tools": {"deny": ["y"]}},
            }
        },
        {
            "agents": {
                "defaults": {
                    "model": {"primary": "p/m", "fallbacks": ["p/n"]},
                    "models": {"p/m": {}, "p/n": {"alias": "n"}},
                    "workspace": "~/w",
                    "sandbox": {"mode": "off"},
                }
            },
            "tools": {
                "allow": ["read"],
                "elevated": {"enabled": False},
                "exec": {"timeoutSec": 5},
                "sandbox": {"tools": {"deny": ["x"]}},
                "subagents": {"tools": {"deny": ["y"]}},
            },
        },
    ),
    ({"tools": {"bash": {"timeoutSec": 1}}}, {"tools": {"exec": {"timeoutSec": 1}}}),
    ({"messages": {"tts": {"enabled": True}}}, {"messages": {"tts": {"auto": "always"}}}),
    ({"messages": {"tts": {"enabled": True, "auto": "off"}}}, {"messages": {"tts": {"auto": "off"}}}),
    ({"gateway": {"token": "${T}"}}, {"gateway": {"auth": {"token": "${T}"}}}),
    (
        {"session": {"sendPolicy": {"rules": [{"action": "deny", "match": {"provider": "telegram"}}]}}},
        {"session": {"sendPolicy": {"rules": [{"action": "deny", "match": {"channel": "telegram"}}]}}},
    ),
]


class MigrateTests(SynchronousTestCase):
    """
    Old keys, one by one and together.
    """

    def test_each(self) -> None:
        """
        Every old key finds its place, with a sentence; the result can be used.
        """
        for before, after in CASES:
            self.assertNotEqual(find_legacy(before), [], before)
            moved, changes = migrate(before)
            self.assertEqual(moved, after)
            self.assertTrue(changes)
            snapshot = evaluate(json.dumps(moved), Path("f"), {"T": "x"}, Path("h"))
            self.assertEqual(([issue.line() for issue in snapshot.issues], list(snapshot.unknown)), ([], []), moved)

    def test_again(self) -> None:
        """
        What is new is left alone, to the identity of its values.
        """
        for _, after in CASES:
            self.assertEqual(migrate(after), (after, []))

    def test_any_shape(self) -> None:
        """
        Values of other kinds than a key has are moved or removed, never stumbled over.
        """
        for value in (None, 1, "x", [], [1], {}, {"x": 1}):
            for before, _ in CASES:
                for key in [*before, "agents", "channels", "tools", "messages"]:
                    self.tried({**before, key: value})
                    for inner in before.get(key, ()):
                        self.tried({**before, key: {**before[key], inner: value}})

    def tried(self, config: dict[str, Any]) -> None:
        """
        Migrate what may not be possible.
        """
        try:
            migrate(config)
        except CannotMigrate as error:
            self.assertIn("cannot be moved while", str(error))
