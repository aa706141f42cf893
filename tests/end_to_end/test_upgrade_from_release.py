"""An environment that the last release deployed, previewed and updated by this version of the program."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from tests.end_to_end import reduced
from tests.end_to_end.harness import ROOT, Twin
from tests.releases import comparison, records
from twin.toolchain import build

REVISION: Final = "AIPLATFORM_UPGRADE_FROM"
"""The variable with a commit in place of the tag of the last release."""
SHORT: Final = (*reduced.KUBERNETES_LAYER, "teams", "serving", "pipelines")
"""Topics of the cluster's inside, which the records of tests/releases compare."""
UNCHANGED: Final = frozenset({"same", "read", "refresh"})
HARMLESS: Final = UNCHANGED | {"create", "update"}
OF_FILES: Final = frozenset({"kubernetes:core/v1:ConfigMap", "kubernetes:batch/v1:Job"})
"""Types without data that Kubernetes does not let change: new files of a program, and the Jobs that run them,
replace the former ones."""

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.nightly,
    pytest.mark.skipif("pulumi" not in build.locate(), reason="pulumi is not built: `aiplatform doctor`"),
]


def git(*arguments: str) -> bytes:
    """Run git in the repository; return what it printed."""
    command = ["git", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout


def last_release() -> str:
    """Return the highest tag of a release, or what the variable has in its place; or empty."""
    if revision := os.environ.get(REVISION):
        return revision
    tags = [
        tag for tag in git("tag", "--list", "v*").decode().split() if re.fullmatch(r"v\d+\.\d+\.\d+", tag)
    ]
    return max(tags, key=lambda tag: tuple(map(int, tag[1:].split("."))), default="")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of the last release."""
    revision = last_release()
    if not revision:
        pytest.skip("no version is released, and CI fetches tags")
    folder = tmp_path_factory.mktemp("release")
    with tarfile.open(fileobj=io.BytesIO(git("archive", "--format=tar", revision))) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module", params=["aws-dev", "gcp-dev"])
def twin(request: pytest.FixtureRequest, home: Path, release: Path) -> Iterator[Twin]:
    """A twin with an environment that the last release deployed with its own packages."""
    environment = request.param
    file = release / "environments" / f"Pulumi.{environment}.yaml"
    document = YAML(typ="safe").load(file)
    reduced.leave_out(document["config"], SHORT)
    with file.open("w") as stream:
        YAML().dump(document, stream)
    twin = Twin(environment, home, without=SHORT)
    command = ("bootstrap.py", "--development", "--run", "python", "-P", "-m", "cli", "up", environment)
    try:
        done = subprocess.run(
            [sys.executable, *command], cwd=release, capture_output=True, text=True, check=False, timeout=1800
        )
        assert not done.returncode, f"the release does not deploy:\n{done.stdout}\n{done.stderr}"
        yield twin
    finally:
        twin.remove()


def steps(twin: Twin) -> list[dict[str, Any]]:
    """Preview the environment by this version; return the steps that change something."""
    done = twin.cli("preview", twin.environment, "--json")
    plan = json.loads(done.stdout[done.stdout.index("{") :])
    return [step for step in plan["steps"] if step["op"] not in UNCHANGED]


def replaces_files(step: dict[str, Any]) -> bool:
    """Return whether a step replaces files of a program, or a Job that runs them, for what they contain."""
    kind = step["urn"].split("::")[2].rpartition("$")[2]
    reasons = step.get("replaceReasons") or [""]
    return kind in OF_FILES and all(reason.startswith(("data[", "spec.")) for reason in reasons)


def intended(urn: str) -> bool:
    """Return whether the deletion or replacement of a resource is an entry of a record's intended.toml."""
    short = urn.split("::", 2)[2]
    return any(
        entry.covers(comparison.Effect(entry.kind, short))
        for version in records.versions()
        for entry in comparison.intentions(version)
    )


def test_the_upgrade_of_a_deployed_environment_replaces_and_deletes_nothing(twin: Twin) -> None:
    wrong = [
        f"{step['op']} {step['urn']} {step.get('replaceReasons') or step.get('diffReasons') or ''}"
        for step in steps(twin)
        if step["op"] not in HARMLESS and not replaces_files(step) and not intended(step["urn"])
    ]
    assert not wrong, "\n".join(wrong)
    twin.up()
    left = [f"{step['op']} {step['urn']}" for step in steps(twin)]
    assert not left, "after the upgrade nothing is left to change"
