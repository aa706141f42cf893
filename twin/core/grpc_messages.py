"""The engine's messages: what a URN says, and answers in its own types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pulumi.runtime.proto import provider_pb2

from twin.checks.sdk import ResourceSchema
from twin.core.diff import Difference
from twin.provider_interface import Failure, Props

KIND = provider_pb2.PropertyDiff
_KINDS: Final = {
    ("add", False): KIND.ADD,
    ("add", True): KIND.ADD_REPLACE,
    ("delete", False): KIND.DELETE,
    ("delete", True): KIND.DELETE_REPLACE,
    ("update", False): KIND.UPDATE,
    ("update", True): KIND.UPDATE_REPLACE,
}
MODES: Final = {
    provider_pb2.CheckRequest.AutonamingOptions.PROPOSE: "propose",
    provider_pb2.CheckRequest.AutonamingOptions.ENFORCE: "enforce",
    provider_pb2.CheckRequest.AutonamingOptions.DISABLE: "disable",
}


def complete(schema: ResourceSchema, inputs: Mapping[str, Any], outputs: Props) -> Props:
    """Every output that the SDK's type has: a dependent's input must not vanish for want of a value."""
    return {**dict.fromkeys(schema.outputs), **inputs, **outputs}


def asked_before(request: Any) -> set[str]:
    return set(request.old_inputs.fields) if request.HasField("old_inputs") else set()


def diff_response(difference: Difference) -> Any:
    changes = difference.changes
    some = provider_pb2.DiffResponse.DIFF_SOME if changes else provider_pb2.DiffResponse.DIFF_NONE
    return provider_pb2.DiffResponse(
        changes=some,
        diffs=sorted({str(change.path[0]) for change in changes}),
        replaces=sorted({str(change.path[0]) for change in changes if change.replace}),
        deleteBeforeReplace=difference.delete_before_replace,
        detailedDiff={
            change.text: KIND(kind=_KINDS[change.kind, change.replace], inputDiff=change.of_input)
            for change in changes
        },
        hasDetailedDiff=True,
    )


def failures_of(failures: Iterable[Failure]) -> list[Any]:
    return [provider_pb2.CheckFailure(property=f.path, reason=f.reason) for f in failures]


def token_of(urn: str) -> str:
    """The type in `urn:pulumi:stack::project::parent$type::name`."""
    return urn.split("::")[2].rpartition("$")[2]


def logical(urn: str) -> str:
    return urn.split("::", 3)[3]
