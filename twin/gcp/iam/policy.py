"""IAM policies: members that exist, roles that exist, etags, and who takes part when an account goes."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any, Final

from twin.gcp.api_server.errors import concurrent, invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body, State
from twin.gcp.iam import PERMISSIONS
from twin.gcp.methods import filters

_MEMBER: Final = re.compile(
    r"allUsers|allAuthenticatedUsers"
    r"|(user|group|serviceAccount):[^\s@:]+@[^\s@:]+\.[^\s@:]+"
    r"|domain:[^\s@:]+\.[^\s@:]+"
    r"|serviceAccount:[a-z][a-z0-9-]*\.svc\.id\.goog\[[^\s\]]+/[^\s\]]+\]"
    r"|project(Owner|Editor|Viewer):[a-z][a-z0-9:.-]*"
    r"|principal(Set)?://iam\.googleapis\.com/\S+"
    r"|deleted:(user|group|serviceAccount):\S+\?uid=\d+"
)
_WORKLOAD: Final = re.compile(r"serviceAccount:([a-z][a-z0-9-]*)\.svc\.id\.goog\[([^/\]]+)/([^\]]+)\]")
_POOL: Final = re.compile(
    r"principal(?:Set)?://iam\.googleapis\.com/projects/(\d+)/locations/global/workloadIdentityPools/([^/]+)/.+"
)
_BASIC: Final = frozenset({"roles/owner", "roles/editor", "roles/viewer"})
_LIMIT: Final = 1500
"""Members of one policy, all bindings together. Source: "Quotas and limits" of IAM."""


def project_name(project: str) -> str:
    """Where a project is in the state."""
    return f"cloudresourcemanager/projects/{project}"


def etag(policy: Body) -> str:
    """The etag of a policy: base64, as Google's (`BwYx...=`)."""
    content = {name: value for name, value in policy.items() if name not in ("etag", "kind", "resourceId")}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()
    return base64.b64encode(b"\x07" + digest[:7]).decode()


def read(state: State, name: str) -> Body:
    """The policy of a resource; one that was never set has only the etag ACAB and the version."""
    policy = state.policy(name)
    if policy is None:
        return {"version": 1, "etag": "ACAB"}
    return {**policy, "etag": etag(policy)}


def write(call: Call, name: str, policy: Body, mask: str = "") -> Body:
    """Set a policy, as setIamPolicy does. Raises 409 for an etag that is stale, 400 for members or roles.

    name: the resource in the state. mask: the fields to write (`bindings,etag`); all by default.
    """
    current = read(call.state, name)
    etag = policy.get("etag")
    if etag and etag != current["etag"]:
        raise concurrent(
            "There were concurrent policy changes. Please retry the whole read-modify-write with exponential "
            "backoff."
        )
    bindings = _merged(policy.get("bindings") or [])
    check(call, name, bindings)
    conditional = any("condition" in binding for binding in bindings)
    if conditional and policy.get("version") != 3:
        raise invalid("Policy version must be set to 3 when a binding has a condition.")
    resource: Body = {"version": policy.get("version") or 1, "bindings": bindings}
    if "auditConfigs" in policy:
        resource["auditConfigs"] = policy["auditConfigs"]
    elif mask and "auditConfigs" not in mask and "auditConfigs" in current:
        resource["auditConfigs"] = current["auditConfigs"]
    if not bindings:
        resource.pop("bindings")
    call.state.put_policy(name, resource)
    return read(call.state, name)


def check(call: Call, name: str, bindings: list[Body]) -> None:
    """Refuse roles and members that do not exist, as setIamPolicy does."""
    count = 0
    for binding in bindings:
        role = binding.get("role", "")
        _check_role(call, name, role)
        condition = binding.get("condition")
        if condition and role in _BASIC:
            raise invalid(f"Conditions cannot be set on the basic role {role}.")
        if condition:
            filters.check_condition(str(condition.get("expression") or ""))
        for member in binding.get("members") or []:
            count += 1
            check_member(call, member)
    if count > _LIMIT:
        raise invalid(
            f"The number of members in the policy ({count}) is larger than the maximum allowed size {_LIMIT}."
        )


def check_member(call: Call, member: str) -> None:
    """A member that can be in a policy: its form is one of IAM's, and a service account of ours exists."""
    if not _MEMBER.fullmatch(member):
        kind, colon, rest = member.partition(":")
        if not colon or not rest:
            raise invalid(f'Policy members must be of the form "<type>:<value>", got "{member}".')
        raise invalid(f"Invalid member: {kind}:{rest} is not a member that IAM knows ({member}).")
    workload = _WORKLOAD.fullmatch(member)
    if workload:
        _check_pool(call, f"{workload[1]}.svc.id.goog")
        return
    pool = _POOL.fullmatch(member)
    if pool:
        if pool[2].endswith(".svc.id.goog"):
            _check_pool(call, pool[2])
        return
    if member.startswith("serviceAccount:"):
        _check_account(call, member.partition(":")[2])


def members_of(state: State, account: str) -> list[str]:
    """The resources whose policies name a service account."""
    member = f"serviceAccount:{account}"
    return [
        name
        for name, policy in state.policies()
        if any(member in binding["members"] for binding in policy.get("bindings", ()))
    ]


def mark_deleted(state: State, account: str, unique_id: str) -> None:
    """Rename a deleted account in all policies, as IAM does: `deleted:serviceAccount:...?uid=...`."""
    before, after = f"serviceAccount:{account}", f"deleted:serviceAccount:{account}?uid={unique_id}"
    for name in members_of(state, account):
        policy = state.policy(name) or {}
        for binding in policy.get("bindings", ()):
            binding["members"] = [after if member == before else member for member in binding["members"]]
        state.put_policy(name, policy)


def _check_role(call: Call, name: str, role: str) -> None:
    from twin.gcp.services.iam.data import exists

    if not role:
        raise invalid("Role must not be empty.")
    if role.startswith("roles/"):
        if not exists(role) or not _grantable(name, role):
            raise invalid(f"Role {role} is not supported for this resource.")
        return
    custom = re.fullmatch(r"projects/([^/]+)/roles/([A-Za-z0-9_.]{3,64})", role)
    if not custom and not re.fullmatch(r"organizations/\d+/roles/[A-Za-z0-9_.]{3,64}", role):
        raise invalid(
            f"Role name must be in the format roles/{{role}} or {{resource}}/roles/{{role}}: {role}"
        )
    custom_role = call.state.get(f"iam/{role}")
    if not custom_role or custom_role.get("deleted"):
        raise invalid(f"Role ({role}) does not exist in the resource's hierarchy.")


def _grantable(name: str, role: str) -> bool:
    """Whether a predefined role means anything on a resource: it has a permission of the resource's type."""
    from twin.gcp.services.iam.data import BASIC, permissions

    if name.startswith("cloudresourcemanager/projects/"):
        return role not in PERMISSIONS["above_projects"]
    if name.startswith("storage/b/") and role in BASIC:
        return False  # a bucket has legacy roles for those
    return any(permission.startswith(_own_permissions(name)) for permission in permissions(role))


def _own_permissions(name: str) -> str:
    """How the permissions on a resource begin: `pubsub.topics.` of a topic."""
    api, kind = name.partition("/")[0], name.split("/")[-2]
    if api == "bigquery" and kind == "tables":
        return "bigquery.tables."
    beginnings = PERMISSIONS["resources"]
    return f"{beginnings.get(kind) or beginnings.get(api, api)}."


def _check_account(call: Call, email: str) -> None:
    suffix = f"@{call.server.instance.account}.iam.gserviceaccount.com"
    number = call.project_number
    ours = email.endswith(suffix) or re.search(rf"(^|@|-){number}(@|-|\.)", email)
    if (
        ours
        and call.state.get(f"iam/projects/{call.server.instance.account}/serviceAccounts/{email}") is None
    ):
        raise invalid(f"Service account {email} does not exist.")


def _check_pool(call: Call, pool: str) -> None:
    project = pool.removesuffix(".svc.id.goog")
    if project != call.server.instance.account:
        return  # another project's pool, of which nothing is known
    # The pool comes with the project's first cluster that has Workload Identity Federation, and stays.
    if call.state.get(f"iam/projects/{project}/locations/global/workloadIdentityPools/{pool}") is None:
        raise invalid(
            f"Identity Pool does not exist ({pool}). Please check that you specified a valid resource name "
            "as returned in the `name` attribute in the configuration API."
        )


def _merged(bindings: list[Body]) -> list[Body]:
    """Bindings as Google keeps them: one a role and condition, members once, none without members."""
    merged: dict[str, Body] = {}
    for binding in bindings:
        key = json.dumps([binding.get("role"), binding.get("condition")], sort_keys=True)
        merged_binding: dict[str, Any] = merged.setdefault(key, {**binding, "members": []})
        merged_binding["members"] += [
            _lower(member)
            for member in binding.get("members") or []
            if _lower(member) not in merged_binding["members"]
        ]
    return [
        {**binding_, "members": sorted(binding_["members"])}
        for binding_ in merged.values()
        if binding_["members"]
    ]


def _lower(member: str) -> str:
    kind, colon, rest = member.partition(":")
    return f"{kind}:{rest.lower()}" if colon and kind in ("user", "group", "domain") else member
