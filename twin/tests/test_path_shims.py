"""What a program in the twin finds: the engine on PATH, the providers among the engine's plugins."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from twin import environment, instances, path_shims
from twin.instances import Instance, InstanceError
from twin.toolchain.build import Toolchain

ROOT = Path(__file__).parents[2]


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path / "instances"))
    return instances.create("one")


def _tools(folder: Path, *, official: bool = False) -> Toolchain:
    paths = {name: folder / name for name in ("controlplane", "pulumi", "kubernetes-provider", "kubectl")}
    for file in paths.values():
        file.touch()
    return Toolchain(
        controlplane=paths["controlplane"],
        pulumi=paths["pulumi"],
        kubernetes_provider=paths["kubernetes-provider"],
        kubectl=paths["kubectl"],
        language_exec=None if official else folder / "pulumi-language-python-exec",
    )


def test_the_providers_are_plugins_of_the_versions_that_the_sdks_ask_for(
    instance: Instance, tmp_path: Path
) -> None:
    path_shims.install(instance, _tools(tmp_path))
    home = Path(environment.environment(instance)["PULUMI_HOME"])
    aws = home / "plugins" / f"resource-aws-v{path_shims.sdk_version('aws')}" / "pulumi-resource-aws"
    assert f"{sys.executable} -P -m twin.aws.provider" in aws.read_text()
    assert os.access(aws, os.X_OK)
    gcp = home / "plugins" / f"resource-gcp-v{path_shims.sdk_version('gcp')}" / "pulumi-resource-gcp"
    assert os.access(gcp, os.X_OK), "the engine would fetch it, as the SDK is installed"
    name = f"resource-kubernetes-v{path_shims.sdk_version('kubernetes')}"
    link = home / "plugins" / name / "pulumi-resource-kubernetes"
    assert link.read_text().endswith(f' {tmp_path / "kubernetes-provider"} "$@"\n')
    assert link.parent.is_dir()
    assert not link.parent.is_symlink(), "the engine takes no link for a plugin's folder"
    assert not list(instance.bin.glob("pulumi-resource-*")), "the engine warns of a provider on PATH"


def test_kubectl_finds_the_plugin_that_proves_to_gke_who_the_caller_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path / "instances"))
    instance = instances.create("two", cloud="gcp", region="us-central1", account="acme-ml-dev")
    environment.prepare(instance)
    path_shims.install(instance, _tools(tmp_path))
    done = subprocess.run(
        [str(instance.bin / "gke-gcloud-auth-plugin")],
        env=environment.complete(instance),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    credential = json.loads(done.stdout)
    assert credential["status"]["token"] == environment.environment(instance)["GOOGLE_OAUTH_ACCESS_TOKEN"]


def test_the_version_is_the_one_that_the_sdk_declares_to_the_engine() -> None:
    spec = importlib.util.find_spec("pulumi_aws")  # not an import, which takes a second
    assert spec is not None
    assert spec.origin is not None
    declaration = Path(spec.origin).with_name("pulumi-plugin.json").read_text()
    assert f'"version": "{path_shims.sdk_version("aws")}"' in declaration


def test_an_installation_that_was_broken_off_is_repaired(instance: Instance, tmp_path: Path) -> None:
    partial = path_shims.plugins(instance) / f"resource-aws-v{path_shims.sdk_version('aws')}.partial"
    partial.parent.mkdir(parents=True)
    partial.touch()
    path_shims.install(instance, _tools(tmp_path))
    assert not partial.exists(), "the engine counts the plugin as not installed"


def test_a_pulumi_of_our_own_stands_on_path_and_an_official_one_stays_where_it_is(
    instance: Instance, tmp_path: Path
) -> None:
    path_shims.install(instance, _tools(tmp_path))
    assert (instance.bin / "pulumi").resolve() == (tmp_path / "pulumi").resolve()
    path_shims.install(instance, _tools(tmp_path, official=True))
    assert not (instance.bin / "pulumi").exists(), "it looks for its language host in its folder"


def test_a_missing_sdk_is_told_with_what_to_do() -> None:
    with pytest.raises(InstanceError, match=r"pulumi-nowhere"):
        path_shims.sdk_version("nowhere")
