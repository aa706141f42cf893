"""What a build needs to know of an environment: its repositories, and the hardware of its pools."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stacks import image_target
from stacks.image_target import Nodes, pools_of
from stacks.loading import load_file
from tests.stacks.environments import settings_of
from tests.stacks.files import changed


def test_network_of_a_pool_is_that_of_its_machines() -> None:
    assert pools_of(settings_of("aws-prod")) == {
        "general": Nodes(),
        "serving": Nodes("nvidia"),
        "training": Nodes("nvidia", "efa"),
    }
    assert pools_of(settings_of("gcp-prod")) == {
        "general": Nodes(),
        "serving": Nodes("nvidia"),
        "training": Nodes("nvidia", "tcpx"),
        "batch": Nodes("tpu"),
    }


def test_network_that_the_file_turns_off_is_none(tmp_path: Path) -> None:
    pool = {"accelerator": "h100", "count": 8, "efa": False, "max": 2}
    file = changed(tmp_path, {"config/ai-platform:gpu_pools": {"h100": pool}})
    assert pools_of(load_file(file))["h100"] == Nodes("nvidia")


def test_architecture_is_that_of_the_instance_types(tmp_path: Path) -> None:
    pool = {"instance_types": ["m7g.2xlarge"], "max": 2}
    file = changed(tmp_path, {"config/ai-platform:node_pools": {"arm": pool}})
    assert pools_of(load_file(file))["arm"] == Nodes(architecture="arm64")


def test_module_prints_it_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert image_target.main(["aws-prod"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["cloud"], document["profile"]) == ("aws", "prod")
    assert set(document["repositories"]) == {"training", "serving", "cost-control"}
    assert document["pools"]["training"]["network"] == "efa"


def test_wrong_file_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert image_target.main(["absent"]) == 1
    assert "absent" in capsys.readouterr().err
