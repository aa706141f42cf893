"""ECR: repositories, pull-through caches and templates; the latter two are not in moto.

Sources: the API Reference; "Sync an upstream registry with an Amazon ECR private registry" and "Templates to
control repositories created during a pull through cache or replication action" in the User Guide.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.iam import resource_policies, service_roles
from twin.aws.services.secretsmanager import validation as secretsmanager
from twin.aws.validation import extension_store, stated
from twin.aws.validation.moto_state import MotoState, absent

Params = dict[str, Any]

_RULES: Final = "pull_through_cache_rules"
_TEMPLATES: Final = "repository_creation_templates"
_UPSTREAMS: Final = stated.read(__name__)["upstreams"]
"""Kind -> what the URL of an upstream registry of this kind is, as a regular expression."""
_PULLS: Final = "pullthroughcache.ecr.amazonaws.com"
"""As which ECR assumes a rule's role, for an upstream in ECR. Templates' roles are ECR's."""


def invalid(words: str) -> Refusal:
    """ECR's answer to parameters that it does not take."""
    return Refusal("InvalidParameterException", words)


def repository_policy(params: Params, state: MotoState) -> None:
    """SetRepositoryPolicy."""
    _policy(params.get("policyText"), state, "repository")


def _policy(text: Any, state: MotoState, what: str) -> None:
    try:
        resource_policies.check(text, state, "ecr", "InvalidParameterException")
    except Refusal as error:
        raise invalid(
            f"Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid {what} policy "
            f"provided': {error.message}"
        ) from None


def cache(params: Params, state: MotoState) -> None:
    """CreatePullThroughCacheRule."""
    url = str(params.get("upstreamRegistryUrl"))
    _upstream(params, state)
    if registry_of(url) == "ecr" and not params.get("customRoleArn") and state.account not in url:
        raise invalid("customRoleArn is required for an upstream registry of another account's ECR")


def _upstream(params: Params, state: MotoState) -> None:
    kind = registry_of(str(params.get("upstreamRegistryUrl")))
    stated.check(__name__, "upstream", {**params, "kind": kind}, state)
    if params.get("credentialArn"):
        try:
            secretsmanager.secret(state, params["credentialArn"])
        except Refusal:
            raise Refusal(
                "SecretNotFoundException",
                "The ARN of the secret specified in the pull through cache rule was not found. Update the "
                "pull through cache rule with a valid secret ARN and try again.",
            ) from None
    _role(params, state, _PULLS)


def _role(params: Params, state: MotoState, service: str = "ecr.amazonaws.com") -> None:
    arn = params.get("customRoleArn")
    if arn and service_roles.by(service, str(arn), state) is None:
        raise invalid(f"The role {arn} does not exist or cannot be assumed by {service}")


def registry_of(url: str) -> str:
    """The kind of an upstream registry by its URL; empty for one that ECR does not know."""
    return next((kind for kind, pattern in _UPSTREAMS.items() if re.fullmatch(pattern, url)), "")


def update_cache(params: Params, state: MotoState) -> None:
    """UpdatePullThroughCacheRule."""
    rules = extension_store.resources(_backend(state), _RULES)
    _upstream({**rules[params["ecrRepositoryPrefix"]].description, **params}, state)


def update_template(params: Params, state: MotoState) -> None:
    """UpdateRepositoryCreationTemplate."""
    templates = extension_store.resources(_backend(state), _TEMPLATES)
    _template({**templates[params["prefix"]].description, **params}, state)


def _template(params: Params, state: MotoState) -> None:
    stated.check(__name__, "key", params, state)
    stated.check(__name__, "template", params, state)
    _role(params, state)
    if params.get("repositoryPolicy"):
        _policy(params["repositoryPolicy"], state, "repository")


def _backend(state: MotoState) -> Any:
    return state.moto.backend("ecr", state.region)


def put_image(params: Params, state: MotoState) -> None:
    """PutImage: what a manifest names is there, and a tag of an immutable repository keeps its image."""
    name = str(params.get("repositoryName"))
    repository: Any = _backend(state).repositories.get(name)
    if repository is None:
        raise Refusal(
            "RepositoryNotFoundException",
            f"The repository with name '{name}' does not exist in the registry with id '{state.account}'",
        )
    content = str(params.get("imageManifest"))
    _references(content, repository, name)
    digest = _digest(content)
    if params.get("imageDigest") not in (None, digest):
        raise Refusal("ImageDigestDoesNotMatchException", f"The digest of the image is {digest}")
    tag = params.get("imageTag")
    other = any(tag in image.image_tags and image.image_manifest != content for image in repository.images)
    if tag and other and repository.image_tag_mutability == "IMMUTABLE":
        raise Refusal(
            "ImageTagAlreadyExistsException",
            f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten "
            "because the tag is immutable.",
        )


def _digest(manifest: str) -> str:
    return f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"


def _references(content: str, repository: Any, name: str) -> None:
    try:
        manifest: Params = json.loads(content)
    except ValueError:
        raise invalid(
            "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'"
        ) from None
    blobs = [entry["digest"] for entry in (manifest.get("config"), *manifest.get("layers", ())) if entry]
    missing = [digest for digest in blobs if digest not in repository.layers]
    if missing:
        raise Refusal(
            "LayersNotFoundException",
            f"The referenced layers {', '.join(missing)} could not be found in the repository '{name}'",
        )
    known = {_digest(image.image_manifest) for image in repository.images}
    absent = [entry["digest"] for entry in manifest.get("manifests", ()) if entry["digest"] not in known]
    if absent:
        raise Refusal(
            "ReferencedImagesNotFoundException",
            f"The referenced images {', '.join(absent)} could not be found in the repository '{name}'",
        )


RULES: Final = stated.rules(
    __name__,
    {
        "PutImage": put_image,
        "SetRepositoryPolicy": repository_policy,
        "PutRegistryPolicy": absent("the policy of a registry"),
        "CreatePullThroughCacheRule": cache,
        "UpdatePullThroughCacheRule": update_cache,
        "CreateRepositoryCreationTemplate": _template,
        "UpdateRepositoryCreationTemplate": update_template,
    },
)


# Operations


def _make_cache(params: Params, backend: Any) -> Params:
    description = extension_store.with_values(params)
    description["registryId"] = backend.account_id
    description.setdefault("upstreamRegistry", registry_of(params["upstreamRegistryUrl"]))
    if description["upstreamRegistry"] == "ecr":
        # Between registries of ECR alone: the provider's test of a rule for public.ecr.aws asks for no prefix
        # and expects no difference afterwards.
        description.setdefault("upstreamRepositoryPrefix", "ROOT")
    return _add(backend, _RULES, params["ecrRepositoryPrefix"], description)


def _make_template(params: Params, backend: Any) -> Params:
    defaults = {"encryptionConfiguration": {"encryptionType": "AES256"}, "imageTagMutability": "MUTABLE"}
    return _add(backend, _TEMPLATES, params["prefix"], {**defaults, **params})


def _add(backend: Any, kind: str, name: str, description: Params) -> Params:
    description["createdAt"] = description["updatedAt"] = extension_store.now()
    extension_store.resources(backend, kind)[name] = extension_store.Thing(description)
    return description


def _change(kind: str, key: str) -> extension_store.Act:
    def change(params: Params, backend: Any) -> Params:
        description = extension_store.resources(backend, kind)[params[key]].description
        description.update(extension_store.with_values(params), updatedAt=extension_store.now())
        return description

    return change


def _drop(kind: str, key: str) -> extension_store.Act:
    return lambda params, backend: extension_store.resources(backend, kind).pop(params[key]).description


def _report(kind: str, names: str, member: str) -> extension_store.Act:
    def describe(params: Params, backend: Any) -> Params:
        things, wanted = extension_store.resources(backend, kind), params.get(names)
        descriptions = [thing.description for name, thing in things.items() if name in (wanted or things)]
        return {"registryId": backend.account_id, member: descriptions}

    return describe


def _of_template(act: extension_store.Act) -> extension_store.Act:
    return lambda params, backend: {
        "registryId": backend.account_id,
        "repositoryCreationTemplate": act(params, backend),
    }


def _download_url(params: Params, backend: Any) -> Params:
    """moto has no content of layers; the registry API of the twin has it (registry.py)."""
    digest, name = str(params.get("layerDigest")), str(params.get("repositoryName"))
    repository: Any = backend.repositories.get(name)
    if repository is None or digest not in repository.layers:
        raise Refusal(
            "LayersNotFoundException", f"The layer {digest} could not be found in the repository '{name}'"
        )
    bucket = f"prod-{backend.region_name}-starport-layer-bucket.s3.{backend.region_name}.amazonaws.com"
    return {"downloadUrl": f"https://{bucket}/{digest.removeprefix('sha256:')}", "layerDigest": digest}


OPERATIONS: Final = extension_store.operations(
    {
        "GetDownloadUrlForLayer": _download_url,
        "CreatePullThroughCacheRule": _make_cache,
        "UpdatePullThroughCacheRule": _change(_RULES, "ecrRepositoryPrefix"),
        "DeletePullThroughCacheRule": _drop(_RULES, "ecrRepositoryPrefix"),
        "DescribePullThroughCacheRules": _report(_RULES, "ecrRepositoryPrefixes", "pullThroughCacheRules"),
        "CreateRepositoryCreationTemplate": _of_template(_make_template),
        "UpdateRepositoryCreationTemplate": _of_template(_change(_TEMPLATES, "prefix")),
        "DeleteRepositoryCreationTemplate": _of_template(_drop(_TEMPLATES, "prefix")),
        "DescribeRepositoryCreationTemplates": _report(_TEMPLATES, "prefixes", "repositoryCreationTemplates"),
    }
)
