"""Versions, deployments, triggers, rollback and deletion: how a Worker gets live and who is live now.

Every verb is an async function that takes a `Cloud` and what the user named, and returns a frozen
dataclass; nothing here prints. State is read from the account each time: there is no file to lose.

    deploy.py     build, upload, 100 % of traffic, triggers     triggers/   one file per trigger
    versions.py   list, view, upload, split traffic             secret.py   put, bulk, list, delete
    rollback.py   one write back to an earlier version          delete.py, whoami.py
"""
