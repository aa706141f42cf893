"""aws-dev with its data layer in a separate stack: from nothing to nothing, and from one stack to two.

The tests of this module share one twin and run in the order in which they are written.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.end_to_end.harness import ROOT, Twin

pytestmark = pytest.mark.end_to_end

ENVIRONMENT, LAYER = "aws-dev", "aws-dev-data"
PARTS = ("bin", "cli", "components", "environments", "policies", "stacks", "twin")
FILES = ("Pulumi.yaml", "pyproject.toml", "uv.lock", "bootstrap.py", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def dev(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    """aws-dev of a copy of the repository, whose files a test may change."""
    root = tmp_path_factory.mktemp("repository")
    for part in PARTS:
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in FILES:
        shutil.copy(ROOT / file, root / file)
    twin = Twin(ENVIRONMENT, home, root=root)
    yield twin
    twin.remove()


def separate(dev: Twin, *layers: str) -> None:
    """Let aws-dev have these layers in separate stacks."""
    file = dev.root / "environments" / f"Pulumi.{ENVIRONMENT}.yaml"
    yaml = YAML()
    document = yaml.load(ROOT / "environments" / file.name)
    document["config"]["ai-platform:layers"] = {"separate": list(layers)}
    yaml.dump(document, file)
    config = {
        "pulumi:disable-default-providers": ["*"],
        "ai-platform:layer": {"environment": ENVIRONMENT, "name": "data"},
    }
    yaml.dump({"config": config}, dev.root / "environments" / f"Pulumi.{LAYER}.yaml")


def outputs(dev: Twin, stack: str) -> dict[str, Any]:
    return json.loads(dev.pulumi("stack", "output", "--json", "--stack", stack).stdout)


def components(dev: Twin, stack: str) -> dict[str, str]:
    """Return the platform's components in a stack: name -> URN."""
    state = json.loads(dev.pulumi("stack", "export", "--stack", stack).stdout)["deployment"]
    resources = [
        resource for resource in state.get("resources", []) if resource["type"].startswith("aiplatform:")
    ]
    return {resource["urn"].rpartition("::")[2]: resource["urn"] for resource in resources}


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


def test_up_deploys_the_foundation_and_then_the_layer(dev: Twin) -> None:
    dev.up()
    assert "data" not in outputs(dev, ENVIRONMENT)
    zones = {zone["name"] for zone in outputs(dev, LAYER)["data"]["lakehouse"]["zones"]}
    assert {"raw", "curated", "serving"} <= zones
    assert {"lakehouse", "feature-store"} <= set(components(dev, LAYER))
    assert not {"lakehouse", "feature-store"} & set(components(dev, ENVIRONMENT))


def test_neither_stack_changes_when_nothing_changed(dev: Twin) -> None:
    dev.cli("preview", ENVIRONMENT, "--refresh", "--expect-no-changes")


def test_destroy_deletes_both_stacks_in_reverse_and_leaves_nothing(dev: Twin) -> None:
    report = dev.cli("destroy", ENVIRONMENT)
    assert report.stderr.index(f"stack {LAYER}:") < report.stderr.index(f"stack {ENVIRONMENT}:")
    assert dev.inventory() == {}
