"""The templates: what each step gets, who runs it, and what a worse model does not reach."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.components.aiplatform.continuous_training.example import (
    COMMIT,
    IMAGE,
    RELEASE_IMAGE,
    TRAIN_IMAGE,
    model,
    on_data,
    training,
)
from tests.components.recording import Recording

TEMPLATE = "kubernetes:argoproj.io/v1alpha1:WorkflowTemplate"


@pytest.fixture(scope="module")
def recording() -> Recording:
    return training("aws", model=on_data("aws"))


@pytest.fixture(scope="module")
def spec(recording: Recording) -> dict[str, Any]:
    return recording.one(TEMPLATE, "training-search-fares").inputs["spec"]


def _templates(spec: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in spec["templates"]}


def _steps(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [call for group in _templates(spec)["main"]["steps"] for call in group]


def test_the_steps_are_in_the_order_of_a_training(spec: dict[str, Any]) -> None:
    names = [call["name"] for call in _steps(spec)]
    assert names == ["pin", "features", "train", "candidate", "evaluate", "register", "request"]


def test_a_promotion_is_requested_only_of_a_better_version(spec: dict[str, Any]) -> None:
    conditions = {call["name"]: call.get("when") for call in _steps(spec)}
    assert conditions.pop("request") == "{{steps.register.outputs.parameters.better}} == true"
    assert set(conditions.values()) == {None}


def test_every_parameter_of_a_step_is_the_output_of_an_earlier_one(spec: dict[str, Any]) -> None:
    templates, known = _templates(spec), set[str]()
    for call in _steps(spec):
        template = templates[call["template"]]
        values = {entry["name"]: entry["value"] for entry in call.get("arguments", {}).get("parameters", [])}
        declared = [entry["name"] for entry in template.get("inputs", {}).get("parameters", [])]
        assert sorted(values) == sorted(declared)
        for value in values.values():
            assert value in known or value in ("{{workflow.name}}", "{{workflow.uid}}"), value
        used = [word for word in template["container"]["args"] if word.startswith("{{inputs")]
        assert used == [f"{{{{inputs.parameters.{name}}}}}" for name in declared]
        known |= {
            f"{{{{steps.{call['name']}.outputs.parameters.{entry['name']}}}}}"
            for entry in template.get("outputs", {}).get("parameters", [])
        }


def test_steps_that_create_trainjobs_have_no_identity_in_the_cloud(spec: dict[str, Any]) -> None:
    templates = _templates(spec)
    accounts = {name: entry.get("serviceAccountName") for name, entry in templates.items()}
    creating = {name for name, account in accounts.items() if account == "pipeline-jobs"}
    assert creating == {"train", "evaluate", "stop"}
    assert spec["serviceAccountName"] == "workloads", "of the others"
    for name in creating:
        assert templates[name]["archiveLocation"] == {"archiveLogs": False}, "no identity to store a log with"


def test_every_step_knows_its_team_without_the_configuration_of_teams(
    spec: dict[str, Any], recording: Recording
) -> None:
    containers = [entry["container"] for entry in spec["templates"] if "container" in entry]
    messages = recording.one("kubernetes:keda.sh/v1alpha1:ScaledJob", "training-search-messages").inputs
    containers += messages["spec"]["jobTargetRef"]["template"]["spec"]["containers"]
    assert len(containers) == 9
    for container in containers:
        variables = {entry["name"]: entry.get("value") for entry in container["env"]}
        assert variables["PLATFORM_TEAM"] == "search", container["args"]


def test_arguments_of_jobs_may_name_the_team() -> None:
    training("aws", model=model(evaluation={"args": ["--team=${PLATFORM_TEAM}"]}))


def test_trainjobs_of_a_stopped_workflow_are_deleted(spec: dict[str, Any]) -> None:
    [[stop]] = _templates(spec)[spec["onExit"]]["steps"]
    assert stop["when"] == "{{workflow.status}} != Succeeded"
    assert _templates(spec)["stop"]["container"]["args"] == ["stop", "--name", "{{workflow.name}}"]


def test_two_trainings_of_a_model_do_not_run_at_a_time(spec: dict[str, Any]) -> None:
    assert spec["synchronization"] == {"mutexes": [{"name": "train-fares"}]}


def test_steps_are_restricted_and_state_their_command(spec: dict[str, Any]) -> None:
    for template in spec["templates"]:
        if "container" not in template:
            continue
        container = template["container"]
        assert container["image"] == IMAGE
        assert container["command"] == ["python", "-m", "training_steps"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"]
        assert "exitCode) != 2" in template["retryStrategy"]["expression"], "a refusal is not repeated"


def test_the_file_of_the_steps_has_what_is_declared(recording: Recording) -> None:
    configuration = recording.one("kubernetes:core/v1:ConfigMap", "training-search-configuration")
    declared = json.loads(configuration.inputs["data"]["models.json"])["fares"]
    assert declared["table"] == "acme_dev_curated.orders"
    assert declared["feature_views"] == {"customers": {"version": "3", "table": "acme_dev_curated.customers"}}
    assert declared["training"]["code_commit"] == COMMIT
    assert declared["training"]["nodes"] == 2
    job = declared["evaluation"]["job"]
    assert (job["runtime"], job["image"], job["nodes"]) == ("torch-cpu", TRAIN_IMAGE, 1), "of the training"
    assert declared["evaluation"]["thresholds"] == {"accuracy": {"min": 0.8, "max": None}}
    assert declared["rollout"] == {"weights": "10,50,100", "max_error_rate": "0.02"}


def test_an_evaluation_may_have_another_image_and_runtime() -> None:
    other = TRAIN_IMAGE.replace("train@", "evaluate@")
    changed = model(evaluation={"metric": "accuracy", "image": other, "runtime": "torch-gpu"})
    configuration = training("aws", model=changed).one(
        "kubernetes:core/v1:ConfigMap", "training-search-configuration"
    )
    job = json.loads(configuration.inputs["data"]["models.json"])["fares"]["evaluation"]["job"]
    assert (job["runtime"], job["image"]) == ("torch-gpu", other)


def test_a_schedule_has_its_time_zone(recording: Recording) -> None:
    schedule = recording.one("kubernetes:argoproj.io/v1alpha1:CronWorkflow", "training-search-fares-schedule")
    spec = schedule.inputs["spec"]
    assert (spec["schedules"], spec["timezone"]) == (["0 3 * * *"], "Europe/Berlin")
    assert spec["workflowSpec"]["workflowTemplateRef"] == {"name": "train-fares"}
    assert not training("aws").all("kubernetes:argoproj.io/v1alpha1:CronWorkflow"), "without a schedule"


def test_promotions_run_the_program_that_releases_models(recording: Recording) -> None:
    template = recording.one(TEMPLATE, "training-promotion").inputs
    assert (template["metadata"]["name"], template["metadata"]["namespace"]) == ("promotion", "release")
    promote = _templates(template["spec"])["promote"]
    assert promote["container"]["image"] == RELEASE_IMAGE
    assert promote["container"]["args"][:3] == ["promote", "--alias", "champion"]
    assert promote["container"]["args"][-3:] == [
        "--",
        "{{workflow.parameters.model}}",
        "{{workflow.parameters.version}}",
    ], "no value is read as an option"
    assert promote["metadata"]["annotations"] == {
        "ai-platform/approved-by": "{{workflow.annotations.ai-platform/approved-by}}"
    }
    assert template["spec"]["archiveLogs"] is False, "there is no repository of artifacts"


def test_outputs_name_queues_and_templates(recording: Recording) -> None:
    component = recording.one("aiplatform:index:ContinuousTraining", "training")
    assert component.outputs is not None
    assert component.outputs["templates"] == {"search": ["train-fares"]}
    assert set(component.outputs["queues"]) == {"search"}
