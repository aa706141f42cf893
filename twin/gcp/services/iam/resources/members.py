"""One member of one role of a resource's IAM policy: read, changed and written back under its etag."""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final

from twin.gcp.context import GcpContext
from twin.gcp.http_client import Refusal, absence_allowed
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.links import relative
from twin.provider_interface import CloudError, Failure, Props, pause

_LOCKS: Final[defaultdict[str, threading.Lock]] = defaultdict(threading.Lock)
_CONFLICT: Final = 409
_ATTEMPTS: Final = 12
_MEMBER: Final = re.compile(
    r"(deleted:)?[a-zA-Z]+:.+|allUsers|allAuthenticatedUsers|[^:]+\.svc\.id\.goog\[.+\]"
)
_ROLE: Final = re.compile(r"(projects/[^/]+/|organizations/\d+/)?roles/[a-zA-Z0-9_.]+")


class IamMember(GcpResource):
    """A member of any resource's policy. A subclass says where the policy is."""

    schema = "Policy"
    check_as = ""
    title = "IAM Member"
    has_project = False
    deletes_by_policy = False
    computed = frozenset()
    get_by_post = False
    """Whether the policy is read by POST with options in the body (Resource Manager)."""
    version_asked = "options.requestedPolicyVersion"
    """The query's name for the policy's version; "" where conditions are not supported."""
    target_parameter = "resource"
    bare = False
    """Whether a set sends the policy itself (Cloud Storage)."""

    attribute: ClassVar[str]
    """The property that names the resource (`secretId`)."""

    def target(self, context: GcpContext, props: Props) -> str:
        """The resource's full name."""
        return self.target_id(props)

    def target_id(self, props: Props) -> str:
        """The first part of the id: the target as the provider writes it."""
        return str(props[self.attribute])

    def of_id(self, start: str) -> Props:
        """The properties that the first part of an id says."""
        return {self.attribute: start}

    def rules(self, inputs: Props) -> Iterator[Failure]:
        member, role = inputs.get("member"), inputs.get("role")
        if isinstance(member, str) and not _MEMBER.fullmatch(member):
            yield Failure(
                "member",
                f'invalid value for member ("{member}"): IAM members must have one of the values outlined in '
                "Policy#Binding, as serviceAccount:NAME@PROJECT.iam.gserviceaccount.com",
            )
        if isinstance(role, str) and not _ROLE.fullmatch(role):
            yield Failure(
                "role",
                f"Role {role} is not supported: roles/NAME or projects/PROJECT/roles/NAME is right",
            )

    def alike(self, path: str, old: Any, new: Any) -> bool:
        # The API writes e-mail addresses in lower case (iamMemberCaseDiffSuppress).
        return path == "member" and str(old).lower() == str(new).lower()

    def create(self, context: Any, inputs: Props) -> tuple[str, Props]:
        inputs = self.prepared(context, inputs)
        with self.errors("applying IAM policy for", {}):
            self._written(context, inputs, lambda policy: _added(policy, inputs))
        id = "/".join((self.target_id(inputs), inputs["role"], inputs["member"]))
        title = (inputs.get("condition") or {}).get("title")
        id = f"{id}/{title}" if title else id
        return id, self.written(context, id, inputs, "not in the policy that it was added to")

    def read(self, context: Any, id: str, state: Props) -> Props | None:
        known = state if state.get("member") else self._parts(id)
        policy: Props = {}
        with self.errors("reading IAM policy for", {}), absence_allowed():
            policy = self._policy(context, known)
        binding = _binding(policy, known)
        members = [str(member).lower() for member in (binding or {}).get("members", [])]
        if binding is None or str(known["member"]).lower() not in members:
            return None
        return {**known, "role": binding["role"], "etag": state.get("etag") or policy.get("etag", "")}

    def update(self, context: Any, id: str, old: Props, new: Props) -> Props:
        # Nothing could change in place: the engine asks for it where a create ended before its read.
        return self.written(context, id, {**old, **new}, "gone from the policy")

    def delete(self, context: Any, id: str, state: Props) -> None:
        known = state if state.get("member") else self._parts(id)
        with self.errors("applying IAM policy for", {}), absence_allowed():
            self._written(context, known, lambda policy: _removed(policy, known))

    def _parts(self, id: str) -> Props:
        # An import names them apart by blanks, the id by slashes.
        match = re.fullmatch(
            r"(?P<start>.+?)[/ ](?P<role>(?:projects/[^/]+/|organizations/\d+/)?roles/[^/ ]+)"
            r"[/ ](?P<member>\S+)",
            id,
        )
        if not match:
            raise CloudError(
                f"Wrong number of parts to Member id {id!r}; expected 'resource_name role member'"
            )
        return {**self.of_id(match["start"]), "role": match["role"], "member": match["member"]}

    def place_of(self, target: str) -> Props:
        """The parameters of the methods' paths."""
        return {self.target_parameter: target}

    def _policy(self, context: GcpContext, props: Props) -> Props:
        params = self.place_of(self.target(context, props))
        if self.get_by_post:
            body = {"options": {"requestedPolicyVersion": 3}}
            return context.call(f"{self.collection}.getIamPolicy", params, body)
        query = {self.version_asked: 3} if self.version_asked else None
        method = f"{self.collection}.getIamPolicy"
        return context.call(method, params, None, query)

    def send(self, context: GcpContext, target: str, policy: Props) -> None:
        """Write the policy."""
        body = policy if self.bare else {"policy": policy}
        context.call(f"{self.collection}.setIamPolicy", self.place_of(target), body)

    def _written(self, context: GcpContext, props: Props, change: Callable[[Props], bool]) -> None:
        # What is written depends on what was there: no intent may answer it from memory.
        context = context.with_intent("")
        target = self.target(context, props)
        with _LOCKS[target]:
            for attempt in range(_ATTEMPTS):
                policy = self._policy(context, props)
                if not change(policy):
                    return
                try:
                    self.send(context, target, policy)
                except Refusal as error:
                    if error.code != _CONFLICT or attempt + 1 == _ATTEMPTS:
                        raise
                    pause(0.1 * (attempt + 1))
                else:
                    return


class ProjectMember(IamMember):
    token = "gcp:projects/iAMMember:IAMMember"
    attribute = "project"

    def target_id(self, props: Props) -> str:
        return super().target_id(props).removeprefix("projects/")

    def of_id(self, start: str) -> Props:
        return super().of_id(start.removeprefix("projects/"))


class CryptoKeyMember(IamMember):
    token = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
    attribute = "cryptoKeyId"

    def target(self, context: GcpContext, props: Props) -> str:
        key = relative(str(props["cryptoKeyId"]))
        if key.startswith("projects/"):
            return key
        parts = key.split("/")
        project, location, ring, name = parts if len(parts) == 4 else (context.project, *parts)
        return f"projects/{project}/locations/{location}/keyRings/{ring}/cryptoKeys/{name}"


def _binding(policy: Props, props: Props) -> Props | None:
    wanted = _condition(props.get("condition"))
    return next(
        (
            binding
            for binding in policy.get("bindings", [])
            if binding.get("role") == props["role"] and _condition(binding.get("condition")) == wanted
        ),
        None,
    )


def _condition(answered: Any) -> tuple[str, ...]:
    answered = answered or {}
    return tuple(str(answered.get(name) or "") for name in ("title", "description", "expression"))


def _added(policy: Props, props: Props) -> bool:
    binding = _binding(policy, props)
    if binding is None:
        binding = {"role": props["role"], "members": []}
        if props.get("condition"):
            binding["condition"] = {k: v for k, v in props["condition"].items() if v}
        policy.setdefault("bindings", []).append(binding)
    if props.get("condition"):
        policy["version"] = 3
    if props["member"] in binding["members"]:
        return False
    binding["members"].append(props["member"])
    return True


def _removed(policy: Props, props: Props) -> bool:
    binding = _binding(policy, props)
    wanted = str(props["member"]).lower()
    if binding is None or wanted not in [str(member).lower() for member in binding["members"]]:
        return False
    binding["members"] = [member for member in binding["members"] if str(member).lower() != wanted]
    if not binding["members"]:
        policy["bindings"].remove(binding)
    return True
