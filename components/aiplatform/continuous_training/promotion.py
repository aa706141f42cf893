"""The WorkflowTemplate of promotions, in the namespace `release`: it runs the program that releases models as
the promoter, and requests the rollout from the team."""

from typing import Any, Final

from aiplatform._shared.references.model_store import NAMESPACE
from aiplatform.model_store.admission import APPROVED_BY, FILES_AT, JOB_LABEL, MAX_SECONDS
from aiplatform.model_store.args import CONFIGURATION, FILES, PROMOTER, TEMPLATE

Object = dict[str, Any]
VERSION: Final = "argoproj.io/v1alpha1"
ALIAS: Final = "champion"
_USER: Final = 65532
"""The user of the image."""
_WAIT: Final = 30 * 24 * 3600
"""How long a promotion waits for an approval, seconds."""
_REFUSED: Final = 2
"""The exit code of a command that is refused, which is not repeated."""


def template(image: str, disk_gib: int) -> Object:
    """Return the template. image: of containers/model_release. disk_gib: the largest file of a model."""
    parameters = [{"name": name} for name in ("model", "version")]
    model, version = "{{workflow.parameters.model}}", "{{workflow.parameters.version}}"
    promote = ["promote", "--alias", ALIAS, "--request", "{{workflow.uid}}", "--", model, version]
    queue = "{{workflow.parameters.queue}}"
    notify = ["notify", "--queue", queue, "--request", "{{workflow.uid}}", "--", model, version]
    steps = [[{"name": "promote", "template": "promote"}], [{"name": "notify", "template": "notify"}]]
    return {
        "apiVersion": VERSION,
        "kind": "WorkflowTemplate",
        "metadata": {
            "name": TEMPLATE,
            "namespace": NAMESPACE,
            "labels": {"app.kubernetes.io/part-of": "model-store"},
        },
        "spec": {
            "serviceAccountName": PROMOTER,
            "entrypoint": "main",
            # The queue of the team that requested it; empty: no rollout.
            "arguments": {"parameters": [*parameters, {"name": "queue", "value": ""}]},
            "activeDeadlineSeconds": _WAIT,
            # The log of promotions is in the bucket of releases; there is no repository of artifacts here.
            "archiveLogs": False,
            "podGC": {"strategy": "OnWorkflowCompletion", "deleteDelayDuration": "24h"},
            "ttlStrategy": {"secondsAfterCompletion": _WAIT},
            # The service account mounts no token by default: Jobs do not call Kubernetes, the executor does.
            "podSpecPatch": '{"automountServiceAccountToken": true}',
            "templates": [
                {"name": "main", "steps": steps},
                _step("promote", image, promote, disk_gib),
                _step("notify", image, notify, 1),
            ],
        },
    }


def _step(name: str, image: str, arguments: list[str], disk_gib: int) -> Object:
    disk = f"{disk_gib}Gi"
    return {
        "name": name,
        "metadata": {
            "labels": {JOB_LABEL: PROMOTER},
            "annotations": {APPROVED_BY: f"{{{{workflow.annotations.{APPROVED_BY}}}}}"},
        },
        "activeDeadlineSeconds": MAX_SECONDS,
        "retryStrategy": {
            "limit": "3",
            "retryPolicy": "Always",
            "expression": f"asInt(lastRetry.exitCode) != {_REFUSED}",
            "backoff": {"duration": "30s", "factor": "2"},
        },
        "container": {
            "image": image,
            # Stated, so that the executor does not look it up in the registry.
            "command": ["python", "-m", "model_release"],
            "args": arguments,
            "envFrom": [{"configMapRef": {"name": CONFIGURATION}}],
            "env": [
                {
                    "name": "APPROVED_BY",
                    "valueFrom": {"fieldRef": {"fieldPath": f"metadata.annotations['{APPROVED_BY}']"}},
                }
            ],
            "resources": {
                "requests": {"cpu": "500m", "memory": "1Gi", "ephemeral-storage": disk},
                "limits": {"memory": "2Gi", "ephemeral-storage": disk},
            },
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": _USER,
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "volumeMounts": [
                {"name": "work", "mountPath": "/tmp"},  # noqa: S108 - a volume of the Pod
                {"name": "files", "mountPath": FILES_AT, "readOnly": True},
            ],
        },
        "volumes": [
            {"name": "work", "emptyDir": {"sizeLimit": disk}},
            {"name": "files", "configMap": {"name": FILES, "optional": True}},
        ],
    }
