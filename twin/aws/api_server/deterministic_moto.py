"""moto with nothing left to chance: the same call with the same seed at the same time answers the same.

Everything that moto draws (ids, private addresses, passwords) comes from `mock_random`, from `os.urandom`
(and `uuid4`, which is made of it) or from the clock: all three are pinned for each call, and what was drawn
is written down with it (`recorded_randomness`), RSA and EC keys too. A backend that is made on first use,
perhaps by a read, which is not in the journal, draws with a separate seed.
"""

from __future__ import annotations

import itertools
import os
import random
import re
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from twin.aws.api_server import recorded_randomness, startup_optimizations
from twin.aws.api_server.moto_contents import remember
from twin.aws.api_server.recorded_randomness import Draws
from twin.aws.api_server.request import Answer, Call

with startup_optimizations.without_pytest():
    import time_machine


_MODELS: Final = re.compile(r"moto\.\w+\.models")


class DeterministicMoto:
    """moto's server application, one call at a time.

    account: the account that all credentials belong to. epoch: seconds; the time at which backends, with
    what AWS has before anyone asks (default VPC, managed policies), came to be.
    """

    def __init__(self, account: str, region: str, epoch: float) -> None:
        os.environ.update(
            MOTO_ACCOUNT_ID=account,
            MOTO_IAM_LOAD_MANAGED_POLICIES="true",
            MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION="true",
            MOTO_ENABLE_AMI_VALIDATION="true",
            MOTO_ALLOW_NONEXISTENT_REGION="false",
        )
        self.account = account
        self.region = region
        self.epoch = epoch
        self.lock = threading.RLock()
        startup_optimizations.regions()
        _offerings_on_demand()
        startup_optimizations.ids()
        startup_optimizations.looks()
        recorded_randomness.install()
        startup_optimizations.beginnings()
        startup_optimizations.key_pairs()
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication

        self._app: Any = DomainDispatcherApplication(startup_optimizations.application)
        _pin_backends(epoch)
        _pin_order()

    def read(self, call: Call) -> Answer:
        """A call that changes nothing."""
        with self.lock:
            return _run(self._app, call)

    def write(self, call: Call, chance: Draws, at: float) -> Answer:
        """A call that changes something, with its own draws and its own time."""
        with self.lock:
            # Imports and applications made on first use draw outside of the call's own seed.
            self._app.get_application(call.wsgi())
            with deterministic(chance.seed, at, chance):
                return _run(self._app, call)

    def backend(self, service: str, region: str = "") -> Any:
        """moto's backend of a service in this account: `aws` for the global ones."""
        from moto.backends import get_backend

        account: Any = get_backend(service)[self.account]  # pyright: ignore[reportArgumentType,reportCallIssue]
        wanted = region or self.region
        return account[wanted if wanted in account else "aws"]

    def forget(self) -> None:
        """As on the first day."""
        with self.lock:
            forget()


def forget() -> None:
    """Drop all that moto holds in this process; moto's own reset makes each backend again before it does."""
    from moto.core.base_backend import BackendDict, BaseBackend

    for table in tables():
        for account in table.values():
            for backend in account.values():
                if type(backend).reset is not BaseBackend.reset:
                    backend.reset()  # it closes files
        table.clear()
    used: Any = BackendDict
    used._instances.clear()


def tables() -> list[Any]:
    """All tables of backends that were loaded: moto's own list leaves out those that equal another one, as
    empty ones do, when they are made."""
    from moto.core.base_backend import BackendDict

    # moto lists its modules by looking into each of its folders.
    loaded = [name for name in list(sys.modules) if name.startswith("moto.") and _MODELS.fullmatch(name)]
    members = [member for name in sorted(loaded) for member in vars(sys.modules[name]).values()]
    return list({id(member): member for member in members if isinstance(member, BackendDict)}.values())


@contextmanager
def deterministic(seed: int, at: float, chance: Draws | None = None) -> Iterator[None]:
    """Within, all chance comes from the seed and the clock is still.

    chance: where the draws are written down, or from where they are taken again.
    """
    from moto.moto_api._internal import mock_random

    state, shared, urandom = mock_random.getstate(), random.getstate(), os.urandom
    mock_random.seed(seed)
    random.seed(seed)
    os.urandom = mock_random.randbytes
    before = recorded_randomness.begin(chance)
    try:
        with time_machine.travel(at, tick=False):
            yield
    finally:
        recorded_randomness.begin(before)
        os.urandom = urandom
        mock_random.setstate(state)
        random.setstate(shared)


def _run(app: Callable[..., Any], call: Call) -> Answer:
    reported: list[Any] = []

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:  # noqa: ARG001
        reported[:] = [int(status.split(" ", 1)[0]), headers]

    result = app(call.wsgi(), start)
    try:
        body = b"".join(result)
    finally:
        if hasattr(result, "close"):
            result.close()
    return Answer(reported[0], [(str(name), str(value)) for name, value in reported[1]], body)


def _pin_backends(epoch: float) -> None:
    """A backend is made with a separate seed and at the instance's beginning, whatever touches it first."""
    from moto.core import base_backend
    from moto.core.base_backend import AccountSpecificBackend

    # moto's own identity of a table of backends, drawn when a module is imported: not from the call's seed.
    counter = itertools.count()
    setattr(base_backend, "uuid4", lambda: next(counter))  # noqa: B010 - not exported
    pinning = hasattr(AccountSpecificBackend, "twin_epoch")
    AccountSpecificBackend.twin_epoch = epoch  # pyright: ignore[reportAttributeAccessIssue]
    if pinning:
        return
    original: Any = AccountSpecificBackend.__getitem__

    def get(self: Any, region_name: str) -> Any:
        name = "aws" if region_name == "global" else region_name
        if dict.__contains__(self, name):
            return dict.__getitem__(self, name)
        with deterministic(zlib.crc32(f"{self.service_name}/{name}".encode()), self.twin_epoch):
            backend = original(self, region_name)
            remember(backend)
            return backend

    AccountSpecificBackend.__getitem__ = get


def _pin_order() -> None:
    """moto puts a group's instances through a set: their order must not be that of their addresses."""
    from moto.autoscaling import models

    state: Any = models.InstanceState
    state.__hash__ = lambda self: hash(self.instance.id)
    state.__eq__ = lambda self, other: self is other


def _offerings_on_demand() -> None:
    """moto reads the instance type offerings of all regions when ec2 is imported; read one when asked."""
    import moto.utilities.utils as utilities

    load = utilities.load_resource

    def later(path: str) -> Any:
        return [] if "instance_type_offerings" in path else load(path)

    utilities.load_resource = later
    try:
        from moto.ec2.models import instance_types
    finally:
        utilities.load_resource = load

    for kind, known in list(instance_types.INSTANCE_TYPE_OFFERINGS.items()):
        if not isinstance(known, _Offerings):
            instance_types.INSTANCE_TYPE_OFFERINGS[kind] = _Offerings(kind, list(known), load)


class _Offerings(dict[str, list[dict[str, str]]]):
    def __init__(self, kind: str, regions: list[str], load: Callable[[str], Any]) -> None:
        super().__init__()
        self._kind, self._regions, self._load = kind, set(regions), load

    def __contains__(self, region: object) -> bool:
        return region in self._regions

    def __missing__(self, region: str) -> list[dict[str, str]]:
        if region not in self._regions:
            raise KeyError(region)
        path = f"ec2/resources/instance_type_offerings/{self._kind}/{region}.json"
        loaded = [{**offer, "LocationType": self._kind} for offer in self._load(path)]
        self[region] = loaded
        return loaded

    def get(self, region: str, default: Any = None) -> Any:
        return self[region] if region in self._regions else default
