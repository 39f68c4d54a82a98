"""Sources of evidence, one file each, by the name `[release] evidence` has for them.

tail        the live tail: seconds old, nothing to deploy, a part is dropped under overload
engine      an Analytics Engine dataset: every request, up to half a minute old, survives the deployer
analytics   GraphQL: estimates, minutes late; for display only
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailboss.release.rollout.policy import Policy

if TYPE_CHECKING:
    from trailboss.cloud import Cloud
    from trailboss.release.sources.base import Source


def open_source(policy: Policy, cloud: Cloud, worker: str) -> Source | None:
    """The source a policy names, not opened yet; None for "none". Raises ConfigError TB1814."""
    if policy.source == "none" or not policy.statistics:
        return None
    if policy.source == "analytics-engine":
        from trailboss.release.sources.engine import LAG, EngineSource

        return EngineSource(
            cloud, policy.dataset, lag=max(policy.timing.lag, LAG if not cloud.target.is_sandbox else 0)
        )
    from trailboss.release.sources.tail import TailSource

    return TailSource(cloud, worker, lag=policy.timing.lag)
