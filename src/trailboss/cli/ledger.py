"""The file that CI actions read: what happened, one JSON object per line, in the format wrangler writes.

`WRANGLER_OUTPUT_FILE_PATH` names the file, `WRANGLER_OUTPUT_FILE_DIRECTORY` a folder for a new one.
"""

from __future__ import annotations

import json
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def record(kind: str, **fields: Any) -> None:
    """Append an entry of type `kind` ("deploy", "version-upload", "version-deploy") when somebody asked
    for it.
    """
    path = _path()
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    with path.open("a") as file:
        file.write(json.dumps({"type": kind, "version": 1, **fields, "timestamp": moment}) + "\n")


def _path() -> Path | None:
    if os.environ.get("WRANGLER_OUTPUT_FILE_PATH"):
        return Path(os.environ["WRANGLER_OUTPUT_FILE_PATH"])
    if os.environ.get("WRANGLER_OUTPUT_FILE_DIRECTORY"):
        moment = datetime.now(UTC).strftime("%Y-%m-%d_%H-%M-%S")
        name = f"wrangler-output-{moment}-{secrets.token_hex(3)}.json"
        return Path(os.environ["WRANGLER_OUTPUT_FILE_DIRECTORY"]) / name
    return None
