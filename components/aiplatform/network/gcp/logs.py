"""Flow logs of the subnets and of denied traffic, in a separate encrypted log bucket."""

from aiplatform._shared.gcp.apis import Apis
from aiplatform._shared.gcp.keys import Key, existing_key, grant_key_use, key, key_ring
from aiplatform._shared.gcp.logs import LogBucket, separate_log_bucket, writer
from aiplatform.network.gcp.context import VpcContext


def flow_logs(context: VpcContext, apis: Apis) -> None:
    """Create the bucket with its key."""
    parent, name, settings = context.parent, context.name, context.settings
    crypto_key = _key(context, apis)
    email = writer(parent, context.project, apis["logging"])
    grant = grant_key_use(parent, f"{name}-logs-key", crypto_key, email, retain=settings.retain_data)
    logs = LogBucket(
        project=context.project,
        region=context.region,
        name=context.physical_name("flow-logs"),
        description=f"Flow logs of {settings.prefix}",
        filter=_of_subnets(settings.prefix),
        days=settings.flow_log_retention_days,
        retain=settings.retain_data,
    )
    separate_log_bucket(parent, f"{name}-flow-logs", logs, crypto_key, grant)


def _key(context: VpcContext, apis: Apis) -> Key:
    parent, name, settings = context.parent, context.name, context.settings
    if settings.kms_key is not None:
        return existing_key(settings.kms_key, "NetworkArgs.kms_key", grants=settings.kms_key_grants)
    ring = key_ring(parent, f"{name}-keys", context.project, context.region, [apis["cloudkms"]])
    return key(parent, f"{name}-logs-key", ring, settings.tags, retain=settings.retain_data)


def _of_subnets(prefix: str) -> str:
    """Return a filter of what the network's subnets log: flows, and traffic that a rule denied."""
    subnets = " OR ".join(f'"{prefix}-{purpose}"' for purpose in ("nodes", "control-plane", "proxies"))
    return (
        '(log_id("compute.googleapis.com/vpc_flows") OR log_id("compute.googleapis.com/firewall")) '
        f"AND resource.labels.subnetwork_name=({subnets})"
    )
