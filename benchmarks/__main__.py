"""Run every benchmark, or those named: `python -m benchmarks startup ingress`."""

from __future__ import annotations

import importlib
import os
import sys

ALL = ("startup", "build", "deploy", "sandbox", "ingress", "dev", "gates", "secrets", "release", "plan")


def main() -> int:
    wanted = sys.argv[1:] or ALL
    unknown = [name for name in wanted if name not in ALL]
    if unknown:
        print(f"unknown benchmark {', '.join(unknown)}; there are {', '.join(ALL)}", file=sys.stderr)
        return 2
    # An installed program has its bytecode; without this every run of ours would compile a hundred files.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for name in wanted:
        print(f"\n## {name}\n")
        importlib.import_module(f"benchmarks.{name}").main()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
