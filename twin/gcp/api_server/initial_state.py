"""What a new project holds before anything is made in it."""

from __future__ import annotations

import secrets
import time
from typing import Any, Final

from twin.gcp.api_server.operations import rfc3339
from twin.gcp.api_server.state import Body, State
from twin.gcp.credentials import deployer_email
from twin.gcp.iam.policy import project_name
from twin.instances import Instance

ENABLED: Final = ("serviceusage.googleapis.com", "cloudresourcemanager.googleapis.com")
"""The services by which a project enables the others, which a user must have enabled: the provider asks both
of every `projects.Service` (hashicorp/terraform-provider-google#11435, #14174). A project that was created by
the API alone has neither, nor any other."""


def make(state: State, instance: Instance) -> str:
    """Make the project where there is none yet; answers its number."""
    number = state.meta("project-number", lambda: str(secrets.randbelow(9 * 10**11) + 10**11))
    name = project_name(instance.account)
    if state.get(name):
        return number
    at = time.time()
    state.put(
        name,
        {
            "projectNumber": number,
            "projectId": instance.account,
            "lifecycleState": "ACTIVE",
            "name": instance.account,
            "createTime": rfc3339(at),
        },
        baseline=True,
    )
    for service in ENABLED:
        enable(state, instance.account, number, service, baseline=True)
    account(state, instance.account, deployer_email(instance.account), "The platform's deployer")
    agent(state, instance.account, f"{number}@cloudservices.gserviceaccount.com", "Google APIs Service Agent")
    bindings = [
        _binding("roles/owner", deployer_email(instance.account)),
        _binding("roles/editor", f"{number}@cloudservices.gserviceaccount.com"),
    ]
    state.put_policy(name, {"version": 1, "bindings": bindings})
    return number


def enable(state: State, project: str, number: str, service: str, *, baseline: bool = False) -> Body:
    """Enable a service, with the accounts that Google makes for it."""
    from twin.gcp.services.serviceusage.data import AGENT_ROLES, AGENTS, ON_DEMAND, title

    service_body = state.put(
        f"serviceusage/projects/{project}/services/{service}",
        {
            "name": f"projects/{number}/services/{service}",
            "config": {"name": service, "title": title(service), "documentation": {}, "usage": {}},
            "state": "ENABLED",
            "parent": f"projects/{number}",
        },
        baseline=baseline,
    )
    for agent_email in AGENTS.get(service, ()) if service not in ON_DEMAND else ():
        agent(state, project, agent_email.format(number=number), f"{title(service)} Service Agent")
    for role, agent_email in AGENT_ROLES.get(service, ()):
        grant(state, project, role, agent_email.format(number=number))
    return service_body


def grant(state: State, project: str, role: str, email: str) -> None:
    """Add a binding to the project's policy, as Google does for its own accounts."""
    name = project_name(project)
    policy: Body = state.policy(name) or {"version": 1}
    bindings: list[Body] = policy.setdefault("bindings", [])
    member = f"serviceAccount:{email}"
    for binding in bindings:
        if binding["role"] == role and "condition" not in binding:
            if member not in binding["members"]:
                binding["members"] = sorted([*binding["members"], member])
            break
    else:
        bindings.append(_binding(role, email))
    state.put_policy(name, policy)


def account(state: State, project: str, email: str, display: str) -> Body:
    """A service account of the project that was there before."""
    return _account(state, project, email, display)


def agent(state: State, project: str, email: str, display: str) -> Body:
    """An account that Google owns and that is for a service in the project."""
    account = state.get(f"iam/projects/{project}/serviceAccounts/{email}")
    return account or _account(state, project, email, display)


def owned_by_google(email: str, project: str) -> bool:
    """Whether an account is Google's: it can be in policies, and is not among the project's own."""
    return not email.endswith(f"@{project}.iam.gserviceaccount.com") and not email.endswith(
        "-compute@developer.gserviceaccount.com"
    )


def _account(state: State, project: str, email: str, display: str) -> Body:
    unique = "1" + "".join(secrets.choice("0123456789") for _ in range(20))
    account_body: dict[str, Any] = {
        "name": f"projects/{project}/serviceAccounts/{email}",
        "projectId": project,
        "uniqueId": unique,
        "email": email,
        "displayName": display,
        "etag": "MDEwMjE5MjA=",
        "oauth2ClientId": unique,
    }
    return state.put(f"iam/projects/{project}/serviceAccounts/{email}", account_body, baseline=True)


def _binding(role: str, email: str) -> Body:
    return {"role": role, "members": [f"serviceAccount:{email}"]}
