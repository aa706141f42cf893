"""The table of images, and the stages that leave their Pods alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from aiplatform._shared.images import images as component_images
from twin.instances import Instance, InstanceError
from twin.kubernetes import kwok
from twin.kubernetes.controllers import selection
from twin.kubernetes.processes import images, variables
from twin.kubernetes.processes.images import Image, Images
from twin.tests.kubernetes.builders import pod
from twin.toolchain.build_specs import controller_version
from twin.toolchain.versions import read_versions

TABLE = Images([Image("ai-platform/trainer", Path()), Image("python.org/tools", Path())])
REFERENCES = {
    "123456789012.dkr.ecr.us-west-2.amazonaws.com/ai-platform/trainer:v1@sha256:00": True,
    "localhost:5000/ai-platform/trainer": True,
    "ai-platform/trainer:latest": True,
    "registry.example/x/python.org/tools": True,
    "registry.example/pythonxorg/tools": False,
    "registry.example/my-ai-platform/trainer": False,
    "ai-platform/trainer/extra": False,
    "ai-platform/trainer-gpu:1": False,
}


@pytest.mark.parametrize(("reference", "expected"), REFERENCES.items())
def test_an_image_is_known_by_the_end_of_its_repository(reference: str, expected: bool) -> None:
    assert (TABLE.of(reference) is not None) == expected
    [pattern] = re.findall(r'test\("(.*)"\)', TABLE.selector)
    assert bool(re.search(pattern, reference)) == expected, "kwok's stages select the same Pods"


BUILDS = Images([Image(f"team/training@sha256:{digit * 64}", Path(digit)) for digit in "ab"])


@pytest.mark.parametrize("tag", ["", ":1f0c83d"])
@pytest.mark.parametrize(("digit", "known"), [("a", True), ("b", True), ("c", False)])
def test_images_of_one_repository_are_distinguished_by_their_digests(
    tag: str, digit: str, known: bool
) -> None:
    reference = f"registry.example/team/training{tag}@sha256:{digit * 64}"
    image = BUILDS.of(reference)
    assert (None if image is None else image.folder) == (Path(digit) if known else None)
    [pattern] = re.findall(r'test\("(.*)"\)', BUILDS.selector)
    assert bool(re.search(pattern, reference)) == known, "kwok's stages select the same Pods"
    assert BUILDS.of(f"registry.example/team/training{tag}") is None, "any build could be meant"


def test_an_entry_with_a_digest_is_taken_before_one_of_the_repository() -> None:
    every = Images([Image("training", Path("every")), Image(f"team/training@sha256:{'a' * 64}", Path("one"))])
    for digit, folder in (("a", "one"), ("b", "every")):
        image = every.of(f"registry.example/team/training@sha256:{digit * 64}")
        assert image is not None
        assert image.folder == Path(folder)


def test_only_main_containers_decide_whether_a_pod_runs_here() -> None:
    ours = pod(image="ai-platform/trainer:1")
    assert TABLE.runs(ours)
    injected = pod(initContainers=ours["spec"]["containers"])
    assert not TABLE.runs(injected), "kwok simulates the server, so its init container need not run"


def test_an_empty_table_changes_no_stage(tmp_path: Path) -> None:
    assert kwok.stages(tmp_path, Images([]).selector) == kwok.STAGES
    assert not list(tmp_path.iterdir())


def test_stages_of_pods_exclude_the_images_of_the_table(tmp_path: Path) -> None:
    file = kwok.stages(tmp_path, TABLE.selector)
    stages = [
        document for document in YAML(typ="safe").load_all(file.read_text()) if document["kind"] == "Stage"
    ]
    for stage in stages:
        keys = [rule["key"] for rule in stage["spec"]["selector"]["matchExpressions"]]
        of_pod = stage["spec"]["resourceRef"]["kind"] == "Pod"
        assert (TABLE.selector in keys) == of_pod, stage["metadata"]["name"]
    other = kwok.stages(tmp_path, Images([Image("another", Path())]).selector)
    assert other != file, "kwok is restarted when its flags change: another table has another file"


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    instance = Instance("test")
    instance.folder.mkdir(parents=True)
    return instance


def test_a_table_in_the_twins_folder_adds_images(instance: Instance) -> None:
    (instance.folder / "images.toml").write_text('["team/tool"]\nfolder = "tests"\nentrypoint = ["python"]\n')
    image = images.load(instance).of("registry.example/team/tool:1")
    assert image is not None
    assert image.folder == images.ROOT / "tests"
    assert image.entrypoint == ("python",)


def test_the_table_of_the_repository_is_valid(instance: Instance) -> None:
    images.load(instance)


WRONG = {
    '["a:1"]\nfolder = "tests"': "'a:1'; expected the end of an image's repository",
    '["a@sha256:1"]\nfolder = "tests"': "`@sha256:` and 64 hexadecimal digits",
    '["a"]\nfolder = "none"': "a.folder: 'none'; expected a folder",
    '["a"]': "a.folder: None; expected a folder",
    '["a"]\nfolder = "tests"\nenvironment = "tests"': "a.environment: 'tests'; expected a folder with",
    '["a"]\nfolder = "tests"\nentry = []': "a: unknown key 'entry'; expected folder",
    '["a"]\nfolder = "tests"\nentrypoint = "run"': "a.entrypoint: 'run'; expected a list of strings",
    '["a"]\nfolder = "tests"\npath = "app"': "a.path: 'app'; expected an absolute path",
    'a = "tests"': "a: 'tests'; expected a table",
    "[": "expected TOML",
}


@pytest.mark.parametrize(("text", "message"), WRONG.items())
def test_a_wrong_table_is_refused_with_file_and_key(instance: Instance, text: str, message: str) -> None:
    file = instance.folder / "images.toml"
    file.write_text(text)
    with pytest.raises(InstanceError) as caught:
        images.load(instance)
    assert str(file) in str(caught.value)
    assert message in str(caught.value)


def test_programs_of_monitoring_run_where_they_are_selected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    instance = Instance("one")
    table = images.load(instance)
    prometheus = pod(image="quay.io/prometheus/prometheus:v3.14.0-distroless")
    reference = prometheus["spec"]["containers"][0]["image"]
    assert not table, "nothing is selected"
    assert table.of(reference) is None
    assert table.runs(prometheus), "a Pod that exists is not left to kwok when the selection changes"
    [pattern] = re.findall(r'test\("(.*)"\)', table.selector)
    assert re.search(pattern, reference)
    binary = tmp_path / "tools" / "prometheus"
    selection.write(instance, [selection.Build("prometheus", "3.14.0", str(binary))])
    assert table
    image = table.of(reference)
    assert image is not None
    assert (image.folder, image.path, image.entrypoint) == (binary.parent, "/bin", ("/bin/prometheus",))
    container = {"args": ["--config.file=/etc/prometheus.yaml"]}
    words = ["/bin/prometheus", "--config.file=/etc/prometheus.yaml", "--web.listen-address=0.0.0.0:9090"]
    assert variables.command(container, image, {}) == words
    assert table.of("quay.io/prometheus/alertmanager:v0.34.0") is None, "another program"
    faster = images.load(instance, 240).of(reference)
    assert faster is not None
    assert faster.options == (*image.options, "--rules.alert.resend-delay=5000ms"), "not below five seconds"
    slower = images.load(instance, 2).of(reference)
    assert slower is not None
    assert slower.options[-1] == "--rules.alert.resend-delay=30000ms"


def test_programs_of_monitoring_have_the_version_that_the_chart_deploys() -> None:
    built = {"prometheus": "prometheus", "alertmanager": "alertmanager"}
    operator = ("prometheus-operator", "prometheus-config-reloader", "kube-state-metrics")
    for name in (*built, *operator):
        version = controller_version(name, read_versions())
        assert component_images()[name].tag.removeprefix("v").partition("-")[0] == version, name


def test_a_step_of_an_image_that_is_not_here_ends_by_its_executor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path))
    instance = Instance("one")
    words = ["/var/run/argo/argoexec", "emissary", "--loglevel", "info", "--", "python", "-m", "train"]
    step = {"name": "main", "image": "registry.example/train:1", "command": words, "args": ["--rows=1"]}
    table = images.load(instance)
    assert table.step(step) is None, "it is not selected"
    binary = tmp_path / "tools" / "argoexec"
    selection.write(instance, [selection.Build("argoexec", "4.0.5", str(binary))])
    replaced = table.step(step)
    assert replaced is not None
    container, image = replaced
    assert container["command"] == [*words[:5], "true"], "its end is reported, for which the next one waits"
    assert container["args"] == []
    assert image.search == (str(binary.parent),), "the executor looks for itself on PATH"
    assert table.step({**step, "command": ["python"]}) is None, "no step of a workflow"
