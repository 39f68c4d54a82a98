"""Durable Object classes of a Worker: migrations (steps with tags) and declared exports, on namespace
records."""

from __future__ import annotations

from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.store import Record
from trailboss.sandbox.workers import refusals
from trailboss.sandbox.workers.model import namespaces_of

STEP_KEYS = ("new_classes", "new_sqlite_classes", "renamed_classes", "deleted_classes", "transferred_classes")


def steps_of(migrations: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps of a `migrations` object: wrangler's list of them, or the SDK's single one."""
    steps = migrations.get("steps")
    if steps is not None:
        return list(steps)
    single = {key: migrations[key] for key in STEP_KEYS if migrations.get(key)}
    return [single] if single else []


class Classes:
    """The namespaces a Worker will have: begin from what is there, apply, check, write."""

    def __init__(self, call: Call, script: str) -> None:
        self._call = call
        self._script = script
        self.before = {item["class"]: item for item in namespaces_of(call.store, script)}
        self.now = dict(self.before)
        self.gone: list[Record] = []
        self.taken: list[Record] = []
        self.fresh: set[str] = set()

    def migrate(self, migrations: dict[str, Any], current_tag: str | None) -> str | None:
        """Apply a `migrations` object; the new tag.

        Raises:
            ApiError: 10079 on another tag, 10071 and 10074 on steps that do not fit.
        """
        given = migrations.get("old_tag")
        if (given or None) != (current_tag or None):
            raise refusals.migration_tag_mismatch(given or "", current_tag or "")
        for step in steps_of(migrations):
            self._step(step)
        return migrations.get("new_tag") or current_tag

    def _step(self, step: dict[str, Any]) -> None:
        for name in step.get("new_classes") or []:
            self.create(name, sqlite=False)
        for name in step.get("new_sqlite_classes") or []:
            self.create(name, sqlite=True)
        for rename in step.get("renamed_classes") or []:
            self._rename(rename["from"], rename["to"])
        for name in step.get("deleted_classes") or []:
            self.gone.append(self._take("delete-class", name))
        for transfer in step.get("transferred_classes") or []:
            self._transfer(transfer["from"], transfer["from_script"], transfer["to"])

    def create(self, name: str, *, sqlite: bool) -> None:
        """A new class, with a namespace of its own."""
        if name in self.now:
            raise refusals.class_exists(name)
        self.fresh.add(name)
        self.now[name] = {
            "id": self._call.ids.hex(32),
            "name": f"{self._script}_{name}",
            "script": self._script,
            "class": name,
            "use_sqlite": sqlite,
        }

    def _take(self, step: str, name: str) -> Record:
        found: Record | None = self.now.pop(name, None)
        if found is None:
            raise refusals.class_unknown(step, name)
        return found

    def _rename(self, old: str, new: str) -> None:
        if new in self.now:
            raise refusals.class_exists(new)
        namespace = self._take("rename-class", old)
        self.now[new] = {**namespace, "class": new, "name": f"{self._script}_{new}"}

    def _transfer(self, old: str, script: str, new: str) -> None:
        for namespace in namespaces_of(self._call.store, script):
            if namespace["class"] == old:
                self.taken.append(namespace)
                self.now[new] = {
                    **namespace,
                    "class": new,
                    "script": self._script,
                    "name": f"{self._script}_{new}",
                }
                return
        raise refusals.class_unknown("transfer-class", old)

    def check_exported(self, exported: list[str]) -> None:
        """Every class needs to be exported by the code."""
        for name in self.now:
            if name not in exported:
                raise refusals.class_not_exported(name, known=name not in self.fresh)

    def write(self) -> None:
        """Make it so; inside the caller's transaction."""
        store = self._call.store
        kept = {namespace["id"] for namespace in self.now.values()}
        for namespace in self.before.values():
            if namespace["id"] not in kept:
                store.delete("do_namespace", namespace["id"])
        for namespace in self.now.values():
            store.put("do_namespace", namespace["id"], namespace, parent=self._script)


def reconcile(classes: Classes, exports: dict[str, Any], exported: list[str]) -> dict[str, Any]:
    """Apply declared `exports`; the report wrangler prints.

    Raises:
        ApiError: 100402 with one detail per class that cannot be.
    """
    report: dict[str, Any] = {
        key: []
        for key in (
            *("created", "updated", "deleted", "renamed", "transferred"),
            *("transfer_pending", "warnings", "info", "removable_entries"),
        )
    }
    details: list[dict[str, Any]] = []
    for name, entry in exports.items():
        if entry.get("type") == "durable-object":
            _reconcile_one(classes, name, entry, report, details)
    for name in classes.now:
        if name not in exports:
            details.append(
                _detail(name, "undeclared", f"Class '{name}' has Durable Objects but no export entry.")
            )
        elif name not in exported:
            details.append(
                _detail(name, "not-exported", f"Class '{name}' is not exported by the Worker's code.")
            )
    if details:
        raise refusals.exports_failed(details)
    return report


def _reconcile_one(
    classes: Classes, name: str, entry: dict[str, Any], report: dict[str, Any], details: list[dict[str, Any]]
) -> None:
    state = entry.get("state", "created")
    if state == "created" and name not in classes.now:
        classes.create(name, sqlite=entry.get("storage", "sqlite") == "sqlite")
        report["created"].append(name)
    elif state == "deleted":
        _delete(classes, name, report)
    elif state == "renamed":
        target = str(entry.get("renamed_to", ""))
        if name in classes.now and target not in classes.now:
            classes._rename(name, target)
            report["renamed"].append({"from": name, "to": target})
        else:
            report["removable_entries"].append(name)
    elif state in ("transferred", "expecting-transfer"):
        details.append(
            _detail(name, "transfer", "Transfers between Workers are not emulated by the sandbox.")
        )


def _delete(classes: Classes, name: str, report: dict[str, Any]) -> None:
    if name in classes.now:
        classes.gone.append(classes.now.pop(name))
        report["deleted"].append(name)
    else:
        report["removable_entries"].append(name)


def _detail(name: str, scenario: str, message: str) -> dict[str, Any]:
    return {"class": name, "scenario": scenario, "message": message}
