"""Layers in separate stacks: the same resources as in one stack, and what is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast, get_args

import pulumi
import pytest
from ruamel.yaml import YAML

from stacks import layer_stacks, loading, program
from stacks.loading import SettingsError, load_engine
from stacks.settings import Settings, Team
from stacks.settings.composition import LAYERS, LayerName, Layers
from tests.components.recording import ACCOUNT, Recording, record
from tests.stacks.environments import Built, build, built, settings_of
from tests.stacks.files import ENVIRONMENTS
from tests.stacks.test_shared_files import VALIDATOR

REFERENCE = "pulumi:pulumi:StackReference"
every_layer = pytest.mark.parametrize("layer", LAYERS)
IN_RECORDING: dict[str, dict[str, Any]] = {
    "aws": {"account_id": ACCOUNT},
    "gcp": {"project_id": "acme-dev-0123"},
}
"""Cloud -> what the recording engine answers as account or project."""
BOTH_CLOUDS = ("aws-dev", "gcp-dev")
OWNERS = {"aws-dev": f"arn:aws:iam::{ACCOUNT}:role/search", "gcp-dev": "group:search@acme.example"}


def with_every_component(settings: Settings, stack: str) -> Settings:
    """Return settings with what the environments' files leave out: a team, and on AWS nodes of Karpenter."""
    teams = {"search": Team.model_validate({"owners": [OWNERS[stack]]})}
    if stack != "gcp-dev":
        pools = {
            name: pool.model_copy(update={"node_provisioning": "karpenter"})
            for name, pool in settings.gpu_pools.items()
        }
        return settings.model_copy(update={"teams": teams, "gpu_pools": pools})
    gke = settings.cluster.gke.model_copy(update={"google_groups": "gke-security-groups@acme.example"})
    return settings.model_copy(
        update={"teams": teams, "cluster": settings.cluster.model_copy(update={"gke": gke})}
    )


@cache
def with_all_layers(stack: str) -> Built:
    """Return an environment with every component in one stack."""
    return build(with_every_component(settings_of(stack), stack))


def separated(stack: str, *layers: LayerName) -> Settings:
    """Return an environment's settings with these layers in separate stacks."""
    return settings_of(stack).model_copy(update={"layers": Layers(separate=list(layers))})


def deployed(settings: Settings, environment: str, layer: LayerName, outputs: Mapping[str, Any]) -> Recording:
    """Deploy a layer's stack on what the environment's stack has as its outputs."""

    def reference(_name: str, _inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"outputs": dict(outputs), "secretOutputNames": []}

    return record(
        lambda: program.deploy(loading.Loaded(settings, environment, layer)),
        stack=f"{environment}-{layer}",
        computed={REFERENCE: reference},
    )


def without_providers(recording: Recording) -> dict[str, Any]:
    """Return type and name -> inputs of all but providers."""
    return {
        f"{resource.type} {resource.name}": comparable(resource.inputs)
        for resource in recording.resources
        if not resource.type.startswith("pulumi:")
    }


def comparable(value: Any) -> Any:
    """Return a value of which two recordings can be compared: without what is in an archive, and without what
    the recording engine does not answer (the id of a Pod Identity association)."""
    if isinstance(value, pulumi.Archive):
        return "archive"
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value)
        return {name: comparable(entry) for name, entry in entries.items() if entry not in (None, "")}
    return [comparable(entry) for entry in cast("list[Any]", value)] if isinstance(value, list) else value


@pytest.mark.parametrize("stack", BOTH_CLOUDS)
def test_separate_stacks_have_the_resources_and_inputs_that_one_stack_has(stack: str) -> None:
    settings = with_every_component(settings_of(stack, **IN_RECORDING[stack.partition("-")[0]]), stack)
    one = build(settings)
    whole = without_providers(one.recording)
    separate = settings.model_copy(update={"layers": Layers(separate=list(LAYERS))})
    parts = [without_providers(build(separate).recording)]
    for layer in LAYERS:
        below = {"foundation": one.exported, **one.above}
        parts.append(without_providers(deployed(separate, stack, layer, below)))
    assert all(parts), "no stack is empty"
    assert sum(map(len, parts)) == len(whole), "each resource is in one of the stacks"
    together = {name: inputs for part in parts for name, inputs in part.items()}
    assert together == whole, "names and all other inputs are those of a single stack"


def test_only_a_separate_layer_with_node_pools_needs_a_look_at_karpenters_instances() -> None:
    token = "aws:ec2/getInstances:getInstances"
    calls = [
        call for call in build(separated("aws-dev", "kubernetes")).recording.calls if call.token == token
    ]
    filters = [{entry["name"]: entry["values"] for entry in call.arguments["filters"]} for call in calls]
    assert [names.get("tag:ai-platform/pool") for names in filters] == [["*"], ["t4"]], (
        "an instance of another pool than the file's is of one that was removed"
    )
    assert not [call for call in built("aws-dev").recording.calls if call.token == token], (
        "in one stack the engine deletes NodePools before the groups of their pool"
    )


def test_an_environment_without_separate_layers_exports_all_of_them() -> None:
    assert set(built("aws-dev").above) == {"kubernetes", "data", "models", "teams"}


IN_NO_FILE = {
    *("ContinuousTraining", "Function", "Gateway", "LogBucket", "ModelMonitor", "Pipelines", "Serving"),
    "Workflow",
}
"""Components that no environment of this repository has: test_continuous_training.py, test_functions.py,
test_gateway.py, test_log_bucket.py, test_model_monitor.py, test_pipelines.py, test_serving.py and
test_workflows.py deploy them."""


@every_layer
def test_the_environments_stack_does_not_export_a_separate_layer(layer: LayerName) -> None:
    above = build(separated("aws-dev", layer)).above
    assert set(above) == {"kubernetes", "data", "models", "teams"} - {LAYERS[layer].output}


@every_layer
def test_a_layer_has_the_components_that_are_defined_for_it(layer: LayerName) -> None:
    whole = with_all_layers("aws-dev")
    recording = deployed(whole.settings, "aws-dev", layer, {"foundation": whole.exported, **whole.above})
    types = {resource.type for resource in recording.resources if not resource.parent.count("aiplatform:")}
    components = {type_.rpartition(":")[2] for type_ in types if type_.startswith("aiplatform:")}
    expected = set(LAYERS[layer].components) - IN_NO_FILE
    assert components == expected, "by these `up` detects a layer in the wrong stack"


def test_every_layer_that_a_file_can_name_is_defined() -> None:
    assert tuple(LAYERS) == get_args(LayerName), "in the order of their deployment"


@pytest.mark.parametrize("stack", BOTH_CLOUDS)
def test_the_clusters_provider_of_a_layer_equals_the_one_of_the_cluster(stack: str) -> None:
    kind, name = "pulumi:providers:kubernetes", "cluster-kubernetes"
    layer = deployed(settings_of(stack), stack, "data", {"foundation": built(stack).exported}).one(kind, name)
    assert layer.inputs == built(stack).recording.one(kind, name).inputs, (
        "resources that are moved between stacks are not replaced"
    )


def test_teams_in_a_separate_stack_wait_for_the_stacks_below() -> None:
    whole = with_all_layers("aws-dev")
    settings = whole.settings.model_copy(update={"layers": Layers(separate=["ml", "teams"])})
    outputs = {
        "foundation": whole.exported,
        "kubernetes": whole.above["kubernetes"],
        "data": whole.above["data"],
    }
    with pytest.raises(SettingsError, match=r"no output 'models' yet; run `pulumi up -s aws-dev-ml`"):
        deployed(settings, "aws-dev", "teams", outputs)


@pytest.mark.parametrize(
    ("outputs", "problem"),
    [
        ({}, "has no output 'foundation' yet"),
        ({"foundation": {"network": {}}}, "no cluster yet; expected `bootstrap: true` to be removed"),
    ],
)
def test_a_layer_without_its_foundation_is_refused_with_the_command_to_run(
    outputs: dict[str, Any], problem: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        deployed(settings_of("aws-dev"), "aws-dev", "data", outputs)
    assert problem in str(refused.value)
    assert "run `pulumi up -s aws-dev`" in str(refused.value)
    assert "Pulumi.aws-dev-data.yaml" in str(refused.value)


def test_what_comes_from_a_secret_output_stays_secret() -> None:
    reads: list[asyncio.Future[bool]] = []

    async def read() -> None:
        below = await layer_stacks.foundation_of("aws-dev")
        assert below.cluster is not None
        reads.append(asyncio.ensure_future(below.cluster["kubeconfig"].is_secret()))

    answer = {"outputs": {"foundation": built("aws-dev").exported}, "secretOutputNames": ["foundation"]}
    record(read, computed={REFERENCE: lambda _name, _inputs: answer})
    assert reads[0].result(), "the engine encrypts it in the layer's state too"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environments folder in which aws-dev has the layer data in a separate stack."""
    folder = tmp_path / "environments"
    folder.mkdir()
    document = YAML(typ="safe").load(ENVIRONMENTS / "Pulumi.aws-dev.yaml")
    document["config"]["ai-platform:layers"] = {"separate": ["data"]}
    (folder / "Pulumi.aws-dev.yaml").write_text(json.dumps(document, indent=1))
    monkeypatch.setattr(loading, "ENVIRONMENTS", folder)
    return folder


def engine(monkeypatch: pytest.MonkeyPatch, config: Mapping[str, Any]) -> None:
    """Let the engine pass this configuration to the program."""
    values = {name: json.dumps(value) for name, value in config.items()}
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps(values))


def test_a_layers_stack_takes_the_settings_of_its_environment(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine(monkeypatch, {"ai-platform:layer": {"environment": "aws-dev", "name": "data"}})
    loaded = load_engine("aws-dev-data")
    assert (loaded.environment, loaded.layer) == ("aws-dev", "data")
    assert loaded.settings.environment.name == "dev"
    assert loaded.settings.lakehouse is not None, "also what shared files state"


@pytest.mark.parametrize(
    ("stack", "config", "problem"),
    [
        (
            "aws-dev-data",
            {"ai-platform:layer": {"environment": "aws-dev", "name": "dta"}},
            "layer.name: got 'dta'; expected 'kubernetes', 'data', 'ml' or 'teams'; did you mean 'data'?",
        ),
        (
            "aws-dev-data",
            {"ai-platform:layer": {"environment": "aws-dev"}},
            "layer.name: missing",
        ),
        (
            "aws-dev-data",
            {"ai-platform:layer": {"environment": "aws-dve", "name": "data"}},
            "layer: describes the stack aws-dve-data",
        ),
        (
            "aws-dev-ml",
            {"ai-platform:layer": {"environment": "aws-dev", "name": "ml"}},
            "layers.separate: lacks 'ml'",
        ),
        (
            "aws-stage-data",
            {"ai-platform:layer": {"environment": "aws-stage", "name": "data"}},
            "no such file; expected one of aws-dev",
        ),
        (
            "aws-dev-data",
            {
                "ai-platform:layer": {"environment": "aws-dev", "name": "data"},
                "ai-platform:lakehouse": {},
            },
            "lakehouse: a layer's stack takes all settings from its environment's file",
        ),
    ],
)
def test_a_wrong_layer_file_is_refused(
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    stack: str,
    config: dict[str, Any],
    problem: str,
) -> None:
    engine(monkeypatch, config)
    with pytest.raises(SettingsError) as refused:
        load_engine(stack)
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("separate", "problem"),
    [
        (
            ["dta"],
            "layers.separate[0]: got 'dta'; expected 'kubernetes', 'data', 'ml' or 'teams'",
        ),
        (["data", "data"], "layers.separate[1]: got 'data' a second time"),
        (
            ["foundation"],
            "layers.separate[0]: got 'foundation'; expected 'kubernetes', 'data', 'ml' or 'teams'",
        ),
    ],
)
def test_a_wrong_list_of_layers_is_refused(repository: Path, separate: list[str], problem: str) -> None:
    file = repository / "Pulumi.aws-dev.yaml"
    document = json.loads(file.read_text())
    document["config"]["ai-platform:layers"]["separate"] = separate
    file.write_text(json.dumps(document, indent=1))
    with pytest.raises(SettingsError) as refused:
        loading.load_file(file)
    assert problem in str(refused.value)


def test_a_layers_stack_with_the_configuration_of_its_environment_is_refused(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine(monkeypatch, json.loads((repository / "Pulumi.aws-dev.yaml").read_text())["config"])
    with pytest.raises(SettingsError, match="the configuration of aws-dev, not of aws-dev-data"):
        load_engine("aws-dev-data")
    assert load_engine("aws-dev").layer is None


def test_the_schema_accepts_a_layers_file_without_other_topics() -> None:
    layer = {"ai-platform:layer": {"environment": "aws-dev", "name": "data"}}
    VALIDATOR.validate({"config": {"pulumi:disable-default-providers": ["*"], **layer}})
    assert not VALIDATOR.is_valid({"config": {**layer, "ai-platform:lakehouse": {}}}), (
        "settings are stated once"
    )
    assert not VALIDATOR.is_valid(
        {"config": {"ai-platform:layer": {"environment": "aws-dev", "name": "dta"}}}
    )
