"""
Numbers and codes that both sides of the wire know.
"""

from enum import IntEnum, StrEnum
from typing import Final

PROTOCOL_VERSION: Final = 3

#: The most bytes of one incoming message after reassembly, unless configured otherwise.
MAX_PAYLOAD_BYTES: Final = 512 * 1024

#: More than this waiting for one connection makes it a slow consumer.
MAX_BUFFERED_BYTES: Final = 1536 * 1024

#: How often ``tick`` goes out.
TICK_INTERVAL_MS: Final = 30_000

#: A close reason may have 123 bytes; the texts of ours are cut here.
MAX_CLOSE_REASON_BYTES: Final = 120


class ErrorCode(StrEnum):
    """
    What ``error.code`` may be. The set is closed.
    """

    INVALID_REQUEST = "INVALID_REQUEST"
    UNAVAILABLE = "UNAVAILABLE"
    NOT_PAIRED = "NOT_PAIRED"
    NOT_LINKED = "NOT_LINKED"
    AGENT_TIMEOUT = "AGENT_TIMEOUT"


class CloseCode(IntEnum):
    """
    WebSocket close codes that we send or that known clients send.
    """

    NORMAL = 1000
    PROTOCOL_ERROR = 1002
    NO_STATUS = 1005
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    CLIENT_TICK_TIMEOUT = 4000
    CLIENT_CONNECT_FAILED = 4008
