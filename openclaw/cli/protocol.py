"""
``openclaw protocol``: the definitions, for programs in other languages.
"""

from __future__ import annotations

from collections.abc import Sequence

from openclaw.cli.arguments import Arguments
from openclaw.cli.context import Context
from openclaw.cli.exits import UsageError, unknown_command

_USAGE = """\
protocol schema [--asyncapi]
       openclaw protocol openapi
       openclaw protocol gen --lang <ts|swift|python>"""

_WORDS = ("schema", "openapi", "gen")


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: the exit code.
    """
    parser = Arguments("protocol", "Schema and client types of the protocol; the HTTP side as a document.", _USAGE)
    parser.option("--lang", metavar="<language>", help="gen: ts, swift or python")
    parser.add_argument("--asyncapi", action="store_true", help="schema: the whole protocol as an AsyncAPI document")
    parser.option("-o", "--output", metavar="<file>", help="write there instead of to the terminal")
    options, words = parser.split(arguments)
    parser.command = "protocol"
    if not words:
        raise UsageError(f"missing subcommand\nUsage: openclaw {_USAGE}")
    if words[0] not in _WORDS:
        raise unknown_command(words[0], _WORDS, parent="protocol")
    parser.check_words(words[1:], ())
    parser.command = f"protocol {words[0]}"
    if words[0] == "schema":
        parser.check_options(options, "lang")
        text = _asyncapi() if options.asyncapi else _schema()
    elif words[0] == "openapi":
        parser.check_options(options, "lang", "asyncapi")
        text = _openapi()
    else:
        parser.check_options(options, "asyncapi")
        if options.lang is None:
            raise UsageError("required option '--lang <language>' not specified")
        text = _types(options.lang)
    if options.output is None:
        context.out.write(text)
    else:
        with open(options.output, "w", encoding="utf-8") as file:
            file.write(text)
        context.line(f"Wrote {context.short(options.output)}")
    return 0


def _schema() -> str:
    import json

    from openclaw.protocol.definitions import exported

    return json.dumps(exported(), indent=2, ensure_ascii=False) + "\n"


def _asyncapi() -> str:
    import json

    from openclaw.methods.document import protocol_document

    return json.dumps(protocol_document(), indent=2, ensure_ascii=False) + "\n"


def _openapi() -> str:
    import json

    from openclaw.web.openapi.document import openapi_document

    return json.dumps(openapi_document(), indent=2, ensure_ascii=False) + "\n"


def _types(language: str) -> str:
    from openclaw.protocol.codegen import LANGUAGES, generate

    if language not in LANGUAGES:
        raise UsageError(f"option '--lang': invalid choice '{language}' (choose from {', '.join(LANGUAGES)})")
    from openclaw.methods.families import METHODS

    return generate(language, METHODS)
