"""The real engine with the provider of twin/tests/fake_cloud.py, and programs as data.

A program is a list of resources: {"token": ..., "name": ..., "props": {...}, "import": id, "after": [name]}.
A property value `{"ref": "name"}` is the id of another resource. Run as a module it deploys a stack in a
separate process, which a test can kill.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi import automation

from cli import engine_settings
from twin.tests.fake_cloud import Backend
from twin.toolchain import build

ROOT = Path(__file__).parents[2]
Program = list[dict[str, Any]]


class Bare(pulumi.CustomResource):
    """A resource by its token, with camelCase properties as the engine sees them."""

    def __init__(self, token: str, name: str, props: dict[str, Any], options: pulumi.ResourceOptions) -> None:
        super().__init__(token, name, props, options)


def run(program: Program) -> None:
    """Register the resources of a program."""
    resources: dict[str, Bare] = {}
    for resource in program:
        props = {
            key: resources[value["ref"]].id if isinstance(value, dict) and set(value) == {"ref"} else value
            for key, value in resource["props"].items()
        }
        before = [resources[name] for name in resource.get("after", ())]
        options = pulumi.ResourceOptions(import_=resource.get("import"), depends_on=before)
        resources[resource["name"]] = Bare(resource["token"], resource["name"], props, options)
        pulumi.export(resource["name"], resources[resource["name"]].id)


@dataclass
class Workplace:
    """A folder with a backend, a PATH with the twin's provider, and the fake cloud's file."""

    folder: Path

    def __post_init__(self) -> None:
        (self.folder / "bin").mkdir(exist_ok=True)
        (self.folder / "state").mkdir(exist_ok=True)
        plugin = self.folder / "bin" / "pulumi-resource-aws"
        plugin.write_text(
            f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m twin.tests.fake_cloud "$@"\n'
        )
        plugin.chmod(0o755)
        self.backend = Backend(self.folder / "cloud.db")

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the engine and the provider."""
        pulumi_at = build.locate()["pulumi"]
        return {
            "PATH": f"{self.folder / 'bin'}:{pulumi_at.parent}:{os.environ['PATH']}",
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}?metadata=skip",
            "PULUMI_CONFIG_PASSPHRASE": "passphrase",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "FAKE_CLOUD": str(self.folder / "cloud.db"),
            **engine_settings.variables(["up"]),
        }

    def stack(self, program: Program | Callable[[], None]) -> automation.Stack:
        """Return the stack `dev`, with this program."""
        return automation.create_or_select_stack(
            "dev",
            "proj",
            program if callable(program) else lambda: run(program),
            opts=automation.LocalWorkspaceOptions(
                work_dir=str(self.folder), env_vars=self.environment, pulumi_command=self._command()
            ),
        )

    def _command(self) -> automation.PulumiCommand:
        # The Automation API looks for ROOT/bin/pulumi.
        link = self.folder / "bin" / "pulumi"
        if not link.exists():
            link.symlink_to(build.locate()["pulumi"])
        return automation.PulumiCommand(root=str(self.folder), skip_version_check=True)


if __name__ == "__main__":
    Workplace(Path(sys.argv[1])).stack(json.loads(sys.argv[2])).up()
