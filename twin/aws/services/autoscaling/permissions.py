"""Whether EC2 Auto Scaling may use the keys of the volumes that it launches machines with.

It acts by its service-linked role, which has no rights on keys from IAM: the key's own policy must let it in,
or each machine ends as it starts. Source: EC2 Auto Scaling user guide, "Required AWS KMS key policy for use
with encrypted volumes".
"""

from __future__ import annotations

from typing import Any, Final

from twin.aws.iam import policy_statements

ROLE: Final = "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
_NEEDED: Final = ("kms:GenerateDataKeyWithoutPlaintext", "kms:Decrypt", "kms:CreateGrant")


def closed(data: dict[str, Any], account: str, region: str) -> str:
    """Why no machine of this launch template starts, in AWS's words; empty where none is in the way."""
    from moto.kms.models import kms_backends

    keys = kms_backends[account][region].keys
    for block_device_mapping in data.get("BlockDeviceMappings") or []:
        named = str((block_device_mapping.get("Ebs") or {}).get("KmsKeyId") or "")
        key = keys.get(named.rsplit("/", 1)[-1]) if named else None
        if key is None or key.key_manager == "AWS":
            continue
        if not key.enabled:
            return (
                f"Client.InvalidKMSKey.InvalidState: The KMS key provided is in an incorrect state ({named})"
            )
        missing = [action for action in _NEEDED if not _lets(key, action, account, region)]
        if missing:
            return (
                f"Client.InternalError: Client error on launch. (The policy of the key {named} does not let "
                f"{ROLE} take {', '.join(missing)})"
            )
    return ""


def _lets(key: Any, action: str, account: str, region: str) -> bool:
    role = f"arn:aws:iam::{account}:{ROLE}"
    context = {
        "aws:PrincipalArn": role,
        "aws:PrincipalAccount": account,
        "kms:CallerAccount": account,
        "kms:GrantIsForAWSResource": "true",
        "kms:ViaService": f"ec2.{region}.amazonaws.com",
    }
    return policy_statements.lets(key.policy, {role}, action, key.arn, context)
