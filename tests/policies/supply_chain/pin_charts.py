"""Spec of supply_chain.pin_charts."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource

REPOSITORY = {"repo": "https://kubernetes.github.io/ingress-nginx"}


def _release(**props: Any) -> Resource:
    return resource("kubernetes:helm.sh/v3:Release", props)


SPEC = Spec(
    passes={
        "a version": _release(chart="ingress-nginx", repositoryOpts=REPOSITORY, version="4.13.0"),
        "a version of a chart by OCI": _release(
            chart="oci://quay.io/jetstack/charts/kueue", version="v0.14.1"
        ),
        "a pre-release": _release(chart="a", repositoryOpts=REPOSITORY, version="1.0.0-rc.1+build.5"),
        "a folder next to the program": _release(chart="./charts/server"),
        "an archive by its address": _release(chart="https://charts.example.com/server-1.2.3.tgz"),
        "an archive of a release": _release(chart="https://example.com/releases/v1.2.3/server.tgz"),
    },
    fails={
        "no version": Fails(
            _release(chart="ingress-nginx", repositoryOpts=REPOSITORY),
            "version",
            "installs the newest 'ingress-nginx'",
        ),
        "no version by OCI": Fails(_release(chart="oci://quay.io/charts/kueue"), "version", "newest"),
        "a range": Fails(
            _release(chart="a", repositoryOpts=REPOSITORY, version="^4.13.0"),
            "version",
            "is '^4.13.0', a range",
        ),
        "a part of a version": Fails(
            _release(chart="a", repositoryOpts=REPOSITORY, version="4.13"), "version", "range"
        ),
        "an archive that may be replaced": Fails(
            _release(chart="https://charts.example.com/server-latest.tgz"), "chart", "without a version"
        ),
        "plain http": Fails(
            _release(chart="a", repositoryOpts={"repo": "http://charts.example.com"}, version="1.0.0"),
            "repositoryOpts.repo",
            "without TLS",
        ),
    },
    unknown={
        "the version": _release(chart="a", repositoryOpts=REPOSITORY, version=UNKNOWN),
        "the chart": _release(chart=UNKNOWN),
        "the repository": _release(chart="a", repositoryOpts=UNKNOWN),
    },
)
