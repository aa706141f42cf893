"""MLflow's app with accounts, and a guard before the aliases that promote a model.

MLflow's permissions know one right for editing a model and for moving its aliases. Here the guarded aliases
are another one: accounts that promote have it, for all models, and whoever may edit a model has not.
"""
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false

import os

from flask import g
from mlflow.protos.model_registry_pb2 import DeleteRegisteredModelAlias, SetRegisteredModelAlias
from mlflow.server import app as flask_app
from mlflow.server import auth
from mlflow.server.handlers import _get_request_message

_ROUTE = "/registered-models/alias"
_MESSAGES = {"POST": SetRegisteredModelAlias, "DELETE": DeleteRegisteredModelAlias}


def _words(variable: str) -> frozenset:
    return frozenset(word for word in os.environ.get(variable, "").split(",") if word)


def _guarded(method: str, otherwise):
    aliases = frozenset(alias.casefold() for alias in _words("REGISTRY_GUARDED_ALIASES"))
    promoters = _words("REGISTRY_PROMOTERS")

    def may() -> bool:
        # Read as MLflow's own handler reads it, so that none sees another alias than the other.
        alias = _get_request_message(_MESSAGES[method]()).alias
        if alias.casefold() in aliases:
            return g.mlflow_authenticated_user in promoters
        return otherwise()

    return may


def create_app(app=flask_app):
    """The app for `mlflow server --app-name`."""
    guarded = [key for key in auth.BEFORE_REQUEST_VALIDATORS if key[0].endswith(_ROUTE)]
    if not {"POST", "DELETE"} <= {method for _, method in guarded}:
        raise RuntimeError(f"this MLflow has no route {_ROUTE} to guard: aliases would be everybody's")
    for path, method in guarded:
        if method in _MESSAGES:
            otherwise = auth.BEFORE_REQUEST_VALIDATORS[path, method]
            auth.BEFORE_REQUEST_VALIDATORS[path, method] = _guarded(method, otherwise)
    return auth.create_app(app)
