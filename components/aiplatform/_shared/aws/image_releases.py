"""Refusing changes of managed node groups by which EKS would not keep the release of the image that the
program states.

UpdateNodegroupVersion without a release installs the newest one, and the provider sends a release only where
it differs from the state: an update of the launch template, or of the version alone, would replace all nodes
by another image than the stated one, and the next update that states a release could fail, as EKS does not
go back. CreateNodegroup accepts the minor version of the control plane alone (both: EKS API reference).
"""

from collections.abc import Mapping
from typing import Any, Final, cast

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceHook, ResourceHookArgs, ResourceHookBinding, ResourceHookOptions

from aiplatform._shared.hooks import unique_name
from aiplatform._shared.kubernetes import image_versions

PARAMETERS: Final[Mapping[str, str]] = {
    **{
        f"AL2023_{kind}_{variant.upper()}": "/aws/service/eks/optimized-ami/{version}/amazon-linux-2023/"
        f"{machine}/{variant}/recommended/release_version"
        for kind, machine in (("x86_64", "x86_64"), ("ARM_64", "arm64"))
        for variant in ("standard", "nvidia", "neuron")
    },
    **{
        f"BOTTLEROCKET_{kind}{variant.upper().replace('-', '_')}": "/aws/service/bottlerocket/aws-k8s-"
        f"{{version}}{variant}/{machine}/latest/image_version"
        for kind, machine in (("x86_64", "x86_64"), ("ARM_64", "arm64"))
        for variant in ("", "-nvidia")
    },
}
"""AMI type -> the public parameter with its newest release for a minor version (EKS user guide, "Retrieve
recommended Amazon Linux AMI IDs" and "Retrieve recommended Bottlerocket AMI IDs")."""


def keep_release(
    logical: str, parent: pulumi.Resource, control_plane: Input[str] | None
) -> ResourceHookBinding:
    """Return the hooks of a node group, which refuse a change in a preview and in an update where EKS would
    install another release than the stated one, and a creation with a minor version that EKS refuses.

    logical: the node group's logical name. control_plane: the minor version of the control plane; without it
    a change is refused whatever the newest release is.
    """

    async def before_create(args: ResourceHookArgs) -> None:
        refuse_older_version(args, await _resolved(control_plane))

    async def before_update(args: ResourceHookArgs) -> None:
        if not loses_release(args):
            return
        version = await _resolved(control_plane)
        new = args.new_inputs or {}
        newest = await _newest(str(new.get("amiType")), version, parent)
        # Of an older minor version it is not what EKS installs.
        current = version is not None and image_versions.kubernetes_version(newest, version) == version
        if current and newest == new["releaseVersion"]:
            return
        raise pulumi.RunError(refusal(args, version, newest))

    options = ResourceHookOptions(on_dry_run=True)
    return ResourceHookBinding(
        before_create=[ResourceHook(unique_name(f"{logical}-version"), before_create, options)],
        before_update=[ResourceHook(unique_name(f"{logical}-release"), before_update, options)],
    )


def refuse_older_version(args: ResourceHookArgs, control_plane: str | None) -> None:
    """Raise pulumi.RunError where a new node group has another minor version than the control plane."""
    version = (args.new_inputs or {}).get("version")
    if not isinstance(version, str) or control_plane in (None, version):
        return
    raise pulumi.RunError(
        f"node group {args.name}: got a release of Kubernetes {version}; expected one of {control_plane}, "
        "the control plane's: EKS creates no node group of another minor version. State a release of "
        f"{control_plane} as image_version of the pool, or leave unchanged what creates the node group again "
        "(its capacity, zones, instance types)"
    )


def loses_release(args: ResourceHookArgs) -> bool:
    """Return whether the update changes the launch template or the version, and not the stated release. What
    is unknown in a preview is a change."""
    old, new = args.old_outputs or {}, args.new_inputs or {}
    release = new.get("releaseVersion")
    if not isinstance(release, str) or release != old.get("releaseVersion"):
        return False
    return new.get("version", old.get("version")) != old.get("version") or _template(new) != _template(old)


def refusal(args: ResourceHookArgs, control_plane: str | None, newest: str | None) -> str:
    """Return why an update is refused."""
    old, new = args.old_outputs or {}, args.new_inputs or {}
    what = "launch template" if _template(new) != _template(old) else "version of Kubernetes"
    then = f"{newest}, the newest" if newest else "the newest"
    return (
        f"node group {args.name}: its {what} changes and its release, {new['releaseVersion']}, does not: EKS "
        f"would replace the nodes by the release {then}. Expected an update that also raises image_version, "
        f"to a release of Kubernetes {control_plane or new.get('version')} "
        "(docs/operations/upgrades.md, Releases of the nodes' images)"
    )


def _template(properties: Mapping[str, Any]) -> Any:
    """Return the version of the launch template; what is unknown is equal to nothing."""
    template = cast("Mapping[str, Any] | None", properties.get("launchTemplate"))
    return template.get("version") if isinstance(template, Mapping) else template


async def _resolved(value: Input[str] | None) -> str | None:
    known = await Output.from_input(value).future()
    return known if isinstance(known, str) else None


async def _newest(ami_type: str, version: str | None, parent: pulumi.Resource) -> str | None:
    """Return the newest release of an image for a minor version, None where AWS does not state it."""
    parameter = PARAMETERS.get(ami_type)
    if parameter is None or version is None:
        return None
    options = pulumi.InvokeOutputOptions(parent=parent)
    try:
        answer = await aws.ssm.get_parameter_output(
            name=parameter.format(version=version), opts=options
        ).future()
    except Exception as error:  # noqa: BLE001 - whatever the provider reports, the update is refused
        pulumi.log.debug(f"{parameter}: {error}")
        return None
    return None if answer is None else str(answer.value)
