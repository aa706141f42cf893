"""Datasets, tables, rows, columns, slots and statements of BigQuery, against an API server."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import time_machine

from twin.gcp.api_server import inventory
from twin.gcp.api_server.server import ApiServer
from twin.gcp.context import GcpContext
from twin.gcp.resources.function import table as functions
from twin.provider_interface import CloudError
from twin.tests.gcp.api_servers import PROJECT, client
from twin.tests.gcp.resources.life import Made, make, refused
from twin.tests.gcp.services.biglake import test_resources

DATASET = "gcp:bigquery/dataset:Dataset"
TABLE = "gcp:bigquery/table:Table"
MEMBER = "gcp:bigquery/datasetIamMember:DatasetIamMember"
CONNECTION = "gcp:bigquery/connection:Connection"
JOB = "gcp:bigquery/job:Job"
POLICY = "gcp:bigquery/datapolicyv2DataPolicy:Datapolicyv2DataPolicy"
ACCOUNT = "gcp:serviceaccount/account:Account"
COLUMNS = [
    {"name": "id", "type": "INT64", "mode": "REQUIRED"},
    {"name": "country", "type": "STRING"},
    {"name": "at", "type": "TIMESTAMP"},
]


def dataset(gcp: GcpContext, **more: Any) -> Made:
    """The dataset `curated`."""
    return make(gcp, DATASET, datasetId="curated", location="us-central1", **more)


def table(gcp: GcpContext, **more: Any) -> Made:
    """A table of `curated` that a destroy takes away."""
    arguments = {"datasetId": "curated", "tableId": "events", "schema": json.dumps(COLUMNS)}
    return make(gcp, TABLE, **{**arguments, "deletionProtection": False, **more})


def team(gcp: GcpContext) -> str:
    """A service account's member."""
    return str(make(gcp, ACCOUNT, accountId="team-a").outputs["member"])


@pytest.fixture(scope="module")
def with_dataset(shared_data: GcpContext) -> GcpContext:
    """A Google with the dataset `curated`, for what is refused in it."""
    dataset(shared_data)
    return shared_data


def test_a_dataset_lives_and_its_members_are_entries_of_its_access(
    data: GcpContext, google: ApiServer
) -> None:
    created = dataset(data, labels={"zone": "curated"}, maxTimeTravelHours="72")
    assert created.id == f"projects/{PROJECT}/datasets/curated"
    assert created.update(description="Curated")["description"] == "Curated"
    member = make(data, MEMBER, datasetId="curated", role="roles/bigquery.dataViewer", member=team(data))
    datasets = client(google, "bigquery", "v2").datasets()
    answered = datasets.get(projectId=PROJECT, datasetId="curated").execute()
    email = f"team-a@{PROJECT}.iam.gserviceaccount.com"
    assert {"role": "READER", "userByEmail": email} in answered["access"]
    assert created.read() is not None
    assert created.update(friendlyName="Curated")["friendlyName"] == "Curated"
    assert member.read() is not None, "a change of the dataset keeps its members"
    member.delete()
    assert member.read() is None
    assert created.replaced_by(location="EU") == ["location"]
    table(data)
    with pytest.raises(CloudError, match="is still in use"):
        created.kind.delete(data, created.id, created.outputs)
    created.kind.delete(data, created.id, {**created.outputs, "deleteContentsOnDestroy": True})
    assert created.read() is None
    assert "datasetId" in refused(data, DATASET, datasetId="my-set")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"maxTimeTravelHours": "50"}, "multiple of 24 from 48 to 168"),
        ({"location": "mars"}, "Location 'mars'"),
        ({"accesses": [{"role": "OWNER"}]}, "must have exactly one of"),
        (
            {"accesses": [{"role": "READER", "userByEmail": f"gone@{PROJECT}.iam.gserviceaccount.com"}]},
            "does not exist",
        ),
        ({"accesses": [{"role": "roles/nothing", "specialGroup": "projectOwners"}]}, "is not supported"),
    ],
)
def test_a_dataset_that_cannot_be_is_refused(
    shared_data: GcpContext, more: dict[str, Any], words: str
) -> None:
    with pytest.raises(CloudError, match=words):
        make(shared_data, DATASET, **{"datasetId": "other", "location": "us-central1", **more})


def test_a_dataset_with_a_key_needs_bigquerys_right_on_it(data: GcpContext) -> None:
    ring = make(data, "gcp:kms/keyRing:KeyRing", name="ring", location="us-central1")
    key = make(data, "gcp:kms/cryptoKey:CryptoKey", name="data", keyRing=ring.id).id
    encryption = {"defaultEncryptionConfiguration": {"kmsKeyName": key}}
    with pytest.raises(CloudError, match=r"Grant roles/cloudkms\.cryptoKeyEncrypterDecrypter"):
        dataset(data, **encryption)
    response = functions()["gcp:bigquery/getDefaultServiceAccount:getDefaultServiceAccount"].invoke(data, {})
    make(
        data,
        "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
        cryptoKeyId=key,
        role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
        member=response["member"],
    )
    assert dataset(data, **encryption).outputs["defaultEncryptionConfiguration"] == {"kmsKeyName": key}
    with pytest.raises(AssertionError, match=r"finds drift.*encryptionConfiguration.*replace=True"):
        table(data)  # inherits the key, and every preview would make it again: the program must name it
    named = {"tableId": "named", "encryptionConfiguration": {"kmsKeyName": key}}
    assert table(data, **named).outputs["encryptionConfiguration"]["kmsKeyName"] == key


def test_a_table_lives_and_its_schema_grows_only(data: GcpContext) -> None:
    dataset(data)
    created = table(data, timePartitioning={"type": "DAY", "field": "at"}, clusterings=["country"])
    more = [*COLUMNS, {"name": "note", "type": "STRING"}]
    assert len(json.loads(created.update(schema=json.dumps(more))["schema"])) == 4
    same = json.dumps([{**column, "mode": column.get("mode", "nullable")} for column in reversed(more)])
    assert created.replaced_by(schema=same) == [], "order and ways of writing do not matter"
    assert len(json.loads(created.update(schema=json.dumps(COLUMNS))["schema"])) == 3, (
        "a column goes by a statement"
    )
    renamed = json.dumps([*COLUMNS[:1], {"name": "land", "type": "STRING"}, *COLUMNS[2:]])
    assert created.replaced_by(schema=renamed) == ["schema"]
    with pytest.raises(CloudError, match="Column country is used for partitioning or clustering"):
        created.update(schema=json.dumps([COLUMNS[0], COLUMNS[2]]))
    other = json.dumps([{**more[0], "type": "STRING"}, *more[1:]])
    assert created.replaced_by(schema=other) == ["schema"]
    assert created.replaced_by(timePartitioning={"type": "DAY", "field": "id"}) == ["timePartitioning.field"]
    with pytest.raises(CloudError, match="without setting deletion_protection=false"):
        created.kind.delete(data, created.id, {**created.outputs, "deletionProtection": True})
    created.delete()
    assert created.read() is None
    assert "schema" in refused(data, TABLE, datasetId="curated", tableId="t", schema="{")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"schema": json.dumps([{"name": "a b", "type": "STRING"}])}, "Invalid field name"),
        ({"schema": json.dumps([{"name": "a", "type": "VARCHAR"}])}, "VARCHAR is not a valid value"),
        ({"clusterings": ["nothing"]}, "specified for clustering cannot be found"),
        ({"timePartitioning": {"type": "DAY", "field": "country"}}, "can only be of type TIMESTAMP"),
        ({"datasetId": "nowhere"}, f"Not found: Dataset {PROJECT}:nowhere"),
        (
            {"schema": json.dumps([{**COLUMNS[1], "policyTags": {"names": ["projects/p"]}}])},
            "Policy tag resource",
        ),
    ],
)
def test_a_table_that_cannot_be_is_refused(
    with_dataset: GcpContext, more: dict[str, Any], words: str
) -> None:
    with pytest.raises(CloudError, match=words):
        table(with_dataset, **more)


def test_a_managed_iceberg_table_needs_its_connection_in_place(data: GcpContext) -> None:
    dataset(data)
    make(data, "gcp:storage/bucket:Bucket", name="acme-lake", location="us-central1")
    link = make(data, CONNECTION, connectionId="lake", location="us-central1", cloudResource={})
    account = link.outputs["cloudResource"]["serviceAccountId"]
    lake = {
        "connectionId": link.id,
        "storageUri": "gs://acme-lake/events",
        "fileFormat": "PARQUET",
        "tableFormat": "ICEBERG",
    }
    with pytest.raises(CloudError, match=rf"{account} does not have storage\.objects\.get"):
        table(data, biglakeConfiguration=lake)
    make(
        data,
        "gcp:storage/bucketIAMMember:BucketIAMMember",
        bucket="acme-lake",
        role="roles/storage.objectUser",
        member=f"serviceAccount:{account}",
    )
    created = table(data, biglakeConfiguration=lake)
    assert created.outputs["biglakeConfiguration"]["tableFormat"] == "ICEBERG"
    far = make(data, CONNECTION, connectionId="far", location="us-east1", cloudResource={})
    with pytest.raises(CloudError, match="must be in the same"):
        table(data, tableId="other", biglakeConfiguration={**lake, "connectionId": far.id})
    assert "aws" in refused(data, CONNECTION, location="us-central1")


def run(gcp: GcpContext, google: ApiServer, query: str, number: int) -> Any:
    """The status of a job of statements, once it is done."""
    query_config = {"query": query, "useLegacySql": False, "createDisposition": "", "writeDisposition": ""}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(google, "operation_seconds", 60)
        job = make(gcp, JOB, jobId=f"shape-{number}", location="us-central1", query=query_config)
    assert job.outputs["statuses"] == [{"state": "RUNNING"}], "the provider does not wait"
    with time_machine.travel(time.time() + 60):
        done = job.read()
    assert done is not None
    [status] = done["statuses"]
    assert status["state"] == "DONE"
    return status


def test_statements_shape_and_guard_a_table_of_an_iceberg_catalog(
    data: GcpContext, google: ApiServer
) -> None:
    test_resources.catalog(data, vended=False)
    make(data, test_resources.NAMESPACE, catalog="acme-dev", namespaceId="curated")
    table = test_resources.table(data)
    policy = make(
        data,
        POLICY,
        dataPolicyId="pii",
        location="us-central1",
        dataPolicyType="DATA_MASKING_POLICY",
        dataMaskingPolicy={"predefinedExpression": "ALWAYS_NULL"},
        grantees=["principalSet://goog/group/ml@example.com"],
    )
    assert policy.outputs["version"] == "V2"
    name = f"`{PROJECT}.acme-dev.curated.events`"
    options = f"""OPTIONS (data_policies = ["{{'name':'{PROJECT}.region-us-central1.pii'}}"])"""
    script = (
        f"ALTER TABLE {name}\n  ADD COLUMN IF NOT EXISTS `at` TIMESTAMP,\n"
        f"  ADD COLUMN IF NOT EXISTS `email` STRING {options};\n"
        f"ALTER TABLE {name} ALTER COLUMN `email` SET {options};\n"
        f"CREATE OR REPLACE ROW ACCESS POLICY `all_rows` ON {name}\n"
        '  GRANT TO ("user:ann@example.com") FILTER USING (TRUE)'
    )
    assert run(data, google, script, 1) == {"state": "DONE"}
    now = table.read()
    assert now is not None
    assert [field["name"] for field in now["schema"]["fields"]] == ["event_id", "at", "email"]
    wrong = run(data, google, f"ALTER TABLE {name} ADD COLUMN `email` STRING", 2)
    assert "Column already exists: email" in wrong["errorResults"][0]["message"]
    missing = run(data, google, f"ALTER TABLE `{PROJECT}.acme-dev.curated.gone` ADD COLUMN `x` STRING", 3)
    assert "Not found: Table" in missing["errorResults"][0]["message"]
    with pytest.raises(CloudError, match="not in the twin"):
        run(data, google, f"CREATE TABLE {name} (x INT64)", 4)
    assert "bigquery.jobs" not in inventory.of(google)
    bad = {"dataPolicyId": "x", "location": "us-central1", "dataPolicyType": "RAW_DATA_ACCESS_POLICY"}
    with pytest.raises(CloudError, match="Invalid grantee"):
        make(data, POLICY, **bad, grantees=["user:ann@example.com"])


def test_one_entry_of_a_datasets_access_comes_and_goes(data: GcpContext) -> None:
    dataset(data)
    who = team(data).partition(":")[2]
    arguments: dict[str, Any] = {
        "datasetId": "curated",
        "role": "roles/bigquery.dataViewer",
        "userByEmail": who,
    }
    created = make(data, "gcp:bigquery/datasetAccess:DatasetAccess", **arguments)
    assert created.id == f"projects/{PROJECT}/datasets/curated"
    other = make(
        data, MEMBER, datasetId="curated", role="roles/bigquery.dataEditor", member=f"serviceAccount:{who}"
    )
    created.delete()
    assert created.read() is None
    assert other.read() is not None
    assert "authorizedDataset" in refused(
        data, "gcp:bigquery/datasetAccess:DatasetAccess", datasetId="curated"
    )
