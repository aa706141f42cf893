"""Service accounts, roles, policies, services."""

from __future__ import annotations

from typing import Any

import pytest
from googleapiclient.errors import HttpError

from twin.gcp.api_server.server import ApiServer
from twin.tests.gcp.api_servers import PROJECT, client, enable, refused

PARENT = f"projects/{PROJECT}"


def account(server: ApiServer, name: str = "gke-nodes") -> str:
    """A service account; answers its email."""
    request = client(server, "iam").projects().serviceAccounts().create(name=PARENT, body={"accountId": name})
    return request.execute()["email"]


def set_policy(server: ApiServer, *bindings: dict[str, Any], **more: Any) -> Any:
    """The request that adds bindings to the project's policy."""
    projects = client(server, "cloudresourcemanager").projects()
    policy = projects.getIamPolicy(resource=PROJECT, body={}).execute()
    policy["bindings"] = [*policy["bindings"], *bindings]
    return projects.setIamPolicy(resource=PROJECT, body={"policy": {**policy, **more}})


def _status(request: Any) -> int:
    try:
        request.execute()
    except HttpError as error:
        return int(error.status_code)
    return 200


@pytest.mark.parametrize("name", ["short", "a" * 31, "Upper-case", "1-digit-first", "ends-with-"])
def test_an_account_id_has_6_to_30_characters(shared: ApiServer, name: str) -> None:
    accounts = client(shared, "iam").projects().serviceAccounts()
    error = refused(accounts.create(name=PARENT, body={"accountId": name}))
    assert (error.code, error.status) == (400, "INVALID_ARGUMENT")


def test_an_account_comes_once_and_goes_from_policies_as_deleted(google: ApiServer) -> None:
    email = account(google)
    accounts = client(google, "iam").projects().serviceAccounts()
    again = refused(accounts.create(name=PARENT, body={"accountId": "gke-nodes"}))
    assert (again.code, again.status) == (409, "ALREADY_EXISTS")
    set_policy(google, {"role": "roles/logging.logWriter", "members": [f"serviceAccount:{email}"]}).execute()
    response = accounts.get(name=f"{PARENT}/serviceAccounts/{email}").execute()
    assert len(response["uniqueId"]) == 21
    accounts.delete(name=f"{PARENT}/serviceAccounts/{response['uniqueId']}").execute()
    policy = (
        client(google, "cloudresourcemanager").projects().getIamPolicy(resource=PROJECT, body={}).execute()
    )
    members = next(
        binding["members"] for binding in policy["bindings"] if binding["role"] == "roles/logging.logWriter"
    )
    assert members == [f"deleted:serviceAccount:{email}?uid={response['uniqueId']}"]
    error = refused(accounts.get(name=f"{PARENT}/serviceAccounts/{email}"))
    assert error.code == 404


@pytest.mark.parametrize(
    ("role", "permission"),
    [
        ("roles/iam.serviceAccountAdmin", "iam.serviceAccounts.setIamPolicy"),
        ("roles/compute.networkAdmin", "servicenetworking.services.addPeering"),
    ],
)
def test_an_editor_sets_no_policy_and_connects_no_services_without_another_role(
    google: ApiServer, role: str, permission: str
) -> None:
    member = "user:deployer@example.com"
    token = google.identity.token(member)
    set_policy(google, {"role": "roles/editor", "members": [member]}).execute()

    def request() -> Any:
        if permission.startswith("iam."):
            accounts = client(google, "iam", token=token).projects().serviceAccounts()
            name = f"{PARENT}/serviceAccounts/{email}"
            return accounts.setIamPolicy(resource=name, body={"policy": {"bindings": []}})
        body = {"network": f"{PARENT}/global/networks/net", "reservedPeeringRanges": ["services"]}
        connections = client(google, "servicenetworking", token=token).services().connections()
        return connections.create(parent="services/servicenetworking.googleapis.com", body=body)

    email = account(google)
    error = refused(request())
    assert error.code == 403
    assert permission in error.message
    set_policy(google, {"role": role, "members": [member]}).execute()
    assert _status(request()) != 403, "the request itself may still be wrong, but it is allowed"


def test_googles_own_accounts_are_not_listed(google: ApiServer) -> None:
    accounts = client(google, "iam").projects().serviceAccounts().list(name=PARENT).execute()["accounts"]
    assert sorted(
        account["email"].partition("@")[0].replace(google.project_number, "N") for account in accounts
    ) == [
        "N-compute",
        "platform-deployer",
    ]


@pytest.mark.parametrize(
    ("role", "member", "words"),
    [
        ("roles/container.superUser", "user:a@example.com", "is not supported"),
        ("roles/resourcemanager.projectCreator", "user:a@example.com", "is not supported for this resource"),
        ("container.viewer", "user:a@example.com", "Role name must be in the format"),
        (
            f"projects/{PROJECT}/roles/none",
            "user:a@example.com",
            "does not exist in the resource's hierarchy",
        ),
        ("roles/viewer", "a@example.com", "must be of the form"),
        ("roles/viewer", "user:stranger", "Invalid member"),
        ("roles/viewer", f"serviceAccount:none-such@{PROJECT}.iam.gserviceaccount.com", "does not exist"),
        ("roles/viewer", f"serviceAccount:{PROJECT}.svc.id.goog[ns/name]", "Identity Pool does not exist"),
        ("roles/viewer", "allUsers", "cannot be added to a project's policy"),
    ],
)
def test_a_policy_names_roles_and_members_that_exist(
    shared: ApiServer, role: str, member: str, words: str
) -> None:
    error = refused(set_policy(shared, {"role": role, "members": [member]}))
    assert error.code == 400
    assert words in error.message


def test_an_account_takes_only_roles_that_mean_something_on_it(google: ApiServer) -> None:
    name = f"{PARENT}/serviceAccounts/{account(google)}"
    accounts = client(google, "iam").projects().serviceAccounts()
    binding = {"role": "roles/container.viewer", "members": ["user:a@example.com"]}
    body = {"policy": {"bindings": [binding]}}
    error = refused(accounts.setIamPolicy(resource=name, body=body))
    assert error.message == "Role roles/container.viewer is not supported for this resource."
    binding["role"] = "roles/iam.workloadIdentityUser"
    accounts.setIamPolicy(resource=name, body=body).execute()


def test_a_policys_etag_must_be_the_current_one(google: ApiServer) -> None:
    binding = {"role": "roles/viewer", "members": ["user:a@example.com"]}
    stale = set_policy(google, binding)
    set_policy(google, {"role": "roles/viewer", "members": ["user:b@example.com"]}).execute()
    error = refused(stale)
    assert (error.code, error.status) == (409, "ABORTED")
    assert error.message.startswith("There were concurrent policy changes.")


def test_a_condition_needs_version_3(google: ApiServer) -> None:
    condition = {"title": "t", "expression": 'request.time < timestamp("2030-01-01T00:00:00Z")'}
    binding = {"role": "roles/container.viewer", "members": ["user:a@example.com"], "condition": condition}
    assert "must be set to 3" in refused(set_policy(google, binding)).message
    set_policy(google, binding, version=3).execute()
    assert google.identity.allowed("user:a@example.com", "container.clusters.get")


def test_a_condition_of_a_basic_role_is_refused(google: ApiServer) -> None:
    condition = {"title": "t", "expression": 'request.time < timestamp("2030-01-01T00:00:00Z")'}
    binding = {"role": "roles/viewer", "members": ["user:a@example.com"], "condition": condition}
    assert "basic role roles/viewer" in refused(set_policy(google, binding, version=3)).message


def test_who_is_not_the_deployer_needs_a_role(google: ApiServer) -> None:
    token = google.identity.token("user:a@example.com")
    request = client(google, "compute", token=token).networks().list(project=PROJECT)
    error = refused(request)
    assert "Permission 'compute.networks.list' denied" in error.message
    set_policy(google, {"role": "roles/compute.viewer", "members": ["user:a@example.com"]}).execute()
    request.execute()
    body = {"name": "net", "autoCreateSubnetworks": False}
    assert (
        refused(client(google, "compute", token=token).networks().insert(project=PROJECT, body=body)).code
        == 403
    )


def test_every_principal_may_ask_what_it_may_do(google: ApiServer) -> None:
    token = google.identity.token("user:a@example.com")
    projects = client(google, "cloudresourcemanager", token=token).projects()
    body = {"permissions": ["compute.networks.list", "compute.networks.create"]}
    request = projects.testIamPermissions(resource=PROJECT, body=body)
    assert request.execute() == {}
    set_policy(google, {"role": "roles/compute.viewer", "members": ["user:a@example.com"]}).execute()
    assert request.execute() == {"permissions": ["compute.networks.list"]}


def test_a_disabled_account_has_no_token(google: ApiServer) -> None:
    email = account(google)
    token = google.identity.token(f"serviceAccount:{email}")
    assert google.identity.authenticate(token)
    accounts = client(google, "iam").projects().serviceAccounts()
    accounts.disable(name=f"{PARENT}/serviceAccounts/{email}", body={}).execute()
    assert google.identity.authenticate(token) is None


def test_a_custom_role_holds_permissions_that_exist(google: ApiServer) -> None:
    roles = client(google, "iam").projects().roles()
    role = {"title": "t", "includedPermissions": ["container.clusters.fly"]}
    error = refused(roles.create(parent=PARENT, body={"roleId": "nodes", "role": role}))
    assert "Permission container.clusters.fly is not valid" in error.message
    role["includedPermissions"] = ["container.clusters.get"]
    response = roles.create(parent=PARENT, body={"roleId": "nodes", "role": role}).execute()
    set_policy(google, {"role": response["name"], "members": ["user:a@example.com"]}).execute()
    assert google.identity.allowed("user:a@example.com", "container.clusters.get")
    assert not google.identity.allowed("user:a@example.com", "container.clusters.delete")
    roles.delete(name=response["name"]).execute()
    assert not google.identity.allowed("user:a@example.com", "container.clusters.get"), (
        "a deleted role gives nothing"
    )
    assert (
        "marked for deletion"
        in refused(roles.create(parent=PARENT, body={"roleId": "nodes", "role": role})).message
    )


def test_a_service_brings_what_it_needs_and_its_accounts(server: ApiServer) -> None:
    enable(server, "container")
    services = client(server, "serviceusage").services()
    assert services.get(name=f"{PARENT}/services/compute.googleapis.com").execute()["state"] == "ENABLED"
    agent = f"service-{server.project_number}@container-engine-robot.iam.gserviceaccount.com"
    assert server.identity.allowed(f"serviceAccount:{agent}", "compute.instances.create")
    error = refused(services.disable(name=f"{PARENT}/services/compute.googleapis.com", body={}))
    assert "is depended on by the following active service(s): container.googleapis.com" in error.message
    request = services.enable(name=f"{PARENT}/services/nonsense.googleapis.com", body={})
    assert (
        "Not found or permission denied for service(s): nonsense.googleapis.com" in refused(request).message
    )
    done = services.enable(name=f"{PARENT}/services/cloudkms.googleapis.com", body={}).execute()
    operation = client(server, "serviceusage").operations().get(name=done["name"]).execute()
    assert operation["response"]["service"]["state"] == "ENABLED"


def test_an_account_of_a_service_can_be_asked_for(google: ApiServer) -> None:
    agent = f"serviceAccount:service-{google.project_number}@gcp-sa-cloudkms.iam.gserviceaccount.com"
    binding = {"role": "roles/viewer", "members": [agent]}
    assert "does not exist" in refused(set_policy(google, binding)).message
    beta = client(google, "serviceusage", "v1beta1").services()
    request = beta.generateServiceIdentity(parent=f"{PARENT}/services/cloudkms.googleapis.com")
    assert request.execute()["response"]["email"] == agent.partition(":")[2]
    set_policy(google, binding).execute()


def test_the_project_is_shown_by_both_versions(google: ApiServer) -> None:
    one = client(google, "cloudresourcemanager").projects().get(projectId=PROJECT).execute()
    three = client(google, "cloudresourcemanager", "v3").projects().get(name=PARENT).execute()
    assert three["name"] == f"projects/{one['projectNumber']}"
    assert len(one["projectNumber"]) == 12
