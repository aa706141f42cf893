"""CodeBuild: projects and their webhooks.

moto's projects lose half of what they are given, cannot be changed, and know no webhooks; here they are kept
whole, in moto's own collection, so that its builds find them.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.iam import policy_statements, service_roles
from twin.aws.validation import stated
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]

_SEEN_IN_VPC: Final = ("DescribeVpcs", "DescribeSubnets", "DescribeSecurityGroups")
"""What CodeBuild asks in the name of the service role when a project with a VPC is made."""


def invalid(words: str) -> Refusal:
    """CodeBuild's answer to everything that it does not like."""
    return Refusal("InvalidInputException", words)


def create_project(params: Params, state: MotoState) -> None:
    """CreateProject."""
    name = str(params.get("name"))
    if name in _projects(state):
        arn = f"arn:aws:codebuild:{state.region}:{state.account}:project/{name}"
        raise Refusal("ResourceAlreadyExistsException", f"Project already exists: {arn}")
    _check(params, state)


def update_project(params: Params, state: MotoState) -> None:
    """UpdateProject: what is left out stays, and the whole is checked again."""
    before = _project(state, params.get("name"))
    _check({**before, **params}, state)


def _check(project: Params, state: MotoState) -> None:
    role = _service_role(project, state)
    stated.check(__name__, "project", project, state)
    _connection((project.get("source") or {}).get("auth") or {}, role)
    _vpc(project.get("vpcConfig") or {}, role, state)


def _service_role(project: Params, state: MotoState) -> Any:
    arn = str(project.get("serviceRole") or "")
    if not arn.startswith(f"arn:aws:iam::{state.account}:role/"):
        raise invalid("Invalid service role: Service role account ID does not match caller's account")
    project_arn = f"arn:aws:codebuild:{state.region}:{state.account}:project/{project.get('name')}"
    role = service_roles.by("codebuild.amazonaws.com", arn, state, **{"aws:SourceArn": project_arn})
    if role is None:
        raise invalid(f"CodeBuild is not authorized to perform: sts:AssumeRole on {arn}")
    return role


def _may(role: Any, action: str, resource: str) -> bool:
    texts = [*role.policies.values()]
    for attached in role.managed_policies.values():
        texts += [
            version.document
            for version in attached.versions
            if version.version_id == attached.default_version_id
        ]
    documents = [json.loads(text) if isinstance(text, str) else text for text in texts]
    return policy_statements.allows(documents, action, resource, {})


def _connection(auth: Params, role: Any) -> None:
    if auth.get("type") != "CODECONNECTIONS":
        return
    arn = str(auth.get("resource") or "")
    service = arn.split(":")[2]
    if not all(_may(role, f"{service}:{use}", arn) for use in ("GetConnection", "GetConnectionToken")):
        raise invalid(f"Failed to call GetConnectionToken, reason: Access denied to connection {arn}")


def _vpc(vpc: Params, role: Any, state: MotoState) -> None:
    if not vpc:
        return
    for action in _SEEN_IN_VPC:
        if not _may(role, f"ec2:{action}", "*"):
            raise invalid(f"Not authorized to perform {action}")
    wanted = vpc["vpcId"]
    try:
        state.vpc(wanted)
        places = [(subnet, state.subnet(subnet).vpc_id) for subnet in vpc["subnets"]]
        places += [(group, state.group(group).vpc_id) for group in vpc["securityGroupIds"]]
    except Refusal as error:
        raise invalid(f"Invalid vpc config: {error.message}") from None
    for id, there in places:
        if there != wanted:
            raise invalid(f"Invalid vpc config: {id} is in {there}, not in {wanted}")


def check_webhook(params: Params, state: MotoState) -> None:
    """CreateWebhook, UpdateWebhook: filters that go with the project's source."""
    source = _project(state, params.get("projectName"))["source"]
    stated.check(__name__, "filters", {**params, "source": source}, state)


def start_build(params: Params, state: MotoState) -> None:
    """StartBuild: a project that is at its limit throttles the build, and does not queue it."""
    project = _project(state, params.get("projectName"))
    limit = project.get("concurrentBuildLimit")
    history = state.moto.backend("codebuild", state.region).build_metadata_history
    running = [build for build in history.get(project["name"], []) if build["buildStatus"] == "IN_PROGRESS"]
    if limit and len(running) >= limit:
        raise Refusal(
            "AccountLimitExceededException", f"Cannot have more than {limit} builds in queue for the project"
        )


def _projects(state: MotoState) -> Mapping[str, Any]:
    return state.moto.backend("codebuild", state.region).codebuild_projects


def _project(state: MotoState, name: Any) -> Params:
    for project in _projects(state).values():
        if name in (project.project_metadata["name"], project.arn):
            return project.project_metadata
    arn = f"arn:aws:codebuild:{state.region}:{state.account}:project/{name}"
    raise Refusal("ResourceNotFoundException", f"Project cannot be found: {arn}")


RULES: Final = stated.rules(
    __name__,
    {
        "CreateProject": create_project,
        "UpdateProject": update_project,
        "CreateWebhook": check_webhook,
        "UpdateWebhook": check_webhook,
        "StartBuild": start_build,
    },
)


# Operations


def _named(backend: Any, name: Any) -> Any:
    return next(
        project for project in backend.codebuild_projects.values() if name in (project.name, project.arn)
    )


def make_project(call: Call, backend: Any) -> Answer:
    """CreateProject, whole."""
    from moto.codebuild.models import CodeBuild

    params: Params = call.params
    name = params["name"]
    project: Any = CodeBuild(
        backend.account_id,
        backend.region_name,
        project_name=name,
        description=None,
        project_source={},
        artifacts={},
        environment={},
        serviceRole=params["serviceRole"],
    )
    project_metadata = project.project_metadata
    project_metadata.update(_completed({**_DEFAULTS, **project_metadata, **_lasting(params)}))
    project_metadata["badge"] = {"badgeEnabled": bool(params.get("badgeEnabled"))}
    project.name = name
    backend.codebuild_projects[name] = project
    backend.build_history[name] = []
    return _answer({"project": project_metadata})


def change_project(call: Call, backend: Any) -> Answer:
    """UpdateProject, which moto lacks."""
    project = _named(backend, call.params["name"])
    project_metadata = project.project_metadata
    project_metadata.update(_completed({**project_metadata, **_lasting(call.params)}))
    for member in ("vpcConfig", "buildBatchConfig"):
        if member in call.params and not call.params[member]:
            project_metadata.pop(member, None)
    if call.params.get("concurrentBuildLimit") == -1:
        project_metadata.pop("concurrentBuildLimit", None)
    if call.params.get("badgeEnabled") is not None:
        project_metadata["badge"] = {"badgeEnabled": call.params["badgeEnabled"]}
    project_metadata["lastModifiedDate"] = time.time()
    project.service_role = project_metadata["serviceRole"]
    return _answer({"project": project_metadata})


def drop_project(call: Call, backend: Any) -> Answer:
    """DeleteProject: its builds go along, and one that is not there is no error."""
    name_or_arn = call.params["name"]
    for name in [
        key for key, project in backend.codebuild_projects.items() if name_or_arn in (key, project.arn)
    ]:
        for collection in ("codebuild_projects", "build_history", "build_metadata", "build_metadata_history"):
            getattr(backend, collection).pop(name, None)
    return _answer({})


def make_webhook(call: Call, backend: Any) -> Answer:
    """CreateWebhook, which moto lacks. Only this answer reports the secret."""
    project = _named(backend, call.params["projectName"])
    # By the clock, which is still for a call and is the same when it is made again.
    token = _token(project.arn, time.time())
    payload = f"https://codebuild.{backend.region_name}.amazonaws.com/webhooks?t={token}&v=1"
    hook = {name: value for name, value in call.params.items() if name not in ("projectName",)}
    hook.setdefault("buildType", "BUILD")
    hook.update(payloadUrl=payload, lastModifiedSecret=time.time())
    if not call.params.get("manualCreation"):
        where = str(project.project_metadata["source"].get("location")).removesuffix(".git")
        where = where.replace("://github.com/", "://api.github.com/repos/")
        hook["url"] = f"{where}/hooks/{int(token[:8], 16)}"
    project.project_metadata["webhook"] = hook
    return _answer({"webhook": {**hook, "secret": _token(payload)}})


def _token(*parts: object) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, "/".join(map(str, parts))).hex


def change_webhook(call: Call, backend: Any) -> Answer:
    """UpdateWebhook, which moto lacks."""
    hook = _named(backend, call.params["projectName"]).project_metadata["webhook"]
    names = ("branchFilter", "filterGroups", "buildType", "pullRequestBuildPolicy")
    hook.update({name: call.params[name] for name in names if name in call.params})
    if call.params.get("filterGroups"):
        hook.pop("branchFilter", None)
    return _answer({"webhook": hook})


def drop_webhook(call: Call, backend: Any) -> Answer:
    """DeleteWebhook, which moto lacks."""
    del _named(backend, call.params["projectName"]).project_metadata["webhook"]
    return _answer({})


_DEFAULTS: Final[Params] = {
    "timeoutInMinutes": 60,
    "queuedTimeoutInMinutes": 480,
    "cache": {"type": "NO_CACHE"},
    "secondarySources": [],
    "secondaryArtifacts": [],
    "secondarySourceVersions": [],
    "projectVisibility": "PRIVATE",
    "autoRetryLimit": 0,
}
_PLAIN_LOGS: Final = {"status": "DISABLED", "encryptionDisabled": False}


def _lasting(params: Params) -> Params:
    return {name: value for name, value in params.items() if name != "badgeEnabled" and value is not None}


def _completed(project: Params) -> Params:
    """With what CodeBuild adds to the parts."""
    completed = dict(project)
    completed["source"] = {"insecureSsl": False, **completed["source"]}
    completed["environment"] = {
        "environmentVariables": [],
        "privilegedMode": False,
        "imagePullCredentialsType": "CODEBUILD",
        **completed["environment"],
    }
    completed["environment"]["environmentVariables"] = [
        {"type": "PLAINTEXT", **environment_variable}
        for environment_variable in completed["environment"]["environmentVariables"]
    ]
    logs = completed.get("logsConfig") or {}
    completed["logsConfig"] = {
        "cloudWatchLogs": logs.get("cloudWatchLogs") or {"status": "ENABLED"},
        "s3Logs": {**_PLAIN_LOGS, **(logs.get("s3Logs") or {})},
    }
    return completed


def _answer(body: Params) -> Answer:
    return Answer(200, [("Content-Type", "application/x-amz-json-1.1")], json.dumps(body).encode())


OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer | None]]] = {
    "CreateProject": make_project,
    "UpdateProject": change_project,
    "DeleteProject": drop_project,
    "CreateWebhook": make_webhook,
    "UpdateWebhook": change_webhook,
    "DeleteWebhook": drop_webhook,
}
