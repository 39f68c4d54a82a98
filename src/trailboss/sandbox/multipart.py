"""Read a multipart form whole, in order, keeping part name, file name and content type as they came."""

from __future__ import annotations

from dataclasses import dataclass, field

from trailboss.sandbox.refusals import ApiError, bad_request


@dataclass(slots=True)
class Part:
    """One part of a form."""

    name: str = ""
    filename: str | None = None
    content_type: str = ""
    data: bytes = b""
    _chunks: list[bytes] = field(default_factory=list)


def parse_form(content_type: str, body: bytes) -> list[Part]:
    """The parts of a `multipart/form-data` body.

    Raises:
        ApiError: 400 when there is no boundary or the body does not follow it.
    """
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import MultipartParser, parse_options_header

    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise bad_request("Content-Type must be multipart/form-data with a boundary", 10001)
    if body.startswith(b"--" + boundary + b"\n"):
        body = _with_carriage_returns(body, boundary)
    collector = _Collector()
    parser = MultipartParser(boundary, collector.callbacks())  # type: ignore[arg-type]
    try:
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise _unreadable(error) from error
    if body and not collector.ended:
        raise _unreadable(ValueError("it ends before the closing boundary"))
    return collector.parts


def _with_carriage_returns(body: bytes, boundary: bytes) -> bytes:
    """A form that was written by hand, with bare newlines around its boundaries and headers, in the way RFC
    2046 wants it. One that does not end stays as it is, to be refused."""
    mark = b"--" + boundary
    if b"\n" + mark + b"--" not in body:
        return body
    framed = []
    for piece in (b"\n" + body).split(b"\n" + mark + b"\n")[1:]:
        part = piece.partition(b"\n" + mark + b"--")[0]
        head, _, data = part.partition(b"\n\n")
        framed.append(mark + b"\r\n" + head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + data + b"\r\n")
    return b"".join(framed) + mark + b"--\r\n"


def _unreadable(error: Exception) -> ApiError:
    return bad_request(f"The multipart body could not be read: {error}", 10001)


class _Collector:
    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.ended = False
        self._field = bytearray()
        self._value = bytearray()

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": lambda: self.parts.append(Part()),
            "on_part_data": lambda data, start, end: self.parts[-1]._chunks.append(data[start:end]),
            "on_part_end": self._part_end,
            "on_header_field": lambda data, start, end: self._field.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_end": self._end,
        }

    def _part_end(self) -> None:
        part = self.parts[-1]
        part.data = b"".join(part._chunks)
        part._chunks.clear()

    def _end(self) -> None:
        self.ended = True

    def _header_end(self) -> None:
        from python_multipart.multipart import parse_options_header

        name, value = bytes(self._field).lower(), bytes(self._value)
        self._field.clear()
        self._value.clear()
        part = self.parts[-1]
        if name == b"content-disposition":
            _, options = parse_options_header(value)
            part.name = _unescape(options.get(b"name", b""))
            filename = options.get(b"filename*", options.get(b"filename"))
            part.filename = None if filename is None else _unescape(filename)
        elif name == b"content-type":
            part.content_type = value.decode("latin-1").strip()


def _unescape(raw: bytes) -> str:
    """Form names escape quotes and line ends in percent form, and nothing else."""
    text = raw.decode("utf-8", "replace")
    return text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
