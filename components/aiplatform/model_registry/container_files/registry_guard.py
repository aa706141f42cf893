"""What only accounts that promote may do: change what a guarded alias serves.

A version that has a guarded alias is promoted. Its alias, its model's name, its record and its files are
frozen for accounts that do not promote, whatever rights MLflow gives them on the model, the run or the
experiment.
"""
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false

import asyncio
import os
import posixpath
import re
import urllib.parse
from dataclasses import dataclass
from typing import NoReturn

import registry_routes as routes
import sqlalchemy
from flask import g, request
from mlflow.exceptions import MlflowException
from mlflow.protos import databricks_pb2 as codes
from mlflow.protos import model_registry_pb2 as registry
from mlflow.protos import service_pb2 as tracking
from mlflow.server import auth
from mlflow.server.handlers import (
    _get_model_registry_store,
    _get_request_message,
    _get_tracking_store,
    catch_mlflow_exception,
)
from mlflow.store.model_registry.dbmodels.models import SqlModelVersion, SqlRegisteredModelAlias
from mlflow.utils.uri import validate_path_is_safe

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# What a prompt has in place of files: a word that nothing is loaded from.
PLACEHOLDER = re.compile(r"[\w-]+")


def words(variable: str) -> frozenset:
    return frozenset(word for word in os.environ.get(variable, "").split(",") if word)


ALIASES = frozenset(alias.casefold() for alias in words("REGISTRY_GUARDED_ALIASES"))
PROMOTERS = words("REGISTRY_PROMOTERS")


@dataclass(frozen=True)
class Promoted:
    """A version that has a guarded alias. files: the folder of its files; None where it has none here."""

    model: str
    version: str
    run: str
    files: str | None


def is_guarded(alias: str) -> bool:
    """Whether only accounts that promote give and take an alias."""
    return alias.casefold() in ALIASES


def folder(location: str) -> str | None:
    """The folder of a location in the registry's own bucket, relative to its root; None for any other place.

    `mlflow-artifacts:/1/models/m-1/artifacts` -> `1/models/m-1/artifacts`.
    """
    found = urllib.parse.urlparse(location)
    if found.scheme != "mlflow-artifacts" or found.netloc or found.query or found.fragment:
        return None
    return normal(found.path) or None


def normal(path: str) -> str:
    """A path as the store has it: decoded, as handlers decode it, and without detours."""
    decoded = path
    while (once := urllib.parse.unquote(decoded)) != decoded:
        decoded = once
    return posixpath.normpath("/" + decoded).strip("/")


def overlaps(path: str, files: str) -> bool:
    """Whether who writes or deletes `path` changes the folder `files`: inside of it, or above it."""
    path = normal(path)
    return f"{path}/".startswith(f"{files}/") or f"{files}/".startswith(f"{path}/")


def begins(path: str, files: str) -> bool:
    """Whether a deletion of `path` takes something of `files` along: stores delete every key that begins so,
    `1/models/m-1` also `1/models/m-10/...`."""
    path = normal(path)
    return overlaps(path, files) or files.startswith(path)


def promoted() -> list:
    """All promoted versions, as the database has them now."""
    alias = SqlRegisteredModelAlias
    same = sqlalchemy.and_(
        SqlModelVersion.workspace == alias.workspace,
        SqlModelVersion.name == alias.name,
        SqlModelVersion.version == alias.version,
    )
    with _get_model_registry_store().ManagedSessionMaker() as session:
        rows = session.query(SqlModelVersion, alias.alias).join(alias, same).all()
        return [
            Promoted(
                each.name,
                str(each.version),
                each.run_id or "",
                folder(each.storage_location or each.source or ""),
            )
            for each, name in rows
            if is_guarded(name)
        ]


def _refuse(what: str) -> NoReturn:
    raise MlflowException(
        f"{what}; expected an account that promotes (guarded aliases: {', '.join(sorted(ALIASES))})",
        codes.PERMISSION_DENIED,
    )


def _model(message) -> None:
    for each in promoted():
        if each.model == message.name:
            _refuse(f"model {each.model} has a promoted version, {each.version}")


def _version(message) -> None:
    for each in promoted():
        if (each.model, each.version) == (message.name, str(message.version)):
            _refuse(f"version {each.version} of {each.model} is promoted")


def _is_own(tag: str) -> bool:
    """Whether MLflow itself reads a tag: the text of a prompt is in one."""
    return tag.lstrip("_").startswith("mlflow")


def _model_tag(message) -> None:
    if _is_own(message.key):
        _model(message)


def _version_tag(message) -> None:
    if _is_own(message.key):
        _version(message)


def files_refused(path: str, touches=overlaps) -> None:
    """Raise where a path is one of a promoted version's files."""
    path = validate_path_is_safe(path)
    for each in promoted():
        if each.files is not None and touches(path, each.files):
            _refuse(f"{path} is among the files of version {each.version} of {each.model}, which is promoted")


def _in_path(name: str) -> str:
    """A part of the request's path."""
    return (request.view_args or {})[name]


def _files(_message) -> None:
    files_refused(_in_path("artifact_path"))


def _deleted_files(_message) -> None:
    files_refused(_in_path("artifact_path"), begins)


def _file_of_run(_message) -> None:
    """An upload by a run's id, as the user interface sends it."""
    run = _get_tracking_store().get_run(request.args.get("run_uuid", ""))
    root = folder(run.info.artifact_uri)
    if root is None:
        _refuse(f"the files of run {run.info.run_id} are outside of the registry's bucket")
    files_refused(posixpath.join(root, validate_path_is_safe(request.args.get("path", ""))))
    # Where the server itself puts them, whatever the run says.
    files_refused(f"{run.info.experiment_id}/{run.info.run_id}/artifacts/{request.args.get('path', '')}")


def _logged_model(_message) -> None:
    model = _get_tracking_store().get_logged_model(_in_path("model_id"))
    root = folder(model.artifact_location)
    for each in promoted():
        if root is not None and each.files is not None and overlaps(root, each.files):
            _refuse(
                f"logged model {model.model_id} is version {each.version} of {each.model}, which is promoted"
            )


def _run(message) -> None:
    for each in promoted():
        if each.run == message.run_id:
            _refuse(f"run {each.run} made version {each.version} of {each.model}, which is promoted")


def _experiment(message) -> None:
    for each in promoted():
        if each.files is not None and each.files.startswith(f"{message.experiment_id}/"):
            _refuse(
                f"the experiment has the files of version {each.version} of {each.model}, which is promoted"
            )


def _place(message) -> None:
    """An experiment's files go where the server puts them: one elsewhere could lie over those of another."""
    if message.artifact_location:
        _refuse("artifact_location: got one, expected none: files go into the registry's bucket")


# Endpoint -> the message that its handler reads, and the check of it.
_CHECKS = {
    "_rename_registered_model": (registry.RenameRegisteredModel, _model),
    "_delete_registered_model": (registry.DeleteRegisteredModel, _model),
    "_set_registered_model_tag": (registry.SetRegisteredModelTag, _model_tag),
    "_delete_registered_model_tag": (registry.DeleteRegisteredModelTag, _model_tag),
    "_delete_model_version": (registry.DeleteModelVersion, _version),
    "_transition_stage": (registry.TransitionModelVersionStage, _version),
    "_set_model_version_tag": (registry.SetModelVersionTag, _version_tag),
    "_delete_model_version_tag": (registry.DeleteModelVersionTag, _version_tag),
    "_delete_logged_model": (None, _logged_model),
    "_finalize_logged_model": (None, _logged_model),
    "_delete_run": (tracking.DeleteRun, _run),
    "_create_experiment": (tracking.CreateExperiment, _place),
    "_delete_experiment": (tracking.DeleteExperiment, _experiment),
    "_upload_artifact": (None, _files),
    "serve_upload_artifact": (None, _file_of_run),
    "_delete_artifact_mlflow_artifacts": (None, _deleted_files),
    "_create_multipart_upload_artifact": (None, _files),
    "_complete_multipart_upload_artifact": (None, _files),
    "_abort_multipart_upload_artifact": (None, _files),
}
# The routes of aliases are in MLflow's own table of rights: an account that promotes needs none on the model.
_ALIAS_ROUTES = {
    "POST": ("_set_registered_model_alias", registry.SetRegisteredModelAlias),
    "DELETE": ("_delete_registered_model_alias", registry.DeleteRegisteredModelAlias),
}


def may_move(method: str, otherwise) -> bool:
    """Whether a request may give or take an alias. otherwise: MLflow's own answer."""
    # Read as MLflow's own handler reads it, so that both see the same alias.
    message = _get_request_message(_ALIAS_ROUTES[method][1]())
    if not is_guarded(message.alias):
        return otherwise()
    if g.mlflow_authenticated_user not in PROMOTERS:
        return False
    if method == "POST":
        _is_ours(message.name, message.version)
    return True


def _is_ours(name: str, version: str) -> None:
    """Raise where a version's files are at a place that this server does not guard."""
    location = _get_model_registry_store().get_model_version_download_uri(name, version)
    if folder(location) is None and not PLACEHOLDER.fullmatch(location):
        raise MlflowException(
            f"version {version} of {name}: its files are at {location}; expected the registry's bucket, "
            "as nothing keeps others from changing them elsewhere",
            codes.INVALID_PARAMETER_VALUE,
        )


@catch_mlflow_exception
def before_request() -> None:
    """Flask's hook, after MLflow's own, which has authenticated the account."""
    user = getattr(g, "mlflow_authenticated_user", None)
    if request.method in _SAFE or request.endpoint is None or user is None:
        return
    if request.endpoint in routes.FREE or request.endpoint in dict(_ALIAS_ROUTES.values()):
        return
    if auth.store.get_user(user).is_admin:
        return
    if request.endpoint not in _CHECKS:
        _refuse_unknown(request.endpoint, request.endpoint in routes.ADMIN)
    if user in PROMOTERS:
        return
    message, check = _CHECKS[request.endpoint]
    check(message and _get_request_message(message()))


def _refuse_unknown(route: str, known: bool) -> NoReturn:
    why = "for admin alone" if known else "not known to this registry"
    raise MlflowException(f"route {route}: {why}", codes.PERMISSION_DENIED)


def native(found):
    """The same for routes that FastAPI serves past Flask. found: MLflow's own table of their rights."""

    def find(path: str, method: str):
        otherwise = found(path, method)
        if path.startswith(routes.NATIVE_ADMIN):
            return never
        if method in _SAFE or path.startswith(routes.NATIVE_FREE):
            return otherwise
        for prefix in routes.NATIVE_FILES:
            # Other methods than this one Flask answers.
            if method == "PUT" and path.startswith(prefix):
                return _also(otherwise or never, path.removeprefix(prefix))
        return otherwise

    return find


async def never(_user, _request) -> bool:
    return False


def _also(otherwise, path: str):
    async def validator(user, request) -> bool:
        if not await otherwise(user, request):
            return False
        if user not in PROMOTERS:
            await asyncio.to_thread(files_refused, path)
        return True

    return validator
