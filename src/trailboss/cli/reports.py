"""How the report of a deploy or an upload looks to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailboss.cli.output import Output
from trailboss.cli.plans import SIGNS
from trailboss.cli.words_for import size

if TYPE_CHECKING:
    from trailboss.release.outcomes import DeployReport, TriggerReport, WorkerReport

_ENDS = {
    "deployed": ("✓", "32;1", "is live"),
    "unchanged": ("✓", "32;1", "is live already; nothing to do"),
    "triggers": ("✓", "32;1", "was live already; its triggers were updated"),
    "partial": ("!", "33;1", "is live, but not everything around it"),
    "planned": ("○", "36;1", "would be deployed; nothing was changed"),
    "handed-over": ("✓", "32;1", "was deployed by wrangler"),
    "uploaded": ("✓", "32;1", "is uploaded and takes no traffic yet"),
    "rolled-back": ("✗", "31;1", "was rolled back"),
    "held": ("!", "33;1", "has a part of the traffic; somebody has to decide"),
}
_EXPLAINED = ("handed-over", "planned")
_STATES = {"unchanged": ("=", "2"), "updated": ("+", "32"), "planned": ("○", "36"), "failed": ("✗", "31;1")}


def deployed(output: Output, report: DeployReport) -> None:
    """The resources that were made first, one block per Worker, then how long it all took."""
    for each in report.resources:
        sign, colour = SIGNS[each.action] if not report.dry_run else _STATES["planned"]
        verb = f" (to {each.action})" if report.dry_run else ""
        output.line(f"{output.style(sign, colour, output.out)} {each.kind} {each.name}{verb}")
    for number, worker in enumerate(report.workers):
        if number:
            output.line()
        one(output, worker, seconds=report.seconds if len(report.workers) == 1 else None)
    if len(report.workers) > 1:
        output.line(
            output.style(f"\n{len(report.workers)} Workers in {report.seconds:.1f} s", "2", output.out)
        )


def one(output: Output, worker: WorkerReport, seconds: float | None = None) -> None:
    """What happened to one Worker, and where it answers."""
    mark, style, said = _ENDS[worker.outcome.value]
    version = f" v{worker.version_number}" if worker.version_number else ""
    took = output.style(f"  {seconds:.1f} s", "2", output.out) if seconds is not None else ""
    name = output.style(f"{worker.worker}{version}", "1", output.out)
    output.line(f"{output.style(mark, style, output.out)} {name} {said}{took}")
    for label, text in _facts(worker):
        output.line(f"  {output.style(f'{label:<9}', '2', output.out)} {text}")
    for trigger in worker.triggers:
        _trigger(output, trigger)
    for url in (*worker.urls, *filter(None, (worker.preview_url, worker.alias_url))):
        output.line(f"  {output.style('→', '36', output.out)} {output.style(url, '36', output.out)}")
    for warning in worker.warnings:
        output.warn(warning)


def _facts(worker: WorkerReport) -> list[tuple[str, str]]:
    facts = []
    if worker.outcome.value != "unchanged":
        if worker.size:
            startup = f", starts in {worker.startup_time_ms} ms" if worker.startup_time_ms else ""
            facts.append(("size", f"{size(worker.size)}, gzip {size(worker.gzip_size)}{startup}"))
        facts += [("bindings" if not at else "", text) for at, text in enumerate(worker.bindings)]
        facts += [("secrets", ", ".join(worker.secrets))] if worker.secrets else []
        facts += [("created" if not at else "", text) for at, text in enumerate(worker.provisioned)]
    identity = [worker.version_id or "", (worker.digest or "")[:19]]
    if any(identity):
        facts.append(("version", "  ".join(part for part in identity if part)))
    facts += [("because", worker.why)] if worker.why and worker.outcome.value in _EXPLAINED else []
    return facts


def _trigger(output: Output, trigger: TriggerReport) -> None:
    """A trigger that stayed as it was is only worth a line when it is no address already shown."""
    mark, style = _STATES[trigger.state.value]
    if trigger.state.value == "unchanged" or (trigger.kind == "workers.dev" and trigger.error is None):
        return
    said = ", ".join(trigger.targets) or "none"
    output.line(f"  {output.style(mark, style, output.out)} {trigger.kind}: {trigger.error or said}")
    if trigger.hint:
        output.line(f"    {output.style('Try:', '36', output.out)} {trigger.hint}")
    for warning in trigger.warnings:
        output.warn(warning)
