"""Python programs of a Pod on a twin: the addresses and names of the cluster (twin/kubernetes/processes).

Imported by Python at its start, in the environments of images; it needs the standard library only. Sockets
listen on the Pod's address instead of all interfaces, `localhost` is the Pod, names of Services and Pods
resolve as by the cluster's DNS, and connections to them go where their processes listen. Programs in other
languages, and libraries that make sockets without Python, get only what is rewritten in their arguments.
"""

import ipaddress
import json
import os
import random
import socket
from pathlib import Path

_POD = json.loads(os.environ.get("AIPLATFORM_TWIN_POD", "{}"))
_PODS = ipaddress.ip_network("100.96.0.0/11")
_LOCAL = frozenset(("localhost", "127.0.0.1", "::1"))
_ANY = frozenset(("", "0.0.0.0", "::"))  # noqa: S104 - these are replaced
_ZONE = "cluster.local"
_getaddrinfo, _gethostname = socket.getaddrinfo, socket.gethostname
_bind, _connect, _connect_ex = socket.socket.bind, socket.socket.connect, socket.socket.connect_ex


def _network():
    return json.loads(Path(_POD["network"]).read_text(encoding="utf-8"))


def gethostname():
    """The Pod's host name."""
    return os.environ.get("HOSTNAME") or _gethostname()


def _addresses(host):
    """The addresses of a name, as a resolver with the Pod's search domains; None for a name outside."""
    name = host.rstrip(".").lower()
    if name == gethostname():
        return [_POD["address"]]
    names = _network()["names"]
    for suffix in (f".svc.{_ZONE}", ".svc"):
        if name.endswith(suffix):
            return names.get(name[: -len(suffix)], [])
    for candidate in (f"{name}.{_POD['namespace']}", name):
        if candidate in names:
            return names[candidate]
    return None


def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
    """Resolve names of the cluster; all others as before."""
    name = host.decode() if isinstance(host, (bytes, bytearray)) else host
    if name in _ANY or (name is None and flags & socket.AI_PASSIVE):
        addresses = [_POD["address"]]
    elif name is None or name == "localhost":
        addresses = ["127.0.0.1"]
    elif _is_address(name):
        addresses = None
    else:
        addresses = _addresses(name)
    if addresses is None:
        return _getaddrinfo(name, port, family, type, proto, flags)
    if not addresses:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    entries = []
    for address in addresses:
        entries += _getaddrinfo(address, port, socket.AF_INET, type, proto, 0)
    return entries


def gethostbyname(host):
    """Resolve a name to its first address."""
    return getaddrinfo(host, None, socket.AF_INET)[0][4][0]


def _here(host, port):
    """Where a connection to an address of the cluster goes on this machine."""
    known = _network()
    if host in _LOCAL:
        return (host, port) if port in known["direct"] else (_POD["address"], port)
    targets = known["targets"].get(f"{host}:{port}")
    if targets is not None:
        if not targets:
            raise ConnectionRefusedError(111, f"no process serves {host}:{port} on the twin")
        return tuple(random.choice(targets))  # noqa: S311 - as kube-proxy
    address = ipaddress.ip_address(host)
    if address.version == 4 and address in _PODS:
        return "127." + host.partition(".")[2], port
    return host, port


def _target(self, address):
    if self.family != socket.AF_INET:
        return address
    return _here(address[0] if _is_address(address[0]) else gethostbyname(address[0]), address[1])


def bind(self, address):
    """Listen on the Pod's address in place of all interfaces and of loopback."""
    if self.family == socket.AF_INET and address[0] in _ANY | _LOCAL:
        address = (_POD["address"], address[1])
    elif self.family == socket.AF_INET6 and address[0] in _ANY | _LOCAL:
        self.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        address = (f"::ffff:{_POD['address']}", *address[1:])
    return _bind(self, address)


def connect(self, address):
    """Connect to where an address of the cluster is served."""
    return _connect(self, _target(self, address))


def connect_ex(self, address):
    """Connect to where an address of the cluster is served."""
    return _connect_ex(self, _target(self, address))


def _is_address(host):
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


if _POD:
    socket.getaddrinfo, socket.gethostbyname, socket.gethostname = getaddrinfo, gethostbyname, gethostname
    socket.socket.bind, socket.socket.connect, socket.socket.connect_ex = bind, connect, connect_ex
