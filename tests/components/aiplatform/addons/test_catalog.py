"""The catalog against the published charts."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest

from aiplatform._shared.args import Problem
from aiplatform._shared.images import images
from aiplatform.addons.catalog import CLOUDS, Addon, catalog, in_order, owner_problems, selected
from tests.components.aiplatform.addons import chart_facts

ADDONS = sorted(catalog())
OF_OTHERS = {
    "envoy-gateway": ("envoy",),
    "gpu-operator": ("k8s-device-plugin", "node-feature-discovery"),
    "kserve": ("kube-rbac-proxy",),
    "kube-prometheus-stack": ("alertmanager", "grafana", "kube-state-metrics", "node-exporter", "prometheus"),
}
"""Add-on -> images that it runs of projects with other versions."""
NOT_RUN = {
    "kube-prometheus-stack": {"k8s-sidecar"},
    "kubeflow-trainer": {"jobset"},
    "opencost": {"opencost-ui"},
}
"""Add-on -> images that its chart runs by default, and not with the platform's values."""
SWITCHED_OFF = {"kubeflow-trainer": "jobset"}
"""Add-on -> the first part of the names of what a contained chart makes, which the platform's values leave
out."""
EXPERIMENTAL = ".gateway.networking.x-k8s.io"
"""The end of the names of kinds that only the experimental channel of the Gateway API has."""
CHARTS = [name for name in ADDONS if not catalog()[name].is_manifest]


@pytest.mark.parametrize("name", ADDONS)
def test_an_entry_says_where_it_is_from_and_where_it_goes(name: str) -> None:
    addon = catalog()[name]
    assert addon.purpose[0].islower(), "a few words for a table"
    assert not addon.purpose.endswith(".")
    assert addon.chart.startswith(("oci://", "https://"))
    assert set(addon.clouds) <= set(CLOUDS)
    assert set(addon.images) <= set(images()), "images.toml is the only place that names an image"
    assert bool(addon.digest) == bool(addon.digest_source), "a digest is worth what its source is worth"
    assert set(addon.requires) <= set(catalog())
    if addon.images:
        assert addon.namespace, "what runs is in a namespace"


@pytest.mark.parametrize("name", CHARTS)
def test_the_version_is_that_of_the_chart(name: str) -> None:
    addon = catalog()[name]
    facts = chart_facts.chart(chart_facts.folder(name, addon.file_name))
    assert facts.get("appVersion", addon.app_version) == addon.app_version
    if name not in chart_facts.FOLDERS:
        assert facts["version"] == addon.version


@pytest.mark.parametrize("name", ADDONS)
def test_the_definitions_are_those_that_the_chart_brings(name: str) -> None:
    addon = catalog()[name]
    brought = chart_facts.crds(chart_facts.folder(name, addon.file_name))
    by_others = {crd for required in addon.requires for crd in catalog()[required].crds}
    brought = {name for name in brought if not name.endswith(EXPERIMENTAL)}
    if addon.skips_definitions:
        assert addon.crds == ()
        assert brought, "the chart has no definitions to skip"
        assert brought <= by_others or not brought & by_others, "another add-on brings some of them"
    else:
        # Those of contained charts that are switched off belong to an add-on that it requires.
        assert set(addon.crds) == brought - by_others


@pytest.mark.parametrize("name", [name for name in CHARTS if catalog()[name].images])
def test_the_images_are_those_of_the_chart(name: str) -> None:
    addon = catalog()[name]
    catalogued = {(image.repository.rpartition("/")[2], image.tag) for image in addon.all_images()}
    path = chart_facts.folder(name, addon.file_name)
    # A chart in the repository of its sources names a staging registry: only its image's name counts.
    named = {
        image.rpartition("/")[2].partition(":")[0]
        for entry in chart_facts.objects(path)
        if not entry.hook
        for image in entry.images
    }
    named -= NOT_RUN.get(name, set())
    assert named <= {image for image, _ in catalogued}, "the catalog lacks an image that the chart runs"
    # Some charts write the version of what they install without the `v` of its image, or as a part of it.
    version = addon.app_version.removeprefix("v")
    for image, tag in catalogued:
        if image not in OF_OTHERS.get(name, ()):
            assert version in (tag.removeprefix("v"), *tag.split("-")), image


def test_each_cluster_wide_object_has_one_owner() -> None:
    owners: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    kinds = {
        "CustomResourceDefinition",
        "ClusterRole",
        "ClusterRoleBinding",
        "MutatingWebhookConfiguration",
        "ValidatingWebhookConfiguration",
        "APIService",
    }
    for name in CHARTS:
        if name in chart_facts.FOLDERS:
            continue  # facts of a larger chart
        addon = catalog()[name]
        for entry in chart_facts.objects(chart_facts.folder(name, addon.file_name)):
            skipped = addon.skips_definitions and entry.kind == "CustomResourceDefinition"
            skipped = skipped or entry.name.startswith(SWITCHED_OFF.get(name, " "))
            if entry.kind in kinds and not skipped:
                # A release has the add-on's name, which charts do not repeat.
                owners[entry.kind, entry.name.removeprefix("x-")].append(name)
    assert not {key: names for key, names in owners.items() if len(names) > 1}


def test_no_definition_of_the_catalog_has_two_owners() -> None:
    assert owner_problems(list(catalog().values()), "addons") == []


def test_two_owners_of_a_definition_are_a_problem_that_names_both() -> None:
    jobset = catalog()["jobset"]
    trainer = Addon("trainer", "", "oci://registry.example/trainer", "1", "1", "trainer", crds=jobset.crds)
    assert owner_problems([jobset, trainer], "AddonsArgs.enabled") == [
        Problem(
            "AddonsArgs.enabled",
            "jobset and trainer both bring jobsets.jobset.x-k8s.io; expected one of them, since whichever is "
            "removed takes the objects of the other with it",
        )
    ]


def test_the_kinds_of_gateways_are_installed_by_default_where_the_cloud_has_none() -> None:
    assert "gateway-api" in selected("aws", {}, has_zones=False)
    assert "gateway-api" not in selected("gcp", {}, has_zones=False)
    assert "gateway-api" in selected("gcp", {"gateway-api": True}, has_zones=False)


def test_an_addon_comes_after_what_it_requires(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {
        name: Addon(name, "", "oci://r.example/c", "1", "1", "n", requires=tuple(requires))
        for name, requires in {"a": ["c"], "b": [], "c": ["d"], "d": []}.items()
    }
    monkeypatch.setattr("aiplatform.addons.catalog.catalog", lambda: entries)
    assert [addon.name for addon in in_order(["b", "a"])] == ["d", "c", "a", "b"]


def test_an_addon_comes_after_others_that_it_does_not_require(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {
        name: Addon(name, "", "oci://r.example/c", "1", "1", "n", after=tuple(after))
        for name, after in {"a": ["b"], "b": []}.items()
    }
    monkeypatch.setattr("aiplatform.addons.catalog.catalog", lambda: entries)
    assert [addon.name for addon in in_order(["a", "b"])] == ["b", "a"]
    assert [addon.name for addon in in_order(["a"])] == ["a"], "it does not need the other one"


def test_a_folder_of_charts_has_each_by_name_and_version() -> None:
    assert catalog()["kueue"].file_name == "kueue-0.19.2"
    assert catalog()["gateway-api"].file_name == "gateway-api-v1.6.1.yaml"


def test_range_of_kubernetes_versions_has_its_source_and_the_versions_of_the_environments() -> None:
    stated = {name: addon for name, addon in catalog().items() if addon.kubernetes}
    assert stated
    for name, addon in catalog().items():
        assert bool(addon.kubernetes) == bool(addon.kubernetes_source), name
    for name, addon in stated.items():
        match = re.fullmatch(r"1\.(\d+)-(?:1\.(\d+))?", addon.kubernetes)
        assert match, name
        # The committed environments have Kubernetes 1.35.
        assert int(match[1]) <= 35 <= int(match[2] or 99), name
