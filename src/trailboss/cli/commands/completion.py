"""`trailboss completion SHELL`: the script a shell reads once."""

from __future__ import annotations

import click

from trailboss.cli.declare import command
from trailboss.cli.run import Run


@command(
    'eval "$(trailboss completion bash)"',
    "trailboss completion fish > ~/.config/fish/completions/trailboss.fish",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(run: Run, shell: str) -> None:
    """Print the completion script of a shell.

    Put the first example into ~/.bashrc, or `eval "$(trailboss completion zsh)"` into ~/.zshrc after
    compinit.
    """
    from trailboss.cli.complete import SCRIPTS

    script = SCRIPTS[shell]
    run.result({"shell": shell, "script": script}, lambda output: output.line(script.rstrip("\n")))
