"""Who an access key, a role or a token is, and what IAM lets them do."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.credentials import ROLE, SESSION, deployer, deployer_arn
from twin.aws.iam import policy_statements, principals, signature
from twin.aws.services.eks.operations import access
from twin.aws.services.sts import operations as sessions
from twin.aws.validation.extension_store import respond
from twin.instances import Instance

TOKEN_PREFIX: Final = "k8s-aws-v1."  # noqa: S105 - not a secret
TOKEN_LIFE: Final = 15 * 60
_CLUSTER_HEADER: Final = "x-k8s-aws-id"


class Identity:
    """IAM and STS of one instance, as far as they say who someone is."""

    def __init__(self, instance: Instance, moto: Any) -> None:
        self._instance = instance
        self._moto = moto
        self._deployer = deployer(instance)

    def known(self, call: Call) -> None:
        """Refuse an access key that AWS never gave out."""
        if call.access_key and self.secret(call.access_key) is None:
            code, message, status = sessions.UNKNOWN_KEY.get(call.protocol, sessions.UNKNOWN_KEY["json"])
            raise Refusal(code, message, status)
        with self._moto.lock:
            session = principals.session_of(self._moto, call.access_key) if call.access_key else None
        if session is not None:
            sessions.known(call, session)

    def signed(self, call: Call) -> None:
        """Refuse a request that someone else signed than who it says. The deployer's are taken as they are:
        there are many, and all come from one place. Presigned ones too."""
        is_deployer = call.access_key in ("", self._deployer.access_key_id)
        if is_deployer or "HTTP_AUTHORIZATION" not in call.environ:
            return
        secret = self.secret(call.access_key)
        if secret is not None:
            signature.verify(call, secret)

    def token(self, access_key: str) -> str | None:
        """The session token that goes with an access key, or None where it needs none."""
        with self._moto.lock:
            session = principals.session_of(self._moto, access_key) if access_key else None
        return session.token if session is not None else None

    def principal(self, access_key: str) -> principals.Principal:
        """Who has an access key, with all policies that bound it."""
        if not access_key:
            return principals.anonymous()
        if access_key == self._deployer.access_key_id:
            arn, user_id = self.caller(access_key)
            owner = f"arn:aws:iam::{self._instance.account}:role/{ROLE}"
            return principals.Principal(arn, owner, user_id, self._instance.account, everything=True)
        with self._moto.lock:
            session = principals.session_of(self._moto, access_key)
            if session is not None:
                return principals.of_session(self._moto, session)
            user = self._moto.backend("iam").get_user_from_access_key_id(access_key)
            return principals.anonymous() if user is None else principals.of_user(self._moto, user)

    def secret(self, access_key: str) -> str | None:
        """The secret of an access key, or None where there is no such key."""
        if access_key == self._deployer.access_key_id:
            return self._deployer.secret_access_key
        with self._moto.lock:
            key = self._moto.backend("iam").access_keys.get(access_key)
        return key.secret_access_key if key else None

    def caller(self, access_key: str) -> tuple[str, str]:
        """(arn, user id) of an access key, as GetCallerIdentity reports."""
        if access_key == self._deployer.access_key_id or not access_key:
            return deployer_arn(self._instance.account), f"{self._role_id(ROLE)}:{SESSION}"
        with self._moto.lock:
            sts = self._moto.backend("sts")
            user_id, arn, _ = sts.get_caller_identity(access_key, self._instance.region)
        return arn, user_id

    def principal_arn(self, access_key: str) -> str:
        """The IAM arn (role, not session) of an access key."""
        return iam_arn(self.caller(access_key)[0], self._paths())

    def answer(self, call: Call) -> Answer | None:
        """GetCallerIdentity of the deployer, whom moto does not know."""
        if call.service != "sts" or call.operation != "GetCallerIdentity":
            return None
        if call.access_key != self._deployer.access_key_id:
            return None
        arn, user_id = self.caller(call.access_key)
        return respond(call, {"Arn": arn, "UserId": user_id, "Account": self._instance.account})

    def allowed(self, role: str, action: str, resource: str, context: dict[str, str]) -> bool:
        """Whether IAM lets a role take an action on a resource."""
        documents = self._policies(role)
        return policy_statements.allows(documents, action, resource, context)

    def authenticate(self, eks: Any, token: str) -> dict[str, Any] | None:
        """The principal of an EKS token, by its access entry; None where it has none."""
        clusters = eks.store.every("cluster")
        if not clusters:
            return None
        access_key = self.verify(token, clusters[0].name)
        if access_key is None:
            return None
        arn, user_id = self.caller(access_key)
        owner = iam_arn(arn, self._paths())
        entry = eks.store.get("access_entry", clusters[0].name, owner)
        if entry is None or not access.known(entry):
            return None
        session = arn.rsplit("/", 1)[-1]
        username = entry.description["username"].replace("{{SessionName}}", session)
        username = username.replace("{{SessionNameRaw}}", session).replace(
            "{{AccountID}}", self._instance.account
        )
        return {
            "username": username,
            "groups": [*entry.description["kubernetesGroups"], "system:authenticated"],
            "uid": f"aws-iam-authenticator:{self._instance.account}:{user_id.split(':')[0]}",
            "extra": {
                "arn": [arn],
                "canonicalArn": [owner],
                "principalId": [user_id.split(":")[0]],
                "sessionName": [session if ":assumed-role/" in arn else ""],
                "accessKeyId": [access_key],
            },
            "policies": [
                [policy["policyArn"].rsplit("/", 1)[-1], policy["accessScope"].get("namespaces") or []]
                for policy in access.effective(entry)
            ],
        }

    def verify(self, token: str, cluster: str) -> str | None:
        """The access key that signed a token for the cluster within the last 15 minutes, or None."""
        try:
            url = _decoded(token)
            parts = urlsplit(url)
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            access_key, day, region, service, _ = query["X-Amz-Credential"].split("/")
            signed_at = (
                datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
            )
        except (ValueError, KeyError):
            return None
        if service != "sts" or query.get("Action") != "GetCallerIdentity":
            return None
        if not -300 <= time.time() - signed_at <= TOKEN_LIFE:
            return None
        if _CLUSTER_HEADER not in query.get("X-Amz-SignedHeaders", "").split(";"):
            return None
        secret = self.secret(access_key)
        if secret is None:
            return None
        expected = _signature(parts.netloc, parts.path or "/", query, cluster, secret, (day, region))
        return access_key if hmac.compare_digest(expected, query.get("X-Amz-Signature", "")) else None

    def _paths(self) -> dict[str, str]:
        with self._moto.lock:
            return {role.name: role.arn for role in self._moto.backend("iam").roles.values()}

    def _role_id(self, name: str) -> str:
        with self._moto.lock:
            return self._moto.backend("iam").get_role(name).id

    def _policies(self, role_arn: str) -> list[policy_statements.Document]:
        with self._moto.lock:
            roles = self._moto.backend("iam").roles.values()
            role = next((candidate for candidate in roles if candidate.arn == role_arn), None)
            return [] if role is None else list(principals.documents(role))


def iam_arn(arn: str, roles: dict[str, str]) -> str:
    """The role's arn of a session's (`assumed-role/NAME/SESSION`); any other as it is."""
    if ":assumed-role/" not in arn:
        return arn
    name = arn.split(":assumed-role/", 1)[1].split("/", 1)[0]
    return roles.get(name, f"arn:aws:iam::{arn.split(':')[4]}:role/{name}")


def _decoded(token: str) -> str:
    if not token.startswith(TOKEN_PREFIX):
        raise ValueError("not an EKS token")
    encoded = token.removeprefix(TOKEN_PREFIX)
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()


def _signature(
    host: str, path: str, query: dict[str, str], cluster: str, secret: str, scope: tuple[str, str]
) -> str:
    """SigV4 of the presigned request, as its signer should have made it."""
    day, region = scope
    values = {"host": host, _CLUSTER_HEADER: cluster}
    signed = query["X-Amz-SignedHeaders"].split(";")
    rest = sorted((name, value) for name, value in query.items() if name != "X-Amz-Signature")
    canonical = "\n".join(
        [
            "GET",
            path,
            "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in rest),
            *[f"{name}:{values.get(name, '')}" for name in signed],
            "",
            ";".join(signed),
            hashlib.sha256(b"").hexdigest(),
        ]
    )
    text = "\n".join(
        [
            "AWS4-HMAC-SHA256",
            query["X-Amz-Date"],
            f"{day}/{region}/sts/aws4_request",
            hashlib.sha256(canonical.encode()).hexdigest(),
        ]
    )
    key = f"AWS4{secret}".encode()
    for part in (day, region, "sts", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
