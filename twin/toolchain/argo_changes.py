"""What is changed in the sources of Argo Workflows, so that its executor runs as a process of this machine.

Argo's executor has the paths of its container as constants: the volume that it shares with the container of a
step, and where it puts artifacts. Each is replaced by the folder of this machine that the twin names in a
variable (go/argo_workflows/machine). A change that does not apply is an error of the build.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

Change = tuple[str, str, str]
"""A file of the module, a text in it, and what replaces each occurrence of the text."""
MODULE: Final = "github.com/argoproj/argo-workflows/v4"
_COMMON: Final = f'"{MODULE}/workflow/common"\n'
_IMPORT: Final = '"aiplatform/argo_workflows/machine"\n'
_EMISSARY: Final = "cmd/argoexec/commands/emissary.go"
_RESOURCE: Final = "cmd/argoexec/commands/resource.go"
_EXECUTOR: Final = "workflow/executor/executor.go"
_STORAGE: Final = "workflow/artifacts/s3/s3.go"
_METRICS: Final = "util/telemetry/exporter_prometheus.go"
_CONTROLLER: Final = "cmd/workflow-controller/main.go"


def _imported(file: str, after: str = _COMMON) -> Change:
    return (file, after, f"{after}\t{_IMPORT}")


def _mounted(file: str, expression: str) -> Change:
    return (file, expression, f"machine.Path({expression})")


CHANGES: Final[tuple[Change, ...]] = (
    _imported(_EMISSARY),
    _mounted(_EMISSARY, "common.VarRunArgoPath"),
    # Outputs that are not on a volume: below the /tmp of the container.
    (_EMISSARY, "os.Stat(srcPath)", "os.Stat(machine.Path(srcPath))"),
    (_EMISSARY, "archive.TarGzToWriter(ctx, srcPath,", "archive.TarGzToWriter(ctx, machine.Path(srcPath),"),
    (_EMISSARY, "os.Open(filepath.Clean(srcPath))", "os.Open(machine.Path(filepath.Clean(srcPath)))"),
    _imported(_RESOURCE),
    _mounted(_RESOURCE, "common.ExecutorResourceManifestPath"),
    *(
        change
        for name in ("emissary", "binary")
        for change in (
            _imported(f"workflow/executor/emissary/{name}.go"),
            _mounted(f"workflow/executor/emissary/{name}.go", "common.VarRunArgoPath"),
        )
    ),
    _imported(_EXECUTOR),
    _mounted(_EXECUTOR, "path.Join(common.ExecutorArtifactBaseDir, art.Name)"),
    # With the sign of the assignment: the name of the one function ends with that of the other.
    (
        _EXECUTOR,
        "= path.Join(common.ExecutorMainFilesystemDir, art.Path)",
        "= machine.Path(path.Join(common.ExecutorMainFilesystemDir, art.Path))",
    ),
    (
        _EXECUTOR,
        ":= filepath.Join(common.ExecutorMainFilesystemDir, art.Path)",
        ":= machine.Path(filepath.Join(common.ExecutorMainFilesystemDir, art.Path))",
    ),
    _mounted(_EXECUTOR, "filepath.Join(common.ExecutorMainFilesystemDir, param.ValueFrom.Path)"),
    (_EXECUTOR, "filePath = common.", "filePath = machine.Path(common."),
    (_EXECUTOR, "ExecutorScriptSourcePath\n\t\tbody", "ExecutorScriptSourcePath)\n\t\tbody"),
    (_EXECUTOR, "ExecutorResourceManifestPath\n\t\tbody", "ExecutorResourceManifestPath)\n\t\tbody"),
    (_EXECUTOR, "const (\n\t// This directory temporarily", "var (\n\t// This directory temporarily"),
    (
        _EXECUTOR,
        'tempOutArtDir = "/tmp/argo/outputs/artifacts"',
        'tempOutArtDir = machine.Path("/tmp/argo/outputs/artifacts")',
    ),
    (_EXECUTOR, ':= "/tmp/argo/outputs/logs"', ':= machine.Path("/tmp/argo/outputs/logs")'),
    _imported(_STORAGE),
    (
        _STORAGE,
        "minio.New(s3cli.Endpoint, minioOpts)",
        "minio.New(machine.ObjectStorage(s3cli.Endpoint, minioOpts))",
    ),
    _imported(_METRICS, f'"{MODULE}/util/logging"\n'),
    (_METRICS, 'Addr: fmt.Sprintf(":%v", m.config.port())', 'Addr: machine.Address("METRICS_PORT")'),
    (_METRICS, '\t"fmt"\n', ""),
    _imported(_CONTROLLER),
    (
        _CONTROLLER,
        'http.ListenAndServe(":6060", nil)',
        'http.ListenAndServe(machine.Address("HEALTH_PORT"), nil)',
    ),
)
"""In the order in which they are applied."""
_SIGNALS: Final = "osspecific/signal_linux.go"
FILES: Final = (
    # The web pages of its server, which are built by Node in a release. The command embeds the folder.
    ("ui/dist/app/index.html", ""),
    # The module proxy serves the module without it.
    (
        f"workflow/executor/{_SIGNALS}",
        (Path(__file__).with_name("go") / "argo_workflows" / _SIGNALS).read_text(encoding="utf-8"),
    ),
)
"""What the module lacks: the path and the content of each file."""
