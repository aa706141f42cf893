"""Keys of AWS KMS of another region than the environment's, wherever a file names one."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacks.loading import load_file
from tests.stacks.test_google_files import changed, problems

IN_PARIS = "arn:aws:kms:eu-west-3:111122223333:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


@pytest.mark.parametrize(
    "path",
    [
        "network/kms_key",
        "cluster/kms_key",
        "cluster/volumes_kms_key",
        "addons/interruptions_kms_key",
        "container_registry/kms_key",
        "feature_store/kms_key",
        "lakehouse/kms_key",
        "model_registry/kms_key",
        "model_store/kms_key",
        "observability/logs/kms_key",
    ],
)
def test_a_key_of_another_region_is_refused_before_anything_is_created(tmp_path: Path, path: str) -> None:
    reported = problems(tmp_path, {path: IN_PARIS}, "aws-dev")
    (problem,) = [entry for entry in reported if "eu-west-3" in entry.partition(", a key in ")[2]]
    assert f": {path.replace('/', '.')}: got 'arn:aws:kms:eu-west-3" in problem
    assert ", a key in eu-west-3; expected one in " in problem


def test_a_key_of_the_environments_region_is_accepted(tmp_path: Path) -> None:
    region = load_file(changed(tmp_path, {}, "aws-dev")).environment.region
    key = IN_PARIS.replace("eu-west-3", region)
    settings = load_file(changed(tmp_path, {"cluster/kms_key": key, "network/kms_key": key}, "aws-dev"))
    assert (settings.cluster.kms_key, settings.network.kms_key) == (key, key)


def test_a_location_of_google_cloud_is_compared_by_the_component(tmp_path: Path) -> None:
    key = "projects/acme-security/locations/europe-north1/keyRings/platform/cryptoKeys/data"
    (problem,) = problems(tmp_path, {"cluster/kms_key": key}, "gcp-dev")
    assert ": cluster.kms_key: got " in problem
    assert "a key in europe-north1; expected one in " in problem
