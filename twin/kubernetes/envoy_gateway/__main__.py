"""The process of the controller."""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import shutil
import sys
import threading
from collections.abc import Sequence
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from twin.kubernetes.api import ApiError, Kube, Object, Unreachable, passing_over, path
from twin.kubernetes.envoy_gateway import configuration, translation
from twin.kubernetes.envoy_gateway.proxy import MANAGED, Proxy
from twin.kubernetes.envoy_gateway.services import Services
from twin.kubernetes.envoy_gateway.status import merged, observing
from twin.kubernetes.informer import Mirror
from twin.kubernetes.relayed import Requests
from twin.private_files import write_private

log = logging.getLogger("envoy-gateway")

LOOK: Final = 5.0
"""Seconds between looks where nothing changes."""
MANAGER: Final = "envoy-gateway"
_VERSIONS: Final = {"services": "v1", "deployments": "apps/v1"}


class Controller:
    """All gateways of a cluster. binary: of Envoy Gateway's command. folder: for the files of Envoys."""

    def __init__(self, kube: Kube, binary: str, namespace: str, folder: Path) -> None:
        self._kube = kube
        self._binary = binary
        self._namespace = namespace
        self._folder = folder
        self.mirror = Mirror(kube, translation.collections())
        self._asked: dict[str, str] = {}
        self._answers: dict[str, translation.Translation] = {}
        self._problems: dict[str, str] = {}

    def step(self) -> None:
        """Configure every gateway as the objects are now. Raises ApiError and Unreachable."""
        if not self.mirror.synced:
            return
        objects = {plural: self.mirror.all(plural) for plural in translation.KINDS}
        classes = {
            item["metadata"]["name"]
            for item in objects["gatewayclasses"]
            if item["spec"]["controllerName"] == translation.CONTROLLER
        }
        for item in objects["gatewayclasses"]:
            if item["metadata"]["name"] in classes:
                self._accept(item)
        gateways = [item for item in objects["gateways"] if item["spec"]["gatewayClassName"] in classes]
        names = {self._configure(gateway, objects) for gateway in gateways}
        self._remove_others(names)

    def _configure(self, gateway: Object, objects: dict[str, list[Object]]) -> str:
        """Configure a gateway; returns the name of its Envoy."""
        proxy = Proxy(gateway, self._namespace, _settings(gateway, objects["envoyproxies"]))
        text = translation.request(gateway, objects)
        if self._asked.get(proxy.name) != text:
            try:
                answer = translation.translate(self._binary, text, self._namespace)
            except translation.TranslationError as error:
                self._note(proxy.name, str(error))
                return proxy.name
            self._asked[proxy.name], self._answers[proxy.name] = text, answer
            self._problems.pop(proxy.name, None)
            self._write_status(answer, objects)
        answer = self._answers[proxy.name]
        services = Services(objects["services"], objects["endpointslices"])
        place = configuration.Place(self._folder / proxy.name, proxy.address)
        if "Listeners" not in answer.configuration:
            return proxy.name
        files = configuration.files(answer, place, services.endpoints, objects["secrets"], proxy.name)
        for file, content in files.items():
            if not file.exists() or file.read_text() != content:
                write_private(file, content)
        bootstrap = place.file("bootstrap")
        digest = hashlib.sha256(files[bootstrap].encode()).hexdigest()[:16]
        for plural, body in proxy.objects(bootstrap, digest):
            where = path(_VERSIONS[plural], plural, self._namespace, proxy.name)
            present = self._kube.find(where)
            if present is None or not includes(present, body):
                self._kube.apply(where, body, MANAGER)
        return proxy.name

    def _accept(self, item: Object) -> None:
        condition = {
            "type": "Accepted",
            "status": "True",
            "reason": "Accepted",
            "message": "Valid GatewayClass",
            "observedGeneration": item["metadata"]["generation"],
            "lastTransitionTime": None,
        }
        self._update("gatewayclasses", item, {"conditions": [condition]})

    def _write_status(self, answer: translation.Translation, objects: dict[str, list[Object]]) -> None:
        for plural, stated in answer.status.items():
            present = {_key(item): item for item in objects[plural]}
            for item in stated:
                if item.get("status") and _key(item) in present:
                    self._update(plural, present[_key(item)], item["status"])

    def _update(self, plural: str, item: Object, stated: dict[str, Any]) -> None:
        # The command does not know of which generation an object is.
        observed = observing(stated, item["metadata"].get("generation", 0))
        status = merged(item.get("status") or {}, observed, translation.CONTROLLER)
        if status is None:
            return
        metadata = item["metadata"]
        version, kind = translation.KINDS[plural]
        where = path(version, plural, metadata.get("namespace", ""), metadata["name"])
        body = {**item, "apiVersion": version, "kind": kind, "status": status}
        # Another version of it is here in a moment, and is translated.
        with passing_over(404, 409):
            self._kube.replace(f"{where}/status", body)

    def _remove_others(self, names: set[str]) -> None:
        selector = ",".join(f"{key}={value}" for key, value in MANAGED.items())
        for plural, version in _VERSIONS.items():
            where = path(version, plural, self._namespace)
            for item in self._kube.get(where, labelSelector=selector)["items"]:
                name = item["metadata"]["name"]
                if name not in names:
                    self._kube.delete(f"{where}/{name}")
                    shutil.rmtree(self._folder / name, ignore_errors=True)

    def _note(self, name: str, problem: str) -> None:
        """Log a problem once until there is another."""
        if self._problems.get(name) != problem:
            self._problems[name] = problem
            log.warning("%s: %s", name, problem)


def _settings(gateway: Object, proxies: list[Object]) -> dict[str, Any]:
    """Return the spec of the EnvoyProxy that a gateway refers to."""
    reference = ((gateway["spec"].get("infrastructure") or {}).get("parametersRef") or {}).get("name")
    key = (gateway["metadata"]["namespace"], reference)
    return next((item["spec"] for item in proxies if _key(item) == key), {})


def _key(item: Object) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def includes(present: Any, wanted: Any) -> bool:
    """Whether an object has everything that is wanted; the API server adds to it."""
    if isinstance(wanted, dict):
        return isinstance(present, dict) and all(
            includes(present.get(key), value) for key, value in wanted.items() if value not in ({}, [])
        )
    if isinstance(wanted, list):
        return (
            isinstance(present, list) and len(present) == len(wanted) and all(map(includes, present, wanted))
        )
    return present == wanted


def _serve_health(address: str, controller: Controller) -> None:
    """Answer probes: ready once all collections are known."""

    class Handler(Requests):
        def do_GET(self) -> None:
            is_ready = self.path == "/healthz" or controller.mirror.synced
            self.say(200 if is_ready else 503, b"", "text/plain")

    host, _, port = address.rpartition(":")
    server = ThreadingHTTPServer((host or "127.0.0.1", int(port)), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="twin.kubernetes.envoy_gateway", description=__doc__)
    parser.add_argument("binary", help="Envoy Gateway's command egctl")
    parser.add_argument("--health-address", required=True, help="where probes are answered")
    parser.add_argument("--folder", required=True, type=Path, help="of the files of Envoys")
    known = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("urllib3", "kubernetes"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    kube = Kube(Path(os.environ["KUBECONFIG"]))
    namespace = os.environ.get("ENVOY_GATEWAY_NAMESPACE", "envoy-gateway-system")
    controller = Controller(kube, known.binary, namespace, known.folder)
    _serve_health(known.health_address, controller)
    controller.mirror.start()
    failed = ""
    while True:
        try:
            controller.step()
            failed = ""
        except (ApiError, Unreachable, OSError) as error:
            if failed != str(error):
                failed = str(error)
                log.warning("%s (trying again)", error)
        controller.mirror.wait(LOOK if not failed else 1.0)


if __name__ == "__main__":
    sys.exit(main())
