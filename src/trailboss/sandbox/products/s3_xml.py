"""The XML documents of the S3 API, written and read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from trailboss.sandbox.products.s3_signature import S3Error

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
Tree = Mapping[str, Any]


def document(root: str, content: Tree, *, namespace: bool = True) -> bytes:
    """`content` as XML: a mapping nests, a list repeats its element, None leaves it out."""
    element = ElementTree.Element(root, {"xmlns": NAMESPACE} if namespace else {})
    _fill(element, content)
    return b'<?xml version="1.0" encoding="UTF-8"?>' + ElementTree.tostring(element)


def _fill(element: ElementTree.Element, content: Tree) -> None:
    for name, value in content.items():
        for one in value if isinstance(value, list) else [value]:
            if one is None:
                continue
            child = ElementTree.SubElement(element, name)
            if isinstance(one, Mapping):
                _fill(child, one)
            else:
                child.text = str(one).lower() if isinstance(one, bool) else str(one)


def error(code: str, message: str) -> bytes:
    """An S3 error document."""
    return document("Error", {"Code": code, "Message": message}, namespace=False)


def parse(body: bytes, root: str) -> ElementTree.Element:
    """A request document, its namespace removed.

    Raises:
        S3Error: MalformedXML.
    """
    try:
        element = ElementTree.fromstring(body)  # noqa: S314 loopback only, and expat bounds expansion
    except ElementTree.ParseError as reason:
        raise S3Error(400, "MalformedXML", f"The XML you provided was not well-formed: {reason}") from None
    for one in element.iter():
        one.tag = one.tag.rpartition("}")[2]
    if element.tag != root:
        raise S3Error(400, "MalformedXML", f"The document must be a {root}.")
    return element


def text(element: ElementTree.Element, name: str) -> str:
    """The text of a child, "" when there is none."""
    found = element.find(name)
    return (found.text or "") if found is not None else ""


def coded(value: str | None, encoding: str) -> str | None:
    """A key as `encoding-type=url` wants it."""
    return quote(value, safe="/-_.~") if value is not None and encoding == "url" else value


def objects(items: Iterable[Mapping[str, Any]], encoding: str) -> list[dict[str, Any]]:
    """`Contents` elements from the data plane's object records."""
    return [
        {
            "Key": coded(item["key"], encoding),
            "Size": item["size"],
            "LastModified": item["uploaded"],
            "ETag": f'"{item["etag"]}"',
            "StorageClass": "STANDARD",
        }
        for item in items
    ]


def prefixes(items: Sequence[str], encoding: str) -> list[dict[str, Any]]:
    """`CommonPrefixes` elements."""
    return [{"Prefix": coded(item, encoding)} for item in items]
