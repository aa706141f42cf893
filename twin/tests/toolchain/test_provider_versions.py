"""Programs whose SDKs have other versions than the providers of the twin."""

from __future__ import annotations

from pathlib import Path

import pytest
from pulumi.runtime.proto import plugin_pb2

from twin.toolchain.provider_versions import ProviderVersionError, adopt

INSTALLED = {"aws": "7.51.1", "kubernetes": "4.34.2"}
BUILT = {"kubernetes": "4.25.0"}


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    for name, version in INSTALLED.items():
        folder = tmp_path / f"resource-{name}-v{version}"
        folder.mkdir()
        (folder / f"pulumi-resource-{name}").touch()
    return tmp_path


def package(name: str, version: str) -> plugin_pb2.PackageDependency:
    return plugin_pb2.PackageDependency(name=name, version=f"v{version}", kind="resource")


def test_an_older_sdk_of_the_same_major_version_gets_the_provider_of_the_twin(plugins: Path) -> None:
    assert adopt(plugins, INSTALLED, BUILT, [package("aws", "7.30.0")]) == []
    executable = plugins / "resource-aws-v7.30.0" / "pulumi-resource-aws"
    assert executable.resolve() == plugins / "resource-aws-v7.51.1" / "pulumi-resource-aws"
    assert not executable.parent.is_symlink(), "the engine takes no link for a plugin's folder"
    adopt(plugins, INSTALLED, BUILT, [package("aws", "7.30.0")])
    assert executable.is_symlink(), "each command asks again"


def test_an_sdk_that_is_newer_than_its_provider_is_a_warning(plugins: Path) -> None:
    (warning,) = adopt(plugins, INSTALLED, BUILT, [package("kubernetes", "4.34.2")])
    assert "pulumi-kubernetes 4.34.2 is newer than the provider of the twin, 4.25.0" in warning
    assert len(list(plugins.iterdir())) == len(INSTALLED), "the folder of this version is there already"


def test_an_sdk_of_another_major_version_is_an_error_that_states_what_to_install(plugins: Path) -> None:
    wrong = [package("aws", "7.30.0"), package("kubernetes", "3.30.2"), package("aws", "6.1.0")]
    with pytest.raises(ProviderVersionError) as caught:
        adopt(plugins, INSTALLED, BUILT, wrong)
    assert "pulumi-kubernetes 3.30.2 is installed with the program" in str(caught.value)
    assert "expected pulumi-kubernetes>=4,<5" in str(caught.value)
    assert "expected pulumi-aws>=7,<8" in str(caught.value)
    assert len(list(plugins.iterdir())) == len(INSTALLED), "nothing is added"


def test_other_packages_are_left_to_the_engine(plugins: Path) -> None:
    others = [package("random", "4.18.0"), package("gcp", "10.1.0")]
    assert adopt(plugins, INSTALLED, BUILT, others) == []
    assert len(list(plugins.iterdir())) == len(INSTALLED)


def test_an_installation_that_was_broken_off_does_not_hide_the_provider(plugins: Path) -> None:
    partial = plugins / "resource-aws-v7.30.0.partial"
    partial.touch()
    adopt(plugins, INSTALLED, BUILT, [package("aws", "7.30.0")])
    assert not partial.exists(), "the engine counts the plugin as not installed"
