"""
Which gateway a command talks to, and with what credentials.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import evolve, field, frozen

from openclaw.cli.context import Context
from openclaw.cli.exits import ConfigurationRefused
from openclaw.config.auth import PASSWORD_VARIABLES, TOKEN_VARIABLES
from openclaw.config.binding import LOOPBACK
from openclaw.config.issues import Issue
from openclaw.config.loader import Snapshot, load
from openclaw.config.paths import gateway_port, state_dir, tls_paths, variable
from openclaw.config.raw import dig as dig  # whoever asks for a target looks into the configuration as well

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@frozen(kw_only=True)
class Target:
    """
    A gateway to talk to.

    :ivar source: where the address is from, for people.
    :ivar bind: how the gateway listens, where it is the one of this configuration.
    :ivar ours: whether it is the configured one, which gave us our device token.
    """

    url: str
    source: str
    config_path: Path
    bind: str | None = None
    token: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    fingerprint: str | None = None
    ours: bool = True

    def lines(self) -> list[str]:
        """
        The block that stands below an error text.
        """
        lines = [f"Gateway target: {self.url}", f"Source: {self.source}", f"Config: {self.config_path}"]
        return lines if self.bind is None else [*lines, f"Bind: {self.bind}"]


def read_config(context: Context, *, lenient: bool = False) -> Snapshot:
    """
    Read the configuration, and say what is wrong with it.

    :param lenient: go on when it is invalid, for commands that help to find out why.
    :raise ConfigurationRefused: it is invalid.
    """
    snapshot = _load(context)
    if not snapshot.valid and not lenient:
        raise ConfigurationRefused("\n".join(invalid_config(context, snapshot)))
    if not snapshot.valid:
        context.err.write("\n".join(invalid_config(context, snapshot)) + "\n")
    for warning in snapshot.warnings:
        place = f"{context.short(str(warning.location))}: " if warning.location else ""
        context.problem(f"Config warning: {place}{warning.path or '<root>'}: {warning.message}")
    return snapshot


def _load(context: Context) -> Snapshot:
    """
    Read the file, after asking the login shell for credentials where that is wanted.
    """
    snapshot = load(context.environ, context.home)
    asked = dig(snapshot.config or snapshot.parsed, "env", "shellEnv", "enabled") is True
    if not asked and not context.environ.get("OPENCLAW_LOAD_SHELL_ENV"):
        return snapshot
    from openclaw.config.shellenv import ShellSilent, import_shell_environment

    try:
        imported = import_shell_environment(context.environ, snapshot)
    except ShellSilent as error:
        context.problem(f"Warning: {error}")
        return snapshot
    return load(context.environ, context.home) if imported else snapshot


def invalid_config(context: Context, snapshot: Snapshot) -> list[str]:
    """
    What is wrong with a configuration, for people.
    """
    lines = ["Config invalid", f"File: {context.short(snapshot.path)}", "Problem:"]
    legacy = [issue for issue in snapshot.issues if issue in snapshot.legacy_issues]
    lines += _issue_lines(context, [issue for issue in snapshot.issues if issue not in legacy])
    if legacy:
        lines += ["Legacy config keys detected:", *_issue_lines(context, legacy)]
    return [*lines, "", context.command("Run: openclaw doctor --fix")]


def _issue_lines(context: Context, issues: Sequence[Issue]) -> list[str]:
    lines = []
    for issue in issues:
        lines.append(f"  - {issue.path or '<root>'}: {issue.message}")
        expected = f"expected {issue.expected}" if issue.expected else ""
        place = f"at {context.short(str(issue.location))}" if issue.location else ""
        if place or expected:
            lines.append(f"    {', '.join(filter(None, (place, expected)))}")
    return lines


def resolve_target(context: Context, options: Namespace, snapshot: Snapshot) -> Target:
    """
    The gateway that the options and the configuration mean.

    Credentials of the configuration go only to the gateway of the configuration, or to this machine: whoever is talked
    into another ``--url`` must not hand them over.

    :raise ConfigurationRefused: remote mode without an address.
    """
    snapshot = _usable(context, snapshot)
    config, environ = snapshot.config, snapshot.environment
    remote = dig(config, "gateway", "mode") == "remote"
    configured = _remote(context, snapshot) if remote and options.url is None else _local(context, snapshot)
    if options.url is not None:
        configured = _given(options.url, snapshot, configured)
    token, password = options.token, options.password
    if configured.ours or urlsplit(configured.url).hostname in _LOOPBACK:
        token = token or _secret(config, environ, "token", TOKEN_VARIABLES, remote=remote)
        password = password or _secret(config, environ, "password", PASSWORD_VARIABLES, remote=remote)
    return Target(
        url=configured.url,
        source=configured.source,
        config_path=snapshot.path,
        bind=configured.bind,
        token=token or None,
        password=password or None,
        fingerprint=options.tls_fingerprint or configured.fingerprint,
        ours=configured.ours and not options.token,
    )


def local_target(context: Context, options: Namespace, snapshot: Snapshot) -> Target:
    """
    The gateway of this machine, whatever mode the configuration is in.
    """
    snapshot = _usable(context, snapshot)
    config, environ = snapshot.config, snapshot.environment
    return evolve(
        _local(context, snapshot),
        token=options.token or _secret(config, environ, "token", TOKEN_VARIABLES, remote=False),
        password=options.password or _secret(config, environ, "password", PASSWORD_VARIABLES, remote=False),
        # In remote mode the stored device token is the other gateway's.
        ours=dig(config, "gateway", "mode") != "remote" and not options.token,
    )


def _usable(context: Context, snapshot: Snapshot) -> Snapshot:
    """
    The configuration to reach a gateway with. A gateway that runs goes on with what it last could use of a file.
    """
    if snapshot.valid:
        return snapshot
    from openclaw.config.writer import last_good_path

    kept = load(context.environ, context.home, path=last_good_path(snapshot.path.resolve()))
    return evolve(kept, path=snapshot.path) if kept.exists and kept.valid else snapshot


def _remote(context: Context, snapshot: Snapshot) -> Target:
    url = dig(snapshot.config, "gateway", "remote", "url")
    if not isinstance(url, str) or not url.strip():
        raise ConfigurationRefused(
            "gateway remote mode misconfigured: gateway.remote.url missing\n"
            f"Config: {snapshot.path}\n"
            "Fix: set gateway.remote.url, or set gateway.mode=local."
        )
    return Target(
        url=url.strip(),
        source="config gateway.remote.url",
        config_path=snapshot.path,
        fingerprint=dig(snapshot.config, "gateway", "remote", "tlsFingerprint"),
    )


def _local(context: Context, snapshot: Snapshot) -> Target:
    tls = dig(snapshot.config, "gateway", "tls", "enabled") is True
    bind = dig(snapshot.config, "gateway", "bind") or "loopback"
    return Target(
        # However it listens: ours does so on loopback too, and knows us only there.
        url=f"{'wss' if tls else 'ws'}://{LOOPBACK[0]}:{local_port(snapshot)}",
        source="local loopback",
        config_path=snapshot.path,
        bind=bind,
        fingerprint=_own_fingerprint(context, snapshot) if tls else None,
    )


def _given(url: str, snapshot: Snapshot, local: Target) -> Target:
    remote = dig(snapshot.config, "gateway", "remote", "url")
    return Target(
        url=url,
        source="cli --url",
        config_path=snapshot.path,
        fingerprint=local.fingerprint if url == local.url else None,
        ours=url in (local.url, remote),
    )


def local_port(snapshot: Snapshot) -> int:
    """
    The port of this configuration's gateway.
    """
    port = dig(snapshot.config, "gateway", "port")
    # Not the model: building it would double the time that a short command takes.
    told = {"gateway": {"port": port if isinstance(port, int) else None}}
    return gateway_port(None, snapshot.environment, told)


def _secret(
    config: Any, environ: Mapping[str, str], name: str, variables: Sequence[str], *, remote: bool
) -> str | None:
    """
    A client's precedence: environment over file; a remote gateway's token is only in its own place.
    """
    if remote and name == "token":
        value = dig(config, "gateway", "remote", "token")
    else:
        place = ("gateway", "remote", name) if remote else ("gateway", "auth", name)
        value = variable(environ, *variables) or dig(config, *place)
    return value.strip() or None if isinstance(value, str) else None


def _own_fingerprint(context: Context, snapshot: Snapshot) -> str | None:
    """
    The gateway of this machine is known by the certificate in its own directory.
    """
    import hashlib
    import ssl

    named = dig(snapshot.config, "gateway", "tls", "certPath")
    state = state_dir(context.environ, context.home)
    path, _ = tls_paths(named if isinstance(named, str) else None, None, state, context.home)
    try:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(path.read_text("ascii"))).hexdigest()
    except (OSError, ValueError):
        return None
