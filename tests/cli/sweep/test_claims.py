"""Whose resources are: own claims, networks, UIDs, use; and that another's claim outweighs all others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.sweep.claims import Evaluated, evaluate
from cli.sweep.identity import Identity
from cli.sweep.item import NETWORK, Item

DEV = Identity("aws-dev", "acme", "dev", others=("acme-prod",))
OURS: Mapping[str, str] = {"environment": "dev", "managed-by": "ai-platform"}
CLUSTER = "acme-dev-cluster"
OUR_TAGS = (
    OURS,
    {"elbv2.k8s.aws/cluster": CLUSTER},
    {"kubernetes.io/cluster/acme-dev-cluster": "owned"},
    {"KubernetesCluster": CLUSTER},
    {"ebs.csi.aws.com/cluster-name": CLUSTER},
    {"eks:eks-cluster-name": CLUSTER},
    {"cluster.k8s.amazonaws.com/name": CLUSTER},
    {"goog-k8s-cluster-name": CLUSTER},
)
OTHER_TAGS = (
    {"environment": "staging"},
    {"environment": "staging", "managed-by": "ai-platform"},
    {"elbv2.k8s.aws/cluster": "acme-staging-cluster"},
    {"kubernetes.io/cluster/other": "owned"},
    {"kubernetes.io/cluster/other": "shared"},
    {"KubernetesCluster": "other"},
    {"eks:eks-cluster-name": "other"},
    {"goog-k8s-cluster-name": "other"},
)


def of(*items: Item, in_state: frozenset[str] = frozenset()) -> dict[str, Evaluated]:
    """Return id -> the evaluated resource."""
    return {entry.item.id: entry for entry in evaluate(items, DEV, in_state)}


def sections(*items: Item) -> dict[str, str]:
    """Return id -> section."""
    return {id: entry.section for id, entry in of(*items).items()}


@pytest.mark.parametrize("tags", OUR_TAGS)
def test_resource_with_a_tag_of_the_environment_or_its_cluster_is_left(tags: dict[str, str]) -> None:
    entry = of(Item("volume", "v", tags=tags))["v"]
    assert entry.section == "left"
    assert next(iter(tags)) in entry.how


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"environment": "dev"},
        {"managed-by": "ai-platform"},
        {"ebs.csi.aws.com/cluster": "true"},
        {"kubernetes.io/cluster/acme-dev-cluster": "shared"},
        *OTHER_TAGS,
    ],
)
def test_resource_without_a_sign_of_the_environment_is_not_reported(tags: dict[str, str]) -> None:
    assert of(Item("volume", "v", tags=tags)) == {}


@given(
    st.sampled_from(OTHER_TAGS),
    st.lists(st.sampled_from(OUR_TAGS)),
    st.fixed_dictionaries(
        {},
        optional={
            "name": st.sampled_from(["acme-dev", "acme-dev-x", "k8s1-01234567-a-b-80-c", "x"]),
            "exact": st.booleans(),
            "network": st.sampled_from(["ours", "unknown"]),
            "uses": st.sampled_from([("key",), ("key", "missing")]),
            "owners": st.just({"text": CLUSTER}),
            "busy": st.sampled_from(["", "attached"]),
        },
    ),
    st.booleans(),
)
def test_resource_with_anothers_tag_is_never_removable(
    others: dict[str, str], ours: list[dict[str, str]], more: dict[str, Any], last: bool
) -> None:
    tags: dict[str, str] = {}
    for tag in [others, *ours]:
        tags |= tag
    # Whatever else it carries, the tag of another stays.
    tags |= others
    resource = Item("volume", "v", tags=tags, **more)
    context = [
        Item(NETWORK, "ours", tags=OURS, evidence=True),
        Item("key", "key", tags=OURS),
        Item("group", "group", name="k8s1-01234567-x-y-80-z", network="ours"),
    ]
    items = [*context, resource] if last else [resource, *context]
    assert sections(*items).get("v") in (None, "claimed")


def test_resource_that_the_state_contains_is_left_out() -> None:
    volume = Item("volume", "v", tags=OURS, also=("arn:v",))
    assert of(volume, in_state=frozenset({"v"})) == {}
    assert of(volume, in_state=frozenset({"arn:v"})) == {}
    assert list(of(volume, in_state=frozenset({"w"}))) == ["v"]


def test_resource_that_stays_on_purpose_is_retained() -> None:
    assert sections(Item("key", "k", tags=OURS, reason="in deletion")) == {"k": "retained"}


def test_name_that_only_begins_alike_is_uncertain_and_that_of_another_is_no_sign() -> None:
    assert sections(
        Item("log group", "1", name="acme-dev-job"),
        Item("log group", "2", name="acme-prod-job"),
        Item("log group", "3", name="acme-dev-job", exact=True),
    ) == {"1": "uncertain", "3": "left"}


def test_resource_in_the_network_is_left_and_in_anothers_network_is_claimed() -> None:
    networks = (
        Item(NETWORK, "n1", tags=OURS, evidence=True),
        Item(NETWORK, "n2", tags={"environment": "staging"}, evidence=True),
    )
    entries = of(
        *networks,
        Item("network interface", "1", network="n1"),
        Item("network interface", "2", network="n2"),
        Item("security group", "3", network="n2", tags={"elbv2.k8s.aws/cluster": CLUSTER}),
    )
    assert {id: entry.section for id, entry in entries.items()} == {"1": "left", "3": "claimed"}
    assert entries["1"].how == "in the network n1 (tags environment=dev, managed-by=ai-platform)"


def test_machine_and_load_balancer_need_more_than_the_network() -> None:
    network = Item(NETWORK, "n", tags=OURS, evidence=True)
    kinds = ("instance", "load balancer", "forwarding rule", "target group")
    resources = [Item(kind, kind, network="n") for kind in kinds]
    assert set(sections(network, *resources).values()) == {"uncertain"}, "a team may use the network"
    tagged = [Item(kind, kind, network="n", tags=OURS) for kind in kinds]
    assert set(sections(network, *tagged).values()) == {"left"}


def test_uid_of_a_cluster_is_known_by_what_is_in_the_network() -> None:
    network = Item(NETWORK, "n", name="acme-dev-network", exact=True, evidence=True)
    group = Item("network endpoint group", "neg", name="k8s1-01234567-default-web-80-abcd", network="n")
    rule = Item("forwarding rule", "rule", name="k8s2-fr-01234567-default-web-abcd")
    stranger = Item("forwarding rule", "other", name="k8s2-fr-76543210-default-web-abcd")
    assert sections(network, group, rule, stranger) == {"neg": "left", "rule": "left", "other": "uncertain"}
    entry = of(network, group, rule)["rule"]
    assert entry.how == "name with the cluster's UID 01234567, as k8s1-01234567-default-web-80-abcd"


def test_uid_that_resources_of_two_networks_have_is_nobodys() -> None:
    networks = (
        Item(NETWORK, "n1", name="acme-dev-network", exact=True, evidence=True),
        Item(NETWORK, "n2", name="default", foreign="network default", evidence=True),
    )
    groups = [
        Item(
            "network endpoint group",
            f"neg-{network}",
            name="k8s1-01234567-default-web-80-abcd",
            network=network,
        )
        for network in ("n1", "n2")
    ]
    rule = Item("forwarding rule", "rule", name="k8s2-fr-01234567-default-web-abcd")
    assert sections(*networks, *groups, rule)["rule"] == "claimed"


def test_resource_is_the_environments_where_all_that_it_uses_is() -> None:
    keys = (Item("key", "ours", tags=OURS), Item("key", "theirs", tags={"environment": "staging"}))
    entries = sections(
        *keys,
        Item("disk", "1", uses=("ours",)),
        Item("disk", "2", uses=("ours", "theirs")),
        Item("disk", "3", uses=("theirs",)),
        Item("disk", "4", uses=("missing",)),
        Item("snapshot", "5", uses=("1",)),
        Item("address", "6", uses=("5", "2")),
        Item("disk", "7", uses=("unclaimed",)),
        Item("disk", "unclaimed"),
    )
    assert entries == {"ours": "left", "1": "left", "2": "claimed", "5": "left", "6": "claimed"}


def test_resources_that_use_each_other_end_the_search() -> None:
    assert of(Item("disk", "1", uses=("2",)), Item("disk", "2", uses=("1",))) == {}
