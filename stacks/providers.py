"""The providers of an environment: its account or project only, its region, its tags on every resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from stacks.settings import Environment, Settings


def of(settings: Settings) -> pulumi.ProviderResource:
    """The provider of the environment's cloud."""
    make = _google if settings.environment.cloud == "gcp" else _aws
    return make(settings.environment)


def kubernetes(
    settings: Settings, cloud: pulumi.ProviderResource, cluster: Mapping[str, Any]
) -> pulumi.ProviderResource:
    """Return the provider of an existing cluster. cluster: Cluster.outputs.

    It equals the one that Cluster itself creates, apart from its parent.
    """
    import pulumi_kubernetes

    arguments: dict[str, Any] = {"kubeconfig": cluster["kubeconfig"]}
    if settings.environment.cloud == "gcp":
        # The identity of the cluster, whichever endpoint the kubeconfig has.
        endpoint = pulumi.Output.from_input(cluster["endpoint"])
        arguments["cluster_identifier"] = (
            endpoint.apply(lambda url: url.removeprefix("https://"))
            if settings.cluster.api_access.mode == "dns"
            else _dns_endpoint(cluster, cloud)
        )
    return pulumi_kubernetes.Provider("cluster-kubernetes", **arguments)


def _dns_endpoint(cluster: Mapping[str, Any], cloud: pulumi.ProviderResource) -> pulumi.Output[str]:
    from pulumi_gcp import container

    described = container.get_cluster_output(
        name=cluster["name"],
        location=cluster["location"],
        project=cluster["project"],
        opts=pulumi.InvokeOutputOptions(provider=cloud),
    )
    endpoints = described.control_plane_endpoints_configs
    return endpoints.apply(lambda configs: configs[0].dns_endpoint_configs[0].endpoint)


# The SDKs are imported late: each takes a second to load, and an environment has one cloud.


def _aws(environment: Environment) -> pulumi.ProviderResource:
    import pulumi_aws as aws

    assert environment.account_id is not None, "stacks/validation/environment.py reports a missing one"  # noqa: S101
    return aws.Provider(
        "aws",
        region=environment.region,
        allowed_account_ids=[environment.account_id],
        default_tags=aws.ProviderDefaultTagsArgs(tags=environment.all_tags),
    )


def _google(environment: Environment) -> pulumi.ProviderResource:
    import pulumi_gcp as gcp

    return gcp.Provider(
        "gcp",
        project=environment.project_id,
        region=environment.region,
        default_labels=environment.all_tags,
        # Quota and enabled services are those of this project, not those of the caller's own project.
        billing_project=environment.project_id,
        user_project_override=True,
    )
