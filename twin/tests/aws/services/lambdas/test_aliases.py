"""Aliases and URLs of functions, as the provider creates and changes them."""

from __future__ import annotations

from twin.property_values import Archive, Asset
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources.lake import role
from twin.tests.aws.resources.life import make


def test_an_alias_and_the_url_of_a_function_change(clients: Clients) -> None:
    aws = clients.context()
    trusted = role(clients, "aliased", "lambda.amazonaws.com")
    code = Archive(assets={"main.py": Asset(text="def handle(event, context): return 1\n")}, hash="1")
    function = {"handler": "main.handle", "runtime": "python3.12", "code": code, "publish": True}
    make(aws, "aws:lambda/function:Function", name="aliased", role=trusted, **function)
    alias = make(aws, "aws:lambda/alias:Alias", name="live", functionName="aliased", functionVersion="1")
    assert alias.outputs["invokeArn"].endswith(f"/functions/{alias.outputs['arn']}/invocations")
    assert alias.update(description="served")["description"] == "served"
    url = make(
        aws,
        "aws:lambda/functionUrl:FunctionUrl",
        functionName="aliased",
        qualifier="live",
        authorizationType="AWS_IAM",
    )
    changed = url.update(cors={"allowOrigins": ["https://acme.example"]})
    assert changed["cors"]["allowOrigins"] == ["https://acme.example"]
    assert changed["authorizationType"] == "AWS_IAM", "what did not change stays"
    for resource in (url, alias):
        resource.delete()
        assert resource.read() is None
