"""The variables of a program in the twin, and those that are removed."""

from __future__ import annotations

import os
import stat
import sys
import sysconfig
from pathlib import Path

import pytest

from twin import environment, instances
from twin.instances import Instance


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    created = instances.create("one", region="eu-west-1")
    environment.prepare(created)
    return created


def test_nothing_of_a_real_account_reaches_a_program_in_the_twin(instance: Instance) -> None:
    mine = {
        "AWS_PROFILE": "prod",
        "AWS_SESSION_TOKEN": "pul-or-aws-s3cr3t",
        "AWS_ENDPOINT_URL_S3": "https://s3.example",
        "AWS_ROLE_ARN": "arn:aws:iam::999999999999:role/prod",
        "PULUMI_ACCESS_TOKEN": "pul-or-aws-s3cr3t",
        "PULUMI_CONFIG_PASSPHRASE": "mine",
        "HOME": "/somewhere/mine",
    }
    variables = environment.complete(instance, mine)
    assert "s3cr3t" not in "".join(variables.values())
    assert not {"AWS_PROFILE", "AWS_ROLE_ARN", "AWS_ENDPOINT_URL_S3", "PULUMI_CONFIG_PASSPHRASE"} & set(
        variables
    )
    assert variables["AWS_CONFIG_FILE"] == variables["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert variables["AWS_ENDPOINT_URL"] == instance.url("cloud")
    assert variables["AWS_REGION"] == "eu-west-1"
    assert variables["HOME"] == "/somewhere/mine", "what is no cloud's stays"


def test_an_instance_of_google_cloud_is_told_by_the_providers_own_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    created = instances.create("two", cloud="gcp", region="europe-west4", account="acme-ml-dev")
    environment.prepare(created)
    mine = {
        "GOOGLE_APPLICATION_CREDENTIALS": "/mine/s3cr3t.json",
        "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT": "s3cr3t@prod.iam.gserviceaccount.com",
        "CLOUDSDK_CORE_ACCOUNT": "s3cr3t@example.com",
        "CLOUDSDK_ACTIVE_CONFIG_NAME": "prod-s3cr3t",
        "GCLOUD_PROJECT": "prod-s3cr3t",
        "AWS_PROFILE": "prod-s3cr3t",
    }
    variables = environment.complete(created, mine)
    assert "s3cr3t" not in "".join([*variables, *variables.values()])
    server = created.url("cloud")
    assert variables["GOOGLE_COMPUTE_CUSTOM_ENDPOINT"] == f"{server}/compute.googleapis.com/compute/v1/"
    assert variables["GOOGLE_CONTAINER_CUSTOM_ENDPOINT"] == f"{server}/container.googleapis.com/v1/"
    assert variables["CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER"] == f"{server}/container.googleapis.com/"
    assert variables["GOOGLE_OAUTH_ACCESS_TOKEN"].startswith("ya29.")
    assert variables["GOOGLE_PROJECT"] == variables["GOOGLE_CLOUD_PROJECT"] == "acme-ml-dev"
    assert variables["GOOGLE_REGION"] == "europe-west4"
    assert variables["AWS_CONFIG_FILE"] == os.devnull, "nor does another cloud's account"
    assert "AWS_ACCESS_KEY_ID" not in variables
    assert not Path(variables["CLOUDSDK_CONFIG"]).exists(), "no login of the user's is found"
    authority = (created.folder / "kubernetes" / "pki" / "ca.crt").read_text()
    trusted = Path(variables["SSL_CERT_FILE"]).read_text()
    assert authority in trusted
    assert trusted.count("BEGIN CERTIFICATE") > 50, "what everybody trusts is trusted still"


def test_the_users_own_kubeconfig_is_out_of_reach(instance: Instance) -> None:
    assert Path(environment.environment(instance)["KUBECONFIG"]).is_relative_to(instance.folder)


def test_loopback_is_reached_without_the_users_proxy(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "corp.example,localhost")
    hosts = environment.environment(instance)["NO_PROXY"].split(",")
    assert {"corp.example", "127.0.0.1", "localhost"} <= set(hosts)
    assert len(hosts) == len(set(hosts))
    monkeypatch.setenv("https_proxy", "http://proxy.example")
    assert "https_proxy" not in environment.daemon_environment(instance)


def test_the_twins_programs_stand_first_on_the_path_once(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = environment.environment(instance)["PATH"]
    assert path.split(os.pathsep)[0] == str(instance.bin)
    monkeypatch.setenv("PATH", path)
    assert environment.environment(instance)["PATH"] == path, "a shell in the twin may start another"


def test_an_activated_virtual_environment_is_the_programs_and_not_that_of_the_twin(
    instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    for folder in (project / "bin", tmp_path / "system"):
        folder.mkdir(parents=True)
        (folder / "python3").symlink_to(sys.executable)
    before = str(tmp_path / "system")
    monkeypatch.setenv("PATH", os.pathsep.join([str(project / "bin"), before]))
    scripts = sysconfig.get_path("scripts")
    assert environment.first_on_path(instance) == [str(instance.bin), scripts], "a folder of programs is none"
    (project / "pyvenv.cfg").touch()
    variables = environment.complete(instance, {"VIRTUAL_ENV": sys.prefix})
    assert variables["PATH"].split(os.pathsep)[:3] == [str(instance.bin), str(project / "bin"), scripts]
    assert variables["VIRTUAL_ENV"] == str(project), "bin/aiplatform replaces it by that of the twin"
    monkeypatch.setenv("PATH", variables["PATH"])
    assert environment.environment(instance)["PATH"] == variables["PATH"], (
        "a shell in the twin may start another"
    )
    monkeypatch.setenv("PATH", os.pathsep.join([before, str(project / "bin")]))
    assert environment.first_on_path(instance) == [str(instance.bin), scripts], "it is not activated"


def test_the_passphrase_is_random_private_and_stays(instance: Instance) -> None:
    file = instance.folder / "passphrase"
    before = file.read_text()
    assert len(before) >= 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    environment.prepare(instance)
    assert file.read_text() == before, "another passphrase cannot open the stack's secrets"
