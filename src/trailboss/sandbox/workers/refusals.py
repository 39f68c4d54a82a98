"""What the Workers API says no with. Codes and wording as wrangler and the dashboard show them."""

from __future__ import annotations

from typing import Any

from trailboss.sandbox.refusals import ApiError


def script_not_found() -> ApiError:
    """No Worker of that name."""
    return ApiError(404, 10007, "This Worker does not exist on your account.")


def service_not_found() -> ApiError:
    """The same, as the services API says it."""
    return ApiError(404, 10090, "This Worker does not exist on your account.")


def version_not_found(version: str = "") -> ApiError:
    """No such version of this Worker."""
    return ApiError(404, 10012, f"No version with id {version!r} exists for this Worker.")


def deployment_not_found() -> ApiError:
    """No such deployment of this Worker."""
    return ApiError(404, 10011, "The deployment could not be found.")


def validation_failed(message: str) -> ApiError:
    """The runtime did not take the code; the note is what wrangler shows and maps to the source."""
    return ApiError(400, 10021, message, notes=[{"code": 10021, "message": message}])


def no_handlers() -> ApiError:
    """The code loads and answers nothing."""
    return ApiError(400, 10068, "The uploaded script has no registered event handlers.")


def too_large(size: int, limit: int) -> ApiError:
    """Over the size limit."""
    message = f"Your Worker exceeded the size limit of {limit // 2**20} MiB. It has {size / 2**20:.2f} MiB."
    return ApiError(413, 10027, message)


def invalid_name(name: str) -> ApiError:
    """A name that cannot be part of a host name."""
    message = f"Worker name {name!r} is not valid: use lower-case letters, digits, dashes and underscores."
    return ApiError(400, 10016, message)


def bad_metadata(message: str) -> ApiError:
    """The metadata part is missing, or not what it should be."""
    return ApiError(400, 10021, message)


def inherit_failed(names: list[str]) -> ApiError:
    """Strict inheritance of bindings the previous version does not have."""
    errors = [{"code": 10057, "message": f"inherit binding '{name}' is invalid"} for name in names[1:]]
    return ApiError(400, 10057, f"inherit binding '{names[0]}' is invalid", more=errors)


def name_in_use(name: str) -> ApiError:
    """Two bindings of one name."""
    message = f"Binding name '{name}' already in use. Please use a different name and try again."
    return ApiError(400, 10053, message)


def latest_not_deployed() -> ApiError:
    """A secret may only be changed when the newest version is the one that runs."""
    message = (
        "Secret edit failed. You attempted to modify a secret, but the latest version of your Worker isn't "
        "currently deployed. Please ensure that the latest version of your Worker is fully deployed "
        "(wrangler versions deploy) before modifying secrets."
    )
    return ApiError(400, 10215, message)


def secrets_changed(names: list[str]) -> ApiError:
    """Rolling back would also roll back secrets."""
    message = (
        "This version was created with other secrets; set force=true to deploy it anyway. "
        f"The following secrets have changed: {', '.join(names)}"
    )
    return ApiError(400, 10220, message)


def no_versions() -> ApiError:
    """Nothing was uploaded yet."""
    return ApiError(404, 10222, "This Worker has no versions.")


def bad_deployment(message: str) -> ApiError:
    """Percentages or versions that make no deployment."""
    return ApiError(400, 10210, message)


def migration_in_version() -> ApiError:
    """Durable Object classes change at once for everyone, so not with a version upload."""
    message = (
        "Version upload failed. You attempted to upload a version that includes a Durable Object migration, "
        "but migrations must be fully applied by running a deployment of the Worker."
    )
    return ApiError(400, 10211, message)


def migration_tag_mismatch(given: str, current: str) -> ApiError:
    """The client believes another state of migrations."""
    message = (
        f"Durable Object migration tag precondition failed: got tag '{given}', current tag is '{current}'."
    )
    return ApiError(412, 10079, message)


def class_not_exported(name: str, known: bool) -> ApiError:
    """A migration or an existing namespace needs a class the code does not export."""
    if known:
        message = (
            f"New version of script does not export class '{name}' which is depended on by existing Durable "
            "Objects. If you want to delete the class's Durable Objects, use a 'deleted_classes' migration."
        )
        return ApiError(400, 10064, message)
    message = f"Cannot apply new-class migration to class '{name}' that is not exported by script."
    return ApiError(400, 10070, message)


def class_exists(name: str) -> ApiError:
    """new_classes of a class that has a namespace."""
    message = (
        f"Cannot apply new-class migration to class '{name}' that is already depended on by "
        "existing Durable Objects."
    )
    return ApiError(400, 10074, message)


def class_unknown(step: str, name: str) -> ApiError:
    """A migration of a class that has no namespace."""
    message = f"Cannot apply {step} migration to class '{name}' that is not currently a Durable Object class."
    return ApiError(400, 10071, message)


def class_not_configured(name: str) -> ApiError:
    """A binding to a class no migration made."""
    message = (
        f"Cannot create binding for class '{name}' because it is not currently configured to "
        f"implement Durable Objects. Did you forget to include a migration for '{name}'?"
    )
    return ApiError(400, 10061, message)


def class_not_provisioned(name: str) -> ApiError:
    """A binding of an undeployed version to a class that only its own `exports` declare."""
    message = (
        f"Cannot create binding for class '{name}': it is declared in `exports` but not provisioned yet. "
        "Deploy the version that declares it first, then add the binding."
    )
    return ApiError(400, 100406, message)


def inconsistent_exports() -> ApiError:
    """A split between versions that declare different classes."""
    message = "The versions of a deployment must declare the same Durable Object `exports`."
    return ApiError(400, 100405, message)


def migration_between(name: str) -> ApiError:
    """A version from before a migration of its classes."""
    message = f"The version cannot be deployed: a Durable Object migration of class '{name}' lies between."
    return ApiError(400, 10123, message)


def exports_failed(details: list[dict[str, Any]]) -> ApiError:
    """Declared exports and the account's Durable Objects cannot be brought together."""
    return ApiError(400, 100402, "Durable Object exports reconciliation failed.", meta={"details": details})


def no_subdomain() -> ApiError:
    """The account has no workers.dev name."""
    return ApiError(404, 10007, "This account has no workers.dev subdomain.")


def subdomain_needed() -> ApiError:
    """An upload before the account has a workers.dev name."""
    message = "You need a workers.dev subdomain in order to proceed. Register one in the dashboard."
    return ApiError(400, 10063, message)


def has_dependents(message: str) -> ApiError:
    """Deleting a Worker that others still use."""
    return ApiError(400, 10064, message)
