"""Who asks: access tokens to IAM members, and what a member may do in the project."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from twin.gcp.api_server.errors import GoogleError
from twin.gcp.credentials import deployer, deployer_email

if TYPE_CHECKING:
    from twin.gcp.api_server.state import State
    from twin.instances import Instance

_OPENING = "ya29.t."
_BEGINS = re.compile(r"resource\.name\.startsWith\(['\"]([^'\"]+)['\"]\)")
_UNTIL = re.compile(r"request\.time\s*<\s*timestamp\(['\"]([^'\"]+)['\"]\)")


class Identity:
    """The members of one instance."""

    def __init__(self, instance: Instance, state: State) -> None:
        self._token = deployer(instance).access_token
        self._state = state
        self.project = instance.account
        self.deployer = f"serviceAccount:{deployer_email(instance.account)}"

    def authenticate(self, token: str) -> str | None:
        """The IAM member (`serviceAccount:...`) whose access token it is, or None."""
        if hmac.compare_digest(token.encode(), self._token.encode()):
            return self.deployer
        if not token.startswith(_OPENING):
            return None
        name, _, seal = token.removeprefix(_OPENING).partition(".")
        try:
            member = base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()
        except ValueError:
            return None
        good = hmac.compare_digest(seal, self._seal(member)) and self._usable(member)
        return member if good else None

    def token(self, member: str) -> str:
        """An access token of any member, as Google's token service would give it to who is that member."""
        name = base64.urlsafe_b64encode(member.encode()).decode().rstrip("=")
        return f"{_OPENING}{name}.{self._seal(member)}"

    def of_request(self, authorization: str) -> str:
        """The member of an Authorization header. Raises 401."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise GoogleError(
                401,
                "UNAUTHENTICATED",
                "Request is missing required authentication credential. Expected OAuth 2 access token, login "
                "cookie or other valid authentication credential. See "
                "https://developers.google.com/identity/sign-in/web/devconsole-project.",
                "required",
            )
        member = self.authenticate(token.strip())
        if member is None:
            raise GoogleError(
                401,
                "UNAUTHENTICATED",
                "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie "
                "or other valid authentication credential. See "
                "https://developers.google.com/identity/sign-in/web/devconsole-project.",
                "authError",
            )
        return member

    def roles(self, member: str, resource: str = "", name: str = "") -> set[str]:
        """The roles that a member has on the project, and on a resource (by its name in the state). name: of
        what a request is about, as conditions name it."""
        from twin.gcp.iam.policy import project_name

        roles: set[str] = set()
        for row in filter(None, (project_name(self.project), resource)):
            for binding in (self._state.policy(row) or {}).get("bindings", ()):
                everyone = {member, "allUsers", "allAuthenticatedUsers"}
                if everyone & set(binding["members"]) and _holds(binding.get("condition"), name):
                    roles.add(binding["role"])
        return roles

    def allowed(self, member: str, permission: str, resource: str = "", name: str = "") -> bool:
        """Whether a member has a permission (`container.clusters.get`) by its roles. name: as in `roles`."""
        from twin.gcp.services.iam.data import grants

        custom = {
            body["name"]: body
            for _, body in self._state.of("iam.roles", f"iam/projects/{self.project}/roles/")
            if not body.get("deleted")
        }
        for role in self.roles(member, resource, name):
            if role in custom and permission in custom[role].get("includedPermissions", ()):
                return True
            if grants(role, permission):
                return True
        return False

    def _usable(self, member: str) -> bool:
        """Whether a service account of the project is still there and enabled; others are not known."""
        kind, _, email = member.partition(":")
        if kind != "serviceAccount" or not email.endswith(f"@{self.project}.iam.gserviceaccount.com"):
            return True
        account = self._state.get(f"iam/projects/{self.project}/serviceAccounts/{email}")
        return account is not None and not account.get("disabled")

    def _seal(self, member: str) -> str:
        return hmac.new(self._token.encode(), member.encode(), hashlib.sha256).hexdigest()[:40]


def _holds(condition: dict[str, str] | None, name: str) -> bool:
    """Whether a binding's condition is met. Of CEL only a time limit and the beginning of the resource's name
    are understood; all else is not met."""
    if condition is None:
        return True
    expression = condition.get("expression", "").strip()
    begins = _BEGINS.fullmatch(expression)
    if begins:
        return bool(name) and name.startswith(begins[1])
    match = _UNTIL.fullmatch(expression)
    return bool(match) and datetime.now(UTC) < datetime.fromisoformat(match[1].replace("Z", "+00:00"))
