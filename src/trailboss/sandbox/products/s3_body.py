"""The body of an S3 upload: kept in a file while its length, checksums and chunk signatures are checked.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html (aws-chunked, trailing checksums)
"""

from __future__ import annotations

import base64
import hashlib
import tempfile
import zlib
from collections.abc import AsyncIterator, Mapping
from typing import IO, Any

from trailboss.sandbox.products.s3_signature import UNSIGNED, S3Error, Signed, chunk_signature

IN_MEMORY = 1 << 20
PIECE = 1 << 18
STREAMING = "STREAMING-"


class Body:
    """A whole, verified upload. Close it (or use `with`) when it has been read."""

    def __init__(self, file: IO[bytes], size: int, md5: str) -> None:
        self._file, self.size, self.md5 = file, size, md5

    async def pieces(self) -> AsyncIterator[bytes]:
        """The content from the beginning."""
        self._file.seek(0)
        while piece := self._file.read(PIECE):
            yield piece

    def read(self) -> bytes:
        """The content at once, for small documents."""
        self._file.seek(0)
        return self._file.read()

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def __enter__(self) -> Body:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


async def receive(stream: AsyncIterator[bytes], headers: Mapping[str, str], signed: Signed) -> Body:
    """Read a body whole and check everything its sender promised about it.

    Raises:
        S3Error: BadDigest, XAmzContentSHA256Mismatch, IncompleteBody, SignatureDoesNotMatch, ...
    """
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 handed to the caller
    try:
        sums = _Sums()
        decoder = Chunks(signed) if signed.payload.startswith(STREAMING) else None
        async for piece in stream:
            for data in decoder.feed(piece) if decoder else [piece]:
                sums.update(data)
                file.write(data)
        trailers = decoder.finish() if decoder else {}
        _check(sums, headers, trailers, signed)
    except BaseException:
        file.close()
        raise
    return Body(file, sums.size, sums.md5.hexdigest())


class _Sums:
    def __init__(self) -> None:
        self.size, self.crc32 = 0, 0
        self.md5 = hashlib.md5(usedforsecurity=False)
        self.sha1 = hashlib.sha1(usedforsecurity=False)
        self.sha256 = hashlib.sha256()

    def update(self, data: bytes) -> None:
        self.size += len(data)
        self.crc32 = zlib.crc32(data, self.crc32)
        for one in (self.md5, self.sha1, self.sha256):
            one.update(data)


def _check(sums: _Sums, headers: Mapping[str, str], trailers: Mapping[str, str], signed: Signed) -> None:
    declared = headers.get("x-amz-decoded-content-length")
    if declared and int(declared) != sums.size:
        raise S3Error(400, "IncompleteBody", "The body has another length than x-amz-decoded-content-length.")
    promised = {**headers, **trailers}
    found = {
        "content-md5": sums.md5.digest(),
        "x-amz-checksum-sha1": sums.sha1.digest(),
        "x-amz-checksum-sha256": sums.sha256.digest(),
        "x-amz-checksum-crc32": sums.crc32.to_bytes(4, "big"),
    }
    for name, digest in found.items():
        if name in promised and promised[name].strip() != base64.b64encode(digest).decode():
            raise S3Error(400, "BadDigest", f"The {name} you specified did not match what we received.")
    plain = signed.payload != UNSIGNED and not signed.payload.startswith(STREAMING)
    if plain and signed.payload != sums.sha256.hexdigest():
        raise S3Error(
            400,
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )


class Chunks:
    """Undoes `aws-chunked`, checking each chunk's signature when the stream is a signed one."""

    def __init__(self, signed: Signed) -> None:
        self._signed = signed
        self._checked = "HMAC-SHA256" in signed.payload
        self._previous = signed.signature
        self._buffer = bytearray()
        self._left = -1
        self._hash: Any = None
        self._promised = ""
        self._ended = False

    def feed(self, piece: bytes) -> list[bytes]:
        """Take what arrived, give what of it is content."""
        self._buffer += piece
        content: list[bytes] = []
        while not self._ended and (self._header() if self._left < 0 else self._data(content)):
            pass
        return content

    def _header(self) -> bool:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            return False
        size, _, extension = bytes(self._buffer[:end]).partition(b";")
        del self._buffer[: end + 2]
        try:
            self._left = int(size, 16)
        except ValueError:
            raise S3Error(400, "InvalidRequest", "The body is not aws-chunked.") from None
        self._promised = extension.decode("latin-1").removeprefix("chunk-signature=")
        self._hash = hashlib.sha256()
        if self._left == 0:
            self._verify()
            self._ended = True
        return True

    def _data(self, content: list[bytes]) -> bool:
        if self._left:
            part = bytes(self._buffer[: self._left])
            if not part:
                return False
            del self._buffer[: len(part)]
            self._left -= len(part)
            self._hash.update(part)
            content.append(part)
            return True
        if len(self._buffer) < 2:
            return False
        del self._buffer[:2]
        self._left = -1
        self._verify()
        return True

    def _verify(self) -> None:
        if not self._checked:
            return
        expected = chunk_signature(self._signed, self._previous, self._hash.hexdigest())
        if expected != self._promised:
            raise S3Error(403, "SignatureDoesNotMatch", "A chunk's signature does not match its content.")
        self._previous = expected

    def finish(self) -> dict[str, str]:
        """The trailing headers, when the stream has ended as it should."""
        if not self._ended:
            raise S3Error(400, "IncompleteBody", "The body ended before its last chunk.")
        lines = bytes(self._buffer).decode("latin-1").replace("\r\n", "\n").splitlines()
        pairs = (line.partition(":") for line in lines if ":" in line)
        return {name.strip().lower(): value.strip() for name, _, value in pairs}
