"""What makes the API server start and answer sooner. Nothing here changes what AWS answers.

Measured: 1.6 s of CPU for an empty instance without it, 0.8 s with it; 0.05 s for the next in a process.
"""

from __future__ import annotations

import gzip
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from twin.aws.api_server.moto_wrapping import wrap

_PREFIX: Final = re.compile(rb'"endpointPrefix"\s*:\s*"([^"]+)"')


@contextmanager
def without_pytest() -> Iterator[None]:
    """Within, an import does not find pytest, unless a test has it: time_machine would load it all."""
    absent = "pytest" not in sys.modules
    if absent:
        sys.modules["pytest"] = None  # type: ignore[assignment]  # pyright: ignore[reportArgumentType]
    try:
        yield
    finally:
        if absent:
            del sys.modules["pytest"]


def regions() -> None:
    """botocore parses a service's whole model to learn one word of it, and its endpoints for each session."""
    import botocore.session

    wrap(botocore.session.Session, get_available_regions=_available_regions)


def ids() -> None:
    """EC2 ids by one draw in place of one for each digit: an account has thousands from the beginning."""
    from moto.ec2 import utils
    from moto.moto_api._internal import mock_random

    def random_resource_id(size: int = 8) -> str:
        return f"{mock_random.getrandbits(4 * size):0{size}x}"

    utils.random_resource_id = random_resource_id


def looks() -> None:
    """For each call moto looks twice through its own folder, for a service of the host's name, and once
    through all members of the class that answers."""
    from moto import backends
    from moto.core import responses

    module: Any = backends
    if hasattr(module, "twin_list_of_moto_modules"):
        return
    module.twin_list_of_moto_modules = module.list_of_moto_modules
    module.list_of_moto_modules = cache(lambda: tuple(module.twin_list_of_moto_modules()))
    answering: Any = responses
    answering.method_names_from_class = cache(answering.method_names_from_class)


@cache
def application(service: str) -> Any:
    """moto's application of a service, for all API servers of the process: it holds nothing of an account."""
    from moto.moto_server.werkzeug_app import create_backend_app

    return create_backend_app(service)  # pyright: ignore[reportArgumentType]


def key_pairs() -> None:
    """moto makes an RSA key, in a tenth of a second, for each KMS key: one that is symmetric has no pair."""
    from moto.kms import models

    wrap(models, generate_private_key=_key_pair)


def _key_pair(key_spec: str) -> Any:
    from moto.kms import models

    module: Any = models
    pair = key_spec != "SYMMETRIC_DEFAULT" and not key_spec.startswith("HMAC_")
    return module.twin_generate_private_key(key_spec) if pair else _NoPair()


class _NoPair:
    def public_key(self) -> bytes:
        from moto.core.exceptions import JsonRESTError

        # AWS KMS API reference, GetPublicKey.
        raise JsonRESTError(
            "UnsupportedOperationException",
            "The request was rejected because a specified parameter is not supported or a specified resource "
            "is not valid for this operation.",
        )


def beginnings() -> None:
    """What AWS has in each account, its policies and images, is read once in a process, then copied."""
    from moto.ec2.models.amis import AmiBackend
    from moto.iam.models import IAMBackend

    wrap(IAMBackend, _init_aws_policies=_policies)
    wrap(AmiBackend, _load_amis=_images)


class _Copied:
    """A thing of moto's as it was made. born: its times that are those of its making."""

    def __init__(self, thing: Any, born: datetime | None = None) -> None:
        self._kind: Any = type(thing)
        state: dict[str, Any] = vars(thing)
        self._own = [name for name, value in state.items() if isinstance(value, list | set | dict)]
        self._state = {**state, **{name: state[name].copy() for name in self._own}}
        self._born = [name for name, value in self._state.items() if born is not None and value == born]

    def again(self, born: datetime | None = None, **changed: Any) -> Any:
        """Another one, made at this time, with these attributes changed."""
        instance = self._kind.__new__(self._kind)
        state = vars(instance)
        state.update(self._state)
        for name in self._own:
            state[name] = state[name].copy()
        state.update(dict.fromkeys(self._born, born))
        state.update(changed)
        return instance


READ: Final[dict[tuple[Any, ...], tuple[list[tuple[Any, ...]], Any]]] = {}
"""What was read, by account, region and state of chance, and the state of chance after it."""


def _policies(backend: Any) -> list[Any]:
    from moto.moto_api._internal import mock_random

    place = ("policies", backend.account_id, backend.region_name, mock_random.getstate())
    if place in READ:
        read, after = READ[place]
        mock_random.setstate(after)
        return [policy.again(versions=[version.again() for version in versions]) for policy, versions in read]
    policies: list[Any] = backend.twin_init_aws_policies()
    if policies:
        read = [(_Copied(policy), [_Copied(version) for version in policy.versions]) for policy in policies]
        READ[place] = read, mock_random.getstate()
    return policies


def _images(backend: Any) -> None:
    from moto.core.utils import utcnow
    from moto.moto_api._internal import mock_random

    place = ("images", backend.account_id, backend.region_name, mock_random.getstate())
    now = utcnow()
    if place in READ:
        read, after = READ[place]
        mock_random.setstate(after)
        for image, snapshot, volume in read:
            snapshot_ = snapshot.again(
                now, ec2_backend=backend, volume=volume.again(now, ec2_backend=backend)
            )
            ami = image.again(now, ec2_backend=backend, ebs_snapshot=snapshot_)
            backend.snapshots[snapshot_.id] = snapshot_
            backend.amis[ami.id] = ami
        return
    backend.twin_load_amis()
    if backend.amis:
        read = [
            (
                _Copied(machine_image, now),
                _Copied(machine_image.ebs_snapshot, now),
                _Copied(machine_image.ebs_snapshot.volume, now),
            )
            for machine_image in backend.amis.values()
        ]
        READ[place] = read, mock_random.getstate()


def _available_regions(
    self: Any, service_name: str, partition_name: str = "aws", allow_non_regional: bool = False
) -> list[str]:
    prefix = _endpoint_prefix(service_name)
    if prefix is None:
        return self.twin_get_available_regions(service_name, partition_name, allow_non_regional)
    regions = _resolver().get_available_endpoints(prefix, partition_name, allow_non_regional)
    return list(regions)


@cache
def _resolver() -> Any:
    from botocore.regions import EndpointResolver

    from twin.aws.validation.parameters import loader

    return EndpointResolver(loader().load_data("endpoints"))


@cache
def _endpoint_prefix(service: str) -> str | None:
    # A model begins with its metadata. None: not found in that way.
    from twin.aws.validation.parameters import loader

    for folder in loader().search_paths:
        versions = sorted(Path(folder, service).glob("*/service-2.json*"))
        if versions:
            opened = gzip.open if versions[-1].suffix == ".gz" else open
            with opened(versions[-1], "rb") as file:
                match = _PREFIX.search(file.read(65536))
            return match[1].decode() if match else None
    return None
