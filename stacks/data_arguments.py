"""From the settings to the arguments of the components of data and models. Pure: no resource, no call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pulumi import Input

from aiplatform.lakehouse.args import LakehouseArgs
from aiplatform.workload_identity.args import physical_name
from stacks.arguments import retains_data
from stacks.settings import Settings
from stacks.settings.from_arguments import given

Principals = Mapping[str, Input[str]]
"""The name of a workload identity -> how the cloud calls it."""


def principals_to_be(settings: Settings) -> Principals:
    """The workload identities as they will be called, to ask about arguments that refer to them."""
    environment = settings.environment

    def principal(name: str) -> str:
        own = physical_name(environment.prefix, name)
        if environment.cloud == "gcp":
            return f"serviceAccount:{own}@{environment.project_id}.iam.gserviceaccount.com"
        return f"arn:aws:iam::{environment.account_id}:role/{own}"

    names = set(settings.workload_identities)
    if settings.lakehouse is not None:
        said = given(settings.lakehouse)
        asked = [*said.get("writers", []), *(grant["principal"] for grant in said.get("grants", []))]
        # Settings.faults tells of a name that is no workload identity, the component need not.
        names |= {name for name in asked if ":" not in name}
    return {name: principal(name) for name in names}


def lakehouse(settings: Settings, principals: Principals) -> LakehouseArgs:
    """Arguments of the lakehouse. Where a principal is the name of a workload identity, it is that one."""
    assert settings.lakehouse is not None, "asked only where there is one"  # noqa: S101
    args = given(settings.lakehouse)
    for key in ("writers", "admins"):
        if key in args:
            args[key] = [principals.get(name, name) for name in args[key]]
    for grant in args.get("grants", []):
        grant["principal"] = principals.get(grant["principal"], grant["principal"])
    return cast(LakehouseArgs, {**args, **common(settings)})


def common(settings: Settings) -> dict[str, Any]:
    """What every component that holds data gets from the environment."""
    environment = settings.environment
    place = (
        {"project": environment.project_id or "", "region": environment.region}
        if environment.cloud == "gcp"
        else {}
    )
    return {
        "prefix": environment.prefix,
        "cloud": environment.cloud,
        **place,
        "protect": environment.profile == "prod" and not environment.teardown,
        "retain_data": retains_data(settings),
        "force_destroy": environment.profile != "prod" or environment.teardown == "with_data",
    }
