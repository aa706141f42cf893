"""What an earlier cluster of the same name left on AWS, refused before anything is registered."""

from typing import Final

import pulumi
from pulumi_aws import cloudwatch, eks

from aiplatform._shared.args import ArgumentError, Problem, got
from aiplatform.cluster.args import CLUSTER, LOGS

_ARGUMENT: Final = "ClusterArgs.prefix"


def refuse_leftover_logs(prefix: str, options: pulumi.InvokeOptions) -> None:
    """Raise ArgumentError where EKS's log group exists, without a key, and its cluster does not.

    EKS writes late events of a deleted control plane by its service-linked role, which creates the log group
    again after Pulumi deleted it: without a key, and for ever. A new cluster's log group would then fail with
    ResourceAlreadyExistsException in the middle of an update
    (terraform-aws-modules/terraform-aws-eks, issues 2486 and 2763). A group with a key is this program's own:
    one that a stopped update created, or one that was retained and has to be imported.
    """
    name = LOGS.of(prefix)
    if name not in cloudwatch.get_log_groups(log_group_name_prefix=name, opts=options).log_group_names:
        return
    group = cloudwatch.get_log_group(name=name, opts=options)
    cluster = CLUSTER.of(prefix)
    if group.kms_key_id or cluster in eks.get_clusters(opts=options).names:
        return
    reason = (
        f"{got(prefix)}, but the log group {name} exists and the cluster {cluster} does not: EKS wrote to it "
        "after an earlier cluster of this name was deleted. Export what you need of it, then delete it: "
        f"aws logs delete-log-group --log-group-name {name} --region {group.region}"
    )
    raise ArgumentError([Problem(_ARGUMENT, reason)])
