"""What goes through a VPC endpoint is the own account's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..pack import UNKNOWN, Finding, Judgement, Option, Options, Policy, Resource, Undecided, holds_unknown
from ..pack.principals import is_narrowed, is_undecided, narrowing, principals
from ..pack.statements import Statement, document

POLICY = Policy(
    title="VPC endpoints for the own account",
    severity="medium",
    description="A VPC endpoint lets whoever is inside reach a service's data in every account, also one "
    "of an attacker's, past every firewall. Its policy says whose identities and resources "
    "may go through; without one everything may.",
    remediation="Give the endpoint a policy with a condition on aws:PrincipalAccount and "
    "aws:ResourceAccount (or the organization's).",
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
def on_endpoints(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Endpoints of services with data that let everything through."""
    name, policy = resource.get("serviceName"), resource.get("policy")
    if name is UNKNOWN:
        yield Undecided("serviceName")
    elif _service(str(name)) in options["services"]:
        yield from _policy(_service(str(name)), policy)


@POLICY.on("aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy")
def on_policies(resource: Resource) -> Iterator[Judgement]:
    """Policies that are a resource of their own."""
    yield from _policy("the service", resource.get("policy"))


def _service(name: str) -> str:
    """`com.amazonaws.eu-central-1.s3` -> `s3`."""
    return ".".join(name.split(".")[3:])


def _policy(service: str, policy: object) -> Iterator[Judgement]:
    if policy is None:
        yield Finding("policy", f"is missing, so that all of {service} in every account is reached")
    for statement in document(policy, "policy"):
        if isinstance(statement, Undecided):
            yield statement
        elif statement.allows:
            yield from _judged(statement)


def _judged(statement: Statement) -> Iterator[Judgement]:
    everybody = any(value == "*" for _, _, value in principals(statement))
    everything = any(value == "*" for _, value in statement.listed("Resource"))
    limited = is_narrowed(statement) or any(True for _ in narrowing(statement, *_RESOURCES))
    if everybody and everything and not limited:
        if is_undecided(statement) or holds_unknown(statement.body.get("Resource")):
            yield Undecided(f"{statement.path}.Condition")
        else:
            yield Finding(f"{statement.path}.Principal", "lets '*' reach '*', also in accounts of strangers")
