"""The AWS front of an instance: `python -m twin.aws.server --instance NAME`.

One HTTP port for every AWS SDK: moto behind a journal, rules that refuse what AWS refuses, an EKS of our
own, and `/_twin/...` for what the API has no word for (health, inventory, injected errors, the
controller's view).
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from twin import instances, web
from twin.web import application

__all__ = ["Handler", "application", "bind", "main", "serve"]


class Handler(web.Handler):
    """As any API server's, with S3's headers."""

    def make_environ(self) -> dict[str, Any]:
        """werkzeug drops headers with an underscore; S3 metadata keys may hold one."""
        from moto.core.request import environ_key_for_header, should_preserve_original_header_name

        environ = super().make_environ()
        preserved = {
            environ_key_for_header(name): name
            for name in self.headers
            if should_preserve_original_header_name(name)
        }
        for key, name in preserved.items():
            environ[key] = ",".join(self.headers.get_all(name, []))
        environ["moto.preserved_header_names"] = preserved
        return environ


def serve(instance: instances.Instance) -> None:
    """Serve until a signal comes."""

    def make() -> web.ApiServer:
        from twin.aws.api_server.server import ApiServer

        return ApiServer(instance)

    web.serve(instance, make, Handler)


def bind(instance: instances.Instance) -> web.BaseWSGIServer:
    """A server on the instance's port, not answering yet."""
    return web.bind(instance, Handler)


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m twin.aws.server", description=__doc__)
    parser.add_argument("--instance", required=True, help="the name of the twin to serve")
    name = parser.parse_args(arguments).instance
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets of strings must be the same in every life of the server.
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "twin.aws.server", *sys.argv[1:]])  # noqa: S606
    instance = instances.load(name)
    if instance is None:
        sys.exit(f"there is no twin named {name!r}; `aiplatform twin start --name {name}` makes it")
    serve(instance)


if __name__ == "__main__":
    main()
