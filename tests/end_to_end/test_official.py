"""The first deployment of docs/ci.md for aws-dev, up to the preview, by Pulumi's CLI and Python language host
on the twin: a clone with only the packages of a deployment, the state in a bucket, secrets encrypted by a
KMS key.

It detects differences of the twin's host and engine, and gaps of the documentation. It runs nightly, with the
release of CI's deployments (`make test-official`); skipped where PATH has no such release.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.harness import ROOT, Twin
from twin.toolchain import build
from twin.toolchain.system_tools import find_pulumi
from twin.toolchain.versions import read_versions

OFFICIAL = find_pulumi(read_versions(), build.cache_dir() / "tools")

pytestmark = [
    pytest.mark.official,
    pytest.mark.skipif(
        OFFICIAL is None and not os.environ.get("CI"),
        reason="the first pulumi on PATH has no pulumi-language-python in its folder",
    ),
    pytest.mark.timeout(1200),
]

STATE = "s3://acme-pulumi-state"
KEY = "alias/acme-pulumi"
# Variables that bootstrap.py and pytest set for this process, and a deployment does not have.
OURS = ("VIRTUAL_ENV", "UV", "UV_PROJECT_ENVIRONMENT", "PYTHONPATH")


@dataclass
class Deployment:
    """A clone of the repository, and commands in it as a deployment runs them."""

    clone: Path
    twin: Twin

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in the clone with the twin's cloud, the official engine and the bucket's state."""
        assert OFFICIAL is not None
        variables = [f"PULUMI_BACKEND_URL={STATE}", f"PATH={OFFICIAL.parent}:{os.environ['PATH']}"]
        unset = [word for name in ("PULUMI_CONFIG_PASSPHRASE_FILE", *OURS) for word in ("-u", name)]
        within = ["twin", "run", "--name", self.twin.environment, "--", "env", "-C", str(self.clone)]
        done = subprocess.run(
            [str(ROOT / "bin" / "aiplatform"), *within, *unset, *variables, *command],
            env={**os.environ, **self.twin.env},
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert not check or done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done

    def pulumi(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run Pulumi as the workflows do: by bootstrap.py, which puts uv on PATH."""
        return self.run("python3", "bootstrap.py", "--run", "pulumi", *arguments, check=check)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    assert OFFICIAL is not None, "CI puts the official release on PATH (.github/actions/engine)"
    clone = tmp_path_factory.mktemp("official") / "ai-platform"
    git = shutil.which("git")
    assert git is not None
    subprocess.run([git, "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], check=True)
    twin = Twin("aws-dev", tmp_path_factory.mktemp("home"))
    twin.env["AIPLATFORM_HOME"] = str(twin.home)
    with twin.started():
        deployment = Deployment(clone, twin)
        deployment.run("aws", "s3", "mb", STATE)
        output = deployment.run(
            "aws", "kms", "create-key", "--query", "KeyMetadata.KeyId", "--output", "text"
        ).stdout
        deployment.run(
            "aws", "kms", "create-alias", "--alias-name", KEY, "--target-key-id", output.split()[-1]
        )
        deployment.pulumi("login", STATE)
        deployment.pulumi(
            "stack", "init", "aws-dev", "--secrets-provider", f"awskms://{KEY}?region=us-west-2"
        )
        yield deployment


def test_a_new_stack_has_its_key_in_the_environment_file(deployment: Deployment) -> None:
    lines = (deployment.clone / "environments" / "Pulumi.aws-dev.yaml").read_text().splitlines()
    assert f"secretsprovider: awskms://{KEY}?region=us-west-2" in lines
    assert any(line.startswith("encryptedkey: ") for line in lines), (
        "both must be committed for other machines"
    )
    assert not any(line.startswith("encryptionsalt") for line in lines), "no job has a passphrase"


def test_a_preview_by_the_official_host_is_evaluated_by_the_policies(deployment: Deployment) -> None:
    output = deployment.pulumi(
        "preview", "--stack", "aws-dev", "--non-interactive", "--policy-pack", "policies"
    ).stdout
    assert "ai-platform@v0.1.0 (local: policies)" in output
    assert "resources evaluated" in output, "the pack ran, with the interpreter that the host chose"
    assert "to create" in output


def test_a_plan_is_saved_with_the_packages_of_a_deployment(deployment: Deployment) -> None:
    previewed = "PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true python3 bootstrap.py --run pulumi preview --json"
    written = (
        f"{previewed} -s aws-dev --non-interactive | python3 bootstrap.py --run python -m cli.plan save plan"
    )
    deployment.run("bash", "-o", "pipefail", "-c", written)
    plan = json.loads((deployment.clone / "plan").read_text())
    assert len(plan["operations"]) > 200
    tools = deployment.clone / ".venv" / "bin"
    assert [name for name in ("pytest", "ruff", "pyright", "moto_server") if (tools / name).exists()] == []


def test_an_outdated_lock_stops_a_preview_in_ci(deployment: Deployment) -> None:
    project = deployment.clone / "pyproject.toml"
    original = project.read_text()
    lock = (deployment.clone / "uv.lock").read_text()
    project.write_text(original.replace('"pydantic>=2.12,<3"', '"pydantic>=2.12,<3", "six"'))
    try:
        preview = ("pulumi", "preview", "--stack", "aws-dev", "--non-interactive")
        done = deployment.run("env", "UV_FROZEN=1", *preview, check=False)
    finally:
        project.write_text(original)
    assert done.returncode, "it would install a package that is not locked"
    assert "lock" in done.stdout + done.stderr
    assert (deployment.clone / "uv.lock").read_text() == lock


def test_without_uv_on_path_the_official_host_fails_at_once(deployment: Deployment) -> None:
    assert OFFICIAL is not None
    path = f"PATH={OFFICIAL.parent}:/usr/bin:/bin"
    if shutil.which("uv", path=path.removeprefix("PATH=")):
        pytest.skip("this machine has uv in a folder that PATH cannot leave out")
    done = deployment.run("env", path, "pulumi", "preview", "--stack", "aws-dev", check=False)
    assert done.returncode
    assert "Could not find `uv` executable" in done.stdout + done.stderr, (
        "the same error as that of the twin's host"
    )


def test_the_official_engine_reads_the_schema_from_the_plugins_folder(deployment: Deployment) -> None:
    output = deployment.pulumi("package", "get-schema", "./components").stdout
    schema = json.loads(output[output.index("{") :])
    wanted = json.loads((ROOT / "components" / "schema.json").read_text())
    assert schema["resources"].keys() == wanted["resources"].keys()
