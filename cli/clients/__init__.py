"""Clients of the clouds' APIs, by the endpoints and credentials that the providers read.

The same code reaches a cloud, and within `variables.only` a twin.
"""

from __future__ import annotations

from typing import Any


def of(cloud: str, region: str, account: str, *, on_twin: bool) -> Any:
    """Return the client of a cloud; no request is made yet. on_twin: whether the account is a twin's, which
    reaches nothing outside this machine."""
    if cloud == "aws":
        from cli.clients.aws import Client

        return Client(region)
    from cli.clients import gcp

    return gcp.Client(account, local=on_twin)
