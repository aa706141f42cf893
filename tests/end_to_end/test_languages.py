"""The programs of examples/ in YAML, TypeScript and Python, on the twin."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from aiplatform import _plugin
from tests.end_to_end.harness import ROOT, Twin
from twin.toolchain import build
from twin.toolchain.system_tools import find_go
from twin.toolchain.versions import read_versions

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif("pulumi" not in build.locate(), reason="pulumi is not built: `aiplatform doctor`"),
]

SOURCES = Path(__file__).with_name("languages")
PLATFORM = ROOT / "examples" / "platform-aws"
SCHEMA = ROOT / "components" / "schema.json"
PYTHON = {"name": "python", "options": {"virtualenv": str(ROOT / ".venv")}}
COMPONENTS = {"providers": [{"name": "aiplatform", "path": str(ROOT / "components")}]}
AUTOSCALED = ("aws", "network", "runner", "cluster", "kubernetes", "training", "autoscaler")
"""What `up` creates: the autoscaler on a pool, what they need, and a runner with a secret argument."""
DEPLOYER = "arn:aws:iam::111122223333:role/deployer-that-is-secret"


def run(*command: str | Path, folder: Path, check: bool = True, **variables: str) -> str:
    """Run a command; return what it printed."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    output = done.stdout + done.stderr
    assert bool(done.returncode) is not check, f"{command}: exit {done.returncode}\n{output}"
    return output


@pytest.fixture(scope="module")
def tools() -> Path:
    """The language host of YAML and the generator of the TypeScript SDK, built once into the user's cache."""
    go = find_go(read_versions())
    if go is None:
        pytest.skip("Go is not installed")
    digest = hashlib.sha256()
    for file in sorted(SOURCES.rglob("go.*")):
        digest.update(file.read_bytes())
    folder = build.cache_dir() / "languages" / digest.hexdigest()[:12]
    if not (folder / "pulumi-language-yaml").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        run(go, "build", "-o", folder / "sdkgen", ".", folder=SOURCES / "sdkgen")
        package = "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"
        run(go, "build", "-o", folder / "pulumi-language-yaml", package, folder=SOURCES / "yaml")
    return folder


@pytest.fixture(scope="module")
def twin(home: Path, tools: Path) -> Iterator[Twin]:
    # Pulumi YAML looks for the language host of the components on PATH only.
    engine = build.locate()["pulumi"].resolve().parent
    path = os.pathsep.join((str(tools), str(engine), os.environ["PATH"]))
    twin = Twin("languages", home, {"PATH": path}, checkpoints=False)
    twin.cli("twin", "start", "--name", "languages")
    yield twin
    twin.remove()


@pytest.fixture(scope="module")
def google_twin(home: Path, tools: Path) -> Iterator[Twin]:
    """A twin of Google Cloud, with the network of a stack whose program is in Python."""
    engine = build.locate()["pulumi"].resolve().parent
    path = os.pathsep.join((str(tools), str(engine), os.environ["PATH"]))
    twin = Twin("languages-gcp", home, {"PATH": path}, checkpoints=False)
    twin.cli("twin", "start", "--name", "languages-gcp", "--cloud", "gcp")
    folder = home / "foundation"
    shutil.copytree(SOURCES / "stack_references", folder)
    (folder / "foundation.py").rename(folder / "__main__.py")
    write_project(folder, PYTHON)
    pulumi(twin, folder, "stack", "init")
    pulumi(twin, folder, "up", "--yes", "--skip-preview", "--suppress-progress")
    yield twin
    twin.remove()


@pytest.fixture(scope="module")
def typescript(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with TypeScript, the packages of npm, the generated SDK and the programs."""
    if shutil.which("npm") is None:
        pytest.skip("Node.js is not installed")
    folder = tmp_path_factory.mktemp("typescript")
    shutil.copytree(SOURCES / "typescript", folder, dirs_exist_ok=True)
    run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=folder)
    run(tools / "sdkgen", SCHEMA, folder / "sdk", folder=folder)
    for program in (ROOT / "examples").glob("*/index.ts"):
        shutil.copy(program, folder / f"{program.parent.name}.ts")
    return folder


@pytest.fixture(scope="module")
def compiled(typescript: Path) -> Path:
    """The folder with the programs compiled, and the SDK as a module for them."""
    run(typescript / "node_modules" / ".bin" / "tsc", folder=typescript)
    sdk = typescript / "modules" / "@pulumi" / "aiplatform"
    shutil.copytree(typescript / "out" / "sdk", sdk)
    package = json.loads((typescript / "sdk" / "package.json").read_text())
    (sdk / "package.json").write_text(json.dumps({**package, "main": "index.js"}))
    return typescript


def preview_in_typescript(
    twin: Twin, compiled: Path, program: str, *, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Preview a compiled program. The last line that it prints is its summary as JSON."""
    script = str(compiled / "out" / f"{program}.js")
    node = ("node", str(compiled / "run.js"), script, str(ROOT / "components"))
    inside = ("twin", "run", "--name", twin.environment, "--", "env", f"NODE_PATH={compiled / 'modules'}")
    return twin.cli(*inside, *node, check=check)


def previewed_in_typescript(twin: Twin, compiled: Path, program: str) -> dict[str, int]:
    """Preview a compiled program; return how many resources would be created, read and so on."""
    return json.loads(preview_in_typescript(twin, compiled, program).stdout.splitlines()[-1])


def project(folder: Path, runtime: Any, resources: tuple[str, ...] = ()) -> Path:
    """A project with the program of PLATFORM. resources: of them alone; outputs are left out then."""
    document = YAML(typ="safe").load(PLATFORM / "Pulumi.yaml")
    document["name"] = folder.name
    document["runtime"] = runtime
    document["plugins"]["providers"][0]["path"] = str(ROOT / "components")
    if resources:
        document["resources"] = {name: document["resources"][name] for name in resources}
        del document["outputs"]
    if runtime != "yaml":
        shutil.copy(PLATFORM / "__main__.py", folder)
        del document["resources"], document["outputs"]
    with (folder / "Pulumi.yaml").open("w") as stream:
        YAML().dump(document, stream)
    return folder


def write_project(folder: Path, runtime: Any, **document: Any) -> Path:
    """Write the file of a project with the name of its folder; return the folder."""
    folder.mkdir(exist_ok=True)
    with (folder / "Pulumi.yaml").open("w") as stream:
        YAML().dump({"name": folder.name, "runtime": runtime, "plugins": COMPONENTS, **document}, stream)
    return folder


def pulumi(twin: Twin, folder: Path, *arguments: str) -> str:
    """Run a Pulumi command on the only stack of a project; return what it printed."""
    return twin.pulumi(*arguments, "--stack", "team", "--cwd", str(folder), "--non-interactive").stdout


def planned(twin: Twin, folder: Path) -> Counter[str]:
    """What a preview of a new stack would create: type -> how many."""
    pulumi(twin, folder, "stack", "init")
    plan = json.loads(pulumi(twin, folder, "preview", "--json"))
    assert {step["op"] for step in plan["steps"]} <= {"create", "read"}, "read: a stack reference"
    return Counter(step["newState"]["type"] for step in plan["steps"])


def test_all_components_are_previewed_alike_from_yaml_typescript_and_python(
    twin: Twin, compiled: Path, tmp_path: Path
) -> None:
    for name in ("in-yaml", "in-python"):
        (tmp_path / name).mkdir()
    from_yaml = planned(twin, project(tmp_path / "in-yaml", "yaml"))
    from_python = planned(twin, project(tmp_path / "in-python", PYTHON))
    components = {type_ for type_ in from_yaml if type_.startswith("aiplatform:")}
    others = {"ComputeClass", "GpuChecks", "LogBucket", "Queues"}
    every = {f"aiplatform:index:{component.__name__}" for component in _plugin.COMPONENTS}
    assert components == every - {f"aiplatform:index:{name}" for name in others}, (
        "ComputeClass and LogBucket are of Google Cloud, and programs of examples/ for it have these"
    )
    assert from_yaml == from_python
    summary = previewed_in_typescript(twin, compiled, "platform-aws")
    assert summary == {"create": sum(from_yaml.values())}


def test_typescript_refuses_a_misspelt_choice_and_an_output_of_another_type(typescript: Path) -> None:
    program = (typescript / "platform-aws.ts").read_text()
    cases = {
        "wrong-choice": ('nat: "single"', 'nat: "sinlge"', "Did you mean '\"single\"'?"),
        "wrong-output": (
            "nodeGroups: training.nodeGroups",
            "nodeGroups: training.name",
            "NodeGroupReferenceArgs",
        ),
        "wrong-key": ("zoneIds:", "zoneIdz:", "Did you mean to write 'zoneIds'?"),
    }
    try:
        for name, (right, replacement, _) in cases.items():
            assert right in program
            (typescript / f"{name}.ts").write_text(program.replace(right, replacement))
        # One run for all: it reads the types of the providers' SDKs each time.
        compiler = typescript / "node_modules" / ".bin" / "tsc"
        output = run(compiler, "--noEmit", "--pretty", "false", folder=typescript, check=False)
    finally:
        for name in cases:
            (typescript / f"{name}.ts").unlink(missing_ok=True)
    errors = re.split(r"^(?=\S+\.ts\()", output, flags=re.MULTILINE)
    assert {error.partition(".ts(")[0] for error in errors if error.strip()} == set(cases), "no other program"
    for name, (_, _, expected) in cases.items():
        assert any(error.startswith(f"{name}.ts(") and expected in error for error in errors), output


def test_components_take_lists_of_others_and_secrets_in_yaml(twin: Twin, tmp_path: Path) -> None:
    folder = project(tmp_path, "yaml", AUTOSCALED)
    document = YAML(typ="safe").load(folder / "Pulumi.yaml")
    document["resources"]["runner"]["properties"]["deployerRoleArn"] = {"fn::secret": DEPLOYER}
    with (folder / "Pulumi.yaml").open("w") as stream:
        YAML().dump(document, stream)
    pulumi(twin, folder, "stack", "init")
    pulumi(twin, folder, "up", "--yes", "--skip-preview", "--suppress-progress")
    groups = twin.aws("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    names = {group["AutoScalingGroupName"] for group in groups}
    exported = pulumi(twin, folder, "stack", "export")
    assert DEPLOYER not in exported, "a secret argument is encrypted in every resource that has it"
    decrypted = pulumi(twin, folder, "stack", "export", "--show-secrets")
    assert DEPLOYER in decrypted, "a policy of the runner's role has it"
    state = json.loads(exported)
    (config,) = [
        resource["outputs"]["data"]["priorities"]
        for resource in state["deployment"]["resources"]
        if resource["urn"].endswith("::autoscaler-priorities")
    ]
    training = {name for name in names if "-training-" in name}
    assert training
    assert all(name in config for name in training), "the expander knows the groups of the pool"
    # A destroy needs no program of any language: test_wheel.py destroys what components created.
    pulumi(twin, folder, "preview", "--expect-no-changes")


def test_a_cluster_takes_the_network_of_a_python_stack_in_yaml_typescript_and_python(
    google_twin: Twin, compiled: Path, tmp_path: Path
) -> None:
    sources = SOURCES / "stack_references"
    in_yaml = YAML(typ="safe").load(sources / "cluster.yaml")
    from_yaml = planned(google_twin, write_project(tmp_path / "in-yaml", "yaml", **in_yaml))
    assert from_yaml["gcp:container/cluster:Cluster"] == 1, "the output of the other stack states the cloud"
    assert not [type_ for type_ in from_yaml if type_.startswith("aws:")]
    in_python = write_project(tmp_path / "in-python", PYTHON)
    shutil.copy(sources / "cluster.py", in_python / "__main__.py")
    assert planned(google_twin, in_python) == from_yaml
    summary = previewed_in_typescript(google_twin, compiled, "cluster-in-network-of-another-stack")
    assert summary == {"create": from_yaml.total() - 1}, "all but the stack reference, which is read"


def test_a_whole_output_without_its_cloud_is_refused_in_python_before_anything_is_created(
    google_twin: Twin, tmp_path: Path
) -> None:
    folder = write_project(tmp_path / "without-cloud", PYTHON)
    program = (SOURCES / "stack_references" / "cluster.py").read_text()
    assert '"network": network' in program
    (folder / "__main__.py").write_text(program.replace('"network": network', '"network": exported'))
    pulumi(google_twin, folder, "stack", "init")
    done = google_twin.pulumi("preview", "--stack", "team", "--cwd", str(folder), check=False)
    assert done.returncode
    assert "ClusterArgs.network: got an output that is only known after a deployment" in done.stdout
    assert "aiplatform:index:Cluster" not in done.stdout


OWN_RESOURCES: dict[str, Any] = {
    "west": {
        "type": "pulumi:providers:aws",
        "properties": {"region": "us-west-2", "defaultTags": {"tags": {"team": "search"}}},
    },
    "vpc": {
        "type": "aws:ec2:Vpc",
        "properties": {"cidrBlock": "10.1.0.0/16"},
        "options": {"provider": "${west}"},
    },
    "subnet": {
        "type": "aws:ec2:Subnet",
        "properties": {
            "vpcId": "${vpc.id}",
            "cidrBlock": "10.1.1.0/24",
            "availabilityZone": "${zones.names[0]}",
        },
        "options": {"provider": "${west}"},
    },
    "token": {
        "type": "aws:ssm:Parameter",
        "properties": {"type": "SecureString", "value": "not-in-the-state"},
    },
}
ZONES = {
    "function": "aws:getAvailabilityZones",
    "arguments": {"state": "available"},
    "options": {"provider": "${west}"},
}
"""With OWN_RESOURCES: what YAML binds by the schema of the cloud's provider."""


def test_resources_and_functions_of_the_cloud_are_bound_by_the_providers_schema_in_yaml(
    twin: Twin, tmp_path: Path
) -> None:
    folder = write_project(
        tmp_path / "own",
        "yaml",
        resources=OWN_RESOURCES,
        variables={"zones": {"fn::invoke": ZONES}},
        outputs={"tags": "${subnet.tagsAll}", "zone": "${subnet.availabilityZone}"},
    )
    pulumi(twin, folder, "stack", "init")
    pulumi(twin, folder, "up", "--yes", "--skip-preview", "--suppress-progress")
    outputs = json.loads(pulumi(twin, folder, "stack", "output", "--json"))
    assert outputs["tags"] == {"team": "search"}, "nested configuration reaches the explicit provider"
    assert outputs["zone"].startswith("us-west-2")
    assert "not-in-the-state" not in pulumi(twin, folder, "stack", "export"), "the schema says what is secret"
    pulumi(twin, folder, "preview", "--expect-no-changes")
    pulumi(twin, folder, "destroy", "--yes", "--skip-preview", "--suppress-progress")


@pytest.mark.parametrize(
    ("kind", "properties", "expected"),
    [
        pytest.param(
            "aws:ec2:Vpc",
            {"cidrBlok": "10.1.0.0/16"},
            "Property cidrBlok does not exist on 'aws:ec2/vpc:Vpc'",
            id="unknown property",
        ),
        pytest.param(
            "aws:ec2:Subnet",
            {"cidrBlock": "10.1.1.0/24"},
            "Missing required property 'vpcId'",
            id="missing",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            "aws:ec2:Vcp", {}, "unable to find resource type", id="unknown type", marks=pytest.mark.nightly
        ),
    ],
)
def test_a_wrong_resource_of_the_cloud_is_an_error_in_yaml(
    twin: Twin, tmp_path: Path, kind: str, properties: dict[str, Any], expected: str
) -> None:
    resources = {"wrong": {"type": kind, "properties": properties}}
    # The folder is the project's name, and the backend has one stack of a name.
    folder = write_project(tmp_path / f"wrong-{kind.rpartition(':')[2].lower()}", "yaml", resources=resources)
    pulumi(twin, folder, "stack", "init")
    done = twin.pulumi("preview", "--stack", "team", "--cwd", str(folder), "--non-interactive", check=False)
    assert done.returncode, "the program is refused"
    assert expected in done.stdout


NETWORK = {"vpcId": "vpc-1", "cidr": "10.0.0.0/16", "privateSubnetIds": ["subnet-1", "subnet-2"]}


def wrong_cluster(folder: Path, **network: Any) -> Path:
    """A project with a cluster, and wrong values in its network."""
    properties = {"prefix": "team-dev", "version": "1.35", "network": {**NETWORK, **network}}
    aws = {"type": "pulumi:providers:aws", "properties": {"region": "us-west-2"}}
    cluster = {"type": "aiplatform:Cluster", "properties": properties}
    return write_project(folder, "yaml", resources={"aws": aws, "cluster": cluster})


def refused(twin: Twin, folder: Path) -> str:
    """Preview a program that is refused; return what was printed."""
    pulumi(twin, folder, "stack", "init")
    done = twin.pulumi("preview", "--stack", "team", "--cwd", str(folder), "--non-interactive", check=False)
    assert done.returncode, "the program is refused"
    assert "aws:eks" not in done.stdout, "nothing of the component is registered"
    return done.stdout


# YAML's binder refuses the first two, the component the others; tests/components/test_plugin.py has them all.
@pytest.mark.parametrize(
    ("network", "expected"),
    [
        pytest.param(
            {"vpcIdd": "vpc-1"},
            "Property vpcIdd does not exist",
            id="unknown key",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            {"privateSubnetIds": ["subnet-1", {"id": "subnet-2"}]},
            "Cannot assign '{id: string}' to 'string'",
            id="wrong type in a list",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            {"vpcId": None},
            "property network.vpcId has a problem: missing, expected a string",
            id="null",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            {"cloud": {"fn::secret": "aws"}},
            "property network.cloud with value <secret> has a problem: got a secret",
            id="secret",
        ),
        pytest.param(
            {"cloud": "${aws.id}"},
            "network.cloud has a problem: got an output that is only known after a deployment",
            id="output",
        ),
    ],
)
def test_a_wrong_value_in_an_object_is_an_error_with_its_path_in_yaml(
    twin: Twin, tmp_path: Path, network: dict[str, Any], expected: str
) -> None:
    assert expected in refused(twin, wrong_cluster(tmp_path, **network))
