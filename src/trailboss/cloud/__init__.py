"""The only room that talks to Cloudflare: one async `Cloud`.

    target = resolve_target(settings_target, flag=flag, environ=os.environ)
    async with Cloud(target) as cloud:
        settings = await cloud.get(f"{cloud.account}/workers/scripts/{segment(name)}/settings")

Importing this room loads no network library; the first call does.
"""

from trailboss.cloud.cloud import Cloud, Raw, Reply, segment
from trailboss.cloud.multipart import Multipart, Part
from trailboss.cloud.stats import Stats
from trailboss.cloud.target import GlobalKey, Target, resolve_target

__all__ = [
    "Cloud",
    "GlobalKey",
    "Multipart",
    "Part",
    "Raw",
    "Reply",
    "Stats",
    "Target",
    "resolve_target",
    "segment",
]
