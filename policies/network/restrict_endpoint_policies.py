"""VPC endpoints are limited to identities and resources of the account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..framework import Option, Options, Outcome, Policy, Resource, Violation, check_each
from ..framework.policy_documents import Statement, allowed_statements

POLICY = Policy(
    title="VPC endpoints limited to the account",
    severity="medium",
    description="A VPC endpoint gives access to a service's data in every account, including that of an "
    "attacker, without passing a firewall. Its policy limits it to identities and resources; without a "
    "policy it has no limit.",
    remediation="Give the endpoint a policy with a condition on aws:PrincipalAccount and aws:ResourceAccount "
    "(or the organization's keys).",
    frameworks=("NIST 800-53 AC-4", "NIST 800-53 SC-7(10)", "SOC 2 CC6.6"),
    options={
        "services": Option(
            {"type": "array", "items": {"type": "string"}},
            [
                "athena",
                "dynamodb",
                "glue",
                "kms",
                "lakeformation",
                "s3",
                "secretsmanager",
                "sns",
                "sqs",
                "ssm",
            ],
            "Services that hold data, whose endpoints need a policy.",
        )
    },
)

_RESOURCES: Final = ("aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths")


@POLICY.on("aws:ec2/vpcEndpoint:VpcEndpoint")
def on_endpoints(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Endpoints of services with data that have no limit."""
    service = _service(str(resource.known("serviceName")))
    if service in options["services"]:
        yield from _check_policy(resource, service)


@POLICY.on("aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy")
def on_policies(resource: Resource) -> Iterator[Outcome]:
    """Policies as separate resources."""
    yield from _check_policy(resource, "the service")


def _service(name: str) -> str:
    """`com.amazonaws.eu-central-1.s3` -> `s3`."""
    return ".".join(name.split(".")[3:])


def _check_policy(resource: Resource, service: str) -> Iterator[Outcome]:
    if resource.known("policy") is None:
        yield Violation("policy", f"is not set, so that all data of {service} in every account is reachable")
    yield from check_each(allowed_statements(resource, "policy"), _check)


def _check(statement: Statement) -> Iterator[Outcome]:
    if statement.is_limited() or statement.is_limited_by(*_RESOURCES):
        return
    if not any(entry.raw() == "*" for entry in statement.entries("Resource")):
        statement.fully_known("Resource")
        return
    if any(principal.value == "*" for principal in statement.principals):
        statement.require_known_conditions()
        yield Violation(
            statement.where("Principal"), "allows '*' to use '*', including other accounts' resources"
        )
    statement.require_known_conditions()
