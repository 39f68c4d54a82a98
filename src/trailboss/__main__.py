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

    # A command lives for a moment: collecting the modules it has just loaded is a tenth of its time.
    gc.set_threshold(50_000, 20, 20)
    from trailboss.cli.main import main as run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
