"""The programs of examples/ in YAML, TypeScript and Python, on the twin."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.end_to_end.harness import ROOT, Twin
from twin.toolchain import build
from twin.toolchain.found import find_go
from twin.toolchain.versions import read_versions

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif("pulumi" not in build.locate(), reason="pulumi is not built: `aiplatform doctor`"),
]

SOURCES = Path(__file__).with_name("languages")
PLATFORM = ROOT / "examples" / "platform-aws"
SCHEMA = ROOT / "components" / "schema.json"
AUTOSCALED = ("aws", "network", "cluster", "kubernetes", "training", "autoscaler")
"""What `up` creates: the autoscaler on a pool, and what they need."""


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
    twin = Twin("languages", home, {"PATH": os.pathsep.join((str(tools), str(engine), os.environ["PATH"]))})
    twin.cli("twin", "start", "--name", "languages")
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


def pulumi(twin: Twin, folder: Path, *arguments: str) -> str:
    """Run a Pulumi command on the only stack of a project; return what it printed."""
    return twin.pulumi(*arguments, "--stack", "team", "--cwd", str(folder), "--non-interactive").stdout


def planned(twin: Twin, folder: Path) -> Counter[str]:
    """What a preview of a new stack would create: type -> how many."""
    pulumi(twin, folder, "stack", "init")
    plan = json.loads(pulumi(twin, folder, "preview", "--json"))
    assert {step["op"] for step in plan["steps"]} == {"create"}
    return Counter(step["newState"]["type"] for step in plan["steps"])


def test_all_components_are_previewed_alike_from_yaml_typescript_and_python(
    twin: Twin, typescript: Path, tmp_path: Path
) -> None:
    for name in ("in-yaml", "in-python"):
        (tmp_path / name).mkdir()
    from_yaml = planned(twin, project(tmp_path / "in-yaml", "yaml"))
    python = {"name": "python", "options": {"virtualenv": str(ROOT / ".venv")}}
    from_python = planned(twin, project(tmp_path / "in-python", python))
    components = {type_ for type_ in from_yaml if type_.startswith("aiplatform:")}
    assert len(components) == 13, "every component but the ComputeClass of GKE"
    assert from_yaml == from_python
    run(typescript / "node_modules" / ".bin" / "tsc", folder=typescript)
    sdk = typescript / "modules" / "@pulumi" / "aiplatform"
    shutil.copytree(typescript / "out" / "sdk", sdk)
    package = json.loads((typescript / "sdk" / "package.json").read_text())
    (sdk / "package.json").write_text(json.dumps({**package, "main": "index.js"}))
    program = str(typescript / "out" / "platform-aws.js")
    node = ("node", str(typescript / "run.js"), program, str(ROOT / "components"))
    inside = ("twin", "run", "--name", twin.environment, "--", "env", f"NODE_PATH={typescript / 'modules'}")
    done = twin.cli(*inside, *node)
    assert json.loads(done.stdout.splitlines()[-1]) == {"create": sum(from_yaml.values())}


def test_typescript_refuses_a_misspelt_choice_and_an_output_of_another_type(typescript: Path) -> None:
    program = (typescript / "platform-aws.ts").read_text()
    wrong = typescript / "wrong.ts"
    try:
        for right, replacement, expected in (
            ('nat: "single"', 'nat: "sinlge"', "Did you mean '\"single\"'?"),
            ("nodeGroups: training.nodeGroups", "nodeGroups: training.name", "NodeGroupReferenceArgs"),
            ("zoneIds:", "zoneIdz:", "Did you mean to write 'zoneIds'?"),
        ):
            assert right in program
            wrong.write_text(program.replace(right, replacement))
            output = run(
                typescript / "node_modules" / ".bin" / "tsc", "--noEmit", folder=typescript, check=False
            )
            assert expected in output
    finally:
        wrong.unlink(missing_ok=True)


def test_an_autoscaler_takes_the_node_groups_of_a_pool_in_yaml(twin: Twin, tmp_path: Path) -> None:
    folder = project(tmp_path, "yaml", AUTOSCALED)
    pulumi(twin, folder, "stack", "init")
    pulumi(twin, folder, "up", "--yes", "--skip-preview", "--suppress-progress")
    groups = twin.aws("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    names = {group["AutoScalingGroupName"] for group in groups}
    state = json.loads(pulumi(twin, folder, "stack", "export"))
    (config,) = [
        resource["outputs"]["data"]["priorities"]
        for resource in state["deployment"]["resources"]
        if resource["urn"].endswith("::autoscaler-priorities")
    ]
    training = {name for name in names if "-training-" in name}
    assert training
    assert all(name in config for name in training), "the expander knows the groups of the pool"
    pulumi(twin, folder, "preview", "--expect-no-changes")
    pulumi(twin, folder, "destroy", "--yes", "--skip-preview", "--suppress-progress")
    assert not {kind: ids for kind, ids in twin.inventory().items() if ids}
