"""`clusterdns`: the commands, each imported only when it is asked for."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import NoReturn

from clusterdns.cli.pipes import ended_by_reader
from clusterdns.version import COREDNS, VERSION

VERSION_LINE = f"clusterdns {VERSION} (CoreDNS {COREDNS})"

COMMANDS = {
    "explain": "Ask a running server for a name, and tell how the answer came about.",
    "lint": "Check Corefiles: all problems at once, and nothing is touched.",
    "serve": "Serve DNS as a Corefile says.",
    "watch": "Show what a running server answers, as it happens.",
}
"""The commands and their one-line helps; each is a module of this package with a `command`."""


def main() -> NoReturn:
    """The entry point. Who only wants the version does not wait for the rest."""
    with ended_by_reader():
        if sys.argv[1:] == ["--version"]:
            print(VERSION_LINE)
            sys.exit(0)
        group()


def group() -> NoReturn:
    """Run the command that the arguments name."""
    import click

    class Commands(click.Group):
        """A group whose commands are modules."""

        def list_commands(self, ctx: click.Context) -> list[str]:
            """Their names."""
            return sorted(COMMANDS)

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            """The command of this name."""
            if cmd_name not in COMMANDS:
                return None
            command: click.Command = import_module(f"clusterdns.cli.{cmd_name}").command
            return command

        def invoke(self, ctx: click.Context) -> object:
            """Runs the command; click itself would end it with 1, which says something else."""
            with ended_by_reader():
                return super().invoke(ctx)

        def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
            """Their one-line helps, without importing any."""
            with formatter.section("Commands"):
                formatter.write_dl(sorted(COMMANDS.items()))

    purpose = "DNS for Kubernetes: serve it, and find out why a name does not resolve."
    commands = Commands("clusterdns", help=purpose, context_settings={"help_option_names": ["-h", "--help"]})
    click.version_option(VERSION, message=VERSION_LINE)(commands)
    commands()
    raise AssertionError("a group ends the process")


if __name__ == "__main__":
    main()
