"""The isolation of teams on both clouds and in Kubernetes, as docs/security-teams.md shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from aiplatform.teams.args import ROLES
from tests.generating.isolation import aws, google, kubernetes, sample
from tests.generating.isolation.access import CI, POD, READER, WORKLOADS, Row
from tests.generating.isolation.google import Resource
from tests.generating.isolation.sample import IDENTITY_OF, NAMESPACES, PROJECT

CLOUDS = {"aws": aws.rows, "gcp": google.rows}
of_each_cloud = pytest.mark.parametrize("rows", CLOUDS.values(), ids=CLOUDS)
THINGS = {
    (WORKLOADS, "checkpoints"),
    (WORKLOADS, "releases"),
    (WORKLOADS, "artifacts of pipelines"),
    (WORKLOADS, "request logs"),
    (WORKLOADS, "reports of monitors"),
    (WORKLOADS, "tables"),
    (READER, "secrets"),
    (READER, "account of the model registry"),
    (CI, "repositories"),
    (POD, "cloud identity"),
}


@of_each_cloud
@pytest.mark.parametrize("reverse", [False, True], ids=["search", "search-ads"])
def test_nothing_of_another_team_is_allowed(rows: Callable[[bool], list[Row]], reverse: bool) -> None:
    assert [row for row in rows(reverse) if row.other_team] == []


@of_each_cloud
def test_a_team_uses_what_it_has(rows: Callable[[bool], list[Row]]) -> None:
    used = {(row.who, row.what) for row in rows(False) if row.own_team}
    assert used >= THINGS, "an evaluation that denies everything proves nothing"


@of_each_cloud
def test_both_teams_have_the_same_rights(rows: Callable[[bool], list[Row]]) -> None:
    assert rows(False) == rows(True)


@of_each_cloud
def test_releases_are_read_and_not_written(rows: Callable[[bool], list[Row]]) -> None:
    actions = {row.action.partition(" ")[0]: row.own_team for row in rows(False) if row.what == "releases"}
    assert actions == {"list": True, "read": True, "write": False, "delete": False}


def test_an_object_whose_prefix_begins_with_the_teams_is_another_teams() -> None:
    registered = aws.Registrations()
    pod = registered.workloads("search")
    for key, expected in (("search-ml/a", True), ("search-ml-ads/a", False), ("search-mla", False)):
        assert registered.on_object(pod, "s3:GetObject", "checkpoints", key) is expected, key
    assert not registered.on_object(pod, "s3:ListBucket", "checkpoints", ""), "not the whole bucket"


def test_a_bucket_policy_stops_a_role_with_a_right_to_all_checkpoints() -> None:
    registered = aws.Registrations()
    all_objects = {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    pod = registered.workloads("search")
    wide = replace(pod, identity=(all_objects,))
    assert registered.on_object(wide, "s3:GetObject", "checkpoints", "search-ml/a")
    assert not registered.on_object(wide, "s3:GetObject", "checkpoints", "search-ml-ads/a"), (
        "the session of a Pod has the tag of its namespace"
    )


def test_a_condition_on_names_of_secrets_is_evaluated() -> None:
    registered = google.Registrations()
    reader = google.reader("search")
    for name, expected in (
        ("acme-dev-teams-search_hub", True),
        ("acme-dev-teams-search-ads_hub", False),
        ("acme-dev-teams-searching", False),
    ):
        resource = Resource(((), (name,)), f"projects/123456789012/secrets/{name}/versions/1")
        assert registered.allowed(reader, "secretmanager.versions.access", resource) is expected, name


def test_a_role_on_the_whole_bucket_would_be_seen() -> None:
    registered = google.Registrations()
    promoter = IDENTITY_OF["gcp"].replace("TEAM", "promoter")
    bucket = f"acme-dev-releases-{PROJECT}"
    resource = Resource(((), (bucket,), (bucket, "search-ads/")))
    assert registered.allowed(promoter, "storage.objects.get", resource), "promotions read all releases"


def test_no_role_of_a_team_has_a_verb_in_another_namespace_or_in_the_cluster() -> None:
    for team in sample.TEAMS:
        for role in ROLES:
            for kind in kubernetes.KINDS:
                for other in ({*NAMESPACES.values(), "kube-system", "monitoring"}) - {NAMESPACES[team]}:
                    assert kubernetes.allowed(team, role, kind, other) == [], (team, role, kind, other)
            for kind in kubernetes.CLUSTER_KINDS:
                assert kubernetes.allowed(team, role, kind, None) == [], (team, role, kind)


def test_roles_of_a_team_differ_as_documented() -> None:
    rights = {kind: granted for kind, granted, _ in kubernetes.rights()}
    assert rights["secrets"]["owner"] == list(kubernetes.VERBS)
    assert rights["secrets"]["developer"] == rights["secrets"]["reader"] == []
    assert "create" not in rights["pods"]["owner"], "work goes through workloads, which a queue counts"
    assert not {"create", "update", "patch"} & {*rights["serviceaccounts"]["owner"]}, (
        "no member annotates a service account with an identity"
    )
    assert rights["serviceaccounts/token"]["owner"] == []


def test_pods_of_two_teams_do_not_reach_each_other() -> None:
    mine, other = (NAMESPACES[team] for team in sample.TEAMS)
    for source, target in ((mine, other), (other, mine)):
        for port in (53, 80, 443, 5000, 8080, 8265):
            assert not kubernetes.reaches(source, target, port), (source, target, port)
        assert kubernetes.reaches(source, source), "Pods of one team reach each other"
