"""The autoscaler's command line, read as it reads it."""

from __future__ import annotations

import pytest

from twin.kubernetes.autoscaler.flags import Fixed, FlagError, parse


def test_what_is_not_said_is_as_in_the_real_one() -> None:
    flags = parse(["./cluster-autoscaler"])
    assert (flags.scan_interval, flags.unneeded_time, flags.delay_after_add) == (10, 600, 600)
    assert flags.scale_down
    assert flags.cloud_provider == "gce", "which is why it must be said on AWS"


def test_flags_are_read_with_and_without_an_equals_sign() -> None:
    flags = parse(
        ["--cloud-provider", "aws", "--balance-similar-node-groups", "-scale-down-unneeded-time=1m"]
    )
    assert (flags.cloud_provider, flags.balance_similar, flags.unneeded_time) == ("aws", True, 60)
    assert not parse(["--scale-down-enabled=false"]).scale_down


def test_discovery_by_tags_with_and_without_values() -> None:
    flags = parse(["--node-group-auto-discovery=asg:tag=enabled,cluster/acme=owned", "--nodes=1:5:eks-a"])
    assert flags.discovery == ({"enabled": "", "cluster/acme": "owned"},)
    assert flags.fixed == (Fixed("eks-a", 1, 5),)


def test_several_expanders_are_tried_in_order() -> None:
    assert parse(["--expander=priority,least-waste"]).expanders == ("priority", "least-waste")


@pytest.mark.parametrize(
    ("argument", "right"),
    [
        ("--expander=cheapest", "is not supported; one or several of random"),
        ("--expander=random,random", "once only"),
        ("--scale-down-unneeded-time=10", "write it as 10m"),
        ("--scale-down-enabled=maybe", "true or false"),
        ("--max-nodes-total=many", "whole number"),
        ("--node-group-auto-discovery=tag=enabled", "asg:tag="),
        ("--nodes=5:1:group", "min <= max"),
        ("--nodes=group", "<min>:<max>:"),
    ],
)
def test_a_value_that_the_real_one_exits_on_is_an_error_that_names_the_flag(
    argument: str, right: str
) -> None:
    with pytest.raises(FlagError) as refused:
        parse([argument])
    assert right in str(refused.value)
    assert argument.partition("=")[0] in str(refused.value)
