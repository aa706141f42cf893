"""What a network's arguments become on each cloud."""

from typing import Final

from aiplatform._shared import key_grants
from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "prefix": CloudSupport(
        aws="first part of every name, or of the tag `Name`",
        gcp="first part of every name",
    ),
    "cloud": CloudSupport(aws="the default", gcp="set it to `gcp`"),
    "cidr": CloudSupport(
        aws="range of the VPC, /16 to /20",
        gcp="the range that all subnets are cut from, /9 to /20: a VPC has no range there",
    ),
    "zone_count": CloudSupport(
        aws="the region's first zones by id, with three subnets each",
        gcp="the region's first zones by name, for nodes: subnets are regional",
    ),
    "zone_ids": CloudSupport(
        aws="zone ids (`usw2-az1`), with three subnets each",
        gcp="zones by name (`europe-west4-a`), for nodes: subnets are regional",
    ),
    "nat": CloudSupport(
        aws="NAT gateways with elastic addresses",
        gcp="Cloud NAT with static addresses, to ports 80 and 443; it is regional, so `single` outlives the "
        "loss of a zone and `per_zone` is refused",
    ),
    "flow_log_retention_days": CloudSupport(
        aws="VPC flow logs in an encrypted log group; days that CloudWatch Logs knows",
        gcp="flow logs of the subnets and of denied traffic in an encrypted log bucket; 1 to 3650 days",
    ),
    "pods": CloudSupport(
        aws="addresses of the private subnets",
        gcp="addresses of the pod range, in blocks of a node each",
    ),
    "retain_data": CloudSupport(
        aws="log group and key of flow logs stay",
        gcp="log bucket and key of flow logs stay",
    ),
    "aws": CloudSupport(aws="options of AWS, in the lines below", gcp="refused with what to use instead"),
    "aws.endpoints": CloudSupport(
        aws="interface endpoints (PrivateLink), for principals of the account where they carry data; "
        "gateway endpoints of S3 and DynamoDB always exist",
        gcp=refused(
            "Private Google Access reaches every Google API from the subnets, without an endpoint each; "
            "leave it out"
        ),
    ),
    "aws.readable_buckets": CloudSupport(
        aws="buckets of other accounts in the policy of S3's gateway endpoint",
        gcp=refused("Private Google Access allows reads of public buckets; leave it out"),
    ),
    "aws.prefix_delegation": CloudSupport(
        aws="`pods` counted in /28 prefixes",
        gcp=refused("a node always has a block of addresses; `gcp.pods_per_node` is its size"),
    ),
    "gcp": CloudSupport(
        aws="refused with what to use instead", gcp="options of Google Cloud, in the lines below"
    ),
    "gcp.project": CloudSupport(
        aws=refused("the account is that of the provider's credentials; leave it out"),
        gcp="the project of all resources",
    ),
    "gcp.region": CloudSupport(
        aws=refused("the region is the provider's; leave it out"),
        gcp="the region of the subnets, of Cloud NAT and of keys and logs",
    ),
    "gcp.google_apis": CloudSupport(
        aws=refused("AWS services are reached by `aws.endpoints`; leave it out"),
        gcp="what Google's names resolve to: private.googleapis.com or restricted.googleapis.com",
    ),
    "gcp.private_services": CloudSupport(
        aws=refused("services that AWS runs have addresses of the subnets; leave it out"),
        gcp="private services access: a range peered with the networks of Cloud SQL, Filestore and the like",
    ),
    "gcp.nodes": CloudSupport(
        aws=refused("the addresses of nodes are among those of `pods`; leave it out"),
        gcp="blocks of the pod range, and addresses of the nodes' subnet and of Cloud NAT",
    ),
    "gcp.pods_per_node": CloudSupport(
        aws=refused("EKS counts by instance type and `aws.prefix_delegation`; leave it out"),
        gcp="the most pods of a node, and so the size of its block",
    ),
    "kms_key": CloudSupport(aws="a KMS key that exists", gcp="a Cloud KMS key that exists"),
    "kms_key_grants": key_grants.SUPPORT,
    "tags": CloudSupport(
        aws="tags",
        gcp="labels, where a resource has them: lower case, at most 63 characters",
    ),
}
