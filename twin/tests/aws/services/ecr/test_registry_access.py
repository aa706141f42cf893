"""Who logs in to ECR and pushes: the token by identity alone, repositories by their policies, too."""

from __future__ import annotations

import pytest

from twin.tests.aws.api_servers import Clients
from twin.tests.aws.iam.test_authorization import allow, document, refused, role, session

REPOSITORY = "acme/training"
PUSH = ["ecr:InitiateLayerUpload", "ecr:PutImage"]


@pytest.fixture(scope="module")
def roles(clients: Clients) -> dict[str, Clients]:
    """Sessions: `pushes` by the repository's policy, `logs-in` has the token, `mistaken` on an arn."""
    ecr = clients("ecr")
    arn = ecr.create_repository(repositoryName=REPOSITORY)["repository"]["repositoryArn"]
    token = "ecr:GetAuthorizationToken"
    arns = {
        "pushes": role(clients, "ecr-pushes"),
        "logs-in": role(clients, "ecr-logs-in", allow(token)),
        "mistaken": role(clients, "ecr-mistaken", allow(token, resource=arn)),
    }
    statement = {"Effect": "Allow", "Principal": {"AWS": arns["pushes"]}, "Action": PUSH}
    ecr.set_repository_policy(repositoryName=REPOSITORY, policyText=document(statement))
    return {name: session(clients, role_arn) for name, role_arn in arns.items()}


def test_a_policy_of_a_repository_lets_a_role_push(roles: dict[str, Clients]) -> None:
    assert roles["pushes"]("ecr").initiate_layer_upload(repositoryName=REPOSITORY)["uploadId"]
    code, words = refused(roles["logs-in"]("ecr").initiate_layer_upload, repositoryName=REPOSITORY)
    assert code == "AccessDeniedException"
    assert "not authorized to perform: ecr:InitiateLayerUpload" in words


def test_the_token_is_given_by_identity_alone_and_by_no_arn(roles: dict[str, Clients]) -> None:
    assert roles["logs-in"]("ecr").get_authorization_token()["authorizationData"]
    for name in ("pushes", "mistaken"):
        code, words = refused(roles[name]("ecr").get_authorization_token)
        assert (code, "ecr:GetAuthorizationToken on resource: *" in words) == ("AccessDeniedException", True)
