"""Clients that answer what a test states, and environments of a few resources."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cli.clients import aws, gcp
from cli.estimate import nodes, table
from cli.estimate.context import Context
from cli.estimate.resources import Resource, Resources
from cli.estimate.usage import Usage
from cli.preflight.results import Result
from cli.preflight.scope import Check, Scope
from tests.cli.estimate.samples import STACK, urn

ACCOUNT = "111122223333"
PROJECT = "acme-ml-dev"
VCPUS = {"m7i.large": 2, "m6i.large": 2, "g4dn.xlarge": 4, "g5.xlarge": 4, "p5.48xlarge": 192}


class Aws:
    """An account. answers: (service, operation) -> an answer, an error, or a function of the parameters."""

    def __init__(self, answers: Mapping[tuple[str, str], Any]) -> None:
        self.answers = dict(answers)
        self.calls: list[tuple[str, str, Mapping[str, Any]]] = []

    def call(self, service: str, operation: str, **parameters: Any) -> Any:
        self.calls.append((service, operation, parameters))
        answer = self.answers.get((service, operation), {})
        answer = answer(**parameters) if callable(answer) else answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    def pages(self, service: str, operation: str, key: str, **parameters: Any) -> list[Any]:
        if (service, operation) == ("ec2", "describe_instance_types"):
            names = parameters["Filters"][0]["Values"]
            return [
                {"InstanceType": name, "VCpuInfo": {"DefaultVCpus": VCPUS[name]}}
                for name in names
                if name in VCPUS
            ]
        return list(self.call(service, operation, **parameters).get(key, []))


def quotas(**limits: float) -> Callable[..., Any]:
    """Return GetServiceQuota of an account with these values, `L_1216C47A=5`; other codes do not exist."""

    def answer(ServiceCode: str, QuotaCode: str) -> Any:  # noqa: N803 - of the API
        value = limits.get(QuotaCode.replace("-", "_"))
        if value is None:
            return aws.ApiError("NoSuchResourceException", "no such quota")
        return {"Quota": {"QuotaCode": QuotaCode, "QuotaName": f"quota of {ServiceCode}", "Value": value}}

    return answer


class Google(gcp.Client):
    """A project. answers: `api path` -> an answer or an error; 404 for any other."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        super().__init__(PROJECT, local=True)
        self.answers = dict(answers)

    def get(self, api: str, path: str, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
        answer = self.answers.get(f"{api} {path}", gcp.ApiError(404, "not found"))
        if isinstance(answer, Exception):
            raise answer
        return answer


def named(type_: str, name: str, **inputs: Any) -> Resource:
    """Return a resource whose input `name` is this."""
    return Resource(urn(type_, "one"), type_, "one", STACK, {"name": name, **inputs})


def scope(client: Any, *resources: Resource, cloud: str = "aws", **options: Any) -> Scope:
    """Return what the checks of an environment with these resources share."""
    context = Context(Resources(resources), table.load(cloud), Usage("dev"))
    groups = nodes.of(context)
    account, region = (ACCOUNT, "us-west-2") if cloud == "aws" else (PROJECT, "us-central1")
    unread = [(entry.resource, entry.reason) for entry in context.unpriced]
    return Scope(
        f"{cloud}-dev", cloud, region, account, context.resources, groups, client, unread=unread, **options
    )


def states(check: Check, of: Scope) -> dict[str, Result]:
    """Return subject -> result of a check."""
    return {result.subject: result for result in check(of)}


def problems(results: Iterable[Result]) -> list[Result]:
    """Return the problems."""
    return [result for result in results if result.is_problem]
