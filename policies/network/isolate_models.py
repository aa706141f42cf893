"""Models are served in private networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ..framework import Outcome, Policy, Resource, Violation, check_each, describe

POLICY = Policy(
    title="Models are served in private networks",
    severity="medium",
    description="The container of a SageMaker model runs code of others and has the permissions of its "
    "role; with neither a network of yours nor isolation it connects to any address on the internet. An "
    "endpoint of Vertex AI without a network or Private Service Connect has an address on the internet, "
    "where a stolen token is enough.",
    remediation="Set `vpcConfig` or `enableNetworkIsolation: true` on SageMaker; on Vertex AI set "
    "`network`, or `privateServiceConnectConfig.enablePrivateServiceConnect: true`.",
    frameworks=("NIST 800-53 SC-7", "NIST 800-53 AC-4", "SOC 2 CC6.6"),
)

_CONNECT: Final = "privateServiceConnectConfig.enablePrivateServiceConnect"
_ENDPOINTS: Final[Mapping[str, tuple[str, str]]] = {
    "gcp:vertex/aiEndpoint:AiEndpoint": ("network", _CONNECT),
    "gcp:vertex/aiIndexEndpoint:AiIndexEndpoint": ("network", _CONNECT),
    "gcp:vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment": (
        "",
        f"endpointConfig.{_CONNECT}",
    ),
}
"""Type of an endpoint -> the property paths of its network and of Private Service Connect."""


@POLICY.on(
    "aws:sagemaker/model:Model",
    "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition",
)
def on_sagemaker(resource: Resource) -> Iterator[Outcome]:
    """Models and jobs whose containers reach the internet."""
    prefix = "" if resource.type.endswith(":Model") else "networkConfig."
    resource.known("networkConfig")
    isolated = f"{prefix}enableNetworkIsolation"
    # A network that is unknown is one of the program.
    if resource.raw(f"{prefix}vpcConfig") is None and resource.known(isolated) is not True:
        yield Violation(
            isolated, f"{describe(resource.known(isolated))}, and no vpcConfig: containers reach the internet"
        )


@POLICY.on(*_ENDPOINTS)
def on_vertex(resource: Resource) -> Iterator[Outcome]:
    """Endpoints with an address on the internet."""
    yield from check_each(["publicEndpointEnabled"], _check_public, resource)
    network, connect = _ENDPOINTS[resource.type]
    private = resource.raw(network) is not None if network else False
    if not private and resource.known(connect) is not True:
        yield Violation(network or connect, "is not set: the endpoint is on the internet")


def _check_public(path: str, resource: Resource) -> Iterator[Outcome]:
    if resource.known(path) is True:
        yield Violation(path, "is true: the endpoint is on the internet")


@POLICY.on("gcp:vertex/aiFeatureOnlineStore:AiFeatureOnlineStore")
def on_features(resource: Resource) -> Iterator[Outcome]:
    """Online stores whose dedicated endpoint is on the internet. One of Bigtable has no endpoint."""
    path = f"dedicatedServingEndpoint.{_CONNECT}"
    if resource.raw("bigtable") is None and resource.known(path) is not True:
        yield Violation(path, f"{describe(resource.known(path))}: the endpoint is on the internet")
