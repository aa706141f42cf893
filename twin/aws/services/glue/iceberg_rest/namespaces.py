"""The catalog and its namespaces, which are Glue's databases."""

from __future__ import annotations

from typing import Any

from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.iam import authorization, policy_evaluation, service_rights
from twin.aws.services.glue.iceberg_rest.request import CatalogRequest, reported
from twin.aws.services.glue.operations import federated


def bucket_of(call: Call, server: Any, catalog: str, separator: str) -> str:
    """The table bucket whose catalog is named; empty for the account's own. Raises Refusal."""
    account = server.instance.account
    if catalog in ("", account):
        return ""
    arn = catalog.replace(separator, "/").replace("/", ":", 1) if separator == ":" else catalog
    if arn.startswith(f"{account}:") and federated.bucket_there(
        arn, server.moto.backend("glue", call.region)
    ):
        return arn.rpartition("/")[2]
    raise Refusal("EntityNotFoundException", f"Catalog not found: {catalog}")


def config(request: CatalogRequest) -> Answer:
    """GetConfig: the default catalog is the account's. A table bucket's has colons in its prefix, which are
    no parts of a path."""
    server = request.server
    account, region = server.instance.account, request.call.region
    bucket = bucket_of(request.call, server, request.call.query.get("warehouse", [""])[0], "/")
    who = server.identity.principal(request.call.access_key)
    for arn in service_rights.catalogs(f"arn:aws:glue:{region}:{account}:", bucket):
        authorization.demand(
            request.call, server, who, policy_evaluation.AuthorizationRequest("glue:GetCatalog", arn, {})
        )
    below = f":{federated.S3_TABLES}:{bucket}" if bucket else ""
    return reported({"defaults": {}, "overrides": {"prefix": f"catalogs/{account}{below}"}})


def database(request: CatalogRequest) -> dict[str, Any]:
    """Glue's database of a namespace. Raises Refusal."""
    try:
        return request.glue("get_database", Name=request.of)["Database"]
    except Refusal as error:
        if error.code == "EntityNotFoundException":
            raise Refusal("NoSuchNamespaceException", f"Namespace does not exist: {request.of}") from None
        raise
