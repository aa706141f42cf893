"""Teams with a model store: each has its checkpoints, and a team that serves reads its releases."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform.teams import Teams
from tests.components.aiplatform.pools import CLUSTER, GOOGLE_CLUSTER
from tests.components.recording import ACCOUNT, REGION, Recording, record

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
STORE: dict[str, Any] = {
    "cloud": "aws",
    "checkpoints_bucket": "acme-dev-checkpoints",
    "releases_bucket": "acme-dev-releases",
    "kms_key": KEY,
    "checkpoints_key": KEY,
}
OWNER = f"arn:aws:iam::{ACCOUNT}:role/owners"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
FOLDER = "gcp:storage/managedFolder:ManagedFolder"
MEMBER = "gcp:storage/managedFolderIamMember:ManagedFolderIamMember"


def _identity(team: str, namespace: str | None = None) -> dict[str, Any]:
    return {
        "principal": f"arn:aws:iam::{ACCOUNT}:role/acme-dev-wi-{team}",
        "role_name": f"acme-dev-wi-{team}",
        "namespace": namespace or team,
        "service_account": "workloads",
    }


def on_aws(teams: dict[str, Any], **more: Any) -> Recording:
    stated = {name: {"owners": [OWNER], "identity": _identity(name), **team} for name, team in teams.items()}
    args: Any = {
        "prefix": "acme-dev",
        "cluster": CLUSTER,
        "secret_stores": False,
        "model_store": STORE,
        "teams": stated,
        **more,
    }
    return record(lambda: Teams("teams", args))


def on_google(teams: dict[str, Any]) -> Recording:
    args: Any = {
        "prefix": "acme-dev",
        "cluster": {**GOOGLE_CLUSTER, "workload_pool": "acme-dev-1234.svc.id.goog"},
        "secret_stores": False,
        "model_store": {
            "cloud": "gcp",
            "checkpoints_bucket": "acme-dev-checkpoints",
            "releases_bucket": "acme-dev-releases",
        },
        "teams": {
            name: {
                "owners": ["group:owners@acme.example"],
                "identity": {
                    "principal": f"serviceAccount:{name}@acme-dev-1234.iam.gserviceaccount.com",
                    "namespace": team.get("namespace", name),
                    "service_account": "workloads",
                },
                **team,
            }
            for name, team in teams.items()
        },
    }
    return record(lambda: Teams("teams", args))


def problems(teams: dict[str, Any], **more: Any) -> list[str]:
    with pytest.raises(ArgumentError) as error:
        on_aws(teams, **more)
    return [str(problem) for problem in error.value.problems]


def statements(recording: Recording, team: str) -> dict[str, Any]:
    policy = json.loads(recording.one(ROLE_POLICY, f"teams-{team}-model-store").inputs["policy"])
    return {statement["Sid"]: statement for statement in policy["Statement"]}


def test_an_identity_uses_checkpoints_below_its_namespace_alone() -> None:
    allowed = statements(on_aws({"search": {}}), "search")
    assert allowed["Checkpoints"]["Resource"] == "arn:aws:s3:::acme-dev-checkpoints/search/*"
    assert allowed["FindCheckpoints"]["Resource"] == "arn:aws:s3:::acme-dev-checkpoints"
    assert allowed["FindCheckpoints"]["Condition"] == {"StringLike": {"s3:prefix": "search/*"}}


def test_the_prefix_is_the_namespace_where_that_is_not_the_team() -> None:
    team = {"namespace": "adverts", "identity": _identity("ads", "adverts")}
    recording = on_aws({"ads": team})
    assert statements(recording, "ads")["Checkpoints"]["Resource"].endswith("/adverts/*")
    data = recording.one("kubernetes:core/v1:ConfigMap", "teams-ads-configuration").inputs["data"]
    assert data["CHECKPOINTS_URI"] == "s3://acme-dev-checkpoints/adverts"


def test_no_identity_reads_releases_unless_it_serves() -> None:
    recording = on_aws({"search": {}, "ads": {"serves": True}})
    assert "acme-dev-releases" not in json.dumps(statements(recording, "search"))
    allowed = statements(recording, "ads")
    assert allowed["Releases"]["Action"] == ["s3:GetObject"]
    assert allowed["Releases"]["Resource"] == "arn:aws:s3:::acme-dev-releases/ads/*"
    assert allowed["FindReleases"]["Condition"] == {"StringLike": {"s3:prefix": "ads/*"}}


def test_keys_are_used_by_s3_alone() -> None:
    allowed = statements(on_aws({"search": {"serves": True}}), "search")["UseKeys"]
    assert allowed["Resource"] == [KEY]
    assert allowed["Condition"] == {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}


def test_on_google_cloud_prefixes_are_managed_folders() -> None:
    recording = on_google({"search": {}, "ads": {"serves": True}})
    folders = {folder.name: folder.inputs["name"] for folder in recording.all(FOLDER)}
    assert folders == {
        "teams-ads-checkpoints": "ads/",
        "teams-ads-releases": "ads/",
        "teams-search-checkpoints": "search/",
    }
    roles = {member.name: member.inputs["role"] for member in recording.all(MEMBER)}
    assert roles == {
        "teams-ads-checkpoints": "roles/storage.objectUser",
        "teams-ads-releases": "roles/storage.objectViewer",
        "teams-search-checkpoints": "roles/storage.objectUser",
    }
    data = recording.one("kubernetes:core/v1:ConfigMap", "teams-ads-configuration").inputs["data"]
    assert data["CHECKPOINTS_URI"] == "gs://acme-dev-checkpoints/ads"
    assert data["RELEASES_URI"] == "gs://acme-dev-releases"


def test_a_checkpoint_prefix_of_another_team_is_refused() -> None:
    stated = {"CHECKPOINTS_URI": "s3://acme-dev-checkpoints/ads"}
    (reported,) = problems({"search": {"configuration": stated}})
    assert reported.startswith(
        "TeamsArgs.teams.search.configuration.CHECKPOINTS_URI: got 's3://acme-dev-checkpoints/ads'; "
        "expected it left out"
    )


def test_serving_requires_an_identity_and_a_store() -> None:
    (reported,) = problems({"search": {"serves": True, "identity": None}})
    assert reported == (
        "TeamsArgs.teams.search.serves: got true without `identity`, which reads releases; expected one"
    )
    (reported,) = problems({"search": {"serves": True}}, model_store=None)
    assert reported.startswith("TeamsArgs.teams.search.serves: got true without `model_store`")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("imports", "teams.imports: the name is the folder of imported models"),
        ("release", "teams.release.namespace: got 'release', which belongs to the cluster"),
    ],
)
def test_names_of_the_store_are_no_teams(name: str, expected: str) -> None:
    (reported,) = problems({name: {}})
    assert reported.startswith(f"TeamsArgs.{expected}")


def test_a_store_of_the_other_cloud_and_one_without_keys_are_refused() -> None:
    (reported,) = problems({"search": {}}, model_store={**STORE, "cloud": "gcp"})
    assert reported == "TeamsArgs.model_store.cloud: got 'gcp'; expected the cluster's, 'aws'"
    stated = {key: value for key, value in STORE.items() if key != "checkpoints_key"}
    (reported,) = problems({"search": {}}, model_store=stated)
    assert reported.startswith("TeamsArgs.model_store.checkpoints_key: missing")


def test_an_identity_without_the_name_of_its_role_is_refused() -> None:
    identity = {key: value for key, value in _identity("search").items() if key != "role_name"}
    (reported,) = problems({"search": {"identity": identity}})
    assert reported.startswith("TeamsArgs.teams.search.identity.role_name: missing")
