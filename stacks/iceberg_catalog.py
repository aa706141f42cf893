"""How PyIceberg reaches the catalog of the lakehouse: a file for Pods, and variables for functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml
from pulumi import Input, Output

from aiplatform._shared.args import UNKNOWN
from stacks.settings import Settings

_VARIABLE: Final = "PYICEBERG_CATALOG__DEFAULT__"
"""What names of variables of the catalog `default` begin with."""


def file(settings: Settings, lakehouse: Mapping[str, Any]) -> Input[str]:
    """Return PyIceberg's configuration of the catalog `default`, by its REST endpoint ("Configuration" in
    PyIceberg's documentation). lakehouse: outputs of the component."""
    properties = _properties(settings)

    def text(resolved: Sequence[str]) -> str:
        uri, warehouse = resolved
        catalog = {"type": "rest", "uri": uri, "warehouse": warehouse, **properties}
        return yaml.safe_dump({"catalog": {"default": catalog}}, sort_keys=False)

    address = (lakehouse["catalog_uri"], lakehouse["warehouse"])
    if UNKNOWN in address:
        return UNKNOWN
    return Output.all(*address).apply(text)


def variables(settings: Settings, lakehouse: Mapping[str, Any]) -> dict[str, Input[str]]:
    """Return the same as variables. That of Google's credentials is not among them: PyIceberg reads no
    mapping from a variable, so programs pass `auth={"type": "google"}` to `load_catalog`."""
    properties = {name: value for name, value in _properties(settings).items() if isinstance(value, str)}
    address = {"uri": lakehouse["catalog_uri"], "warehouse": lakehouse["warehouse"]}
    return {_name(name): value for name, value in {"type": "rest", **address, **properties}.items()}


def _name(name: str) -> str:
    """Return the variable of a property: PyIceberg reads two underscores as a dot, and one as a hyphen."""
    return _VARIABLE + name.replace(".", "__").replace("-", "_").upper()


def _properties(settings: Settings) -> dict[str, Any]:
    """Return what differs between clouds."""
    environment = settings.environment
    if environment.cloud == "aws":
        return {
            "rest.sigv4-enabled": "true",
            "rest.signing-name": "glue",
            "rest.signing-region": environment.region,
        }
    return {
        "auth": {"type": "google"},
        "header.X-Iceberg-Access-Delegation": "vended-credentials",
        "header.x-goog-user-project": environment.project_id,
    }
