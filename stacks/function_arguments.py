"""The arguments of the component Function: what the file states, and what the layers below offer. Pure: no
resource, no call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from pulumi import Input

from aiplatform.function.args import FunctionArgs
from stacks import iceberg_catalog
from stacks.data_arguments import Principals
from stacks.key_grants import with_key_grants
from stacks.log_bucket_arguments import shared_log_bucket
from stacks.settings import Settings, principals
from stacks.settings.generated import stated


@dataclass(frozen=True)
class Offered:
    """What the layers below offer: outputs of components, or placeholders of them. lakehouse: None where the
    environment has none. principals: of workload identities, by name. log_bucket: of functions and workflows,
    None where each has one."""

    network: Mapping[str, Any]
    lakehouse: Mapping[str, Any] | None
    principals: Principals
    log_bucket: Input[str] | None = None


def function(settings: Settings, name: str, offered: Offered) -> FunctionArgs:
    """Arguments of a function of the file."""
    environment = settings.environment
    args: dict[str, Any] = with_key_grants(settings, stated(settings.functions[name]))
    principals.replaced("functions", {name: args}, offered.principals)
    in_network = args.pop("in_network", False)
    on_google = environment.cloud == "gcp"
    if offered.lakehouse and _uses_zones(args):
        catalog = iceberg_catalog.variables(settings, offered.lakehouse)
        args |= {"lakehouse": offered.lakehouse, "environment": {**catalog, **args.get("environment", {})}}
    place = {"project": environment.project_id or "", "region": environment.region} if on_google else {}
    return cast(
        "FunctionArgs",
        {
            **args,
            **place,
            **shared_log_bucket(args, offered.log_bucket),
            "prefix": environment.prefix,
            "name": name,
            "cloud": environment.cloud,
            "profile": environment.profile,
            **({"network": offered.network} if in_network else {}),
        },
    )


def _uses_zones(args: Mapping[str, Any]) -> bool:
    entries: list[Mapping[str, Any]] = [*args.get("reads", []), *args.get("writes", [])]
    if args.get("event"):
        entries.append(args["event"])
    return any("zone" in entry for entry in entries)
