"""ECR: repositories, pull-through caches and templates; the latter two are not in moto.

Sources: the API Reference; "Sync an upstream registry with an Amazon ECR private registry" and "Templates to
control repositories created during a pull through cache or replication action" in the User Guide.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from twin.aws.api_server.request import Answer, Call, Refusal
from twin.aws.iam import resource_policies, service_roles
from twin.aws.services.secretsmanager import validation as secretsmanager
from twin.aws.validation import extension_store
from twin.aws.validation.moto_state import MotoState, absent

Params = dict[str, Any]

_RULES: Final = "pull_through_cache_rules"
_TEMPLATES: Final = "repository_creation_templates"
_OPEN: Final = {
    "public.ecr.aws": "ecr-public",
    "quay.io": "quay",
    "registry.k8s.io": "k8s",
}
"""Upstream registries that let everybody pull."""
_WITH_SECRET: Final = {
    "registry-1.docker.io": "docker-hub",
    "ghcr.io": "github-container-registry",
    "registry.gitlab.com": "gitlab-container-registry",
    "cgr.dev": "chainguard",
}
_AZURE: Final = re.compile(r"[a-z0-9]+\.azurecr\.io")
_PULLS: Final = "pullthroughcache.ecr.amazonaws.com"
"""As which ECR assumes a rule's role, for an upstream in ECR. Templates' roles are ECR's."""
_ECR: Final = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com")


def invalid(words: str) -> Refusal:
    """ECR's answer to parameters that it does not take."""
    return Refusal("InvalidParameterException", words)


def create_repository(params: Params, state: MotoState) -> None:
    """CreateRepository."""
    _key(params.get("encryptionConfiguration") or {}, state)


def _key(encryption: Params, state: MotoState) -> None:
    named = encryption.get("kmsKey")
    if not named:
        return
    if not str(encryption.get("encryptionType")).startswith("KMS"):
        raise invalid(
            "Invalid parameter at 'encryptionConfiguration' failed to satisfy constraint: 'KMS key "
            "cannot be specified with encryption type AES256'"
        )
    key = state.key(named)
    if key is None or not key.enabled:
        raise Refusal("KmsException", f"The KMS key {named} does not exist or is not enabled")


def repository_policy(params: Params, state: MotoState) -> None:
    """SetRepositoryPolicy."""
    _policy(params.get("policyText"), state, "repository")


def _policy(text: Any, state: MotoState, what: str) -> None:
    try:
        resource_policies.check(text, state, "ecr", "InvalidParameterException")
    except Refusal as error:
        raise invalid(
            f"Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid {what} policy "
            "provided': "
            f"{error.message}"
        ) from None


def cache(params: Params, state: MotoState) -> None:
    """CreatePullThroughCacheRule."""
    prefix, url = str(params.get("ecrRepositoryPrefix")), str(params.get("upstreamRegistryUrl"))
    if prefix in extension_store.resources(_backend(state), _RULES):
        raise Refusal(
            "PullThroughCacheRuleAlreadyExistsException",
            f"A pull through cache rule already exists with ecr repository prefix '{prefix}' in the registry "
            f"with id '{state.account}'",
        )
    if not registry_of(url):
        raise Refusal(
            "UnsupportedUpstreamRegistryException", f"The specified upstream registry isn't supported: {url}"
        )
    _secret(params, url, state)
    _role(params, state, _PULLS)
    if _ECR.fullmatch(url) and not params.get("customRoleArn") and state.account not in url:
        raise invalid("customRoleArn is required for an upstream registry of another account's ECR")


def _secret(params: Params, url: str, state: MotoState) -> None:
    arn = params.get("credentialArn")
    needs = url in _WITH_SECRET or _AZURE.fullmatch(url)
    if needs and not arn:
        raise invalid(f"The upstream registry {url} requires authentication: credentialArn must be given")
    if arn and not needs:
        raise invalid(f"The upstream registry {url} takes no credentialArn")
    if not arn:
        return
    try:
        secretsmanager.secret(state, arn)
    except Refusal:
        raise Refusal(
            "SecretNotFoundException",
            "The ARN of the secret specified in the pull through cache rule was not found. Update the pull "
            "through cache rule with a valid secret ARN and try again.",
        ) from None


def _role(params: Params, state: MotoState, service: str = "ecr.amazonaws.com") -> None:
    arn = params.get("customRoleArn")
    if arn and service_roles.by(service, str(arn), state) is None:
        raise invalid(f"The role {arn} does not exist or cannot be assumed by {service}")


def registry_of(url: str) -> str:
    """The kind of an upstream registry by its URL; empty for one that ECR does not know."""
    if _AZURE.fullmatch(url):
        return "azure-container-registry"
    return "ecr" if _ECR.fullmatch(url) else {**_OPEN, **_WITH_SECRET}.get(url, "")


def update_cache(params: Params, state: MotoState) -> None:
    """UpdatePullThroughCacheRule."""
    cache = _cached(state, params)
    _secret({**cache.description, **params}, cache.description["upstreamRegistryUrl"], state)
    _role(params, state, _PULLS)


def _cached(state: MotoState, params: Params) -> extension_store.Thing:
    prefix = params.get("ecrRepositoryPrefix")
    return _require(
        extension_store.resources(_backend(state), _RULES),
        prefix,
        "PullThroughCacheRuleNotFoundException",
        f"A pull through cache rule with prefix '{prefix}' does not exist in the registry with id "
        f"'{state.account}'",
    )


def template(params: Params, state: MotoState) -> None:
    """CreateRepositoryCreationTemplate."""
    prefix = params.get("prefix")
    if prefix in extension_store.resources(_backend(state), _TEMPLATES):
        raise Refusal(
            "TemplateAlreadyExistsException",
            f"The repository creation template with prefix '{prefix}' already exists in the registry with id "
            f"'{state.account}'",
        )
    _template(params, state)


def update_template(params: Params, state: MotoState) -> None:
    """UpdateRepositoryCreationTemplate."""
    _template({**_template_of(state, params).description, **params}, state)


def _template(params: Params, state: MotoState) -> None:
    encryption = params.get("encryptionConfiguration") or {}
    _key(encryption, state)
    if (params.get("resourceTags") or encryption.get("kmsKey")) and not params.get("customRoleArn"):
        raise invalid("customRoleArn is required when resource tags or a KMS key are specified")
    _role(params, state)
    if params.get("repositoryPolicy"):
        _policy(params["repositoryPolicy"], state, "repository")


def _template_of(state: MotoState, params: Params) -> extension_store.Thing:
    prefix = params.get("prefix")
    return _require(
        extension_store.resources(_backend(state), _TEMPLATES),
        prefix,
        "TemplateNotFoundException",
        f"The repository creation template with prefix '{prefix}' does not exist",
    )


def _require(
    things: Mapping[str, extension_store.Thing], name: Any, code: str, words: str
) -> extension_store.Thing:
    if name not in things:
        raise Refusal(code, words)
    return things[name]


def _there(find: Callable[[MotoState, Params], Any]) -> Callable[[Params, MotoState], None]:
    def check(params: Params, state: MotoState) -> None:
        find(state, params)

    return check


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


RULES: Final = {
    "PutImage": put_image,
    "CreateRepository": create_repository,
    "SetRepositoryPolicy": repository_policy,
    "PutRegistryPolicy": absent("the policy of a registry"),
    "CreatePullThroughCacheRule": cache,
    "UpdatePullThroughCacheRule": update_cache,
    "DeletePullThroughCacheRule": _there(_cached),
    "CreateRepositoryCreationTemplate": template,
    "UpdateRepositoryCreationTemplate": update_template,
    "DeleteRepositoryCreationTemplate": _there(_template_of),
}


# Operations


def _make_cache(params: Params, backend: Any) -> Params:
    description = {name: value for name, value in params.items() if value is not None}
    description["registryId"] = backend.account_id
    description.setdefault("upstreamRegistry", registry_of(params["upstreamRegistryUrl"]))
    if description["upstreamRegistry"] == "ecr":
        # Between registries of ECR alone: the provider's test of a rule for public.ecr.aws asks for no prefix
        # and expects no difference afterwards.
        description.setdefault("upstreamRepositoryPrefix", "ROOT")
    description["createdAt"] = description["updatedAt"] = extension_store.now()
    extension_store.resources(backend, _RULES)[params["ecrRepositoryPrefix"]] = extension_store.Thing(
        description
    )
    return description


def _change_cache(params: Params, backend: Any) -> Params:
    description = extension_store.resources(backend, _RULES)[params["ecrRepositoryPrefix"]].description
    description.update(
        {name: value for name, value in params.items() if value is not None}, updatedAt=extension_store.now()
    )
    return description


def _drop_cache(params: Params, backend: Any) -> Params:
    return extension_store.resources(backend, _RULES).pop(params["ecrRepositoryPrefix"]).description


def _tell_caches(params: Params, backend: Any) -> Params:
    things, wanted = extension_store.resources(backend, _RULES), params.get("ecrRepositoryPrefixes")
    for name in wanted or []:
        if name not in things:
            raise Refusal(
                "PullThroughCacheRuleNotFoundException",
                f"A pull through cache rule with prefix '{name}' does not exist in the registry with id "
                f"'{backend.account_id}'",
            )
    return {
        "pullThroughCacheRules": [
            rule.description for name, rule in things.items() if name in (wanted or things)
        ]
    }


def _make_template(params: Params, backend: Any) -> Params:
    description = {
        "encryptionConfiguration": {"encryptionType": "AES256"},
        "imageTagMutability": "MUTABLE",
        **params,
    }
    description["createdAt"] = description["updatedAt"] = extension_store.now()
    extension_store.resources(backend, _TEMPLATES)[params["prefix"]] = extension_store.Thing(description)
    return {"registryId": backend.account_id, "repositoryCreationTemplate": description}


def _change_template(params: Params, backend: Any) -> Params:
    description = extension_store.resources(backend, _TEMPLATES)[params["prefix"]].description
    description.update(
        {name: value for name, value in params.items() if value is not None}, updatedAt=extension_store.now()
    )
    return {"registryId": backend.account_id, "repositoryCreationTemplate": description}


def _drop_template(params: Params, backend: Any) -> Params:
    description = extension_store.resources(backend, _TEMPLATES).pop(params["prefix"]).description
    return {"registryId": backend.account_id, "repositoryCreationTemplate": description}


def _tell_templates(params: Params, backend: Any) -> Params:
    things, wanted = extension_store.resources(backend, _TEMPLATES), params.get("prefixes")
    descriptions = [template.description for name, template in things.items() if name in (wanted or things)]
    return {"registryId": backend.account_id, "repositoryCreationTemplates": descriptions}


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


OPERATIONS: Final[dict[str, Callable[[Call, Any], Answer | None]]] = {
    "GetDownloadUrlForLayer": extension_store.operation(_download_url),
    "CreatePullThroughCacheRule": extension_store.operation(_make_cache),
    "UpdatePullThroughCacheRule": extension_store.operation(_change_cache),
    "DeletePullThroughCacheRule": extension_store.operation(_drop_cache),
    "DescribePullThroughCacheRules": extension_store.operation(_tell_caches),
    "CreateRepositoryCreationTemplate": extension_store.operation(_make_template),
    "UpdateRepositoryCreationTemplate": extension_store.operation(_change_template),
    "DeleteRepositoryCreationTemplate": extension_store.operation(_drop_template),
    "DescribeRepositoryCreationTemplates": extension_store.operation(_tell_templates),
}
