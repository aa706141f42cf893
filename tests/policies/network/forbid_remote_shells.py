"""Spec of network.forbid_remote_shells."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Spec, resource


def _machine(**metadata: Any) -> Any:
    return resource("gcp:compute/instance:Instance", {"metadata": metadata})


def _nodes(**access: Any) -> Any:
    return resource("aws:eks/nodeGroup:NodeGroup", {"remoteAccess": access} if access else {})


SPEC = Spec(
    passes={
        "a machine without a key": resource("aws:ec2/instance:Instance", {"instanceType": "m7g.large"}),
        "nodes without remote access": _nodes(),
        "OS Login": _machine(**{"enable-oslogin": "TRUE", "block-project-ssh-keys": "TRUE"}),
    },
    fails={
        "a machine with a key": Fails(
            resource("aws:ec2/instance:Instance", {"keyName": "admin"}), "keyName", "'admin'"
        ),
        "nodes with a key, for everyone": Fails(
            _nodes(ec2SshKey="admin"), "remoteAccess.ec2SshKey", "0.0.0.0/0"
        ),
        "keys in a machine's metadata": Fails(
            _machine(**{"ssh-keys": "me:ssh-ed25519 AAAA"}), "metadata.ssh-keys"
        ),
        "a serial console": Fails(
            _machine(**{"serial-port-enable": "TRUE"}), "metadata.serial-port-enable", "no firewall"
        ),
        "keys for all of a project": Fails(
            resource("gcp:compute/projectMetadataItem:ProjectMetadataItem", {"key": "ssh-keys"}), "key"
        ),
    },
    unknown={
        "keys that does not exist yet": resource(
            "gcp:compute/instance:Instance", {"metadata": {"ssh-keys": UNKNOWN}}
        ),
        "a key that does not exist yet": resource(
            "aws:ec2/launchTemplate:LaunchTemplate", {"keyName": UNKNOWN}
        ),
        "a node group's key that does not exist yet": _nodes(ec2SshKey=UNKNOWN),
    },
)
