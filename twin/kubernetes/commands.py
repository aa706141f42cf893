"""The command lines of etcd, the API server, the controllers and the scheduler.

Where EKS decides (admission plugins, anonymous access, service range, token signing), this follows EKS.
Everything listens on loopback alone, and speaks TLS under the instance's own authority: other users of the
machine may reach the ports, and get nothing there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from twin.instances import Instance
from twin.kubernetes import egress, kwok
from twin.kubernetes.certificates import Pki, write_kubeconfig
from twin.kubernetes.processes import images
from twin.private_files import write_private

# These need a cloud or a kubelet, or nothing here uses them: no Node gets a range of addresses, a load
# balancer or an attached disk from the control plane.
LEFT_OUT: Final = (
    "node-ipam-controller",
    "node-route-controller",
    "service-lb-controller",
    "cloud-node-lifecycle-controller",
    "persistentvolume-attach-detach-controller",
    "bootstrap-signer-controller",
    "token-cleaner-controller",
)
# As EKS: anonymous requests may ask for the health, and nothing else.
ANONYMOUS: Final = {
    "apiVersion": "apiserver.config.k8s.io/v1",
    "kind": "AuthenticationConfiguration",
    "anonymous": {
        "enabled": True,
        "conditions": [{"path": path} for path in ("/livez", "/readyz", "/healthz")],
    },
}


@dataclass(frozen=True)
class Settings:
    """What a cluster decides about its API server.

    service_cidr: where Services get their addresses (EKS: 10.100.0.0/16 or 172.20.0.0/16).
    issuer: the `iss` of service account tokens (EKS: the cluster's OIDC issuer).
    """

    service_cidr: str = "172.20.0.0/16"
    issuer: str = "https://kubernetes.default.svc"


def command_lines(instance: Instance, pki: Pki, settings: Settings) -> dict[str, list[str]]:
    """The five, by process name; writes the small files that they read."""
    return {
        "etcd": _etcd(instance, pki),
        "kube-apiserver": _api_server(instance, pki, settings),
        "kube-controller-manager": _controller_manager(instance, pki, settings),
        "kube-scheduler": _scheduler(instance, pki),
        "kwok": _kwok(instance, pki),
    }


def etcd_data(instance: Instance) -> Path:
    """Where etcd keeps the cluster."""
    return instance.folder / "kubernetes" / "etcd"


def _etcd(instance: Instance, pki: Pki) -> list[str]:
    client, peer = instance.url("etcd", "https"), instance.url("etcd-peer", "https")
    certificate, key, authority = pki.certificate("etcd"), pki.key("etcd"), pki.certificate("ca")
    return [
        "etcd",
        "--name=twin",
        f"--data-dir={etcd_data(instance)}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=twin={peer}",
        "--client-cert-auth",
        f"--cert-file={certificate}",
        f"--key-file={key}",
        f"--trusted-ca-file={authority}",
        "--peer-client-cert-auth",
        f"--peer-cert-file={certificate}",
        f"--peer-key-file={key}",
        f"--peer-trusted-ca-file={authority}",
        # What is written is in the page cache, which outlives a killed process. Only a machine that loses
        # power can lose it, and a twin can be made again.
        "--unsafe-no-fsync",
        # A single member has no others to hear from. It elects itself after half a second: the shortest time
        # for ticks of etcd's default length, each of which takes CPU.
        "--heartbeat-interval=100",
        "--election-timeout=500",
        "--snapshot-count=5000",
        "--log-level=warn",
        "--logger=zap",
    ]


def _api_server(instance: Instance, pki: Pki, settings: Settings) -> list[str]:
    folder = instance.folder / "kubernetes"
    anonymous = write_private(folder / "authentication.json", json.dumps(ANONYMOUS))
    outwards = write_private(folder / "egress.json", json.dumps(egress.configuration()))
    return [
        "kube-apiserver",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={instance.ports['kube-apiserver']}",
        f"--tls-cert-file={pki.certificate('kube-apiserver')}",
        f"--tls-private-key-file={pki.key('kube-apiserver')}",
        f"--etcd-servers={instance.url('etcd', 'https')}",
        f"--etcd-cafile={pki.certificate('ca')}",
        f"--etcd-certfile={pki.certificate('kube-apiserver')}",
        f"--etcd-keyfile={pki.key('kube-apiserver')}",
        # 127.0.0.1 may not stand in an EndpointSlice, and no Pod here could reach it.
        "--endpoint-reconciler-type=none",
        f"--egress-selector-config-file={outwards}",
        f"--service-cluster-ip-range={settings.service_cidr}",
        f"--service-account-issuer={settings.issuer}",
        f"--service-account-signing-key-file={pki.service_account_key}",
        f"--service-account-key-file={pki.service_account_public_key}",
        # Who speaks: certificates, service account tokens, and AWS's tokens by the webhook. One that does
        # not answer refuses its own tokens only.
        f"--client-ca-file={pki.certificate('ca')}",
        f"--authentication-config={anonymous}",
        f"--authentication-token-webhook-config-file={_webhook(instance)}",
        "--authentication-token-webhook-version=v1",
        "--authentication-token-webhook-cache-ttl=5s",
        "--authorization-mode=Node,RBAC",
        # Beyond the defaults, which have PodSecurity and LimitRanger among them.
        # EKS and GKE have both: the second lets who asks for a GPU onto nodes tainted with its name.
        "--enable-admission-plugins=NodeRestriction,ExtendedResourceToleration",
        # Both allow privileged containers, and device plugins ask for it.
        "--allow-privileged=true",
        f"--requestheader-client-ca-file={pki.certificate('front-proxy-ca')}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={pki.certificate('front-proxy')}",
        f"--proxy-client-key-file={pki.key('front-proxy')}",
        "--event-ttl=1h",
        "--profiling=false",
    ]


def _controller_manager(instance: Instance, pki: Pki, settings: Settings) -> list[str]:
    name = "kube-controller-manager"
    return [
        name,
        *_secondary(instance, pki, name),
        # Each controller acts as its own service account, as everywhere: policies and webhooks see them.
        "--use-service-account-credentials=true",
        f"--service-account-private-key-file={pki.service_account_key}",
        f"--root-ca-file={pki.certificate('ca')}",
        f"--service-cluster-ip-range={settings.service_cidr}",
        f"--cluster-signing-cert-file={pki.certificate('ca')}",
        f"--cluster-signing-key-file={pki.key('ca')}",
        f"--controllers={','.join(['*', *(f'-{left_out}' for left_out in LEFT_OUT)])}",
        "--allocate-node-cidrs=false",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
    ]


def _scheduler(instance: Instance, pki: Pki) -> list[str]:
    name = "kube-scheduler"
    return [name, *_secondary(instance, pki, name), "--kube-api-qps=200", "--kube-api-burst=400"]


def _secondary(instance: Instance, pki: Pki, name: str) -> list[str]:
    kubeconfig = _kubeconfig(instance, pki, name)
    return [
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        f"--secure-port={instance.ports[name]}",
        f"--tls-cert-file={pki.certificate(name)}",
        f"--tls-private-key-file={pki.key(name)}",
        # There is one of it; to become the leader would take it seconds.
        "--leader-elect=false",
        "--profiling=false",
    ]


def _kwok(instance: Instance, pki: Pki) -> list[str]:
    stages = kwok.stages(instance.folder / "kubernetes", images.load(instance).selector)
    return kwok.arguments(pki, _kubeconfig(instance, pki, "kwok"), instance.ports["kwok"], stages)


def _kubeconfig(instance: Instance, pki: Pki, subject: str) -> Path:
    target = instance.folder / "kubernetes" / f"{subject}.kubeconfig"
    return write_kubeconfig(pki, subject, instance.url("kube-apiserver", "https"), target)


def _webhook(instance: Instance) -> Path:
    # Through the relay's socket, which no other user reaches: a stranger who listened on a port in its place
    # would get each token, and decide whose it is.
    host, port = egress.TOKEN_WEBHOOK
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "webhook", "cluster": {"server": f"http://{host}:{port}/authenticate"}}],
        "users": [{"name": "kube-apiserver", "user": {}}],
        "contexts": [{"name": "webhook", "context": {"cluster": "webhook", "user": "kube-apiserver"}}],
        "current-context": "webhook",
    }
    return write_private(instance.folder / "kubernetes" / "webhook.kubeconfig", json.dumps(document))
