"""
The OpenAPI document, and what it says of a gateway in memory.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
from twisted.trial.unittest import SynchronousTestCase

from openclaw.agent.providers.base import Stop, ToolCall, Usage
from openclaw.testing.gateway import TOKEN, MemoryGateway
from openclaw.testing.model import Step, said
from openclaw.web.openapi.document import openapi_document, openapi_text
from tests.harness.http import ask, events
from tests.methods.test_document import FIXTURES, references
from tests.web.asking import Answer

SECRET = {"Authorization": f"Bearer {TOKEN}"}
FUNCTION = {"type": "function", "name": "look", "parameters": {"type": "object"}}
MESSAGES = [{"role": "user", "content": "hi"}]


class DocumentTests(SynchronousTestCase):
    """
    The document by itself.
    """

    document = openapi_document()

    def operations(self) -> list[tuple[str, str, dict[str, Any]]]:
        return [(path, method, told) for path, item in self.document["paths"].items() for method, told in item.items()]

    def test_official_schema(self) -> None:
        """
        It is OpenAPI 3.1 by the official schema.
        """
        schema = json.loads((FIXTURES / "openapi-3.1.0.schema.json").read_text(encoding="utf-8"))
        official = jsonschema.Draft202012Validator(schema)
        self.assertEqual([error.message for error in official.iter_errors(self.document)], [])
        self.assertFalse(official.is_valid({**self.document, "paths": {"nothing": {}}}))

    def test_references(self) -> None:
        """
        Every reference points at something, every schema is one, and is pointed at.
        """
        pointed = references(self.document)
        schemas = self.document["components"]["schemas"]
        self.assertEqual(pointed, {f"#/components/schemas/{name}" for name in schemas})
        for schema in schemas.values():
            jsonschema.Draft202012Validator.check_schema(schema)

    def test_operations(self) -> None:
        """
        Each has a name of its own, says in a sentence what it is for, and names a tag that is explained.
        """
        told = [operation for _, _, operation in self.operations()]
        names = [operation["operationId"] for operation in told]
        self.assertEqual(len(set(names)), len(names))
        tags = {tag["name"] for tag in self.document["tags"]}
        for operation in told:
            self.assertTrue(operation["summary"].endswith("."), operation)
            self.assertLessEqual(set(operation["tags"]), tags)

    def test_every_status(self) -> None:
        """
        All say what they do about other methods, names and defects; who wants a secret says what it does without.
        """
        for path, method, operation in self.operations():
            answers = operation["responses"]
            self.assertLessEqual({"400", "405", "500"}, set(answers), path)
            self.assertTrue({"200", "202"} & set(answers), path)
            self.assertEqual("401" in answers, bool(operation["security"]), path)
            allowed = answers["405"]["headers"]["allow"]["schema"]["const"]
            self.assertEqual({word.lower() for word in allowed.split(", ")}, set(self.document["paths"][path]), path)
            self.assertEqual("413" in answers, method == "post", path)

    def test_parameters(self) -> None:
        """
        What stands in a path in braces is explained.
        """
        for path, _, operation in self.operations():
            named = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
            self.assertEqual(named, {part[1:-1] for part in path.split("/") if part.startswith("{")}, path)


class GatewayCase(SynchronousTestCase):
    """
    Compares answers with the document that the same gateway gives.
    """

    answers: tuple[list[Step], ...] = (said("One."),)
    canvas = False

    def setUp(self) -> None:
        self.gateway = MemoryGateway(directory=Path(self.mktemp()), answers=self.answers, canvas=self.canvas).start()
        self.addCleanup(self.gateway.stop)
        self.document: dict[str, Any] = ask(self.gateway, "GET", "/openapi.json", headers=SECRET).value

    def fits(self, schema: dict[str, Any], value: Any) -> None:
        whole = {**schema, "components": self.document["components"]}
        self.assertEqual([error.message for error in jsonschema.Draft202012Validator(whole).iter_errors(value)], [])

    def check(self, method: str, path: str, status: int, *, written: str | None = None, **request: Any) -> Answer:
        """
        Ask, and compare the answer with what is written of its status.

        :param written: the path as the document has it.
        """
        answer = ask(self.gateway, method, path, **request)
        self.assertEqual(answer.status, status, answer.text)
        told = self.document["paths"][written or path][method.lower()]["responses"][str(status)]
        for name, header in told.get("headers", {}).items():
            self.fits(header["schema"], answer.headers[name])
        media_type = answer.headers["content-type"].partition(";")[0]
        if method == "HEAD":
            return answer
        schema = told["content"].get(media_type, told["content"].get("*/*"))["schema"]
        if media_type == "text/event-stream":
            self.check_stream(schema, answer)
        else:
            self.fits(schema, answer.value if media_type == "application/json" else answer.text)
        return answer

    def check_stream(self, schema: dict[str, Any], answer: Answer) -> None:
        """
        Compare each event with what is written of events, and what is in it with what is written of that.
        """
        last, other = schema["anyOf"]
        content = other["properties"]["data"]["contentSchema"]
        *told, done = events(answer)
        self.fits(last, {"data": done})
        self.assertTrue(told)
        for event in told:
            self.fits(schema, {"event": "message", "data": json.dumps(event)})
            self.fits(content, event)


class ServedTests(GatewayCase):
    """
    ``/openapi.json``.
    """

    def test_document(self) -> None:
        """
        Who has the secret gets the document; nobody else does, and it is only read.
        """
        answer = self.check("GET", "/openapi.json", 200, headers=SECRET)
        self.assertEqual(answer.value, json.loads(openapi_text()))
        self.assertEqual(answer.headers["cache-control"], "no-store")
        self.check("GET", "/openapi.json", 401)
        self.assertEqual(ask(self.gateway, "POST", "/openapi.json", headers=SECRET).status, 405)

    def test_own(self) -> None:
        """
        What tells of the gateway.
        """
        for path in ("/healthz", "/readyz"):
            self.check("GET", path, 200)
            self.check("HEAD", path, 200)
            self.check("GET", path, 403, headers={"Host": "evil.example"})
            self.check("GET", path, 400, headers={"Host": "a b"})
        self.check("GET", "/protocol.json", 200, headers=SECRET)
        self.check("GET", "/metrics", 401)

    def test_models(self) -> None:
        """
        One model, all models, no model.
        """
        self.check("GET", "/v1/models", 200, headers=SECRET)
        self.check("GET", "/v1/models", 401)
        self.check("GET", "/v1/models/openclaw:main", 200, written="/v1/models/{id}", headers=SECRET)
        self.check("GET", "/v1/models/nobody", 404, written="/v1/models/{id}", headers=SECRET)


class AnswerTests(GatewayCase):
    """
    Answers of an agent.
    """

    def asked(self, name: str, body: Any) -> Any:
        """
        A request that is one by the document.
        """
        self.fits({"$ref": f"#/components/schemas/{name}"}, body)
        return body

    def test_chat(self) -> None:
        """
        Whole and as a stream.
        """
        body = self.asked("ChatCompletionRequest", {"model": "openclaw", "messages": MESSAGES})
        self.check("POST", "/v1/chat/completions", 200, headers=SECRET, body=body)
        options = {"stream": True, "stream_options": {"include_usage": True}}
        body = self.asked("ChatCompletionRequest", {**body, **options})
        self.check("POST", "/v1/chat/completions", 200, headers=SECRET, body=body)

    def test_response(self) -> None:
        """
        The same of responses.
        """
        body = self.asked("ResponseRequest", {"model": "openclaw", "input": "hi"})
        self.check("POST", "/v1/responses", 200, headers=SECRET, body=body)
        body = self.asked("ResponseRequest", {"model": "openclaw", "input": MESSAGES, "stream": True})
        self.check("POST", "/v1/responses", 200, headers=SECRET, body=body)

    def test_refused(self) -> None:
        """
        Requests that are none, name nobody, or come without the secret.
        """
        for path, body, nobody in (
            ("/v1/chat/completions", {"messages": []}, {"model": "openclaw:nobody", "messages": MESSAGES}),
            ("/v1/responses", {"model": 1, "input": "hi"}, {"model": "openclaw:nobody", "input": "hi"}),
        ):
            self.check("POST", path, 400, headers=SECRET, body=body)
            self.check("POST", path, 400, headers=SECRET, body="{")
            self.check("POST", path, 404, headers=SECRET, body=nobody)
            self.check("POST", path, 401, body=body)
            self.check("POST", path, 413, headers={**SECRET, "Content-Length": "99999999"})


class CallTests(GatewayCase):
    """
    An agent that calls functions of its client.
    """

    answers = ([ToolCall("c1", "look"), Usage(input=1, output=1), Stop("toolUse")],)

    def test_calls(self) -> None:
        """
        In both forms, whole and as a stream.
        """
        nested = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
        chat = {"messages": MESSAGES, "tools": [nested]}
        items = {"model": "openclaw", "input": "hi", "tools": [FUNCTION]}
        for path, body in (("/v1/chat/completions", chat), ("/v1/responses", items)):
            for stream in (False, True):
                answer = self.check("POST", path, 200, headers=SECRET, body={**body, "stream": stream})
                self.assertIn("look", answer.text)


class FailureTests(GatewayCase):
    """
    A model that does not answer.
    """

    answers = ([ValueError("broken")],)

    def test_failures(self) -> None:
        """
        502 with what the document says of it, and an event in a stream.
        """
        for path, body in (
            ("/v1/chat/completions", {"messages": MESSAGES}),
            ("/v1/responses", {"model": "openclaw", "input": "hi"}),
        ):
            self.check("POST", path, 502, headers=SECRET, body=body)
            answer = self.check("POST", path, 200, headers=SECRET, body={**body, "stream": True})
            self.assertIn("internal error", answer.text)
        self.flushLoggedErrors(ValueError)


class FileTests(GatewayCase):
    """
    Canvas and pictures.
    """

    canvas = True

    def test_files(self) -> None:
        """
        Files that are there and files that are not; nobody else sees them.
        """
        for base in ("/__openclaw__/canvas/", "/__openclaw__/a2ui/"):
            self.check("GET", base, 200)
            self.check("HEAD", base, 200)
            self.check("GET", base + "nothing.js", 404, written=base + "{name}")
            self.check("GET", base + "nothing/", 404, written=base + "{name}")
            self.check("GET", base + "%00", 400, written=base + "{name}")
            self.check("GET", base, 403, headers={"Host": "evil.example"})
            shown = f"/__openclaw__/cap/wrong{base}"
            self.check("GET", shown, 403, written=shown.replace("wrong", "{capability}"))
        self.check("GET", "/avatar/main", 404, written="/avatar/{agent}")
        self.check("GET", "/avatar/main?meta=1", 200, written="/avatar/{agent}")
