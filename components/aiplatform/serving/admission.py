"""What InferenceServices of teams may be: those of the templates, with releases of the team."""

from typing import Final

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_kubernetes.admissionregistration import v1 as admission
from pulumi_kubernetes.meta import v1 as meta

from aiplatform._shared.kubernetes.names import TEAM_LABEL
from aiplatform._shared.outputs import mapped
from aiplatform.guardrails.policies.policy import literal
from aiplatform.serving.args import SERVICE_ACCOUNT

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
_VERSION: Final = "([1-9][0-9]{0,9}|hf-[0-9a-f]{40})"


def rules(releases_uri: str) -> list[tuple[str, str]]:
    """Return expressions, and what is expected. releases_uri: `s3://BUCKET` or `gs://BUCKET`."""
    uri = f"{_PREDICTOR}.?model.?storageUri.orValue('')"
    prefix = f"{literal(releases_uri + '/')} + {_TEAM} + '/'"
    others = " && ".join(f"!has({_PREDICTOR}.{name})" for name in (*FORMATS, "storageUris"))
    return [
        (
            f"{_TEAM} != '' && {uri}.startsWith({prefix}) "
            f"&& {uri}.substring(size({prefix})).matches('^[a-z0-9][a-z0-9_-]*/{_VERSION}$')",
            "`predictor.model.storageUri` to be a release of the namespace's team, "
            f"{releases_uri}/TEAM/MODEL/VERSION",
        ),
        (
            f"{others} && !has({_PREDICTOR}.model.storage) && !has(object.spec.transformer) "
            "&& !has(object.spec.explainer)",
            "a predictor with `model` and `storageUri` alone, without transformer and explainer: no other "
            "model is compared with a manifest",
        ),
        (
            f"!has({_PREDICTOR}.storageContainerName) "
            f"&& {_PREDICTOR}.?initContainers.orValue([]).size() == 0",
            "no `storageContainerName` and no `initContainers`: the platform's program copies the release",
        ),
        (
            f"{_PREDICTOR}.?model.?runtime.orValue('') != ''",
            "`predictor.model.runtime`, so that a runtime that is added later changes nothing",
        ),
        (
            f"{_PREDICTOR}.?serviceAccountName.orValue('') == {literal(SERVICE_ACCOUNT)}",
            f"the service account {SERVICE_ACCOUNT}, which reads the team's releases and nothing else",
        ),
    ]


def create(name: str, releases_uri: Input[str], options: ResourceOptions) -> pulumi.Resource:
    """Create the policy and its binding. name: the first part of logical names."""

    def validations(uri: str) -> list[admission.ValidationArgs]:
        return [
            admission.ValidationArgs(
                expression=expression,
                message=f"ai-platform: inferenceservices: expected {expected}",
                reason="Forbidden",
            )
            for expression, expected in rules(uri)
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
            # Removal of a finalizer, and whatever else leaves the specification as it is.
            match_conditions=[
                admission.MatchConditionArgs(
                    name="changes",
                    expression="request.operation == 'CREATE' || object.spec != oldObject.spec",
                )
            ],
            validations=mapped(releases_uri, validations),
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
