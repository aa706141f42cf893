"""The Google front of an instance: `python -m twin.gcp.server --instance NAME`.

One HTTP port for every Google client: `http://127.0.0.1:PORT/<the API's host>/<its path>`, answered by the
discovery documents, and `/_twin/...` for what the APIs have no word for (health, inventory, injected
errors, the controller's view).
"""

from __future__ import annotations

import argparse
import sys

from twin import instances, web


def serve(instance: instances.Instance) -> None:
    """Serve until a signal comes."""

    def make() -> web.ApiServer:
        from twin.gcp.api_server.server import ApiServer

        return ApiServer(instance)

    web.serve(instance, make)


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m twin.gcp.server", description=__doc__)
    parser.add_argument("--instance", required=True, help="the name of the twin to serve")
    name = parser.parse_args(arguments).instance
    instance = instances.load(name)
    if instance is None:
        sys.exit(
            f"there is no twin named {name!r}; `aiplatform twin start --name {name} --cloud gcp` makes it"
        )
    serve(instance)


if __name__ == "__main__":
    main()
