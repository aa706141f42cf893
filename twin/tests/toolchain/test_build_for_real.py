"""The real tools: built if the cache lacks them, and put to work.

Marked `build`, since the first run compiles for minutes; with a warm cache it takes seconds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from twin.toolchain.build import Toolchain, ensure
from twin.toolchain.system_tools import at_least
from twin.toolchain.versions import read_versions

pytestmark = [pytest.mark.build, pytest.mark.timeout(1800)]

VERSIONS = read_versions()
Pulumi = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def tools() -> Toolchain:
    return Toolchain.of(ensure())


def output(*command: str | Path) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.fixture
def pulumi(tools: Toolchain, tmp_path: Path) -> Pulumi:
    """Runs pulumi on a program, with a separate backend and plugins."""
    (tmp_path / "state").mkdir()
    plugin = tmp_path / "home" / "plugins" / f"resource-kubernetes-v{VERSIONS.kubernetes_provider}"
    plugin.mkdir(parents=True)
    (plugin / tools.kubernetes_provider.name).symlink_to(tools.kubernetes_provider)
    environment = {
        **os.environ,
        "AIPLATFORM_PYTHON": sys.executable,
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }

    def run(*arguments: str, program: str = "") -> subprocess.CompletedProcess[str]:
        if program:
            (tmp_path / "Pulumi.yaml").write_text("name: tiny\nruntime: python\n")
            (tmp_path / "__main__.py").write_text(textwrap.dedent(program))
            run("stack", "init", "dev")
        return subprocess.run(
            [str(tools.pulumi), *arguments, "--non-interactive"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.parametrize(
    ("command", "version"),
    [
        ("etcd", VERSIONS.etcd),
        ("kube-apiserver", VERSIONS.kubernetes),
        ("kube-controller-manager", VERSIONS.kubernetes),
        ("kube-scheduler", VERSIONS.kubernetes),
        ("kwok", VERSIONS.kwok),
    ],
)
def test_the_control_planes_binary_is_each_of_its_commands(
    tools: Toolchain, command: str, version: str
) -> None:
    assert version in output(tools.controlplane, command, "--version")


def test_the_control_planes_binary_says_which_commands_there_are(tools: Toolchain) -> None:
    assert "COMMAND is one of: etcd, kube-apiserver" in output(tools.controlplane)


def test_the_engine_and_the_language_host_beside_it_run_a_program(pulumi: Pulumi) -> None:
    program = """
        import sys
        import pulumi
        print("seen by the user", file=sys.stderr)
        pulumi.ComponentResource("tiny:index:Thing", "thing")
        pulumi.export("answer", 42)
    """
    up = pulumi("up", "--yes", program=program)
    assert up.returncode == 0, up.stdout + up.stderr
    assert "seen by the user" in up.stdout
    assert "warning" not in up.stdout, "the engine expects a language host in its folder"
    assert pulumi("stack", "output", "answer").stdout.strip() == "42"


def test_the_engine_shows_the_traceback_of_a_program_that_raises(pulumi: Pulumi) -> None:
    preview = pulumi("preview", program='raise ValueError("broken on purpose")')
    assert preview.returncode != 0
    assert "ValueError: broken on purpose" in preview.stdout
    assert "unhandled error" not in preview.stdout, "it is reported once"


def test_the_engine_shows_a_run_error_as_its_message_alone(pulumi: Pulumi) -> None:
    preview = pulumi("preview", program='import pulumi; raise pulumi.RunError("dev.yaml: 2 errors")')
    assert preview.returncode != 0
    assert "error: dev.yaml: 2 errors" in preview.stdout
    for noise in ("Traceback", "unhandled error", "exit code"):
        assert noise not in preview.stdout


@pytest.mark.parametrize("waits", ["time.sleep(60)", "pulumi.Output.from_input(asyncio.sleep(60))"])
def test_an_interrupted_update_shows_nothing_of_its_program(pulumi: Pulumi, waits: str) -> None:
    # The engine is the parent of the language host, which is the program's.
    program = f"""
        import asyncio, os, signal, time
        import psutil, pulumi
        pulumi.ComponentResource("tiny:index:Thing", "thing")
        os.kill(psutil.Process(os.getppid()).ppid(), signal.SIGINT)
        {waits}
    """
    up = pulumi("up", "--yes", "--skip-preview", program=program)
    assert up.returncode != 0
    assert "cancel" in up.stdout, up.stdout + up.stderr
    for noise in ("Traceback", "KeyboardInterrupt", "exit code"):
        assert noise not in up.stdout + up.stderr


def test_the_engine_reports_the_exit_code_of_a_program(pulumi: Pulumi) -> None:
    preview = pulumi("preview", program="import sys; sys.exit(3)")
    assert preview.returncode != 0
    assert "program exited with non-zero exit code: 3" in preview.stdout


def test_the_kubernetes_provider_renders_a_chart_of_many_kinds(pulumi: Pulumi, tmp_path: Path) -> None:
    manifest = """
        apiVersion: v1
        kind: Secret
        metadata: {name: password, namespace: default}
        stringData: {password: hunter2}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: default}
        spec:
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec: {containers: [{name: web, image: web}]}
        ---
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: things.example.com}
        spec:
          group: example.com
          names: {kind: Thing, plural: things, singular: thing}
          scope: Namespaced
          versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
        ---
        apiVersion: example.com/v1
        kind: Thing
        metadata: {name: thing, namespace: default}
    """
    (tmp_path / "all.yaml").write_text(textwrap.dedent(manifest))
    program = """
        import pulumi
        import pulumi_kubernetes as k8s
        provider = k8s.Provider(
            "rendering", render_yaml_to_directory="rendered", opts=pulumi.ResourceOptions(version="%s")
        )
        opts = pulumi.ResourceOptions(provider=provider, version="%s")
        k8s.yaml.v2.ConfigFile("all", file="all.yaml", opts=opts)
    """.replace("%s", VERSIONS.kubernetes_provider)
    up = pulumi("up", "--yes", "--skip-preview", program=program)
    assert up.returncode == 0, up.stdout + up.stderr
    types = pulumi("stack", "--show-urns").stdout
    for token in (
        "kubernetes:core/v1:Secret",
        "kubernetes:apps/v1:Deployment",
        "kubernetes:example.com/v1:Thing",
    ):
        assert token in types
    assert "hunter2" not in pulumi("stack", "export").stdout, "a Secret's data stays secret in the state"
    rendered = {path.name for path in (tmp_path / "rendered").rglob("*.yaml")}
    assert any("deployment" in name for name in rendered), rendered


def test_kubectl_is_recent_enough_for_the_server(tools: Toolchain) -> None:
    assert at_least(output(tools.kubectl, "version", "--client"), VERSIONS.kubectl_minimum)
