"""What the cloud would answer a component in a test: functions, and what only the cloud computes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

REGION = "eu-central-1"
ACCOUNT = "111122223333"
PROJECT = "acme-dev-0123"
PROJECT_NUMBER = "123456789012"
MASTER_SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:rds!db-0f1e-AbCdEf"
"""The secret that RDS keeps a database's master password in."""
ZONES = {"eu-central-1a": "euc1-az2", "eu-central-1b": "euc1-az3", "eu-central-1c": "euc1-az1"}

Inputs = Mapping[str, Any]


class RefusedError(Exception):
    """An answer of the cloud that is a refusal: a program gets it as an error of the call."""


_ARNS = {
    "aws:cloudwatch/eventRule:EventRule": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/",
    "aws:cloudwatch/logGroup:LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:",
    "aws:iam/policy:Policy": f"arn:aws:iam::{ACCOUNT}:policy/",
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": (
        f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/"
    ),
    "aws:lambda/function:Function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:",
    "aws:rds/instance:Instance": f"arn:aws:rds:{REGION}:{ACCOUNT}:db:",
    "aws:s3/bucket:Bucket": "arn:aws:s3:::",
    "aws:secretsmanager/secret:Secret": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:",
    "aws:sqs/queue:Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:",
}
"""What ARNs of a type begin with, where that is not what the type's name says."""


def common(type_: str, name: str, digest: str) -> dict[str, Any]:
    """Outputs that nearly every type of a cloud has. Inputs and COMPUTED come before them."""
    if type_.startswith("gcp:"):
        resource = f"{name}-{digest[:7]}"
        return {"name": resource, "selfLink": f"https://www.googleapis.com/{type_.split(':')[1]}/{resource}"}
    if not type_.startswith("aws:"):
        return {}
    service, kind = type_.split(":")[1].split("/")
    prefix = _ARNS.get(type_, f"arn:aws:{service}:{REGION}:{ACCOUNT}:{kind}/")
    return {
        "arn": f"{prefix}{name}-{digest[:8]}",
        "region": REGION,
        "name": f"{name}-{digest[:7]}",
    }


def _zones(arguments: Inputs) -> dict[str, Any]:
    names = list(ZONES)
    for entry in arguments.get("filters") or []:
        if entry["name"] == "zone-id":
            names = [name for name in names if ZONES[name] in entry["values"]]
    return {
        "id": REGION,
        "names": names,
        "zoneIds": [ZONES[name] for name in names],
        "groupNames": [REGION],
        "region": REGION,
    }


def _vcpus(instance_type: str) -> int:
    size = instance_type.partition(".")[2]
    return 2 if size in ("medium", "large") else 4 * int(size.removesuffix("xlarge") or 1)


def _policy_document(arguments: Inputs) -> dict[str, Any]:
    statements = [
        {key[0].upper() + key[1:]: entry for key, entry in statement.items()}
        for statement in arguments.get("statements") or []
    ]
    return {"id": "1", "json": json.dumps({"Version": "2012-10-17", "Statement": statements})}


def _google_zones(arguments: Inputs) -> dict[str, Any]:
    region = arguments["region"]
    return {
        "id": f"projects/{arguments['project']}/regions/{region}",
        "project": arguments["project"],
        "region": region,
        "names": [f"{region}-{letter}" for letter in "abcf"],
    }


def _machine_types(arguments: Inputs) -> dict[str, Any]:
    # `name eq "a|b"`: there are all that are asked for.
    requests = arguments["filter"].split('"')[1].split("|")
    return {
        "id": f"projects/{arguments['project']}/zones/{arguments['zone']}/machineTypes",
        **arguments,
        "machineTypes": [{"name": name} for name in requests],
    }


def _no_gke_cluster(arguments: Inputs) -> dict[str, Any]:
    place = f"projects/{arguments['project']}/locations/{arguments['location']}"
    raise RefusedError(f"{place}/clusters/{arguments['name']} not found")


def _no_cloud_quotas(arguments: Inputs) -> dict[str, Any]:
    raise RefusedError(f"Error 403: Cloud Quotas API has not been used in {arguments['parent']} before")


FUNCTIONS: dict[str, Callable[[Inputs], Mapping[str, Any]]] = {
    "aws:index/getRegion:getRegion": lambda _: {"id": REGION, "name": REGION, "region": REGION},
    "aws:index/getPartition:getPartition": lambda _: {
        "id": "aws",
        "partition": "aws",
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
    },
    "aws:index/getCallerIdentity:getCallerIdentity": lambda _: {
        "id": ACCOUNT,
        "accountId": ACCOUNT,
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/platform-deployer/test",
        "userId": "AROAEXAMPLE:test",
    },
    "aws:index/getAvailabilityZones:getAvailabilityZones": _zones,
    "aws:iam/getSessionContext:getSessionContext": lambda arguments: {
        "id": arguments["arn"],
        "arn": arguments["arn"],
        "issuerArn": f"arn:aws:iam::{ACCOUNT}:role/platform-deployer",
        "issuerId": "AROAEXAMPLE",
        "issuerName": "platform-deployer",
        "sessionName": "test",
    },
    "aws:lambda/getInvocation:getInvocation": lambda arguments: {
        **arguments,
        "id": arguments["functionName"],
        "region": REGION,
        "result": '{"problems": {}}',
    },
    "aws:iam/getRoles:getRoles": lambda arguments: {
        "id": REGION,
        "nameRegex": arguments["nameRegex"],
        "names": ["dms-vpc-role"],
        "arns": [f"arn:aws:iam::{ACCOUNT}:role/dms-vpc-role"],
    },
    "aws:cloudwatch/getLogGroups:getLogGroups": lambda arguments: {
        **arguments,
        "id": REGION,
        "arns": [],
        "logGroupNames": [],
        "region": REGION,
    },
    "aws:ec2/getInstanceType:getInstanceType": lambda arguments: {
        "id": arguments["instanceType"],
        "instanceType": arguments["instanceType"],
        "defaultVcpus": _vcpus(arguments["instanceType"]),
    },
    "aws:servicequotas/getServiceQuota:getServiceQuota": lambda arguments: {
        **arguments,
        "id": arguments["quotaCode"],
        "quotaName": arguments["quotaCode"],
        "value": 10_000,
    },
    "aws:s3/getBucket:getBucket": lambda arguments: {**arguments, "id": arguments["bucket"]},
    "gcp:sql/getDatabaseInstance:getDatabaseInstance": lambda arguments: {
        "id": arguments["name"],
        "connectionName": f"{arguments['project']}:us-central1:{arguments['name']}",
        "databaseVersion": "POSTGRES_17",
        "instanceType": "CLOUD_SQL_INSTANCE",
        "privateIpAddress": "10.90.0.7",
        "serverCaCerts": [{"cert": "-----BEGIN CERTIFICATE-----"}],
        "settings": [
            {
                "databaseFlags": [{"name": "cloudsql.iam_authentication", "value": "on"}],
                "connectorEnforcement": "NOT_REQUIRED",
                "ipConfigurations": [
                    {"serverCaMode": "GOOGLE_MANAGED_INTERNAL_CA", "sslMode": "ENCRYPTED_ONLY"}
                ],
            }
        ],
    },
    "gcp:storage/getBucket:getBucket": lambda arguments: {**arguments, "id": arguments["name"]},
    "aws:eks/getClusters:getClusters": lambda _: {"id": REGION, "names": [], "region": REGION},
    "aws:eks/getNodeGroups:getNodeGroups": lambda arguments: {
        "id": arguments["clusterName"],
        "clusterName": arguments["clusterName"],
        "names": [],
        "region": REGION,
    },
    "aws:ec2/getInstances:getInstances": lambda arguments: {**arguments, "id": REGION, "ids": []},
    "aws:eks/getAddonVersion:getAddonVersion": lambda arguments: {
        "id": arguments["addonName"],
        "addonName": arguments["addonName"],
        "kubernetesVersion": arguments["kubernetesVersion"],
        "mostRecent": arguments.get("mostRecent", False),
        "version": "v1.0.0-eksbuild.1",
    },
    "aws:iam/getPolicyDocument:getPolicyDocument": _policy_document,
    "gcp:compute/getZones:getZones": _google_zones,
    "gcp:compute/getMachineTypes:getMachineTypes": _machine_types,
    "gcp:compute/getSubnetwork:getSubnetwork": lambda arguments: {
        "id": f"{arguments['region']}/{arguments['name']}",
        "ipCidrRange": "10.0.255.0/28",
    },
    "gcp:container/getCluster:getCluster": _no_gke_cluster,
    "gcp:cloudquota/getSQuotaInfo:getSQuotaInfo": _no_cloud_quotas,
    "gcp:projects/getProjectService:getProjectService": lambda arguments: {
        "id": f"{arguments['project']}/{arguments['service']}",
        **arguments,
    },
    "gcp:organizations/getProject:getProject": lambda arguments: {
        "id": f"projects/{arguments['projectId']}",
        "projectId": arguments["projectId"],
        "number": PROJECT_NUMBER,
    },
    "gcp:organizations/getClientOpenIdUserInfo:getClientOpenIdUserInfo": lambda _: {
        "id": f"deployer@{PROJECT}.iam.gserviceaccount.com",
        "email": f"deployer@{PROJECT}.iam.gserviceaccount.com",
    },
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": lambda arguments: {
        "id": f"service-{PROJECT_NUMBER}@gs-project-accounts.iam.gserviceaccount.com",
        "emailAddress": f"service-{PROJECT_NUMBER}@gs-project-accounts.iam.gserviceaccount.com",
        "project": arguments["project"],
    },
    "gcp:bigquery/getDefaultServiceAccount:getDefaultServiceAccount": lambda arguments: {
        "id": f"bq-{PROJECT_NUMBER}@bigquery-encryption.iam.gserviceaccount.com",
        "email": f"bq-{PROJECT_NUMBER}@bigquery-encryption.iam.gserviceaccount.com",
        "project": arguments["project"],
    },
    "gcp:logging/getProjectCmekSettings:getProjectCmekSettings": lambda arguments: {
        "id": arguments["project"],
        "name": f"projects/{PROJECT_NUMBER}/cmekSettings",
        "project": arguments["project"],
        "kmsKeyName": "",
        "kmsKeyVersionName": "",
        "serviceAccountId": f"cmek-p{PROJECT_NUMBER}@gcp-sa-logging.iam.gserviceaccount.com",
    },
    "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": lambda arguments: {
        "id": REGION,
        "instanceTypes": [
            value
            for entry in arguments.get("filters") or []
            if entry["name"] == "instance-type"
            for value in entry["values"]
            for _ in ZONES
        ],
        "locations": [
            zone
            for entry in arguments.get("filters") or []
            if entry["name"] == "instance-type"
            for _ in entry["values"]
            for zone in (ZONES.values() if arguments.get("locationType") == "availability-zone-id" else ZONES)
        ],
        "locationTypes": [],
    },
}


def _cluster(name: str, inputs: Inputs) -> dict[str, Any]:
    cluster = str(inputs.get("name", name))
    issuer = f"https://oidc.eks.{REGION}.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
    return {
        "id": cluster,
        "arn": f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{cluster}",
        "endpoint": f"https://0123456789ABCDEF0123456789ABCDEF.gr7.{REGION}.eks.amazonaws.com",
        "certificateAuthority": {"data": "LS0tLS1CRUdJTg=="},
        "identities": [{"oidcs": [{"issuer": issuer}]}],
        "platformVersion": "eks.9",
        "status": "ACTIVE",
        "vpcConfig": {
            **(inputs.get("vpcConfig") or {}),
            "clusterSecurityGroupId": "sg-0c1u5te2",
            "vpcId": "vpc-0123456789abcdef0",
        },
    }


def _role(name: str, inputs: Inputs) -> dict[str, Any]:
    resource = str(inputs.get("name") or f"{inputs.get('namePrefix', name + '-')}20260101000000000000000001")
    return {"id": resource, "name": resource, "arn": f"arn:aws:iam::{ACCOUNT}:role/{resource}"}


def _gke_cluster(name: str, inputs: Inputs) -> dict[str, Any]:
    private = (inputs.get("privateClusterConfig") or {}).get("enablePrivateEndpoint")
    dns = {**((inputs.get("controlPlaneEndpointsConfig") or {}).get("dnsEndpointConfig") or {})}
    resource = str(inputs.get("name", name))
    return {
        "id": f"projects/{PROJECT}/locations/{inputs.get('location')}/clusters/{resource}",
        "endpoint": "10.16.184.2" if private else "192.52.193.7",
        "masterAuth": {**(inputs.get("masterAuth") or {}), "clusterCaCertificate": "LS0tLS1CRUdJTg=="},
        "controlPlaneEndpointsConfig": {
            "dnsEndpointConfig": {**dns, "endpoint": "gke-0123456789ab.europe-west4.gke.goog"},
            "ipEndpointsConfig": {"enabled": True},
        },
    }


def _google_account(name: str, inputs: Inputs) -> dict[str, Any]:
    email = f"{inputs.get('accountId', name)}@{PROJECT}.iam.gserviceaccount.com"
    return {"email": email, "member": f"serviceAccount:{email}", "uniqueId": "104839275619283746501"}


_AGENTS = {
    "artifactregistry": "gcp-sa-artifactregistry",
    "bigtableadmin": "gcp-sa-bigtable",
    "container": "container-engine-robot",
    "dataplex": "gcp-sa-dataplex",
    "firestore": "gcp-sa-firestore",
    "pubsub": "gcp-sa-pubsub",
    "run": "serverless-robot-prod",
    "secretmanager": "gcp-sa-secretmanager",
    "sqladmin": "gcp-sa-cloud-sql",
    "dataproc": "dataproc-accounts",
    "workflows": "gcp-sa-workflows",
}


def _google_agent(name: str, inputs: Inputs) -> dict[str, Any]:
    domain = _AGENTS[inputs["service"].partition(".")[0]]
    email = f"service-{PROJECT_NUMBER}@{domain}.iam.gserviceaccount.com"
    return {"email": email, "member": f"serviceAccount:{email}"}


ID_PREFIXES: Final[Mapping[str, str]] = {
    "aws:ec2/securityGroup:SecurityGroup": "sg",
}
"""Types whose ids have a form that arguments of components are checked for."""
COMPUTED: dict[str, Callable[[str, Inputs], Mapping[str, Any]]] = {
    "aws:sqs/queue:Queue": lambda _, inputs: {
        "url": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{inputs['name']}"
    },
    "aws:lambda/function:Function": lambda name, inputs: {
        "arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{inputs.get('name', name)}",
        **({"version": "1"} if inputs.get("publish") else {}),
    },
    "aws:lambda/alias:Alias": lambda _, inputs: {
        "arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{inputs['functionName']}:{inputs['name']}"
    },
    "aws:lambda/functionUrl:FunctionUrl": lambda name, _: {
        "functionUrl": f"https://{name}.lambda-url.{REGION}.on.aws/"
    },
    "gcp:cloudrunv2/service:Service": lambda _, inputs: {
        "id": f"projects/{inputs['project']}/locations/{inputs['location']}/services/{inputs['name']}",
        "uri": f"https://{inputs['name']}-0a1b2c3d-uc.a.run.app",
        "uid": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
        "latestCreatedRevision": f"{inputs['name']}-00001-abc",
    },
    "aws:eks/cluster:Cluster": _cluster,
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": lambda name, _: {"associationId": f"a-{name}"},
    "aws:iam/role:Role": _role,
    "gcp:container/cluster:Cluster": _gke_cluster,
    "gcp:serviceaccount/account:Account": _google_account,
    "gcp:projects/serviceIdentity:ServiceIdentity": _google_agent,
    "gcp:biglake/icebergCatalog:IcebergCatalog": lambda name, inputs: {
        "biglakeServiceAccount": "blirc-0123@gcp-sa-biglakerestcatalog.iam.gserviceaccount.com"
    },
    "gcp:biglake/icebergTable:IcebergTable": lambda name, inputs: {
        "location": f"gs://bucket/tables/{inputs['name']}/5f3a"
    },
    "gcp:storage/bucketObject:BucketObject": lambda name, inputs: {"generation": 1764201600000001},
    "gcp:bigquery/job:Job": lambda name, inputs: {"statuses": [{"state": "DONE"}]},
    "gcp:bigquery/connection:Connection": lambda name, inputs: {
        "cloudResource": {"serviceAccountId": "bqcx-0123@gcp-sa-bigquery-condel.iam.gserviceaccount.com"}
    },
    "gcp:logging/projectSink:ProjectSink": lambda name, inputs: {
        "writerIdentity": f"serviceAccount:service-{PROJECT_NUMBER}@gcp-sa-logging.iam.gserviceaccount.com"
    },
    "gcp:compute/address:Address": lambda name, inputs: {"address": "198.51.100.7"},
    "aws:eks/nodeGroup:NodeGroup": lambda name, inputs: {
        "resources": [
            {"autoscalingGroups": [{"name": f"eks-{name}-0123"}], "remoteAccessSecurityGroupId": ""}
        ],
        "status": "ACTIVE",
    },
    "aws:rds/instance:Instance": lambda name, inputs: {
        "address": f"{inputs['identifier']}.abc.{REGION}.rds.amazonaws.com",
        "resourceId": "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "masterUserSecrets": [
            {"secretArn": MASTER_SECRET, "secretStatus": "active", "kmsKeyId": inputs.get("kmsKeyId", "key")}
        ],
    },
    "gcp:sql/databaseInstance:DatabaseInstance": lambda name, inputs: {
        "privateIpAddress": "10.0.16.3",
        "serverCaCerts": [{"cert": "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"}],
    },
    "aws:ec2/eip:Eip": lambda name, inputs: {"publicIp": "198.51.100.7", "allocationId": f"eipalloc-{name}"},
    "aws:ec2/vpc:Vpc": lambda name, inputs: {
        "defaultSecurityGroupId": "sg-0default",
        "defaultNetworkAclId": "acl-0default",
        "defaultRouteTableId": "rtb-0default",
        "mainRouteTableId": "rtb-0default",
    },
    "aws:ec2/launchTemplate:LaunchTemplate": lambda name, inputs: {
        "latestVersion": 1,
        "defaultVersion": 1,
        "name": str(inputs.get("name") or f"{inputs.get('namePrefix', name + '-')}2026"),
    },
}
