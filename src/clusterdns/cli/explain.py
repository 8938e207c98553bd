"""`clusterdns explain`: ask a running server for a name, and tell how the answer came about."""

from __future__ import annotations

import json
import sys

import click

from clusterdns.admin_socket import AdminError, Reply, ask, default_path, path_of
from clusterdns.diagnose.story import tell


@click.command("explain", short_help="Ask a running server for a name, and tell how the answer came about.")
@click.argument("name")
@click.argument("qtype", metavar="[TYPE]", default="A")
@click.option("--server", default=None, help="The server's admin socket, unix:PATH.", show_default="that of clusterdns serve")
@click.option("--client", default=None, help="Ask as this IP address.")
@click.option("--listener", default=None, help="Ask on this listener, HOST:PORT.", show_default="the first")
@click.option("--tcp", is_flag=True, help="Ask as over TCP.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(name: str, qtype: str, server: str | None, client: str | None, listener: str | None, tcp: bool, output: str) -> None:
    """Ask a running server for NAME (TYPE: A unless given). It is asked for real, but nothing is cached or counted."""
    request: Reply = {"explain": {"name": name, "type": qtype, "client": client, "listener": listener, "tcp": tcp}}
    try:
        reply = ask(path_of(server) if server else default_path("serve"), request)
    except AdminError as why:
        print(f"clusterdns explain: {why}", file=sys.stderr)
        sys.exit(1)
    print(json.dumps(reply, indent=2) if output == "json" else tell(reply))
