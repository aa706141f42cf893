"""Generated files are up to date."""

from __future__ import annotations

import difflib
import json
from pathlib import Path

import pytest

from stacks.profiles import PROFILES
from stacks.settings import Settings
from tests import generate
from tests.generating import components, examples
from tests.generating.tables import table

RENEW = "renew it with: make generate (python -m tests.generate)"


@pytest.mark.parametrize("path", generate.paths(), ids=str)
def test_generated_file_is_up_to_date(path: Path) -> None:
    file = generate.ROOT / path
    assert file.is_file(), f"{path} is missing; {RENEW}"
    there, wanted = file.read_text(), generate.files()[path]
    change = "\n".join(difflib.unified_diff(there.splitlines(), wanted.splitlines(), "there", "wanted", n=1))
    assert there == wanted, f"{path} is stale; {RENEW}\n{change}"


def test_every_generated_file_is_compared() -> None:
    assert generate.paths() == sorted(generate.files())


def test_no_page_is_left_of_a_deleted_component() -> None:
    assert not generate.leftovers(), RENEW


def test_every_component_and_key_of_the_schema_has_a_description() -> None:
    schema = json.loads(generate.files()[Path("components/schema.json")])
    silent = [
        f"{owner}.{key}"
        for owner, definition in {**schema["resources"], **schema["types"]}.items()
        for part in ("inputProperties", "properties")
        for key, prop in definition.get(part, {}).items()
        if not prop.get("description")
    ]
    assert not silent, "programs in other languages have only the schema to read"
    assert all(
        definition.get("description") for definition in {**schema["resources"], **schema["types"]}.values()
    )


def test_table_of_keys_contains_every_value_of_a_profile() -> None:
    page = generate.files()[Path("docs/environment.md")]
    for topics in (by_topic for profiles in PROFILES.values() for by_topic in profiles.values()):
        for topic, values in topics.items():
            assert f"## ai-platform:{topic}" in page
            for key in values:
                assert f"| `{key}" in page, f"{topic}.{key}"
    assert set(Settings.model_fields) == {
        line.removeprefix("## ai-platform:") for line in page.splitlines() if line.startswith("## ")
    }


def test_a_cell_with_a_bar_does_not_break_its_row() -> None:
    assert table(["a"], [["x | y"]]).splitlines()[-1] == "| x \\| y |"


def test_default_in_a_docstring_is_the_actual_default() -> None:
    defaults = list(components.documented_defaults())
    assert len(defaults) > 10, "the docstrings are still parsed"
    assert not [default for default in defaults if default[1] != default[2]], (
        "programs in other languages read the docstring"
    )


@pytest.mark.parametrize("component", components.COMPONENTS, ids=lambda component: component.__name__)
def test_defaults_of_every_nested_type_of_arguments_are_known(component: type) -> None:
    nested = list(components.nested_arguments(component))
    unknown = [type_.name for type_ in nested if components.checked_model(type_) is None]
    assert not unknown, "their defaults would be missing on the page"


def test_page_shows_the_defaults_of_a_type_in_a_block_of_one_cloud() -> None:
    page = generate.files()[Path("docs/components/cluster.md")]
    section = page.partition("### MaintenanceWindowArgs")[2].partition("###")[0]
    assert "| `hours` | integer | `6` |" in section


def test_examples_in_typescript_import_the_package_that_the_schema_names() -> None:
    package = json.loads(components.schema())["language"]["nodejs"]["packageName"]
    for path, program in examples.files(components.inputs).items():
        assert path.suffix != ".ts" or f'import * as aiplatform from "{package}";' in program


def test_every_component_has_an_example_with_the_inputs_of_the_schema() -> None:
    schema = json.loads(components.schema())
    resources = [resource for program in examples.programs() for resource in program.resources.values()]
    declared = {
        resource["type"].replace(":", ":index:"): resource
        for resource in resources
        if ":providers:" not in resource["type"]
    }
    assert declared.keys() == schema["resources"].keys()
    for token, resource in declared.items():
        known = schema["resources"][token]
        assert set(resource["properties"]) <= set(known["inputProperties"])
        assert set(known["requiredInputs"]) <= set(resource["properties"])
