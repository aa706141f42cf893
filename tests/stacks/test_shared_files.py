"""Declarations that environments share: how a file overrides or removes them, and what is refused."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from stacks import loading
from stacks.loading import SettingsError, load_engine, load_file
from stacks.schema import FILE
from stacks.settings import Settings
from stacks.settings.generated import stated
from tests.stacks.files import ENVIRONMENTS, GOOD

VALIDATOR = jsonschema.Draft202012Validator(json.loads((Path(__file__).parents[2] / FILE).read_text()))
SHARED_FILES = sorted((ENVIRONMENTS / "shared").glob("*.yaml"))
TABLES = """\
shared:
  ai-platform:workload_identities:
    pipelines: {namespace: pipelines, service_account: pipelines}
    analysts: {namespace: analytics, service_account: notebooks}
  ai-platform:lakehouse:
    writers: [pipelines]
    tables:
      - {zone: curated, name: trips, owner: a@acme.example, columns: [{name: id, type: long}]}
      - {zone: curated, name: rides, owner: a@acme.example, columns: [{name: id, type: long}]}
    grants:
      - {name: analysts, principal: analysts, actions: [read], zones: [curated]}
"""


def load(folder: Path, change: dict[str, Any], *files: str, **shared: str) -> Settings:
    """Load a good environment file that names these shared files, with further topics."""
    (folder / "shared").mkdir()
    for name, text in ({"tables": TABLES} | shared).items():
        (folder / "shared" / f"{name}.yaml").write_text(text)
    document = copy.deepcopy(GOOD)
    config = document["config"]
    config["ai-platform:shared"] = {"files": list(files or ("tables",))}
    for topic, value in change.items():
        config[f"ai-platform:{topic}"] = (
            config[f"ai-platform:{topic}"] | value if topic == "shared" else value
        )
    with (folder / "Pulumi.aws-dev.yaml").open("w") as stream:
        YAML().dump(document, stream)
    return load_file(folder / "Pulumi.aws-dev.yaml", folder / "shared")


def problems(folder: Path, change: dict[str, Any], *files: str, **shared: str) -> list[str]:
    """Return what is reported of it."""
    with pytest.raises(SettingsError) as refused:
        load(folder, change, *files, **shared)
    return list(refused.value.problems)


def tables(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the tables of the lakehouse by name."""
    assert settings.lakehouse is not None
    return {table["name"]: table for table in stated(settings.lakehouse)["tables"]}


@pytest.mark.parametrize("file", SHARED_FILES, ids=lambda file: file.stem)
def test_a_committed_shared_file_passes_the_schema_of_environment_files(file: Path) -> None:
    VALIDATOR.validate(YAML(typ="safe").load(file))
    assert file.read_text().startswith("# yaml-language-server: $schema=../schema.json"), "editors need it"


def test_shared_declarations_reach_the_settings(tmp_path: Path) -> None:
    settings = load(tmp_path, {})
    assert set(settings.workload_identities) == {"pipelines", "analysts"}
    assert set(tables(settings)) == {"trips", "rides"}


def test_an_entry_of_the_file_overrides_keys_of_the_shared_entry_with_its_identity(tmp_path: Path) -> None:
    override = {"tables": [{"zone": "curated", "name": "trips", "owner": "b@acme.example"}]}
    loaded = tables(load(tmp_path, {"lakehouse": override}))
    assert loaded["trips"]["owner"] == "b@acme.example"
    assert loaded["trips"]["columns"] == [{"name": "id", "type": "long"}], "what the file leaves out stays"
    assert loaded["rides"]["owner"] == "a@acme.example", "other entries stay"


def test_an_entry_with_another_identity_is_added_after_the_shared_ones(tmp_path: Path) -> None:
    stops = {
        "zone": "serving",
        "name": "trips2",
        "owner": "b@acme.example",
        "columns": [{"name": "id", "type": "long"}],
    }
    assert list(tables(load(tmp_path, {"lakehouse": {"tables": [stops]}}))) == ["trips", "rides", "trips2"]


def test_a_list_without_identities_replaces_the_shared_one(tmp_path: Path) -> None:
    override = {
        "tables": [{"zone": "curated", "name": "trips", "columns": [{"name": "key", "type": "string"}]}]
    }
    assert tables(load(tmp_path, {"lakehouse": override}))["trips"]["columns"] == [
        {"name": "key", "type": "string"}
    ]


def test_objects_merge_by_key(tmp_path: Path) -> None:
    override = {"analysts": {"namespace": "bi"}, "more": {"namespace": "more", "service_account": "more"}}
    identities = load(tmp_path, {"workload_identities": override}).workload_identities
    assert set(identities) == {"pipelines", "analysts", "more"}
    assert identities["analysts"].namespace == "bi"
    assert identities["analysts"].service_account == "notebooks", "stated in the shared file"


@pytest.mark.parametrize(
    ("shared", "stated", "zones"),
    [
        ("zone_count: 3", {"zone_ids": ["usw2-az1", "usw2-az2"]}, ["usw2-az1", "usw2-az2"]),
        ("zone_ids: [usw2-az1, usw2-az2]", {"zone_count": 3}, 3),
    ],
)
def test_a_key_replaces_the_shared_key_that_excludes_it(
    tmp_path: Path, shared: str, stated: dict[str, Any], zones: Any
) -> None:
    text = f"shared: {{ai-platform:network: {{{shared}}}}}"
    network = GOOD["config"]["ai-platform:network"] | stated
    settings = load(tmp_path, {"network": network}, "zones", zones=text)
    assert settings.network.zones == zones, "the environment's own file overrides how zones are chosen"


def test_a_database_that_exists_replaces_the_shared_one_that_is_created(tmp_path: Path) -> None:
    text = (
        "shared: {ai-platform:model_registry: {replicas: 3, database: {size: large, existing: {port: 6432}}}}"
    )
    existing = {
        "host": "shared.c1a2b3c4d5e6.us-west-2.rds.amazonaws.com",
        "resource_id": "db-ABCDEFGHIJKL01234",
        "master_secret": "arn:aws:secretsmanager:us-west-2:111122223333:secret:master-AbCdEf",
    }
    settings = load(tmp_path, {"model_registry": {"database": {"existing": existing}}}, "models", models=text)
    assert settings.model_registry is not None
    topic = stated(settings.model_registry)
    assert topic["database"] == {"existing": {**existing, "port": 6432}}
    assert topic["replicas"] == 3, "other keys are merged as ever"


def test_keys_that_exclude_each_other_in_one_file_are_refused(tmp_path: Path) -> None:
    text = "shared: {ai-platform:network: {zone_count: 3, zone_ids: [usw2-az1, usw2-az2]}}"
    assert "zone_count: got 3 and zone_ids" in "".join(problems(tmp_path, {}, "zones", zones=text))


@pytest.mark.parametrize(
    ("path", "check"),
    [
        ("lakehouse.tables.curated.trips", lambda s: set(tables(s)) == {"rides"}),
        ("lakehouse.grants.analysts", lambda s: stated(s.lakehouse)["grants"] == []),
        ("lakehouse", lambda s: s.lakehouse is None),
        ("lakehouse.tables.curated.trips.owner", lambda s: "owner" not in tables(s)["trips"]),
    ],
)
def test_what_a_file_removes_is_not_deployed(tmp_path: Path, path: str, check: Any) -> None:
    assert check(load(tmp_path, {"shared": {"remove": [path]}}))


def test_a_removed_entry_can_be_stated_again_as_a_whole(tmp_path: Path) -> None:
    trips = {"zone": "curated", "name": "trips", "columns": [{"name": "id", "type": "long"}]}
    change = {"shared": {"remove": ["lakehouse.tables.curated.trips"]}, "lakehouse": {"tables": [trips]}}
    assert "owner" not in tables(load(tmp_path, change))["trips"], "nothing of the shared entry is left"


def test_several_files_add_up(tmp_path: Path) -> None:
    more = "shared:\n  ai-platform:workload_identities:\n    bi: {namespace: bi, service_account: bi}\n"
    assert set(load(tmp_path, {}, "tables", "more", more=more).workload_identities) == {
        "pipelines",
        "analysts",
        "bi",
    }


CASES: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "an unknown file": (
        {"shared": {"files": ["tabels"]}},
        {},
        "there is no environments/shared/tabels.yaml; expected one of tables; did you mean 'tables'?",
    ),
    "a file outside the folder": (
        {"shared": {"files": ["../x"]}},
        {},
        "shared.files[0]: got '../x'",
    ),
    "a file that is named twice": (
        {"shared": {"files": ["tables", "tables"]}},
        {},
        "shared.files[1]: got 'tables' a second time",
    ),
    "a shared file that names others": (
        {},
        {"tables": "shared:\n  ai-platform:shared: {files: [tables]}\n"},
        "environments/shared/tables.yaml:2: shared: shared files do not name others",
    ),
    "a shared file that states whose environment it is": (
        {},
        {"tables": "shared:\n  ai-platform:environment: {org: acme}\n"},
        "environments/shared/tables.yaml:2: environment: cannot be shared",
    ),
    "a shared file with a provider's key": (
        {},
        {"tables": "shared:\n  aws:region: us-west-2\n"},
        "environments/shared/tables.yaml:2: aws:region: cannot be shared",
    ),
    "an unknown topic in a shared file": (
        {},
        {"tables": "shared:\n  ai-platform:lakehuose: {}\n"},
        "environments/shared/tables.yaml:2: lakehuose: unknown topic; did you mean 'lakehouse'?",
    ),
    "an environment file as a shared one": (
        {},
        {"tables": "config:\n  ai-platform:lakehouse: {}\n"},
        "environments/shared/tables.yaml:1: shared: missing",
    ),
    "broken YAML": (
        {},
        {"tables": "shared:\n  a: [1\n"},
        "environments/shared/tables.yaml:3: no valid YAML: a list",
    ),
    "a key that YAML has twice": (
        {},
        {"tables": TABLES + "  ai-platform:lakehouse: {}\n"},
        "environments/shared/tables.yaml:12: lakehouse: stated a second time, first in line 5",
    ),
    "a secret": (
        {},
        {"tables": "shared:\n  ai-platform:images:\n    mirrors: {secure: v1:abc}\n"},
        "environments/shared/tables.yaml:3: images.mirrors: a secret cannot be shared",
    ),
    "a key that cannot be removed as no shared file has it": (
        {"shared": {"remove": ["lakehouse.tables.curated.trisp"]}},
        {},
        "shared.remove[0]: the shared files have no 'lakehouse.tables.curated.trisp' to remove; "
        "did you mean 'lakehouse.tables.curated.trips'?",
    ),
    "a topic that is left empty": (
        {"lakehouse": None},
        {},
        "lakehouse: it is empty; expected a value, or its path under shared.remove",
    ),
    "a table that the file states twice": (
        {
            "lakehouse": {
                "tables": [{"zone": "curated", "name": "trips"}, {"zone": "curated", "name": "trips"}]
            }
        },
        {},
        "lakehouse.tables[2]",
    ),
    "a wrong value in a shared file": (
        {},
        {"tables": TABLES.replace("long}]}\n    grants", "lnog}]}\n    grants")},
        "environments/shared/tables.yaml:9: lakehouse.tables[1].columns[0].type: got 'lnog'",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_refused_with_its_file_and_line(tmp_path: Path, name: str) -> None:
    change, shared, expected = CASES[name]
    reported = problems(tmp_path, {"shared": {}, **change}, **shared)
    assert any(expected in problem for problem in reported), reported


def test_a_wrong_value_that_the_file_overrides_with_is_reported_in_the_file(tmp_path: Path) -> None:
    override = {"tables": [{"zone": "curated", "name": "rides", "columns": [{"name": "id", "type": "lnog"}]}]}
    (problem,) = problems(tmp_path, {"lakehouse": override})
    assert problem.startswith(str(tmp_path)), "it is the environment's own line"
    assert " lakehouse.tables[1].columns[0].type" in problem


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ("    analysts: {namespace: bi}", "workload_identities.analysts.namespace"),
        ("    analysts: 1", "workload_identities.analysts"),
    ],
)
def test_a_declaration_in_two_shared_files_is_refused(tmp_path: Path, more: str, path: str) -> None:
    text = f"shared:\n  ai-platform:workload_identities:\n{more}\n"
    (problem,) = problems(tmp_path, {}, "tables", "more", more=text)
    assert problem.startswith(
        f"environments/shared/more.yaml:3: {path}: stated in environments/shared/tables"
    )


def test_an_entry_in_two_shared_files_is_refused(tmp_path: Path) -> None:
    text = "shared:\n  ai-platform:lakehouse:\n    tables:\n      - {zone: curated, name: rides}\n"
    (problem,) = problems(tmp_path, {}, "tables", "more", more=text)
    assert problem.startswith(
        "environments/shared/more.yaml:4: lakehouse.tables[0]: "
        "stated in environments/shared/tables.yaml:9 already"
    )


def test_the_program_resolves_shared_files_from_the_repository_wherever_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = ENVIRONMENTS / "Pulumi.aws-dev.yaml"
    config = YAML(typ="safe").load(file)["config"]
    monkeypatch.setenv(
        "PULUMI_CONFIG", json.dumps({name: json.dumps(value) for name, value in config.items()})
    )
    monkeypatch.chdir(tmp_path)
    assert load_engine("aws-dev").settings == load_file(file), "plain `pulumi` needs nothing else"


def test_the_schema_accepts_an_override_of_a_shared_entry() -> None:
    document = YAML(typ="safe").load(ENVIRONMENTS / "Pulumi.aws-dev.yaml")
    document["config"]["ai-platform:lakehouse"] = {
        "tables": [{"zone": "curated", "name": "trips", "owner": "b@c"}]
    }
    VALIDATOR.validate(document)
    for entry in ({"zone": "curated"}, {"zone": "curated", "name": "trips", "ownr": "b"}):
        document["config"]["ai-platform:lakehouse"]["tables"] = [entry]
        assert not VALIDATOR.is_valid(document), "without its identity, or with an unknown key"


def test_the_schema_refuses_a_file_that_is_both_or_neither() -> None:
    environment = YAML(typ="safe").load(ENVIRONMENTS / "Pulumi.aws-dev.yaml")
    assert not VALIDATOR.is_valid({**environment, "shared": {}}), "an environment's file or a shared one"
    assert not VALIDATOR.is_valid({}), "an environment's file or a shared one"
    assert not VALIDATOR.is_valid({"shared": {"ai-platform:environment": {}}}), "it cannot be shared"


def many_tables(count: int) -> list[dict[str, Any]]:
    """Return so many tables as a file declares them."""
    columns = [{"name": name, "type": "long"} for name in ("id", "day", "amount")]
    return [
        {"zone": "raw", "name": f"t{number:04}", "owner": "a@acme.example", "columns": columns}
        for number in range(count)
    ]


def test_file_that_is_too_large_for_the_language_host_is_refused(tmp_path: Path) -> None:
    reported = problems(tmp_path, {"lakehouse": {"tables": many_tables(1000)}})
    [problem] = [problem for problem in reported if "config: " in problem]
    assert "expected at most 128 KiB: move declarations to environments/shared/" in problem


def test_shared_declarations_have_no_limit_of_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "LARGEST", 8 * 1024)
    document = {"shared": {"ai-platform:lakehouse": {"writers": ["pipelines"], "tables": many_tables(100)}}}
    assert len(json.dumps(document)) > loading.LARGEST
    identity = {"pipelines": {"namespace": "pipelines", "service_account": "pipelines"}}
    settings = load(tmp_path, {"workload_identities": identity}, "large", large=json.dumps(document))
    assert len(tables(settings)) == 100
