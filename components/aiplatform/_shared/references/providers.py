"""The cloud of a reference that is an output as a whole, compared with the providers of the component."""

from collections.abc import Mapping
from typing import Any, cast

from pulumi import ResourceOptions

from aiplatform._shared.args import ArgumentError, Problem, got, is_unknown


def refuse_cloud_of_unknown(where: str, args: Any, opts: ResourceOptions | None) -> None:
    """Raise ArgumentError for a reference whose value is not known, and whose cloud, by default AWS, is not
    that of the component's providers: resources of the wrong cloud would be created before it is known.

    where: the root of paths. args: as the program states them, not checked yet.
    """
    arguments = cast("Mapping[str, Any]", args if isinstance(args, Mapping) else {})
    clouds = {provider.package for provider in _providers(opts)} & {"aws", "gcp"}
    unknown = {
        key: value for key in ("cluster", "network", "lakehouse") if is_unknown(value := arguments.get(key))
    }
    if clouds == {"gcp"} and unknown:
        raise ArgumentError(
            Problem(
                f"{where}.{key}",
                f"{got(value)}; expected an object with a plain `cloud`, `project` and `region`, whose other "
                "values may be outputs (aiplatform.references.from_output in Python): they decide what is "
                "created",
            )
            for key, value in unknown.items()
        )


def _providers(opts: ResourceOptions | None) -> list[Any]:
    """Return the providers that a program hands over."""
    if opts is None:
        return []
    several = opts.providers or []
    providers = list(several.values()) if isinstance(several, Mapping) else list(several)
    return [*providers, *([opts.provider] if opts.provider else [])]
