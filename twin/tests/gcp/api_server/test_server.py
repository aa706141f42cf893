"""The API server: who asks, what is asked, in which project; and what a killed server knows afterwards."""

from __future__ import annotations

import pytest

from twin.gcp.api_server import inventory
from twin.gcp.api_server.server import ApiServer
from twin.tests.gcp import api_servers
from twin.tests.gcp.api_servers import PROJECT, REGION, client, refused


def test_a_request_without_a_token_is_unauthenticated(server: ApiServer) -> None:
    for token in ("", "ya29.wrong", "ya29.t.x.y"):
        error = refused(client(server, "cloudresourcemanager", token=token).projects().get(projectId=PROJECT))
        assert (error.code, error.status) == (401, "UNAUTHENTICATED"), token


def test_a_member_has_a_token_that_only_this_instance_knows(server: ApiServer) -> None:
    member = f"serviceAccount:{server.project_number}-compute@developer.gserviceaccount.com"
    token = server.identity.token(member)
    assert server.identity.authenticate(token) == member
    assert server.identity.authenticate(token[:-1] + "x") is None, "a forged token has no account"


def test_a_service_that_is_not_enabled_refuses_with_googles_words(server: ApiServer) -> None:
    error = refused(client(server, "compute").networks().list(project=PROJECT))
    assert (error.code, error.reason) == (403, "accessNotConfigured")
    assert f"Compute Engine API has not been used in project {server.project_number} before" in error.message
    error = refused(
        client(server, "cloudkms").projects().locations().get(name=f"projects/{PROJECT}/locations/us")
    )
    assert (error.code, error.status) == (403, "PERMISSION_DENIED")


def test_a_new_project_knows_no_accounts_until_their_service_is_enabled(server: ApiServer) -> None:
    list_request = client(server, "iam").projects().serviceAccounts().list(name=f"projects/{PROJECT}")
    assert "IAM) API has not been used in project" in refused(list_request).message


def test_a_project_without_service_usage_cannot_enable_it_by_its_own_api(server: ApiServer) -> None:
    services = client(server, "serviceusage").services()
    name = f"projects/{PROJECT}/services/serviceusage.googleapis.com"
    services.disable(name=name, body={}).execute()
    enable_request = services.enable(name=name, body={})
    assert "Service Usage API has not been used in project" in refused(enable_request).message


def test_another_project_is_not_reached(google: ApiServer) -> None:
    error = refused(client(google, "compute").networks().list(project="somebody-else"))
    assert (error.code, error.reason) == (404, "notFound")
    error = refused(client(google, "iam").projects().serviceAccounts().list(name="projects/somebody-else"))
    assert error.code == 403


def test_a_projects_number_is_its_id(google: ApiServer) -> None:
    api_servers.network(google)
    network = client(google, "compute").networks().get(project=google.project_number, network="net").execute()
    assert f"/projects/{PROJECT}/" in network["selfLink"], "links name the project by its id"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"name": "net", "autoCreateSubnetwork": False}, 'Unknown name "autoCreateSubnetwork"'),
        ({"name": "net", "autoCreateSubnetworks": "no"}, "a boolean is right"),
        ({"name": "Net", "autoCreateSubnetworks": False}, "Must be a match of regex"),
        ({"autoCreateSubnetworks": False}, "Required field 'resource.name' not specified"),
        ({"name": "net", "autoCreateSubnetworks": False, "mtu": 2**40}, "a whole number from"),
    ],
)
def test_a_body_that_the_schema_does_not_allow_is_refused(
    google: ApiServer, body: dict[str, object], words: str
) -> None:
    error = refused(client(google, "compute").networks().insert(project=PROJECT, body=body))
    assert error.code == 400
    assert words in error.message


def test_what_only_google_writes_is_ignored_in_a_request(google: ApiServer) -> None:
    api_servers.network(google, id="5", creationTimestamp="never", selfLink="x")
    network = client(google, "compute").networks().get(project=PROJECT, network="net").execute()
    assert network["id"] != "5"
    assert len(network["id"]) == 19, "an id has 19 digits, whatever was sent"


def test_the_same_intent_is_answered_once(google: ApiServer) -> None:
    compute = client(google, "compute", X_Twin_Intent="abc")
    body = {"name": "net", "autoCreateSubnetworks": False}
    one = compute.networks().insert(project=PROJECT, body=body).execute()
    two = compute.networks().insert(project=PROJECT, body=body).execute()
    assert one == two, "a repeated call adopts the answer"
    other = client(google, "compute", X_Twin_Intent="def")
    assert refused(other.networks().insert(project=PROJECT, body=body)).code == 409


def test_a_refused_request_leaves_nothing(google: ApiServer) -> None:
    compute = client(google, "compute")
    body = {"name": "r", "network": "global/networks/none"}
    assert refused(compute.routers().insert(project=PROJECT, region=REGION, body=body)).code == 400
    assert inventory.of(google) == {}


def test_a_server_that_was_killed_knows_everything_again(google: ApiServer) -> None:
    link = api_servers.network(google)
    before = client(google, "compute").networks().get(project=PROJECT, network="net").execute()
    again = api_servers.make()  # the first one never closed its file
    after = client(again, "compute").networks().get(project=PROJECT, network="net").execute()
    assert (before, again.project_number) == (after, google.project_number)
    assert inventory.of(again) == {"compute.networks": [link.partition("/v1/")[2]]}
    again.close()


def test_the_baseline_is_no_resource(google: ApiServer) -> None:
    assert inventory.of(google) == {}, "accounts that Google makes and enabled services are not counted"


def test_lists_come_in_pages_and_can_be_filtered(google: ApiServer) -> None:
    for name in ("a1", "b1", "c1"):
        api_servers.network(google, name)
    compute = client(google, "compute")
    one = compute.networks().list(project=PROJECT, maxResults=2).execute()
    two = compute.networks().list(project=PROJECT, maxResults=2, pageToken=one["nextPageToken"]).execute()
    assert [network["name"] for network in one["items"] + two["items"]] == ["a1", "b1", "c1"]
    filtered = compute.networks().list(project=PROJECT, filter='name = "b1"').execute()
    assert [network["name"] for network in filtered["items"]] == ["b1"]
