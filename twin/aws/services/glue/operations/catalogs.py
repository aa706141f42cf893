"""Glue's catalogs next to the account's own: that of S3 Tables, which is federated; moto has none.

Source: the Web API's CreateCatalog; "Integrating Amazon S3 Tables with AWS analytics services" (S3 User
Guide).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.services.glue.operations import federated
from twin.aws.services.glue.operations.federated import CATALOGS as _CATALOGS
from twin.aws.services.glue.operations.federated import CONNECTION as _CONNECTION
from twin.aws.services.glue.operations.federated import S3_TABLES
from twin.aws.validation import extension_store
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]


def create(params: Params, state: MotoState) -> None:
    """CreateCatalog."""
    name = str(params.get("Name"))
    if name in _CATALOGS.here(state):
        raise Refusal("AlreadyExistsException", "Catalog already exists.")
    _input(name, params.get("CatalogInput") or {}, state)


def update(params: Params, state: MotoState) -> None:
    """UpdateCatalog."""
    drop_rule(params, state)
    _input(_name(params), params.get("CatalogInput") or {}, state)


def _input(name: str, catalog_input: Params, state: MotoState) -> None:
    federated = catalog_input.get("FederatedCatalog")
    if not federated:
        if catalog_input.get("TargetRedshiftCatalog") or catalog_input.get("CatalogProperties"):
            raise NotImplementedError("a catalog of Redshift: the one of S3 Tables is here alone")
        raise Refusal(
            "InvalidInputException", "A catalog is federated, of Redshift, or has catalog properties."
        )
    if federated.get("ConnectionName") != _CONNECTION:
        raise NotImplementedError(f"a catalog of the connection {federated.get('ConnectionName')}")
    if name != S3_TABLES:
        words = f"The catalog of the connection {_CONNECTION} is called {S3_TABLES}, not {name}."
        raise Refusal("InvalidInputException", words)
    place = f"arn:aws:s3tables:{state.region}:{state.account}:bucket/*"
    if federated.get("Identifier") != place:
        words = f"The identifier of {S3_TABLES} is {place}, got {federated.get('Identifier')}."
        raise Refusal("InvalidInputException", words)


def there(params: Params, state: MotoState) -> None:
    """GetCatalog, DeleteCatalog."""
    if _is_account_catalog(params, state.account):
        return
    if federated.bucket_there(params.get("CatalogId"), _backend(state)):
        return
    if _name(params) not in _CATALOGS.here(state):
        raise Refusal("EntityNotFoundException", f"Catalog {params.get('CatalogId')} not found.")


def drop_rule(params: Params, state: MotoState) -> None:
    """DeleteCatalog: a table bucket's goes with its bucket alone."""
    there(params, state)
    if federated.is_bucket(params.get("CatalogId")):
        words = f"The catalog {params['CatalogId']} is of a table bucket: S3 Tables makes and drops it."
        raise Refusal("InvalidInputException", words)


def _is_account_catalog(params: Params, account: str) -> bool:
    return params.get("CatalogId") in (None, account)


def _name(params: Params) -> str:
    return str(params.get("CatalogId")).rpartition(":")[2]


def _backend(state: MotoState) -> Any:
    return state.moto.backend("glue", state.region)


RULES: Final = {
    "CreateCatalog": create,
    "UpdateCatalog": update,
    "GetCatalog": there,
    "DeleteCatalog": drop_rule,
}


# Operations


def make(params: Params, backend: Any) -> Params:
    """CreateCatalog."""
    name = params["Name"]
    arn = f"arn:aws:glue:{backend.region_name}:{backend.account_id}:catalog/{name}"
    description = {
        **_description(params["CatalogInput"]),
        "CatalogId": f"{backend.account_id}:{name}",
        "Name": name,
    }
    description |= {
        "ResourceArn": arn,
        "CreateTime": extension_store.now(),
        "UpdateTime": extension_store.now(),
    }
    _CATALOGS.add(backend, name, description)
    if params.get("Tags"):
        backend.tag_resource(arn, params["Tags"])
    return {}


def _description(catalog_input: Params) -> Params:
    left_out = ("OverwriteChildResourcePermissionsWithDefault",)
    return {
        name: value for name, value in catalog_input.items() if name not in left_out and value is not None
    }


def change(params: Params, backend: Any) -> Params:
    """UpdateCatalog: what is left out is gone."""
    thing = _CATALOGS.all(backend)[_name(params)]
    names = ("CatalogId", "Name", "ResourceArn", "CreateTime")
    unchanged = {name: thing.description[name] for name in names}
    thing.description = {
        **_description(params["CatalogInput"]),
        **unchanged,
        "UpdateTime": extension_store.now(),
    }
    return {}


def report(params: Params, backend: Any) -> Params:
    """GetCatalog: the account's own too."""
    if _is_account_catalog(params, backend.account_id):
        arn = f"arn:aws:glue:{backend.region_name}:{backend.account_id}:catalog"
        return {"Catalog": {"CatalogId": backend.account_id, "Name": backend.account_id, "ResourceArn": arn}}
    if federated.is_bucket(params.get("CatalogId")):
        return {"Catalog": _of_bucket(_name(params).rpartition("/")[2], backend)}
    return {"Catalog": _CATALOGS.all(backend)[_name(params)].description}


def _of_bucket(bucket: str, backend: Any) -> Params:
    """The catalog of one table bucket."""
    above = _CATALOGS.all(backend)[S3_TABLES].description
    names = ("CreateTime", "UpdateTime", "CreateDatabaseDefaultPermissions", "CreateTableDefaultPermissions")
    return {
        **{name: above[name] for name in names if name in above},
        "CatalogId": federated.catalog_id(backend.account_id, bucket),
        "Name": bucket,
        "ResourceArn": f"{above['ResourceArn']}/{bucket}",
        "FederatedCatalog": {
            "Identifier": federated.bucket_arn(backend, bucket),
            "ConnectionName": _CONNECTION,
        },
    }


def tell_all(_: Params, backend: Any) -> Params:
    """GetCatalogs."""
    return {"CatalogList": [catalog.description for catalog in _CATALOGS.all(backend).values()]}


def drop(params: Params, backend: Any) -> Params:
    """DeleteCatalog."""
    description = _CATALOGS.all(backend).pop(_name(params)).description
    backend.tagger.delete_all_tags_for_resource(description["ResourceArn"])
    return {}


OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer | None]]] = {
    "CreateCatalog": extension_store.operation(make),
    "UpdateCatalog": extension_store.operation(change),
    "GetCatalog": extension_store.operation(report),
    "GetCatalogs": extension_store.operation(tell_all),
    "DeleteCatalog": extension_store.operation(drop),
}
