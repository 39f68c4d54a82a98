"""Durable Object classes of a Worker, on namespace records, and migrations (steps with tags)."""

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
        self.script = script
        self.before = {item["class"]: item for item in namespaces_of(call.store, script)}
        self.now = dict(self.before)
        self.fresh: set[str] = set()
        self.given: list[Record] = []
        self.expected: dict[str, str] | None = None
        """Classes that shall come from other Workers; None leaves what was expected before."""

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
            self.rename(rename["from"], rename["to"])
        for name in step.get("deleted_classes") or []:
            self._take("delete-class", name)
        for transfer in step.get("transferred_classes") or []:
            self._transfer(transfer["from"], transfer["from_script"], transfer["to"])

    def create(self, name: str, *, sqlite: bool) -> None:
        """A new class, with a namespace of its own."""
        if name in self.now:
            raise refusals.class_exists(name)
        self.fresh.add(name)
        self.now[name] = {
            "id": self._call.ids.hex(32),
            "name": f"{self.script}_{name}",
            "script": self.script,
            "class": name,
            "use_sqlite": sqlite,
        }

    def _take(self, step: str, name: str) -> Record:
        found: Record | None = self.now.pop(name, None)
        if found is None:
            raise refusals.class_unknown(step, name)
        return found

    def drop(self, name: str) -> None:
        """Let a class go, with its data."""
        del self.now[name]

    def give(self, name: str, script: str) -> None:
        """Hand a class over to another Worker."""
        namespace = self.now.pop(name)
        moved = {"script": script, "name": f"{script}_{name}", "transferred_from": self.script}
        self.given.append({**namespace, **moved})

    def rename(self, old: str, new: str) -> None:
        """Another name for a class, the same data."""
        if new in self.now:
            raise refusals.class_exists(new)
        namespace = self._take("rename-class", old)
        self.now[new] = {**namespace, "class": new, "name": f"{self.script}_{new}"}

    def _transfer(self, old: str, script: str, new: str) -> None:
        for namespace in namespaces_of(self._call.store, script):
            if namespace["class"] == old:
                self.now[new] = {
                    **namespace,
                    "class": new,
                    "script": self.script,
                    "name": f"{self.script}_{new}",
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
        kept = {namespace["id"] for namespace in (*self.now.values(), *self.given)}
        for namespace in self.before.values():
            if namespace["id"] not in kept:
                store.delete("do_namespace", namespace["id"])
        for namespace in self.now.values():
            store.put("do_namespace", namespace["id"], namespace, parent=self.script)
        for namespace in self.given:
            store.put("do_namespace", namespace["id"], namespace, parent=namespace["script"])
            store.delete("do_transfer", f"{namespace['script']}/{namespace['class']}")
        if self.expected is not None:
            self._expect(self.expected)

    def _expect(self, sources: dict[str, str]) -> None:
        store = self._call.store
        store.delete_all("do_transfer", self.script)
        for name, source in sources.items():
            record = {"class": name, "from": source, "to": self.script}
            store.put("do_transfer", f"{self.script}/{name}", record, parent=self.script)
