"""Components that take what another stack exports as one output, in a Python program."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pulumi
import pulumi_aws
import pulumi_gcp
import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform.cluster import Cluster
from aiplatform.node_pool import NodePool
from aiplatform.references import ClusterReferenceArgs, NetworkReferenceArgs, from_output
from aiplatform.workload_identity import WorkloadIdentity
from tests.components.aiplatform import pools
from tests.components.aiplatform.cluster import gke
from tests.components.recording import Recording, record, value

GOOGLE: Mapping[str, Any] = {"cloud": "gcp", "project": gke.NETWORK["project"], "region": "europe-west4"}
ON_GOOGLE: Mapping[str, Any] = {
    **GOOGLE,
    "services_cidr": gke.NETWORK["services_cidr"],
    "zones": [zone["id"] for zone in gke.NETWORK["zones"]],
}


def output(known: Any) -> pulumi.Output[Any]:
    """An exported value, as a stack reference gives it to a program."""
    return pulumi.Output.from_input(known).apply(lambda resolved: resolved)


def unknown() -> pulumi.Output[Any]:
    """An output in a preview, whose value is not known yet."""

    def future(result: Any) -> asyncio.Future[Any]:
        created: asyncio.Future[Any] = asyncio.get_event_loop().create_future()
        created.set_result(result)
        return created

    return pulumi.Output(future(set()), future(None), future(False))


def registered(recording: Recording) -> dict[str, Any]:
    return {f"{resource.type} {resource.name}": resource.inputs for resource in recording.resources}


def cluster(
    network: Callable[[], Any], options: Callable[[], pulumi.ResourceOptions | None] = lambda: None
) -> Recording:
    return record(lambda: Cluster("cluster", {**gke.ARGS, "network": network()}, options()))  # type: ignore[typeddict-item]


def problems(program: Callable[[], Any]) -> list[str]:
    with pytest.raises(ArgumentError) as refused:
        record(program)
    return [str(problem) for problem in refused.value.problems]


def test_cluster_on_google_cloud_in_a_network_of_another_stack_is_the_same() -> None:
    from_stack = cluster(lambda: from_output(NetworkReferenceArgs, output(gke.NETWORK), **ON_GOOGLE))
    assert registered(from_stack) == registered(cluster(lambda: gke.NETWORK))


def test_cluster_on_google_cloud_is_previewed_while_the_network_is_unknown() -> None:
    previewed = cluster(lambda: from_output(NetworkReferenceArgs, unknown(), **ON_GOOGLE))
    assert previewed.names() == cluster(lambda: gke.NETWORK).names(), "resources of Google Cloud alone"
    assert previewed.one(gke.GKE).inputs["location"] == "europe-west4"


def test_node_pool_and_identity_on_google_cloud_take_the_cluster_of_another_stack() -> None:
    def program(in_stack: Callable[[type, Mapping[str, Any]], Any]) -> None:
        cluster = in_stack(
            ClusterReferenceArgs, {**pools.GOOGLE_CLUSTER, "workload_pool": "acme.svc.id.goog"}
        )
        network = in_stack(NetworkReferenceArgs, pools.GOOGLE_NETWORK)
        arguments: Any = {"prefix": "acme-dev", "name": "general", "cluster": cluster, "network": network}
        arguments |= {"instance_types": ["n2-standard-8"], "zones": [*pools.GOOGLE_ZONES]}
        NodePool("cpu", arguments)
        identity: Any = {"prefix": "acme-dev", "name": "reader", "cluster": cluster}
        identity |= {"namespace": "jobs", "service_account": "reader"}
        WorkloadIdentity("reader", identity)

    def as_output(reference: type, outputs: Mapping[str, Any]) -> Any:
        project = pools.GOOGLE_NETWORK["project"]
        stated: Any = {key: outputs[key] for key in ("location", "multi_networking") if key in outputs}
        return from_output(reference, output(outputs), **{**GOOGLE, "project": project, **stated})

    answers = pools.machine_types()
    plain = record(lambda: program(lambda _, outputs: outputs), answers=answers)
    assert registered(record(lambda: program(as_output), answers=answers)) == registered(plain)


def test_a_stated_value_that_the_other_stack_contradicts_is_refused() -> None:
    stated = {**ON_GOOGLE, "region": "europe-west1"}
    (problem,) = problems(lambda: value_of(from_output(NetworkReferenceArgs, output(gke.NETWORK), **stated)))
    assert problem.endswith(
        "region: got 'europe-west4' in an output; expected 'europe-west1' as the program states"
    )


def value_of(reference: Any) -> None:
    """Use one of the outputs of a reference."""
    pulumi.export("vpc", reference["vpc_id"])


def test_a_value_that_decides_what_is_created_and_is_not_stated_is_refused() -> None:
    network = {**gke.NETWORK, "services_cidr": None}
    assert problems(lambda: value_of(from_output(NetworkReferenceArgs, output(network)))) == [
        f"NetworkReferenceArgs.{key}: got {network[key]!r} in an output; expected it as a plain value, as it "
        "decides what is created: state it with aiplatform.references.from_output"
        for key in ("cloud", "project", "region")
    ]


def test_a_stated_key_that_a_reference_does_not_have_is_refused() -> None:
    assert problems(lambda: from_output(NetworkReferenceArgs, output({}), regin="europe-west4")) == [
        "NetworkReferenceArgs.regin: unknown key; did you mean 'region'?"
    ]


def test_stated_values_are_checked_before_anything_is_registered() -> None:
    def program() -> None:
        stated = {key: stated for key, stated in ON_GOOGLE.items() if key != "region"}
        network = from_output(NetworkReferenceArgs, unknown(), **stated)
        Cluster("cluster", {**gke.ARGS, "network": network})  # type: ignore[typeddict-item]

    assert problems(program) == ["ClusterArgs.network.region: missing; expected the network's region"]


def test_a_secret_output_stays_secret() -> None:
    def program() -> pulumi.Output[Any]:
        network: Any = from_output(NetworkReferenceArgs, pulumi.Output.secret(gke.NETWORK), **ON_GOOGLE)
        return network["vpc_id"]

    vpc = record(program).result
    assert value(vpc) == gke.NETWORK["vpc_id"]
    assert asyncio.new_event_loop().run_until_complete(vpc.is_secret())


@pytest.mark.parametrize("hand_over", ["provider", "providers", "mapping"])
def test_unknown_network_with_a_provider_of_google_cloud_is_refused(hand_over: str) -> None:
    def program() -> None:
        google = pulumi_gcp.Provider("google", project="acme-dev")
        options = {
            "provider": pulumi.ResourceOptions(provider=google),
            "providers": pulumi.ResourceOptions(providers=[google]),
            "mapping": pulumi.ResourceOptions(providers={"gcp": google}),
        }[hand_over]
        Cluster("cluster", {**gke.ARGS, "network": unknown()}, options)  # type: ignore[typeddict-item]

    assert problems(program) == [
        "ClusterArgs.network: got an output that is only known after a deployment; expected an object with a "
        "plain `cloud`, `project` and `region`, whose other values may be outputs "
        "(aiplatform.references.from_output in Python): they decide what is created"
    ]


def test_unknown_network_of_a_pool_in_a_known_cluster_is_refused() -> None:
    def program() -> None:
        google = pulumi_gcp.Provider("google", project="acme-dev")
        arguments: Any = {"prefix": "acme-dev", "name": "general", "cluster": pools.GOOGLE_CLUSTER}
        arguments |= {"network": unknown(), "instance_types": ["n2-standard-8"]}
        NodePool("cpu", arguments, pulumi.ResourceOptions(providers=[google]))

    (problem,) = problems(program)
    assert problem.startswith("NodePoolArgs.network: got an output that is only known after a deployment")


def test_unknown_network_is_taken_as_one_of_aws_with_its_provider_or_none() -> None:
    args: Any = {"prefix": "acme-dev", "version": "1.35"}

    def program(with_provider: bool) -> None:
        provider = pulumi_aws.Provider("aws", region="eu-central-1")
        options = pulumi.ResourceOptions(providers=[provider]) if with_provider else None
        arguments: Any = {**args, "network": output(pools.NETWORK)}
        Cluster("cluster", arguments, options)

    for with_provider in (True, False):
        assert record(lambda: program(with_provider)).one("aws:eks/cluster:Cluster")  # noqa: B023
