"""What a program in the twin is told, and what is kept from it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from twin import environment
from twin import world as worlds
from twin.environment import StackFileError
from twin.world import World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    made = worlds.create("one", region="eu-west-1")
    environment.prepare(made)
    return made


def test_nothing_of_a_real_account_reaches_a_program_in_the_twin(world: World) -> None:
    mine = {
        "AWS_PROFILE": "prod",
        "AWS_SESSION_TOKEN": "pul-or-aws-s3cr3t",
        "AWS_ENDPOINT_URL_S3": "https://s3.example",
        "AWS_ROLE_ARN": "arn:aws:iam::999999999999:role/prod",
        "PULUMI_ACCESS_TOKEN": "pul-or-aws-s3cr3t",
        "PULUMI_CONFIG_PASSPHRASE": "mine",
        "HOME": "/somewhere/mine",
    }
    told = environment.complete(world, mine)
    assert "s3cr3t" not in "".join(told.values())
    assert not {"AWS_PROFILE", "AWS_ROLE_ARN", "AWS_ENDPOINT_URL_S3", "PULUMI_CONFIG_PASSPHRASE"} & set(told)
    assert told["AWS_CONFIG_FILE"] == told["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert told["AWS_ENDPOINT_URL"] == world.url("cloud")
    assert told["AWS_REGION"] == "eu-west-1"
    assert told["HOME"] == "/somewhere/mine", "what is no cloud's stays"


def test_a_real_cloud_is_looked_at_before_it_is_changed_and_the_twin_when_asked(world: World) -> None:
    project = (environment.ROOT / "Pulumi.yaml").read_text()
    assert "  refresh: always\n" in project, (
        "a change of `max` would send its group the size of the last run, and end the nodes that came since"
    )
    assert environment.environment(world)["PULUMI_OPTION_REFRESH"] == "false", "an explicit --refresh wins"


def test_a_world_of_google_cloud_is_told_by_the_providers_own_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    made = worlds.create("two", cloud="gcp", region="europe-west4", account="acme-ml-dev")
    environment.prepare(made)
    mine = {
        "GOOGLE_APPLICATION_CREDENTIALS": "/mine/s3cr3t.json",
        "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT": "s3cr3t@prod.iam.gserviceaccount.com",
        "CLOUDSDK_CORE_ACCOUNT": "s3cr3t@example.com",
        "CLOUDSDK_ACTIVE_CONFIG_NAME": "prod-s3cr3t",
        "GCLOUD_PROJECT": "prod-s3cr3t",
        "AWS_PROFILE": "prod-s3cr3t",
    }
    told = environment.complete(made, mine)
    assert "s3cr3t" not in "".join([*told, *told.values()])
    front = made.url("cloud")
    assert told["GOOGLE_COMPUTE_CUSTOM_ENDPOINT"] == f"{front}/compute.googleapis.com/compute/v1/"
    assert told["GOOGLE_CONTAINER_CUSTOM_ENDPOINT"] == f"{front}/container.googleapis.com/v1/"
    assert told["CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER"] == f"{front}/container.googleapis.com/"
    assert told["GOOGLE_OAUTH_ACCESS_TOKEN"].startswith("ya29.")
    assert told["GOOGLE_PROJECT"] == told["GOOGLE_CLOUD_PROJECT"] == "acme-ml-dev"
    assert told["GOOGLE_REGION"] == "europe-west4"
    assert told["AWS_CONFIG_FILE"] == os.devnull, "nor does another cloud's account"
    assert "AWS_ACCESS_KEY_ID" not in told
    assert not Path(told["CLOUDSDK_CONFIG"]).exists(), "no login of the user's is found"
    own = (made.folder / "kubernetes" / "pki" / "ca.crt").read_text()
    trusted = Path(told["SSL_CERT_FILE"]).read_text()
    assert own in trusted
    assert trusted.count("BEGIN CERTIFICATE") > 50, "what everybody trusts is trusted still"


def test_the_users_own_kubeconfig_is_out_of_reach(world: World) -> None:
    assert Path(environment.environment(world)["KUBECONFIG"]).is_relative_to(world.folder)


def test_loopback_is_reached_without_the_users_proxy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "corp.example,localhost")
    hosts = environment.environment(world)["NO_PROXY"].split(",")
    assert {"corp.example", "127.0.0.1", "localhost"} <= set(hosts)
    assert len(hosts) == len(set(hosts))
    monkeypatch.setenv("https_proxy", "http://proxy.example")
    assert "https_proxy" not in environment.daemon_environment(world)


def test_the_twins_programs_stand_first_on_the_path_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = environment.environment(world)["PATH"]
    assert path.split(os.pathsep)[0] == str(world.bin)
    monkeypatch.setenv("PATH", path)
    assert environment.environment(world)["PATH"] == path, "a shell in the twin may start another"


def test_the_passphrase_is_random_private_and_stays(world: World) -> None:
    file = world.folder / "passphrase"
    before = file.read_text()
    assert len(before) >= 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    environment.prepare(world)
    assert file.read_text() == before, "another passphrase cannot open the stack's secrets"


class TestStackFile:
    """The world's copy of an environment file."""

    @pytest.fixture(autouse=True)
    def _root(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.original = tmp_path / "repository" / "environments" / "Pulumi.dev.yaml"
        self.original.parent.mkdir(parents=True)
        monkeypatch.setattr(environment, "ROOT", tmp_path / "repository")

    def test_the_copy_follows_the_original_and_keeps_its_own_seal(self, world: World) -> None:
        self.original.write_text("secretsprovider: awskms://alias/prod\nencryptedkey: abc\nconfig:\n  a: 1\n")
        copy = environment.stack_file(world, "dev")
        assert copy.read_text() == "config:\n  a: 1\n", "the twin cannot use the environment's key"
        copy.write_text(copy.read_text() + "encryptionsalt: v1:ours\n")
        self.original.write_text("encryptionsalt: v1:theirs\nconfig:\n  a: 2\n")
        assert (
            environment.stack_file(world, "dev").read_text() == "config:\n  a: 2\nencryptionsalt: v1:ours\n"
        )
        assert self.original.read_text() == "encryptionsalt: v1:theirs\nconfig:\n  a: 2\n"

    def test_the_copy_lies_in_the_world_beside_a_project_of_the_same_name(self, world: World) -> None:
        self.original.write_text("config: {}")
        copy = environment.stack_file(world, "dev")
        assert copy.is_relative_to(world.folder)
        assert "name: ai-platform\n" in (copy.parent / "Pulumi.yaml").read_text()

    def test_a_value_sealed_by_another_provider_is_refused_with_its_line(self, world: World) -> None:
        self.original.write_text("config:\n  a:x: 1\n  a:token:\n    secure: v1:abc\n")
        with pytest.raises(StackFileError, match=r"Pulumi\.dev\.yaml:4.*cannot open"):
            environment.stack_file(world, "dev")

    def test_an_environment_that_is_not_there_is_told_with_those_that_are(self, world: World) -> None:
        self.original.write_text("config: {}")
        with pytest.raises(StackFileError, match=r"'prod'.*there are: dev"):
            environment.stack_file(world, "prod")


def test_the_project_is_the_one_of_the_repository() -> None:
    text = (environment.ROOT / "Pulumi.yaml").read_text()
    assert f"name: {environment.PROJECT}\n" in text, "the stack would be made under another project's name"
