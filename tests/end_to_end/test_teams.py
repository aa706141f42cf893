"""Members of a team on the real API server: an IAM role, its access entry, the group, and the team's roles.

The tests of this module run in the order in which they are written.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import kubernetes
import pulumi
import pulumi_aws as aws
import pytest
from kubernetes.client import ApiException
from pulumi import automation

from aiplatform.teams import Teams
from aiplatform.teams.args import ROLES as MEMBER_ROLES
from aiplatform.teams.args import Role
from aiplatform.teams.members import group_name
from tests.end_to_end import pods
from tests.end_to_end.plain import Base, Plain
from tests.generating.isolation.kubernetes import CLUSTER_KINDS, KINDS, VERBS, Kind
from tests.generating.isolation.kubernetes import allowed as allowed_verbs
from tests.generating.isolation.sample import NAMESPACES
from twin import environment
from twin.tests.waiting import eventually

pytestmark = pytest.mark.end_to_end

ROLES = ("owner", "developer", "reader", "stranger")
JOB: dict[str, Any] = {
    "metadata": {"name": "train"},
    "spec": {
        "suspend": True,
        "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "a:1"}]}},
    },
}
POD: dict[str, Any] = {"metadata": {"name": "bare"}, "spec": JOB["spec"]["template"]["spec"]}


@pytest.fixture(scope="module")
def teams(plain: Plain, base: Base) -> Iterator[automation.Stack]:
    stack = plain.stack("teams", lambda: _program(base))
    stack.set_config("kubernetes:kubeconfig", automation.ConfigValue(str(plain.instance.kubeconfig)))
    stack.set_config("aws:region", automation.ConfigValue(plain.instance.region))
    stack.up()
    yield stack
    stack.destroy()


@pytest.fixture(scope="module")
def member(plain: Plain, base: Base, teams: automation.Stack) -> Callable[[str], Any]:
    """Return what makes a client of the API server with the token of a role."""
    arns: dict[str, str] = teams.outputs()["roles"].value

    def client(role: str) -> Any:
        session = pods.assumed(plain.aws("sts"), arns[role])
        env_vars = {**os.environ, **environment.environment(plain.instance), **session}
        command = ["aws", "eks", "get-token", "--cluster-name", base.cluster, "--output", "json"]
        answer = subprocess.run(command, env=env_vars, check=True, capture_output=True, text=True).stdout
        configuration = kubernetes.client.Configuration()
        known = plain.kubernetes().configuration
        configuration.host, configuration.ssl_ca_cert = known.host, known.ssl_ca_cert
        configuration.api_key = {"authorization": f"Bearer {json.loads(answer)['status']['token']}"}
        return kubernetes.client.ApiClient(configuration)

    return client


def allowed(call: Callable[..., Any], *arguments: Any, **options: Any) -> bool:
    """Whether the API server admits a call; RBAC's answer is 403."""
    try:
        call(*arguments, **options)
    except ApiException as error:
        if error.status in (401, 403):
            return False
        raise
    return True


def rights(api: Any) -> dict[str, bool]:
    """Return what a member may do in the namespace `search` and elsewhere."""
    core: Any = kubernetes.client.CoreV1Api(api)
    batch: Any = kubernetes.client.BatchV1Api(api)
    dry = {"dry_run": "All"}
    return {
        "read Pods": allowed(core.list_namespaced_pod, "search"),
        "create a Job": allowed(batch.create_namespaced_job, "search", JOB, **dry),
        "create a Pod": allowed(core.create_namespaced_pod, "search", POD, **dry),
        "read Secrets": allowed(core.list_namespaced_secret, "search"),
        "change the quota": allowed(core.delete_namespaced_resource_quota, "namespace", "search", **dry),
        "read Pods of ads": allowed(core.list_namespaced_pod, "adverts"),
        "read Pods of the system": allowed(core.list_namespaced_pod, "kube-system"),
    }


def test_each_member_has_the_role_of_its_team_in_its_namespace_alone(member: Callable[[str], Any]) -> None:
    reader: Any = kubernetes.client.CoreV1Api(member("reader"))
    eventually("access entries are in effect", lambda: allowed(reader.list_namespaced_pod, "search"), 30)
    matrix = {role: rights(member(role)) for role in ROLES}
    none = dict.fromkeys(matrix["reader"], False)
    assert matrix == {
        "owner": {**none, "read Pods": True, "create a Job": True, "read Secrets": True},
        "developer": {**none, "read Pods": True, "create a Job": True},
        "reader": {**none, "read Pods": True},
        "stranger": {**none, "read Pods of ads": True},
    }, "no role creates Pods or changes quotas"


def reviewed(api: Any, group: str, kind: Kind, namespace: str | None) -> list[str]:
    """Return the verbs that the API server allows to a member of a group, by SubjectAccessReviews."""
    authorization: Any = kubernetes.client.AuthorizationV1Api(api)
    verbs: list[str] = []
    for verb in VERBS:
        attributes = {
            "group": kind.group,
            "resource": kind.resource,
            "subresource": kind.subresource,
            "verb": verb,
            **({"namespace": namespace} if namespace is not None else {}),
        }
        spec = {
            "user": "member",
            "groups": [group, "system:authenticated"],
            "resourceAttributes": attributes,
        }
        answer = authorization.create_subject_access_review({"spec": spec})
        if answer.status.allowed:
            verbs.append(verb)
    return verbs


@pytest.mark.parametrize("role", MEMBER_ROLES)
def test_the_api_server_allows_what_the_page_of_isolation_shows(
    plain: Plain, teams: automation.Stack, role: Role
) -> None:
    api, group = plain.kubernetes(), group_name("search", role)
    expected = {kind: allowed_verbs("search", role, kind, NAMESPACES["search"]) for kind in KINDS}
    assert {kind: reviewed(api, group, kind, "search") for kind in KINDS} == expected
    assert any(expected.values()), "an API server that denies everything would agree"
    for namespace in ("adverts", "kube-system", "default"):
        others = {kind: reviewed(api, group, kind, namespace) for kind in KINDS}
        assert {kind.name: verbs for kind, verbs in others.items() if verbs} == {}, namespace
    cluster = {kind.name: reviewed(api, group, kind, None) for kind in CLUSTER_KINDS}
    assert {kind: verbs for kind, verbs in cluster.items() if verbs} == {}


def test_a_pod_has_no_service_account_of_another_team(plain: Plain, teams: automation.Stack) -> None:
    core: Any = kubernetes.client.CoreV1Api(plain.kubernetes())
    only_there = {"metadata": {"name": "of-adverts"}}
    core.create_namespaced_service_account("adverts", only_there)
    restricted = {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "c",
                "image": "a:1",
                "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            }
        ],
        "serviceAccountName": "of-adverts",
    }
    pod = {"metadata": {"name": "thief"}, "spec": restricted}
    with pytest.raises(ApiException, match="service account search/of-adverts"):
        core.create_namespaced_pod("search", pod, dry_run="All")
    assert core.create_namespaced_pod("adverts", pod, dry_run="All"), "where it is, a Pod has it"


def test_no_member_annotates_a_service_account_with_an_identity(
    member: Callable[[str], Any], teams: automation.Stack
) -> None:
    annotated = {
        "metadata": {
            "name": "mine",
            "annotations": {"iam.gke.io/gcp-service-account": "acme-dev-wi-ads@acme.iam.gserviceaccount.com"},
        }
    }
    for role in ("owner", "developer", "reader"):
        core: Any = kubernetes.client.CoreV1Api(member(role))
        assert not allowed(core.create_namespaced_service_account, "search", annotated, dry_run="All"), role
        body = {"metadata": annotated["metadata"]}
        assert not allowed(core.patch_namespaced_service_account, "default", "search", body, dry_run="All"), (
            role
        )


def test_pods_of_the_team_have_its_configuration_and_are_restricted(
    plain: Plain, teams: automation.Stack
) -> None:
    core: Any = kubernetes.client.CoreV1Api(plain.kubernetes())
    assert core.read_namespaced_config_map("platform", "search").data == {"MLFLOW_TRACKING_URI": "https://m"}
    with pytest.raises(ApiException, match="violates PodSecurity"):
        core.create_namespaced_pod("search", POD, dry_run="All")
    names = {policy.metadata.name for policy in _policies(plain, "search")}
    assert {"default-deny", "platform-services", "same-namespace"} <= names


def test_nothing_changes_when_nothing_changed(teams: automation.Stack) -> None:
    teams.preview(expect_no_changes=True)


def _policies(plain: Plain, namespace: str) -> list[Any]:
    networking: Any = kubernetes.client.NetworkingV1Api(plain.kubernetes())
    return networking.list_namespaced_network_policy(namespace).items


def _program(base: Base) -> None:
    account = aws.get_caller_identity().account_id
    trust = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
    )
    roles = {role: aws.iam.Role(f"team-{role}", assume_role_policy=trust) for role in ROLES}
    Teams(
        "teams",
        {
            "prefix": "acme-dev",
            "cluster": {"name": base.cluster, "security_group_id": "sg-1"},
            "secret_stores": False,
            "teams": {
                "search": {
                    "owners": [roles["owner"].arn],
                    "developers": [roles["developer"].arn],
                    "readers": [roles["reader"].arn],
                    "configuration": {"MLFLOW_TRACKING_URI": "https://m"},
                },
                "ads": {"owners": [roles["stranger"].arn], "namespace": "adverts"},
            },
        },
    )
    pulumi.export("roles", {role: created.arn for role, created in roles.items()})
