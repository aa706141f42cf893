"""The version is stated in pyproject.toml; what must repeat it agrees."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ruamel.yaml import YAML
from typer.testing import CliRunner

from cli import app as application
from cli.version import version

ROOT = Path(__file__).parents[1]


def test_command_prints_the_version_of_the_project() -> None:
    result = CliRunner().invoke(application.app, ["--version"])
    assert result.exit_code == 0, result.output
    assert result.output == f"aiplatform {version()}\n"


def test_schema_of_the_plugin_has_the_version_of_the_project() -> None:
    schema = json.loads((ROOT / "components" / "schema.json").read_text())
    assert schema["version"] == version(), "SDKs in other languages are generated with this version"


def test_policy_pack_has_the_version_of_the_project() -> None:
    pack = YAML(typ="safe").load(ROOT / "policies" / "PulumiPolicy.yaml")
    assert pack["version"] == version(), "the pack is copied without pyproject.toml and repeats it"


def test_changelog_starts_with_the_version_of_the_project() -> None:
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    released = [heading for heading in headings if heading != "Unreleased"]
    assert released[0] == version(), "a new version gets its section in CHANGELOG.md"
