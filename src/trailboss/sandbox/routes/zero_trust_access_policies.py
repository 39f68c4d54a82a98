"""Access policies: reusable ones of the account, and those of one application.

Faithful: shapes, codes, precedences that are unique in an application, reusable policies that stay while an
application has them.
https://developers.cloudflare.com/api/resources/zero_trust/subresources/access/subresources/policies/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trailboss.sandbox.call import Call
from trailboss.sandbox.envelope import Reply
from trailboss.sandbox.products.access_rules import (
    APPLICATION,
    POLICY,
    checked_policy,
    invalid,
    not_found,
)
from trailboss.sandbox.products.access_table import policies_of
from trailboss.sandbox.routes import Router
from trailboss.sandbox.routes.zero_trust_access_applications import application_of, write_policy

if TYPE_CHECKING:
    from trailboss.sandbox.store import Record


def _users(call: Call, policy: Record) -> list[Record]:
    """The applications that have a policy."""
    apps = call.store.all(APPLICATION)
    return [app for app in apps if any(link["id"] == policy["id"] for link in app["links"])]


def _reusable(call: Call) -> Record:
    found = call.store.get(POLICY, call["policy_id"])
    if found is None or found["app"]:
        raise not_found()
    return found


def _shown(call: Call, policy: Record) -> Record:
    fields = {name: value for name, value in policy.items() if name != "app"}
    return {**fields, "app_count": len(_users(call, policy)), "account_id": call.account}


async def list_policies(call: Call) -> Reply:
    """The reusable ones."""
    page = call.paged(call.store.all(POLICY, ""), per_page=25)
    page.result = [_shown(call, one) for one in page.result]
    return page


async def create_policy(call: Call) -> Reply:
    """In no application yet."""
    fields = checked_policy(call.store, await call.object())
    return Reply(_shown(call, write_policy(call, fields, "")), status=201)


async def get_policy(call: Call) -> Record:
    """One reusable policy."""
    return _shown(call, _reusable(call))


async def update_policy(call: Call) -> Record:
    """Everything anew, in every application that has it."""
    present = _reusable(call)
    written = write_policy(call, checked_policy(call.store, await call.object()), "", present)
    await call.runtime.sync()
    return _shown(call, written)


async def delete_policy(call: Call) -> Reply:
    """Not while an application has it."""
    policy = _reusable(call)
    if _users(call, policy):
        raise invalid("policy is used by one or more applications")
    call.store.delete(POLICY, policy["id"])
    return Reply({"id": policy["id"]}, status=202)


def _linked(call: Call, app: Record) -> Record:
    found = next((one for one in policies_of(call.store, app) if one["id"] == call["policy_id"]), None)
    if found is None:
        raise not_found()
    return found


def _bare(policy: Record) -> Record:
    return {name: value for name, value in policy.items() if name != "app"}


async def list_app_policies(call: Call) -> Reply:
    """An application's, in the order they are asked."""
    return call.paged([_bare(one) for one in policies_of(call.store, application_of(call))], per_page=25)


def _link(call: Call, app: Record, policy: str, precedence: int | None) -> int:
    """Give a policy its place in an application; without one it comes last."""
    others = [link for link in app["links"] if link["id"] != policy]
    place = precedence or 1 + max((int(link["precedence"]) for link in others), default=0)
    if any(link["precedence"] == place for link in others):
        raise invalid("policy precedences must be unique")
    links = [*others, {"id": policy, "precedence": place}]
    call.store.put(APPLICATION, app["id"], {**app, "links": links}, parent=app["zone"])
    return place


async def create_app_policy(call: Call) -> Reply:
    """Of this application alone."""
    app, body = application_of(call), await call.object()
    with call.store.transaction():
        policy = write_policy(call, checked_policy(call.store, body), app["id"])
        place = _link(call, app, policy["id"], body.get("precedence"))
    await call.runtime.sync()
    return Reply({**_bare(policy), "precedence": place}, status=201)


async def get_app_policy(call: Call) -> Record:
    """One of an application's policies."""
    return _bare(_linked(call, application_of(call)))


async def update_app_policy(call: Call) -> Record:
    """Everything anew; a reusable policy is changed at its own address."""
    app, body = application_of(call), await call.object()
    present = _linked(call, app)
    if not present["app"]:
        raise invalid("reusable policies cannot be updated through an application")
    with call.store.transaction():
        fields = checked_policy(call.store, body)
        policy = write_policy(call, fields, app["id"], present)
        place = _link(call, app, policy["id"], body.get("precedence") or present["precedence"])
    await call.runtime.sync()
    return {**_bare(policy), "precedence": place}


async def delete_app_policy(call: Call) -> Reply:
    """The application's own is gone; a reusable one only leaves the application."""
    app = application_of(call)
    policy = _linked(call, app)
    links = [link for link in app["links"] if link["id"] != policy["id"]]
    with call.store.transaction():
        call.store.put(APPLICATION, app["id"], {**app, "links": links}, parent=app["zone"])
        if policy["app"]:
            call.store.delete(POLICY, policy["id"])
    await call.runtime.sync()
    return Reply({"id": policy["id"]}, status=202)


router = Router("zero_trust_access_policies")
_HANDLERS = {
    "": (list_policies, create_policy, get_policy, update_policy, delete_policy),
    "applications.": (
        list_app_policies,
        create_app_policy,
        get_app_policy,
        update_app_policy,
        delete_app_policy,
    ),
}
for _root, _of in (
    ("A/access/policies", ""),
    ("A/access/apps/{app_id}/policies", "applications."),
    ("Z/access/apps/{app_id}/policies", "applications."),
):
    _list, _create, _get, _update, _delete = _HANDLERS[_of]
    _sdk, _type = f"zero_trust.access.{_of}policies", f"zero_trust.access.{_of}Policy"
    router.add("GET", _root, _list, sdk=f"{_sdk}.list", reply=f"{_type}ListResponse")
    router.add(
        "POST",
        _root,
        _create,
        sdk=f"{_sdk}.create",
        request=f"{_type}CreateParams",
        reply=f"{_type}CreateResponse",
    )
    _one = f"{_root}/{{policy_id}}"
    router.add("GET", _one, _get, sdk=f"{_sdk}.get", reply=f"{_type}GetResponse")
    router.add(
        "PUT",
        _one,
        _update,
        sdk=f"{_sdk}.update",
        request=f"{_type}UpdateParams",
        reply=f"{_type}UpdateResponse",
    )
    router.add("DELETE", _one, _delete, sdk=f"{_sdk}.delete", reply=f"{_type}DeleteResponse")
