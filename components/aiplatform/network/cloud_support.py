"""What a network's arguments become on each cloud."""

from typing import Final

from aiplatform._shared.cloud_support import CloudSupport, SupportTable, refused

SUPPORT: Final[SupportTable] = {
    "prefix": CloudSupport(
        aws="first part of every name, or of the tag `Name`",
        gcp="first part of every name",
    ),
    "cloud": CloudSupport(aws="the default", gcp="say `gcp`"),
    "project": CloudSupport(
        aws=refused("the provider's credentials say which account; leave it out"),
        gcp="the project that everything is made in",
    ),
    "region": CloudSupport(
        aws=refused("the provider says which region; leave it out"),
        gcp="the region of the subnets, of Cloud NAT and of keys and logs",
    ),
    "cidr": CloudSupport(
        aws="range of the VPC, /16 to /20",
        gcp="what all ranges are cut from, /9 to /20: a VPC there has none of its own",
    ),
    "zone_count": CloudSupport(
        aws="the region's first zones by id, with three subnets each",
        gcp="the region's first zones by name, where nodes may stand: subnets are regional",
    ),
    "zone_ids": CloudSupport(
        aws="zone ids (`usw2-az1`), with three subnets each",
        gcp="zones by name (`europe-west4-a`), where nodes may stand: subnets are regional",
    ),
    "nat": CloudSupport(
        aws="NAT gateways with elastic addresses",
        gcp="Cloud NAT with static addresses, to ports 80 and 443; it is regional, so `single` outlives the "
        "loss of a zone and `per_zone` is refused",
    ),
    "endpoints": CloudSupport(
        aws="interface endpoints (PrivateLink), for the account's own principals where data goes through; "
        "gateway endpoints of S3 and DynamoDB are always there",
        gcp=refused(
            "Private Google Access reaches every Google API from the subnets, without an endpoint each; "
            "leave it out"
        ),
    ),
    "readable_buckets": CloudSupport(
        aws="buckets of others in the policy of S3's gateway endpoint",
        gcp=refused("reads of public buckets pass Private Google Access as they are; leave it out"),
    ),
    "google_apis": CloudSupport(
        aws=refused("AWS services are reached by `endpoints`; leave it out"),
        gcp="what Google's names resolve to: private.googleapis.com or restricted.googleapis.com",
    ),
    "private_services": CloudSupport(
        aws=refused("what AWS runs stands in the subnets; leave it out"),
        gcp="private services access: a range peered with what Google runs (Cloud SQL, Filestore)",
    ),
    "flow_log_retention_days": CloudSupport(
        aws="VPC flow logs in an encrypted log group; days that CloudWatch Logs knows",
        gcp="flow logs of the subnets and of denied traffic in an encrypted log bucket; 1 to 3650 days",
    ),
    "pods": CloudSupport(
        aws="addresses of the private subnets",
        gcp="addresses of the pod range, in blocks of a node each",
    ),
    "nodes": CloudSupport(
        aws=refused("nodes have their addresses among those of `pods`; leave it out"),
        gcp="blocks of the pod range, and addresses of the nodes' subnet and of Cloud NAT",
    ),
    "pods_per_node": CloudSupport(
        aws=refused("EKS counts by instance type and `prefix_delegation`; leave it out"),
        gcp="the most pods of a node, and so the size of its block",
    ),
    "prefix_delegation": CloudSupport(
        aws="`pods` counted in /28 prefixes",
        gcp=refused("a node always has a block of addresses; `pods_per_node` says how large"),
    ),
    "retain_data": CloudSupport(
        aws="log group and key of flow logs stay",
        gcp="log bucket and key of flow logs stay",
    ),
    "tags": CloudSupport(
        aws="tags",
        gcp="labels, where a resource has them: lower case, at most 63 characters",
    ),
}
