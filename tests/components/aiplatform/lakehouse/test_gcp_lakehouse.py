"""The lakehouse on Google Cloud: catalog, tables, policies and grants."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aiplatform._shared.args import read
from aiplatform._shared.references.lakehouse import LakehouseReference
from aiplatform.lakehouse import types
from aiplatform.lakehouse.gcp import bigquery_types
from tests.components.aiplatform.lakehouse.google import (
    ANALYSTS,
    BY_TABLE,
    BY_ZONES,
    ORDERS,
    PIPELINE,
    PROJECT,
    SUPPORT,
    everything,
    lakehouse,
    logical,
)
from tests.components.recording import Recording, value

BUCKET = "gcp:storage/bucket:Bucket"
TABLE = "gcp:biglake/icebergTable:IcebergTable"
POLICY = "gcp:bigquery/datapolicyv2DataPolicy:Datapolicyv2DataPolicy"
SHAPE = "gcp:bigquery/job:Job"
FILES = "gcp:storage/managedFolderIamMember:ManagedFolderIamMember"
STATEMENTS = "gcp:storage/bucketObject:BucketObject"
ON_TABLE = "gcp:biglake/icebergTableIamMember:IcebergTableIamMember"
ZONES = ("curated", "raw", "serving")
ACCOUNT = "principal://iam.googleapis.com/projects/-/serviceAccounts"


@pytest.fixture(scope="module")
def default() -> Recording:
    """One table, a grant by zones, and one by table with a condition."""
    return lakehouse(grants=[BY_ZONES, BY_TABLE])


def _statements(recorded: Recording) -> list[str]:
    return recorded.one(SHAPE).inputs["query"]["query"].split(";\n")


def test_logical_names_are_a_contract(default: Recording) -> None:
    apis = (
        "biglake", "bigquery", "bigquerydatapolicy", "bigquerystorage", "cloudkms", "cloudresourcemanager",
        "iam", "logging", "pubsub", "serviceusage", "storage",
    )  # fmt: skip
    policies = ("internal", "internal-masked", "pii", "pii-masked")
    member, dataset = "gcp:projects/iAMMember:IAMMember", "gcp:bigquery/datasetIamMember:DatasetIamMember"
    assert default.names() == sorted(
        [
            "aiplatform:index:Lakehouse lake",
            "gcp:biglake/icebergCatalog:IcebergCatalog lake-catalog",
            f"gcp:biglake/icebergCatalogIamMember:IcebergCatalogIamMember lake-writer-{logical(PIPELINE)}",
            *(f"gcp:biglake/icebergNamespace:IcebergNamespace lake-{zone}" for zone in ZONES),
            f"{TABLE} lake-curated-orders",
            *(f"{ON_TABLE} lake-{logical(entry)}-curated.orders-read" for entry in (ANALYSTS, SUPPORT)),
            *(f"{POLICY} lake-curated-orders-{policy}" for policy in policies),
            *(f"gcp:bigquery/dataset:Dataset lake-{zone}" for zone in ZONES),
            *(f"{dataset} lake-writer-{logical(PIPELINE)}-{zone}" for zone in ZONES),
            f"{SHAPE} lake-curated-orders-shape",
            f"{STATEMENTS} lake-curated-orders-statements",
            "gcp:kms/cryptoKey:CryptoKey lake-key",
            *(
                f"gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember lake-key-{service}"
                for service in ("bigquery", "logging", "pubsub", "storage")
            ),
            "gcp:kms/keyRing:KeyRing lake-keys",
            *(
                f"gcp:logging/project{kind}:Project{kind} lake-access"
                for kind in ("BucketConfig", "Exclusion", "Sink")
            ),
            *(f"gcp:projects/iAMAuditConfig:IAMAuditConfig lake-{entry}" for entry in ("biglake", "storage")),
            *(f"gcp:projects/iAMCustomRole:IAMCustomRole lake-{entry}" for entry in ("client", "writer")),
            *(f"{member} lake-asks-{logical(entry)}" for entry in (ANALYSTS, PIPELINE, SUPPORT)),
            "gcp:projects/iAMMember:IAMMember lake-pubsub-agent",
            *(f"gcp:projects/service:Service lake-api-{api}" for api in apis),
            "gcp:projects/serviceIdentity:ServiceIdentity lake-pubsub",
            "gcp:pubsub/topic:Topic lake-arrivals",
            "gcp:pubsub/topicIAMMember:TopicIAMMember lake-arrivals-publisher",
            "gcp:serviceusage/consumerQuotaOverride:ConsumerQuotaOverride lake-queries",
            *(f"{BUCKET} lake-{zone}" for zone in ZONES),
            *(f"gcp:storage/bucketIAMMember:BucketIAMMember lake-{zone}-catalog" for zone in ZONES),
            *(f"gcp:storage/managedFolder:ManagedFolder lake-{zone}-files" for zone in ZONES),
            *(f"{FILES} lake-{zone}-files-{logical(PIPELINE)}" for zone in ZONES),
            "gcp:storage/notification:Notification lake-arrivals",
        ]
    )


def test_a_table_is_declared_once_and_then_managed_by_iceberg(default: Recording) -> None:
    orders = default.one(TABLE)
    assert [(field["id"], field["name"], field["type"]) for field in orders.inputs["schema"]["fields"]] == [
        (1, "id", "long"),
        (2, "ordered_at", "timestamptz"),
        (3, "amount", "decimal(10,2)"),
        (4, "email", "string"),
        (5, "country", "string"),
    ]
    assert orders.inputs["partitionSpec"]["fields"] == [
        {"name": "ordered_at_day", "sourceId": 2, "transform": "day"}
    ]
    assert orders.inputs["sortOrder"]["fields"][0]["nullOrder"] == "nulls-last"
    assert set(orders.ignore_changes) == {"schema", "partitionSpec", "sortOrder", "properties"}
    assert "location" not in orders.inputs, "the catalog decides it, with a random ending"
    namespace = default.one("gcp:biglake/icebergNamespace:IcebergNamespace", "lake-curated").inputs
    assert namespace["properties"]["location"] == f"gs://acme-dev-curated-{PROJECT}/tables"


def test_only_the_catalog_has_access_to_files_of_tables(default: Recording) -> None:
    catalog = default.one("gcp:biglake/icebergCatalog:IcebergCatalog").inputs
    assert catalog["credentialMode"] == "CREDENTIAL_MODE_VENDED_CREDENTIALS"
    buckets = [f"gs://acme-dev-{zone}-{PROJECT}" for zone in ("raw", "curated", "serving")]
    assert catalog["restrictedLocationsConfig"]["restrictedLocations"] == buckets
    for grant in default.all("gcp:storage/bucketIAMMember:BucketIAMMember"):
        assert grant.inputs["member"].endswith("gcp-sa-biglakerestcatalog.iam.gserviceaccount.com")
    folders = default.all("gcp:storage/managedFolderIamMember:ManagedFolderIamMember")
    assert {folder.inputs["member"] for folder in folders} == {PIPELINE}
    assert {folder.inputs["managedFolder"] for folder in folders} == {"files/"}
    table = default.one(TABLE)
    for zone in ZONES:
        access = default.one("gcp:storage/bucketIAMMember:BucketIAMMember", f"lake-{zone}-catalog")
        assert default.depends(table, on=access), "the catalog writes a table's first metadata"


def test_no_member_is_everybody_and_no_role_is_basic(default: Recording) -> None:
    for registered in default.resources:
        said = json.dumps(registered.inputs)
        assert "allUsers" not in said, registered.name
        assert "allAuthenticatedUsers" not in said, registered.name
        assert registered.inputs.get("role") not in ("roles/owner", "roles/editor", "roles/viewer")
    for role in default.all("gcp:projects/iAMCustomRole:IAMCustomRole"):
        assert not [
            permission
            for permission in role.inputs["permissions"]
            if "*" in permission or "delete" in permission.lower()
        ]


def test_a_column_is_seen_masked_or_refused_by_its_classification(default: Recording) -> None:
    raw = default.one(POLICY, "lake-curated-orders-internal").inputs
    assert raw["dataPolicyType"] == "RAW_DATA_ACCESS_POLICY"
    pipeline = f"{ACCOUNT}/pipeline@{PROJECT}.iam.gserviceaccount.com"
    support = f"{ACCOUNT}/support@{PROJECT}.iam.gserviceaccount.com"
    group = "principalSet://goog/group/analysts@acme.example"
    deployer = f"{ACCOUNT}/deployer@{PROJECT}.iam.gserviceaccount.com"
    assert raw["grantees"] == [deployer, pipeline, support, group]
    assert default.one(POLICY, "lake-curated-orders-pii").inputs["grantees"] == [deployer, pipeline, support]
    masked = default.one(POLICY, "lake-curated-orders-pii-masked").inputs
    assert (masked["grantees"], masked["dataMaskingPolicy"]) == (
        [group],
        {"predefinedExpression": "ALWAYS_NULL"},
    )


def test_a_tables_policies_are_the_same_for_any_grants(default: Recording) -> None:
    alone = lakehouse(grants=[])
    assert [resource.name for resource in alone.all(POLICY)] == [
        resource.name for resource in default.all(POLICY)
    ], "one that stays in the cloud when it leaves the program would conflict with itself later"
    agent = f"{ACCOUNT}/bq-123456789012@bigquery-encryption.iam.gserviceaccount.com"
    assert alone.one(POLICY, "lake-curated-orders-pii-masked").inputs["grantees"] == [agent], (
        "the provider cannot empty the list: the last principal that loses its grants would stay in it"
    )
    for policy in alone.all(POLICY):
        assert policy.inputs["grantees"], policy.name
    assert agent not in default.one(POLICY, "lake-curated-orders-pii-masked").inputs["grantees"]


def test_policies_are_attached_by_statements_that_can_be_repeated(default: Recording) -> None:
    name = f"`{PROJECT}.acme-dev-lakehouse.acme_dev_curated.orders`"
    added, governed, *_ = _statements(default)
    assert added.startswith(f"ALTER TABLE {name}\n  ADD COLUMN IF NOT EXISTS `id` INT64,\n")
    assert "ADD COLUMN IF NOT EXISTS `amount` NUMERIC(10, 2) OPTIONS (data_policies = [" in added
    assert added.endswith("ADD COLUMN IF NOT EXISTS `country` STRING"), "public: a policy would hide it"
    place = f"{PROJECT}.region-europe-west4.acme_dev_curated_orders"
    assert governed.startswith(f"ALTER TABLE {name}\n  ALTER COLUMN `id` SET OPTIONS (data_policies = []),\n")
    assert (
        "ALTER COLUMN `email` SET OPTIONS (data_policies = ["
        f"\"{{'name':'{place}_pii'}}\", \"{{'name':'{place}_pii_masked'}}\"])"
    ) in governed
    job = default.one(SHAPE).inputs
    assert (job["query"]["createDisposition"], job["query"]["writeDisposition"]) == ("", "")
    assert job["query"]["useLegacySql"] is False


def test_a_column_that_a_client_added_has_its_tables_highest_classification() -> None:
    def evolved(name: str, inputs: Any) -> dict[str, Any]:
        more = {"id": 6, "name": "note", "type": "string", "required": False}
        schema = {**inputs["schema"], "fields": [*inputs["schema"]["fields"], more]}
        return {"schema": schema, "location": "gs://bucket/tables/orders/5f3a"}

    added, governed, *_ = _statements(lakehouse(computed={TABLE: evolved}))
    assert "`note`" not in added, "it is there"
    note = governed.split(",\n")[-1]
    assert "ALTER COLUMN `note`" in note
    assert "orders_pii'" in note, "refused or null for all that do not see what is pii"


def test_rows_are_visible_as_granted(default: Recording) -> None:
    whole, some, *unused = _statements(default)[2:]
    deployer = f"serviceAccount:deployer@{PROJECT}.iam.gserviceaccount.com"
    assert "CREATE OR REPLACE ROW ACCESS POLICY `all_rows`" in whole
    assert f'GRANT TO ("{ANALYSTS}", "{deployer}", "{PIPELINE}") FILTER USING (TRUE)' in whole
    assert "CREATE OR REPLACE ROW ACCESS POLICY `rows_01`" in some
    assert f"GRANT TO (\"{SUPPORT}\") FILTER USING (country = 'DE')" in some
    name = f"`{PROJECT}.acme-dev-lakehouse.acme_dev_curated.orders`"
    assert unused == [
        f"DROP ROW ACCESS POLICY IF EXISTS `rows_{number:02}` ON {name}" for number in range(2, 17)
    ], "of a grant that is gone: BigQuery keeps a policy until it is dropped by its name"


def test_equal_conditions_are_one_row_policy() -> None:
    other = {**BY_TABLE, "name": "sales", "principal": "group:sales@acme.example"}
    _, some, *unused = _statements(lakehouse(grants=[BY_TABLE, other]))[2:]
    assert f'GRANT TO ("group:sales@acme.example", "{SUPPORT}")' in some
    assert len(unused) == 15


def test_access_waits_for_the_policies_and_is_revoked_before_they_change(default: Recording) -> None:
    job = default.one(SHAPE)
    assert job.delete_before_replace, "the engine then deletes first what has a property of it"
    for principal in (ANALYSTS, SUPPORT):
        member = default.one(ON_TABLE, f"lake-{logical(principal)}-curated.orders-read")
        assert job.urn in member.property_dependencies["name"], "an input whose change replaces the member"
        assert default.one(STATEMENTS).urn in member.property_dependencies["name"], (
            "BigQuery forgets a job after six months: a new one then replaces none"
        )
    assert default.one(STATEMENTS).delete_before_replace, "so that it withdraws access without the job, too"
    for policy in ("internal", "internal-masked", "pii", "pii-masked"):
        assert default.depends(default.one(TABLE), on=default.one(POLICY, f"lake-curated-orders-{policy}")), (
            "a policy is deleted after the last column that has it"
        )


def test_only_writers_have_roles_on_zones(default: Recording) -> None:
    for member in default.all("gcp:bigquery/datasetIamMember:DatasetIamMember"):
        assert member.inputs["member"] == PIPELINE, "a dataset does not know classifications"
    assert not default.all("gcp:biglake/icebergNamespaceIamMember:IcebergNamespaceIamMember"), (
        "a namespace's role would reach a table before its policies are in force"
    )
    for dataset in default.all("gcp:bigquery/dataset:Dataset"):
        assert dataset.inputs["accesses"] == [{"role": "OWNER", "specialGroup": "projectOwners"}], (
            "BigQuery's own default grants the project's basic readers access"
        )


def test_a_later_table_of_a_zone_is_granted_when_it_is_declared() -> None:
    later = {"zone": "serving", "name": "sums", "columns": [{"name": "total", "type": "double"}]}
    recorded = lakehouse(tables=[ORDERS, later], grants=[BY_ZONES])
    assert [resource.name for resource in recorded.all(ON_TABLE)] == [
        f"lake-{logical(ANALYSTS)}-curated.orders-read",
        f"lake-{logical(ANALYSTS)}-serving.sums-read",
    ]


def test_two_grants_of_a_principal_on_a_table_are_one_binding() -> None:
    more = {**BY_TABLE, "principal": ANALYSTS, "rows": None, "classifications": ["public", "pii"]}
    recorded = lakehouse(grants=[BY_ZONES, more])
    assert [resource.name for resource in recorded.all(ON_TABLE)] == [
        f"lake-{logical(ANALYSTS)}-curated.orders-read"
    ], "deleting either of two equal ones would delete both"
    pii = recorded.one(POLICY, "lake-curated-orders-pii").inputs["grantees"]
    assert "principalSet://goog/group/analysts@acme.example" in pii


def test_a_jobs_id_depends_on_its_statements_and_the_table(default: Recording) -> None:
    def elsewhere(name: str, inputs: Any) -> dict[str, Any]:
        return {"location": "gs://bucket/tables/orders/9c1d"}

    again = lakehouse(computed={TABLE: elsewhere}, grants=[BY_ZONES, BY_TABLE])
    other = lakehouse(computed={TABLE: elsewhere}, account_settings=False, arrival_events=False)
    ids = {recorded.one(SHAPE).inputs["jobId"] for recorded in (default, again, other)}
    assert len(ids) == 3, "a table that is created again, and another declaration"
    assert all(entry.startswith("acme-dev-curated-orders-") for entry in ids)


def test_recurring_statements_run_as_another_job(default: Recording) -> None:
    def later(name: str, inputs: Any) -> dict[str, Any]:
        return {"generation": 1764201600000002}

    back = lakehouse(computed={STATEMENTS: later}, grants=[BY_ZONES, BY_TABLE])
    first, second = (recorded.one(SHAPE).inputs["jobId"] for recorded in (default, back))
    assert _statements(back) == _statements(default)
    assert first.endswith("-1764201600000001"), "BigQuery accepts an id once"
    assert second == first.removesuffix("1") + "2"
    written = default.one(STATEMENTS)
    assert written.urn in default.one(SHAPE).property_dependencies["jobId"]
    assert default.one(SHAPE).delete_before_replace, "or the members would stay while the job is replaced"
    assert (
        default.one(SHAPE).urn
        in default.one(ON_TABLE, f"lake-{logical(SUPPORT)}-curated.orders-read").property_dependencies["name"]
    )


def test_everything_that_replaces_a_job_is_part_of_its_script(default: Recording) -> None:
    def elsewhere(name: str, inputs: Any) -> dict[str, Any]:
        return {"location": "gs://bucket/tables/orders/9c1d"}

    grants = [BY_ZONES, BY_TABLE]
    others = [
        lakehouse(grants=[BY_ZONES]),
        lakehouse(grants=grants, computed={TABLE: elsewhere}),
        lakehouse(grants=grants, tags={"team": "data"}),
    ]
    # The provider's schema says that an object's content is sensitive.
    written = [recorded.one(STATEMENTS).inputs["content"]["value"] for recorded in (default, *others)]
    assert len(set(written)) == 4, "the object is written again, and the job's id changes"
    assert written[0].endswith(f"{default.one(SHAPE).inputs['query']['query']}\n")


def test_statements_are_stored_outside_of_readers_and_legal_holds() -> None:
    recorded = everything()
    for written in recorded.all(STATEMENTS):
        assert written.inputs["bucket"] == f"acme-dev-curated-{PROJECT}", "raw may be under a legal hold"
        assert written.inputs["name"].startswith("platform/policies/"), "writers have the folder files/ alone"
        assert (written.protect, written.retain_on_delete) == (None, None), "it is no data"
    assert len(recorded.all(STATEMENTS)) == 2


def test_columns_of_the_file_layout_are_refused_and_not_masked() -> None:
    some = {**BY_ZONES, "classifications": ["public"]}
    columns = _statements(lakehouse(grants=[some]))[1].split(",\n")
    amount = next(column for column in columns if "ALTER COLUMN `amount`" in column)
    ordered = next(column for column in columns if "ALTER COLUMN `ordered_at`" in column)
    assert "acme_dev_curated_orders_internal_masked" in amount
    assert "masked" not in ordered, "BigQuery masks no partition column"


def test_a_grant_by_zones_writes_tables_of_which_it_has_every_column() -> None:
    plain = {"zone": "curated", "name": "sums", "columns": [{"name": "total", "type": "double"}]}
    recorded = lakehouse(tables=[ORDERS, plain], grants=[{**BY_ZONES, "actions": ["read", "write"]}])
    [written] = [resource for resource in recorded.all(ON_TABLE) if resource.name.endswith("-write")]
    assert written.inputs["name"] == "sums", "orders has a pii column"
    assert written.inputs["role"].startswith("lake-writer"), "a role that makes and drops no table"


def test_administrators_see_all_because_the_provider_requests_credentials() -> None:
    recorded = lakehouse(admins=["user:jane@acme.example", "group:platform@acme.example"])
    pii = recorded.one(POLICY, "lake-curated-orders-pii").inputs["grantees"]
    assert "principal://goog/subject/jane@acme.example" in pii
    assert "principalSet://goog/group/platform@acme.example" in pii
    assert '"user:jane@acme.example"' in _statements(recorded)[2]


def test_outputs_are_a_reference(default: Recording) -> None:
    outputs = default.result.outputs
    reference = read(LakehouseReference, outputs, "lakehouse")
    assert (reference.project, reference.region) == (PROJECT, "europe-west4")
    assert value(outputs["warehouse"]) == f"bl://projects/{PROJECT}/catalogs/acme-dev-lakehouse"
    assert value(reference.zone("serving").dataset) == "acme_dev_serving"
    tables: Any = reference.tables  # The type allows an output as a whole.
    assert value(tables[0].location) == "gs://bucket/tables/orders/5f3a"
    assert value(outputs["log_bucket"]).startswith("acme-dev-lakehouse-access-")
    assert default.one("aiplatform:index:Lakehouse").outputs is not None
    for registered in default.resources:
        if registered.type != "aiplatform:index:Lakehouse":
            assert registered.parent.endswith("Lakehouse::lake"), registered.name


@pytest.mark.parametrize(
    ("iceberg", "sql"),
    [
        ("int", "INT64"), ("timestamp", "DATETIME"), ("timestamptz", "TIMESTAMP"), ("uuid", "BYTES"),
        ("fixed[16]", "BYTES(16)"), ("decimal(38,9)", "NUMERIC(38, 9)"),
        ("decimal(38,10)", "BIGNUMERIC(38, 10)"),
    ],
)  # fmt: skip
def test_types_are_converted_to_bigquerys(iceberg: str, sql: str) -> None:
    assert bigquery_types.sql_type(types.parse(iceberg)) == sql


def test_the_example_matches_the_tests() -> None:
    classifications = {column.get("classification", "internal") for column in ORDERS["columns"]}
    assert classifications == {"public", "internal", "pii"}
