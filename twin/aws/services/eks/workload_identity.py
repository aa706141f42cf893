"""EKS Pod Identity on a node: what EKS's webhook adds to a Pod, and EKS's agent, on a port of loopback.

EKS user guide, "Understand how EKS Pod Identity works". The agent needs the token of a Pod, which is in the
Pod's folder: another user of the machine gets nothing from it.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from datetime import UTC
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from twin.instances import Instance
from twin.kubernetes.api import Object
from twin.kubernetes.cloud_client import CloudView

log = logging.getLogger(__name__)

AUDIENCE: Final = "pods.eks.amazonaws.com"
_VOLUME: Final = "eks-pod-identity-token"
_FOLDER: Final = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount"
_LIFE: Final = 86400
_TOKEN_FILE: Final = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"  # noqa: S105 - the name of a variable


def connect(instance: Instance, view: CloudView) -> PodIdentity:
    """Return the twin's Pod Identity; the agent listens from now on."""
    return PodIdentity(instance, view)


class PodIdentity:
    """The webhook and the agent."""

    def __init__(self, instance: Instance, view: CloudView) -> None:
        self._instance, self._view = instance, view
        self._client: Any = None
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"agent": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="pod-identity", daemon=True).start()

    @property
    def ports(self) -> tuple[int, ...]:
        """The cloud's port and the agent's."""
        return (self._instance.ports["cloud"], self._server.server_address[1])

    def extended(self, pod: Object) -> Object:
        """The Pod with the token's volume and its variable, where its service account has an association."""
        if not self._has_identity(pod):
            return pod
        self._auth()  # now, as SDKs do not wait long for the agent's first answer
        token = {"audience": AUDIENCE, "expirationSeconds": _LIFE, "path": _VOLUME}
        volume = {"name": _VOLUME, "projected": {"sources": [{"serviceAccountToken": token}]}}
        spec = pod["spec"]
        changed = {
            key: [_mounted(container) for container in spec[key]]
            for key in ("initContainers", "containers")
            if spec.get(key)
        }
        return {**pod, "spec": {**spec, **changed, "volumes": [*(spec.get("volumes") or ()), volume]}}

    def variables(self, pod: Object) -> dict[str, str]:
        """Variables of the SDKs: the twin in place of AWS, and the agent."""
        if not self._has_identity(pod):
            return place(self._instance)
        return {
            **place(self._instance),
            "AWS_REGION": self._instance.region,
            "AWS_DEFAULT_REGION": self._instance.region,
            "AWS_STS_REGIONAL_ENDPOINTS": "regional",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{self.ports[1]}/v1/credentials",
        }

    def close(self) -> None:
        """Stop the agent."""
        self._server.shutdown()
        self._server.server_close()

    def credentials(self, token: str) -> Mapping[str, Any]:
        """The agent's answer to a token. Raises botocore's ClientError."""
        cluster = self._view.cluster()
        name = cluster.name if cluster else ""
        key = self._auth().assume_role_for_pod_identity(clusterName=name, token=token)["credentials"]
        return {
            "AccessKeyId": key["accessKeyId"],
            "SecretAccessKey": key["secretAccessKey"],
            "Token": key["sessionToken"],
            "AccountId": self._instance.account,
            "Expiration": key["expiration"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def _has_identity(self, pod: Object) -> bool:
        account = pod["spec"].get("serviceAccountName") or "default"
        return self._view.workload_role(pod["metadata"]["namespace"], account) is not None

    def _auth(self) -> Any:
        with self._lock:
            if self._client is None:
                # Its import takes longer than the rest of the controller.
                import boto3

                from twin.aws.credentials import deployer

                key = deployer(self._instance)
                make: Any = boto3.client
                self._client = make(
                    "eks-auth",
                    region_name=self._instance.region,
                    endpoint_url=self._instance.url("cloud"),
                    aws_access_key_id=key.access_key_id,
                    aws_secret_access_key=key.secret_access_key,
                )
            return self._client


def _mounted(container: Object) -> Object:
    mounts, variables = container.get("volumeMounts") or [], container.get("env") or []
    return {
        **container,
        "volumeMounts": [*mounts, {"name": _VOLUME, "mountPath": _FOLDER, "readOnly": True}],
        "env": [*variables, {"name": _TOKEN_FILE, "value": f"{_FOLDER}/{_VOLUME}"}],
    }


class _Handler(BaseHTTPRequestHandler):
    agent: PodIdentity

    def do_GET(self) -> None:
        status, body = 404, "not found"
        if self.path == "/v1/credentials":
            try:
                answer = self.agent.credentials(self.headers.get("Authorization") or "")
                status, body = 200, json.dumps(answer)
            except Exception as error:  # noqa: BLE001 - whatever EKS Auth answers, the SDK must get a status
                log.info("Pod Identity: %s", error)
                status, body = 400, str(error)
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if status == 200 else "text/plain")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Tokens come by here: nothing of a request is logged."""


def place(instance: Instance) -> dict[str, str]:
    """Return the variables by which programs use the twin in place of AWS."""
    cloud = instance.url("cloud")
    return {
        "AWS_ENDPOINT_URL": cloud,
        # The SDKs' variable replaces neither Glue's address in a configuration of PyIceberg nor that of its
        # files.
        "PYICEBERG_CATALOG__DEFAULT__URI": f"{cloud}/iceberg",
        "PYICEBERG_CATALOG__DEFAULT__S3__ENDPOINT": cloud,
        # Neither Pods, as the platform configures nodes, nor functions reach a metadata service.
        "AWS_EC2_METADATA_DISABLED": "true",
    }
