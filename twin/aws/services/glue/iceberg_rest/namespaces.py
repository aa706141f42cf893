"""The catalog and its namespaces, which are Glue's databases."""

from __future__ import annotations

from typing import Any

from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.iam import authorization, policy_evaluation, service_rights
from twin.aws.services.glue.iceberg_rest.request import Asked, reported
from twin.aws.services.glue.operations import federated


def bucket_of(call: Call, front: Any, catalog: str, separator: str) -> str:
    """The table bucket whose catalog is named; empty for the account's own. Raises Refusal."""
    account = front.instance.account
    if catalog in ("", account):
        return ""
    found = catalog.replace(separator, "/").replace("/", ":", 1) if separator == ":" else catalog
    if found.startswith(f"{account}:") and federated.bucket_there(
        found, front.moto.backend("glue", call.region)
    ):
        return found.rpartition("/")[2]
    raise Refusal("EntityNotFoundException", f"Catalog not found: {catalog}")


def config(asked: Asked) -> Answer:
    """GetConfig: the default catalog is the account's. A table bucket's has colons in its prefix, which are
    no parts of a path."""
    front = asked.front
    account, region = front.instance.account, asked.call.region
    bucket = bucket_of(asked.call, front, asked.call.query.get("warehouse", [""])[0], "/")
    who = front.identity.principal(asked.call.access_key)
    for arn in service_rights.catalogs(f"arn:aws:glue:{region}:{account}:", bucket):
        authorization.demand(asked.call, front, who, policy_evaluation.Asked("glue:GetCatalog", arn, {}))
    below = f":{federated.S3_TABLES}:{bucket}" if bucket else ""
    return reported({"defaults": {}, "overrides": {"prefix": f"catalogs/{account}{below}"}})


def listed(asked: Asked) -> Answer:
    """ListNamespaces: those that the caller may see. Glue's have one level."""
    if asked.call.query.get("parent"):
        return reported({"namespaces": []})
    found = asked.glue("get_databases")["DatabaseList"]
    return reported({"namespaces": [[each["Name"]] for each in found]})


def load(asked: Asked) -> Answer:
    """LoadNamespaceMetadata."""
    return reported({"namespace": [asked.of], "properties": _properties(database(asked))})


def exists(asked: Asked) -> Answer:
    """Whether a namespace is there."""
    database(asked)
    return reported(None, 204)


def make(asked: Asked) -> Answer:
    """CreateNamespace."""
    levels = asked.body.get("namespace") or []
    if len(levels) != 1:
        raise Refusal("BadRequestException", f"A namespace of Glue has one level, got {levels}")
    properties: dict[str, str] = dict(asked.body.get("properties") or {})
    given: dict[str, Any] = {"Name": levels[0]}
    for key, member in (("location", "LocationUri"), ("comment", "Description")):
        if key in properties:
            given[member] = properties.pop(key)
    asked.glue("create_database", DatabaseInput={**given, "Parameters": properties})
    return reported({"namespace": levels, "properties": asked.body.get("properties") or {}})


def drop(asked: Asked) -> Answer:
    """DropNamespace: an empty one, as Iceberg's specification demands."""
    database(asked)
    if asked.glue("get_tables", DatabaseName=asked.of)["TableList"]:
        raise Refusal("NamespaceNotEmptyException", f"Namespace {asked.of} is not empty")
    asked.glue("delete_database", Name=asked.of)
    return reported(None, 204)


def database(asked: Asked) -> dict[str, Any]:
    """Glue's database of a namespace. Raises Refusal."""
    try:
        return asked.glue("get_database", Name=asked.of)["Database"]
    except Refusal as error:
        if error.code == "EntityNotFoundException":
            raise Refusal("NoSuchNamespaceException", f"Namespace does not exist: {asked.of}") from None
        raise


def _properties(found: dict[str, Any]) -> dict[str, str]:
    reported = {str(key): str(value) for key, value in (found.get("Parameters") or {}).items()}
    for key, member in (("location", "LocationUri"), ("comment", "Description")):
        if found.get(member):
            reported[key] = str(found[member])
    return reported
