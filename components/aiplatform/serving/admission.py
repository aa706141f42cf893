"""What InferenceServices of teams may be: those of the templates, with releases of the team."""

from collections.abc import Sequence
from typing import Final

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_kubernetes.admissionregistration import v1 as admission
from pulumi_kubernetes.meta import v1 as meta

from aiplatform._shared.kubernetes.names import TEAM_LABEL
from aiplatform._shared.outputs import mapped_list
from aiplatform.guardrails.policies.policy import literal
from aiplatform.serving.args import SERVICE_ACCOUNT
from aiplatform.serving.engines import ADAPTERS, MODELS

NAME: Final = "ai-platform-served-models"
_PREDICTOR: Final = "object.spec.predictor"
_TEAM: Final = f"namespaceObject.metadata.?labels[?{literal(TEAM_LABEL)}].orValue('')"
FORMATS: Final = (
    "huggingface",
    "lightgbm",
    "onnx",
    "paddle",
    "pmml",
    "pytorch",
    "sklearn",
    "tensorflow",
    "triton",
    "xgboost",
)
"""Fields of a predictor that also state a model, in a form that KServe keeps for older objects."""
PARTS: Final = ("canary", "explainer", "transformer")
"""Parts of an InferenceService next to its predictor."""
INTERNAL: Final = "internal.serving.kserve.io/"
"""Beginning of the labels and annotations by which KServe's parts instruct each other; Pods get those of an
InferenceService."""
_CHANGES: Final = "request.operation == 'CREATE' || object.spec != oldObject.spec || " + " || ".join(
    f"object.metadata.?{kind}.orValue({{}}) != oldObject.metadata.?{kind}.orValue({{}})"
    for kind in ("labels", "annotations")
)
"""Removal of a finalizer, and whatever else changes nothing that Pods get, is not evaluated."""
_ADAPTER: Final = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_VERSION: Final = "([1-9][0-9]{0,9}|hf-[0-9a-f]{40})"


def rules(releases_uri: str, logs_uri: str) -> list[tuple[str, str]]:
    """Return expressions, and what is expected. releases_uri: `s3://BUCKET` or `gs://BUCKET`. logs_uri: where
    requests may be stored; empty where no service stores any."""
    uri = f"{_PREDICTOR}.?model.?storageUri.orValue('')"
    uris = f"{_PREDICTOR}.?storageUris.orValue([])"
    prefix = f"{literal(releases_uri + '/')} + {_TEAM} + '/'"
    others = " && ".join(f"!has({_PREDICTOR}.{name})" for name in FORMATS)

    def release(value: str) -> str:
        return (
            f"{value}.startsWith({prefix}) "
            f"&& {value}.substring(size({prefix})).matches('^[a-z0-9][a-z0-9_-]*/{_VERSION}$')"
        )

    folder = f"(entry.mountPath == {literal(MODELS)} || entry.mountPath.matches('^{ADAPTERS}/{_ADAPTER}$'))"
    return [
        (
            f"{_TEAM} != '' && (size({uris}) == 0 ? {release(uri)} : {uri} == '' && {uris}.all(entry, "
            f"{release('entry.uri')}))",
            "`predictor.model.storageUri`, or each of `predictor.storageUris`, to be a release of the "
            f"namespace's team, {releases_uri}/TEAM/MODEL/VERSION",
        ),
        (
            f"size({uris}) == 0 || {uris}.exists_one(entry, entry.mountPath == {literal(MODELS)}) "
            f"&& {uris}.all(entry, {folder})",
            f"one of `predictor.storageUris` at {MODELS}, and the others at {ADAPTERS}/NAME",
        ),
        (
            f"{others} && !has({_PREDICTOR}.model.storage) "
            f"&& {' && '.join(f'!has(object.spec.{part})' for part in PARTS)}",
            "a predictor with `model` alone, without transformer, explainer and canary: they may state other "
            "models",
        ),
        (
            f"!has({_PREDICTOR}.storageContainerName) "
            f"&& {_PREDICTOR}.?initContainers.orValue([]).size() == 0",
            "no `storageContainerName` and no `initContainers`: the platform's program copies the release",
        ),
        (
            " && ".join(
                f"{place}.?{kind}.orValue({{}}).all(key, !key.startsWith({literal(INTERNAL)}))"
                for place in ("object.metadata", _PREDICTOR)
                for kind in ("labels", "annotations")
            ),
            f"no label and no annotation {INTERNAL}..., by which KServe would mount another model, or copy "
            "none",
        ),
        (
            f"{_PREDICTOR}.?model.?runtime.orValue('') != ''",
            "`predictor.model.runtime`, so that a runtime that is added later changes nothing",
        ),
        (
            f"!has({_PREDICTOR}.canaryTrafficPercent)",
            "no `predictor.canaryTrafficPercent`, which KServe ignores without Knative: the route of the "
            "service has weights",
        ),
        (
            f"{_PREDICTOR}.?serviceAccountName.orValue('') == {literal(SERVICE_ACCOUNT)}",
            f"the service account {SERVICE_ACCOUNT}, which reads the team's releases and nothing else",
        ),
        (
            f"!has({_PREDICTOR}.logger)"
            + (f" || {_PREDICTOR}.logger.?url.orValue('') == {literal(logs_uri)}" if logs_uri else ""),
            f"no `predictor.logger`, or its url to be {logs_uri}: elsewhere no classification applies"
            if logs_uri
            else "no `predictor.logger`: requests are stored by `request_log` of a service alone",
        ),
    ]


def create(
    name: str, releases_uri: Input[str], options: ResourceOptions, logs_uri: Input[str] = ""
) -> pulumi.Resource:
    """Create the policy and its binding. name: the first part of logical names."""

    def validations(uris: Sequence[str]) -> list[admission.ValidationArgs]:
        return [
            admission.ValidationArgs(
                expression=expression,
                message=f"ai-platform: inferenceservices: expected {expected}",
                reason="Forbidden",
            )
            for expression, expected in rules(*uris)
        ]

    metadata = meta.ObjectMetaArgs(name=NAME, labels={"app.kubernetes.io/managed-by": "ai-platform"})
    policy = admission.ValidatingAdmissionPolicy(
        f"{name}-served-models-policy",
        metadata=metadata,
        spec=admission.ValidatingAdmissionPolicySpecArgs(
            # A policy that cannot be evaluated refuses, as one that is violated.
            failure_policy="Fail",
            match_constraints=admission.MatchResourcesArgs(
                resource_rules=[
                    admission.NamedRuleWithOperationsArgs(
                        api_groups=["serving.kserve.io"],
                        api_versions=["v1beta1"],
                        operations=["CREATE", "UPDATE"],
                        resources=["inferenceservices"],
                    )
                ]
            ),
            match_conditions=[admission.MatchConditionArgs(name="changes", expression=_CHANGES)],
            validations=mapped_list([releases_uri, logs_uri], validations),
        ),
        opts=options,
    )
    admission.ValidatingAdmissionPolicyBinding(
        f"{name}-served-models-binding",
        metadata=metadata,
        spec=admission.ValidatingAdmissionPolicyBindingSpecArgs(
            policy_name=NAME, validation_actions=["Deny", "Audit"]
        ),
        opts=ResourceOptions.merge(options, ResourceOptions(depends_on=[policy])),
    )
    return policy
