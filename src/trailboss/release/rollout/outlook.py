"""The worst case, said before the first request meets the new version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailboss.release.evidence import Plan, Traffic, expose
from trailboss.release.evidence import Step as Exposed
from trailboss.release.evidence.combine import FAMILIES
from trailboss.release.rollout.peeking import EVERY
from trailboss.release.rollout.policy import Policy
from trailboss.release.rollout.report import Outlook, planned
from trailboss.release.rollout.spans import spoken
from trailboss.release.sources.analytics import estimate

if TYPE_CHECKING:
    from trailboss.cloud import Cloud

_SOURCES = {
    "tail": "live tail: every request Cloudflare passes on, seconds old",
    "analytics-engine": "Analytics Engine: every request, up to half a minute old",
    "none": "none: only checks decide",
}
_ALL = "worst case: everybody meets it; it is probed once it is live, and goes back where it can"


async def look_ahead(
    policy: Policy, cloud: Cloud | None, workers: tuple[str, ...], now: float, whole: tuple[str, ...] = ()
) -> Outlook:
    """The steps, the gates, and what a regression would cost at the Workers' present traffic.

    One analytics query per Worker, unless the policy says what the traffic is; never raises for it. Where
    all of them are in `whole`, there are no steps, and nothing to compare."""
    if whole and not workers:
        asked = tuple(f"{gate.name} ({gate.kind})" for gate in policy.checks)
        return Outlook("at-once", (), asked, "", "", None, whole)
    traffic, note = await _traffic(policy, cloud, workers, now)
    return Outlook(
        policy.strategy,
        planned(policy),
        tuple(gate.name if gate.name == gate.kind else f"{gate.name} ({gate.kind})" for gate in policy.gates),
        _SOURCES[policy.source if policy.statistics else "none"],
        note,
        None if traffic is None else _exposure(policy, traffic),
        whole,
    )


async def _traffic(
    policy: Policy, cloud: Cloud | None, workers: tuple[str, ...], now: float
) -> tuple[Traffic | None, str]:
    sticky = policy.judgement.sticky
    if policy.traffic is not None:
        return Traffic(policy.traffic, policy.failing or 0.001, sticky=sticky), "as configured"
    if cloud is None or not workers:
        return None, "unknown without an account"
    found = [await estimate(cloud, worker, now=now) for worker in workers]
    busiest = max((one.traffic for one in found if one.traffic), key=lambda one: one.per_second, default=None)
    if busiest is None:
        trouble = next((one.trouble for one in found if one.trouble), "")
        return None, f"unknown{f' ({trouble})' if trouble else ': analytics shows none in the last hour'}"
    failing = max(busiest.failing, 1e-4)
    return Traffic(busiest.per_second, failing, sticky=sticky), "of the last hour, estimated by analytics"


def _exposure(policy: Policy, traffic: Traffic) -> Plan | None:
    """None where nothing counts requests, or everything goes at once."""
    steps = [Exposed(step.share, step.bake) for step in policy.steps if step.share < 100]
    if not steps or not any(gate.kind == "errors" for gate in policy.statistics):
        return None
    risks = policy.judgement
    return expose(
        steps,
        traffic,
        alpha=risks.alpha,
        margin=risks.margin,
        weight=FAMILIES["errors"],
        theta_max=risks.theta_max,
        lag=policy.timing.lag,
        window=min(EVERY, policy.timing.window) if policy.source == "tail" else policy.timing.window,
    )


def lines(outlook: Outlook) -> list[str]:
    """The outlook for people."""
    if outlook.whole and not outlook.steps:
        once = [f"at once: {line}" for line in outlook.whole]
        return [*once, f"gates: {', '.join(outlook.gates) or 'none'}", _ALL]
    walk = ", ".join(
        f"{step.share:g} %{f' for {spoken(step.bake)}' if step.bake else ''}" for step in outlook.steps
    )
    found = [f"{outlook.strategy}: {walk}", f"gates: {', '.join(outlook.gates) or 'none'}; {outlook.source}"]
    found += [f"at once: {line}" for line in outlook.whole]
    plan = outlook.exposure
    if plan is None:
        return [*found, f"worst case: not known (traffic {outlook.traffic})"]
    if plan.shortest is not None:
        found.append(f"at least {spoken(plan.shortest)} if all is well (traffic {outlook.traffic})")
    for case in plan.cases:
        if case.seconds is None:
            found.append(f"worst case, {case.name}: no verdict without more traffic; the step is held")
            continue
        where = f"found within {spoken(case.seconds)}" if case.step is not None else "may not be found"
        found.append(
            f"worst case, {case.name}: {where}, {case.users} users meet it, {case.failed} requests fail"
        )
    return found
