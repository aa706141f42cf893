"""IAM service accounts and their keys."""

from __future__ import annotations

import re
import secrets
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server import initial_state
from twin.gcp.api_server.errors import GoogleError, exists, invalid, not_found
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.iam import policy as iam_policy
from twin.gcp.methods import generic, handles, rules

ACCOUNTS: Final = 100
"""Service accounts of a project at most. Source: "Quotas and limits" of IAM."""
_ID: Final = re.compile(r"[a-z](?:[-a-z0-9]{4,28}[a-z0-9])")


def find_account(call: Call, name: str) -> tuple[str, Body]:
    """(name in the state, body) of `projects/P/serviceAccounts/EMAIL`, which may be a unique id and `-`."""
    _, _, _, account, *_ = name.split("/")
    prefix = f"iam/projects/{call.project}/serviceAccounts/"
    body = call.state.get(prefix + account)
    if body is None and account.isdigit():
        for account_name, other in call.state.of("iam.serviceAccounts", prefix):
            if other["uniqueId"] == account:
                return account_name, other
    if body is None or initial_state.owned_by_google(body["email"], call.project):
        raise not_found(f"Unknown service account: projects/{call.project}/serviceAccounts/{account}.")
    return prefix + account, body


@handles("iam.projects.serviceAccounts.create")
def create(call: Call) -> dict[str, Any]:
    """A service account of the project."""
    account = call.body.get("accountId", "")
    if not _ID.fullmatch(account):
        raise invalid(
            f'The account ID "{account}" does not have a length between 6 and 30.'
            if not 6 <= len(account) <= 30
            else f'Invalid account ID "{account}": it must match [a-z]([-a-z0-9]*[a-z0-9]).'
        )
    email = f"{account}@{call.project}.iam.gserviceaccount.com"
    name = f"iam/projects/{call.project}/serviceAccounts/{email}"
    if call.state.get(name) is not None:
        raise exists(f"Service account {account} already exists within project projects/{call.project}.")
    if len(_accounts(call)) >= ACCOUNTS:
        raise GoogleError(
            429, "RESOURCE_EXHAUSTED",
            f"Maximum number of service accounts on project reached ({ACCOUNTS}).",
        )  # fmt: skip
    service_account = call.body.get("serviceAccount", {})
    rules.check(call, service_account, services.rules("iam")["account"])
    unique = "1" + "".join(secrets.choice("0123456789") for _ in range(20))
    resource: Body = {
        "name": name.partition("/")[2],
        "projectId": call.project,
        "uniqueId": unique,
        "email": email,
        "etag": "MDEwMjE5MjA=",
        "oauth2ClientId": unique,
    }
    texts = {key: service_account[key] for key in ("displayName", "description") if service_account.get(key)}
    return call.state.put(name, {**resource, **texts})


@handles("iam.projects.serviceAccounts.get")
def get(call: Call) -> dict[str, Any]:
    """An account by email or unique id."""
    return find_account(call, call.parameters["name"])[1]


@handles("iam.projects.serviceAccounts.list")
def listing(call: Call) -> dict[str, Any]:
    """The accounts that the project owns."""
    return generic.page(call, _accounts(call), "accounts")


def _accounts(call: Call) -> list[Body]:
    accounts = call.state.of("iam.serviceAccounts", f"iam/projects/{call.project}/serviceAccounts/")
    return [body for _, body in accounts if not initial_state.owned_by_google(body["email"], call.project)]


@handles("iam.projects.serviceAccounts.patch")
def patch(call: Call) -> dict[str, Any]:
    """Display name and description."""
    name, body = find_account(call, call.parameters["name"])
    service_account = call.body.get("serviceAccount", {})
    if not call.body.get("updateMask"):
        raise invalid("An update mask is required.")
    updated = generic.masked(call, body, frozenset({"displayName", "description"}), service_account)
    rules.check(call, updated, services.rules("iam")["account"])
    return call.state.put(name, updated)


@handles("iam.projects.serviceAccounts.delete")
def delete(call: Call) -> dict[str, Any]:
    """The account goes; policies keep it as deleted."""
    name, body = find_account(call, call.parameters["name"])
    call.state.delete(name)
    iam_policy.mark_deleted(call.state, body["email"], body["uniqueId"])
    return {}


@handles("iam.projects.serviceAccounts.enable", "iam.projects.serviceAccounts.disable")
def switch(call: Call) -> dict[str, Any]:
    """Whether the account can be used."""
    name, body = find_account(call, call.parameters["name"])
    switched = {"disabled": True} if call.method.name == "disable" else {}
    call.state.put(name, {key: value for key, value in body.items() if key != "disabled"} | switched)
    return {}


@handles(
    "iam.projects.serviceAccounts.getIamPolicy",
    "iam.projects.serviceAccounts.setIamPolicy",
    "iam.projects.serviceAccounts.testIamPermissions",
)
def policy(call: Call) -> dict[str, Any]:
    """Access to this account."""
    return generic.policy(call, find_account(call, call.parameters["resource"])[0])
