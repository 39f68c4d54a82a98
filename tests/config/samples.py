"""A project file that several tests start from."""

PROJECT = """
name = "agency"
inherit_bindings = true

[workers.api]
path = "."

[target]
account_id = "0123"

[release]
steps = [1, 10, 100]

[environments.staging]
branches = ["develop"]
release.steps = [50, 100]

[environments.production]
protected = true
"""
