"""Versions, deployments, triggers, rollback and deletion: how a Worker gets live and who is live now.

Every verb is an async function that takes a `Cloud` and what the user named, and returns a frozen
dataclass; nothing here prints. State is read from the account each time: there is no file to lose.

    deploy.py     stages.CHECKS, then stages.CHANGES            triggers/   one file per trigger
    upload.py     a version without traffic, its preview        secret.py   put, bulk, list, delete
    versions.py   list, view, split traffic                     rollback.py one write back
    deployments.py, delete.py, whoami.py                        traffic.py  the write that moves traffic
    naming.py     v12, id, prefix, commit, tag, alias, latest, previous
    stamp.py      what a version says of its origin: digest, wiring, commit
"""
