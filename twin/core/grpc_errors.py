"""gRPC's side of the provider: errors as the engine reads them, caught in one place."""

from __future__ import annotations

import functools
import logging
import traceback
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import grpc
from google.protobuf import struct_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

from twin.core.engine import DEBUG, Engine
from twin.property_values import Path_, marshal
from twin.provider_interface import Cancelled, CloudError, HalfMade, Props

_LOG: Final = logging.getLogger(__name__)
Handler = TypeVar("Handler", bound=Callable[..., Any])


class Refused(Exception):  # noqa: N818 - nothing is broken
    """A request that the provider refuses by itself; the text is for the user."""


class Unfinished(Exception):  # noqa: N818 - what is there, not a defect
    """The resource exists and lacks a part: the engine keeps it, reads it before it is used, and updates it
    in any case. The text is the reason."""

    def __init__(self, reason: str, id: str, outputs: struct_pb2.Struct, inputs: struct_pb2.Struct) -> None:
        super().__init__(reason)
        self.id = id
        self.outputs = outputs
        self.inputs = inputs


def guarded(handler: Handler) -> Handler:
    """Turn what a handler raises into the gRPC status that says the right thing to the engine.

    FAILED_PRECONDITION and the like: nothing happened. INTERNAL: a defect of the twin, the state of the
    resource is unknown. HalfMade becomes ErrorResourceInitFailed: the engine keeps id and outputs, and reads
    the resource before the next preview, update or destroy. Without that read it would compare the program
    with what was asked for, which is the same, and call a resource unchanged that lacks a part.
    """

    @functools.wraps(handler)
    def wrapped(self: Any, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return handler(self, request, context)
        except HalfMade as error:
            _half_made(self, request, context, error)
        except Unfinished as left:
            _unfinished(context, left)
        except CloudError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, words(error))
        except Refused as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except Cancelled as error:
            context.abort(grpc.StatusCode.ABORTED, str(error))
        except Exception as error:  # noqa: BLE001 - whatever a table raises must reach the user
            _defect(self.engine, handler.__name__, request, error)
            context.abort(
                grpc.StatusCode.INTERNAL,
                f"the twin's provider failed in {handler.__name__}: {type(error).__name__}: {error} "
                "(a defect of the twin; its log has the place)",
            )

    return wrapped  # type: ignore[return-value]


def words(error: CloudError) -> str:
    """The cloud's message, its code and the property that is wrong."""
    text = str(error)
    if error.code and error.code not in text:
        text = f"{error.code}: {text}"
    return f"{error.path}: {text}" if error.path and error.path not in text else text


def _half_made(servicer: Any, request: Any, context: grpc.ServicerContext, error: HalfMade) -> None:
    outputs = marshal(servicer.completed(request, error.state))
    _unfinished(context, Unfinished(words(error), error.id, outputs, _inputs(request)))


def _unfinished(context: grpc.ServicerContext, left: Unfinished) -> None:
    reason = str(left)
    detail = provider_pb2.ErrorResourceInitFailed(
        id=left.id, reasons=[reason], properties=left.outputs, inputs=left.inputs, refresh_before_update=True
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=reason)
    status.details.add().Pack(detail)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, reason)


def _inputs(request: Any) -> struct_pb2.Struct:
    return request.properties if isinstance(request, provider_pb2.CreateRequest) else request.news


def _defect(engine: Engine, name: str, request: Any, error: Exception) -> None:
    _LOG.exception("%s failed", name, exc_info=error)
    place = "".join(traceback.format_exception(error))
    engine.log(DEBUG, f"the twin's provider failed in {name}:\n{place}", getattr(request, "urn", ""))


def secret_outputs(secrets: Iterable[Path_], names: Iterable[str], props: Props) -> set[Path_]:
    """Where outputs are secret: an output of which any part was secret as an input, and the type's own."""
    top = {path[0] for path in secrets} | set(names)
    return {(name,) for name in top if isinstance(name, str) and name in props}
