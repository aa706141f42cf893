"""Charts from Go modules, with a `go` of the test's own."""

from __future__ import annotations

import json
import stat
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from twin.toolchain import charts
from twin.toolchain.cache import Cache
from twin.toolchain.charts import ChartSource, ensure_charts, sources
from twin.toolchain.errors import ToolchainError


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A module as Go's cache has it: read-only."""
    root = tmp_path / "module"
    chart = root / "charts" / "tool"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: tool\nversion: v0.0.0\nappVersion: v0.0.0\n")
    (chart / "templates" / "a.yaml").write_text("kind: ConfigMap\n")
    (root / "crds").mkdir()
    (root / "crds" / "b.yaml").write_text('kind: B\ntext: "{{ no template }} é"\n')
    (root / "crds" / "a.yaml").write_text("kind: A\n")
    (root / "crds" / "kustomization.yaml").write_text("kind: Kustomization\n")
    for path in (root, *root.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return root


@pytest.fixture
def cache(tmp_path: Path, module: Path, monkeypatch: pytest.MonkeyPatch) -> Cache:
    go = tmp_path / "go"
    answer = json.dumps({"Dir": str(module), "Sum": "h1:right="})
    go.write_text(
        textwrap.dedent(f"""\
        #!/bin/sh
        echo "$@" >> {tmp_path}/asked
        case "$4" in *absent*) echo '{{"Error": "no such version"}}'; exit 1;; esac
        echo '{answer}'
        """)
    )
    go.chmod(0o755)
    monkeypatch.setattr(charts, "find_go", lambda _: go)
    return Cache(tmp_path / "cache")


def use(monkeypatch: pytest.MonkeyPatch, *entries: ChartSource) -> None:
    monkeypatch.setattr(charts, "sources", lambda: {entry.name: entry for entry in entries})


def source(name: str, **fields: Any) -> ChartSource:
    entry: dict[str, Any] = {
        "module": "example.com/tool",
        "version": "v1.0.0",
        "sum": "h1:right=",
        "chart_version": "1.0.0",
        "app_version": "v1.0.0",
    }
    return ChartSource(name=name, **{**entry, **fields})


def test_a_chart_is_copied_with_the_versions_of_its_release(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, source("tool", chart="charts/tool"))
    chart = ensure_charts(cache) / "tool-1.0.0"
    assert yaml.safe_load((chart / "Chart.yaml").read_text()) == {
        "apiVersion": "v2",
        "name": "tool",
        "version": "1.0.0",
        "appVersion": "v1.0.0",
    }
    assert (chart / "templates" / "a.yaml").read_text() == "kind: ConfigMap\n"
    mode = (chart / "templates").stat().st_mode
    assert mode & stat.S_IWUSR, "a read-only folder cannot be removed"


def test_definitions_become_a_chart_whose_text_is_no_template(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, source("kinds", definitions="crds"))
    chart = ensure_charts(cache) / "kinds-1.0.0"
    assert yaml.safe_load((chart / "Chart.yaml").read_text())["name"] == "kinds"
    assert sorted(path.name for path in (chart / "templates").iterdir()) == ["a.yaml", "b.yaml"]
    quoted = (chart / "templates" / "b.yaml").read_text()
    assert quoted == '{{ "kind: B\\ntext: \\"{{ no template }} é\\"\\n" }}\n'


def test_a_chart_has_definitions_next_to_its_templates_and_no_subcharts(
    cache: Cache, monkeypatch: pytest.MonkeyPatch, module: Path
) -> None:
    file = module / "charts" / "tool" / "Chart.yaml"
    file.chmod(0o644)
    file.write_text(
        "apiVersion: v2\nname: tool\nversion: v0\ndependencies:\n  - name: other\n    version: v1\n"
    )
    (module / "charts" / "tool").chmod(0o755)
    (module / "charts" / "tool" / "Chart.lock").write_text("dependencies: []\n")
    use(monkeypatch, source("tool", chart="charts/tool", definitions="crds"))
    chart = ensure_charts(cache) / "tool-1.0.0"
    assert sorted(path.name for path in (chart / "templates").iterdir()) == ["a.yaml", "b.yaml"]
    assert "dependencies" not in yaml.safe_load((chart / "Chart.yaml").read_text()), "Helm would fetch it"
    assert not (chart / "Chart.lock").exists()


def test_a_kind_that_the_module_lacks_accepts_every_object(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, source("tool", chart="charts/tool", kinds=["things.example.com Thing Cluster v1beta1"]))
    file = ensure_charts(cache) / "tool-1.0.0" / "templates" / "things.example.com.yaml"
    definition = yaml.safe_load(file.read_text())
    assert definition["metadata"]["name"] == "things.example.com"
    assert definition["spec"]["group"] == "example.com"
    assert definition["spec"]["names"]["plural"] == "things"
    assert definition["spec"]["scope"] == "Cluster"
    (version,) = definition["spec"]["versions"]
    assert version["name"] == "v1beta1"
    assert version["schema"]["openAPIV3Schema"]["x-kubernetes-preserve-unknown-fields"] is True


def _with_definition(module: Path) -> None:
    folder = module / "crds"
    folder.chmod(0o755)
    schema = {"properties": {"spec": {"properties": {"old": {"type": "string"}}}}}
    definition = {"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]}}
    (folder / "example.com_things.yaml").write_text(yaml.safe_dump(definition))


def test_a_definition_has_the_fields_that_its_module_lacks(
    cache: Cache, monkeypatch: pytest.MonkeyPatch, module: Path
) -> None:
    _with_definition(module)
    use(monkeypatch, source("kinds", definitions="crds", fields=["things.example.com v1 spec.new string"]))
    text = (ensure_charts(cache) / "kinds-1.0.0" / "templates" / "example.com_things.yaml").read_text()
    definition = yaml.safe_load(json.loads(text.strip()[3:-3]))
    [version] = definition["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert spec["properties"] == {"old": {"type": "string"}, "new": {"type": "string"}}


def test_a_field_that_the_module_has_is_refused(
    cache: Cache, monkeypatch: pytest.MonkeyPatch, module: Path
) -> None:
    _with_definition(module)
    use(monkeypatch, source("kinds", definitions="crds", fields=["things.example.com v1 spec.old string"]))
    with pytest.raises(ToolchainError, match=r"things.example.com has the field spec.old"):
        ensure_charts(cache)


def test_a_chart_without_a_module_is_the_twins_stand_in(
    cache: Cache, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(monkeypatch, ChartSource("aws-load-balancer-controller", "3.5.0", "v3.5.0", chart="."))
    chart = ensure_charts(cache) / "aws-load-balancer-controller-3.5.0"
    assert (chart / "templates" / "controller.yaml").is_file()
    assert yaml.safe_load((chart / "Chart.yaml").read_text())["version"] == "3.5.0"
    assert not (tmp_path / "asked").exists(), "no module is fetched"


def test_a_manifest_is_one_file_in_the_order_of_names(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, source("kinds", manifest="crds"))
    documents = list(yaml.safe_load_all((ensure_charts(cache) / "kinds-1.0.0.yaml").read_text()))
    assert [document["kind"] for document in documents] == ["A", "B"]


def test_charts_are_fetched_once(cache: Cache, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, source("tool", chart="charts/tool"))
    assert ensure_charts(cache) == ensure_charts(cache)
    assert (tmp_path / "asked").read_text() == "mod download -json example.com/tool@v1.0.0\n"


def test_a_module_with_another_content_is_refused_and_leaves_nothing(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, source("tool", chart="charts/tool", sum="h1:other="))
    with pytest.raises(ToolchainError, match="has the sum h1:right=, expected h1:other="):
        ensure_charts(cache)
    assert not charts.folder(cache).exists()


def test_a_module_that_cannot_be_fetched_is_an_error_with_the_reason(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, source("tool", chart="charts/tool", module="example.com/absent"))
    with pytest.raises(
        ToolchainError, match=r"Fetching the Go module example.com/absent@v1.0.0 failed"
    ) as error:
        ensure_charts(cache)
    assert "no such version" in str(error.value)


@pytest.mark.parametrize("name", sorted(sources()))
def test_an_entry_has_one_form(name: str) -> None:
    entry = sources()[name]
    assert sum(bool(form) for form in (entry.chart or entry.definitions, entry.manifest)) == 1
    if entry.module:
        assert entry.sum.startswith("h1:")
    else:
        assert (charts.STAND_INS / name / "Chart.yaml").is_file(), "no module and no stand-in"
