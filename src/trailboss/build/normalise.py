"""Take the machine out of a bundle, so that the same sources give the same bytes everywhere."""

from __future__ import annotations

import os
import re
from pathlib import Path

from trailboss.build.multipart import Part
from trailboss.build.wrangler import Wrangler

_TEMPORARY = re.compile(rb"\.wrangler/tmp/(deploy|bundle)-[A-Za-z0-9]{6}/")
_REWRITTEN = {"application/javascript+module", "application/javascript", "application/source-map"}


def portable(parts: list[Part], wrangler: Wrangler, directory: Path) -> list[Part]:
    """`parts` with wrangler's temporary folder names and the pinned toolchain's location made neutral.

    esbuild names every source by its path from the project: in comments, in the keys of wrapped CommonJS
    modules and in source maps. None of them carries a mapping, so line and column numbers stay right.
    """
    prefixes = [] if wrangler.is_own else _prefixes(wrangler.root, directory)
    return [_rewritten(part, prefixes) for part in parts]


def _prefixes(root: Path, directory: Path) -> list[bytes]:
    found = {
        os.path.relpath(a / "node_modules", b).replace(os.sep, "/") + "/"
        for a in (root, root.resolve())
        for b in (directory, directory.resolve())
    }
    return [prefix.encode() for prefix in sorted(found, key=len, reverse=True)]


def _rewritten(part: Part, prefixes: list[bytes]) -> Part:
    if part.content_type not in _REWRITTEN:
        return part
    content = _TEMPORARY.sub(rb".wrangler/tmp/\1/", part.content)
    for prefix in prefixes:
        for lead in (b"// ", b'"'):
            content = content.replace(lead + prefix, lead + b"node_modules/")
    return Part(part.name, part.filename, part.content_type, content)
