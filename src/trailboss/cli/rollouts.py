"""How a rollout looks to a person: lines as it goes, a tree that lives on a terminal, the end of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trailboss.cli.output import Output
from trailboss.cli.words_for import first_line

if TYPE_CHECKING:
    from rich.live import Live
    from rich.tree import Tree

    from trailboss.release.rollout.picture import GatePicture, Picture, WorkerPicture
    from trailboss.release.rollout.report import RolloutReport

_MARKS = {"pass": ("✔", "green"), "fail": ("✖", "red"), "undecided": ("◌", "yellow")}
_PHASES = {
    "claimed": ("⟳", "cyan"),
    "step": ("⟳", "cyan"),
    "paused": ("‖", "yellow"),
    "held": ("‖", "yellow"),
    "promoted": ("✔", "green"),
    "rolled-back": ("✖", "red"),
    "aborted": ("✖", "red"),
}
_RESULTS = {
    "promoted": ("✓", "32;1", "promoted"),
    "rolled-back": ("✗", "31;1", "rolled back"),
    "aborted": ("✗", "31;1", "aborted"),
    "held": ("!", "33;1", "held: somebody has to decide"),
    "taken-over": ("!", "33;1", "taken over by somebody else"),
}


class Viewer:
    """Shown everything a rollout says: on a terminal a tree that is drawn anew, elsewhere a line per change,
    with `--json` nothing."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._live: Live | None = None
        self._last: tuple[Any, ...] = ()

    def __call__(self, item: Any) -> None:
        """An outlook, a picture, or a line."""
        from trailboss.release.rollout.picture import Picture

        if self._output.as_json:
            return
        if isinstance(item, Picture):
            self._picture(item)
        elif isinstance(item, str):
            self._line(item)
        else:
            from trailboss.release.rollout.outlook import lines

            for line in lines(item):
                self._line(line)

    def close(self) -> None:
        """The tree stays as it was last."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def _line(self, text: str) -> None:
        if self._live is not None:
            self._live.console.print(f"  {text}", markup=False, style="dim")
        else:
            self._output.note(f"  {text}")

    def _picture(self, picture: Picture) -> None:
        if self._output.err.isatty() and self._output.color:
            self._draw(picture)
            return
        now = (picture.phase, picture.share, _stem(picture.doing))
        if now != self._last:
            self._last = now
            self._output.note(f"  {line_of(picture)}")

    def _draw(self, picture: Picture) -> None:
        from rich.live import Live

        if self._live is None:
            self._output.settle()
            self._live = Live(console=self._output.console(self._output.err), auto_refresh=False)
            self._live.start()
        self._live.update(tree(picture), refresh=True)


def _stem(doing: str) -> str:
    """What it is doing, without the figures that change all the time."""
    return "".join(sign for sign in doing if not sign.isdigit())


def line_of(picture: Picture) -> str:
    """A picture in one line."""
    served = ", ".join(
        f"{one.worker} {one.canary}: {one.requests} requests, {one.failed} failed" for one in picture.workers
    )
    return f"{picture.share:g} %  {picture.doing or picture.phase}  ({served}; E = {picture.evidence:g})"


def tree(picture: Picture) -> Tree:
    """The whole picture: Workers, versions with their shares, gates with their counts, time left."""
    from rich.text import Text
    from rich.tree import Tree

    mark, colour = _PHASES[picture.phase]
    head = Text.assemble((f"{mark} ", colour), ("rollout ", "bold"), (picture.id, "dim"))
    head.append("" if picture.phase in ("claimed", "step") else f"  {picture.phase}", colour)
    head.append(f"  step {picture.step} of {len(picture.shares)}  {picture.share:g} %", "bold")
    head.append(f"  by {picture.who}", "dim")
    if picture.phase in ("claimed", "step") and not picture.alive:
        head.append("  nobody is at it any more", "red bold")
    if picture.left >= 1 and picture.phase == "step":
        head.append(f"  {picture.left:.0f} s left to bake", "dim")
    root = Tree(head)
    for worker in picture.workers:
        _worker(root, worker, picture)
    for check in picture.checks:
        root.add(_gate(check))
    if picture.doing:
        root.add(Text(first_line(picture.doing, 160), "dim"))
    return root


def _worker(root: Tree, worker: WorkerPicture, picture: Picture) -> None:
    from rich.text import Text

    branch = root.add(Text(worker.worker, "bold"))
    for label, share, kind in (
        (worker.stable, worker.stable_share, "stable"),
        (worker.canary, worker.canary_share, "new"),
    ):
        bar = "█" * round(share / 5)
        row = Text.assemble((f"{label:<8}", "bold"), f"{kind:<7}", (f"{bar:<20}", "green"), f" {share:g} %")
        if kind == "new":
            row.append(f"   {worker.requests} requests, {worker.failed} failed, {worker.users} users", "dim")
        node = branch.add(row)
    for gate in worker.gates:
        node.add(_gate(gate, f" of {picture.needed:g}"))
    if worker.gates:
        node.add(
            Text(
                f"proof {worker.proof:g} of {worker.proof_needed:g}, {worker.missing} more good requests",
                "dim",
            )
        )
    node.add(Text(worker.source, "dim"))


def _gate(gate: GatePicture, needed: str = "") -> Any:
    from rich.text import Text

    mark, colour = _MARKS[gate.outcome]
    row = Text.assemble((f"{mark} ", colour), f"{gate.name:<12}", (f"{gate.note}{needed}", "dim"))
    for arm, counts in gate.figures.items():
        if isinstance(counts, dict) and "bad" in counts:
            row.append(f"  {arm} {counts['bad']} of {counts['requests']}", "dim")
        elif isinstance(counts, dict) and "p90" in counts:
            row.append(f"  {arm} p50 {counts['p50']:g} p90 {counts['p90']:g} ms", "dim")
    return row


def ended(output: Output, done: RolloutReport) -> None:
    """The end of a rollout, or what a dry run says of it."""
    from trailboss.release.rollout.outlook import lines
    from trailboss.release.rollout.spans import spoken

    if done.result is None:
        for line in lines(done.outlook):
            output.line(f"  {line}")
        return
    mark, style, said = _RESULTS[done.result]
    output.line(
        f"{output.style(mark, style, output.out)} rollout {done.id} {said} after {spoken(done.seconds)}"
    )
    if done.why:
        output.line(f"  {done.why}")
    for worker in done.picture.workers if done.picture else ():
        met = (
            f"{_many(worker.requests, 'request')} from {_many(worker.users, 'user')}, {worker.failed} failed"
        )
        output.line(f"  {worker.worker}: {worker.canary} answered {met}")
    if done.result == "rolled-back":
        health = {True: "healthy", False: "NOT healthy", None: "of unknown health"}[done.healthy]
        output.line(f"  The version before has all traffic and is {health}. {done.health}")
    for rest in done.rest:
        written = (*rest.settings, *(f"{one.kind} {', '.join(one.targets)}" for one in rest.updated))
        if written:
            output.line(f"  {rest.worker}: written {', '.join(written)}")
    for warning in done.warnings:
        output.warn(warning)
    if done.hint:
        output.note(f"  {output.style('Try:', '36')} {done.hint}")


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def shown(output: Output, picture: Picture) -> None:
    """One picture on standard output: a tree for people, whatever the stream."""
    output.show(tree(picture))
