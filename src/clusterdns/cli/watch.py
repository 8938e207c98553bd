"""`clusterdns watch`: a line for each query that a running server answers."""

from __future__ import annotations

import json
import sys

import click

from clusterdns.admin_socket import AdminError, default_path, path_of, stream
from clusterdns.diagnose.story import query_line


@click.command("watch", short_help="Show what a running server answers, as it happens.")
@click.option("--server", default=None, help="The server's admin socket, unix:PATH.", show_default="that of clusterdns serve")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(server: str | None, output: str) -> None:
    """One line per query: the answer, the object behind it, the line of the Corefile, the time it took. Ends with the server."""
    try:
        for reply in stream(path_of(server) if server else default_path("serve"), {"watch": {}}):
            print(json.dumps(reply) if output == "json" else query_line(reply), flush=True)
    except AdminError as why:
        print(f"clusterdns watch: {why}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(0)
