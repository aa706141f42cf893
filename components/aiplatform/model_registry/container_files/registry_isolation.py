"""Which account reads and changes what: what it created, and what the file lets it read.

MLflow gives an account all rights on what it creates, and others what `default_permission` states: none
(registry_start). This module adds what MLflow's own rights lack:

- accounts that promote read everything, and `REGISTRY_READS` lets an account read what others created;
- requests that MLflow's rights do not evaluate are refused, unless registry_routes lists them;
- names that begin with another account's, files of another experiment, and requests that state a field twice.
"""
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false

import asyncio
import json
import os
import re
import urllib.parse
from typing import NoReturn

import registry_guard as guard
import registry_routes as routes
from flask import g, request
from mlflow.exceptions import MlflowException
from mlflow.protos import databricks_pb2 as codes
from mlflow.protos import model_registry_pb2 as registry
from mlflow.protos import service_pb2 as tracking
from mlflow.server import ARTIFACTS_DESTINATION_ENV_VAR, auth, handlers
from mlflow.server.auth.db.models import SqlUser
from mlflow.server.handlers import (
    _get_model_registry_store,
    _get_request_message,
    _get_tracking_store,
    catch_mlflow_exception,
)
from mlflow.store.tracking.dbmodels.models import SqlTraceInfo
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

READS = {name: tuple(owners) for name, owners in json.loads(os.environ.get("REGISTRY_READS") or "{}").items()}
"""Account -> the accounts whose experiments, runs, files and models it reads."""

ACCOUNTS = guard.words("REGISTRY_ACCOUNTS")
"""The declared accounts: what is named `<account>.<name>` belongs to one of them."""

_READABLE = frozenset({"experiment", "registered_model", "prompt", "scorer"})
_OWNER = "MANAGE"
# Where versions of models may have files in addition to the registry's bucket: a client reads them with its
# own credentials.
_ELSEWHERE = frozenset({"s3", "gs"})
# Objects of requests that contain what MLflow's rights evaluate.
_EVALUATED = frozenset({"trace", "trace_info", "trace_location", "mlflow_experiment", "locations"})


def _refuse(reason: str, expected: str) -> NoReturn:
    raise MlflowException(f"{reason}; expected {expected}", codes.PERMISSION_DENIED)


def share(store) -> None:
    """Let MLflow's store of rights answer for what an account reads of other accounts, too."""
    single = store.get_role_permission_for_resource
    several = store.list_role_grants_for_user_in_workspace

    def readable(user_id: int, workspace: str, resource_type: str) -> set:
        """What an account reads in addition to its own: ids or names; `*` for all."""
        if resource_type not in _READABLE:
            return set()
        with store.ManagedSessionMaker() as session:
            user = session.get(SqlUser, user_id)
            name = None if user is None else user.username
        if name in guard.PROMOTERS:
            return {"*"}
        return {
            pattern
            for owner in READS.get(name, ())
            if store.has_user(owner)
            for pattern, permission in several(store.get_user(owner).id, workspace, resource_type)
            if permission == _OWNER and pattern != "*"
        }

    def get_role_permission_for_resource(user_id, resource_type, resource_id, workspace):
        direct = single(user_id, resource_type, resource_id, workspace)
        if direct is not None and direct.can_read:
            return direct
        if {"*", resource_id} & readable(user_id, workspace, resource_type):
            return auth.get_permission("READ")
        return direct

    def list_role_grants_for_user_in_workspace(user_id, workspace, resource_type):
        direct = several(user_id, workspace, resource_type)
        return [*direct, *((pattern, "READ") for pattern in readable(user_id, workspace, resource_type))]

    store.get_role_permission_for_resource = get_role_permission_for_resource
    store.list_role_grants_for_user_in_workspace = list_role_grants_for_user_in_workspace


def keep_traces() -> None:
    """Refuse to move a trace to another experiment, and files of a trace outside of its experiment."""
    for name in ("start_trace", "log_spans"):
        setattr(SqlAlchemyStore, name, _in_one_experiment(getattr(SqlAlchemyStore, name), name))
    for name in ("_get_trace_artifact_repo", "_get_trace_archive_repo"):
        setattr(handlers, name, _of_its_experiment(getattr(handlers, name)))


def _in_one_experiment(method, name: str):
    def guarded(self, first, *more, **named):
        if name == "start_trace":
            experiment, traces = first.experiment_id, [first.trace_id]
        else:
            experiment, traces = first, [span.trace_id for span in (more[0] if more else named["spans"])]
        with self.ManagedSessionMaker() as session:
            query = session.query(SqlTraceInfo.request_id).filter(
                SqlTraceInfo.request_id.in_(traces), SqlTraceInfo.experiment_id != int(experiment)
            )
            other = query.first()
        if other is not None:
            _refuse(f"trace {other[0]} is of another experiment", f"one of experiment {experiment}")
        return method(self, first, *more, **named)

    return guarded


def _of_its_experiment(repository):
    def guarded(trace_info):
        location = trace_info.tags.get("mlflow.artifactLocation")
        experiment = str(trace_info.experiment_id)
        # Clients set tags: one of them would name the files of another experiment.
        if location is not None and (guard.folder(location) or "").partition("/")[0] != experiment:
            _refuse(f"trace {trace_info.trace_id}: its files are at {location}", f"experiment {experiment}")
        return repository(trace_info)

    return guarded


@catch_mlflow_exception
def before_request() -> None:
    """Flask's hook, after MLflow's own, which has authenticated the account and evaluated its rights."""
    user = getattr(g, "mlflow_authenticated_user", None)
    if request.endpoint is None or user is None or request.method == "OPTIONS":
        return
    if auth.store.get_user(user).is_admin:
        return
    if not _is_evaluated() and request.endpoint not in routes.OPEN | routes.FILTERED:
        _refuse(f"{request.method} {request.path}: its rights are not evaluated", "the account `admin`")
    if request.endpoint not in routes.OPEN:
        _refuse_ambiguous()
    path = (request.view_args or {}).get("artifact_path")
    if path is not None:
        files(user, path, request.method)
    if request.endpoint in _CHECKS:
        message, check = _CHECKS[request.endpoint]
        check(user, _get_request_message(message()))


def _is_evaluated() -> bool:
    """Whether MLflow has evaluated the rights of this request."""
    if auth._find_validator(request) is not None:
        return True
    if not auth._is_proxy_artifact_path(request.path):
        return False
    return auth._get_proxy_artifact_validator(request.method, request.view_args) is not None


def _refuse_ambiguous() -> None:
    """Refuse a request that MLflow's rights and its handler would read differently: protobuf accepts `runId`
    for `run_id`, of both the last one, and the rights read `run_id`; of query and body each reads another."""
    if not request.is_json:
        body = None
        if request.method in ("POST", "PATCH", "DELETE") and request.endpoint != "serve_upload_artifact":
            body = request.get_json(force=True, silent=True)
        if body is not None:
            _refuse("a body that is no application/json", "the header Content-Type: application/json")
        return
    body = request.get_json(silent=True)
    if isinstance(body, str):
        _refuse("a body that is a string", "a JSON object")
    if request.endpoint != "_graphql":  # whose fields are variables of a query
        _snake_case(body)
    if request.args and body and request.method != "GET":
        _refuse("parameters in both the query and the body", "the body alone")


def _snake_case(value) -> None:
    if isinstance(value, list):
        for item in value:
            _snake_case(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if re.search(r"[A-Z]", key):
                _refuse(f"the field {key}", "the name of the field in the API, in small letters with _")
            if key in _EVALUATED:
                _snake_case(item)


def files(user: str, path: str, method: str) -> None:
    """Raise where an account has not the right to files of an experiment. path: relative to the root of the
    registry's bucket, `<experiment>/...`, as a request states it."""
    experiment, _, rest = guard.normal(path).partition("/")
    right = {"GET": "can_read", "DELETE": "can_manage"}.get(method, "can_update")
    if not re.fullmatch("[0-9]+", experiment) or not rest:
        # A deletion of `1` would take `10/...` along: stores delete every key that begins so.
        _refuse(f"the path {path}", "files in an experiment: <experiment>/<path>")
    if not getattr(auth._get_experiment_permission(experiment, user), right):
        _refuse(f"the files of experiment {experiment}", "the account that created it")


def _name(user: str, name: str) -> None:
    owner = name.partition(".")[0]
    if "." in name and owner in ACCOUNTS and owner != user:
        _refuse(f"the name {name}", f"another one: the names {owner}.* are those of the account {owner}")


def _named(user, message) -> None:
    _name(user, message.name)


def _renamed(user, message) -> None:
    _name(user, message.new_name)


def _version(user, message) -> None:
    """Raise where a version would have a run or files that its author may not read: who reads the model reads
    the files through it."""
    if message.run_id:
        run = _get_tracking_store().get_run(message.run_id)
        _may_read(user, run.info.experiment_id, f"run {message.run_id}")
    if message.model_id:
        model = _get_tracking_store().get_logged_model(message.model_id)
        _may_read(user, model.experiment_id, f"logged model {message.model_id}")
    _place(user, message.source)


def _place(user, source: str) -> None:
    parsed = urllib.parse.urlparse(source)
    bucket = urllib.parse.urlparse(os.environ.get(ARTIFACTS_DESTINATION_ENV_VAR, "")).netloc
    if guard.PLACEHOLDER.fullmatch(source):
        return  # a prompt
    if parsed.scheme == "runs":
        identifier = source.removeprefix("runs:/").lstrip("/").partition("/")[0]
        of_run = _get_tracking_store().get_run(identifier)
        _may_read(user, of_run.info.experiment_id, f"run {identifier}")
    elif parsed.scheme == "models":
        _model(user, source.removeprefix("models:/").lstrip("/"))
    elif parsed.scheme == "mlflow-artifacts" and guard.folder(source):
        files(user, guard.folder(source) or "", "GET")
    elif parsed.scheme not in _ELSEWHERE or parsed.netloc.rpartition("@")[2] == bucket:
        _refuse(
            f"source: got {source}",
            "mlflow-artifacts:/, runs:/, models:/, or s3:// or gs:// of another bucket",
        )


def _model(user, name: str) -> None:
    """name: the path of a URI `models:/`: `<id>`, `<name>/<version>` or `<name>@<alias>`."""
    parts = urllib.parse.unquote(name).split("/")
    if len(parts) == 1 and "@" not in name:
        model = _get_tracking_store().get_logged_model(parts[0])
        _may_read(user, model.experiment_id, f"logged model {parts[0]}")
        return
    registered = parts[0].rpartition("@")[0] or parts[0]
    is_prompt = _get_model_registry_store().get_registered_model(registered)._is_prompt()
    kind = "prompt" if is_prompt else "registered_model"
    role = auth._role_permission_for_known_workspace(user, kind, registered, None)
    if not auth._get_role_permission_or_default(role).can_read:
        _refuse(f"model {registered}", "a model that this account reads")


def _may_read(user, experiment: str, what: str) -> None:
    if not auth._get_experiment_permission(experiment, user).can_read:
        _refuse(what, "one that this account reads")


# Endpoint -> the message that its handler reads, and the check of it.
_CHECKS = {
    "_create_experiment": (tracking.CreateExperiment, _named),
    "_update_experiment": (tracking.UpdateExperiment, _renamed),
    "_create_registered_model": (registry.CreateRegisteredModel, _named),
    "_rename_registered_model": (registry.RenameRegisteredModel, _renamed),
    "_create_model_version": (registry.CreateModelVersion, _version),
}


def native(rights):
    """The same for files that FastAPI serves past Flask. rights: MLflow's own table of their rights."""

    def find(path: str, method: str):
        otherwise = rights(path, method)
        for prefix in routes.NATIVE_FILES:
            if method in ("GET", "PUT") and path.startswith(prefix):
                return _also(otherwise or guard.never, path.removeprefix(prefix), method)
        return otherwise

    return find


def _also(otherwise, path: str, method: str):
    async def validator(user, request) -> bool:
        if not await otherwise(user, request):
            return False
        await asyncio.to_thread(files, user, path, method)
        return True

    return validator
