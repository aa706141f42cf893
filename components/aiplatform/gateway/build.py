"""The resources of a gateway."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta

from aiplatform._shared.kubernetes.workloads import Application, namespace
from aiplatform._shared.outputs import mapped_object
from aiplatform.addons.catalog import Addon
from aiplatform.addons.charts import locate
from aiplatform.addons.install import Installed, create_namespace, install
from aiplatform.addons.values import VALUES, envoy_gateway
from aiplatform.addons.values.setup import Setup
from aiplatform.gateway import admission, certificates, load_balancer, objects, routes, traffic
from aiplatform.gateway.args import ENVOY_GATEWAY, ENVOY_KINDS, NAME, NAMESPACE, GatewaySettings

_LABELS: Final = {"app.kubernetes.io/managed-by": "ai-platform"}
_NETWORKING: Final = "networking.gke.io/v1"


@dataclass(frozen=True)
class Built:
    """The gateway's resources that its outputs refer to."""

    gateway: CustomResource
    service: core.Service | None = None
    """With Envoy."""


def build(
    component: pulumi.ComponentResource, name: str, settings: GatewaySettings, opts: ResourceOptions | None
) -> Built:
    """Create all resources as children of `component`, after what the component depends on, which the engine
    does not pass on to children."""
    before = ResourceOptions(depends_on=opts.depends_on if opts is not None else None)
    admission.create(component, name, settings.gateway_class)
    created = namespace(Application(component, name, NAMESPACE, _LABELS))
    after = ResourceOptions.merge(before, ResourceOptions(depends_on=created))
    installed = _install(component, name, settings, before)
    if installed is not None:
        after = ResourceOptions.merge(after, ResourceOptions(depends_on=installed.resources))
    creator = _Creator(component, name, after)
    creator.create("certificate", "cert-manager.io/v1", "Certificate", objects.certificate(settings), NAME)
    # Policies first: no request reaches a gateway before it checks tokens.
    policies = _create_policies(creator, settings)
    gateway = creator.create(
        "gateway", objects.GATEWAY_VERSION, "Gateway", objects.gateway(settings), NAME, *policies
    )
    for key in settings.routes:
        _create_route(creator, settings, key, gateway)
    if installed is None:
        for team in settings.teams:
            namespace_of = settings.namespace(team)
            traffic.allow_proxies(component, f"{name}-{team}", namespace_of, settings.proxy_ranges, before)
        return Built(gateway)
    options = ResourceOptions.merge(after, ResourceOptions(depends_on=[gateway]))
    return Built(gateway, load_balancer.create(component, name, settings, installed.addon.namespace, options))


@dataclass(frozen=True)
class _Creator:
    component: pulumi.ComponentResource
    name: str
    after: ResourceOptions

    def create(
        self,
        logical: str,
        api_version: str,
        kind: str,
        spec: Input[Mapping[str, Any]],
        object_name: str,
        *before: pulumi.Resource,
        namespace: str | None = NAMESPACE,
    ) -> CustomResource:
        """Create a custom resource. namespace: None for a kind of the cluster."""
        metadata = meta.ObjectMetaArgs(name=object_name, namespace=namespace, labels=_LABELS)
        return CustomResource(
            f"{self.name}-{logical}",
            api_version=api_version,
            kind=kind,
            metadata=metadata,
            spec=spec,
            opts=ResourceOptions.merge(
                self.after, ResourceOptions(parent=self.component, depends_on=list(before))
            ),
        )


def _install(
    component: pulumi.ComponentResource, name: str, settings: GatewaySettings, before: ResourceOptions
) -> Installed | None:
    """Install Envoy Gateway; None with another class."""
    by_name = {addon.name: addon for addon in settings.installed}
    if ENVOY_GATEWAY not in by_name:
        return None
    addon = by_name[ENVOY_GATEWAY]
    kinds = _chart(component, name, settings, by_name[ENVOY_KINDS], envoy_gateway.DEFINITIONS, [], before)
    created = create_namespace(
        component,
        name,
        addon.namespace,
        settings.cloud,
        addon.webhook_ports,
        metrics_ports=addon.metrics_ports,
    )
    traffic.allow(component, name, addon.namespace, created)
    issued = certificates.create(
        component,
        name,
        addon.namespace,
        ResourceOptions.merge(before, ResourceOptions(depends_on=created)),
    )
    values = mapped_object(settings.mirrors, _values(settings))
    after = ResourceOptions.merge(before, ResourceOptions(depends_on=kinds.resources))
    return _chart(component, name, settings, addon, values, [*created, *issued], after)


def _values(settings: GatewaySettings) -> Callable[[Mapping[str, str]], Mapping[str, Any]]:
    def values(mirrors: Mapping[str, str]) -> Mapping[str, Any]:
        setup = Setup(replicas=settings.controller_replicas, mirrors=mirrors, cloud=settings.cloud)
        return VALUES[ENVOY_GATEWAY](setup)

    return values


def _chart(
    component: pulumi.ComponentResource,
    name: str,
    settings: GatewaySettings,
    addon: Addon,
    values: Input[Mapping[str, Any]],
    exists: list[pulumi.Resource],
    after: ResourceOptions,
) -> Installed:
    return install(component, name, addon, locate(addon, settings.charts), values, exists, after=after)


def _create_policies(creator: _Creator, settings: GatewaySettings) -> list[pulumi.Resource]:
    """Create what the Gateway refers to, and what refers to it."""
    if settings.gateway_class == "gke":
        return []
    version = objects.ENVOY_VERSION
    proxy = mapped_object(settings.mirrors, lambda mirrors: objects.envoy_proxy(settings, mirrors))
    created: list[pulumi.Resource] = [
        creator.create(
            "class",
            objects.GATEWAY_VERSION,
            "GatewayClass",
            objects.gateway_class(),
            NAME,
            namespace=None,
        ),
        creator.create("envoy", version, "EnvoyProxy", proxy, NAME),
        creator.create(
            "client-traffic", version, "ClientTrafficPolicy", objects.client_traffic(settings), NAME
        ),
        creator.create(
            "backend-traffic", version, "BackendTrafficPolicy", objects.backend_traffic(settings), NAME
        ),
    ]
    if settings.authentication is not None:
        security = objects.security(settings, settings.authentication)
        created.append(creator.create("security", version, "SecurityPolicy", security, NAME))
    return created


def _create_route(creator: _Creator, settings: GatewaySettings, key: str, gateway: pulumi.Resource) -> None:
    manifest = routes.of_settings(settings, key)
    namespace = settings.namespace(settings.routes[key].team)
    creator.create(
        f"{key}-route",
        objects.GATEWAY_VERSION,
        routes.KIND,
        manifest["spec"],
        key,
        gateway,
        namespace=namespace,
    )
    if settings.gateway_class != "gke":
        return
    for service, specs in routes.backend_policies(settings, key).items():
        # GKE uses one policy of a kind for a Service.
        if settings.first_route(key, service) != key:
            continue
        for kind, spec in specs.items():
            creator.create(
                f"{key}-{service}-{kind.lower()}",
                _NETWORKING,
                kind,
                spec,
                f"{key}-{service}",
                namespace=namespace,
            )


def address(built: Built) -> Output[str] | None:
    """Return the address of the load balancer: its DNS name on AWS, its IP address on Google Cloud."""
    if built.service is None:
        return None
    return built.service.status.apply(_address)


def _address(status: Any) -> str:
    balancer = status.load_balancer if status is not None else None
    entries: list[Any] = (balancer.ingress if balancer is not None else None) or []
    return str(entries[0].hostname or entries[0].ip) if entries else ""
