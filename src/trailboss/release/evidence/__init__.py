"""The statistics of a rollout: pure values and functions, no clock, no network, no dependency.

    windows.py      counts of both versions over one stretch of time; Exact against Estimated
    units.py        what is counted once: a request, or a key when labels stick; when to refuse
    wealth.py       log wealth of a mixture, with the id of the last window it has seen
    conditional.py  is the canary worse than the stable version? the conditional e-process
    keyed.py        the same question where a user keeps a version: keys as the unit
    guard.py        is the service worse than its ceiling, whoever is at fault?
    latency.py      is the canary slower than the stable version's own quantiles?
    certificate.py  is there proof that the canary is good enough to leave a step?
    combine.py      several e-processes as one; pass, fail or undecided
    exposure.py     what a rollout would cost at worst, before it starts

An e-process starts at 1 and has no upward drift while its hypothesis holds, so the chance that it ever
reaches 1/alpha is at most alpha (Ville 1939): one may look at any time, and stop at any time.
"""

from trailboss.release.evidence.certificate import Certificate, clean_requests
from trailboss.release.evidence.combine import (
    Limits,
    Outcome,
    Reason,
    Verdict,
    combined,
    shares,
    tempered,
    verdict,
)
from trailboss.release.evidence.conditional import Conditional, dispersion
from trailboss.release.evidence.exposure import Case, Plan, Step, Traffic, bound, expose
from trailboss.release.evidence.guard import Guard
from trailboss.release.evidence.keyed import Keyed
from trailboss.release.evidence.latency import Histogram, Latency, Values, thresholds
from trailboss.release.evidence.units import Counting, Unit, choose_unit
from trailboss.release.evidence.windows import Estimated, Event, Exact, Span, Window, cut, gather

__all__ = [
    "Case",
    "Certificate",
    "Conditional",
    "Counting",
    "Estimated",
    "Event",
    "Exact",
    "Guard",
    "Histogram",
    "Keyed",
    "Latency",
    "Limits",
    "Outcome",
    "Plan",
    "Reason",
    "Span",
    "Step",
    "Traffic",
    "Unit",
    "Values",
    "Verdict",
    "Window",
    "bound",
    "choose_unit",
    "clean_requests",
    "combined",
    "cut",
    "dispersion",
    "expose",
    "gather",
    "shares",
    "tempered",
    "thresholds",
    "verdict",
]
