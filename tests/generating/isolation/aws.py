"""IAM on AWS: the policies that are registered, evaluated as the twin evaluates a request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from tests.components.recording import ACCOUNT, REGION, Registered
from tests.generating.isolation import access, sample
from tests.generating.isolation.access import CI, POD, READER, WORKLOADS, Row
from tests.generating.isolation.sample import NAMESPACES, TABLES
from twin.aws.iam import policy_evaluation
from twin.aws.iam.policy_evaluation import AuthorizationRequest
from twin.aws.iam.principals import Principal

_OF_BUCKET: Final = "aws:s3/bucketPolicy:BucketPolicy"
_OF_REPOSITORY: Final = "aws:ecr/repositoryPolicy:RepositoryPolicy"
_LAKE_FORMATION: Final = "aws:lakeformation/permissions:Permissions"
_MANAGED: Final = "aws:iam/policy:Policy"


class Registrations:
    """What is registered for two teams, as IAM has it."""

    def __init__(self) -> None:
        recordings = (sample.recording("aws"), sample.monitoring("aws"))
        self._resources = [entry for recording in recordings for entry in recording.resources]
        self._managed = {
            str(entry.state["arn"]): json.loads(entry.inputs["policy"]) for entry in self._all(_MANAGED)
        }

    def _all(self, type_: str) -> Iterator[Registered]:
        return (entry for entry in self._resources if entry.type == type_)

    def _policy(self, type_: str, key: str, value: str) -> Any:
        """Return the policy of a bucket or repository, or None."""
        return next(
            (json.loads(entry.inputs["policy"]) for entry in self._all(type_) if entry.inputs[key] == value),
            None,
        )

    def bucket(self, kind: str) -> str:
        """Return the name of a bucket, by the part after the prefix."""
        [name] = {
            str(entry.inputs["bucket"])
            for entry in self._all("aws:s3/bucket:Bucket")
            if str(entry.inputs["bucket"]) == f"acme-dev-{kind}-{ACCOUNT}"
        }
        return name

    def principal(self, role: str, namespace: str | None = None) -> Principal:
        """Return a session of a role, of a Pod where it has a namespace."""
        documents = [
            json.loads(entry.inputs["policy"])
            for entry in self._all("aws:iam/rolePolicy:RolePolicy")
            if entry.inputs["role"] == role
        ]
        documents += [
            self._managed[entry.inputs["policyArn"]]
            for entry in self._all("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
            if entry.inputs["role"] == role and entry.inputs["policyArn"] in self._managed
        ]
        # The tags that EKS Pod Identity puts on a session.
        tags = {"kubernetes-namespace": namespace} if namespace is not None else {}
        return Principal(
            arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/session",
            owner=f"arn:aws:iam::{ACCOUNT}:role/{role}",
            user_id="AROAEXAMPLE:session",
            account=ACCOUNT,
            identity=tuple(documents),
            tags=tags,
        )

    def workloads(self, team: str) -> Principal:
        """Return the session of a Pod of a team."""
        return self.principal(f"acme-dev-wi-{team}", NAMESPACES[team])

    def allowed(self, who: Principal, action: str, resource: str, policy: Any = None, **context: str) -> bool:
        """Return whether IAM allows an action. policy: of the resource."""
        request = {**policy_evaluation.context(who, ACCOUNT, REGION), **context}
        return not policy_evaluation.why_not(who, AuthorizationRequest(action, resource, request, policy))

    def on_object(self, who: Principal, action: str, bucket: str, key: str) -> bool:
        """Return whether IAM and the bucket's policy allow an action on an object, or a list below a
        prefix."""
        name = self.bucket(bucket)
        policy = self._policy(_OF_BUCKET, "bucket", name)
        if action == "s3:ListBucket":
            return self.allowed(who, action, f"arn:aws:s3:::{name}", policy, **{"s3:prefix": key})
        return self.allowed(who, action, f"arn:aws:s3:::{name}/{key}", policy)

    def on_repository(self, role: str, action: str, repository: str) -> bool:
        """Return whether IAM and the repository's policy allow an action."""
        name = f"acme-dev/{repository}"
        arn = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{name}"
        return self.allowed(
            self.principal(role), action, arn, self._policy(_OF_REPOSITORY, "repository", name)
        )

    def on_secret(self, role: str, name: str) -> bool:
        """Return whether IAM allows to read a secret."""
        arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}"
        return self.allowed(self.principal(role), "secretsmanager:GetSecretValue", arn)

    def account_secret(self, team: str) -> str:
        """Return what follows `secret:` in the arn of the secret of a team's account of the model
        registry."""
        [arn] = [
            str(entry.state["arn"])
            for entry in self._all("aws:secretsmanager/secret:Secret")
            if entry.inputs["name"] == f"acme-dev/mlflow/accounts/{team}"
        ]
        return arn.rpartition(":secret:")[2]

    def selects(self, team: str, table: str) -> bool:
        """Return whether Lake Formation lets the identity of a team read a table."""
        zone, _, name = table.partition(".")
        principal = f"arn:aws:iam::{ACCOUNT}:role/acme-dev-wi-{team}"
        for entry in self._all(_LAKE_FORMATION):
            if entry.inputs["principal"] != principal or "SELECT" not in entry.inputs["permissions"]:
                continue
            target: Mapping[str, Any] | None = entry.inputs.get("table") or entry.inputs.get(
                "tableWithColumns"
            )
            # A grant by tags or of a whole database would need another evaluation.
            assert target is not None, entry.name
            if (target["databaseName"], target["name"]) == (f"acme_dev_{zone}", name):
                return True
        return False

    def workgroup(self, team: str) -> str:
        """Return the name of the workgroup of a team's queries."""
        [name] = {
            str(entry.inputs["name"])
            for entry in self._all("aws:athena/workgroup:Workgroup")
            if str(entry.inputs["name"]).endswith(f"-wi-{team}")
        }
        return name

    def becomes(self, team: str, owner: str) -> bool:
        """Return whether Pods of a team get the identity of an owner: by the association of their namespace
        and service account, which is the only one that EKS has for these."""
        return any(
            entry.inputs["namespace"] == NAMESPACES[team]
            and str(entry.inputs["roleArn"]).endswith(f"/acme-dev-wi-{owner}")
            for entry in self._all("aws:eks/podIdentityAssociation:PodIdentityAssociation")
        )


def rows(reverse: bool = False) -> list[Row]:
    """Return the rows of AWS. reverse: of the other team."""
    registered = Registrations()
    row = partial(access.rows, reverse=reverse)

    def objects(what: str, bucket: str, key: str, **actions: str) -> Iterator[Row]:
        """key: with TEAM or NAMESPACE of the owner."""

        def allowed(action: str, team: str, owner: str) -> bool:
            filled = key.replace("TEAM", owner).replace("NAMESPACE", NAMESPACES[owner])
            prefix = f"{filled.rpartition('/')[0]}/" if action == "s3:ListBucket" else filled
            return registered.on_object(registered.workloads(team), action, bucket, prefix)

        for word, action in actions.items():
            yield row(WORKLOADS, what, f"{word} ({action})", partial(allowed, f"s3:{action}"))

    read_write = {"list": "ListBucket", "read": "GetObject", "write": "PutObject", "delete": "DeleteObject"}
    return [
        *objects("checkpoints", "checkpoints", "NAMESPACE/run/1.pt", **read_write),
        *objects("releases", "releases", "TEAM/fares/1/model", **read_write),
        *objects("artifacts of pipelines", "pipelines", "NAMESPACE/run/a", **read_write),
        *objects("request logs", "model-monitor", "logs/NAMESPACE/fares/1", **read_write),
        *objects(
            "reports of monitors",
            "model-monitor",
            "reports/TEAM/fares/1",
            read="GetObject",
            write="PutObject",
        ),
        row(
            WORKLOADS,
            "tables",
            "read (SELECT in Lake Formation)",
            lambda team, owner: registered.selects(team, TABLES[owner]),
        ),
        row(
            WORKLOADS,
            "results of queries",
            "read (athena:GetQueryResults)",
            lambda team, owner: registered.allowed(
                registered.workloads(team),
                "athena:GetQueryResults",
                f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/{registered.workgroup(owner)}",
            ),
        ),
        row(
            WORKLOADS,
            "secrets",
            "read without External Secrets (GetSecretValue)",
            lambda team, owner: registered.on_secret(
                f"acme-dev-wi-{team}", f"acme-dev/teams/{owner}/hub-AbCdEf"
            ),
        ),
        row(
            READER,
            "secrets",
            "read (GetSecretValue)",
            lambda team, owner: registered.on_secret(
                f"acme-dev-secrets-{team}", f"acme-dev/teams/{owner}/hub-AbCdEf"
            ),
        ),
        row(
            READER,
            "account of the model registry",
            "read its password (GetSecretValue)",
            lambda team, owner: registered.on_secret(
                f"acme-dev-secrets-{team}", registered.account_secret(owner)
            ),
        ),
        row(
            CI,
            "repositories",
            "push (PutImage)",
            lambda team, owner: registered.on_repository(f"{team}-ci", "ecr:PutImage", f"{owner}/train"),
        ),
        row(
            CI,
            "repositories",
            "pull (BatchGetImage)",
            lambda team, owner: registered.on_repository(f"{team}-ci", "ecr:BatchGetImage", f"{owner}/train"),
        ),
        row(
            WORKLOADS,
            "repositories",
            "push (PutImage)",
            lambda team, owner: registered.on_repository(
                f"acme-dev-wi-{team}", "ecr:PutImage", f"{owner}/train"
            ),
        ),
        row(POD, "cloud identity", "get its credentials (EKS Pod Identity)", registered.becomes),
    ]
