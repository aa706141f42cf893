"""The stacks of an environment: their order, and what stops a command before anything is changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli import engine, environment_files, instances, layer_stacks, stack_names
from cli.output import CommandError
from cli.policy.events import Evaluation
from twin.instances import Instance, create


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environments folder with two environments, one with a stack file for each layer."""
    for name in ("aws-dev", "aws-dev-data", "aws-dev-ml", "aws-data"):
        (tmp_path / f"Pulumi.{name}.yaml").touch()
    monkeypatch.setattr(layer_stacks, "FOLDER", tmp_path)
    return tmp_path


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    """A twin with a folder for the states of its stacks."""
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path / "home"))
    return create("aws-dev")


def state(instance: Instance, stack: str, *types: str) -> None:
    """Write a stack's state with resources of these types."""
    file = instance.folder / "state" / ".pulumi" / "stacks" / environment_files.PROJECT / f"{stack}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    resources = [{"urn": f"urn:{name}", "type": name} for name in types]
    file.write_text(json.dumps({"checkpoint": {"latest": {"resources": resources}}}))


def separate(monkeypatch: pytest.MonkeyPatch, layers: Any, **topic: Any) -> None:
    """Let every environment's file have this list of separate layers."""
    config = {"ai-platform:environment": topic, "ai-platform:layers": {"separate": layers}}
    monkeypatch.setattr(instances, "config", lambda _name: config)


def test_an_environment_has_one_stack_by_default(folder: Path) -> None:
    assert layer_stacks.of("aws-dev") == ["aws-dev"]


@pytest.mark.parametrize("layers", [["ml", "data"], ["data", "ml"]])
def test_layers_come_after_the_foundation_in_a_fixed_order(
    folder: Path, monkeypatch: pytest.MonkeyPatch, layers: list[str]
) -> None:
    separate(monkeypatch, layers)
    assert layer_stacks.of("aws-dev") == ["aws-dev", "aws-dev-data", "aws-dev-ml"]


def test_a_bootstrap_deploys_no_layer_and_a_destroy_deletes_them_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    separate(monkeypatch, ["data"], bootstrap=True)
    assert layer_stacks.of("aws-dev") == ["aws-dev"]
    assert layer_stacks.of("aws-dev", in_bootstrap=True) == ["aws-dev", "aws-dev-data"]


def test_a_missing_stack_file_is_reported_with_its_content(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    separate(monkeypatch, ["data"])
    (folder / "Pulumi.aws-dev-data.yaml").unlink()
    with pytest.raises(CommandError, match=r"(?s)data has no stack file.*environment: aws-dev, name: data"):
        layer_stacks.of("aws-dev")


@pytest.mark.parametrize("layers", ["data", None, ["dta"]])
def test_a_wrong_list_of_layers_is_left_to_the_program(
    folder: Path, monkeypatch: pytest.MonkeyPatch, layers: Any
) -> None:
    separate(monkeypatch, layers)
    assert layer_stacks.of("aws-dev") == ["aws-dev"]


def test_the_stack_of_a_layer_is_no_environment_and_belongs_to_the_environments_twin(folder: Path) -> None:
    names = stack_names.stacks(folder)
    assert stack_names.environments(folder) == ["aws-data", "aws-dev"], (
        "aws-data is no layer of an environment aws"
    )
    assert stack_names.environment_of("aws-dev-data", names) == "aws-dev"
    assert stack_names.environment_of("aws-data", names) == "aws-data"


def test_a_command_stops_at_the_first_stack_that_fails() -> None:
    ran: list[str] = []

    def run(stack: str) -> int:
        ran.append(stack)
        return 3 if stack == "b" else 0

    assert layer_stacks.run_in_order(["a", "b", "c"], run) == 3
    assert ran == ["a", "b"]


def test_an_update_that_would_delete_a_layer_is_refused(instance: Instance) -> None:
    state(instance, "aws-dev", "aiplatform:index:Cluster", "aiplatform:index:Lakehouse")
    with pytest.raises(CommandError, match=r"would delete; expected in aws-dev-data: move the state first"):
        layer_stacks.refuse_unmoved(instance, "aws-dev", ["aws-dev", "aws-dev-data"])


def test_an_update_that_would_create_a_layer_a_second_time_is_refused(instance: Instance) -> None:
    state(instance, "aws-dev", "aiplatform:index:Cluster")
    state(instance, "aws-dev-ml", "aiplatform:index:ModelRegistry")
    with pytest.raises(CommandError, match=r"aws-dev-ml still has ModelRegistry.*create again"):
        layer_stacks.refuse_unmoved(instance, "aws-dev", ["aws-dev", "aws-dev-data"])


def test_an_update_of_a_moved_layer_goes_on(instance: Instance) -> None:
    state(instance, "aws-dev", "aiplatform:index:Cluster", "aiplatform:index:ModelRegistry")
    state(instance, "aws-dev-data", "aiplatform:index:Lakehouse")
    state(instance, "aws-dev-ml", "pulumi:providers:aws")
    layer_stacks.refuse_unmoved(instance, "aws-dev", ["aws-dev", "aws-dev-data"])


def test_the_stack_of_a_layer_is_previewed_only_after_the_environments(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "outputs", lambda _instance, _name: {})
    assert layer_stacks.can_preview(instance, "aws-dev", "aws-dev")
    assert not layer_stacks.can_preview(instance, "aws-dev", "aws-dev-data")
    monkeypatch.setattr(engine, "outputs", lambda _instance, _name: {"foundation": {"cluster": {}}})
    assert layer_stacks.can_preview(instance, "aws-dev", "aws-dev-data")
    assert "up aws-dev` first" in layer_stacks.not_deployed("aws-dev", "aws-dev-data")


def test_an_evaluation_of_several_stacks_is_complete_where_each_is() -> None:
    first = Evaluation(messages=["profile dev"], deferred={"a": 1}, finished=True)
    first.add(Evaluation(messages=["profile dev"], policies={"b"}, deferred={"a": 2}, finished=True))
    assert (first.messages, first.deferred, first.policies) == (["profile dev"], {"a": 3}, {"b"})
    assert first.complete
    first.add(Evaluation(finished=False))
    assert not first.complete, "one of the previews ended early"
