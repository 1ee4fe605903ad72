"""
The handshake: what a client says of itself, and what the gateway answers.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from attrs import frozen

from openclaw.protocol.frames import StateVersion
from openclaw.protocol.types import Default, NonEmptyString, NonEmptyStrings, NonNegative, Positive


@frozen(kw_only=True)
class ConnectClient:
    """
    The program that connects.

    :ivar id: which program it is; the list is closed.
    :ivar display_name: its name for people, shown as ``host`` in presence.
    :ivar platform: free text, such as ``darwin``, ``ios 18.0`` or ``web``.
    :ivar instance_id: names this installation across connections.
    """

    id: Literal[
        "webchat-ui",
        "openclaw-control-ui",
        "webchat",
        "cli",
        "gateway-client",
        "openclaw-macos",
        "openclaw-ios",
        "openclaw-android",
        "node-host",
        "test",
        "fingerprint",
        "openclaw-probe",
    ]
    display_name: NonEmptyString | None = None
    version: NonEmptyString
    platform: NonEmptyString
    device_family: NonEmptyString | None = None
    model_identifier: NonEmptyString | None = None
    mode: Literal["webchat", "cli", "ui", "backend", "node", "probe", "test"]
    instance_id: NonEmptyString | None = None


@frozen(kw_only=True)
class ConnectDevice:
    """
    The device's proof of who it is.

    :ivar id: SHA-256 of the public key, in hex.
    :ivar public_key: Ed25519, the 32 raw bytes in base64url.
    :ivar signature: over the connect payload of version 1 or 2, in base64url.
    :ivar signed_at: milliseconds since the epoch; ten minutes of difference are allowed.
    :ivar nonce: the one of this connection's challenge; version 2 signs it.
    """

    id: NonEmptyString
    public_key: NonEmptyString
    signature: NonEmptyString
    signed_at: NonNegative
    nonce: NonEmptyString | None = None


@frozen(kw_only=True)
class ConnectAuth:
    """
    The secrets a client holds; either may be empty.

    :ivar token: the shared token, or a device token.
    """

    token: str | None = None
    password: str | None = None


@frozen(kw_only=True)
class ConnectParams:
    """
    The first request on every connection.

    :ivar min_protocol: the client speaks every version from here to ``max_protocol``.
    :ivar caps: what the client claims to be able to do.
    :ivar commands: what a node offers for ``node.invoke``.
    :ivar permissions: what the node's system lets it do, kept as sent.
    :ivar path_env: the ``PATH`` of a node that runs commands.
    :ivar role: ``operator`` if missing.
    :ivar scopes: what an operator wants to be allowed; missing or empty asks for all that its credential grants.
    """

    min_protocol: Positive
    max_protocol: Positive
    client: ConnectClient
    caps: Annotated[Sequence[NonEmptyString], Default(())] | None = None
    commands: NonEmptyStrings | None = None
    permissions: Mapping[str, bool] | None = None
    path_env: str | None = None
    role: NonEmptyString | None = None
    scopes: NonEmptyStrings | None = None
    device: ConnectDevice | None = None
    auth: ConnectAuth | None = None
    locale: str | None = None
    user_agent: str | None = None


@frozen(kw_only=True)
class HelloServer:
    """
    The gateway that answered.

    :ivar version: a calendar version; the macOS app compares it.
    :ivar conn_id: a fresh id for this connection, found in the log.
    """

    version: NonEmptyString
    commit: NonEmptyString | None = None
    host: NonEmptyString | None = None
    conn_id: NonEmptyString


@frozen(kw_only=True)
class HelloFeatures:
    """
    What this gateway can do; clients show only what is listed here.
    """

    methods: NonEmptyStrings
    events: NonEmptyStrings


@frozen(kw_only=True)
class PresenceEntry:
    """
    One program that is here or was lately.

    :ivar ip: of a client that is not local.
    :ivar last_input_seconds: how long ago a person last touched that machine.
    :ivar text: the line people read.
    :ivar ts: when the entry was last renewed, in milliseconds since the epoch.
    """

    host: NonEmptyString | None = None
    ip: NonEmptyString | None = None
    version: NonEmptyString | None = None
    platform: NonEmptyString | None = None
    device_family: NonEmptyString | None = None
    model_identifier: NonEmptyString | None = None
    mode: NonEmptyString | None = None
    last_input_seconds: NonNegative | None = None
    reason: NonEmptyString | None = None
    tags: NonEmptyStrings | None = None
    text: str | None = None
    ts: NonNegative
    device_id: NonEmptyString | None = None
    roles: NonEmptyStrings | None = None
    scopes: NonEmptyStrings | None = None
    instance_id: NonEmptyString | None = None


@frozen(kw_only=True)
class SessionDefaults:
    """
    Which session a client opens when nobody chose one.
    """

    default_agent_id: NonEmptyString
    main_key: NonEmptyString
    main_session_key: NonEmptyString
    scope: NonEmptyString | None = None


@frozen(kw_only=True)
class Snapshot:
    """
    The state of the gateway at the moment a client joins.

    :ivar health: the health snapshot; its shape is the ``health`` method's own.
    :ivar uptime_ms: since the process started, not since the last restart in place.
    """

    presence: Sequence[PresenceEntry]
    health: Any
    state_version: StateVersion
    uptime_ms: NonNegative
    config_path: NonEmptyString | None = None
    state_dir: NonEmptyString | None = None
    session_defaults: SessionDefaults | None = None


@frozen(kw_only=True)
class HelloAuth:
    """
    A token for the device that has just proved its identity, to be used next time.
    """

    device_token: NonEmptyString
    role: NonEmptyString
    scopes: NonEmptyStrings
    issued_at_ms: NonNegative | None = None


@frozen(kw_only=True)
class HelloPolicy:
    """
    The limits that both sides keep.

    :ivar max_payload: bytes of one message to the gateway.
    :ivar max_buffered_bytes: a client for which more than this is waiting is a slow consumer.
    """

    max_payload: Positive
    max_buffered_bytes: Positive
    tick_interval_ms: Positive


@frozen(kw_only=True)
class HelloOk:
    """
    The answer to ``connect``: from here on the connection counts.

    :ivar canvas_host_url: where the client reaches the canvas.
    :ivar auth: only when a device identity was proved.
    """

    type: Literal["hello-ok"] = "hello-ok"
    protocol: Positive
    server: HelloServer
    features: HelloFeatures
    snapshot: Snapshot
    canvas_host_url: NonEmptyString | None = None
    auth: HelloAuth | None = None
    policy: HelloPolicy


@frozen(kw_only=True)
class ConnectChallengeEvent:
    """
    The first frame on every connection.

    :ivar nonce: a device signs it.
    :ivar ts: milliseconds since the epoch.
    """

    nonce: NonEmptyString
    ts: NonNegative


@frozen(kw_only=True)
class PresenceEvent:
    """
    Everybody who is here, newest first: the whole list each time.
    """

    presence: Sequence[PresenceEntry]
