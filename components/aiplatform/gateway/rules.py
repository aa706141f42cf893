"""What arguments of a gateway require of each other."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from aiplatform._shared.args import Problem, got, nearest
from aiplatform._shared.kubernetes.names import INTERNAL_ISSUER

if TYPE_CHECKING:
    from aiplatform.gateway.args import GatewaySettings

_MOST_CLAIMS: Final = 128
"""Values of a claim in a rule of Envoy Gateway (its SecurityPolicy)."""


def key_set(value: Any) -> str | None:
    """A rule for a JSON Web Key Set with public keys alone."""
    expected = 'expected a JSON Web Key Set: {"keys": [{"kty": ...}]}'
    try:
        keys: Any = json.loads(value)["keys"]
        kinds = [key["kty"] for key in keys]
    except (ValueError, TypeError, KeyError):
        return expected
    if not kinds:
        return expected
    if any(key["kty"] == "oct" or "d" in key for key in keys):
        return "with a private or symmetric key, which signs tokens; expected public keys alone"
    return None


def problems(settings: "GatewaySettings") -> Iterator[Problem]:
    """Yield the problems that concern several keys."""
    yield from _of_class(settings)
    yield from _of_public(settings)
    yield from _of_teams(settings)
    yield from _namespaces(settings)
    for name in settings.routes:
        yield from _of_route(settings, name)
    yield from _same_paths(settings)


def _of_class(settings: "GatewaySettings") -> Iterator[Problem]:
    if settings.gateway_class == "envoy":
        if settings.proxy_ranges:
            yield Problem(
                "proxy_ranges",
                f"{got(settings.proxy_ranges)}, and Envoy runs in Pods; expected it left out, or "
                "gateway_class: gke",
            )
        for name, route in settings.routes.items():
            if route.health_path is not None:
                yield Problem(
                    f"routes.{name}.health_path",
                    f"{got(route.health_path)}, and readiness probes of Pods decide with the class envoy; "
                    "expected it left out, or gateway_class: gke",
                )
        return
    if settings.cloud != "gcp":
        yield Problem("gateway_class", "got 'gke', which only GKE has; expected 'envoy'")
        return
    if not settings.proxy_ranges:
        yield Problem(
            "proxy_ranges",
            "missing, and the network policies of teams refuse what they do not list; expected the ranges of "
            "the region's proxy-only subnet",
        )
    for key in ("authentication", "rate_limit"):
        if getattr(settings, key) is not None:
            yield Problem(
                key,
                "a gateway of GKE has neither checks of tokens nor limits of rates; expected it left out, or "
                "gateway_class: envoy",
            )
    yield from _shared_services(settings)
    for name, route in settings.routes.items():
        if route.callers:
            yield Problem(
                f"routes.{name}.callers",
                "a gateway of GKE checks no tokens; expected it left out, or gateway_class: envoy",
            )
    if settings.source_ranges:
        yield Problem(
            "source_ranges",
            "a gateway of GKE has no list of addresses; expected it left out, or gateway_class: envoy",
        )


def _shared_services(settings: "GatewaySettings") -> Iterator[Problem]:
    """Yield routes to one Service that differ in what GKE knows of the Service, and not of the route."""
    for name, route in settings.routes.items():
        for service in settings.services(name):
            first = settings.first_route(name, service)
            for key, one, two in (
                ("timeout_seconds", settings.timeout(first), settings.timeout(name)),
                ("health_path", settings.routes[first].health_path, route.health_path),
            ):
                if one != two:
                    yield Problem(
                        f"routes.{name}",
                        f"the service {service} is a backend of routes.{first}, too, with another {key} "
                        f"({one!r}, here {two!r}); expected the same: with GKE's gateways it is one of "
                        "the service",
                    )


def _of_public(settings: "GatewaySettings") -> Iterator[Problem]:
    if not settings.public:
        return
    if settings.gateway_class == "gke":
        yield Problem(
            "public",
            "got true, and a gateway of GKE checks no tokens; expected false, or gateway_class: envoy",
        )
    elif settings.authentication is None:
        yield Problem(
            "authentication",
            "missing, and the gateway is public: everyone would use its models; expected the issuer and "
            "audiences of tokens, or public: false",
        )
    if settings.issuer == INTERNAL_ISSUER:
        yield Problem(
            "issuer",
            f"{got(settings.issuer)}, whose authority no client outside trusts, and the gateway is public: "
            "without verified TLS its tokens can be read; expected a ClusterIssuer of a public authority",
        )


def _of_teams(settings: "GatewaySettings") -> Iterator[Problem]:
    if settings.authentication is not None and not settings.teams:
        yield Problem(
            "teams",
            "missing, and a token allows what its teams own: nothing could be called; expected the teams "
            "whose services are behind the gateway",
        )


def _namespaces(settings: "GatewaySettings") -> Iterator[Problem]:
    first: dict[str, str] = {}
    for team in settings.teams:
        namespace = settings.namespace(team)
        before = first.setdefault(namespace, team)
        if before != team:
            yield Problem(
                f"teams.{team}.namespace",
                f"{got(namespace)}, which is the namespace of {before}; expected another one",
            )


def _of_route(settings: "GatewaySettings", name: str) -> Iterator[Problem]:
    route = settings.routes[name]
    for key, team in (
        ("team", route.team),
        *((f"callers[{i}]", team) for i, team in enumerate(route.callers)),
    ):
        if team not in settings.teams:
            yield Problem(
                f"routes.{name}.{key}",
                f"{got(team)}, which is no team of `teams`; expected one of {', '.join(settings.teams)}"
                f"{nearest(team, settings.teams)}",
            )
    values = {value for team in route.callers if team in settings.teams for value in settings.claims(team)}
    if len(values) > _MOST_CLAIMS:
        yield Problem(
            f"routes.{name}.callers",
            f"they have {len(values)} values of claims; expected at most {_MOST_CLAIMS}",
        )
    if not settings.path(name).startswith(f"/{route.team}/"):
        yield Problem(
            f"routes.{name}.path",
            f"{got(route.path)}; expected one below /{route.team}/, which only this team's clients reach",
        )
    for index, host in enumerate(route.hosts):
        if host not in settings.hosts:
            yield Problem(
                f"routes.{name}.hosts[{index}]",
                f"{got(host)}, which the gateway does not have; expected one of {', '.join(settings.hosts)}"
                f"{nearest(host, settings.hosts)}",
            )
    total = sum(backend.weight for backend in route.backends)
    if total != 100:
        yield Problem(
            f"routes.{name}.backends", f"weights add up to {total}; expected 100, percent of the requests"
        )
    seen: dict[tuple[str, int], int] = {}
    for index, backend in enumerate(route.backends):
        before = seen.setdefault((backend.service, backend.port), index)
        if before != index:
            yield Problem(f"routes.{name}.backends[{index}]", f"duplicates backends[{before}]")


def _same_paths(settings: "GatewaySettings") -> Iterator[Problem]:
    """Yield routes with the host and path of another one: the older of them would get all requests."""
    first: dict[tuple[str, str], str] = {}
    for name in settings.routes:
        for host in settings.hosts_of(name):
            before = first.setdefault((host, settings.path(name)), name)
            if before != name:
                yield Problem(
                    f"routes.{name}",
                    f"host {host} and path {settings.path(name)} are those of routes.{before}, too; expected "
                    "another path or host",
                )
                break
