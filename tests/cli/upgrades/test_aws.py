"""What EKS states of a cluster."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from cli.clients.aws import ApiError
from cli.estimate.resources import Resources
from cli.output import CommandError
from cli.preflight.scope import UncheckedError
from cli.upgrades import aws
from cli.upgrades.facts import Facts
from tests.cli.estimate.samples import resource
from tests.cli.preflight.fakes import ACCOUNT, Aws
from tests.cli.upgrades.samples import document

CLUSTER = "acme-dev-cluster"
MISSING = ApiError("ResourceNotFoundException", "none")


def version(name: str, status: str, standard: date, extended: date) -> dict[str, Any]:
    def moment(day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=UTC)

    return {
        "clusterVersion": name,
        "versionStatus": status,
        "endOfStandardSupportDate": moment(standard),
        "endOfExtendedSupportDate": moment(extended),
    }


VERSIONS = [
    version("1.36", "STANDARD_SUPPORT", date(2027, 8, 2), date(2028, 8, 2)),
    version("1.35", "STANDARD_SUPPORT", date(2027, 3, 27), date(2028, 3, 27)),
    version("1.33", "EXTENDED_SUPPORT", date(2026, 7, 29), date(2027, 7, 29)),
    version("1.30", "UNSUPPORTED", date(2025, 7, 23), date(2026, 7, 23)),
]
GROUP = {
    "labels": {"ai-platform/pool": "general"},
    "amiType": "AL2023_x86_64_STANDARD",
    "releaseVersion": "1.35.8-20260815",
    "version": "1.35",
}


def addon_versions(addonName: str, kubernetesVersion: str) -> dict[str, Any]:  # noqa: N803 - of the API
    offered = {"1.35": ["v1.9.0-eksbuild.1", "v1.10.0-eksbuild.2"], "1.36": ["v1.10.0-eksbuild.2"]}
    entries = [
        {
            "addonVersion": name,
            "compatibilities": [
                {"clusterVersion": kubernetesVersion, "defaultVersion": name.startswith("v1.9")}
            ],
        }
        for name in offered[kubernetesVersion]
    ]
    return {"addons": [{"addonName": addonName, "addonVersions": entries}]}


def parameter(Name: str) -> dict[str, Any]:  # noqa: N803 - of the API
    return {"Parameter": {"Value": f"{Name.split('/')[2]}.9-20260930"}}


def client(**changes: Any) -> Aws:
    answers = {
        ("sts", "get_caller_identity"): {"Account": ACCOUNT},
        ("eks", "describe_cluster"): {
            "cluster": {"version": "1.35", "upgradePolicy": {"supportType": "STANDARD"}}
        },
        ("eks", "describe_cluster_versions"): {"clusterVersions": VERSIONS},
        ("eks", "list_nodegroups"): {"nodegroups": ["acme-dev-general-1"]},
        ("eks", "describe_nodegroup"): {"nodegroup": GROUP},
        ("eks", "list_addons"): {"addons": ["coredns"]},
        ("eks", "describe_addon"): {"addon": {"addonVersion": "v1.9.0-eksbuild.1"}},
        ("eks", "describe_addon_versions"): addon_versions,
        ("eks", "list_insights"): {"insights": []},
        ("ssm", "get_parameter"): parameter,
    }
    return Aws({**answers, **{("eks", name): value for name, value in changes.items()}})


def facts(of: Any, *resources: Any) -> Facts:
    return aws.read(of, ACCOUNT, CLUSTER, document(), Resources(resources))


def test_cluster_that_runs_has_its_version_support_and_releases() -> None:
    known = facts(client())
    control = known.control
    assert (control.exists, control.version, control.next, control.newest) == (True, "1.35", "1.36", "1.36")
    assert control.support.standard == date(2027, 3, 27)
    assert not control.pays_extended
    (nodes,) = known.nodes
    assert (nodes.pool, nodes.release) == ("general", "1.35.8-20260815")
    assert (nodes.newest, nodes.newest_next) == ("1.35.9-20260930", "1.36.9-20260930")
    assert nodes.support.standard == date(2027, 3, 27)


def test_addon_has_the_default_the_newest_and_what_both_versions_offer() -> None:
    (addon,) = facts(client()).addons
    assert (addon.version, addon.default) == ("v1.9.0-eksbuild.1", "v1.9.0-eksbuild.1")
    assert addon.newest == "v1.10.0-eksbuild.2", "10 is newer than 9"
    assert addon.for_both == ["v1.10.0-eksbuild.2"]


def test_policy_of_the_cluster_decides_whether_extended_support_is_paid() -> None:
    extended = {"cluster": {"version": "1.33", "upgradePolicy": {"supportType": "EXTENDED"}}}
    control = facts(client(describe_cluster=extended, describe_addon_versions={"addons": []})).control
    assert control.pays_extended
    assert control.is_offered
    assert control.next == "", "EKS does not offer 1.34 here"


def test_version_without_support_is_not_offered() -> None:
    old = {"cluster": {"version": "1.30"}}
    assert not facts(client(describe_cluster=old, describe_addon_versions={"addons": []})).control.is_offered


def test_cluster_that_does_not_exist_has_the_version_of_the_file_and_the_groups_of_the_preview() -> None:
    group = resource(
        aws.GROUP, "general", labels={"ai-platform/pool": "general"}, amiType="AL2023_x86_64_STANDARD"
    )
    known = facts(client(describe_cluster=MISSING), group)
    assert (known.control.exists, known.control.version) == (False, "1.35")
    assert [(nodes.name, nodes.release, nodes.newest) for nodes in known.nodes] == [
        ("general", "", "1.35.9-20260930")
    ]


def test_insight_of_eks_that_is_an_error_is_a_finding() -> None:
    def insight(status: str) -> dict[str, Any]:
        return {"name": status.lower(), "insightStatus": {"status": status, "reason": "v1beta1 is used"}}

    answer = {"insights": [insight("ERROR"), insight("PASSING")]}
    assert facts(client(list_insights=answer)).findings == ["EKS' insight 'error': v1beta1 is used"]


def test_what_cannot_be_read_is_a_note_and_no_finding() -> None:
    of = client(list_insights=UncheckedError("it takes the permission eks:ListInsights"))
    of.answers["ssm", "get_parameter"] = UncheckedError("it takes the permission ssm:GetParameter")
    known = facts(of)
    assert known.findings == []
    assert [nodes.newest for nodes in known.nodes] == [""]
    assert any("eks:ListInsights" in note for note in known.notes)
    assert any("ssm:GetParameter" in note for note in known.notes)


def test_credentials_of_another_account_are_refused() -> None:
    of = client()
    of.answers["sts", "get_caller_identity"] = {"Account": "999999999999"}
    with pytest.raises(CommandError, match=f"account 999999999999; expected {ACCOUNT}"):
        facts(of)


def test_error_of_eks_is_no_missing_cluster() -> None:
    with pytest.raises(UncheckedError, match="Throttling"):
        facts(client(describe_cluster=ApiError("ThrottlingException", "slow")))
