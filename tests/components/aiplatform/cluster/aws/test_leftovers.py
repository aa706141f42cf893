"""A log group that EKS created after an earlier cluster was deleted."""

from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform.cluster import Cluster
from tests.components.aiplatform.cluster.test_cluster import ARGS
from tests.components.cloud_answers import REGION
from tests.components.recording import record

GROUP = "/aws/eks/acme-dev-cluster/cluster"


def _answers(key: str, clusters: list[str], groups: list[str]) -> Any:
    return {
        "aws:cloudwatch/getLogGroups:getLogGroups": lambda arguments: {**arguments, "logGroupNames": groups},
        "aws:cloudwatch/getLogGroup:getLogGroup": lambda arguments: {
            **arguments,
            "kmsKeyId": key,
            "region": REGION,
        },
        "aws:eks/getAddon:getAddon": lambda arguments: {**arguments, "addonVersion": "v1.0.0-eksbuild.1"},
        "aws:eks/getClusters:getClusters": lambda _: {"id": REGION, "names": clusters, "region": REGION},
    }


def _cluster(key: str = "", clusters: tuple[str, ...] = (), groups: tuple[str, ...] = (GROUP,)) -> list[str]:
    answers = _answers(key, list(clusters), list(groups))

    def program() -> list[str]:
        args: Any = ARGS
        try:
            Cluster("cluster", args)
        except ArgumentError as error:
            return [str(problem) for problem in error.problems]
        return []

    recorded = record(program, answers=answers)
    if recorded.result:
        assert not [resource for resource in recorded.resources if resource.type.startswith("aws:")], (
            "before anything"
        )
    return recorded.result


def test_a_log_group_without_key_and_without_cluster_is_refused_with_the_command_that_deletes_it() -> None:
    (problem,) = _cluster(clusters=("other",))
    assert problem.startswith("ClusterArgs.prefix: got 'acme-dev', but the log group")
    assert f"aws logs delete-log-group --log-group-name {GROUP} --region {REGION}" in problem


@pytest.mark.parametrize(
    ("why", "there"),
    [
        ("it is the program's own, of an update that stopped", {"key": "arn:aws:kms:::key/1"}),
        ("its key was taken away behind the program's back", {"clusters": ("acme-dev-cluster",)}),
        ("the prefix finds another cluster's", {"groups": (f"{GROUP}-2",)}),
        ("a first cluster of the name", {"groups": ()}),
    ],
)
def test_a_log_group_that_is_no_leftover_passes(why: str, there: dict[str, Any]) -> None:
    assert not _cluster(**there), why
