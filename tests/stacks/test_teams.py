"""The topic `teams`: what the platform adds to a team, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks import data_arguments, team_arguments
from stacks.loading import SettingsError, load_file
from stacks.settings import Settings
from stacks.validation import placeholders
from tests.components.recording import ACCOUNT, record
from tests.components.recording import value as resolved
from tests.stacks.test_google_files import changed

OWNER = f"arn:aws:iam::{ACCOUNT}:role/search-owners"
GROUP = "group:search@acme.example"
SECURITY_GROUP = "gke-security-groups@acme.example"


def settings_of(folder: Path, teams: Any, stack: str = "aws-dev", **change: Any) -> Settings:
    if stack.startswith("gcp"):
        change["cluster/gke"] = {"google_groups": SECURITY_GROUP}
    return load_file(changed(folder, {"teams": teams, **change}, stack))


def problems(folder: Path, teams: Any, stack: str = "aws-dev", **change: Any) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        settings_of(folder, teams, stack, **change)
    return list(refused.value.problems)


def offered(settings: Settings, **known: Any) -> team_arguments.Offered:
    """What the layers below offer, with values that a deployment would know."""
    references = placeholders.of(settings)
    every = placeholders.offered_to_teams(settings, references)
    registry = {**(every.model_registry or {}), "secrets": [{"account": "search", "secret": "arn:secret"}]}
    lakehouse = {**(every.lakehouse or {}), **known}
    return team_arguments.Offered(
        cluster=every.cluster,
        workload_identities=every.workload_identities,
        addons=every.addons,
        lakehouse=lakehouse,
        feature_store=every.feature_store,
        model_registry=registry,
    )


def team(settings: Settings, **known: Any) -> dict[str, Any]:
    def arguments() -> Any:
        args: Any = team_arguments.teams(settings, offered(settings, **known))
        return args["teams"]["search"]

    return record(arguments).result


@pytest.mark.parametrize(("stack", "owner"), [("aws-dev", OWNER), ("gcp-dev", GROUP)])
def test_a_team_has_an_identity_that_grants_can_name(tmp_path: Path, stack: str, owner: str) -> None:
    grants = [
        {"name": "search", "principal": "search", "actions": ["read"], "zones": ["serving"]},
        {"name": "features", "principal": "features", "actions": ["read"], "zones": ["serving"]},
    ]
    settings = settings_of(tmp_path, {"search": {"owners": [owner]}}, stack, **{"lakehouse/grants": grants})
    identity = settings.identities["search"]
    assert (identity.namespace, identity.service_account) == ("search", "workloads")
    assert "search" in settings.named_principals.values()


def test_a_team_has_an_account_of_the_model_registry_and_reaches_its_servers(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, {"search": {"owners": [OWNER], "namespace": "search-ml"}})
    references = placeholders.of(settings)
    registry: Any = data_arguments.model_registry(settings, references)
    assert registry["accounts"]["search"] == {}
    assert "release" in registry["accounts"], "those of the file stay"
    assert registry["client_namespaces"] == ["pipelines", "search-ml", "release"]
    features: Any = data_arguments.feature_store(settings, references, references.lakehouse)
    assert features["server"]["clients"] == ["search-ml"]
    assert team(settings)["services"] == {"model-registry": [80, 443, 5000], "feature-store": [80, 443, 6566]}


def test_clients_of_the_platform_need_no_configuration(tmp_path: Path) -> None:
    configuration = team(settings_of(tmp_path, {"search": {"owners": [OWNER]}}))["configuration"]
    assert configuration.keys() >= {
        "MLFLOW_TRACKING_URI",
        "AWS_REGION",
        "PYICEBERG_HOME",
        "FEATURE_SERVER_URL",
    }
    settings = settings_of(tmp_path, {"search": {"owners": [OWNER]}})
    secret = team(settings)["secrets"]["mlflow"]
    assert resolved(secret["secret"]) == "arn:secret"
    assert secret["keys"]["MLFLOW_TRACKING_PASSWORD"] == "password"


def test_what_the_file_states_replaces_the_platforms_values(tmp_path: Path) -> None:
    stated = {"owners": [OWNER], "configuration": {"AWS_REGION": "eu-west-1", "SEED": "7"}}
    configuration = team(settings_of(tmp_path, {"search": stated}))["configuration"]
    assert (configuration["AWS_REGION"], configuration["SEED"]) == ("eu-west-1", "7")


@pytest.mark.parametrize(
    ("stack", "owner", "key", "value"),
    [
        ("aws-dev", OWNER, "rest.signing-name", "glue"),
        ("gcp-dev", GROUP, "auth", {"type": "google"}),
    ],
)
def test_the_default_catalog_of_pyiceberg_is_the_lakehouse(
    tmp_path: Path, stack: str, owner: str, key: str, value: Any
) -> None:
    settings = settings_of(tmp_path, {"search": {"owners": [owner]}}, stack)
    address = {"catalog_uri": "https://catalog", "warehouse": "w"}
    file = team(settings, **address)["files"][".pyiceberg.yaml"]
    catalog = yaml.safe_load(resolved(file))["catalog"]["default"]
    assert (catalog["type"], catalog["uri"], catalog["warehouse"]) == ("rest", "https://catalog", "w")
    assert catalog[key] == value


def test_a_team_without_external_secrets_has_no_secret_store(tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "addons/options": {"external-secrets": {"enabled": False}},
        "observability": None,
    }
    settings = settings_of(tmp_path, {"search": {"owners": [OWNER]}}, **options)
    args: Any = team_arguments.teams(settings, offered(settings))
    assert args["secret_stores"] is False
    assert "secrets" not in args["teams"]["search"]


@pytest.mark.parametrize(
    ("teams", "change", "expected"),
    [
        ({"search": {}}, {}, "teams.search.owners: missing"),
        ({"search": {"owners": []}}, {}, "teams.search.owners"),
        (
            {"Search": {"owners": [OWNER]}},
            {},
            "teams.Search: got 'Search'; expected lower-case letters and digits",
        ),
        ({"search": {"owners": ["me"]}}, {}, "teams.search.owners[0]: got 'me'; expected an IAM role"),
        (
            {"search": {"owners": [OWNER], "ownr": 1}},
            {},
            "teams.search.ownr: unknown key; did you mean 'owners'",
        ),
        (
            {"search": {"owners": [OWNER]}, "ads": {"owners": [OWNER], "namespace": "search"}},
            {},
            "teams.ads.namespace: got 'search', which is the namespace of search",
        ),
        ({"search": {"owners": [OWNER]}}, {"cluster/admins": [OWNER]}, "which is in cluster.admins"),
        (
            {"search": {"owners": [OWNER], "priority_classes": ["servng"]}},
            {},
            "teams.search.priority_classes[0]: got 'servng', which is no priority class of the cluster; "
            "expected one of serving, interactive, training",
        ),
        (
            {"search": {"owners": [OWNER], "queue": "shred"}},
            {},
            "teams.search.queue: got 'shred', which is no queue of the file; expected one of shared; did",
        ),
        (
            {"search": {"owners": [OWNER], "namespace": "kube-system"}},
            {},
            "teams.search.namespace: got 'kube-system', which belongs to the cluster or an add-on",
        ),
        (
            {"search": {"owners": [OWNER], "namespace": "model-registry"}},
            {},
            "teams.search.namespace: got 'model-registry', which belongs to model_registry",
        ),
        ({"mlflow": {"owners": [OWNER]}}, {}, "teams.mlflow: the platform creates an identity 'mlflow'"),
        (
            {"pipelines": {"owners": [OWNER]}},
            {},
            "workload_identities.pipelines: the platform creates an identity 'pipelines' for the team",
        ),
        (
            {"search": {"owners": [OWNER]}},
            {"layers/separate": ["data"]},
            "layers.separate: got data without teams",
        ),
    ],
)
def test_a_wrong_team_is_refused_with_its_key(
    tmp_path: Path, teams: Any, change: dict[str, Any], expected: str
) -> None:
    assert expected in "\n".join(problems(tmp_path, teams, **change))


QUEUED = {"search": {"owners": [OWNER], "queue": "shared"}}


@pytest.mark.parametrize("enforcement", ["warn", "off"])
def test_a_team_with_a_queue_needs_accelerators_to_be_denied(tmp_path: Path, enforcement: str) -> None:
    change: dict[str, Any] = {"guardrails/policies": {"accelerators": enforcement}}
    (problem,) = problems(tmp_path, QUEUED, **change)
    assert f": guardrails.policies.accelerators: got {enforcement!r}" in problem
    assert "expected 'deny': teams with a queue (search) share them by quotas" in problem
    assert settings_of(tmp_path, {"search": {"owners": [OWNER]}}, **change), "no team has a queue"


@pytest.mark.parametrize("policies", [{"accelerators": "deny"}, {}])
def test_a_team_may_have_a_queue_where_accelerators_are_denied(
    tmp_path: Path, policies: dict[str, str]
) -> None:
    change: dict[str, Any] = {"guardrails/policies": policies}
    assert settings_of(tmp_path, QUEUED, **change)


def test_google_groups_are_needed_on_google_cloud(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cluster\.gke\.google_groups: missing"):
        load_file(changed(tmp_path, {"teams": {"search": {"owners": [GROUP]}}}, "gcp-dev"))
