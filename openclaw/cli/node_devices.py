"""
``openclaw nodes notify|canvas|camera|screen|location|run``: what devices are asked most, with options of their own
(``cli.md`` 12.1). Files that a device sends go to the directory for temporary files.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from openclaw.cli.arguments import Arguments, add_client_options, positive
from openclaw.cli.context import Context
from openclaw.cli.exits import CommandFailed, UsageError, unknown_command
from openclaw.cli.node_choice import chosen
from openclaw.cli.node_files import duration_ms, kept, show_files
from openclaw.cli.node_link import Asking, asking, invoke

_OPTIONS: Mapping[str, tuple[str, Any, str]] = {
    "title": ("<text>", str, "notify: the first line"),
    "body": ("<text>", str, "notify: what it says"),
    "sound": ("<name>", str, "notify: a sound"),
    "priority": ("<how>", str, "notify: passive, active or timeSensitive"),
    "delivery": ("<how>", str, "notify: system, overlay or auto"),
    "format": ("<format>", str, "canvas snapshot: png or jpg (default jpg)"),
    "max_width": ("<pixels>", positive, "canvas snapshot, camera snap: not wider"),
    "quality": ("<0-1>", float, "canvas snapshot, camera snap: of a JPEG"),
    "target": ("<address>", str, "canvas present: what is shown"),
    "x": ("<points>", float, "canvas present: where"),
    "y": ("<points>", float, "canvas present: where"),
    "width": ("<points>", float, "canvas present: how large"),
    "height": ("<points>", float, "canvas present: how large"),
    "js": ("<code>", str, "canvas eval: what is run"),
    "jsonl": ("<file>", str, "canvas a2ui push: a file of messages"),
    "text": ("<text>", str, "canvas a2ui push: shows a text"),
    "facing": ("<side>", str, "camera: front, back, or for snap both"),
    "device_id": ("<id>", str, "camera: one of those that list names"),
    "delay_ms": ("<ms>", positive, "camera snap: how long before"),
    "duration": ("<time>", str, "camera clip, screen record: as 3000, 10s or 1m"),
    "fps": ("<number>", float, "screen record: pictures a second (default 10)"),
    "screen": ("<number>", int, "screen record: which one (default 0)"),
    "out": ("<file>", str, "screen record: where it goes"),
    "max_age": ("<ms>", int, "location get: how old it may be"),
    "accuracy": ("<how>", str, "location get: coarse, balanced or precise"),
    "location_timeout": ("<ms>", positive, "location get: how long the device looks (default 10000)"),
    "cwd": ("<dir>", str, "run: where"),
    "raw": ("<command>", str, "run: a command line for the device's shell"),
    "agent": ("<id>", str, "run: in whose name"),
    "command_timeout": ("<ms>", positive, "run: how long the program has"),
}


@frozen(kw_only=True)
class DeviceCommand:
    """
    One of them.

    :ivar command: what the node is asked.
    :ivar options: those that it takes.
    :ivar limit_ms: how long it has.
    """

    command: str
    work: Callable[[Asking, str, DeviceCommand], None]
    options: Sequence[str] = ()
    limit_ms: int = 15_000
    words: Sequence[str] = ()


def run(context: Context, arguments: Sequence[str]) -> int:
    """
    :return: the exit code; 1 where a program that a node ran failed.
    """
    parser = Arguments("nodes", "What devices are asked.", _usage())
    add_client_options(parser)
    parser.option("--node", metavar="<node>", help="id, name, address; without it the only one that can do it")
    for option, (metavar, kind, told) in _OPTIONS.items():
        parser.option(f"--{option.replace('_', '-')}", metavar=metavar, type=kind, help=told)
    parser.option("--env", metavar="<name=value>", action="append", help="run: a variable, as often as needed")
    parser.option("--no-audio", action="store_true", help="camera clip, screen record: without sound")
    parser.option("--needs-screen-recording", action="store_true", help="run: the program looks at the screen")
    parser.option("--invoke-timeout", metavar="<ms>", type=positive, help="how long the device has")
    parser.option("--idempotency-key", metavar="<key>", help="tells a repeated question from a new one")
    options, given = parser.split(arguments)
    name, words = _split(given)
    command = COMMANDS[name]
    parser.command = f"nodes {' '.join(name)}"
    if name not in _ANY_WORDS:
        parser.check_words(words, command.words)
    parser.check_options(options, *(one for one in (*_OPTIONS, *_FLAGS) if one not in command.options))
    options.words = words
    with asking(context, options, " ".join(name)) as ask:
        command.work(ask, _node(ask, command.command), command)
    return 0


def begins(word: str) -> bool:
    """
    Whether this word begins one of the commands here.
    """
    return word in GROUPS


def _split(words: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """
    The command that the words begin with, and the words after it.
    """
    for length in (3, 2, 1):
        if tuple(words[:length]) in COMMANDS:
            return tuple(words[:length]), list(words[length:])
    first = words[0] if words else ""
    known = [" ".join(name[1:]) for name in COMMANDS if name[0] == first and len(name) > 1]
    raise unknown_command(" ".join(words[1:]), known, parent=f"nodes {first}")


def _node(ask: Asking, command: str) -> str:
    """
    The node that is meant, or the only one that can do it.
    """
    nodes = ask.nodes()
    if ask.options.node:
        return chosen(ask.options.node, nodes)
    able = [node for node in nodes if node.get("connected") and command in (node.get("commands") or ())]
    if len(able) != 1:
        raise UsageError("required option '--node <node>' not specified")
    return str(able[0]["nodeId"])


# -- what they do -----------------------------------------------------------------------------------------------------


def _asked(ask: Asking, node_id: str, command: DeviceCommand, params: Mapping[str, Any], limit_ms: int = 0) -> Any:
    answer = invoke(ask, node_id, command.command, dict(params), default_ms=max(limit_ms, command.limit_ms))
    return answer.get("payload")


def _given(options: Namespace, **names: str) -> dict[str, Any]:
    """
    The options that were given, by the names that nodes know.
    """
    found = {told: getattr(options, name) for name, told in names.items()}
    return {name: value for name, value in found.items() if value is not None}


def _done(ask: Asking, command: DeviceCommand, payload: Any) -> None:
    if ask.options.json:
        ask.context.json(payload)
    else:
        ask.context.line(f"{command.command} ok")


def _told(ask: Asking, payload: Any) -> None:
    ask.context.json(payload)


def _notify(ask: Asking, node_id: str, command: DeviceCommand) -> None:
    told = _given(ask.options, title="title", body="body", sound="sound", priority="priority", delivery="delivery")
    if not {"title", "body"} & set(told):
        raise UsageError("give --title or --body")
    _done(ask, command, _asked(ask, node_id, command, told))


def _present(ask: Asking, node_id: str, command: DeviceCommand) -> None:
    placement = _given(ask.options, x="x", y="y", width="width", height="height")
    told = _given(ask.options, target="url") | ({"placement": placement} if placement else {})
    _done(ask, command, _asked(ask, node_id, command, told))


def _plain(ask: Asking, node_id: str, command: DeviceCommand) -> None:
    _done(ask, command, _asked(ask, node_id, command, {}))


def _navigate(ask: Asking, node_id: str, command: DeviceCommand) -> None:
    _done(ask, command, _asked(ask, node_id, command, {"url": ask.options.words[0]}))


def _eval(ask: Asking, node_id: str, command: DeviceCommand) -> None:
    code = ask.options.js or " ".join(ask.options.words)
    if not code:
        raise UsageError("give --js, or what is run after the command")
    payload = _asked(ask, node_id, command, {"javaScript": code})
    text = payload.get("result") if isinstance(payload, Mapping) else None
    if ask.options.json or not isinstance(text, str):
        _told(ask, payload)
    else:
        ask.context.line(text)


def _push(ask: Asking, node_id: str, command: DeviceCommand) -> None:
    options = ask.options
    if (options.jsonl is None) == (options.text is None):
        raise UsageError("give one of --jsonl and --text")
    try:
        jsonl = _shown_text(options.text) if options.jsonl is None else Path(options.jsonl).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{options.jsonl} cannot be read: {error}") from error
    _done(ask, command, _asked(ask, node_id, command, {"jsonl": jsonl}))


def _shown_text(text: str) -> str:
    """
    A2UI messages that show nothing but a text.
    """
    import json

    words = {"id": "text", "component": {"Text": {"text": {"literalString": text}, "usageHint": "body"}}}
    update = {"surfaceUpdate": {"surfaceId": "main", "components": [words]}}
    begin = {"beginRendering": {"surfaceId": "main", "root": "text"}}
    return "\n".join(json.dumps(message) for message in (update, begin))


def _canvas_snapshot(ask: Asking, node_id: str, command: DeviceCommand) -> None:
    kind = (ask.options.format or "jpg").lower()
    if kind not in ("png", "jpg", "jpeg"):
        raise UsageError("--format must be png or jpg")
    told = {"format": "png" if kind == "png" else "jpeg"}
    told |= _given(ask.options, max_width="maxWidth", quality="quality")
    show_files(ask, [kept(_asked(ask, node_id, command, told), "canvas-snapshot", "png" if kind == "png" else "jpg")])


def _camera_snap(ask: Asking, node_id: str, command: DeviceCommand) -> None:
    facing = ask.options.facing or "both"
    if facing not in ("front", "back", "both"):
        raise UsageError("--facing must be front, back or both")
    told = _given(ask.options, max_width="maxWidth", quality="quality", delay_ms="delayMs", device_id="deviceId")
    paths = []
    for side in ("front", "back") if facing == "both" else (facing,):
        payload = _asked(ask, node_id, command, {"facing": side, "format": "jpg", **told})
        paths.append(kept(payload, f"camera-snap-{side}", "jpg"))
    show_files(ask, paths, several=True)


def _camera_list(ask: Asking, node_id: str, command: DeviceCommand) -> None:
    _told(ask, _asked(ask, node_id, command, {}))


def _camera_clip(ask: Asking, node_id: str, command: DeviceCommand) -> None:
    facing, duration = ask.options.facing or "front", duration_ms(ask.options.duration, 3_000)
    if facing not in ("front", "back"):
        raise UsageError("--facing must be front or back")
    told = {"facing": facing, "durationMs": duration, "includeAudio": not ask.options.no_audio, "format": "mp4"}
    told |= _given(ask.options, device_id="deviceId")
    payload = _asked(ask, node_id, command, told, duration + 30_000)
    show_files(ask, [kept(payload, f"camera-clip-{facing}", "mp4")])


def _screen_record(ask: Asking, node_id: str, command: DeviceCommand) -> None:
    options, duration = ask.options, duration_ms(ask.options.duration, 10_000)
    told = {
        "durationMs": duration,
        "fps": options.fps or 10,
        "screenIndex": options.screen or 0,
        "includeAudio": not options.no_audio,
        "format": "mp4",
    }
    payload = _asked(ask, node_id, command, told, duration + 60_000)
    show_files(ask, [kept(payload, "screen-record", "mp4", options.out)])


def _location(ask: Asking, node_id: str, command: DeviceCommand) -> None:
    limit = ask.options.location_timeout or 10_000
    told = {"timeoutMs": limit, **_given(ask.options, max_age="maxAgeMs", accuracy="desiredAccuracy")}
    _told(ask, _asked(ask, node_id, command, told, limit + 5_000))


def _run(ask: Asking, node_id: str, command: DeviceCommand) -> None:
    """
    Run a program there, by that device's own rules.

    :raise CommandFailed: it ended with another code than 0, or took too long.
    """
    options = ask.options
    if bool(options.raw) == bool(options.words):
        raise UsageError("give a command after --, or --raw")
    variables = dict(one.partition("=")[::2] for one in options.env or ())
    told: dict[str, Any] = {
        "command": ["/bin/sh", "-lc", options.raw] if options.raw else options.words,
        **({"rawCommand": options.raw} if options.raw else {}),
        **({"env": variables} if variables else {}),
        **({"needsScreenRecording": True} if options.needs_screen_recording else {}),
        **_given(options, cwd="cwd", agent="agentId", command_timeout="timeoutMs"),
    }
    payload = _asked(ask, node_id, command, told, (options.command_timeout or 0) + 5_000)
    if options.json:
        ask.context.json(payload)
    else:
        ask.context.out.write(str(payload.get("stdout") or ""))
        ask.context.err.write(str(payload.get("stderr") or ""))
    if payload.get("timedOut"):
        raise CommandFailed("run timed out")
    if payload.get("exitCode") not in (0, None) or payload.get("success") is False:
        raise CommandFailed(f"run exit {payload.get('exitCode')}")


# -- the commands -----------------------------------------------------------------------------------------------------

#: These take all the words that there are.
_ANY_WORDS = (("run",), ("canvas", "eval"))
_FLAGS = ("env", "no_audio", "needs_screen_recording")
_PICTURE = ("max_width", "quality")

COMMANDS: Mapping[tuple[str, ...], DeviceCommand] = {
    ("notify",): DeviceCommand(
        command="system.notify", work=_notify, options=("title", "body", "sound", "priority", "delivery")
    ),
    ("canvas", "present"): DeviceCommand(
        command="canvas.present", work=_present, options=("target", "x", "y", "width", "height")
    ),
    ("canvas", "hide"): DeviceCommand(command="canvas.hide", work=_plain),
    ("canvas", "navigate"): DeviceCommand(command="canvas.navigate", work=_navigate, words=("url",)),
    ("canvas", "eval"): DeviceCommand(command="canvas.eval", work=_eval, options=("js",)),
    ("canvas", "snapshot"): DeviceCommand(
        command="canvas.snapshot", work=_canvas_snapshot, options=("format", *_PICTURE), limit_ms=20_000
    ),
    ("canvas", "a2ui", "push"): DeviceCommand(command="canvas.a2ui.pushJSONL", work=_push, options=("jsonl", "text")),
    ("canvas", "a2ui", "reset"): DeviceCommand(command="canvas.a2ui.reset", work=_plain),
    ("camera", "list"): DeviceCommand(command="camera.list", work=_camera_list),
    ("camera", "snap"): DeviceCommand(
        command="camera.snap",
        work=_camera_snap,
        options=("facing", "device_id", "delay_ms", *_PICTURE),
        limit_ms=30_000,
    ),
    ("camera", "clip"): DeviceCommand(
        command="camera.clip", work=_camera_clip, options=("facing", "device_id", "duration", "no_audio")
    ),
    ("screen", "record"): DeviceCommand(
        command="screen.record", work=_screen_record, options=("duration", "fps", "screen", "out", "no_audio")
    ),
    ("location", "get"): DeviceCommand(
        command="location.get", work=_location, options=("max_age", "accuracy", "location_timeout")
    ),
    ("run",): DeviceCommand(
        command="system.run",
        work=_run,
        options=("cwd", "raw", "agent", "command_timeout", "env", "needs_screen_recording"),
        limit_ms=30_000,
    ),
}

#: The words with which they begin.
GROUPS = tuple(dict.fromkeys(name[0] for name in COMMANDS))


def _usage() -> str:
    return "\n       openclaw ".join(f"nodes {' '.join(name)} [--node <node>] ..." for name in COMMANDS)
