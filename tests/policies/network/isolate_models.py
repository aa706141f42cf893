"""Spec of network.isolate_models."""

from __future__ import annotations

from typing import Any

from policies.framework import Resource
from tests.policies.spec import UNKNOWN, Fails, Spec, resource

NETWORK = {"subnets": ["subnet-1"], "securityGroupIds": ["sg-1"]}
CONNECT = {"enablePrivateServiceConnect": True}
JOB = "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition"


def _model(**props: Any) -> Resource:
    return resource("aws:sagemaker/model:Model", {"executionRoleArn": "arn:aws:iam::1:role/a", **props})


def _endpoint(**props: Any) -> Resource:
    return resource("gcp:vertex/aiEndpoint:AiEndpoint", {"displayName": "ranking", **props})


def _index(**props: Any) -> Resource:
    return resource("gcp:vertex/aiIndexEndpoint:AiIndexEndpoint", {"displayName": "search", **props})


def _store(**props: Any) -> Resource:
    return resource("gcp:vertex/aiFeatureOnlineStore:AiFeatureOnlineStore", {"name": "features", **props})


SPEC = Spec(
    passes={
        "a model in a network": _model(vpcConfig=NETWORK),
        "a model without a network": _model(enableNetworkIsolation=True),
        "a job without a network": resource(JOB, {"networkConfig": {"enableNetworkIsolation": True}}),
        "an endpoint in a network": _endpoint(network="projects/1/global/networks/acme"),
        "an endpoint by Private Service Connect": _endpoint(privateServiceConnectConfig=CONNECT),
        "an index in a network": _index(network="projects/1/global/networks/acme"),
        "a store of features in Bigtable": _store(bigtable={"autoScaling": {"minNodeCount": 1}}),
        "a store of features by Private Service Connect": _store(
            optimized={}, dedicatedServingEndpoint={"privateServiceConnectConfig": CONNECT}
        ),
    },
    fails={
        "a model with defaults": Fails(_model(), "enableNetworkIsolation", "no vpcConfig"),
        "a job with defaults": Fails(
            resource(JOB, {"networkConfig": {"enableInterContainerTrafficEncryption": True}}),
            "networkConfig.enableNetworkIsolation",
        ),
        "an endpoint with defaults": Fails(_endpoint(), "network", "on the internet"),
        "an endpoint with a public name": Fails(_endpoint(dedicatedEndpointEnabled=True), "network"),
        "an index on the internet": Fails(
            _index(publicEndpointEnabled=True, network="projects/1/global/networks/acme"),
            "publicEndpointEnabled",
        ),
        "a store of features on the internet": Fails(
            _store(optimized={}),
            "dedicatedServingEndpoint.privateServiceConnectConfig.enablePrivateServiceConnect",
        ),
        "a deployment from Model Garden": Fails(
            resource(
                "gcp:vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment",
                {"location": "us-central1", "endpointConfig": {"endpointDisplayName": "gemma"}},
            ),
            "endpointConfig.privateServiceConnectConfig.enablePrivateServiceConnect",
        ),
    },
    unknown={
        "whether a model is isolated": _model(enableNetworkIsolation=UNKNOWN),
        "whether an endpoint is private": _endpoint(
            privateServiceConnectConfig={"enablePrivateServiceConnect": UNKNOWN}
        ),
    },
)
