"""Spec of encryption.encrypt_transport."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource


def _listener(protocol: Any, action: Any = "forward", **props: Any) -> Resource:
    return resource(
        "aws:lb/listener:Listener", {"protocol": protocol, "defaultActions": [{"type": action}], **props}
    )


def _cache(**props: Any) -> Resource:
    return resource("aws:elasticache/replicationGroup:ReplicationGroup", {"engine": "valkey", **props})


def _sql(mode: Any) -> Resource:
    return resource(
        "gcp:sql/databaseInstance:DatabaseInstance", {"settings": {"ipConfiguration": {"sslMode": mode}}}
    )


def _broker(said: Any) -> Resource:
    return resource(
        "aws:msk/cluster:Cluster", {"encryptionInfo": {"encryptionInTransit": {"clientBroker": said}}}
    )


def _site(said: Any) -> Resource:
    return resource(
        "aws:cloudfront/distribution:Distribution", {"defaultCacheBehavior": {"viewerProtocolPolicy": said}}
    )


SPEC = Spec(
    passes={
        "HTTPS": _listener("HTTPS", sslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06"),
        "HTTPS with forward secrecy": _listener("HTTPS", sslPolicy="ELBSecurityPolicy-FS-1-2-Res-2020-10"),
        "HTTP that redirects": _listener("HTTP", "redirect"),
        "a TCP listener": _listener("TCP"),
        "a cache with TLS": _cache(transitEncryptionEnabled=True),
        "Kafka with defaults": resource("aws:msk/cluster:Cluster"),
        "CloudFront that redirects": _site("redirect-to-https"),
        "Cloud SQL with TLS alone": _sql("ENCRYPTED_ONLY"),
        "TLS 1.2": resource("gcp:compute/sSLPolicy:SSLPolicy", {"minTlsVersion": "TLS_1_2"}),
        "Memorystore with TLS": resource(
            "gcp:redis/instance:Instance", {"transitEncryptionMode": "SERVER_AUTHENTICATION"}
        ),
    },
    fails={
        "HTTP": Fails(_listener("HTTP"), "protocol", "'HTTP'"),
        "HTTPS with defaults": Fails(_listener("HTTPS"), "sslPolicy", "the default allows TLS 1.0"),
        "TLS 1.0": Fails(
            _listener("HTTPS", sslPolicy="ELBSecurityPolicy-TLS13-1-0-2021-06"), "sslPolicy", "TLS 1.0"
        ),
        "TLS 1.1": Fails(
            _listener("HTTPS", sslPolicy="ELBSecurityPolicy-TLS13-1-1-2021-06"), "sslPolicy", "or 1.1"
        ),
        "TLS 1.1 with forward secrecy": Fails(
            _listener("HTTPS", sslPolicy="ELBSecurityPolicy-FS-1-1-2019-08"), "sslPolicy"
        ),
        "the policy of 2016": Fails(_listener("TLS", sslPolicy="ELBSecurityPolicy-2016-08"), "sslPolicy"),
        "a cache without encryption": Fails(_cache(), "transitEncryptionEnabled"),
        "a cache that prefers TLS": Fails(
            _cache(transitEncryptionEnabled=True, transitEncryptionMode="preferred"), "transitEncryptionMode"
        ),
        "Kafka without encryption": Fails(
            _broker("TLS_PLAINTEXT"), "encryptionInfo.encryptionInTransit.clientBroker", "TLS_PLAINTEXT"
        ),
        "CloudFront without encryption": Fails(
            _site("allow-all"), "defaultCacheBehavior.viewerProtocolPolicy", "plain HTTP"
        ),
        "a path of CloudFront without encryption": Fails(
            resource(
                "aws:cloudfront/distribution:Distribution",
                {
                    "defaultCacheBehavior": {"viewerProtocolPolicy": "https-only"},
                    "orderedCacheBehaviors": [{"pathPattern": "/a/*", "viewerProtocolPolicy": "allow-all"}],
                },
            ),
            "orderedCacheBehaviors[0].viewerProtocolPolicy",
        ),
        "Cloud SQL with defaults": Fails(_sql(None), "settings.ipConfiguration.sslMode", "is not set"),
        "Cloud SQL without encryption": Fails(
            _sql("ALLOW_UNENCRYPTED_AND_ENCRYPTED"), "settings.ipConfiguration.sslMode", "ALLOW_UNENCRYPTED"
        ),
        "a policy with defaults": Fails(
            resource("gcp:compute/sSLPolicy:SSLPolicy", {"profile": "MODERN"}), "minTlsVersion"
        ),
        "Memorystore with defaults": Fails(
            resource("gcp:redis/instance:Instance", {"memorySizeGb": 1}), "transitEncryptionMode"
        ),
    },
    unknown={
        "a protocol": _listener(UNKNOWN),
        "an action": _listener("HTTP", UNKNOWN),
        "a policy": _listener("HTTPS", sslPolicy=UNKNOWN),
        "Cloud SQL's mode": _sql(UNKNOWN),
        "a broker's": _broker(UNKNOWN),
    },
)
