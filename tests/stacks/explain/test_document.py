"""Every key of the schema is explained, by the sources of the schema and of the documentation."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

import pytest
from pydantic import BaseModel

from aiplatform._shared.cloud_support import CLOUDS
from stacks.explain import checked, defaults, effects, keys, types, values
from stacks.explain.__main__ import document, main
from stacks.explain.keys import UnknownKeyError
from stacks.loading import ENVIRONMENTS, load_file, read_merged
from stacks.profiles import PROFILES
from stacks.schema import schema
from stacks.settings import TOPICS
from stacks.settings.generated import ComponentTopic

KEYS: Final = list(keys.every().values())
FILES: Final = [f"{cloud}-{profile}" for cloud, profiles in PROFILES.items() for profile in profiles]


def of_schema() -> set[str]:
    """Return all keys of the schema."""
    document: dict[str, Any] = schema()
    topics = document["properties"]["config"]["properties"]
    return {key for topic in TOPICS for key in _below(topics[f"ai-platform:{topic}"], topic, document)}


def _below(node: dict[str, Any], path: str, document: dict[str, Any]) -> Iterator[str]:
    if "$ref" in node:
        node = document["$defs"][node["$ref"].rpartition("/")[2]]
    for option in node.get("anyOf", ()):
        yield from _below(option, path, document)
    named = node.get("patternProperties", {}).values()
    for entry in (node.get("items"), node.get("additionalProperties"), *named):
        if isinstance(entry, dict):
            yield from _below(entry, f"{path}.*", document)
    for name, below in node.get("properties", {}).items():
        yield f"{path}.{name}"
        yield from _below(below, f"{path}.{name}", document)


def test_every_key_of_the_schema_is_known() -> None:
    assert {key.dotted for key in KEYS} == {*of_schema(), *TOPICS}


def test_every_key_has_a_meaning_and_a_type() -> None:
    assert not [key.dotted for key in KEYS if not key.meaning]
    assert not [key.dotted for key in KEYS if types.words(key.field.annotation) in ("", "any")]


def test_every_key_is_explained_by_the_path_that_is_printed() -> None:
    assert all(keys.resolve(key.dotted)[0] is key for key in KEYS)


def test_every_argument_of_a_component_has_an_effect_on_both_clouds_and_a_page() -> None:
    for key in KEYS:
        if len(key.path) > 1 and checked.component(key) is not None:
            assert set(effects.effects(key)) == {*CLOUDS}, key.dotted
            assert checked.argument(key) is not None, key.dotted
        page, _, anchor = effects.page(key).partition("#")
        text = (ENVIRONMENTS.parent / page).read_text().lower()
        assert any(line.lstrip("# ").replace(":", "") == anchor for line in text.splitlines()), key.dotted


def test_only_the_program_reads_what_is_no_argument() -> None:
    for key in KEYS:
        is_argument = (
            issubclass(key.owner, ComponentTopic)
            and key.path[-1] in key.owner.argument_type.__annotations__
            # Objects that the program passes on to other components.
            and key.path[:3] not in (("teams", "*", "budget"), ("teams", "*", "alerts"))
            and key.path[:2] != ("network", "existing")
        )
        if len(key.path) > 1:
            assert (effects.taken_by(key) == effects.PROGRAM) is not is_argument, key.dotted


@pytest.mark.parametrize("name", FILES)
def test_default_that_no_file_states_is_that_of_the_loaded_settings(name: str) -> None:
    """Of all keys that an environment has: those of its objects, of entries of its lists and maps."""
    file = ENVIRONMENTS / f"Pulumi.{name}.yaml"
    config, settings = read_merged(file), load_file(file)
    cloud, _, profile = name.partition("-")
    compared = 0
    for key in KEYS:
        for value in values.in_config(key, key.path, config):
            if value.source not in ("profile", "default") or () in dict(types.blocks(key.field.annotation)):
                continue
            present, actual = _value(settings, value.path.split("."))
            if not present or (actual is None and value.source == "default"):
                continue  # The environment has no such object, or the component has the default.
            assert value.value == defaults.plain(actual), value.path
            if "capacity" not in key.path:
                assert value.value == defaults.default(key, cloud, profile), value.path
            compared += 1
    assert compared > 40


def _value(node: Any, path: Sequence[str]) -> tuple[bool, Any]:
    """Return whether loaded settings have a path, and its value."""
    for part in path:
        if isinstance(node, dict) and part in node:
            node = node[part]
        elif isinstance(node, BaseModel) and part in type(node).model_fields:
            node = getattr(node, part)
        else:
            return False, None
    return True, node


def test_profile_is_the_source_of_what_it_states() -> None:
    default = document("network.nat")["default"]
    assert default["prod"] == {
        "aws": {"value": "per_zone", "source": "profile"},
        "gcp": {"value": "single", "source": "profile"},
    }
    assert document("cluster.version")["default"]["dev"]["aws"] == {"required": True}
    assert document("gpu_pools.*.min")["default"]["dev"]["gcp"] == {"value": 0, "source": "default"}


def test_rules_and_units_are_those_of_the_component() -> None:
    size = document("gpu_pools.*.disk_gib")
    assert size["allowed"] == ["20 to 65536 GiB"]
    assert size["unit"] == "GiB"
    assert document("lakehouse.access_log_days")["unit"] == "days"
    assert document("cluster.log_retention_days")["unit"] == "days", "by its name: the rule lists numbers"
    assert document("network.nat")["type"] == "none or single or per_zone"
    assert "at most 16 long" in document("environment.org")["allowed"]
    assert document("gpu_pools.*.zones")["unit"] is None, "it is no number"


def test_argument_that_a_cloud_refuses_is_reported_with_the_reason() -> None:
    effect = document("gpu_pools.*.efa")["effect"]
    assert effect["aws"]["supported"]
    assert not effect["gcp"]["supported"]
    assert "use gpudirect" in effect["gcp"]["text"]


def test_key_without_a_line_has_the_effect_of_the_object_around_it() -> None:
    assert document("lakehouse.tables.*.name")["effect"]["aws"]["of"] == "tables"
    assert document("teams.search.owners")["effect"]["aws"]["text"], "an entry of a map is an argument"


def test_object_lists_its_keys_with_their_first_sentences() -> None:
    summaries = document("cluster")["keys"]
    assert summaries["cluster.version"] == "Kubernetes' minor version, `1.35`."
    assert "cluster.api_access.mode" not in summaries, "only the next level"
    assert "gpu_pools.*.max" in document("gpu_pools")["keys"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("clutser.version", "did you mean cluster?"),
        ("cluster.verison", "did you mean cluster.version?"),
        ("gpu_pools.*.max_nodes", "did you mean gpu_pools.*.max?"),
        ("gpu_pools.training.spot", "did you mean gpu_pools.*.capacity?"),
        ("max", "node_pools.*.max or gpu_pools.*.max"),
        ("environment.org.name", "environment.org has no keys, it is a value"),
        ("network.zzz", "expected one of cidr, "),
        ("", "no topic"),
    ],
)
def test_unknown_key_is_answered_with_the_nearest(text: str, expected: str) -> None:
    with pytest.raises(UnknownKeyError) as error:
        keys.resolve(text)
    assert expected in str(error.value)


@pytest.mark.parametrize(
    ("text", "dotted"),
    [
        ("ai-platform:network.cidr", "network.cidr"),
        ("gpu_pools.max", "gpu_pools.*.max"),
        ("gpu_pools.t4", "gpu_pools"),
        ("gpu_pools.*", "gpu_pools"),
        ("gpu_pools.t4.capacity[0].type", "gpu_pools.*.capacity.*.type"),
        ("environment.tags.team", "environment.tags"),
    ],
)
def test_key_is_written_with_or_without_names_of_entries(text: str, dotted: str) -> None:
    assert keys.resolve(text)[0].dotted == dotted


def test_value_has_the_file_and_the_line_that_state_it() -> None:
    [value] = document("gpu_pools.training.max", "aws-prod")["values"]
    file, _, line = value["place"].partition(":")
    text = (ENVIRONMENTS.parent / file).read_text().splitlines()[int(line) - 1]
    assert value["value"] == 4
    assert text.strip().startswith("training: {accelerator: h100"), text


def test_value_of_a_shared_file_has_its_place() -> None:
    shared = document("addons.charts", "aws-dev")["values"]
    assert [value["place"].partition(":")[0] for value in shared] == ["environments/shared/addons.yaml"]


def test_each_entry_of_a_map_or_a_list_has_its_value() -> None:
    pools = document("gpu_pools.*.max", "aws-prod")["values"]
    assert [value["path"] for value in pools] == ["gpu_pools.serving.max", "gpu_pools.training.max"]
    tables = document("lakehouse.tables.*.owner", "aws-dev")["values"]
    assert "lakehouse.tables.curated.trips.owner" in [value["path"] for value in tables]
    assert document("gpu_pools.missing.max", "aws-prod")["values"] == []


def test_value_that_no_file_states_is_the_default_of_the_profile_or_the_key() -> None:
    assert document("network.nat", "aws-prod")["values"] == [
        {"path": "network.nat", "value": "per_zone", "source": "profile", "place": ""}
    ]
    [value] = document("gpu_pools.training.min", "aws-prod")["values"]
    assert (value["value"], value["source"]) == (0, "default")


def test_key_of_a_topic_or_an_object_that_an_environment_lacks_has_no_value() -> None:
    assert document("serving.require_digests", "aws-prod")["values"] == [], "prod's profile has a default"
    assert document("cost.schedule.timezone", "aws-prod")["values"] == []
    assert document("cost.schedule.timezone", "aws-dev")["values"][0]["value"] == "America/Los_Angeles"
    [stated] = document("cluster_autoscaler.replicas", "aws-prod")["values"]
    assert (stated["value"], stated["source"]) == (2, "profile"), "every environment has the topic"


def test_program_prints_json_or_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cluster.version", "aws-dev"]) == 0
    assert json.loads(capsys.readouterr().out)["values"][0]["value"] == "1.35"
    assert main(["cluster.verison"]) == 1
    assert "did you mean cluster.version?" in capsys.readouterr().err
    assert main(["cluster.version", "nowhere"]) == 1
    assert "no such file" in capsys.readouterr().err
