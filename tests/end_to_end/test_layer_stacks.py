"""aws-dev with its data layer in a separate stack: from nothing, to one stack, to two again, and to nothing.

The tests of this module share one twin and run in the order in which they are written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.end_to_end.copies import copy_repository
from tests.end_to_end.harness import ROOT, Twin
from tests.end_to_end.reduced import KUBERNETES_LAYER, leave_out

pytestmark = pytest.mark.end_to_end

ENVIRONMENT, LAYER = "aws-dev", "aws-dev-data"


@pytest.fixture(scope="module")
def dev(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    """aws-dev of a copy of the repository, whose files a test may change. It lacks what the data layer does
    not need: models, GPU pools and add-ons."""
    root = copy_repository(tmp_path_factory.mktemp("repository"))
    twin = Twin(ENVIRONMENT, home, root=root, checkpoints=False)
    yield twin
    twin.remove()


def separate(dev: Twin, *layers: str) -> None:
    """Let aws-dev have these layers in separate stacks."""
    file = dev.root / "environments" / f"Pulumi.{ENVIRONMENT}.yaml"
    yaml = YAML()
    document = yaml.load(ROOT / "environments" / file.name)
    config = document["config"]
    config["ai-platform:shared"]["files"].remove("models")
    leave_out(config, ["gpu_pools", *KUBERNETES_LAYER])
    config["ai-platform:layers"] = {"separate": list(layers)}
    yaml.dump(document, file)
    config = {
        "pulumi:disable-default-providers": ["*"],
        "ai-platform:layer": {"environment": ENVIRONMENT, "name": "data"},
    }
    yaml.dump({"config": config}, dev.root / "environments" / f"Pulumi.{LAYER}.yaml")


def outputs(dev: Twin, stack: str) -> dict[str, Any]:
    return json.loads(dev.pulumi("stack", "output", "--json", "--stack", stack).stdout)


def resources(dev: Twin, stack: str) -> list[dict[str, Any]]:
    """Return the resources in a stack's state."""
    state = json.loads(dev.pulumi("stack", "export", "--stack", stack).stdout)["deployment"]
    return state.get("resources", [])


def components(dev: Twin, stack: str) -> dict[str, str]:
    """Return the platform's components in a stack: name -> URN."""
    urns = (entry["urn"] for entry in resources(dev, stack) if entry["type"].startswith("aiplatform:"))
    return {urn.rpartition("::")[2]: urn for urn in urns}


def move(dev: Twin, source: str, destination: str) -> None:
    """Move the data layer's components to the other stack."""
    urns = components(dev, source)
    options = ("--yes", "--source", source, "--dest", destination)
    dev.pulumi("state", "move", *options, urns["lakehouse"], urns["feature-store"])


def test_a_layer_cannot_be_previewed_before_its_environment_is_deployed(dev: Twin) -> None:
    separate(dev, "data")
    first = dev.cli("preview", ENVIRONMENT)
    assert f"run `aiplatform up {ENVIRONMENT}` first" in re.sub(
        r"`\S*aiplatform", "`aiplatform", first.stderr
    )
    plain = dev.pulumi("preview", "--stack", LAYER, check=False)
    report = plain.stdout + plain.stderr
    assert plain.returncode
    assert f"organization/ai-platform/{ENVIRONMENT}: the stack has no output 'foundation' yet" in report
    assert f"run `pulumi up -s {ENVIRONMENT}`" in report
    assert "Traceback" not in report


def test_up_deploys_the_foundation_and_then_the_layer(dev: Twin) -> None:
    dev.up()
    assert "data" not in outputs(dev, ENVIRONMENT)
    zones = {zone["name"] for zone in outputs(dev, LAYER)["data"]["lakehouse"]["zones"]}
    assert {"raw", "curated", "serving"} <= zones
    assert {"lakehouse", "feature-store"} <= set(components(dev, LAYER))
    assert not {"lakehouse", "feature-store"} & set(components(dev, ENVIRONMENT))


def test_stacks_are_merged_without_a_change_in_the_cloud(dev: Twin) -> None:
    before = dev.inventory()
    separate(dev)
    refused = dev.up(check=False)
    assert refused.returncode, "it would create the lakehouse a second time"
    assert f"expected in {ENVIRONMENT}: move the state first" in refused.stderr
    move(dev, LAYER, ENVIRONMENT)
    dev.up()
    assert dev.inventory() == before, "all ids are as before"
    assert all(entry["type"].startswith("pulumi:") for entry in resources(dev, LAYER)), "only its providers"
    dev.pulumi("destroy", "--yes", "--skip-preview", "--stack", LAYER)
    dev.pulumi("stack", "rm", "--yes", LAYER)
    assert dev.inventory() == before, "providers are objects of the state only"


def test_an_environment_is_split_without_a_change_in_the_cloud(dev: Twin) -> None:
    before = dev.inventory()
    separate(dev, "data")
    refused = dev.up(check=False)
    assert refused.returncode, "it would delete the lakehouse"
    assert f"expected in {LAYER}: move the state first" in refused.stderr
    dev.pulumi("stack", "init", LAYER)
    move(dev, ENVIRONMENT, LAYER)
    dev.up("--refresh", "--expect-no-changes")
    assert dev.inventory() == before, "all ids are as before"
    assert "data" not in outputs(dev, ENVIRONMENT)


def test_destroy_deletes_both_stacks_in_reverse_and_leaves_nothing(dev: Twin) -> None:
    report = dev.cli("destroy", ENVIRONMENT)
    assert report.stderr.index(f"stack {LAYER}:") < report.stderr.index(f"stack {ENVIRONMENT}:")
    assert dev.inventory() == {}
