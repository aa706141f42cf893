"""Limits of functions on each cloud, and the checks of deployment packages.

Sources: "Lambda quotas" and "Lambda runtimes" (Lambda developer guide); the published model of its API is
wider: it includes Lambda Managed Instances. "Cloud Run Quotas and Limits", "Configure memory limits",
"Configure CPU limits", "Configure request timeout" (Cloud Run documentation); "Push subscriptions" (Pub/Sub
documentation).
"""

import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from aiplatform._shared.args import Problem, Rule, between, got, matches
from aiplatform._shared.cloud_support import Cloud

MEMORY: Final[Mapping[Cloud, Rule]] = {
    "aws": between(128, 10_240, "MiB"),
    "gcp": between(512, 32_768, "MiB"),
}
"""On Google Cloud at least 512: the second generation of execution environments has no less."""
TIMEOUT: Final[Mapping[Cloud, Rule]] = {"aws": between(1, 900, "seconds"), "gcp": between(1, 3600, "seconds")}
PUSH_TIMEOUT: Final = between(1, 600, "seconds")
"""Of a function with events on Google Cloud: Pub/Sub sends a message again after at most ten minutes."""
ZIP_BYTES: Final = 50 * 1024**2
"""Of a package that is uploaded with the request; a larger one is an object in S3."""
UNZIPPED_BYTES: Final = 250 * 1024**2
VARIABLES_BYTES: Final[Mapping[Cloud, int]] = {"aws": 4 * 1024, "gcp": 32 * 1024}
"""Of all variables. AWS: of names and values together; Google Cloud: of one variable."""
UNRESERVED: Final = 100
"""Executions at a time that Lambda leaves to functions without a reservation (API reference,
PutFunctionConcurrency)."""
CONCURRENCY_QUOTA: Final = "L-B99A9384"
"""Concurrent executions of an account in a region (Service Quotas)."""
RUNTIMES: Final = ("python3.12", "python3.13", "python3.14", "nodejs22.x", "nodejs24.x")
RESERVED_VARIABLES: Final[Mapping[Cloud, re.Pattern[str]]] = {
    "aws": re.compile(
        r"_HANDLER|_X_AMZN_TRACE_ID|AWS_(DEFAULT_REGION|REGION|EXECUTION_ENV|ACCESS_KEY(_ID)?"
        r"|SECRET_ACCESS_KEY|SESSION_TOKEN)|LAMBDA_(TASK_ROOT|RUNTIME_DIR)"
        # Not AWS_LAMBDA_EXEC_WRAPPER, which users set.
        r"|AWS_LAMBDA_(FUNCTION_(NAME|MEMORY_SIZE|VERSION)|INITIALIZATION_TYPE|LOG_(GROUP|STREAM)_NAME"
        r"|RUNTIME_API)"
    ),
    "gcp": re.compile(r"PORT|K_SERVICE|K_REVISION|K_CONFIGURATION|X_GOOGLE_\w*"),
}
"""Variables that the cloud sets."""
_CPUS: Final = ((4_096, "1"), (8_192, "2"), (16_384, "4"), (24_576, "6"), (32_768, "8"))
"""Google Cloud: the most memory, MiB, of a number of CPUs."""
VARIABLE: Final = re.compile(r"[A-Za-z]\w*")
HANDLER: Final = matches(
    r"[\w/-]+(\.[\w/-]+)*\.\w+", "a module and a function of it, `ingest.handler.handle`"
)


def cpus(memory: int) -> str:
    """Return the CPUs of a function on Google Cloud with this memory, MiB."""
    return next(number for most, number in _CPUS if memory <= most)


def variable_problems(variables: Mapping[str, Any], cloud: Cloud) -> Iterator[tuple[str, str]]:
    """Return (variable, problem); the empty name: of all. What is not known yet is left to the cloud."""
    total = 0
    for name, value in variables.items():
        if RESERVED_VARIABLES[cloud].fullmatch(name):
            yield name, "is set by the cloud; expected another name"
        elif not VARIABLE.fullmatch(name):
            yield name, "expected letters, digits and _, a letter first"
        size = len(name.encode()) + (len(value.encode()) if isinstance(value, str) else 0)
        total += size
        if cloud == "gcp" and size > VARIABLES_BYTES[cloud]:
            yield name, f"got {size} bytes; expected at most {VARIABLES_BYTES[cloud]}"
    if cloud == "aws" and total > VARIABLES_BYTES[cloud]:
        yield "", f"got {total} bytes; expected at most {VARIABLES_BYTES[cloud]} of all names and values"


def package_problems(path: str, runtime: str, handler: str) -> Iterator[Problem]:
    """Return the problems of a package on this machine: a folder, or a zip file."""
    place = Path(path)
    if place.is_dir():
        files = {
            str(file.relative_to(place)): file.stat().st_size for file in place.rglob("*") if file.is_file()
        }
    elif place.is_file():
        if not zipfile.is_zipfile(place):
            yield Problem("path", f"{got(path)}; expected a zip file or a folder")
            return
        with zipfile.ZipFile(place) as archive:
            files = {entry.filename: entry.file_size for entry in archive.infolist() if not entry.is_dir()}
        if place.stat().st_size > ZIP_BYTES:
            yield Problem(
                "path",
                f"got a zip file of {place.stat().st_size} bytes; expected at most {ZIP_BYTES}: state a "
                "larger one as an object in S3, or build an image",
            )
    else:
        yield Problem("path", f"{got(path)}; expected a folder or a zip file that exists")
        return
    size = sum(files.values())
    if size > UNZIPPED_BYTES:
        yield Problem(
            "path", f"got {size} bytes unzipped; expected at most {UNZIPPED_BYTES}: build an image instead"
        )
    yield from _handler(files, runtime, handler)


def _handler(files: Mapping[str, int], runtime: str, handler: str) -> Iterator[Problem]:
    module = handler.rpartition(".")[0].replace(".", "/")
    endings = (".py", "/__init__.py") if runtime.startswith("python") else (".js", ".mjs", ".cjs")
    if not any(f"{module}{ending}" in files for ending in endings):
        yield Problem(
            "handler",
            f"{got(handler)}; expected a function of a module in the package, none is {module}{endings[0]}",
        )
