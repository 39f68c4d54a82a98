"""Declared `exports`: the Durable Object classes a Worker says it has, brought together with what is there.

Scenario names and what they mean follow Cloudflare's page; the wording of the messages is ours, except for
the ones that page prints. A transfer is a "do_transfer" record of the receiving Worker until its source
commits. https://developers.cloudflare.com/durable-objects/reference/durable-objects-migrations/
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trailboss.sandbox.call import Call
from trailboss.sandbox.store import Record, Store
from trailboss.sandbox.workers import refusals
from trailboss.sandbox.workers.durable_objects import Classes
from trailboss.sandbox.workers.model import deployed_versions, namespaces_of
from trailboss.sandbox.workers.removal import incoming_objects

LIVE = ("created", "expecting-transfer")
REPORT = (
    *("created", "updated", "deleted", "renamed", "transferred"),
    *("transfer_pending", "warnings", "info", "removable_entries"),
)


def objects_of(exports: dict[str, Any] | None) -> dict[str, Any]:
    """The entries of a declaration that are Durable Object classes."""
    return {name: item for name, item in (exports or {}).items() if item.get("type") == "durable-object"}


def live_of(exports: dict[str, Any] | None) -> dict[str, Any]:
    """A declaration without its tombstones, as the API shows it."""
    return {name: item for name, item in (exports or {}).items() if _state(item) in LIVE}


def pending_transfers(store: Store, script: str) -> list[Record]:
    """What a Worker waits for: `class`, `from`, `to`."""
    return store.all("do_transfer", script)


def expected_namespaces(store: Store, classes: Classes) -> dict[str, Record]:
    """The namespaces a Worker waits for, by class: until the transfer they still are their source's."""
    sources = classes.expected
    if sources is None:
        sources = {item["class"]: item["from"] for item in pending_transfers(store, classes.script)}
    return {
        name: namespace
        for name, source in sources.items()
        for namespace in namespaces_of(store, source)
        if namespace["class"] == name
    }


def reconcile(call: Call, classes: Classes, exports: dict[str, Any], version: Record) -> dict[str, Any]:
    """Apply declared `exports` to `classes`; the report wrangler prints.

    Raises:
        ApiError: 100402 with one detail per class that cannot be.
    """
    work = Reconciliation(call, classes, objects_of(exports), _exported(version))
    classes.expected = {}
    for name, entry in work.wanted.items():
        if _state(entry) not in LIVE:
            work.bury(name, entry)
    for name, entry in work.wanted.items():
        if _state(entry) in LIVE:
            work.live(name, entry)
    work.look_over(version)
    if work.details:
        raise refusals.exports_failed(work.details)
    return work.report


def catch_up(call: Call, script: Record, versions: list[Record]) -> Classes | None:
    """The classes after versions are deployed whose `exports` were only noted when they came; None without.

    Raises:
        ApiError: 100405 when two versions declare different classes, 100402 as `reconcile`.
    """
    declared = [live_of(objects_of(version.get("exports"))) for version in versions]
    if any(item != declared[0] for item in declared):
        raise refusals.inconsistent_exports()
    classes = Classes(call, script["name"])
    late = [version for version in versions if version.get("deferred")]
    for version in late:
        reconcile(call, classes, version["exports"], version)
        version["deferred"] = False
        version["implements"] = sorted({*version["implements"], *classes.now})
    return classes if late else None


def _state(entry: dict[str, Any]) -> str:
    return str(entry.get("state") or "created")


def _exported(version: Record) -> set[str]:
    return {str(item["name"]) for item in version.get("classes", [])}


@dataclass
class Reconciliation:
    """One run over the entries: tombstones first, for they make room for the living."""

    call: Call
    classes: Classes
    wanted: dict[str, Any]
    exported: set[str]
    report: dict[str, Any] = field(default_factory=lambda: {key: [] for key in REPORT})
    details: list[dict[str, Any]] = field(default_factory=list)

    def fail(self, name: str, scenario: str, message: str, **more: Any) -> None:
        """Note why a class cannot be."""
        self.details.append({"class": name, "scenario": scenario, "message": message, **more})

    def tell(self, name: str, scenario: str, message: str, **more: Any) -> None:
        """Note something that stops nothing."""
        self.report["info"].append({"class": name, "scenario": scenario, "message": message, **more})

    def bury(self, name: str, entry: dict[str, Any]) -> None:
        """A tombstone."""
        state = _state(entry)
        if name not in self.classes.now:
            self._stale(name, state)
            return
        step = {"deleted": self._delete, "renamed": self._rename, "transferred": self._transfer}.get(state)
        if step is None:
            self.fail(name, "invalid_export", f"The state '{state}' is not known.")
        elif step(name, entry) and name in self.exported:
            self.tell(
                name,
                "tombstone_class_still_in_code",
                f"Tombstone of type '{state}' applied. Class '{name}' is still exported in code; this is the "
                f"supported pattern for zero-downtime {'rename' if state == 'renamed' else 'transfer'} "
                "rollouts.",
            )

    def _stale(self, name: str, state: str) -> None:
        users = self._users(name) if state != "deleted" else []
        message = (
            f"Tombstone of type '{state}' for class '{name}' has no effect (no namespace exists with this "
            "class name)."
        )
        if users:
            self.tell(name, "stale_tombstone", message, referencing_scripts=users)
            return
        self.tell(name, "stale_tombstone", f"{message} Safe to remove from `exports`.")
        self.report["removable_entries"].append(name)

    def _users(self, name: str) -> list[str]:
        """Other Workers whose bindings name this class of this Worker."""
        script = self.classes.script
        return sorted(
            {
                str(version["script"])
                for version in self.call.store.all("version")
                for item in version["bindings"]
                if item["type"] == "durable_object_namespace"
                and (item.get("script_name"), item.get("class_name")) == (script, name)
                and version["script"] != script
                and _is_deployed(self.call.store, version)
            }
        )

    def _delete(self, name: str, _entry: dict[str, Any]) -> bool:
        namespace = self.classes.now[name]
        users = sorted(
            {
                item["service"]
                for item in incoming_objects(self.call.store, self.classes.script)
                if item["durable_object_namespace_id"] == namespace["id"]
            }
        )
        if name in self.exported:
            message = f"Class '{name}' has a `deleted` tombstone but is still exported in code."
            self.fail(name, "tombstone_delete_class_still_in_code", message)
        elif users:
            message = f"Other Workers bind to the namespace of class '{name}'."
            scenario = "tombstone_delete_blocked_by_external_bindings"
            self.fail(name, scenario, message, referencing_scripts=users)
        else:
            self.classes.drop(name)
            self.report["deleted"].append(name)
        return False

    def _rename(self, name: str, entry: dict[str, Any]) -> bool:
        target = str(entry.get("renamed_to") or "")
        if target == name or _state(self.wanted.get(target, {"state": "missing"})) != "created":
            message = f"`renamed_to` of class '{name}' must name another live entry of `exports`."
            self.fail(name, "invalid_export", message)
        elif target in self.classes.now:
            message = f"Class '{name}' cannot become '{target}': a namespace exists under that name."
            self.fail(name, "tombstone_renamed_to_occupied", message)
        else:
            self.classes.rename(name, target)
            self.report["renamed"].append({"from": name, "to": target})
            return True
        return False

    def _transfer(self, name: str, entry: dict[str, Any]) -> bool:
        target, source = str(entry.get("transferred_to") or ""), self.classes.script
        waiting = [
            item
            for item in self.call.store.all("do_transfer")
            if item["class"] == name and item["from"] == source
        ]
        if self.call.store.get("script", target) is None:
            message = f"Class '{name}' is to go to Worker '{target}', which does not exist."
            self.fail(name, "transferred_target_missing", message)
        elif not waiting:
            message = f"Worker '{target}' has no `expecting-transfer` entry for class '{name}'."
            self.fail(name, "transferred_pending_not_found", message)
        elif all(item["to"] != target for item in waiting):
            message = f"The pending transfer of class '{name}' goes to Worker '{waiting[0]['to']}'."
            self.fail(name, "transferred_target_mismatch", message)
        else:
            self.classes.give(name, target)
            self.report["transferred"].append({"class": name, "to": target, "phase": "committed"})
            return True
        return False

    def live(self, name: str, entry: dict[str, Any]) -> None:
        """An entry that says the class is, or will be, here."""
        namespace = self.classes.now.get(name)
        storage = str(entry.get("storage") or "sqlite")
        if name not in self.exported:
            self._not_in_code(name, namespace)
        elif _state(entry) == "expecting-transfer":
            self._expect(name, str(entry.get("transfer_from") or ""), namespace)
        elif namespace is None and storage != "sqlite":
            message = f"Class '{name}': a new namespace can only have the storage `sqlite`."
            self.fail(name, "invalid_export", message)
        elif namespace is None:
            self.classes.create(name, sqlite=True)
            self.report["created"].append(name)
        elif namespace["use_sqlite"] != (storage == "sqlite"):
            message = f"The namespace of class '{name}' does not have the storage `{storage}`."
            self.fail(name, "storage_type_mismatch", message)

    def _not_in_code(self, name: str, namespace: Record | None) -> None:
        if namespace is None:
            message = f"`exports` declares class '{name}', which is neither in code nor provisioned."
            self.fail(name, "config_references_nonexistent_class", message)
        else:
            message = f"`exports` declares class '{name}', which the code does not export."
            self.fail(name, "config_export_not_in_code", message)

    def _expect(self, name: str, source: str, namespace: Record | None) -> None:
        store, script = self.call.store, self.classes.script
        if namespace is not None:
            self._arrived(name, source, namespace)
            return
        theirs = {item["class"] for item in namespaces_of(store, source)}
        before = [item for item in pending_transfers(store, script) if item["class"] == name]
        if store.get("script", source) is None:
            self.fail(name, "phase_one_transfer_source_missing", f"Worker '{source}' does not exist.")
        elif name not in theirs:
            message = f"Worker '{source}' has no namespace for class '{name}'."
            self.fail(name, "phase_one_transfer_source_namespace_missing", message)
        elif before and before[0]["from"] != source:
            message = f"Class '{name}' already waits for a transfer from Worker '{before[0]['from']}'."
            self.fail(name, "phase_one_transfer_duplicate", message)
        else:
            self.classes.expected = {**(self.classes.expected or {}), name: source}
            self.report["transfer_pending"].append({"class": name, "from": source})

    def _arrived(self, name: str, source: str, namespace: Record) -> None:
        came_from = namespace.get("transferred_from")
        if came_from == source:
            message = f"Class '{name}' has arrived from Worker '{source}'. Replace the entry by a live one."
            self.tell(name, "transfer_receive_already_applied", message)
        elif came_from:
            message = f"Class '{name}' came from Worker '{came_from}', not from '{source}'."
            self.fail(name, "phase_one_transfer_after_commit_mismatch", message)
        else:
            message = f"This Worker has a namespace for class '{name}' already."
            self.fail(name, "phase_one_transfer_target_class_provisioned", message)

    def look_over(self, version: Record) -> None:
        """What is there and was not declared."""
        for name in self.classes.now:
            if name in self.wanted:
                continue
            users = self._users(name)
            more = {"referencing_scripts": users} if users else {}
            if name in self.exported:
                message = (
                    f"The code exports '{name}' and a namespace exists, but no `exports` entry declares it."
                )
                self.fail(name, "provisioned_class_missing_from_config", message, **more)
            else:
                message = f"A namespace exists for '{name}' but no `exports` entry declares it."
                hint = (
                    f"add an `exports` entry for '{name}', or a `deleted` tombstone to remove the namespace."
                )
                self.fail(name, "orphaned_provisioned_namespace", message, suggestion=hint, **more)
        for item in version.get("classes", []):
            if item.get("kind") == "durable-object" and item["name"] not in self.wanted:
                message = f"Class '{item['name']}' is exported in code but not declared in `exports`."
                self.tell(item["name"], "code_class_not_in_exports", message)


def _is_deployed(store: Store, version: Record) -> bool:
    return any(item["id"] == version["id"] for item in deployed_versions(store, version["script"]))
