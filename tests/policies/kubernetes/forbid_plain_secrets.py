"""Spec of kubernetes.forbid_plain_secrets."""

from __future__ import annotations

import base64
from typing import Any

from policies.framework.values import Hidden
from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource
from tests.policies.workloads import container, deployment, lone_pod, metadata

VALUE = "spec.template.spec.containers[0].env[0].value"
# Of AWS's documentation; put together so that no scanner takes it for a real one.
ACCESS_KEY = "AKIA" + "IOSFODNN7EXAMPLE"


def _says(name: str, value: Any) -> Resource:
    return deployment(container(env=[{"name": name, "value": value}]))


def _config_map(**data: Any) -> Resource:
    return resource("kubernetes:core/v1:ConfigMap", {"metadata": metadata(), "data": data})


def _service(env: Any) -> Resource:
    spec = {"predictor": {"containers": [{"name": "server", "env": env}]}}
    return resource("kubernetes:serving.kserve.io/v1beta1:InferenceService", {"spec": spec})


def _release(values: Any) -> Resource:
    return resource("kubernetes:helm.sh/v3:Release", {"chart": "db", "values": values})


SPEC = Spec(
    passes={
        "a setting": _says("LOG_LEVEL", "debug"),
        "where a secret is": _says("DATABASE_PASSWORD", "arn:aws:secretsmanager:eu-central-1:1:secret:db"),
        "a file of a secret": _says("PRIVATE_KEY", "/var/run/secrets/key.pem"),
        "another variable": _says("DATABASE_URL", "postgresql://mlflow:$(PASSWORD)@db:5432/mlflow"),
        "an address without a password": _says("DATABASE_URL", "postgresql://mlflow@db:5432/mlflow"),
        "a reference": deployment(
            container(env=[{"name": "API_KEY", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}])
        ),
        "a certificate": _config_map(**{"ca.pem": "-----BEGIN CERTIFICATE-----\nMII"}),
        "arguments that name a secret": deployment(
            container(args=["--token-file=/run/token", "--password", "$(DB_PASSWORD)"])
        ),
        "a reference of an operator's object": _service(
            [{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}]
        ),
        "a program that reads a password": _config_map(
            **{"serve.py": "password = read(secret)\ntoken: str = args.token\n"}
        ),
        "a chart that gets the name of a Secret": _release({"auth": {"existingSecret": "db-password"}}),
    },
    fails={
        "a parameter of a workflow": Fails(
            resource(
                "kubernetes:argoproj.io/v1alpha1:Workflow",
                {"spec": {"arguments": {"parameters": [{"name": "api_key", "value": "Xk39fjQ0sl2aaaa1"}]}}},
            ),
            "spec.arguments.parameters[0].value",
        ),
        "a password by its name": Fails(_says("DB_PASSWORD", "hunter2"), VALUE, "a secret by its name"),
        "an access key": Fails(
            _says("KEY", ACCESS_KEY), VALUE, "'KEY' contains what looks like an access key"
        ),
        "a password in an address": Fails(
            _says("URL", "postgresql://mlflow:hunter2@db:5432/mlflow"), VALUE, "a password in an address"
        ),
        "what the program calls a secret": Fails(
            lone_pod(container(env=[{"name": "SALT", "value": Hidden("abc")}])),
            "spec.containers[0].env[0].value",
            "'SALT' contains a secret of the program",
        ),
        "a private key in a ConfigMap": Fails(
            _config_map(**{"server.pem": "-----BEGIN RSA " + "PRIVATE KEY-----\nMII"}),
            "data[server.pem]",
            "a private key",
        ),
        "a ConfigMap that the program calls a secret as a whole": Fails(
            _config_map(config=Hidden("level: debug"), ca=Hidden("-----BEGIN CERTIFICATE-----")),
            "data",
            "is a secret of the program as a whole",
        ),
        "an argument": Fails(
            deployment(container(args=["--db-password=hunter2"])),
            "spec.template.spec.containers[0].args[0]",
            "'db-password'",
        ),
        "a command of a shell": Fails(
            lone_pod(container(command=["sh", "-c", "export API_KEY=abcd1234efgh; ./serve"])),
            "spec.containers[0].command[2]",
        ),
        "a client secret": Fails(_says("OIDC_CLIENT_SECRET", "Zx81kQm22pp"), VALUE),
        "a file of settings": Fails(
            _config_map(**{"application.properties": "datasource.user=shop\ndatasource.password=hunter2\n"}),
            "data[application.properties]",
            "sets 'datasource.password'",
        ),
        "a file of PostgreSQL": Fails(
            _config_map(**{".pgpass": "db:5432:shop:shop:hunter2\n"}), "data[.pgpass]", "PostgreSQL"
        ),
        "a login of a registry": Fails(
            _config_map(**{"config.json": '{"auths": {"r.example": {"auth": "c2hvcDpodW50ZXIy"}}}'}),
            "data[config.json]",
            "a registry",
        ),
        "a file in base64": Fails(
            resource(
                "kubernetes:core/v1:ConfigMap",
                {"binaryData": {"app.env": base64.b64encode(b"DB_PASSWORD=hunter2\n").decode()}},
            ),
            "binaryData[app.env]",
            "'DB_PASSWORD'",
        ),
        "a container of an operator's object": Fails(
            _service([{"name": "HF_TOKEN", "value": "abcdef0123456"}]),
            "spec.predictor.containers[0].env[0].value",
            "'HF_TOKEN'",
        ),
        "a value of a chart": Fails(
            _release({"auth": {"adminPassword": "hunter2"}}), "values.auth.adminPassword", "'adminPassword'"
        ),
        "a secret next to a setting": Fails(
            _config_map(level="debug", salt=Hidden("abc")), "data[salt]", "contains a secret of the program"
        ),
    },
    unknown={
        "the variables": deployment(container(env=UNKNOWN)),
        "a value": _says("DB_PASSWORD", UNKNOWN),
        "the variables of an operator's object": _service(UNKNOWN),
        "a chart's values": _release({"auth": UNKNOWN}),
        "a ConfigMap": resource("kubernetes:core/v1:ConfigMap", {"data": UNKNOWN}),
    },
)
