"""`aiplatform gpu check`: test the accelerators of a pool and the network between them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import typer

from cli.maintenance import results
from cli.maintenance.cluster import (
    KUBECONFIG,
    KUEUE,
    NAMESPACE,
    Cluster,
    Object,
    api_errors,
    message,
    pools_of,
    refuse_unknown,
)
from cli.maintenance.results import Result
from cli.output import CommandError, note, table
from cli.stack_names import FOUNDATION_OUTPUT
from cli.stacks import ENVIRONMENT

_ROOT: Final = Path(__file__).resolve().parents[2]
NAME: Final = "gpu-check"
_GPU: Final = "nvidia.com/gpu"
_REFUSED: Final = 2
"""The exit code for arguments that are refused, and without a cluster: no result of a check."""
_OUTPUTS = typer.Option(
    None,
    "--outputs",
    metavar="FILE",
    help="Outputs of the stack (pulumi stack output --json). Default: of the stack on the twin.",
    show_default=False,
)
app = typer.Typer(name="gpu", help="Accelerators of an environment.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Group the commands: with one alone its name would not be one."""


@dataclass(frozen=True)
class Options:
    """Where and how tests run. seconds: the limit of each. queue and images: empty for the default."""

    environment: str
    namespace: str
    queue: str
    level: int
    image: str
    dcgm_image: str
    seconds: float
    interval: float = 5


@app.command()
def check(
    environment: str = ENVIRONMENT,
    pool: str = typer.Option("", "--pool", help="Check this pool only. Default: all with NVIDIA GPUs."),
    namespace: str = typer.Option(NAME, "--namespace", help="Namespace of the tests, which has a queue."),
    queue: str = typer.Option(
        "", "--queue", help="LocalQueue of the namespace. Default: the pool's name, elsewhere `default`."
    ),
    level: int = typer.Option(
        2, "--level", min=1, max=3, help="Level of dcgmi diag, or of PyTorch's tests: 1 takes seconds."
    ),
    image: str = typer.Option(
        "",
        "--image",
        help="Image with PyTorch, on AWS with EFA. Default: its publisher's, at its mirror.",
    ),
    dcgm_image: str = typer.Option(
        "", "--dcgm-image", help="Image of dcgmi. Default: NVIDIA's, at its mirror."
    ),
    minutes: int = typer.Option(60, "--timeout", metavar="MINUTES", min=1, help="Limit of each test."),
    outputs: Path | None = _OUTPUTS,
    kubeconfig: Path | None = KUBECONFIG,
) -> None:
    """Test the GPUs of pools: conditions and XID errors of nodes, memory and computation, bandwidth.

    The tests are Jobs that wait for GPUs that no queue uses, and evict nothing. Exits with 1 where a check
    failed, with 2 for wrong arguments, and with 3 where a check did not run.
    """
    with _refusals():
        pools = _pools(environment, pool, outputs)
        cluster = Cluster.of(environment, kubeconfig)
        options = Options(environment, namespace, queue, level, image, dcgm_image, minutes * 60)
    report: list[Result] = []
    # So that the tests are deleted.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        for value in pools.values():
            # One by one, so that an interruption loses no result.
            for result in checked(cluster, value, options):
                report.append(result)
    finally:
        table(("pool", "node", "check", "result", "detail"), [result.row for result in report])
    raise typer.Exit(results.exit_code(report))


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except CommandError as error:
        raise CommandError(str(error), _REFUSED) from error


def checked(cluster: Cluster, pool: Object, options: Options) -> Iterator[Result]:
    """Yield the results of a pool, and an error of the cluster as a check that did not run."""
    try:
        with api_errors("run the check again"):
            yield from check_pool(cluster, pool, options)
    except CommandError as error:
        yield Result(str(pool["name"]), "", "tests", "not run", str(error))


def _pools(environment: str, pool: str, file: Path | None) -> dict[str, Object]:
    """Return name -> outputs of the pools to check."""
    if pool:
        refuse_unknown(environment, pool, pools_of(environment))
    known = _outputs(environment, file)
    with_gpus = {
        name: value
        for name, value in known.items()
        if value.get("resource") == _GPU or value.get("device_class")
    }
    if pool and pool not in with_gpus:
        expected = ", ".join(with_gpus) or "none is deployed"
        raise CommandError(f"{pool} has no NVIDIA GPUs; expected one of the pools with them: {expected}")
    if not with_gpus:
        raise CommandError(f"{environment} has no pool with NVIDIA GPUs that is deployed")
    return {pool: with_gpus[pool]} if pool else with_gpus


def _outputs(environment: str, file: Path | None) -> dict[str, Object]:
    if file is not None:
        try:
            values = json.loads(file.read_text())
        except ValueError as error:
            raise CommandError(f"{file}: no JSON: {error}; expected pulumi stack output --json") from error
    else:
        from cli import engine, instances

        values = engine.outputs(instances.for_environment(environment), environment)
    foundation = values.get(FOUNDATION_OUTPUT) if isinstance(values, dict) else None
    if isinstance(foundation, str):
        foundation = json.loads(foundation)
    return dict((foundation or {}).get("gpu_pools") or {})


def check_pool(cluster: Cluster, pool: Object, options: Options) -> Iterator[Result]:
    """Yield the results of a pool."""
    name = str(pool["name"])
    if device_class := pool.get("device_class"):
        yield Result(name, "", "tests", "not run", f"Pods claim its GPUs (DeviceClass {device_class})")
        return
    nodes = cluster.nodes(name)
    if not nodes:
        yield Result(name, "", "node", "not run", "the pool has no node: nothing was tested")
        return
    expected = {_GPU: int(pool["resources_per_node"])}
    if pool.get("efa_interfaces"):
        expected["vpc.amazonaws.com/efa"] = int(pool["efa_interfaces"])
    for node in nodes:
        yield from results.of_node(name, node, expected)
        selector = f"involvedObject.kind=Node,involvedObject.name={node.metadata.name}"
        events = cluster.core.list_event_for_all_namespaces(field_selector=selector).items
        yield results.of_xids(name, node, events)
    queue = options.queue or (name if options.namespace == NAME else "default")
    flavors = {item["metadata"]["name"]: item["spec"] for item in cluster.list(KUEUE, "ResourceFlavor")}
    if flavors and (options.namespace, queue) not in _queues(cluster):
        reason = (
            f"the namespace {options.namespace} has no LocalQueue {queue!r}; expected a queue that lends "
            "GPUs of the pool (docs/operations/gpu-errors.md)"
        )
        yield Result(name, "", "tests", "not run", reason)
        return
    if flavors.get(name, {}).get("topologyName"):
        # Kueue places Pods of such a pool itself, and leaves these nodes out.
        for node in nodes:
            if node.spec.unschedulable:
                reason = "the node is cordoned, and Kueue places Pods of this pool on schedulable nodes alone"
                yield Result(name, node.metadata.name, "diagnostics", "not run", reason)
        nodes = [node for node in nodes if not node.spec.unschedulable]
    manifests = _manifests(cluster, pool, nodes, queue, options)
    yield from _run_tests(cluster, name, manifests, options, len(nodes), expected[_GPU])


def _queues(cluster: Cluster) -> set[tuple[str, str]]:
    """Return (namespace, name) of the LocalQueues."""
    items = cluster.list(KUEUE, "LocalQueue")
    return {(item["metadata"]["namespace"], item["metadata"]["name"]) for item in items}


def _manifests(cluster: Cluster, pool: Object, nodes: Sequence[Any], queue: str, options: Options) -> Object:
    types = {node.metadata.name: _type(node) for node in nodes}
    classes = {item["metadata"]["name"] for item in cluster.list(KUEUE, "WorkloadPriorityClass")}
    request = {
        "environment": options.environment,
        "pool": pool,
        "name": f"{NAME}-{pool['name']}",
        "namespace": options.namespace,
        "queue": queue,
        "priority": NAME if NAME in classes else None,
        "level": options.level,
        "dcgm_image": options.dcgm_image,
        "image": options.image,
        "nodes": types,
        "node_engine": has_engine(cluster),
    }
    done = subprocess.run(
        [sys.executable, "-m", "stacks.gpu_checks"],
        cwd=_ROOT,
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CommandError(done.stderr.strip() or f"stacks.gpu_checks ended with {done.returncode}")
    return json.loads(done.stdout)


def _type(node: Any) -> str:
    return str((node.metadata.labels or {}).get("node.kubernetes.io/instance-type") or "")


def has_engine(cluster: Cluster) -> bool:
    """Return whether EKS's node monitoring agent runs an engine of DCGM on nodes with GPUs."""
    names = {item["metadata"]["name"] for item in cluster.list("apps/v1", "DaemonSet") if _in_system(item)}
    return "dcgm-server" in names


def _in_system(item: Object) -> bool:
    return item["metadata"]["namespace"] == NAMESPACE


def _run_tests(
    cluster: Cluster, pool: str, manifests: Object, options: Options, nodes: int, gpus: int
) -> Iterator[Result]:
    jobs: Mapping[str, list[Object]] = manifests["diagnostics"]
    with ExitStack() as stack:
        tests = {node: stack.enter_context(_Test(cluster, items, options)) for node, items in jobs.items()}
        for node, test in tests.items():
            output, why = test.output()
            if len(jobs[node]) > 1:  # with a program, of PyTorch
                yield results.of_hardware(pool, node, output, why, gpus=gpus)
            else:
                yield results.of_diagnostics(pool, node, output, why, level=options.level, gpus=gpus)
    bandwidth: list[Object] = manifests["bandwidth"]
    if not bandwidth:
        return
    if nodes < 2:
        yield Result(pool, "", "bandwidth", "not run", "the pool has one node")
        return
    with _Test(cluster, bandwidth, options) as test:
        output, why = test.output()
    between = ", ".join(test.nodes) or "two nodes"
    yield results.of_bandwidth(
        pool, output, manifests["expected"], manifests["tolerated"], why, nodes=between
    )


class _Test:
    """A test that is deleted at the end. objects: its Job or JobSet last."""

    def __init__(self, cluster: Cluster, objects: Sequence[Object], options: Options) -> None:
        self._cluster, self._objects, self._options = cluster, objects, options
        self._name = str(objects[-1]["metadata"]["name"])
        # A minute for clocks that differ.
        self._since = datetime.now(UTC) - timedelta(minutes=1)
        self.nodes: list[str] = []
        """The nodes of its Pods, when they have ended."""

    def __enter__(self) -> _Test:
        for item in self._objects:
            note(f"{item['kind']} {self._options.namespace}/{self._name}")
            self._cluster.replace(item)
        return self

    def __exit__(self, *_: object) -> None:
        for item in reversed(self._objects):
            self._cluster.delete(item)

    def output(self) -> tuple[str | None, str]:
        """Return the output of its Pods, or None and why there is none."""
        deadline, started = time.monotonic() + self._options.seconds, False
        while True:
            pods = self._pods()
            if pods and all(pod.status.phase in ("Succeeded", "Failed") for pod in pods):
                self.nodes = sorted({str(pod.spec.node_name) for pod in pods if pod.spec.node_name})
                logs, reasons = zip(*map(self._log, pods), strict=True)
                return "\n".join(logs) or None, "; ".join(filter(None, reasons))
            if started and not pods:
                return None, "its Pods were deleted before they ended"
            if not pods and (refusal := self._refusal()):
                return None, refusal
            if time.monotonic() > deadline:
                waiting = f"its Pod is {pods[0].status.phase}" if pods else "it waits in its queue"
                return None, f"no result after {self._options.seconds:.0f} s: {waiting}"
            started = bool(pods)
            time.sleep(self._options.interval)

    def _pods(self) -> list[Any]:
        kind = self._objects[-1]["kind"]
        label = "jobset.sigs.k8s.io/jobset-name" if kind == "JobSet" else "batch.kubernetes.io/job-name"
        core = self._cluster.core
        pods = core.list_namespaced_pod(self._options.namespace, label_selector=f"{label}={self._name}").items
        return sorted(pods, key=lambda pod: str(pod.metadata.name))

    def _refusal(self) -> str:
        """Return why the API server refuses its Pods, such as by Pod Security; empty where it does not."""
        core = self._cluster.core
        events = core.list_namespaced_event(
            self._options.namespace, field_selector="reason=FailedCreate"
        ).items
        texts = [str(event.message) for event in events if event.involved_object.name.startswith(self._name)]
        return texts[-1] if texts else ""

    def _log(self, pod: Any) -> tuple[str, str]:
        """Return the log of a Pod that has ended, and why there is none: its container may never have run."""
        from kubernetes.client import ApiException

        # Not parsed: the client would make a Python object of output that is JSON.
        try:
            answer = self._cluster.core.read_namespaced_pod_log(
                pod.metadata.name, self._options.namespace, container="test", _preload_content=False
            )
        except ApiException as error:
            reason = pod.status.message or pod.status.reason or message(error)
            return "", f"Pod {pod.metadata.name} has no log: {reason}"
        return answer.data.decode(errors="replace"), ""
