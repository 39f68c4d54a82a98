"""A rollout: the walk from one version to another, judged on evidence, undone at the first failing gate.

    policy.py    what was asked for: strategy, steps, gates, probes; frozen values
    tables.py    `[release]`, `[gates]` and `[probes]` of trailboss.toml, typed
    shape.py     which Workers cannot be split, known before anything is built
    mark.py      the state of a rollout, kept in the message of each of its deployments
    scene.py     what is known in one pass; verdicts of stages
    stages.py    the stages of one pass, in the order of one tuple
    engine.py    the one driver: passes until an outcome ends the walk
    moves.py     every write: claim, step, keep, promote, undo
    judging.py   evidence of one Worker: statistics, certificate, answers of checks
    control.py   status, resume, abort, pause, promote: from any machine

The state is on Cloudflare's deployments. Whoever reads them can go on where another died.
"""
