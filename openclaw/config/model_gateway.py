"""
The model of ``gateway``.
"""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

Bind = Literal["auto", "lan", "loopback", "custom", "tailnet"]
AuthMode = Literal["token", "password"]
TailscaleMode = Literal["off", "serve", "funnel"]


@frozen(kw_only=True)
class GatewayAuthConfig:
    """
    ``gateway.auth``: what the file says; :func:`openclaw.config.auth.resolve_auth` says what holds.
    """

    mode: AuthMode | None = None
    token: str | None = field(default=None, repr=False, metadata={"secret": True})
    password: str | None = field(default=None, repr=False, metadata={"secret": True})
    allow_tailscale: bool | None = None


@frozen(kw_only=True)
class ControlUiConfig:
    """
    ``gateway.controlUi``.

    :param base_path: as written; :attr:`prefix` is what to serve under.
    :param root: another static bundle to serve instead of ours.
    """

    enabled: bool = True
    base_path: str = ""
    root: str | None = None
    allowed_origins: tuple[str, ...] = ()
    allow_insecure_auth: bool = False
    dangerously_disable_device_auth: bool = False

    @property
    def prefix(self) -> str:
        """
        The base path with a leading and without a trailing slash; empty for the root.
        """
        trimmed = self.base_path.strip().strip("/")
        return f"/{trimmed}" if trimmed else ""


@frozen(kw_only=True)
class TlsConfig:
    """
    ``gateway.tls``.
    """

    enabled: bool = False
    auto_generate: bool = True
    cert_path: str | None = None
    key_path: str | None = None
    ca_path: str | None = None


@frozen(kw_only=True)
class TailscaleConfig:
    """
    ``gateway.tailscale``.
    """

    mode: TailscaleMode = "off"
    reset_on_exit: bool = False


@frozen(kw_only=True)
class RemoteConfig:
    """
    ``gateway.remote``: the gateway that the command line talks to in remote mode.
    """

    url: str | None = None
    transport: Literal["ssh", "direct"] = "ssh"
    token: str | None = field(default=None, repr=False, metadata={"secret": True})
    password: str | None = field(default=None, repr=False, metadata={"secret": True})
    tls_fingerprint: str | None = None
    ssh_target: str | None = None
    ssh_identity: str | None = None


@frozen(kw_only=True)
class ReloadConfig:
    """
    ``gateway.reload``.
    """

    mode: Literal["off", "restart", "hot", "hybrid"] = "hybrid"
    debounce_ms: int = 300


@frozen(kw_only=True)
class ShutdownConfig:
    """
    ``gateway.shutdown``.

    :param drain_ms: how long runs may go on after a stop was asked for.
    """

    drain_ms: int = 20000


@frozen(kw_only=True)
class ChatCompletionsConfig:
    """
    ``gateway.http.endpoints.chatCompletions``.
    """

    enabled: bool = True


@frozen(kw_only=True)
class PdfConfig:
    """
    ``gateway.http.endpoints.responses.files.pdf``.

    :param max_pixels: of the picture of one page.
    :param min_text_chars: with less text, pages become pictures.
    """

    max_pages: int = 4
    max_pixels: int = 4_000_000
    min_text_chars: int = 200


@frozen(kw_only=True)
class FilesConfig:
    """
    ``gateway.http.endpoints.responses.files``.

    :param max_chars: of a file's text; the rest is left out.
    """

    allow_url: bool = True
    allowed_mimes: tuple[str, ...] = (
        "text/plain",
        "text/markdown",
        "text/html",
        "text/csv",
        "application/json",
        "application/pdf",
    )
    max_bytes: int = 5242880
    max_chars: int = 200000
    max_redirects: int = 3
    timeout_ms: int = 10000
    pdf: PdfConfig = PdfConfig()


@frozen(kw_only=True)
class ImagesConfig:
    """
    ``gateway.http.endpoints.responses.images``.
    """

    allow_url: bool = True
    allowed_mimes: tuple[str, ...] = ("image/jpeg", "image/png", "image/gif", "image/webp")
    max_bytes: int = 10485760
    max_redirects: int = 3
    timeout_ms: int = 10000


@frozen(kw_only=True)
class ResponsesConfig:
    """
    ``gateway.http.endpoints.responses``.

    :param max_body_bytes: as written; :attr:`most_body_bytes` is what holds.
    """

    enabled: bool = True
    max_body_bytes: int | None = None
    files: FilesConfig = FilesConfig()
    images: ImagesConfig = ImagesConfig()

    @property
    def most_body_bytes(self) -> int:
        """
        Without a limit of its own, a body may hold two of the largest files or pictures (``http.md`` 4).
        """
        if self.max_body_bytes is not None:
            return self.max_body_bytes
        return max(20971520, 2 * self.files.max_bytes, 2 * self.images.max_bytes)


@frozen(kw_only=True)
class EndpointsConfig:
    """
    ``gateway.http.endpoints``. On by default, unlike the reference's.
    """

    chat_completions: ChatCompletionsConfig = ChatCompletionsConfig()
    responses: ResponsesConfig = ResponsesConfig()


@frozen(kw_only=True)
class HttpConfig:
    """
    ``gateway.http``.
    """

    endpoints: EndpointsConfig = EndpointsConfig()


@frozen(kw_only=True)
class GatewayToolsConfig:
    """
    ``gateway.tools``: what ``/tools/invoke`` offers besides what ``tools`` says.

    :param allow: of those that are refused there by default.
    :param deny: refused there, and not in runs of the agent.
    """

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


@frozen(kw_only=True)
class NodesBrowserConfig:
    """
    ``gateway.nodes.browser``.

    :param mode: with ``auto`` the only node that has a browser is asked, with ``manual`` only the one that is named.
    :param node: id, address, name, or the beginning of an id.
    """

    mode: Literal["auto", "manual", "off"] = "auto"
    node: str | None = None


@frozen(kw_only=True)
class NodesConfig:
    """
    ``gateway.nodes``.

    :param allow_commands: that nodes may be asked for beside those of their platform.
    :param deny_commands: that no node is asked for.
    """

    allow_commands: tuple[str, ...] = ()
    deny_commands: tuple[str, ...] = ()
    browser: NodesBrowserConfig = NodesBrowserConfig()


@frozen(kw_only=True)
class GatewayConfig:
    """
    ``gateway``.

    :param port: ``None`` when the file does not say; see :func:`openclaw.config.paths.gateway_port`.
    :param max_payload: the largest frame in bytes, which ``hello-ok`` tells clients.
    """

    port: int | None = None
    mode: Literal["local", "remote"] | None = None
    bind: Bind = "loopback"
    custom_bind_host: str | None = None
    max_payload: int = 512 * 1024
    auth: GatewayAuthConfig = GatewayAuthConfig()
    trusted_proxies: tuple[str, ...] = ()
    control_ui: ControlUiConfig = ControlUiConfig()
    tls: TlsConfig = TlsConfig()
    tailscale: TailscaleConfig = TailscaleConfig()
    remote: RemoteConfig = RemoteConfig()
    reload: ReloadConfig = ReloadConfig()
    shutdown: ShutdownConfig = ShutdownConfig()
    tools: GatewayToolsConfig = GatewayToolsConfig()
    http: HttpConfig = HttpConfig()
    nodes: NodesConfig = NodesConfig()
