"""`trailboss` and `python -m trailboss`: the version is answered before anything else is imported."""

from __future__ import annotations

import sys

VERSION_FLAGS = ("--version", "-v", "-V")


def main() -> int:
    """Run the command line in `sys.argv`; the result is the exit status."""
    if sys.argv[1:2] and sys.argv[1] in VERSION_FLAGS:
        from trailboss.version import __version__

        sys.stdout.write(f"trailboss {__version__}\n")
        return 0
    import gc

    # A command lives for a moment: looking for garbage among what it has just loaded is a tenth of its time.
    gc.set_threshold(200_000, 20, 20)
    from trailboss.cli.main import main as run

    return run(sys.argv[1:])


def program() -> None:
    """The installed program: `main`, and the end of the process.

    What was begun is finished (threads, exit handlers, output), but modules and objects are not taken down
    one by one as Python does it: that is a sixth of a short command's time.
    """
    status = main()
    threading = sys.modules.get("threading")
    if threading is not None and threading.active_count() > 1:
        sys.exit(status)
    import atexit
    import os

    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        sys.exit(status)  # the interpreter has its own way with a stream that is broken
    os._exit(status)


if __name__ == "__main__":
    program()
