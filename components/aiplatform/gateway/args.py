"""Arguments of a gateway."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final, Literal

from pulumi import Input

from aiplatform._shared import images
from aiplatform._shared.addresses import any_range, not_the_internet
from aiplatform._shared.args import Problem, between, distinct, length, matches
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.kubernetes.names import DNS_LABEL, INTERNAL_ISSUER
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform.addons.catalog import Addon, catalog
from aiplatform.addons.charts import UPSTREAM
from aiplatform.addons.charts import problems as chart_problems
from aiplatform.addons.charts import rule as source_of_charts
from aiplatform.gateway import rules
from aiplatform.gateway.cloud_support import SUPPORT
from aiplatform.gateway.inputs import AuthenticationArgs as AuthenticationArgs
from aiplatform.gateway.inputs import GatewayArgs as GatewayArgs
from aiplatform.gateway.inputs import GatewayBackendArgs as GatewayBackendArgs
from aiplatform.gateway.inputs import GatewayMirrorArgs as GatewayMirrorArgs
from aiplatform.gateway.inputs import GatewayRouteArgs as GatewayRouteArgs
from aiplatform.gateway.inputs import GatewayTeamArgs as GatewayTeamArgs
from aiplatform.gateway.inputs import RateLimitArgs as RateLimitArgs

ENVOY_GATEWAY: Final = "envoy-gateway"
"""The add-on with the controller of Envoy's gateways."""
ENVOY_KINDS: Final = "envoy-gateway-crds"
"""The add-on with its kinds."""
GATEWAY_KINDS: Final = "gateway-api"
"""The add-on with the kinds of gateways and routes, which the component Addons installs."""
CERTIFICATES: Final = "cert-manager"
"""The add-on that issues certificates, which the component Addons installs."""
NAME: Final = "ai-platform"
"""The name of the Gateway, and with Envoy of its class."""
NAMESPACE: Final = "gateway"
"""The namespace of the Gateway."""

GatewayClass = Literal["envoy", "gke"]
ClaimType = Literal["string", "list"]
RateUnit = Literal["second", "minute", "hour"]

_LABEL: Final = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_HOST: Final = matches(
    rf"(\*\.)?({_LABEL}\.)+{_LABEL}", "a DNS name (models.example.com), its first label perhaps `*`"
)
_URL: Final = matches(
    r"(?=.{1,253}$)https://[^\s/]+(/\S*)?", "an address with https of at most 253 characters"
)
_PATH: Final = matches(
    r"(?=.{1,1024}$)(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)+",
    "a path that begins with `/`, without one at its end, and without `.` and `..`: /vision/classifier",
)


@dataclass(frozen=True)
class Authentication:
    """JSON Web Tokens of clients (`Authorization: Bearer ...`), which the gateway checks at every request."""

    issuer: Annotated[str, _URL]
    """The issuer, as in the claim `iss`: `https://login.example.com`."""
    audiences: Annotated[list[str], length(1, 8, "audiences"), distinct]
    """Audiences of the gateway: a token has one of them in its claim `aud`."""
    jwks_uri: Annotated[str, _URL] | None = None
    """Where the issuer publishes its keys. Envoy reads them by HTTPS, and keeps them for five minutes. Either
    this or `jwks`."""
    jwks: Annotated[str, rules.key_set] | None = None
    """The issuer's public keys (a JSON Web Key Set), for a network from which Envoy does not reach the
    issuer. Either this or `jwks_uri`."""
    team_claim: Annotated[str, matches(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", "the name of a claim")] = (
        "groups"
    )
    """The claim with the teams of a client; a nested one with dots (`realm_access.roles`). Default
    `groups`."""
    team_claim_type: ClaimType = "list"
    """`list`: the claim has several values. `string`: one. Default `list`."""

    def check(self) -> Iterator[Problem]:
        """Return the problem of none or two sources of keys."""
        if (self.jwks_uri is None) == (self.jwks is None):
            yield Problem(
                "jwks_uri", "expected either jwks_uri or jwks: where the issuer's keys are, or the keys"
            )


@dataclass(frozen=True)
class GatewayTeam:
    """A team whose services are below the path `/TEAM/`."""

    namespace: Annotated[str, DNS_LABEL] | None = None
    """Its namespace, with the label `ai-platform/team`. Default: the team's name."""
    claims: Annotated[list[str], length(1, 50, "values"), distinct] | None = None
    """Values of `authentication.team_claim` with which clients reach its services. Default: the team's
    name."""


@dataclass(frozen=True)
class RateLimit:
    """A limit of requests, for each route and each replica of Envoy (`Local`): replicas do not share
    counters. Beyond it clients get status 429."""

    requests: Annotated[int, between(1, 1_000_000, "requests")]
    """Requests in each unit of time."""
    unit: RateUnit = "minute"
    """`second`, `minute` or `hour`. Default `minute`."""


@dataclass(frozen=True)
class GatewayBackend:
    """A Service that gets a part of the requests."""

    service: Annotated[str, DNS_LABEL]
    """Its name, in the team's namespace: of an InferenceService `NAME-predictor`."""
    port: Annotated[int, between(1, 65_535, "")] = 80
    """Its port. Default 80."""
    weight: Annotated[int, between(0, 100, "percent")] = 100
    """Percent of the requests; those of a route add up to 100. Default 100."""


@dataclass(frozen=True)
class GatewayMirror:
    """A Service that gets copies of requests (shadow traffic); its responses are dropped."""

    service: Annotated[str, DNS_LABEL]
    """Its name, in the team's namespace."""
    port: Annotated[int, between(1, 65_535, "")] = 80
    """Its port. Default 80."""
    percent: Annotated[int, between(1, 100, "percent")] = 100
    """Percent of the requests. Default 100."""


@dataclass(frozen=True)
class GatewayRoute:
    """A service of a team: requests whose path begins with its path go to its backends, without that part of
    the path. Routes whose weights a pipeline changes are the pipeline's, and are not here."""

    team: str
    """The team, of `teams`."""
    backends: Annotated[list[GatewayBackend], length(1, 16, "backends")]
    """Services, with weights that add up to 100."""
    path: Annotated[str, _PATH] | None = None
    """The beginning of the path, below `/TEAM/`. Default: `/TEAM/NAME`, with the route's name."""
    hosts: Annotated[list[Annotated[str, _HOST]], length(0, 16, "hosts"), distinct] = field(
        default_factory=list[str]
    )
    """Hosts of `hosts`, at most 16. Default: all."""
    timeout_seconds: Annotated[int, between(0, 86_400, "seconds")] | None = None
    """Seconds from the request to the end of the response; 0 is unlimited. Default: that of the gateway."""
    mirror: GatewayMirror | None = None
    """Where copies of the requests go. Default: nowhere."""
    callers: Annotated[list[str], distinct] = field(default_factory=list[str])
    """Other teams of `teams` whose clients may call it. Default: none."""
    health_path: Annotated[str, matches(r"/\S*", "a path that begins with `/`")] | None = None
    """Class `gke`: what Google's health checks request of the backends, which must answer with status 200.
    Default: `/`."""


@dataclass(frozen=True)
class GatewaySettings(CloudNeutral):
    """A gateway for HTTPS requests to services of teams. The add-ons cert-manager and gateway-api must be
    installed (component Addons; gateway-api with the class `envoy` alone), whose resources go into
    `opts.depends_on`."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    cluster: ClusterReference
    """The cluster: `Cluster.outputs`."""
    hosts: Annotated[list[Annotated[str, _HOST]], length(1, 60, "hosts"), distinct]
    """The DNS names of the gateway, which its certificate has."""
    gateway_class: GatewayClass = "envoy"
    """`envoy`: Envoy Gateway. `gke`: a gateway of GKE (its internal Application Load Balancer), which checks
    no tokens and limits no rates, and needs `gke.gateway_api` of the cluster and a proxy-only subnet. Default
    `envoy`."""
    issuer: Annotated[str, DNS_LABEL] = INTERNAL_ISSUER
    """The ClusterIssuer of cert-manager that issues the certificate. Default `ai-platform-internal`, the
    cluster's own authority."""
    public: bool = False
    """Whether the internet reaches it. It then needs `authentication`, and an issuer that clients trust.
    Default false."""
    source_ranges: Annotated[list[Annotated[str, any_range]], not_the_internet, distinct] = field(
        default_factory=list[str]
    )
    """Ranges of addresses that reach it. Default: all, of the network or the internet."""
    proxy_ranges: Annotated[list[Annotated[str, any_range]], not_the_internet, distinct] = field(
        default_factory=list[str]
    )
    """Class `gke`: the ranges of the region's proxy-only subnet, from which its load balancers reach the Pods
    of teams. Default: none."""
    authentication: Authentication | None = None
    """Tokens of clients. Default: none, and every client of the network is allowed."""
    teams: Annotated[Mapping[Annotated[str, DNS_LABEL], GatewayTeam], length(0, 200, "teams")] = field(
        default_factory=dict[str, GatewayTeam]
    )
    """Team -> its namespace, and its clients. Default: none."""
    routes: Annotated[Mapping[Annotated[str, DNS_LABEL], GatewayRoute], length(0, 500, "routes")] = field(
        default_factory=dict[str, GatewayRoute]
    )
    """Name -> route. Default: none."""
    rate_limit: RateLimit | None = None
    """A limit of requests of every route. Default: none."""
    timeout_seconds: Annotated[int, between(0, 86_400, "seconds")] = 3600
    """Seconds from a request to the end of its response, of routes that state none; 0 is unlimited. Default
    3600, since responses are streamed."""
    idle_seconds: Annotated[int, between(60, 6000, "seconds")] = 350
    """Seconds without a byte after which a request or connection ends. Default 350."""
    replicas: Annotated[int, between(1, 100, "replicas")] = 2
    """Replicas of Envoy. Default 2."""
    controller_replicas: Annotated[int, between(1, 3, "replicas")] = 1
    """Replicas of Envoy Gateway, 1 to 3: one is the leader, the others are on standby. Default 1."""
    charts: Annotated[str, source_of_charts] = UPSTREAM
    """Where charts come from, as in the component Addons. Default `upstream`."""
    mirrors: images.Mirrors = field(default_factory=dict[str, Input[str]])
    """Mirrors of upstream's images, as in the component Addons. Default: none."""

    @property
    def cloud(self) -> Cloud:
        """The cluster's."""
        return self.cluster.cloud

    @property
    def installed(self) -> list[Addon]:
        """The add-ons that the component installs."""
        if self.gateway_class == "gke":
            return []
        return [catalog()[name] for name in (ENVOY_KINDS, ENVOY_GATEWAY)]

    def namespace(self, team: str) -> str:
        """Return the namespace of a team."""
        return self.teams[team].namespace or team

    def claims(self, team: str) -> list[str]:
        """Return the values of the claim with which clients reach a team's services."""
        return self.teams[team].claims or [team]

    def path(self, name: str) -> str:
        """Return the path of a route."""
        route = self.routes[name]
        return route.path or f"/{route.team}/{name}"

    def hosts_of(self, name: str) -> list[str]:
        """Return the hosts of a route."""
        return self.routes[name].hosts or self.hosts

    def services(self, name: str) -> list[str]:
        """Return the Services that get requests of a route, or copies of them."""
        route = self.routes[name]
        mirrors = [route.mirror.service] if route.mirror is not None else []
        return list(dict.fromkeys([*(backend.service for backend in route.backends), *mirrors]))

    def first_route(self, name: str, service: str) -> str:
        """Return the first route of the team of a route that has the same Service."""
        team = self.routes[name].team
        return next(
            key for key, route in self.routes.items() if route.team == team and service in self.services(key)
        )

    def timeout(self, name: str) -> int:
        """Return the seconds that a route's requests may take; 0 is unlimited."""
        stated = self.routes[name].timeout_seconds
        return self.timeout_seconds if stated is None else stated

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        yield from rules.problems(self)
        yield from chart_problems(self.installed, self.charts, "charts")
