"""Pods that run as processes: identity, names, logs, port forwarding, and what happens around a kill."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kubernetes
import psutil
import pulumi
import pulumi_aws as aws
import pytest

from tests.end_to_end.plain import Base, Plain
from twin import lifecycle
from twin.kubernetes.api import ApiError, Kube
from twin.kubernetes.processes.process import MARK
from twin.processes import Daemon
from twin.tests.waiting import eventually

pytestmark = pytest.mark.end_to_end

BUCKET = "pods-as-processes"
FOLDER = Path(__file__).parent / "pod_images"
TABLE = f"""
["pods/server"]
folder = "{FOLDER}/server"
path = "/app"
entrypoint = ["python", "/app/server.py"]

["pods/tool"]
folder = "{FOLDER}/tool"
environment = "{FOLDER}/tool"
entrypoint = ["python"]
"""
SERVER = "registry.example/pods/server:1"
TOOL = "registry.example/pods/tool@sha256:" + 64 * "0"
LABELS = {"app": "server"}


def _program(base: Base) -> None:
    """Declare a node, and a role with access to a bucket for the service account `reader`."""
    aws.eks.NodeGroup(
        "apps",
        cluster_name=base.cluster,
        node_role_arn=base.node_role_arn,
        subnet_ids=base.subnet_ids,
        instance_types=["m7i.large"],
        scaling_config=aws.eks.NodeGroupScalingConfigArgs(min_size=1, max_size=1, desired_size=1),
    )
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }
    role = aws.iam.Role(
        "reader",
        name="pods-reader",
        assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [read]})
    aws.iam.RolePolicy("reader", role=role.name, policy=policy)
    aws.eks.PodIdentityAssociation(
        "reader", cluster_name=base.cluster, namespace="apps", service_account="reader", role_arn=role.arn
    )
    aws.s3.Bucket("data", bucket=BUCKET, force_destroy=True)
    pulumi.export("role", role.arn)


def _pod(account: str, *containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"serviceAccountName": account, "containers": list(containers), **spec}


def _server(**more: Any) -> dict[str, Any]:
    """Return a container that listens on port 8080 of all interfaces."""
    return {
        "name": "server",
        "image": SERVER,
        "args": ["/etc/app/greeting"],
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [
            {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}},
            {"name": "BUCKET", "value": BUCKET},
            {"name": "NODE_ADDRESS", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}},
        ],
        "volumeMounts": [{"name": "settings", "mountPath": "/etc/app"}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 1},
        **more,
    }


VOLUMES = [{"name": "settings", "configMap": {"name": "settings"}}]


class Apps:
    """The namespace `apps`, and clients of it."""

    def __init__(self, twin: Plain) -> None:
        self.twin = twin
        api = kubernetes.config.new_client_from_config(str(twin.instance.kubeconfig))
        self.kube = Kube(twin.instance.kubeconfig)
        self.core: Any = kubernetes.client.CoreV1Api(api)
        self.apps: Any = kubernetes.client.AppsV1Api(api)
        self.batch: Any = kubernetes.client.BatchV1Api(api)
        self.rbac: Any = kubernetes.client.RbacAuthorizationV1Api(api)

    def prepare(self) -> None:
        """Create the namespace, its accounts, files and Services, and two servers."""
        self.core.create_namespace({"metadata": {"name": "apps"}})
        for name in ("reader", "other"):
            self.core.create_namespaced_service_account("apps", {"metadata": {"name": name}})
        self.core.create_namespaced_config_map(
            "apps", {"metadata": {"name": "settings"}, "data": {"greeting": "hello"}}
        )
        secret = {"password": base64.b64encode(b"hunter2").decode()}
        self.core.create_namespaced_secret("apps", {"metadata": {"name": "login"}, "data": secret})
        rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}
        self.rbac.create_namespaced_role("apps", {"metadata": {"name": "reader"}, "rules": [rule]})
        binding = {
            "metadata": {"name": "reader"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
            "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": "apps"}],
        }
        self.rbac.create_namespaced_role_binding("apps", binding)
        ports = [{"name": "http", "port": 80, "targetPort": "http"}]
        for name, spec in (
            ("server", {"selector": LABELS, "ports": ports}),
            ("ranks", {"clusterIP": "None", "selector": {"batch.kubernetes.io/job-name": "rank"}}),
        ):
            self.core.create_namespaced_service("apps", {"metadata": {"name": name}, "spec": spec})
        template = {"metadata": {"labels": LABELS}, "spec": _pod("reader", _server(), volumes=VOLUMES)}
        spec = {"replicas": 2, "selector": {"matchLabels": LABELS}, "template": template}
        self.apps.create_namespaced_deployment("apps", {"metadata": {"name": "server"}, "spec": spec})
        eventually("two servers are ready", lambda: self.ready() == 2, 90)

    def ready(self) -> int:
        """Return the number of ready replicas of the servers."""
        return self.apps.read_namespaced_deployment("server", "apps").status.ready_replicas or 0

    def get(self, path: str, what: str = "services/server:http") -> Any:
        """Send a request through the API server's proxy."""
        return self.kube.get(f"/api/v1/namespaces/apps/{what}/proxy{path}")

    def pods(self, selector: str = "app=server") -> list[Any]:
        """Return the Pods with a label."""
        return self.core.list_namespaced_pod("apps", label_selector=selector).items

    def pod(self, name: str, spec: dict[str, Any]) -> None:
        """Create a Pod."""
        self.core.create_namespaced_pod("apps", {"metadata": {"name": name}, "spec": spec})

    def read(self, name: str) -> Any:
        """Return a Pod."""
        return self.core.read_namespaced_pod(name, "apps")

    def job(self, name: str, spec: dict[str, Any], **more: Any) -> None:
        """Create a Job, and wait until it has succeeded."""
        body = {"template": {"spec": {"restartPolicy": "Never", **spec}}, "backoffLimit": 0, **more}
        self.batch.create_namespaced_job("apps", {"metadata": {"name": name}, "spec": body})

        def succeeded() -> bool:
            status = self.batch.read_namespaced_job(name, "apps").status
            assert not status.failed, self.kubectl("logs", f"job/{name}", "--all-containers")
            return bool(status.completion_time)

        eventually(f"the Job {name} has succeeded", succeeded, 90)

    def kubectl(self, *words: str) -> str:
        """Run kubectl, and return what it prints."""
        twin = self.twin.environment
        done = self.twin.cli("twin", "run", "--name", twin, "--", "kubectl", "-n", "apps", *words)
        return done.stdout


def processes_of(pods: list[Any]) -> list[psutil.Process]:
    """Return the processes of Pods."""
    uids = {pod.metadata.uid for pod in pods}
    processes: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK, "").partition("/")[0] in uids:
                processes.append(process)
        except (psutil.Error, OSError):
            continue
    return processes


@pytest.fixture(scope="module")
def apps(home: Path) -> Iterator[Apps]:
    """A twin with a cluster, a node and two servers."""
    twin = Plain(home, "processes", images=TABLE)
    try:
        base = twin.base()
        twin.stack("pods", lambda: _program(base)).up()
        twin.aws("s3").put_object(Bucket=BUCKET, Key="file", Body=b"data")
        apps = Apps(twin)
        apps.prepare()
        yield apps
    finally:
        twin.remove()


def test_two_pods_with_one_port_answer_through_their_service(apps: Apps) -> None:
    pods = {pod.metadata.name: pod.status.pod_ip for pod in apps.pods()}
    answers = {name: apps.get("/", f"pods/{name}:8080") for name in pods}
    for name, answer in answers.items():
        assert answer["host"] == name
        assert answer["file"] == "hello"
        assert answer["password"] == "hunter2"
        assert answer["node"] == apps.pods()[0].status.host_ip
        assert answer["listens"] == "127." + pods[name].partition(".")[2], "and on no other interface"
    hosts = {apps.get("/")["host"] for _ in range(20)}
    assert hosts == set(pods), "the Service chooses among its Pods"


def test_the_sdk_of_a_pod_has_the_role_of_its_service_account(apps: Apps) -> None:
    answer = apps.get("/object")
    assert answer["body"] == "data"
    assert ":assumed-role/pods-reader/eks-" in answer["arn"]
    assert apps.get("/settings") == {"greeting": "hello"}, "its token is valid at the API server"


def test_a_pod_of_another_account_has_no_role_and_no_rights(apps: Apps) -> None:
    apps.pod("stranger", _pod("other", _server(), volumes=VOLUMES))
    eventually("the Pod is ready", lambda: apps.get("/healthz", "pods/stranger:8080") == {}, 60)
    assert apps.get("/object", "pods/stranger:8080") == {"error": "NoCredentialsError"}
    assert apps.get("/settings", "pods/stranger:8080") == {"status": 403}
    [pid] = [process.pid for process in processes_of([apps.read("stranger")])]
    apps.core.delete_namespaced_pod("stranger", "apps")
    eventually("its process has ended", lambda: not psutil.pid_exists(pid))


def test_a_job_calls_a_service_by_name_with_init_container_and_sidecar(apps: Apps) -> None:
    shared = [{"name": "shared", "mountPath": "/shared"}]
    init = {"name": "init", "image": TOOL, "command": ["sh", "-c", "echo first > /shared/order"]}
    script = "trap 'exit 0' TERM; echo sidecar >> /shared/order; while :; do sleep 0.1; done"
    sidecar = {"name": "sidecar", "image": TOOL, "command": ["sh", "-c", script], "restartPolicy": "Always"}
    ask = {"name": "main", "image": TOOL, "args": ["ask.py", "http://server.apps.svc/"]}
    show = {"name": "show", "image": TOOL, "command": ["sh", "-c", "sleep 1; cat /shared/order"]}
    mounted = [{**container, "volumeMounts": shared} for container in (init, sidecar, ask, show)]
    spec = _pod("other", *mounted[2:], initContainers=mounted[:2])
    apps.job("ask", {**spec, "volumes": [{"name": "shared", "emptyDir": {}}]})
    assert '"file": "hello"' in apps.kubectl("logs", "job/ask", "-c", "main")
    assert "package iniconfig" in apps.kubectl("logs", "job/ask", "-c", "main"), "from the image's lock"
    assert apps.kubectl("logs", "job/ask", "-c", "show").split() == ["first", "sidecar"]
    [pod] = apps.pods("batch.kubernetes.io/job-name=ask")
    sidecar_state = pod.status.init_container_statuses[1].state.terminated
    assert sidecar_state.exit_code == 0, "the Job ends its sidecar"
    apps.kubectl("delete", "job", "ask")


def test_ranks_of_a_job_meet_by_their_host_names(apps: Apps) -> None:
    # Without the twin's part of Python (-E), as libraries in other languages.
    rank = {
        "name": "main",
        "image": TOOL,
        "args": ["-E", "rank.py", "rank-0.ranks.apps.svc.cluster.local:29500", "0.0.0.0"],  # noqa: S104
    }
    spec = _pod("other", rank, subdomain="ranks")
    apps.job("rank", spec, completions=2, parallelism=2, completionMode="Indexed")
    logs = apps.kubectl("logs", "-l", "batch.kubernetes.io/job-name=rank", "--prefix")
    assert "rank 0 got hello of rank 1" in logs
    apps.kubectl("delete", "job", "rank")


def test_kubectl_follows_a_log_and_reads_that_of_the_former_process(apps: Apps) -> None:
    script = "echo start; sleep 1; echo end; exit 3"
    main = {"name": "main", "image": TOOL, "command": ["sh", "-c", script]}
    apps.pod("crash", _pod("other", main, restartPolicy="OnFailure"))
    eventually("it runs", lambda: apps.read("crash").status.phase == "Running")
    eventually("its log has a line", lambda: "start" in apps.kubectl("logs", "crash"))
    assert apps.kubectl("logs", "-f", "crash").split()[-1] == "end", "until the container ends"

    def restarted() -> Any:
        [status] = apps.read("crash").status.container_statuses
        return status if status.restart_count else None

    status = eventually("it is restarted", restarted)
    assert status.last_state.terminated.exit_code == 3
    assert "end" in apps.kubectl("logs", "--previous", "crash")
    apps.core.delete_namespaced_pod("crash", "apps", grace_period_seconds=0)


@contextmanager
def _forwarded(apps: Apps) -> Iterator[int]:
    """Run `kubectl port-forward` to the Service; yield the local port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    twin = apps.twin
    words = ["-n", "apps", "port-forward", "service/server", f"{port}:80"]
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "twin", "run", "--name", twin.environment, "--", "kubectl", *words],
        cwd=twin.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert "Forwarding from" in process.stdout.readline()
        yield port
    finally:
        process.terminate()
        process.communicate(timeout=20)


def test_kubectl_forwards_a_port(apps: Apps) -> None:
    import urllib.request

    with _forwarded(apps) as port:
        for _ in range(3):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
                assert json.loads(answer.read())["file"] == "hello"


def test_another_program_of_the_machine_is_no_backend_of_a_pod(apps: Apps) -> None:
    pod = apps.pods()[0].metadata.name
    with socket.create_server(("0.0.0.0", 0)) as neighbour:  # noqa: S104 - closed at once
        port = neighbour.getsockname()[1]
        with pytest.raises(ApiError, match=f"no process of Pod apps/{pod} listens on port {port}"):
            apps.get("/", f"pods/{pod}:{port}")


def test_a_killed_controller_leaves_no_process_and_the_pods_are_run_again(apps: Apps) -> None:
    pods = apps.pods()
    before = {process.pid for process in processes_of(pods)}
    assert len(before) >= 2
    controller = Daemon(apps.twin.instance.folder, lifecycle.CONTROLLER)
    process = controller.process()
    assert process is not None
    process.kill()
    apps.twin.cli("twin", "start", "--name", apps.twin.environment)
    after = {process.pid for process in processes_of(pods)}
    assert not before & after, "processes of the killed one are killed"

    def restarted() -> bool:
        # The Deployment and the Service learn later than the Pods that these are not ready.
        containers = [pod.status.container_statuses[0] for pod in apps.pods()]
        return all(container.ready and container.restart_count >= 1 for container in containers)

    def answer() -> Any:
        try:
            return apps.get("/")
        except ApiError:
            return None

    eventually("both servers are ready again", restarted, 60)
    assert eventually("an answer", answer, 20)["file"] == "hello"


def test_a_stopped_twin_leaves_no_process_and_no_secret_behind(apps: Apps) -> None:
    folder = apps.twin.instance.folder
    for path in (folder / "pods").rglob("*"):
        if path.is_dir():
            assert not path.stat().st_mode & 0o077, f"{path} is open to other users"
    text = b"".join(file.read_bytes() for file in (folder / "logs").glob("*.log"))
    assert b"hunter2" not in text
    pods = apps.pods()
    apps.twin.cli("twin", "stop", "--name", apps.twin.environment)
    assert not processes_of(pods)
    apps.twin.cli("twin", "start", "--name", apps.twin.environment)
    eventually("both servers are ready again", lambda: apps.ready() == 2, 60)
    apps.kubectl("delete", "deployment", "server", "--wait=true")
    eventually("their Pods are deleted", lambda: not apps.pods(), 30)
    eventually("no folder is left", lambda: not list((folder / "pods").glob("*-*")), 10)
    assert not processes_of(pods)
