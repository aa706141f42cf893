"""Flow logs of the subnets and of denied traffic: a log bucket of their own, encrypted, with its retention.

Without it they would stand in the project's `_Default` bucket, for as long as that keeps everything.
"""

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_gcp import logging

from aiplatform._google_apis import Apis
from aiplatform._google_keys import key, key_ring, let_use
from aiplatform.network.args import NetworkSettings


def flow_logs(parent: pulumi.ComponentResource, name: str, settings: NetworkSettings, apis: Apis) -> None:
    """The bucket, what leads the logs into it, and what keeps them out of `_Default`."""
    project, region = settings.project or "", settings.region or ""
    ring = key_ring(parent, f"{name}-keys", project, region, [apis["cloudkms"]])
    crypto_key = key(parent, f"{name}-logs-key", ring, settings.tags, retain=settings.retain_data)
    grant = let_use(parent, f"{name}-logs-key", crypto_key, _writer(parent, project, apis["logging"]))
    bucket = logging.ProjectBucketConfig(
        f"{name}-flow-logs",
        project=project,
        location=region,
        bucket_id=crypto_key.name.apply(lambda unique: _bucket(settings.prefix, unique)),
        description=f"Flow logs of {settings.prefix}",
        retention_days=settings.flow_log_retention_days,
        cmek_settings=logging.ProjectBucketConfigCmekSettingsArgs(kms_key_name=crypto_key.id),
        opts=ResourceOptions(
            parent=parent,
            depends_on=[grant, apis["logging"]],
            # None, not False: what an enclosing component says stays.
            retain_on_delete=settings.retain_data or None,
        ),
    )
    sink = logging.ProjectSink(
        f"{name}-flow-logs",
        project=project,
        name=f"{settings.prefix}-flow-logs",
        description=f"Flow logs of {settings.prefix}",
        destination=Output.concat("logging.googleapis.com/", bucket.id),
        filter=_of_subnets(settings.prefix),
        opts=ResourceOptions(parent=parent, delete_before_replace=True),
    )
    logging.ProjectExclusion(
        f"{name}-flow-logs",
        project=project,
        name=f"{settings.prefix}-flow-logs",
        description=f"Flow logs of {settings.prefix} have a bucket of their own",
        filter=_of_subnets(settings.prefix),
        # Not before they have somewhere else to go.
        opts=ResourceOptions(parent=parent, depends_on=[sink], delete_before_replace=True),
    )


def _bucket(prefix: str, key_name: str) -> str:
    """A deleted bucket keeps its name for seven days, so the next one takes another: with the end of the
    key's, which Pulumi made up."""
    return f"{prefix}-flow-logs-{key_name.rsplit('-', maxsplit=1)[-1]}"


def _of_subnets(prefix: str) -> str:
    """Logging's query for what the network's subnets write: flows, and traffic that a rule denied."""
    subnets = " OR ".join(f'"{prefix}-{purpose}"' for purpose in ("nodes", "control-plane", "proxies"))
    return (
        '(log_id("compute.googleapis.com/vpc_flows") OR log_id("compute.googleapis.com/firewall")) '
        f"AND resource.labels.subnetwork_name=({subnets})"
    )


def _writer(parent: pulumi.Resource, project: str, api: pulumi.Resource) -> Output[str]:
    """Cloud Logging's own service account in the project; asking for it makes it."""
    answer = logging.get_project_cmek_settings_output(
        project=project, opts=pulumi.InvokeOutputOptions(parent=parent, depends_on=[api])
    )
    return answer.service_account_id
