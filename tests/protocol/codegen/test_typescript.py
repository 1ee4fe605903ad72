"""
Tests for ``openclaw.protocol.codegen.typescript``.
"""

import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from openclaw.methods.families import METHODS
from openclaw.protocol.codegen import generate
from openclaw.protocol.definitions import DEFINITIONS
from openclaw.protocol.events import EVENT_TABLE
from tests.protocol.codegen.toolchain import typescript_compiler

#: A client that uses the types; each marked line is an error that the compiler must find.
USE = """
import {
  PROTOCOL_VERSION, type ChannelAccount, type ConnectParams, type CronJob, type CronRunParams, type ErrorCode,
  type EventName, type Events, type GatewayFrame, type MethodName, type Methods, type NodeListParams,
  type SessionsPatchParams,
} from "./wire";

const connect: ConnectParams = {
  minProtocol: PROTOCOL_VERSION,
  maxProtocol: PROTOCOL_VERSION,
  client: { id: "cli", version: "1", platform: "linux", mode: "cli" },
  permissions: { camera: true },
};
const code: ErrorCode = "NOT_PAIRED";
const event: EventName = "chat";
const methods: MethodName[] = ["chat.send", "connect", "chat.inject"];
const byId: CronRunParams = { id: "x", mode: "force" };
const byJobId: CronRunParams = { jobId: "x" };
const cleared: SessionsPatchParams = { key: "k", label: null };
const account: ChannelAccount = { accountId: "a", anything: { goes: true } };
const nothing: NodeListParams = {};

export function read(frame: GatewayFrame): string {
  switch (frame.type) {
    case "req": return frame.method;
    case "res": return frame.error?.message ?? frame.id;
    case "event": return frame.event;
  }
}

export function next(job: CronJob): number | string {
  switch (job.schedule.kind) {
    case "at": return job.schedule.atMs;
    case "every": return job.schedule.everyMs;
    case "cron": return job.schedule.expr;
  }
}

declare function call<M extends keyof Methods>(method: M, params: Methods[M]["params"]): Promise<Methods[M]["result"]>;
declare function on<E extends keyof Events>(event: E, told: (payload: Events[E]) => void): void;

export async function ask(): Promise<string> {
  const said: string[] = [];
  on("chat", (payload) => said.push(payload.state));
  const history = await call("chat.history", { sessionKey: "main", limit: 5 });
  // @ts-expect-error
  await call("chat.history", { session: "main" });
  // @ts-expect-error
  said.push(history.nothing);
  return history.thinkingLevel ?? "off";
}

// @ts-expect-error
const both: CronRunParams = { id: "x", jobId: "y" };
// @ts-expect-error
const neither: CronRunParams = {};
// @ts-expect-error
const mode: ConnectParams["client"]["mode"] = "operator";
// @ts-expect-error
const missing: ConnectParams = { minProtocol: 3, maxProtocol: 3 };
// @ts-expect-error
const text: SessionsPatchParams = { key: "k", label: 5 };
// @ts-expect-error
const something: NodeListParams = { a: 1 };

export { account, both, byId, byJobId, cleared, code, connect, event, methods, missing, mode };
export { neither, nothing, something, text };
"""


class TypeScriptTests(SynchronousTestCase):
    def test_compiles(self) -> None:
        """
        The compiler takes the types, and a client that uses them right; it refuses what the schema would refuse.
        """
        compiler = typescript_compiler()
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "wire.ts").write_text(generate("ts", METHODS), encoding="utf-8")
        (folder / "use.ts").write_text(USE, encoding="utf-8")
        result = subprocess.run(
            [
                *compiler,
                "--noEmit",
                "--strict",
                "--exactOptionalPropertyTypes",
                "--target",
                "es2022",
                "use.ts",
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual((result.returncode, result.stdout), (0, ""))

    def test_every_definition(self) -> None:
        """
        There is a type for every definition, and a key for every method and event.
        """
        text = generate("ts", METHODS)
        for name in (*METHODS, *EVENT_TABLE):
            self.assertEqual(text.count(f'\n  "{name}": '), (name in METHODS) + (name in EVENT_TABLE), name)
        for name in DEFINITIONS:
            self.assertRegex(text, rf"(?m)^export (interface {name} \{{|type {name} = )")
