"""A perimeter of VPC Service Controls around the project."""

from collections.abc import Sequence
from typing import Any, Final

import pulumi
from pulumi import Input, Output
from pulumi_gcp import accesscontextmanager, organizations

from aiplatform._shared.outputs import mapped
from aiplatform.lakehouse.gcp.context import Context
from aiplatform.lakehouse.gcp.rules import PERIMETER

RESTRICTED: Final = (
    "biglake.googleapis.com",
    "bigquery.googleapis.com",
    "bigquerydatapolicy.googleapis.com",
    "bigtable.googleapis.com",
    "cloudkms.googleapis.com",
    "dataplex.googleapis.com",
    "dataproc.googleapis.com",
    "firestore.googleapis.com",
    "logging.googleapis.com",
    "pubsub.googleapis.com",
    "secretmanager.googleapis.com",
    "sqladmin.googleapis.com",
    "storage.googleapis.com",
)
"""The services that store or process data of the project, those of the feature store and the registries
included ("VPC Service Controls: supported products"). Artifact Registry is not restricted: inside a perimeter
its remote repositories, the caches of a container registry, reach no upstream."""

# The same types twice: of what is enforced, and of what is only logged (dry run).
_ENFORCED: Final[tuple[Any, ...]] = (
    accesscontextmanager.ServicePerimeterStatusArgs,
    accesscontextmanager.ServicePerimeterStatusIngressPolicyArgs,
    accesscontextmanager.ServicePerimeterStatusIngressPolicyIngressFromArgs,
    accesscontextmanager.ServicePerimeterStatusIngressPolicyIngressFromSourceArgs,
    accesscontextmanager.ServicePerimeterStatusIngressPolicyIngressToArgs,
    accesscontextmanager.ServicePerimeterStatusIngressPolicyIngressToOperationArgs,
)
_LOGGED: Final[tuple[Any, ...]] = (
    accesscontextmanager.ServicePerimeterSpecArgs,
    accesscontextmanager.ServicePerimeterSpecIngressPolicyArgs,
    accesscontextmanager.ServicePerimeterSpecIngressPolicyIngressFromArgs,
    accesscontextmanager.ServicePerimeterSpecIngressPolicyIngressFromSourceArgs,
    accesscontextmanager.ServicePerimeterSpecIngressPolicyIngressToArgs,
    accesscontextmanager.ServicePerimeterSpecIngressPolicyIngressToOperationArgs,
)


def create_perimeter(context: Context) -> None:
    """Create the perimeter. Inside, the services reach each other and the project's own networks; from
    outside only deployers reach them, and no data leaves."""
    settings = context.settings.perimeter
    if settings is None:
        return
    project = organizations.get_project_output(
        project_id=context.project,
        opts=pulumi.InvokeOutputOptions(
            parent=context.parent, depends_on=[context.apis["cloudresourcemanager"]]
        ),
    )
    name = PERIMETER.of(context.settings.prefix.replace("-", "_"))
    policy = mapped(settings.access_policy, lambda number: f"accessPolicies/{number}")
    rules = _rules(
        _LOGGED if settings.dry_run else _ENFORCED,
        Output.concat("projects/", project.number),
        settings.deployers,
    )
    accesscontextmanager.ServicePerimeter(
        f"{context.name}-perimeter",
        parent=policy,
        name=mapped(policy, lambda parent: f"{parent}/servicePerimeters/{name}"),
        title=name,
        description=f"Data of {context.settings.prefix}",
        perimeter_type="PERIMETER_TYPE_REGULAR",
        use_explicit_dry_run_spec=True if settings.dry_run else None,
        status=None if settings.dry_run else rules,
        spec=rules if settings.dry_run else None,
        opts=context.options(context.apis["accesscontextmanager"], delete_before_replace=True),
    )


def _rules(types: Sequence[Any], project: Output[str], deployers: Sequence[Input[str]]) -> Any:
    configuration, policy, from_, source, to, operation = types
    return configuration(
        resources=[project],
        restricted_services=list(RESTRICTED),
        ingress_policies=[
            policy(
                ingress_from=from_(identities=list(deployers), sources=[source(access_level="*")]),
                # All methods of all services: those that apply the program create and delete resources.
                ingress_to=to(resources=["*"], operations=[operation(service_name="*")]),
            )
        ],
    )
