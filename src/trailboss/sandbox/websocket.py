"""The server's half of RFC 6455, as little as a tail needs, and as lenient as wrangler needs.

wrangler sends its first text frame unmasked, which the RFC tells a server to refuse and the common
libraries do. Cloudflare's own endpoint does not, so this one reads masked and unmasked frames alike.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import struct

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
LARGEST = 1 << 20


class Refused(Exception):
    """The opening handshake is not one."""


async def read_request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    """(path, headers) of the HTTP request that asks for the upgrade."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    words = head[0].split(" ")
    if len(words) < 3 or words[0] != "GET":
        raise Refused("not a GET")
    pairs = (line.partition(":") for line in head[1:] if line)
    return words[1], {name.strip().lower(): value.strip() for name, _, value in pairs}


def handshake(headers: dict[str, str], protocol: str) -> bytes:
    """The 101 answer selecting `protocol`.

    Raises:
        Refused: no key, no upgrade, or the protocol was not offered.
    """
    key = headers.get("sec-websocket-key", "")
    offered = [item.strip() for item in headers.get("sec-websocket-protocol", "").split(",")]
    if headers.get("upgrade", "").lower() != "websocket" or not key or protocol not in offered:
        raise Refused(f"a WebSocket with the subprotocol {protocol} was expected")
    accept = base64.b64encode(hashlib.sha1(key.encode() + GUID, usedforsecurity=False).digest()).decode()
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n"
    ).encode()


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """(opcode, payload) of the next frame, unmasked if it was masked; continuation frames have opcode 0."""
    first, second = await reader.readexactly(2)
    length = second & 0x7F
    if length == 126:
        (length,) = struct.unpack(">H", await reader.readexactly(2))
    elif length == 127:
        (length,) = struct.unpack(">Q", await reader.readexactly(8))
    if length > LARGEST:
        raise Refused("a frame larger than a tail's client sends")
    mask = await reader.readexactly(4) if second & 0x80 else b""
    payload = await reader.readexactly(length)
    if mask:
        payload = bytes(byte ^ mask[index & 3] for index, byte in enumerate(payload))
    return first & 0x0F, payload


def frame(opcode: int, payload: bytes) -> bytes:
    """One whole unmasked frame, as servers send."""
    length = len(payload)
    if length < 126:
        head = struct.pack(">BB", 0x80 | opcode, length)
    elif length < 1 << 16:
        head = struct.pack(">BBH", 0x80 | opcode, 126, length)
    else:
        head = struct.pack(">BBQ", 0x80 | opcode, 127, length)
    return head + payload


def close_payload(code: int, reason: str = "") -> bytes:
    """The body of a close frame."""
    return struct.pack(">H", code) + reason.encode()[:120]
