"""Spec of supply_chain.scan_packages."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource


def _registry(kind: Any, *often: Any) -> Resource:
    every = [{"filter": "*", "filterType": "WILDCARD"}]
    rules = [{"scanFrequency": frequency, "repositoryFilters": every} for frequency in often]
    return resource(
        "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration",
        {"scanType": kind, "rules": rules},
    )


SPEC = Spec(
    passes={
        "always": _registry("ENHANCED", "CONTINUOUS_SCAN"),
        "nothing, by enhanced scanning": _registry("ENHANCED"),
    },
    fails={
        "basic": Fails(_registry("BASIC", "SCAN_ON_PUSH"), "scanType", "'BASIC'"),
        "once": Fails(
            _registry("ENHANCED", "CONTINUOUS_SCAN", "SCAN_ON_PUSH"),
            "rules[1].scanFrequency",
            "'SCAN_ON_PUSH'",
        ),
    },
    unknown={"a kind": _registry(UNKNOWN, "SCAN_ON_PUSH"), "how often": _registry("ENHANCED", UNKNOWN)},
)
