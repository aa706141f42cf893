"""The twin's charts and controllers are those of the platform's catalog of add-ons. The twin itself does not
know it."""

from __future__ import annotations

import pytest

from aiplatform.addons.catalog import catalog
from tests.components.aiplatform.addons import chart_facts
from twin.kubernetes.controllers.programs import PROGRAMS
from twin.kubernetes.pods import repository
from twin.toolchain.build import CONTROLLERS, controller_version, program_of
from twin.toolchain.charts import STAND_INS, sources
from twin.toolchain.versions import read_versions


@pytest.mark.parametrize("name", sorted(sources()))
def test_the_twin_has_the_chart_that_the_catalog_names(name: str) -> None:
    chart, addon = sources()[name], catalog()[name]
    assert chart.file_name == addon.file_name, "or the program would not find it in the folder"
    assert chart.app_version == addon.app_version


def test_the_twin_has_a_chart_of_every_addon() -> None:
    assert set(sources()) == set(catalog())


@pytest.mark.parametrize("name", [name for name, chart in sources().items() if chart.kinds])
def test_kinds_that_a_module_lacks_are_as_the_published_chart_defines_them(name: str) -> None:
    published = {
        definition["metadata"]["name"]: definition["spec"]
        for definition in chart_facts.definitions(chart_facts.folder(name, catalog()[name].file_name))
    }
    for text in sources()[name].kinds:
        definition, kind, scope, version = text.split()
        spec = published[definition]
        assert (spec["names"]["kind"], spec["scope"]) == (kind, scope)
        assert version in {entry["name"] for entry in spec["versions"] if entry["storage"]}


def test_the_stand_in_of_a_chart_has_the_kinds_and_names_that_others_refer_to() -> None:
    addon = catalog()["aws-load-balancer-controller"]
    templates = (STAND_INS / addon.name / "templates").glob("*.yaml")
    parts = [file.read_text() for file in templates]
    # One loop of the templates makes both configurations of webhooks.
    kinds = ("Mutating", "Validating")
    text = "\n".join(part.replace("{{ $kind }}", kind) for kind in kinds for part in parts)
    called = {"Service", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "Deployment"}
    for entry in chart_facts.objects(chart_facts.folder(addon.name, addon.file_name)):
        if entry.kind in called:
            name = "{{ .Release.Name }}" if entry.name.startswith("x-") else entry.name
            assert f"kind: {entry.kind}\nmetadata:\n  name: {name}\n" in text


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_the_twin_builds_the_controller_that_the_catalog_names(name: str) -> None:
    """The repository of its image, by which the twin knows it, and its version."""
    end = f"/{PROGRAMS[name].image}"
    tags = {
        image.tag.removeprefix("v")
        for addon in catalog().values()
        for image in addon.all_images()
        if repository(image.reference).endswith(end)
    }
    instead = PROGRAMS[name].instead
    assert {instead.get(tag, tag) for tag in tags} == {controller_version(name, read_versions())}
    assert set(instead) <= tags, "a version that the catalog no longer names"


@pytest.mark.parametrize("name", sorted(name for name in CONTROLLERS if program_of(name) != name))
def test_a_previous_controller_is_one_minor_version_older_than_the_catalogs(name: str) -> None:
    _, minor, _ = controller_version(name, read_versions()).split(".")
    _, of_catalog, _ = catalog()[program_of(name)].version.split(".")
    assert int(minor) == int(of_catalog) - 1, "upgrades are by one minor version at a time"
