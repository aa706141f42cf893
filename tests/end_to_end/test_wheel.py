"""Use by other teams: the wheel in a separate project, and the plugin from another program."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import textwrap
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import bootstrap
from tests.end_to_end.harness import ROOT, Twin
from twin.toolchain import build

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif("pulumi" not in build.locate(), reason="pulumi is not built: `aiplatform doctor`"),
]

# Arguments of the components only: such a team has no stacks/ and environments/.
PROGRAM = """
import pulumi
import pulumi_aws as aws

from aiplatform.cluster import Cluster
from aiplatform.network import Network

provider = aws.Provider("aws", region="us-west-2", allowed_account_ids=["{account}"])
here = pulumi.ResourceOptions(provider=provider)
network = Network("network", {{"prefix": "team-dev", "cidr": "10.16.0.0/16", "zone_count": 2}}, here)
cluster = Cluster(
    "cluster",
    {{
        "prefix": "team-dev",
        "version": "1.35",
        "network": network.outputs,
        "api_access": {{"mode": "cidrs", "cidrs": ["192.52.193.0/24"]}},
    }},
    here,
)
pulumi.export("vpc", network.vpc_id)
pulumi.export("cluster", cluster.name)
pulumi.export("kubeconfig", cluster.kubeconfig)
"""

# What a generated SDK of any language sends: the token, camelCase inputs, and `remote`.
THROUGH_THE_PLUGIN = """
import pulumi
import pulumi_aws as aws


class Network(pulumi.ComponentResource):
    vpcId: pulumi.Output[str]
    zones: pulumi.Output[list]

    def __init__(self, name, inputs, opts):
        outputs = {{"vpcId": None, "zones": None}}
        super().__init__("aiplatform:index:Network", name, {{**outputs, **inputs}}, opts, remote=True)


provider = aws.Provider("aws", region="us-west-2", allowed_account_ids=["{account}"])
network = Network("network", {inputs}, pulumi.ResourceOptions(providers=[provider]))
pulumi.export("vpc", network.vpcId)
pulumi.export("zones", network.zones)
"""

# One component's outputs are the next one's inputs; the zones, which decide what is registered, are plain.
COMPOSED = """
import pulumi
import pulumi_aws as aws


class Remote(pulumi.ComponentResource):
    def __init__(self, kind, name, outputs, inputs, opts):
        props = {{**dict.fromkeys(outputs), **inputs}}
        super().__init__(f"aiplatform:index:{{kind}}", name, props, opts, remote=True)


provider = aws.Provider("aws", region="us-west-2", allowed_account_ids=["{account}"])
here = pulumi.ResourceOptions(providers=[provider])
zones = ["usw2-az1", "usw2-az2"]
network = Remote(
    "Network",
    "network",
    ["vpcId", "privateSubnetIds", "intraSubnetIds"],
    {{"prefix": "team-dev", "cidr": "10.16.0.0/16", "zoneIds": zones}},
    here,
)
placed = {{
    "vpcId": network.vpcId,
    "cidr": "10.16.0.0/16",
    "privateSubnetIds": network.privateSubnetIds,
    "intraSubnetIds": network.intraSubnetIds,
    "zones": [
        {{"id": zone, "privateSubnetId": network.privateSubnetIds.apply(lambda ids, at=at: ids[at])}}
        for at, zone in enumerate(zones)
    ],
}}
cluster = Remote(
    "Cluster",
    "cluster",
    ["name", "securityGroupId", "nodeRoleArn"],
    {{"prefix": "team-dev", "version": "1.35", "network": placed}},
    here,
)
pool = Remote(
    "GpuPool",
    "t4",
    ["resource", "nodeGroups"],
    {{
        "prefix": "team-dev",
        "name": "t4",
        "cluster": {{
            "name": cluster.name,
            "securityGroupId": cluster.securityGroupId,
            "nodeRoleArn": cluster.nodeRoleArn,
        }},
        "network": placed,
        "accelerator": "t4",
        "count": 1,
        "max": 2,
    }},
    here,
)
pulumi.export("resource", pool.resource)
"""


@dataclass
class Project:
    """A Pulumi project of another team, with a separate virtual environment."""

    folder: Path
    python: Path
    twin: Twin

    def pulumi(self, command: str, *options: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a Pulumi command on the project's only stack, on the twin."""
        stack = ["--stack", "team", "--cwd", str(self.folder), "--non-interactive"]
        return self.twin.pulumi(command, *stack, *options, check=check)

    def up(self, program: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Deploy a program."""
        (self.folder / "__main__.py").write_text(program)
        return self.pulumi("up", "--yes", "--skip-preview", "--suppress-progress", check=check)

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        done = self.twin.pulumi(
            "stack", "output", "--json", "--stack", "team", "--cwd", str(self.folder), check=True
        )
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    uv("build", "--wheel", "--out-dir", str(folder), str(ROOT))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def twin(home: Path) -> Iterator[Twin]:
    twin = Twin("wheel", home, checkpoints=False)
    twin.cli("twin", "start", "--name", "wheel")
    yield twin
    twin.remove()


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel and its requirements, in the versions of the repository's lock."""
    folder = tmp_path_factory.mktemp("team")
    locked = folder / "constraints.txt"
    export = ("export", "--frozen", "--all-groups", "--no-emit-workspace", "--no-hashes", "--quiet")
    uv(*export, "--project", str(ROOT), "--output-file", str(locked))
    uv("venv", "--quiet", str(folder / ".venv"))
    python = folder / ".venv" / "bin" / "python"
    uv("pip", "install", "--quiet", "--python", str(python), "--constraint", str(locked), str(wheel))
    return folder / ".venv"


@pytest.fixture
def project(tmp_path: Path, environment: Path, twin: Twin) -> Project:
    (tmp_path / "Pulumi.yaml").write_text(
        textwrap.dedent(f"""\
            name: {tmp_path.name[:40].strip("-_")}
            runtime:
              name: python
              options:
                virtualenv: {environment}
            plugins:
              providers:
                - name: aiplatform
                  path: {ROOT / "components"}
            """)
    )
    project = Project(tmp_path, environment / "bin" / "python", twin)
    twin.pulumi("stack", "init", "team", "--cwd", str(tmp_path), "--non-interactive")
    return project


def uv(*arguments: str) -> None:
    """Run uv as bootstrap.py finds it. Its cache has the packages of the repository's environment."""
    command = [str(bootstrap.find_uv() or bootstrap.install_uv()), *arguments]
    variables = {
        name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")
    }
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert not done.returncode, f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"


def holds_nothing(twin: Twin) -> bool:
    return not {kind: ids for kind, ids in twin.inventory().items() if ids}


def test_the_wheel_contains_only_the_components(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = [name for name in names if name.endswith("METADATA")]
        requirements = [
            line for line in archive.read(metadata).decode().splitlines() if line.startswith("Requires-Dist")
        ]
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"aiplatform"}
    assert "aiplatform/py.typed" in names, "type checkers of other projects need it"
    sources = ROOT / "components" / "aiplatform"
    wanted = {f"aiplatform/{file.relative_to(sources)}" for file in sources.rglob("*.py")}
    assert wanted <= set(names)
    assert {re.split("[<>=!~]", line.split()[1])[0] for line in requirements} == {
        "grafana-foundation-sdk",
        "promql-parser",
        "pulumi",
        "pulumi-aws",
        "pulumi-gcp",
        "pulumi-kubernetes",
        "requests",
        "statelint",
        "tenacity",
    }


def test_network_and_cluster_are_deployed_from_the_wheel_and_destroyed(project: Project, twin: Twin) -> None:
    where = "import aiplatform.cluster as c; print(c.__file__)"
    path = subprocess.run(
        [str(project.python), "-c", where], cwd=project.folder, capture_output=True, text=True, check=True
    ).stdout
    assert "site-packages" in path, "the wheel, not this repository"
    project.up(PROGRAM.format(account=twin.instance.account))
    outputs = project.outputs()
    (vpc,) = twin.aws("ec2").describe_vpcs(VpcIds=[outputs["vpc"]])["Vpcs"]
    assert vpc["CidrBlock"] == "10.16.0.0/16"
    cluster = twin.aws("eks").describe_cluster(name=outputs["cluster"])["cluster"]
    assert (outputs["cluster"], cluster["status"]) == ("team-dev-cluster", "ACTIVE")
    assert cluster["resourcesVpcConfig"]["vpcId"] == outputs["vpc"]
    assert json.loads(outputs["kubeconfig"])["kind"] == "Config"
    again = project.pulumi("preview", "--json", "--expect-no-changes", check=False)
    assert again.returncode == 0, again.stdout + again.stderr
    project.pulumi("destroy", "--yes", "--skip-preview", "--suppress-progress")
    assert holds_nothing(twin), twin.inventory()


def test_a_program_of_another_language_uses_the_plugin(project: Project, twin: Twin) -> None:
    inputs = {"prefix": "team-dev", "cidr": "10.32.0.0/16", "zoneCount": 2}
    project.up(THROUGH_THE_PLUGIN.format(account=twin.instance.account, inputs=inputs))
    outputs = project.outputs()
    assert [sorted(zone) for zone in outputs["zones"]] == [
        ["id", "intraSubnetId", "name", "privateSubnetId", "publicSubnetId"]
    ] * 2
    subnets = [zone["privateSubnetId"] for zone in outputs["zones"]]
    descriptions = twin.aws("ec2").describe_subnets(SubnetIds=subnets)["Subnets"]
    assert {subnet["VpcId"] for subnet in descriptions} == {outputs["vpc"]}
    project.pulumi("destroy", "--yes", "--skip-preview", "--suppress-progress")
    assert holds_nothing(twin), twin.inventory()


def test_components_are_composed_by_their_outputs_in_another_language(project: Project, twin: Twin) -> None:
    (project.folder / "__main__.py").write_text(COMPOSED.format(account=twin.instance.account))
    plan = json.loads(project.pulumi("preview", "--json").stdout)
    wanted = {step["newState"]["type"]: step["newState"] for step in plan["steps"]}
    assert {"aws:ec2/vpc:Vpc", "aws:eks/cluster:Cluster", "aws:eks/nodeGroup:NodeGroup"} <= set(wanted)
    assert holds_nothing(twin), "a preview creates nothing"


def test_the_plugin_refuses_a_misspelt_argument_and_creates_nothing(project: Project, twin: Twin) -> None:
    inputs = {"prefix": "team-dev", "cidr": "10.32.0.0/16", "zoneCuont": 2}
    done = project.up(THROUGH_THE_PLUGIN.format(account=twin.instance.account, inputs=inputs), check=False)
    assert done.returncode
    assert "zoneCuont" in done.stdout + done.stderr
    assert "did you mean 'zoneCount'" in done.stdout + done.stderr
    assert holds_nothing(twin), twin.inventory()
    project.pulumi("destroy", "--yes", "--skip-preview", "--suppress-progress")


def test_the_engine_reads_the_committed_schema_from_the_plugins_folder(twin: Twin, tmp_path: Path) -> None:
    # A copy, as a git source is: the engine syncs its environment exactly and with the default groups, which
    # would remove the packages of the tests from this checkout.
    (tmp_path / "twin").mkdir()
    for name in (
        "pyproject.toml",
        "uv.lock",
        "README.md",
        "LICENSE",
        "twin/pyproject.toml",
        "twin/README.md",
    ):
        shutil.copy(ROOT / name, tmp_path / name)
    ignored = shutil.ignore_patterns("__pycache__")
    plugin = shutil.copytree(ROOT / "components", tmp_path / "components", ignore=ignored)
    done = twin.pulumi("package", "get-schema", str(plugin))
    assert (tmp_path / ".venv" / "bin" / "python").exists(), "the plugin runs in a separate environment"
    assert not (tmp_path / ".venv" / "bin" / "pytest").exists(), (
        "a team that uses it does not install the packages of the tests"
    )
    schema = json.loads(done.stdout[done.stdout.index("{") :])
    wanted = json.loads((ROOT / "components" / "schema.json").read_text())
    assert schema["resources"].keys() == wanted["resources"].keys()
    for token, resource in wanted["resources"].items():
        assert schema["resources"][token]["inputProperties"].keys() == resource["inputProperties"].keys(), (
            token
        )
        assert schema["resources"][token].get("requiredInputs", []) == resource["requiredInputs"], token
