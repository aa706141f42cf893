"""Who gets credentials for files of an Iceberg table, and how far they reach; uploads and reads in parts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from twin.gcp.api_server.server import ApiServer
from twin.gcp.credentials import deployer
from twin.tests.gcp import api_servers
from twin.tests.gcp.api_servers import PROJECT, REGION, Wire, client

CATALOG = "biglake.googleapis.com/iceberg/v1/restcatalog"
PLACE = f"projects/{PROJECT}/catalogs/lake"
TABLE = f"{PLACE}/namespaces/shop/tables/orders"
WHOLE, SOME, STRANGER = (
    f"serviceAccount:{who}@elsewhere.iam.gserviceaccount.com" for who in ("whole", "some", "no")
)
VENDED = {"X-Iceberg-Access-Delegation": "vended-credentials"}


def _ask(
    server: ApiServer, who: str, verb: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any]:
    """A request of a member, of the deployer for ""; (status, JSON or bytes)."""
    token = server.identity.token(who) if who else deployer(server.instance).access_token
    wire = Wire(server, token, {})
    raw = body if isinstance(body, bytes | None) else json.dumps(body)
    kind = {"Content-Type": "application/octet-stream" if isinstance(body, bytes) else "application/json"}
    answer, content = wire.request(f"{api_servers.BASE}/{path}", verb, raw, {**kind, **headers})
    try:
        return int(answer["status"]), json.loads(content or b"{}")
    except ValueError:
        return int(answer["status"]), content


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A table with a column that SOME do not see."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIPLATFORM_HOME", str(tmp_path_factory.mktemp("home")))
        server = api_servers.make()
        api_servers.enable(
            server, "storage", "biglake", "bigquery", "bigquerydatapolicy", "cloudresourcemanager"
        )
        _make(server)
        yield server
        server.close()


def _make(server: ApiServer) -> None:
    buckets = client(server, "storage").buckets()
    bucket = {"name": "acme-lake", "location": REGION, "iamConfiguration": _UNIFORM}
    buckets.insert(project=PROJECT, body=bucket).execute()
    catalog = {
        "catalog-type": "CATALOG_TYPE_BIGLAKE",
        "credential-mode": "CREDENTIAL_MODE_VENDED_CREDENTIALS",
        "default-location": "gs://acme-lake",
    }
    at = f"{CATALOG}/extensions/projects/{PROJECT}/catalogs?iceberg-catalog-id=lake&primary_location={REGION}"
    status, answer = _ask(server, "", "POST", at, catalog)
    assert status == 200, answer
    policy = {
        "bindings": [
            {
                "role": "roles/storage.objectUser",
                "members": [f"serviceAccount:{answer['biglake-service-account']}"],
            }
        ]
    }
    buckets.setIamPolicy(bucket="acme-lake", body=policy).execute()
    namespace = {"namespace": ["shop"], "properties": {"location": "gs://acme-lake/tables"}}
    assert _ask(server, "", "POST", f"{CATALOG}/v1/{PLACE}/namespaces", namespace)[0] == 200
    fields = [
        {"id": 1, "name": "id", "type": "long", "required": True},
        {"id": 2, "name": "email", "type": "string", "required": False},
    ]
    table = {"name": "orders", "schema": {"type": "struct", "fields": fields}}
    status, answered = _ask(server, "", "POST", f"{CATALOG}/v1/{PLACE}/namespaces/shop/tables", table)
    assert status == 200, answered
    _govern(server)


_UNIFORM = {"uniformBucketLevelAccess": {"enabled": True}}


def _govern(server: ApiServer) -> None:
    """WHOLE and SOME may read the table; of its column email WHOLE alone sees the values."""
    policies = client(server, "bigquerydatapolicy", "v2").projects().locations().dataPolicies()
    account = f"principal://iam.googleapis.com/projects/-/serviceAccounts/{WHOLE.partition(':')[2]}"
    policy = {"dataPolicyType": "RAW_DATA_ACCESS_POLICY", "grantees": [account]}
    parent = f"projects/{PROJECT}/locations/{REGION}"
    policies.create(parent=parent, body={"dataPolicyId": "pii", "dataPolicy": policy}).execute()
    name = f"`{PROJECT}.lake.shop.orders`"
    script = (
        f"ALTER TABLE {name} ALTER COLUMN `email` SET OPTIONS "
        f"(data_policies = [\"{{'name':'{PROJECT}.region-{REGION}.pii'}}\"]);\n"
        f'CREATE OR REPLACE ROW ACCESS POLICY `all_rows` ON {name} GRANT TO ("{WHOLE}", "{SOME}") '
        "FILTER USING (TRUE)"
    )
    job = {
        "jobReference": {"projectId": PROJECT, "jobId": "shape", "location": REGION},
        "configuration": {"query": {"query": script, "useLegacySql": False}},
    }
    jobs = client(server, "bigquery", "v2").jobs()
    jobs.insert(projectId=PROJECT, body=job).execute()
    done = jobs.get(projectId=PROJECT, jobId="shape", location=REGION).execute()
    assert done["status"] == {"state": "DONE"}
    bindings = [{"role": "roles/biglake.viewer", "members": [WHOLE, SOME]}]
    tables = client(server, "biglake").projects().catalogs().namespaces().tables()
    tables.setIamPolicy(resource=TABLE, body={"policy": {"bindings": bindings}}).execute()


def _token(server: ApiServer) -> str:
    status, answered = _ask(server, WHOLE, "GET", f"{CATALOG}/v1/{TABLE}", **VENDED)
    assert status == 200, answered
    [storage] = answered["storage-credentials"]
    assert storage["prefix"] == f"{answered['metadata']['location']}/"
    assert storage["config"] == answered["config"]
    return str(answered["config"]["gcs.oauth2.token"])


def test_who_sees_all_of_a_table_gets_credentials_and_who_does_not_is_refused(lake: ApiServer) -> None:
    assert _token(lake)
    status, answered = _ask(lake, SOME, "GET", f"{CATALOG}/v1/{TABLE}", **VENDED)
    assert status == 403
    assert "no unrestricted access to column email" in answered["error"]["message"]
    status, answered = _ask(lake, SOME, "GET", f"{CATALOG}/v1/{TABLE}")
    assert (status, answered["config"]) == (200, {}), "metadata is no secret for readers"
    assert "storage-credentials" not in answered


def test_who_has_no_role_sees_nothing(lake: ApiServer) -> None:
    for path, permission in (
        (f"v1/config?warehouse=bl://{PLACE}", "biglake.catalogs.get"),
        (f"v1/{TABLE}", "biglake.tables.get"),
    ):
        status, answered = _ask(lake, STRANGER, "GET", f"{CATALOG}/{path}")
        assert status == 403, path
        assert f"Permission '{permission}' denied" in answered["error"]["message"]
    status, _ = _ask(lake, WHOLE, "POST", f"{CATALOG}/v1/{TABLE}", {"requirements": [], "updates": []})
    assert status == 403, "a viewer commits nothing"


def test_credentials_reach_the_files_of_the_table_and_read_them(lake: ApiServer) -> None:
    _, answered = _ask(lake, WHOLE, "GET", f"{CATALOG}/v1/{TABLE}", **VENDED)
    folder = answered["metadata"]["location"].removeprefix("gs://acme-lake/")
    wire = Wire(lake, _token(lake), {})

    def status(verb: str, path: str) -> int:
        answer, _ = wire.request(
            f"{api_servers.BASE}/storage/v1/b/{path}", verb, b"x" if verb == "POST" else None
        )
        return int(answer["status"])

    metadata = answered["metadata-location"].removeprefix("gs://acme-lake/").replace("/", "%2F")
    assert status("GET", f"acme-lake/o/{metadata}?alt=media") == 200
    assert status("GET", f"acme-lake/o?prefix={folder}/data") == 200
    assert status("GET", "acme-lake/o?prefix=tables/other/") == 403
    assert status("GET", "acme-lake/o/files%2Fsecret?alt=media") == 403
    assert status("DELETE", f"acme-lake/o/{metadata}") == 403, "a viewer's token writes nothing"
    answer, _ = wire.request(
        f"{api_servers.BASE}/upload/storage/v1/b/acme-lake/o?uploadType=media&name={folder}/data/x",
        "POST",
        b"x",
    )
    assert answer["status"] == "403"


def test_an_upload_in_parts_and_a_read_of_a_range(lake: ApiServer) -> None:
    wire = Wire(lake, deployer(lake.instance).access_token, {"Host": "front"})
    begun, _ = wire.request(
        f"{api_servers.BASE}/upload/storage/v1/b/acme-lake/o?uploadType=resumable&name=big", "POST", b"{}"
    )
    place, part = begun["location"], 256 * 1024
    halfway, _ = wire.request(place, "PUT", b"a" * part, {"Content-Range": f"bytes 0-{part - 1}/*"})
    assert (halfway["status"], halfway["range"]) == ("308", f"bytes=0-{part - 1}")
    wrong, _ = wire.request(place, "PUT", b"b", {"Content-Range": f"bytes 7-7/{part + 1}"})
    assert wrong["status"] == "400"
    done, content = wire.request(place, "PUT", b"b", {"Content-Range": f"bytes {part}-{part}/{part + 1}"})
    assert (done["status"], json.loads(content)["size"]) == ("200", str(part + 1))
    gone, _ = wire.request(place, "PUT", b"c")
    assert gone["status"] == "404"
    media = f"{api_servers.BASE}/storage/v1/b/acme-lake/o/big?alt=media"
    some, content = wire.request(media, headers={"Range": f"bytes={part - 1}-{part}"})
    assert (some["status"], content, some["content-range"]) == (
        "206",
        b"ab",
        f"bytes {part - 1}-{part}/{part + 1}",
    )
    assert wire.request(media, headers={"Range": "bytes=-1"})[1] == b"b"
    beyond, _ = wire.request(media, headers={"Range": f"bytes={part + 5}-"})
    assert beyond["status"] == "416"
