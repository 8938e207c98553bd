"""`clusterdns serve`: the cluster's DNS server. Takes the flags of coredns, in Go's style, and a few of its own."""

from __future__ import annotations

import json
import os
import sys
from typing import NoReturn

import click

from clusterdns.cli.flags import Flag, FlagError, parse_flags, usage
from clusterdns.cli.pipes import ended_by_reader
from clusterdns.version import COREDNS, VERSION

FLAGS = {
    "conf": Flag("", "Corefile to serve (stdin: from standard input); without it ./Corefile"),
    "dns.port": Flag("53", "port of keys that name none"),
    "p": Flag("", "the same as -dns.port", same_as="dns.port"),
    "log-format": Flag("text", "how the log is written: text or json"),
    "pidfile": Flag("", "file to write the process id to"),
    "plugins": Flag("", "list the directives and end", switch=True),
    "quiet": Flag("", "do not print what is served", switch=True),
    "version": Flag("", "print the versions and end", switch=True),
    "check": Flag("", "check the Corefile, report all problems and end; nothing is opened", switch=True),
    "state": Flag("", "directory that keeps the last good configuration"),
    "admin": Flag("", "unix:PATH of the admin socket; none: no socket"),
}

LOG_FORMATS = ("text", "json")

SIGNALS = """\
Signals:
  SIGTERM    answer what has come, and end; with health's lameduck a while later
  SIGINT     the same; a second one ends it at once
  SIGQUIT    end at once
  SIGUSR1    read the Corefile again
  SIGUSR2    nothing: there is no upgrade in place
  SIGHUP     nothing"""

# CoreDNS serves `whoami` with `log` then (rule G9); a server that nobody has configured helps nobody.
NO_COREFILE = """\
there is no Corefile in this directory: name one with -conf FILE, or write one; the smallest is
.:53 {
    whoami
}"""


@click.command(
    "serve",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    short_help="Serve DNS as a Corefile says.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Serve DNS as a Corefile says, until SIGTERM or SIGINT; SIGUSR1 reads the Corefile again."""
    code = run("clusterdns serve", arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    # All that matters has been closed; taking a cluster's objects apart one by one would only keep the next server waiting.
    os._exit(code)


def coredns() -> NoReturn:
    """The entry point `coredns`: the same server under the name that images, manifests and scripts know."""
    with ended_by_reader():
        sys.exit(run("coredns", tuple(sys.argv[1:])))


def run(program: str, arguments: tuple[str, ...]) -> int:
    """Does what the flags say; gives the exit code."""
    if arguments and arguments[0] in ("-h", "-help", "--help"):
        print(f"{usage(program, FLAGS)}\n{SIGNALS}")
        return 0
    try:
        flags, rest = parse_flags(arguments, FLAGS)
    except FlagError as why:
        print(f"{why}\n{usage(program, FLAGS)}", file=sys.stderr)
        return 2
    if rest:
        print(f"extra command line arguments: {' '.join(rest)}", file=sys.stderr)
        return 1
    if flags["version"]:
        print(f"CoreDNS-{COREDNS}\nlinux/{os.uname().machine}, clusterdns-{VERSION}")
        return 0
    if flags["plugins"]:
        from clusterdns.directives import HERE, TABLE

        print("\n".join(f"dns.{name}" for name, state in TABLE.items() if state is HERE))
        return 0
    return _serve(flags)


def _serve(flags: dict[str, str]) -> int:
    """Serves as the flags say; gives the exit code."""
    conf = flags["conf"] or "Corefile"
    port = flags["dns.port"]
    if not port.isdecimal() or int(port) > 65535:
        print(f"-dns.port {port}: a port is a number from 0 to 65535", file=sys.stderr)
        return 1
    if flags["log-format"] not in LOG_FORMATS:
        print(f'invalid value "{flags["log-format"]}" for flag -log-format: must be one of {", ".join(LOG_FORMATS)}', file=sys.stderr)
        return 2
    if flags["check"]:
        return _check(conf, int(port))
    if sys.platform != "linux":
        print("clusterdns runs on Linux; elsewhere use a virtual machine or a container", file=sys.stderr)
        return 1
    from clusterdns.admin_socket import default_path, path_of
    from clusterdns.control.server import ServeOptions, StartError, serve

    admin = "" if flags["admin"] == "none" else path_of(flags["admin"]) or default_path("serve")
    json_log = flags["log-format"] == "json"
    options = ServeOptions(conf, int(port), flags["state"], admin, bool(flags["quiet"]), flags["pidfile"], json_log)
    try:
        return serve(options)
    except StartError as why:
        if str(why):
            print(json.dumps({"level": "ERROR", "msg": str(why).removeprefix("[ERROR] ")}) if json_log else why, file=sys.stderr)
        if not flags["conf"] and not os.path.exists(conf):
            print(NO_COREFILE, file=sys.stderr)
        return 1


def _check(conf: str, port: int) -> int:
    """All problems of a Corefile; opens nothing, and looks up no name."""
    from msgspec.structs import replace

    from clusterdns.control.config import read_configuration
    from clusterdns.control.machine import machine_sources
    from clusterdns.corefile.problems import has_errors
    from clusterdns.corefile.report import text_report
    from clusterdns.sources import stand_in

    configuration = read_configuration(conf, replace(machine_sources(), resolve=stand_in), port)
    if configuration.problems:
        sys.stderr.write(text_report(configuration.problems, configuration.texts))
    return 1 if has_errors(configuration.problems) else 0
