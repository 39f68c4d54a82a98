"""Resolving references: how many processes and requests it takes, and how long, for 1, 10 and 50 of them.

The peer reads each reference with a process of its own, as a script of `op read` lines does. `op` is a
stand-in that answers at once: what is measured is what we add to it. Each start of the real program costs its
own time on top, and on a laptop possibly a fingerprint.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import ms, pairs, table
from trailboss.secrets import read_dotenv
from trailboss.secrets.settings import SecretsSettings

STANDIN = """\
import re, sys
from pathlib import Path
with (Path(__file__).parent / "calls").open("a") as log:
    log.write(sys.argv[1] + "\\n")
if sys.argv[1] == "inject":
    sys.stdout.write(re.sub(r"\\{\\{ (op://[^{}]+) \\}\\}", "value of \\\\1", sys.stdin.read()))
else:
    print("value of", sys.argv[2])
"""
COUNTS = (1, 10, 50)


def main() -> None:
    """One row for each number of references."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        program = home / "op"
        program.write_text(f"#!{sys.executable} -IS\n{STANDIN}")
        program.chmod(0o755)
        environ = {"PATH": f"{home}{os.pathsep}{os.defpath}"}
        for count in COUNTS:
            references = [f"op://Vault/item-{number}/field" for number in range(count)]
            file = home / f".env.{count}"
            file.write_text("".join(f"NAME_{n}={text}\n" for n, text in enumerate(references)))
            taken = pairs(lambda f=file: _ours(f, environ), lambda r=references: _each(program, r), runs=5)
            (home / "calls").unlink()
            found = _ours(file, environ)
            assert found == count
            processes = len((home / "calls").read_text().splitlines())
            rows.append((count, processes, ms(taken.ours), count, ms(taken.peer), f"{taken.ratio:.1f} x"))
    table(("references", "op processes", "ours", "one each", "peer", "ratio"), rows)


def _ours(file: Path, environ: dict[str, str]) -> int:
    return len(read_dotenv(file, environ, SecretsSettings(backend="op")))


def _each(program: Path, references: list[str]) -> None:
    for reference in references:
        subprocess.run([program, "read", reference], capture_output=True, check=True)


if __name__ == "__main__":
    main()
