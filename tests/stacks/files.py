"""Changed environment files, for tests of invalid ones."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from stacks import shared_files

ENVIRONMENTS = Path(__file__).parents[2] / "environments"

GOOD: dict[str, Any] = {
    "config": {
        "ai-platform:environment": {
            "org": "acme",
            "name": "dev",
            "profile": "dev",
            "cloud": "aws",
            "region": "us-west-2",
            "account_id": "111122223333",
            "owner": "ml@acme.example",
            "cost_center": "ml",
        },
        "ai-platform:network": {"cidr": "10.16.0.0/16"},
        "ai-platform:cluster": {
            "version": "1.35",
            "api_access": {"mode": "cidrs", "cidrs": ["192.52.193.0/24"]},
        },
        "ai-platform:gpu_pools": {
            "t4": {"accelerator": "t4", "count": 1, "capacity": ["spot", "on_demand"], "max": 4}
        },
    }
}


def changed(folder: Path, change: dict[str, Any] | None = None, *, remove: str = "") -> Path:
    """Return a valid file with these keys (`config/ai-platform:network/cidr`) changed, and one removed."""
    document = copy.deepcopy(GOOD)
    for dotted, value in (change or {}).items():
        *path, last = dotted.split("/")
        node = document
        for part in path:
            node = node.setdefault(part, {})
        node[last] = value
    if remove:
        *path, last = remove.split("/")
        node = document
        for part in path:
            node = node[part]
        del node[last]
    file = folder / "Pulumi.aws-dev.yaml"
    with file.open("w") as stream:
        YAML().dump(document, stream)
    return file


def complete(stack: str) -> dict[str, Any]:
    """Return a committed environment file merged with its shared files, which it then does not name."""
    return copy.deepcopy(_complete(stack))


@cache
def _complete(stack: str) -> dict[str, Any]:
    document = YAML(typ="safe").load(ENVIRONMENTS / f"Pulumi.{stack}.yaml")
    config, problems = shared_files.with_shared(shared_files.located(document["config"], None, ""))
    assert not problems
    del config["ai-platform:shared"]
    return {**document, "config": config}
