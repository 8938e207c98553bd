"""The commands of `./dev`, their options, and what each one runs."""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Sequence

from tools.check import check
from tools.console import ROOT, Failed, say
from tools.run import run
from tools.setup import VENV, rust_environment, set_up
from tools.test import test


def main(arguments: Sequence[str]) -> int:
    """Run one command; a failure is one line on stderr and exit code 1."""
    command, rest = parse(arguments)
    try:
        match command.command:
            case "run":
                return run(command.port)
            case "test":
                return test(rest)
            case "build":
                set_up("run")
                say(f"built: {VENV.relative_to(ROOT)}/bin/clusterdns")
                return 0
            case "check":
                return check()
            case program:
                return run_program(f"{program}/run.py", rest)
    except Failed as failure:
        say(f"./dev {command.command}: {failure}")
        return 1
    except KeyboardInterrupt:
        return 130


def parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """The command with its own options, and what is left for the program behind it."""
    parser = argparse.ArgumentParser(prog="./dev", description="The commands of this repository. Each sets up what it needs first.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run_parser = commands.add_parser("run", help="serve examples/shop on 127.0.0.1 and show each query")
    run_parser.add_argument("--port", type=port_number, default=1053, help="UDP and TCP port (default: 1053)")
    commands.add_parser("test", help="all tests; with arguments: pytest with these", add_help=False)
    commands.add_parser("build", help="set up and build, nothing else")
    commands.add_parser("check", help="linters, types, import contracts, formatting")
    commands.add_parser("bench", help="measure against a UDP echo; --json FILE keeps the figures", add_help=False)
    commands.add_parser("fuzz", help="fuzz the parsers; --seconds N says how long", add_help=False)
    command, rest = parser.parse_known_args(arguments)
    if rest and command.command in ("run", "build", "check"):
        parser.error(f"{command.command} does not take {' '.join(rest)}")
    return command, rest


def port_number(text: str) -> int:
    """A port from the command line."""
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text} is no port: 1 to 65535")
    return int(text)


def run_program(script: str, arguments: Sequence[str]) -> int:
    """Run a script of this repository in its environment, Rust toolchain included."""
    set_up("dev")
    return subprocess.call([VENV / "bin/python", ROOT / script, *arguments], env=rust_environment())
