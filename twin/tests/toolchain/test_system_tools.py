"""A good enough tool on PATH is used, and nothing less."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from twin.toolchain import system_tools
from twin.toolchain.build import Toolchain, ensure, language_exec
from twin.toolchain.cache import Cache
from twin.toolchain.errors import ToolchainError
from twin.toolchain.system_tools import (
    at_least,
    find_go,
    find_kubectl,
    find_kubernetes_plugin,
    find_monitoring_tool,
    find_pulumi,
    find_uv,
)
from twin.toolchain.versions import read_versions

VERSIONS = read_versions()
Put = Callable[..., Path]


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Puts a script on a PATH that holds nothing else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def put(name: str, answer: str = "", folder: Path = folder) -> Path:
        folder.mkdir(exist_ok=True, parents=True)
        script = folder / name
        script.write_text(f"#!/bin/sh\n/bin/cat <<'END'\n{answer}\nEND\n")
        script.chmod(0o755)
        return script

    return put


@pytest.mark.parametrize(
    ("answer", "minimum", "good"),
    [
        ("go1.26.6", "1.26.6", True),
        ("go1.27rc1", "1.26.6", True),
        ("go1.26.5", "1.26.6", False),
        ("devel +abcdef", "1.26.6", False),
        ("v3.274.1", "3.249.0", True),
        ("v3.99.0", "3.249.0", False),
        ("v1.32.4-dispatcher", "1.35.0", False),
        (None, "1.0.0", False),
    ],
)
def test_versions_are_compared_as_numbers(answer: str | None, minimum: str, good: bool) -> None:
    assert at_least(answer, minimum) is good


def test_go_on_path_is_used_when_it_is_new_enough(put: Put) -> None:
    assert find_go(VERSIONS) is None
    go = put("go", "go1.25.1")
    assert find_go(VERSIONS) is None
    put("go", f"go{VERSIONS.go_minimum}")
    assert find_go(VERSIONS) == go


def test_an_official_pulumi_is_used_with_the_language_host_beside_it(put: Put, tmp_path: Path) -> None:
    pulumi = put("pulumi", f"v{VERSIONS.pulumi_minimum}")
    assert find_pulumi(VERSIONS, tmp_path / "cache") is None, "without a language host it runs no program"
    put("pulumi-language-python")
    assert find_pulumi(VERSIONS, tmp_path / "cache") == pulumi
    assert language_exec(pulumi, Cache(tmp_path / "cache")) is None
    put("pulumi", "v3.100.0")
    assert find_pulumi(VERSIONS, tmp_path / "cache") is None


def test_a_pulumi_that_was_built_here_is_not_taken_for_an_official_one(put: Put, tmp_path: Path) -> None:
    built = tmp_path / "cache" / "tools" / "pulumi-1"
    put("pulumi", f"v{VERSIONS.pulumi}", folder=built)
    put("pulumi-language-python", folder=built)
    (tmp_path / "bin" / "pulumi").symlink_to(built / "pulumi")
    assert find_pulumi(VERSIONS, tmp_path / "cache") is None
    assert language_exec(tmp_path / "bin" / "pulumi", Cache(tmp_path / "cache")) == (
        built / "pulumi-language-python-exec"
    )


def test_an_official_pulumi_brings_the_pinned_kubernetes_provider_or_none(put: Put, tmp_path: Path) -> None:
    plugin = put("pulumi-resource-kubernetes", folder=tmp_path / "plugins" / "kubernetes")
    entry = '[{{"name": "kubernetes", "kind": "resource", "version": "{}", "path": "{}"}}]'
    pulumi = put("pulumi", entry.format(VERSIONS.kubernetes_provider, plugin.parent))
    assert find_kubernetes_plugin(pulumi, VERSIONS) == plugin
    put("pulumi", entry.format("4.1.0", plugin.parent))
    assert find_kubernetes_plugin(pulumi, VERSIONS) is None
    put("pulumi", "no json")
    assert find_kubernetes_plugin(pulumi, VERSIONS) is None


def test_kubectl_on_path_is_used_unless_it_is_too_old_for_the_server(
    put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = '{{"clientVersion": {{"gitVersion": "{}"}}}}'
    packaged = put("kubectl", answer.format("v1.37.1"), folder=tmp_path / "scripts")
    monkeypatch.setattr(system_tools.sysconfig, "get_path", lambda name: str(packaged.parent))
    on_path = put("kubectl", answer.format("v1.36.0"))
    assert find_kubectl(VERSIONS) == on_path
    put("kubectl", answer.format("v1.32.4"))
    assert find_kubectl(VERSIONS) == packaged
    packaged.unlink()
    with pytest.raises(ToolchainError, match="uv sync"):
        find_kubectl(VERSIONS)


def test_a_name_that_is_no_tool_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match="kubctl; there are kubectl, controlplane, pulumi"):
        ensure(["kubctl"])


def test_an_official_pulumi_and_its_plugin_need_no_build(
    put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = put("pulumi-resource-kubernetes", folder=tmp_path / "plugins")
    pulumi = put("pulumi", "v3.999.0")
    put("pulumi-language-python")
    listing = f'[{{"name": "kubernetes", "kind": "resource", "version": "{VERSIONS.kubernetes_provider}",'
    listing += f' "path": "{plugin.parent}"}}]'
    pulumi.write_text(f"#!/bin/sh\nif [ $1 = version ]; then echo v3.999.0; else echo '{listing}'; fi\n")
    heard: dict[str, Path] = {}
    cache = Cache(tmp_path / "cache")
    tools = ensure(["pulumi", "kubernetes-provider"], ready=heard.__setitem__, cache=cache)
    assert tools == heard == {"pulumi": pulumi, "kubernetes-provider": plugin}
    assert not cache.root.exists(), "nothing had to be built, so nothing is written"
    whole = Toolchain.of(tools | {"controlplane": tmp_path, "kubectl": tmp_path}, cache)
    assert whole.language_exec is None


def test_uv_is_found_where_the_bootstrap_put_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uv = tmp_path / "tools" / f"uv-{read_versions().uv}" / "bin" / "uv"
    uv.parent.mkdir(parents=True)
    uv.touch(mode=0o755)
    monkeypatch.setenv("AIPLATFORM_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("UV", raising=False)
    assert find_uv() == str(uv), "a command that was not started by make needs it too"


@pytest.mark.parametrize("name", ["promtool", "prometheus", "amtool", "alertmanager"])
def test_a_tool_of_monitoring_on_path_is_used_unless_it_is_older(put: Put, name: str) -> None:
    assert find_monitoring_tool(name, VERSIONS) is None
    put(name, f"{name}, version 0.1.0 (branch: HEAD, revision: 1)")
    assert find_monitoring_tool(name, VERSIONS) is None, "rules may use what it does not know"
    tool = put(name, f"{name}, version 9.14.0 (branch: HEAD, revision: 1)")
    assert find_monitoring_tool(name, VERSIONS) == tool
