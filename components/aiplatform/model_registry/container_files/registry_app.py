"""MLflow's app with accounts: each has what it created (registry_isolation), and a guard evaluates what
promotes a model or changes a promoted one (registry_guard).

MLflow's permissions know one right for editing a model and for moving its aliases. Here the guarded aliases
are another one: accounts that promote have it, for all models, and accounts that may edit a model have not.
"""
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false

from functools import partial

import registry_guard as guard
import registry_isolation as isolation
from mlflow.server import app as flask_app
from mlflow.server import auth

_ROUTE = "/registered-models/alias"


def create_app(app=flask_app):
    """The app for `mlflow server --app-name`. Raises where this MLflow lacks what is guarded."""
    aliases = [key for key in auth.BEFORE_REQUEST_VALIDATORS if key[0].endswith(_ROUTE) and key[1] != "GET"]
    if {method for _, method in aliases} != {"POST", "DELETE"}:
        raise RuntimeError(f"this MLflow has no route {_ROUTE} to guard: aliases would be everybody's")
    for path, method in aliases:
        otherwise = auth.BEFORE_REQUEST_VALIDATORS[path, method]
        auth.BEFORE_REQUEST_VALIDATORS[path, method] = partial(guard.may_move, method, otherwise)
    if auth.auth_config.default_permission != "NO_PERMISSIONS":
        raise RuntimeError("default_permission: each account would read what all others created")
    auth._find_fastapi_validator = guard.native(isolation.native(auth._find_fastapi_validator))
    isolation.share(auth.store)
    isolation.keep_traces()
    served = auth.create_app(app)
    app.before_request(isolation.before_request)
    app.before_request(guard.before_request)
    return served
