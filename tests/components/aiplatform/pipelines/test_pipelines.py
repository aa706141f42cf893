"""What pipelines register, on both clouds."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from aiplatform.addons.values import argo_workflows
from aiplatform.addons.values.setup import Setup
from aiplatform.pipelines.namespaces import RULES
from tests.components.aiplatform.pipelines.example import IDENTITIES, ROLE, SUBMITTERS, pipelines
from tests.components.recording import Recording

ROLE_BINDING = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"
CLOUDS = ("aws", "gcp")


def repository(recorded: Recording) -> dict[str, Any]:
    config = recorded.one("kubernetes:core/v1:ConfigMap").inputs
    default = config["metadata"]["annotations"]["workflows.argoproj.io/default-artifact-repository"]
    assert config["metadata"]["name"] == "artifact-repositories", "where Argo looks in each namespace"
    return json.loads(config["data"][default])


def statements(recorded: Recording, token: str) -> dict[str, Any]:
    policies = [entry for entry in recorded.all(token) if entry.name.endswith(("search", "artifacts"))]
    (policy,) = policies
    return {entry["Sid"]: entry for entry in json.loads(policy.inputs["policy"])["Statement"]}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_artifacts_and_logs_are_stored_below_the_namespace(cloud: str) -> None:
    known = repository(pipelines(cloud))
    store = known["s3" if cloud == "aws" else "gcs"]
    assert store["keyFormat"].startswith("search/"), "permissions are by this prefix"
    assert "archiveLogs" not in known, "it would prevail over templates whose steps do not reach the bucket"
    assert not {key for key in store if "Secret" in key}, "no key is in a Secret"


def test_aws_signs_by_the_chain_of_its_sdk() -> None:
    assert repository(pipelines("aws"))["s3"]["useSDKCreds"] is True, "else MinIO asks the node's metadata"


def test_a_team_writes_below_its_prefix_alone_and_deletes_nothing() -> None:
    recorded = pipelines("aws")
    granted = statements(recorded, "aws:iam/rolePolicy:RolePolicy")
    assert granted["Artifacts"]["Resource"].endswith("/search/*")
    assert granted["FindArtifacts"]["Condition"] == {"StringLike": {"s3:prefix": "search/*"}}
    assert not [action for entry in granted.values() for action in entry["Action"] if "Delete" in action], (
        "artifacts expire"
    )
    denied = statements(recorded, "aws:s3/bucketPolicy:BucketPolicy")
    assert denied["OtherNamespaces"]["Effect"] == "Deny", "whatever the role of a Pod allows"


def test_google_grants_the_folder_of_the_namespace() -> None:
    recorded = pipelines("gcp")
    folder = recorded.one("gcp:storage/managedFolder:ManagedFolder")
    assert folder.inputs["name"] == "search/", "without the slash it would be the beginning of others"
    member = recorded.one("gcp:storage/managedFolderIamMember:ManagedFolderIamMember")
    assert member.inputs["role"] == "roles/storage.objectUser"
    assert member.inputs["member"] == IDENTITIES["gcp"]["principal"]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_each_account_has_the_role_of_its_work(cloud: str) -> None:
    bound = {
        entry.inputs["roleRef"]["name"]: [
            (subject["kind"], subject["name"]) for subject in entry.inputs["subjects"]
        ]
        for entry in pipelines(cloud).all(ROLE_BINDING)
    }
    submitters = (
        [("Group", "ai-platform:pipeline:search")]
        if cloud == "aws"
        else [("User", "ci@acme.iam.gserviceaccount.com"), ("Group", "search@acme.example")]
    )
    assert bound == {
        "pipeline-steps": [("ServiceAccount", "workloads")],
        "pipeline-jobs": [("ServiceAccount", "pipeline-jobs")],
        "pipeline-submitters": submitters,
    }


def test_a_principal_that_submits_writes_no_template_and_resumes_nothing() -> None:
    verbs = {
        (group, resource): set(allowed)
        for group, resources, allowed in RULES["pipeline-submitters"]
        for resource in resources
    }
    assert verbs["argoproj.io", "workflows"] == {"create", "get", "list", "watch"}
    assert verbs["argoproj.io", "workflowtemplates"] == {"get", "list"}
    assert not {resource for group, resource in verbs if group == "ai-platform"}, "it approves no release"


def test_a_principal_that_submits_has_no_rights_before_its_limits() -> None:
    recorded = pipelines("aws")
    limits = recorded.one("kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding")
    submitters = next(entry for entry in recorded.all(ROLE_BINDING) if "submitters" in entry.name)
    assert recorded.depends(submitters, limits)
    assert limits.inputs["spec"]["validationActions"] == ["Deny"]


def test_steps_may_only_report_results() -> None:
    assert RULES["pipeline-steps"] == (("argoproj.io", ("workflowtaskresults",), ("create", "patch")),)


def test_a_submitter_of_two_teams_has_one_access_entry_with_both_groups() -> None:
    identity = {**IDENTITIES["aws"], "namespace": "adverts", "role_name": "acme-dev-wi-ads"}
    teams = {
        "search": {
            "namespace": "search",
            "identity": IDENTITIES["aws"],
            "submitters": SUBMITTERS["aws"],
        },
        "ads": {"namespace": "adverts", "identity": identity, "submitters": SUBMITTERS["aws"]},
    }
    entry = pipelines("aws", teams=teams).one("aws:eks/accessEntry:AccessEntry")
    assert entry.inputs["kubernetesGroups"] == ["ai-platform:pipeline:ads", "ai-platform:pipeline:search"]
    assert entry.inputs["principalArn"] == f"{ROLE}ci"


def test_a_workflow_runs_a_stored_template_ends_and_keeps_nothing_for_ever() -> None:
    controller = argo_workflows.values(Setup())["controller"]
    assert controller["workflowRestrictions"] == {"templateReferencing": "Secure"}
    spec = controller["workflowDefaults"]["spec"]
    assert spec["ttlStrategy"]["secondsAfterFailure"] > spec["ttlStrategy"]["secondsAfterSuccess"] > 0
    assert spec["podGC"]["strategy"] == "OnPodSuccess"
    assert spec["activeDeadlineSeconds"] > 0
    assert spec["archiveLogs"] is True


@pytest.mark.parametrize(
    ("message", "again"),
    [
        ("pod deleted", True),
        ("Pod was terminated in response to imminent node shutdown.", True),
        ("The node was low on resource: memory.", True),
        ("Error (exit code 1)", False),
        ("OOMKilled (exit code 137)", False),
    ],
)
def test_a_step_is_repeated_when_its_node_is_lost_and_not_when_its_program_fails(
    message: str, again: bool
) -> None:
    retry = argo_workflows.workflow_defaults()["spec"]["templateDefaults"]["retryStrategy"]
    assert retry["retryPolicy"] == "Always", "by default only failures are, and a lost Pod is an error"
    pattern = retry["expression"].partition("matches '")[2].rstrip("'")
    assert bool(re.search(pattern, message)) is again
    assert "maxDuration" not in retry["backoff"], "it counts from the first start of a step"


def test_a_step_that_ran_for_hours_is_started_again_and_runs_as_long() -> None:
    retry = argo_workflows.workflow_defaults()["spec"]["templateDefaults"]["retryStrategy"]
    assert "maxDuration" not in retry["backoff"], "it counts from the first start, and stops what runs longer"


@pytest.mark.parametrize("cloud", CLOUDS)
def test_what_pods_need_exists_before_the_rights_of_steps(cloud: str) -> None:
    recorded = pipelines(cloud)
    binding = next(entry for entry in recorded.all(ROLE_BINDING) if "steps" in entry.name)
    token = {
        "aws": "aws:iam/rolePolicy:RolePolicy",
        "gcp": "gcp:storage/managedFolderIamMember:ManagedFolderIamMember",
    }[cloud]
    assert recorded.depends(binding, recorded.one(token))


def test_a_schedule_runs_a_template_of_the_team_in_its_time_zone() -> None:
    schedule = {
        "template": "train",
        "schedules": ["0 3 * * 1-5", "30 12 * * 0"],
        "timezone": "Europe/Berlin",
        "parameters": {"rows": "50000"},
        "concurrency": "replace",
        "deadline_minutes": 5,
    }
    recorded = pipelines("aws", team={"schedules": {"nightly": schedule}})
    cron = recorded.one("kubernetes:argoproj.io/v1alpha1:CronWorkflow")
    assert cron.inputs["metadata"]["namespace"] == "search"
    spec = cron.inputs["spec"]
    assert spec["schedules"] == ["0 3 * * 1-5", "30 12 * * 0"], "4.0 has no `schedule`"
    assert spec["timezone"] == "Europe/Berlin"
    assert spec["concurrencyPolicy"] == "Replace"
    assert spec["startingDeadlineSeconds"] == 300
    assert spec["workflowSpec"] == {
        "workflowTemplateRef": {"name": "train"},
        "arguments": {"parameters": [{"name": "rows", "value": "50000"}]},
    }, "nothing but a reference, which `templateReferencing: Secure` requires"
    assert recorded.depends(cron, recorded.named("pipelines-argo-workflows-installed"))
