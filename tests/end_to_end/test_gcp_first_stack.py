"""The stacks of the first deployment on Google Cloud (docs/ci.md): the state in a bucket, secrets encrypted
by a key of Cloud KMS, by the real engine and its clients of both, on the twin."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.harness import ROOT, Twin

pytestmark = pytest.mark.end_to_end

DOCUMENT = (ROOT / "docs" / "ci.md").read_text()
PROJECT = "acme-ml-dev"
BUCKET = f"{PROJECT}-pulumi-state"
LOCATION = f"projects/{PROJECT}/locations/us-central1"
KEY = f"{LOCATION}/keyRings/pulumi/cryptoKeys/pulumi"
PROVIDER = f"gcpkms://{KEY}"
FILE = Path("environments") / "Pulumi.gcp-dev.yaml"
SECRET = "ai-platform:test"


@dataclass
class Deployment:
    """A clone of the repository, and Pulumi in it as on a machine of the team."""

    clone: Path
    twin: Twin
    home: Path

    def pulumi(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a Pulumi command in the clone."""
        return self.run("pulumi", *arguments, check=check)

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in the clone, with the backend of the last `pulumi login` and no passphrase."""
        unset = ("-u", "PULUMI_CONFIG_PASSPHRASE_FILE", "-u", "PULUMI_BACKEND_URL")
        return self.twin.cli(
            *("twin", "run", "--name", self.twin.environment, "--", sys.executable, "-m", "twin.gcp.hosts"),
            *("env", "-C", str(self.clone), *unset, f"PULUMI_HOME={self.home}", *command),
            check=check,
        )


def _documented() -> str:
    """Return the commands of step 3 for Google Cloud, for dev only."""
    loops = re.findall(
        r"^ +for name in dev staging prod; do\n.*?^ +done\n", DOCUMENT, re.MULTILINE | re.DOTALL
    )
    (commands,) = (loop for loop in loops if "gs://" in loop)
    return commands.replace("dev staging prod", "dev")


def _prepare(twin: Twin) -> None:
    """Create what step 2 creates by hand."""
    services: Any = twin.google("serviceusage", "v1").services()
    for api in ("serviceusage", "cloudresourcemanager", "cloudkms", "storage"):
        services.enable(name=f"projects/{PROJECT}/services/{api}.googleapis.com", body={}).execute()
    protected = {
        "publicAccessPrevention": "enforced",
        "uniformBucketLevelAccess": {"enabled": True},
    }
    body = {
        "name": BUCKET,
        "location": "us-central1",
        "iamConfiguration": protected,
        "versioning": {"enabled": True},
    }
    twin.google("storage", "v1").buckets().insert(project=PROJECT, body=body).execute()
    rings: Any = twin.google("cloudkms", "v1").projects().locations().keyRings()
    rings.create(parent=LOCATION, keyRingId="pulumi", body={}).execute()
    keys = rings.cryptoKeys()
    ring = f"{LOCATION}/keyRings/pulumi"
    keys.create(parent=ring, cryptoKeyId="pulumi", body={"purpose": "ENCRYPT_DECRYPT"}).execute()


@pytest.fixture(scope="module")
def deployment(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("first")
    git = shutil.which("git")
    assert git is not None
    subprocess.run([git, "clone", "--quiet", "--no-hardlinks", str(ROOT), str(folder / "clone")], check=True)
    with Twin("gcp-dev", home).started() as twin:
        _prepare(twin)
        deployment = Deployment(folder / "clone", twin, folder / "pulumi")
        deployment.run("sh", "-e", "-c", _documented())
        yield deployment


def test_documentation_creates_the_bucket_and_the_key_of_this_test() -> None:
    assert f"gs://{BUCKET} --project {PROJECT} --location us-central1" in DOCUMENT
    assert "kms keys create pulumi --project acme-ml-dev --keyring pulumi --location us-central1" in DOCUMENT


def test_a_new_stack_has_its_key_in_the_environment_file(deployment: Deployment) -> None:
    lines = (deployment.clone / FILE).read_text().splitlines()
    assert f"secretsprovider: {PROVIDER}" in lines
    assert any(line.startswith("encryptedkey: ") for line in lines), "both must be committed"
    assert not any(line.startswith("encryptionsalt") for line in lines), "no job has a passphrase"


def test_state_locks_and_history_are_in_the_bucket(deployment: Deployment) -> None:
    storage: Any = deployment.twin.google("storage", "v1").objects()
    # An update of a stack without resources: it takes the lock, writes the state and a copy of it.
    deployment.pulumi("refresh", "--stack", "gcp-dev", "--yes", "--non-interactive")
    names = {item["name"] for item in storage.list(bucket=BUCKET).execute()["items"]}
    assert ".pulumi/stacks/ai-platform/gcp-dev.json" in names
    history = [name for name in names if name.startswith(".pulumi/history/ai-platform/gcp-dev/")]
    assert {name.partition(".")[2].partition(".")[2] for name in history} == {
        "checkpoint.json",
        "history.json",
    }
    assert not [name for name in names if "/locks/" in name], "the lock is released"
    assert "gcp-dev" in deployment.pulumi("stack", "ls", "--project", "ai-platform").stdout


def test_another_machine_reads_secrets_with_the_committed_file(
    deployment: Deployment, tmp_path: Path
) -> None:
    deployment.pulumi("config", "set", "--stack", "gcp-dev", "--secret", SECRET, "s3cret")
    assert "s3cret" not in (deployment.clone / FILE).read_text()
    other = Deployment(tmp_path / "clone", deployment.twin, tmp_path / "pulumi")
    shutil.copytree(deployment.clone, other.clone)
    refused = other.pulumi("config", "get", "--stack", "gcp-dev", SECRET, check=False)
    assert refused.returncode, "it is not logged in to the state"
    other.pulumi("login", f"gs://{BUCKET}")
    assert other.pulumi("config", "get", "--stack", "gcp-dev", SECRET).stdout.strip() == "s3cret"


def test_without_the_key_no_secret_is_read(deployment: Deployment) -> None:
    deployment.pulumi("config", "set", "--stack", "gcp-dev", "--secret", SECRET, "s3cret")
    keys: Any = deployment.twin.google("cloudkms", "v1").projects().locations().keyRings().cryptoKeys()
    version = {"name": f"{KEY}/cryptoKeyVersions/1", "updateMask": "state"}
    keys.cryptoKeyVersions().patch(**version, body={"state": "DISABLED"}).execute()
    try:
        refused = deployment.pulumi("config", "get", "--stack", "gcp-dev", SECRET, check=False)
    finally:
        keys.cryptoKeyVersions().patch(**version, body={"state": "ENABLED"}).execute()
    assert refused.returncode
    assert "is not enabled" in refused.stdout + refused.stderr, "the error of Cloud KMS is shown"
    assert "s3cret" not in refused.stdout + refused.stderr
