"""What a pipeline shows of a command: GitHub's annotations and job summary, plans and releases in Markdown.

Syntax of annotations: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trailboss.cli.plans import REASONS, SIGNS, WORDS

if TYPE_CHECKING:
    from trailboss.cli.output import Output
    from trailboss.errors import TrailbossError

ROWS = 100
"""Changes of one plan that are listed; the rest is counted."""
LONGEST = 60_000
"""Characters of a comment: GitHub takes 65,536."""


def annotation(error: TrailbossError) -> str:
    """`error` as a line that GitHub shows at the file and line it is about."""
    fields = {"title": f"{error.code}"}
    if error.where is not None:
        place = {"file": _from_root(error.where.file), "line": error.where.line, "col": error.where.column}
        fields = {name: str(value) for name, value in place.items() if value is not None} | fields
    said = f"{error.message}\n{error.hint}" if error.hint else error.message
    where = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in fields.items())
    return f"::error {where}::{_escaped(said)}"


def remark(title: str, text: str) -> str:
    """Something that went wrong, and is at no place of a file."""
    return f"::error title={_escaped(title, ':,')}::{_escaped(text)}"


def _from_root(file: Path) -> str:
    """GitHub wants paths from the repository's root."""
    root = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd())
    file = file if file.is_absolute() else Path.cwd() / file
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)


def _escaped(text: str, more: str = "") -> str:
    for sign in "%\r\n" + more:
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def ended(output: Output, document: Mapping[str, Any]) -> None:
    """Show how a command ended: a release that was not promoted as an annotation, and what a plan or a deploy
    says in the job's summary. Nothing for any other command."""
    rollout = document.get("rollout") if "workers" in document else None
    if rollout and rollout.get("result") not in (None, "promoted"):
        title = f"{document.get('environment') or 'release'}: {rollout['result']}"
        output.note(remark(title, "\n".join(filter(None, (rollout["why"], rollout["hint"])))))
    text = summary(document)
    if text and os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(os.environ["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8") as file:
            file.write(f"{text}\n\n")


def summary(document: Mapping[str, Any]) -> str:
    """The Markdown of a command's document; empty where it is neither a plan's nor a deploy's."""
    if "fingerprint" in document and "changes" in document:
        return planned(document.get("environment") or "top level", document)
    if "dry_run" in document and "workers" in document:
        return deployed(document)
    several = document.get("plans") if "markdown" not in document else None
    parts = (planned(one.get("environment") or "top level", one) for one in several or ())
    return "\n\n".join(parts)


def planned(title: str, plan: Mapping[str, Any]) -> str:
    """A heading, the sums, and a table of the changes."""
    changes = plan["changes"]
    counts = {word: sum(one["action"] == word for one in changes) for word in WORDS}
    parts = [f"{count} {WORDS[word]}" for word, count in counts.items() if count]
    sums = ", ".join(parts) or "No changes"
    lines = [f"### Plan for {_text(title)}", "", f"**{sums}**; {plan['unchanged']} unchanged"]
    if changes:
        rows = [_change(one) for one in changes[:ROWS]]
        lines += ["", *_table(("", "resource", "what", ""), rows)]
    if len(changes) > ROWS:
        lines += ["", f"and {len(changes) - ROWS} more"]
    if plan.get("untagged"):
        lines += ["", "This account refuses resource tags: names decide, and nothing is deleted."]
    return "\n".join(lines)


def _change(one: Mapping[str, Any]) -> tuple[str, ...]:
    fields = one["fields"] if one["action"] != "create" else ()
    what = [_code(field["field"]) + _moved(field) for field in fields]
    note = one["note"] or REASONS.get(one["why"], "")
    loss = f"**cannot be undone: loses {_text(one['loses'])}**" if one["loses"] else ""
    sign = SIGNS[one["action"]][0]
    return (_code(sign), f"{_text(one['kind'])} {_code(one['name'])}", "<br>".join(what), loss or _text(note))


def _moved(field: Mapping[str, Any]) -> str:
    return f" {_code(_short(field['before']))} → {_code(_short(field['after']))}"


def _short(value: Any, longest: int = 80) -> str:
    text = str(value)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def deployed(report: Mapping[str, Any]) -> str:
    """A heading, a row for each Worker, and how its rollout went."""
    title = "Deploy of" if not report["dry_run"] else "Dry run of a deploy of"
    lines = [f"### {title} {_text(report.get('environment') or 'the top level')}", ""]
    rows = [_worker(one) for one in report["workers"]]
    lines += _table(("Worker", "result", "version", "digest", "address"), rows)
    rollout = report.get("rollout")
    if rollout and rollout.get("result"):
        shares = " → ".join(rollout["moves"])
        why = f": {_text(rollout['why'])}" if rollout["why"] else ""
        lines += ["", f"**{_text(rollout['result'])}**{why}", "", f"Shares: {_text(shares)}"]
    warnings = [f"- {_text(text)}" for one in report["workers"] for text in one["warnings"]]
    return "\n".join([*lines, *([""] if warnings else []), *warnings])


def _worker(one: Mapping[str, Any]) -> tuple[str, ...]:
    version = f"v{one['version_number']}" if one["version_number"] else (one["version_id"] or "")[:8]
    outcome = f"{one['outcome']}: {one['why']}" if one["why"] else one["outcome"]
    addresses = "<br>".join(map(_text, one["urls"]))
    return (
        _code(one["worker"]),
        _text(outcome),
        _text(version),
        _code((one["digest"] or "")[:19]),
        addresses,
    )


def previewed(documents: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Where each Worker can be tried, or why it cannot."""
    lines = []
    for worker, document in documents.items():
        deployed = [url for one in document.get("workers") or () for url in one["urls"][:1]]
        url = document.get("alias_url") or document.get("preview_url") or "<br>".join(deployed)
        error = (document.get("error") or {}).get("message")
        said = url or (f"no preview: {_text(error)}" if error else "no preview address")
        if url and document.get("expires"):
            said += f" ({_text(document['name'])}, until {_text(document['expires'])})"
        lines.append(f"**{_text(worker)}** {said}")
    return ["\n".join(lines)] if lines else []


def failed(title: str, error: TrailbossError) -> str:
    """A plan that could not be made."""
    hint = f"\n\n{_text(error.hint)}" if error.hint else ""
    return f"### Plan for {_text(title)}\n\n**{error.code}** {_text(error.message)}{hint}"


def fitting(parts: Sequence[str]) -> str:
    """The parts as one text, cut between lines where it would be too long for a comment."""
    text = "\n\n".join(parts)
    if len(text) <= LONGEST:
        return text
    return text[:LONGEST].rpartition("\n")[0] + "\n\nThe rest is in the log of the job."


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [headings, ["---"] * len(headings), *rows]
    return [f"| {' | '.join(row)} |" for row in lines]


def _text(value: Any) -> str:
    """Words as they are: nothing in them is Markdown, HTML, or calls somebody."""
    text = re.sub(r"([\\`*_\[\]|#~])", r"\\\1", " ".join(str(value).split()))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("@", "@<!-- -->")


def _code(value: Any) -> str:
    text = " ".join(str(value).split()).replace("`", "'").replace("|", "\\|")
    return f"`{text}`" if text else ""
