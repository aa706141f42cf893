"""Whether the images and charts that an environment installs are where they are pulled from.

A manifest or an index of charts is read, which costs nothing; no layer and no archive is pulled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from cli.clients.errors import UncheckedError
from cli.output import CommandError
from cli.preflight.results import Result, State, not_checked, ok, problem
from cli.preflight.scope import Scope

CHECK: Final = "images and charts"
_OCI: Final = "oci://"
_AT_ONCE: Final = 8
_SECONDS: Final = 30
_PUSH: Final = "push it (aiplatform image build FOLDER ENVIRONMENT --push), or state one that exists"
_STATE: Final = "state a version that exists, or a mirror that has it (aiplatform images ENVIRONMENT --copy)"
Entry = Mapping[str, str]


def check(scope: Scope) -> Iterator[Result]:
    """Ask each registry for the manifests of images and charts, and each chart repository for its index."""
    if scope.on_twin:
        reason = "Pods of the twin pull no images, and its charts are its own; `--cloud` asks the registries"
        yield not_checked(CHECK, scope.environment, reason)
        return
    from cli.images.command import list_of

    try:
        document = list_of(scope.environment)
    except CommandError as error:
        raise UncheckedError(str(error)) from error
    lookups = [
        partial(_looked_up, entry["pulled_from"], _image, entry, _PUSH) for entry in document["images"]
    ]
    lookups += [
        partial(_looked_up, f"{entry['chart']} {entry['version']}", _chart, entry, _STATE)
        for entry in document["charts"]
    ]
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        results = list(threads.map(lambda lookup: lookup(), lookups))
    yield from _summed(scope, results)


def _summed(scope: Scope, results: Sequence[Result]) -> Iterator[Result]:
    """Yield one result for all that are there, and each that is not."""
    wanted: State = "ok"
    present = sum(result.state == wanted for result in results)
    if present:
        yield ok(CHECK, scope.environment, f"{present} of {len(results)} are where they are pulled from")
    yield from (result for result in results if result.state != wanted)


def _looked_up(name: str, look_up: Callable[[Entry], None], entry: Entry, repair: str) -> Result:
    """Return the result of one request. look_up: raises RegistryError where there is no such thing."""
    from cli.images.registry import RegistryError, UnavailableError

    try:
        look_up(entry)
    except UnavailableError as error:
        return not_checked(CHECK, name, f"no answer: {error}")
    except RegistryError as error:
        if " 404 " not in f"{error} ":
            return not_checked(CHECK, name, str(error))
        # Pods wait for it; what does not depend on them is deployed.
        return problem(CHECK, name, f"{entry['user']}: not where it is pulled from", repair, blocks=False)
    return ok(CHECK, name, "present")


def _image(entry: Entry) -> None:
    from cli.images.command import parts
    from cli.images.registry import Registry

    host, repository, reference = parts(entry["pulled_from"])
    Registry(host).manifest(repository, reference)


def _chart(entry: Entry) -> None:
    from cli.images import mirror
    from cli.images.registry import Registry

    chart, version = entry["chart"], entry["version"]
    if chart.startswith(_OCI):
        host, _, repository = chart.removeprefix(_OCI).partition("/")
        Registry(host).manifest(repository, entry["digest"] or version)
        return
    repository, _, name = chart.rpartition("/")
    _head(chart if chart.endswith(".yaml") else mirror.chart_address(repository, name, version))


def _head(address: str) -> None:
    import requests

    from cli.images.registry import RegistryError, UnavailableError

    try:
        answer = requests.head(address, timeout=_SECONDS, allow_redirects=True)
    except requests.RequestException as error:
        raise UnavailableError(f"{address}: {error}") from error
    if answer.status_code != requests.codes.ok:
        raise RegistryError(f"{address}: {answer.status_code} {answer.reason}")
