"""A Worker that does nothing yet, made so that secrets have a place to be: the request wrangler makes for
it, and a message that says so. Nothing goes back to such a version by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from trailboss.release import paths

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

MESSAGE = "A draft: it holds secrets until the first deploy"
_CODE = "export default { fetch() {} }"


async def create_draft(cloud: Cloud, name: str) -> None:
    """Create the Worker `name` with an empty handler. One PUT, safe to repeat."""
    from trailboss.cloud import Multipart, Part

    annotations = {"workers/message": MESSAGE}
    metadata = {"main_module": name, "bindings": [], "logpush": False, "annotations": annotations}
    await cloud.put(
        paths.script(cloud, name),
        parts=Multipart(
            [
                Part("metadata", json.dumps(metadata, separators=(",", ":"))),
                Part(name, _CODE, filename=name, content_type="application/javascript+module"),
            ]
        ),
    )
