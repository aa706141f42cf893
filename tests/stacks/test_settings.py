"""The environment files, and what is refused in them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from stacks import arguments
from stacks.loading import SettingsError, load_engine, load_file
from stacks.schema import FILE, rendered
from stacks.validation import placeholders
from tests.stacks.files import GOOD, changed

ROOT = Path(__file__).parents[2]
VALIDATOR = jsonschema.Draft202012Validator(json.loads((ROOT / FILE).read_text()))
ENVIRONMENTS = sorted((ROOT / "environments").glob("Pulumi.*.yaml"))


@pytest.mark.parametrize("file", ENVIRONMENTS, ids=lambda file: file.stem)
def test_every_environment_file_is_valid_and_short(file: Path) -> None:
    settings = load_file(file)
    cloud, profile = file.stem.removeprefix("Pulumi.").split("-")
    assert (settings.environment.cloud, settings.environment.profile) == (cloud, profile), (
        "the name says what it is"
    )
    assert len(file.read_text().splitlines()) <= 56, (
        "a file states what differs; the profile and the shared files supply the rest"
    )


@pytest.mark.parametrize("file", ENVIRONMENTS, ids=lambda file: file.stem)
def test_every_environment_file_passes_the_committed_schema(file: Path) -> None:
    document = YAML(typ="safe").load(file)
    VALIDATOR.validate(document)
    assert file.read_text().startswith("# yaml-language-server: $schema=schema.json"), (
        "editors need the modeline"
    )


def test_the_committed_schema_is_the_one_that_the_model_makes() -> None:
    assert (ROOT / FILE).read_text() == rendered(), "stale: run `make generate`"


@pytest.mark.parametrize(
    ("change", "where", "right"),
    [
        ({"config/ai-platform:netwrok": {}}, ": netwrok", "did you mean 'network'"),
        ({"config/ai-platfrom:network": {}}, "ai-platfrom:network", "did you mean 'ai-platform:network'"),
        ({"config/ai-platform:network/nats": "single"}, "network.nats", "did you mean 'nat'"),
        ({"config/ai-platform:network/nat": "singel"}, "network.nat", "did you mean 'single'"),
        (
            {"config/ai-platform:cluster/system_nodes": {"instance_type": ["m7i.large"]}},
            "cluster.system_nodes.instance_type",
            "did you mean 'instance_types'",
        ),
        (
            {"config/ai-platform:cluster/api_access": {"mode": "cidrs", "cidr": ["192.52.193.0/24"]}},
            "cluster.api_access.cidr",
            "did you mean 'cidrs'",
        ),
        (
            {"config/ai-platform:gpu_pools/t4/acelerator": "t4"},
            "gpu_pools.t4.acelerator",
            "did you mean 'accelerator'",
        ),
        (
            {"config/ai-platform:gpu_pools/t4/sharing": {"strategi": "mig"}},
            "gpu_pools.t4.sharing.strategi",
            "did you mean 'strategy'",
        ),
        ({"config/ai-platform:network/cidr": "8.8.0.0/16"}, "network.cidr", "private"),
        (
            {"config/ai-platform:network/cidr": "10.0.0.1/16"},
            "network.cidr",
            "did you mean '10.0.0.0/16'",
        ),
        (
            {"config/ai-platform:network/zone_count": 1},
            "network.zone_count",
            "2 to 3 zones",
        ),
        (
            {"config/ai-platform:network/zone_ids": ["usw2-az1"]},
            "network.zone_ids",
            "expected 2 or 3",
        ),
        (
            {"config/ai-platform:cluster/api_access": {"mode": "cidrs", "cidrs": ["0.0.0.0/0"]}},
            "cluster.api_access",
            "your offices, VPN or CI",
        ),
        (
            {
                "config/ai-platform:cluster/api_access": {
                    "mode": "cidrs",
                    "cidrs": ["0.0.0.0/1", "128.0.0.0/1"],
                }
            },
            "cluster.api_access",
            "your offices, VPN or CI",
        ),
        ({"config/ai-platform:cluster/version": 1.35}, "cluster.version", "quotes"),
        ({"config/ai-platform:environment/account_id": 111122223333}, "environment.account_id", "quotes"),
        (
            {"config/ai-platform:environment/name": "Dev"},
            "environment.name",
            "lower-case letters and digits in words",
        ),
        ({"config/ai-platform:environment/name": "d" * 30}, "environment.name", "at most 16"),
        (
            {"config/ai-platform:environment/profile": "production"},
            "environment.profile",
            "did you mean 'prod'",
        ),
        (
            {"config/ai-platform:environment/tags": {"aws:x": "y"}},
            "environment.tags",
            "is reserved for AWS",
        ),
        (
            {"config/ai-platform:gpu_pools/t4/count": True},
            "gpu_pools.t4.count",
            "expected an integer",
        ),
        (
            {"config/ai-platform:gpu_pools/t4/max": "4"},
            "gpu_pools.t4.max",
            "expected an integer",
        ),
        ({"config/ai-platform:gpu_pools/t4/min": 5}, "gpu_pools.t4.min", "at most max, which is 4"),
        (
            {"config/ai-platform:gpu_pools/t4/capacity": ["spot", "spot"]},
            "gpu_pools.t4.capacity[1]",
            "duplicates capacity[0]",
        ),
        (
            {"config/ai-platform:gpu_pools/t4/capacity": ["reserved"]},
            "gpu_pools.t4.capacity",
            "reservation_id",
        ),
        (
            {
                "config/ai-platform:gpu_pools/t4/capacity": [
                    {"type": "spot", "reservation_id": "cr-0123456789abcdef0"}
                ]
            },
            "gpu_pools.t4.capacity",
            "never run in a reservation",
        ),
        (
            {"config/ai-platform:gpu_pools/t4/sharing": {"strategy": "mig"}},
            "gpu_pools.t4.sharing",
            "such as 1g.10gb",
        ),
        (
            {"config/ai-platform:node_pools": {"t4": {"instance_types": ["m7i.large"], "max": 1}}},
            "gpu_pools.t4",
            "expected a name that no pool has",
        ),
        ({"secretprovider": "x"}, "secretprovider", "did you mean 'secretsprovider'"),
        ({"config/ai-platform:environment/owner": "a,b"}, "environment.owner", "letters, digits"),
        ({"config/ai-platform:environment/tags": {"Owner": "x"}}, "environment.tags", "set by the platform"),
        (
            {"config/ai-platform:node_pools": {"system": {"instance_types": ["m7i.large"], "max": 1}}},
            "node_pools.system",
            "the cluster's system node group",
        ),
        (
            {"config/ai-platform:node_pools/cpu": {"instance_types": ["m7i.large"], "max": 1, "min": 2}},
            "node_pools.cpu.min",
            "at most max",
        ),
        (
            {"config/ai-platform:gpu_pools/t4/taints": [{"key": "a", "effect": "NoShedule"}]},
            "gpu_pools.t4.taints[0].effect",
            "did you mean 'NoSchedule'",
        ),
        (
            {"config/ai-platform:gpu_pools/t4/labels": {"kubernetes.io/role": "x"}},
            "gpu_pools.t4.labels.kubernetes.io/role",
            "is reserved for Kubernetes",
        ),
        (
            {"config/ai-platform:gpu_pools/t4/instance_store": "radi0"},
            "gpu_pools.t4.instance_store",
            "did you mean 'raid0'",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_a_wrong_value_is_refused_with_its_place_and_what_would_be_right(
    tmp_path: Path, change: dict[str, Any], where: str, right: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        load_file(changed(tmp_path, change))
    message = str(refused.value)
    assert re.search(r"Pulumi\.aws-dev\.yaml:\d+: ", message), "the reader needs file and line"
    assert where in message, "the reader needs the key"
    assert right in message, "the reader needs to know what would be right"


def test_problem_of_a_component_has_the_line_of_its_entry(tmp_path: Path) -> None:
    file = changed(tmp_path, {"config/ai-platform:gpu_pools/t4/labels": {"team": "ml", "k8s.io/x": "y"}})
    with pytest.raises(SettingsError) as refused:
        load_file(file)
    line = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if "k8s.io/x" in text)
    assert f"Pulumi.aws-dev.yaml:{line}: " in refused.value.problems[0], "a key with dots has a line, too"


def test_name_that_is_too_long_is_one_problem_however_many_components_use_it(tmp_path: Path) -> None:
    change = {
        "config/ai-platform:environment/org": "acme-corporation",
        "config/ai-platform:environment/name": "development-west",
    }
    with pytest.raises(SettingsError) as refused:
        load_file(changed(tmp_path, change))
    (problem,) = refused.value.problems
    assert "environment.name" in problem, "the file has no prefix"
    assert "environment.org" in problem, "either of the two may be shortened"
    assert "expected at most" in problem


def test_what_a_pool_can_say_reaches_its_component(tmp_path: Path) -> None:
    taint = {"key": "team", "value": "ml", "effect": "NoSchedule"}
    pool = {"instance_types": ["m7i.large"], "max": 2, "capacity": ["spot", "on_demand"], "taints": [taint]}
    change = {
        "config/ai-platform:node_pools/cpu": pool,
        "config/ai-platform:gpu_pools/t4/taints": [taint],
        "config/ai-platform:gpu_pools/t4/instance_store": "none",
        "config/ai-platform:gpu_pools/t4/placement_group": False,
    }
    settings = load_file(changed(tmp_path, change))
    references = placeholders.of(settings, ["usw2-az1"])
    cpu = arguments.node_pool(
        settings, "cpu", settings.node_pools["cpu"], references.cluster, references.network
    )
    gpu = arguments.gpu_pool(settings, "t4", settings.gpu_pools["t4"], references.cluster, references.network)
    assert cpu.get("capacity") == ["spot", "on_demand"], "an ordered list, as of GPU pools"
    assert cpu.get("taints") == gpu.get("taints") == [taint]
    assert (gpu.get("instance_store"), gpu.get("placement_group")) == ("none", False)


@pytest.mark.parametrize(("profile", "forced"), [("dev", True), ("staging", False)])
def test_in_dev_alone_an_update_of_nodes_does_not_wait_for_budgets(
    tmp_path: Path, profile: str, forced: bool
) -> None:
    change = {"config/ai-platform:environment/profile": profile}
    settings = load_file(changed(tmp_path, change))
    references = placeholders.of(settings, ["usw2-az1"])
    gpu = arguments.gpu_pool(settings, "t4", settings.gpu_pools["t4"], references.cluster, references.network)
    assert gpu.get("force_update") is forced
    system = arguments.cluster(settings, references.network).get("system_nodes", {})
    assert system.get("force_update") is forced, "a budget on the system nodes would fail the update as well"


@pytest.mark.parametrize(
    ("profile", "capacity"),
    [("dev", ["spot", "on_demand"]), ("staging", ["spot", "on_demand"]), ("prod", ["on_demand"])],
)
def test_the_profile_says_where_gpus_come_from(tmp_path: Path, profile: str, capacity: list[str]) -> None:
    pools = {"t4": {"accelerator": "t4", "count": 1, "max": 4}}
    pools["own"] = {**pools["t4"], "capacity": ["on_demand", "spot"]}
    change: dict[str, Any] = {
        "config/ai-platform:environment/profile": profile,
        "config/ai-platform:gpu_pools": pools,
        "config/ai-platform:node_images": {"al2023": "1.35.8-20260930"},
    }
    settings = load_file(changed(tmp_path, change))
    assert settings.gpu_pools["t4"].capacity == capacity
    assert settings.gpu_pools["own"].capacity == ["on_demand", "spot"], "the file decides"
    document = YAML(typ="safe").load(tmp_path / "Pulumi.aws-dev.yaml")
    VALIDATOR.validate(document)


@pytest.mark.parametrize(
    ("pools", "expected"),
    [
        (["t4"], "expected an object"),
        ({"t4": ["h100"]}, "expected an object"),
        ({"<name>": {"accelerator": "t4", "count": 1, "max": 1}}, "gpu_pools.<name>"),
    ],
)
def test_profile_hides_no_problem_of_the_pools(tmp_path: Path, pools: object, expected: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_file(changed(tmp_path, {"config/ai-platform:gpu_pools": pools}))
    assert expected in str(refused.value)


def test_no_pools_are_made_of_a_profile(tmp_path: Path) -> None:
    assert load_file(changed(tmp_path, remove="config/ai-platform:gpu_pools")).gpu_pools == {}


def test_the_file_decides_over_the_system_nodes_too(tmp_path: Path) -> None:
    sizes = {"min": 2, "max": 3, "force_update": False}
    settings = load_file(changed(tmp_path, {"config/ai-platform:cluster/system_nodes": sizes}))
    network = placeholders.of(settings, ["usw2-az1"]).network
    assert arguments.cluster(settings, network).get("system_nodes", {}).get("force_update") is False


def test_prefixes_for_pods_are_the_clusters_and_the_networks(tmp_path: Path) -> None:
    plain = load_file(changed(tmp_path))
    assert "aws" not in arguments.network(plain)
    settings = load_file(changed(tmp_path, {"config/ai-platform:cluster/eks/prefix_delegation": True}))
    network = placeholders.of(settings, ["usw2-az1"]).network
    assert arguments.cluster(settings, network).get("eks", {}).get("prefix_delegation") is True
    assert arguments.network(settings).get("aws") == {"prefix_delegation": True}, "addresses by prefixes"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"config/ai-platform:cluster/api_access": "in_vpc"}, "did you mean {mode: in_vpc}?"),
        ({"config/ai-platform:cluster/api_access": 1}, "an object with cidrs"),
        (
            {"config/ai-platform:cluster/api_access": {"cidrs": ["192.52.193.0/24"]}},
            "cluster.api_access.mode: missing",
        ),
        ({"config/ai-platform:gpu_pools/t4/capacity": ["sopt"]}, "did you mean 'spot'?"),
        ({"config/ai-platform:gpu_pools/t4/capacity": "spot"}, "got 'spot'; expected a list"),
        ({"config/ai-platform:environment/teardown": "yes"}, "expected true or false, or 'with_data'"),
        ({"config/ai-platform:gpu_pools/t4": None}, "empty; expected an object with accelerator,"),
        ({"config/ai-platform:network/cidr": "banana"}, "expected an IPv4 range"),
        ({"config/ai-platform:cluster/version": "1.29"}, "cluster.version: got '1.29'"),
    ],
)
def test_one_mistake_is_one_problem_in_the_words_of_the_file(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        load_file(changed(tmp_path, change))
    (problem,) = refused.value.problems
    assert reason in problem


def test_problem_of_the_engines_configuration_has_the_line_of_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = YAML(typ="safe").load(ROOT / "environments/Pulumi.aws-dev.yaml")["config"]
    config["ai-platform:network"]["cidr"] = "8.8.0.0/16"
    monkeypatch.setenv(
        "PULUMI_CONFIG", json.dumps({name: json.dumps(value) for name, value in config.items()})
    )
    monkeypatch.chdir(tmp_path)  # the engine runs the program in another folder than its user's
    with pytest.raises(SettingsError, match=r"Pulumi\.aws-dev\.yaml:\d+: network\.cidr: "):
        load_engine("aws-dev")


@pytest.mark.parametrize("key", ["owner", "cost_center", "org", "account_id", "region"])
def test_key_without_a_default_is_required(tmp_path: Path, key: str) -> None:
    with pytest.raises(SettingsError, match=rf"environment\.{key}: missing; expected"):
        load_file(changed(tmp_path, remove=f"config/ai-platform:environment/{key}"))


def test_value_of_two_forms_is_checked_by_the_one_that_it_nearly_has(tmp_path: Path) -> None:
    change = {"config/ai-platform:cluster/api_access": {"mode": "cidrs", "cidrs": ["0.0.0.0/0"]}}
    with pytest.raises(SettingsError) as refused:
        load_file(changed(tmp_path, change))
    assert len(refused.value.problems) == 1, "that it is not the word in_vpc either is no help"


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    change = {"config/ai-platform:network/nats": 1, "config/ai-platform:cluster/versoin": "1.35"}
    with pytest.raises(SettingsError) as refused:
        load_file(changed(tmp_path, change))
    assert len(refused.value.problems) == 2, "one correction for two mistakes"


def test_prod_refuses_what_dev_may(tmp_path: Path) -> None:
    change = {"config/ai-platform:environment/profile": "prod", "config/ai-platform:network/nat": "single"}
    with pytest.raises(SettingsError, match="expected 'per_zone' or 'none' in prod"):
        load_file(changed(tmp_path, change))


def test_a_missing_file_names_those_that_are_there(tmp_path: Path) -> None:
    changed(tmp_path)
    with pytest.raises(SettingsError, match="no such file; expected one of aws-dev"):
        load_file(tmp_path / "Pulumi.aws-dve.yaml")


def test_invalid_yaml_is_an_error_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.aws-dev.yaml"
    file.write_text("config:\n  a: [1\n")
    with pytest.raises(SettingsError, match=r"Pulumi\.aws-dev\.yaml:\d+: no valid YAML"):
        load_file(file)


def test_the_engines_configuration_gives_the_same_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {name: json.dumps(value) for name, value in GOOD["config"].items()}
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({**config, "pulumi:disable-default-providers": '["*"]'}))
    assert load_engine("aws-dev").settings == load_file(changed(tmp_path)), "one model, two ways in"


def test_what_a_component_refuses_is_reported_together_with_a_wrong_shape(tmp_path: Path) -> None:
    change = {
        "config/ai-platform:network/cidrr": "10.0.0.0/16",
        "config/ai-platform:environment/profile": "production",
        "config/ai-platform:cluster/api_access": {"mode": "cidrs", "cidrs": ["0.0.0.0/0"]},
        "config/ai-platform:gpu_pools/t4/max": 0,
    }
    with pytest.raises(SettingsError) as refused:
        load_file(changed(tmp_path, change))
    message = str(refused.value)
    assert message.endswith("4 errors; nothing was changed"), message
    for key in ("network.cidrr", "environment.profile", "cluster.api_access.cidrs", "gpu_pools.t4.max"):
        assert f": {key}: " in message, "all at once: one correction must not reveal the next problem"


def test_key_of_a_wrong_shape_is_one_problem(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        load_file(changed(tmp_path, {"config/ai-platform:network/cidr": 10}))
    assert len(refused.value.problems) == 1, refused.value.problems
