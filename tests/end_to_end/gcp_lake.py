"""A lakehouse on the twin's Google Cloud for tests: its accounts, and requests of theirs by real clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pulumi
import requests
from google.oauth2.credentials import Credentials
from googleapiclient import discovery
from googleapiclient.errors import HttpError
from httplib2 import Response

from tests.end_to_end import clients
from tests.end_to_end.test_gcp_provider import PROJECT
from twin import environment
from twin.gcp.api_server.state import State
from twin.gcp.iam.identity import Identity
from twin.instances import Instance

REGION: Final = "us-central1"
NETWORK: Final[dict[str, Any]] = {
    "cloud": "gcp",
    "project": PROJECT,
    "region": REGION,
    "vpc_id": f"projects/{PROJECT}/global/networks/n",
    "cidr": "10.0.0.0/16",
    "private_subnet_ids": [f"projects/{PROJECT}/regions/{REGION}/subnetworks/nodes"],
}
_BELOW: Final = {"storage": "storage/v1/", "bigquery": "bigquery/v2/"}
"""API -> what its endpoint has before the paths of its discovery document."""


def member(who: str, project: str = PROJECT) -> str:
    """Return a service account as a member of an IAM policy."""
    return f"serviceAccount:{who}@{project}.iam.gserviceaccount.com"


def program(
    accounts: Sequence[str], arguments: Mapping[str, Any], buckets: Sequence[str] = ()
) -> Callable[[], None]:
    """Return a program with service accounts, buckets, and a lakehouse that depends on them."""

    def declared() -> None:
        from pulumi_gcp import projects, serviceaccount, storage

        from aiplatform.lakehouse import Lakehouse

        apis = [
            projects.Service(api, service=f"{api}.googleapis.com", disable_on_destroy=False)
            for api in ("iam", "storage", "iamcredentials")
        ]
        options = pulumi.ResourceOptions(depends_on=apis)
        before: list[pulumi.Resource] = [
            serviceaccount.Account(who, account_id=who, opts=options) for who in accounts
        ]
        before += [
            storage.Bucket(name, name=name, location=REGION, force_destroy=True, opts=options)
            for name in buckets
        ]
        whole: Any = {
            "cloud": "gcp",
            "project": PROJECT,
            "region": REGION,
            "force_destroy": True,
            "account_settings": False,
            **arguments,
        }
        lake = Lakehouse("lake", whole, pulumi.ResourceOptions(depends_on=before))
        pulumi.export("lake", lake.outputs)

    return declared


def token(instance: Instance, who: str = "") -> str:
    """Return the access token of an account of the project; the deployer's for ""."""
    if not who:
        return environment.environment(instance)["GOOGLE_OAUTH_ACCESS_TOKEN"]
    state = State(instance.folder / "gcp" / "state.db")
    try:
        return Identity(instance, state).token(member(who, instance.account))
    finally:
        state.close()


def client(instance: Instance, api: str, version: str = "v1", who: str = "") -> Any:
    """Return a client of Google's library at the twin, as an account."""
    return discovery.build(
        api,
        version,
        credentials=Credentials(token(instance, who)),
        client_options={
            "api_endpoint": f"{instance.url('cloud')}/{api}.googleapis.com/{_BELOW.get(api, '')}"
        },
        static_discovery=True,
        cache_discovery=False,
    )


def query(instance: Instance, who: str, text: str, region: str = REGION) -> list[list[Any]]:
    """Return the rows that BigQuery returns to an account."""
    request = {"query": text, "useLegacySql": False, "location": region}
    jobs = client(instance, "bigquery", "v2", who).jobs()
    response = jobs.query(projectId=instance.account, body=request).execute()
    return [[cell["v"] for cell in row["f"]] for row in response.get("rows", [])]


def put(instance: Instance, who: str, bucket: str, name: str) -> None:
    """Write an object. By HTTP, because Google's library ignores the endpoint in uploads."""
    answer = requests.post(
        f"{instance.url('cloud')}/storage.googleapis.com/upload/storage/v1/b/{bucket}/o",
        params={"uploadType": "media", "name": name},
        headers={"Authorization": f"Bearer {token(instance, who)}", "Content-Type": "text/plain"},
        data=b"secret",
        timeout=30,
    )
    if not answer.ok:
        raise HttpError(Response({"status": answer.status_code}), answer.content)


def iceberg(
    instance: Instance, outputs: Mapping[str, Any], table: str, *asks: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the answers to accounts (`who`) by PyIceberg, in this order. `do`: a function of the client."""
    with_tokens = [{**ask, "token": token(instance, ask["who"])} for ask in asks]
    payload = {"lake": outputs, "google": instance.url("cloud"), "table": table, "asks": with_tokens}
    return clients.run("pyiceberg_google", "lake", payload)["answers"]
