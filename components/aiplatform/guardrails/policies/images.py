"""Images: from which registries, with which tags, and whether with a digest."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pulumi import Input

from aiplatform._shared.cloud_support import Cloud
from aiplatform._shared.outputs import mapped_list
from aiplatform.guardrails.args import GuardrailsSettings
from aiplatform.guardrails.policies.policy import (
    POD,
    POD_VARIABLES,
    WORKLOADS,
    Policy,
    Rule,
    Validation,
    literal,
    namespace_conditions,
    spec_changes,
)

_OF_CLOUD: Final[Mapping[Cloud, Sequence[str]]] = {
    "aws": (),
    # Containers that GKE adds to Pods, such as that of Cloud Storage FUSE.
    "gcp": ("gke.gcr.io",),
}
_EVERY: Final = "variables.images.all(images, images.all(image, {condition}))"
_DIGEST: Final = "image.matches('@sha256:[0-9a-f]{64}$')"
_TAG: Final = "image.matches(':[A-Za-z0-9_][A-Za-z0-9_.-]*$') && !image.endsWith(':latest')"


def policy(settings: GuardrailsSettings) -> Policy:
    """Return the policy."""
    validations = [
        Validation(
            _EVERY.format(condition=f"{_DIGEST} || ({_TAG})"),
            "ai-platform: image: no tag, or the tag latest, which changes what runs without a change; "
            "expected another tag or a digest",
        )
    ]
    if settings.allowed_registries:
        validations.append(
            Validation(
                _every_from([*settings.allowed_registries, *_OF_CLOUD[settings.cloud]]),
                "ai-platform: image: its registry is not allowed in this cluster; expected one of the "
                "platform's registries or mirrors",
            )
        )
    if settings.require_digests:
        validations.append(
            Validation(
                _every_with_digest(settings.digest_exceptions),
                "ai-platform: image: no digest; expected NAME:TAG@sha256:DIGEST",
            )
        )
    return Policy(
        "images",
        (POD, Rule("", ("pods", "pods/ephemeralcontainers"), ("UPDATE",)), *WORKLOADS),
        validations,
        {
            **POD_VARIABLES,
            # Images of volumes, too. A template may leave one out, for a controller to set.
            "images": (
                "variables.containers.map(containers, containers.filter(container, "
                "container.?image.orValue('') != '').map(container, container.image)) "
                "+ variables.pods.map(pod, dyn(pod.?volumes.orValue([])).filter(volume, "
                "volume.?image.?reference.orValue('') != '').map(volume, volume.image.reference))"
            ),
        },
        {**spec_changes(settings), **namespace_conditions(settings)},
    )


def _every_from(registries: Sequence[Input[str]]) -> Input[str]:
    """Return the expression by which every image comes from one of the registries or repositories."""
    return mapped_list(registries, lambda known: _EVERY.format(condition=_from(known)))


def _every_with_digest(exceptions: Sequence[Input[str]]) -> Input[str]:
    """Return the expression by which every image has a digest, or is or comes from an exception."""

    def expression(known: list[Any]) -> str:
        # A colon before a slash is that of a port.
        tagged = [name for name in known if "/" in name and ":" in name.rpartition("/")[2]]
        alternatives = [_DIGEST]
        alternatives += [f"image in {literal(tagged)}"] if tagged else []
        alternatives.append(_from([name for name in known if name not in tagged]))
        return _EVERY.format(condition=" || ".join(alternatives))

    return mapped_list(exceptions, expression)


def _from(registries: Sequence[str]) -> str:
    """Return the condition by which an image comes from one of them."""
    # A registry's name is followed by a repository, a repository's by a tag, a digest or a part.
    prefixes = [f"{registry}{end}" for registry in registries for end in ("/", ":", "@")]
    return f"{literal(prefixes)}.exists(prefix, image.startsWith(prefix))" if prefixes else "false"
