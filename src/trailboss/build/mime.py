"""The media type a static asset is served with, by the same table wrangler uses."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def _table() -> dict[str, str]:
    table = {}
    for line in resources.files("trailboss.build").joinpath("mime.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            media_type, *extensions = line.split()
            table.update(dict.fromkeys(extensions, media_type))
    return table


def content_type(path: str) -> str | None:
    """The Content-Type for the file `path`, text types with their charset; None when it is unknown."""
    name = path.rsplit("/", 1)[-1].lower()
    stem, _, extension = name.rpartition(".")
    if not stem:
        # Neither a name without a dot nor a dotfile has an extension.
        return None
    found = _table().get(extension)
    if found and found.startswith("text/") and "charset" not in found:
        return f"{found}; charset=utf-8"
    return found
