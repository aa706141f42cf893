"""MLflow as the component configures it: the containers of its Jobs and its Deployment, on this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aiplatform.model_registry.container_files import registry_routes
from aiplatform.observability import metrics
from tests.end_to_end import clients
from tests.end_to_end.mlflow_deployment import Registry, program
from tests.end_to_end.model_release import REGISTERED, Releases
from tests.end_to_end.plain import Base, Plain
from tests.end_to_end.team_pod import Team

# Eight processes of MLflow, one after the other; each needs some seconds to start.
pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def registry(plain: Plain, base: Base) -> Iterator[Registry]:
    """A deployed registry that its Jobs have set up and migrated, and whose server runs."""
    kubeconfig = plain.instance.kubeconfig.read_text()
    stack = plain.stack("mlflow", lambda: program(base, kubeconfig))
    before = set(plain.inventory())
    registry = Registry(plain)
    try:
        registry.open(stack.up().outputs["models"].value)
        registry.job("mlflow-prepare")
        registry.job("mlflow-migrate")
        registry.start()
        yield registry
        stack.preview(expect_no_changes=True, refresh=True)
    finally:
        registry.end()
        stack.destroy()
    assert set(plain.inventory()) == before


@pytest.fixture(scope="module")
def trained(registry: Registry) -> dict[str, Any]:
    """The answers to training, which logged and registered a model and tried to promote it."""
    return registry.user("training", "train")


def test_requests_without_an_account_are_refused(registry: Registry) -> None:
    assert registry.ask("/health")[0] == 200, "the kubelet has no account"
    for path in ("/", "/api/2.0/mlflow/registered-models/search", "/api/3.0/mlflow/server-info"):
        assert registry.ask(path)[0] == 401, path
    wrong = "Basic YWRtaW46cGFzc3dvcmQxMjM0"  # admin:password1234, which MLflow ships
    assert registry.ask("/api/2.0/mlflow/experiments/search", Authorization=wrong)[0] == 401


def test_a_request_for_another_host_is_refused(registry: Registry) -> None:
    status, body = registry.ask("/", Host="models.evil.example")
    assert (status, b"Invalid Host header" in body) == (403, True), "it protects against DNS rebinding"


def test_prometheus_scrapes_requests_without_an_account(registry: Registry) -> None:
    assert registry.ask("/metrics")[0] == 401, "the server's own address has them for accounts only"
    host = {"Host": f"10.0.0.1:{registry.port}"}
    assert registry.ask("/metrics", **host)[0] == 403, "Prometheus connects to the address of a Pod"
    exporter = metrics.exporters()["model-registry"]
    with registry.exporting() as scrape:
        before = _samples(scrape(), "mlflow_http_request_total", 401)
        assert before > 0
        assert registry.ask("/api/2.0/mlflow/registered-models/search")[0] == 401
        text = scrape()
    assert _samples(text, "mlflow_http_request_total", 401) == before + 1
    for metric in exporter.metrics:
        assert f"# TYPE {metric.name} {metric.type}" in text
        sample = next(line for line in text.splitlines() if line.startswith(f"{metric.series[0]}{{"))
        labels = set(re.findall(r'(\w+)="', sample)) - {"le"}
        assert labels == set(metric.labels), metric.name
    bounds = re.findall(r'duration_seconds_bucket{le="([^"]+)",[^}]*status="401"}', text)
    [duration] = [metric for metric in exporter.metrics if metric.buckets]
    assert [float(bound) for bound in dict.fromkeys(bounds)] == [*duration.buckets, float("inf")]


def _samples(text: str, name: str, status: int) -> float:
    """Return the number of requests with a status."""
    values = re.findall(rf'^{name}{{[^}}]*status="{status}"[^}}]*}} (.+)$', text, re.MULTILINE)
    return sum(map(float, values))


def test_training_registers_a_model_and_cannot_promote_it(
    registry: Registry, trained: dict[str, Any]
) -> None:
    assert trained["version"] == "1"
    assert "403" in trained["promoted"], "the training account does not decide which version is served"


def test_files_go_through_the_server_into_its_bucket(registry: Registry, trained: dict[str, Any]) -> None:
    assert trained["run"], "the run was logged"
    s3, bucket = registry.plain.aws("s3"), registry.outputs["artifact_bucket"]
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    [key] = [key for key in keys if key.endswith("/MLmodel")]
    assert key.startswith("runs/")
    head = registry.plain.aws("s3").get_bucket_encryption(Bucket=bucket)
    [rule] = head["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == registry.outputs["kms_key"]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket=bucket, Key=key)


def test_an_account_cannot_read_the_password_of_another(registry: Registry) -> None:
    secrets = {entry["account"]: entry["secret"] for entry in registry.outputs["secrets"]}
    for account in ("release", "admin"):
        with pytest.raises(ClientError, match="AccessDenied"):
            registry.as_role("training", "secretsmanager").get_secret_value(SecretId=secrets[account])


def test_a_champion_outlives_the_server(registry: Registry, trained: dict[str, Any]) -> None:
    assert registry.user("release", "promote", version=trained["version"]) == {"promoted": "yes"}
    assert "403" in registry.user("training", "demote")["demoted"]
    registry.stop()
    assert registry.job("mlflow-migrate"), "a migration without pending steps succeeds"
    registry.start()
    assert registry.user("training", "use") == {
        "version": trained["version"],
        "aliases": {"candidate": "1", "champion": "1"},
        "rows": "3",
        "predicted": 20.0,
    }


def test_a_promoted_prompt_keeps_its_text(registry: Registry) -> None:
    version = registry.user("training", "make", model="answers", how="prompt")["version"]
    promoted = registry.user("release", "promote", model="answers", version=version, prompt=True)
    assert promoted == {"promoted": "yes"}
    answers = registry.user("training", "rewrite", model="answers", version=version)
    assert answers == {"set": 403, "deleted": 403, "kind": 403, "described": 200}
    served = registry.user("release", "read", model="answers", prompt=True)
    assert served == {"version": version, "text": "Say yes"}


def test_a_version_with_files_elsewhere_is_not_promoted(registry: Registry) -> None:
    version = registry.user("training", "make", model="foreign", how="elsewhere")["version"]
    promoted = registry.user("release", "promote", model="foreign", version=version)["promoted"]
    assert "its files are at s3://elsewhere/model; expected the registry's bucket" in promoted


def test_routes_outside_the_guard_are_for_admin_only(registry: Registry, trained: dict[str, Any]) -> None:
    answers = registry.user("training", "refused", run=trained["run"])
    assert {name: status for name, status in answers.items() if status != 403} == {}
    assert len(answers) == 5


def test_every_route_of_this_mlflow_is_reviewed(tmp_path: Path) -> None:
    served = clients.run("mlflow", "routes", {"folder": str(tmp_path)})
    known = registry_routes.GUARDED | registry_routes.ADMIN | registry_routes.FREE
    assert set(served["flask"]) - known == set(), (
        "a route that changes something and was not reviewed: can it change a champion?"
    )
    assert known - set(served["flask"]) == set(), "a reviewed route that no longer exists"
    assert len(known) == len(registry_routes.GUARDED) + len(registry_routes.ADMIN) + len(registry_routes.FREE)
    prefixes = (*registry_routes.NATIVE_ADMIN, *registry_routes.NATIVE_FREE, *registry_routes.NATIVE_FILES)
    paths = [route.partition(" ")[2] for route in served["native"]]
    assert [path for path in paths if not path.startswith(prefixes)] == []
    assert [prefix for prefix in prefixes if not any(path.startswith(prefix) for path in paths)] == []


def test_the_server_connects_to_the_database_only_by_iam(registry: Registry) -> None:
    assert set(registry.proxy.entered) == {"mlflow"}
    assert registry.postgres.sql("SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = 'mlflow'") == "t"
    owned = "SELECT count(*) > 10 FROM pg_tables WHERE tableowner = 'mlflow'"
    assert registry.postgres.sql(owned, database="mlflow") == "t"
    rights = "SELECT rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = 'mlflow'"
    assert registry.postgres.sql(rights) == "f"
    before = len(registry.proxy.refused)
    for wrong, why in (("plain", "encryption"), ("stranger", "PAM authentication failed")):
        answer = clients.run("mlflow", "intruder", {"how": wrong, "port": registry.proxy.port})
        assert why in answer["refused"], answer
    assert len(registry.proxy.refused) == before + 2


def test_a_pod_of_a_team_uses_registry_and_catalog_without_configuration(
    plain: Plain, base: Base, registry: Registry, tmp_path: Path
) -> None:
    team = Team(plain, base, registry.outputs, tmp_path, registry.certificate)
    try:
        team.deploy()
        with team.reaches(registry.port):
            logs = team.run()
        run = registry.read("training", f"runs/get?run_id={logs['metric'].split()[-1]}")["run"]
        assert {metric["key"]: metric["value"] for metric in run["data"]["metrics"]} == {"score": 0.5}
        assert json.loads(logs["rows"].splitlines()[-1]) == [1, 2]
    finally:
        team.remove()


def test_release_is_not_changed_by_the_author_of_its_model(
    plain: Plain, base: Base, registry: Registry
) -> None:
    with Releases(plain, base, registry) as releases:
        # tests of containers/model_release have further refusals: each is a Pod here that imports MLflow.
        first, second = releases.version(auc=0.8), releases.version(auc=0.85)
        without = releases.version(tags={}, auc=0.9)
        assert "no release without lineage" in releases.refused("promote", without)
        assert "is champion, approved by" in releases.run("promote", first)
        before = releases.files(first)
        assert json.loads(before["manifest.json"])["lineage"]["evaluation_set"] == "curated.holdout@5124"
        assert releases.champion() == first
        better = ("--better-than", "champion", "--metric", "auc", "--margin", "0.01")
        releases.run("promote", second, *better)
        overwritten = registry.user("training", "overwrite", model=REGISTERED, version=first)
        assert overwritten == {"status": 200}, "the registry protects promoted versions only"
        assert f"{first} is champion" in releases.run("rollback")
        assert (releases.files(first), releases.champion()) == (before, first)
        rows = releases.run("show", "--json")
        assert [entry["action"] for entry in json.loads(rows)["promotions"]] == [
            "promote",
            "promote",
            "rollback",
        ]


def test_passwords_follow_their_secrets_and_accounts_their_declaration(registry: Registry) -> None:
    """Runs last, because it removes the account training."""
    [release] = [entry["secret"] for entry in registry.outputs["secrets"] if entry["account"] == "release"]
    old, left = registry.password("release"), registry.password("training")
    assert (registry.signed_in("release", old), registry.signed_in("training", left)) == (200, 200)
    changed = {"username": "release", "password": "another-one-that-is-long"}
    registry.plain.aws("secretsmanager").put_secret_value(SecretId=release, SecretString=json.dumps(changed))
    output = registry.declare(["admin", "release"])
    assert "gave release the password of its secret" in output
    assert "removed the account training" in output
    assert registry.signed_in("release", old) == 401
    assert registry.signed_in("release", changed["password"]) == 200
    assert registry.signed_in("training", left) == 401, "an account that is no longer declared is refused"
