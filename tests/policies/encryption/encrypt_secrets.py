"""Spec of encryption.encrypt_secrets."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource

_KEY = "arn:aws:kms:eu-central-1:111122223333:key/0a1b"
_GOOGLE_KEY = "projects/acme/locations/europe-west1/keyRings/a/cryptoKeys/b"


def _eks(**props: Any) -> Resource:
    return resource("aws:eks/cluster:Cluster", {"roleArn": "arn:aws:iam::111122223333:role/eks", **props})


def _gke(**encryption: Any) -> Resource:
    return resource("gcp:container/cluster:Cluster", {"databaseEncryption": encryption})


def _google(**replication: Any) -> Resource:
    return resource("gcp:secretmanager/secret:Secret", {"secretId": "a", "replication": replication})


SPEC = Spec(
    passes={
        "a secret with a key": resource("aws:secretsmanager/secret:Secret", {"kmsKeyId": _KEY}),
        "a parameter that is no secret": resource("aws:ssm/parameter:Parameter", {"type": "String"}),
        "EKS with a key": _eks(encryptionConfig={"provider": {"keyArn": _KEY}, "resources": ["secrets"]}),
        "GKE with a key": _gke(state="ENCRYPTED", keyName=_GOOGLE_KEY),
        "a secret of Google with a key": _google(
            userManaged={"replicas": [{"customerManagedEncryption": {"kmsKeyName": _GOOGLE_KEY}}]}
        ),
    },
    fails={
        "a secret with AWS's key": Fails(resource("aws:secretsmanager/secret:Secret"), "kmsKeyId"),
        "a secure parameter with AWS's key": Fails(
            resource("aws:ssm/parameter:Parameter", {"type": "SecureString", "keyId": "alias/aws/ssm"}),
            "keyId",
            "a key of AWS",
        ),
        "EKS without": Fails(_eks(), "encryptionConfig.provider.keyArn"),
        "GKE that disables it": Fails(_gke(state="DECRYPTED"), "databaseEncryption.state", "'DECRYPTED'"),
        "GKE with defaults": Fails(
            resource("gcp:container/cluster:Cluster"), "databaseEncryption.state", "is not set"
        ),
        "a secret that Google places": Fails(
            _google(auto={}), "replication.auto.customerManagedEncryption.kmsKeyName"
        ),
        "one copy of two": Fails(
            _google(
                userManaged={
                    "replicas": [
                        {"customerManagedEncryption": {"kmsKeyName": _GOOGLE_KEY}},
                        {"location": "europe-west4"},
                    ]
                }
            ),
            "replication.userManaged.replicas[1].customerManagedEncryption.kmsKeyName",
        ),
    },
    unknown={
        "a key that does not exist yet": resource("aws:secretsmanager/secret:Secret", {"kmsKeyId": UNKNOWN}),
        "a parameter's type": resource("aws:ssm/parameter:Parameter", {"type": UNKNOWN}),
        "GKE's state": _gke(state=UNKNOWN),
        "where a secret is": resource("gcp:secretmanager/secret:Secret", {"replication": UNKNOWN}),
    },
)
