"""Spec of identity.forbid_plain_secrets."""

from __future__ import annotations

import base64
import json
from typing import Any

from policies.framework.values import Hidden
from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource

# Put together so that no scanner takes them for real ones.
GITHUB_TOKEN = "ghp_" + "0123456789abcdefghijklmnopqrstuvwxyz"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
RUN = "template.containers[0]"


def _function(**variables: Any) -> Resource:
    return resource("aws:lambda/function:Function", {"environment": {"variables": variables}})


def _tasks(**container: Any) -> Resource:
    definition = {"name": "server", "image": "server:1.4", **container}
    return resource(
        "aws:ecs/taskDefinition:TaskDefinition", {"containerDefinitions": json.dumps([definition])}
    )


def _batch(**container: Any) -> Resource:
    return resource("aws:batch/jobDefinition:JobDefinition", {"containerProperties": json.dumps(container)})


def _service(**container: Any) -> Resource:
    return resource(
        "gcp:cloudrunv2/service:Service", {"template": {"containers": [{"image": "a", **container}]}}
    )


def _machine(**more: Any) -> Resource:
    return resource("gcp:compute/instance:Instance", more)


def _started(script: str) -> Resource:
    return resource("aws:ec2/instance:Instance", {"userData": script})


def _encoded(script: str) -> Resource:
    text = base64.b64encode(script.encode()).decode()
    return resource("aws:ec2/launchTemplate:LaunchTemplate", {"userData": text})


def _parameter(name: str, value: Any, kind: Any = "String") -> Resource:
    return resource("aws:ssm/parameter:Parameter", {"name": name, "type": kind, "value": value})


def _database(password: Any) -> Resource:
    return resource("aws:rds/instance:Instance", {"password": password})


def _build(kind: str, value: str) -> Resource:
    variables = [{"name": "NPM_TOKEN", "type": kind, "value": value}]
    return resource("aws:codebuild/project:Project", {"environment": {"environmentVariables": variables}})


SPEC = Spec(
    passes={
        "a state machine that reads a secret": resource(
            "aws:sfn/stateMachine:StateMachine",
            {"definition": json.dumps({"States": {"A": {"Parameters": {"SecretId.$": "$.secret"}}}})},
        ),
        "the address of a queue": resource(
            "aws:sns/topicSubscription:TopicSubscription",
            {"protocol": "sqs", "endpoint": "arn:aws:sqs:eu-central-1:111122223333:alerts"},
        ),
        "settings of a function": _function(LOG_LEVEL="debug", MAX_TOKENS="512", TOKENIZER="bert-base"),
        "the ARN of a secret": _function(DB_PASSWORD="arn:aws:secretsmanager:eu-central-1:1:secret:db"),
        "the name of a secret": _function(DB_SECRET="prod-db-credentials", SECRET_NAME="prod/db"),
        "rules about passwords": _function(PASSWORD_MIN_LENGTH="14", TOKEN_TTL="3600", KEY_ID="alias/data"),
        "secrets of a task by reference": _tasks(
            secrets=[{"name": "DB_PASSWORD", "valueFrom": "arn:aws:ssm:eu-central-1:1:parameter/db"}],
            command=["serve", "--password-file", "/run/secrets/db"],
        ),
        "a secret of Cloud Run by reference": _service(
            envs=[
                {"name": "DB_PASSWORD", "valueSource": {"secretKeyRef": {"secret": "db", "version": "1"}}},
                {"name": "DB_PASSWORD_NAME", "value": "projects/acme/secrets/db/versions/1"},
            ],
            args=["--token=$(TOKEN)", "--port=8080"],
        ),
        "a script that reads the secret": _started(
            "#!/bin/sh\nexport DB_PASSWORD=$(aws secretsmanager get-secret-value --secret-id db)\n"
            "echo $TOKEN | docker login --username AWS --password-stdin registry\n"
        ),
        "keys of machines that are public": _machine(metadata={"ssh-keys": "a:ssh-ed25519 AAAAC3Nz a@b"}),
        "a variable of a build from a store": _build("SECRETS_MANAGER", "npm:token"),
        "an encrypted parameter": _parameter("/prod/db/password", "hunter2", "SecureString"),
        "a parameter that is no secret": _parameter("/prod/db/host", Hidden("db.internal")),
        "a generated password": _database(Hidden("vR7#kq2LmZx94TnB")),
        "a database that creates its password": resource(
            "aws:rds/instance:Instance", {"manageMasterUserPassword": True}
        ),
    },
    fails={
        "a container of several of a model": Fails(
            resource("aws:sagemaker/model:Model", {"containers": [{"environment": {"TOKEN": GITHUB_TOKEN}}]}),
            "containers[0].environment[TOKEN]",
        ),
        "the environment of a model of Model Garden": Fails(
            resource(
                "gcp:vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment",
                {
                    "modelConfig": {
                        "containerSpec": {"envs": [{"name": "API_KEY", "value": "Xk39fjQ0sl2aaaa1"}]}
                    }
                },
            ),
            "modelConfig.containerSpec.envs[0].value",
        ),
        "a header in a state machine": Fails(
            resource(
                "aws:sfn/stateMachine:StateMachine",
                {"definition": json.dumps({"States": {"A": {"Parameters": {"token": GITHUB_TOKEN}}}})},
            ),
            "definition",
        ),
        "a header in a workflow": Fails(
            resource(
                "gcp:workflows/workflow:Workflow",
                {"sourceContents": json.dumps({"main": {"args": {"token": GITHUB_TOKEN}}})},
            ),
            "sourceContents",
        ),
        "a variable of a workflow": Fails(
            resource("gcp:workflows/workflow:Workflow", {"userEnvVars": {"API_KEY": "Xk39fjQ0sl2aaaa1"}}),
            "userEnvVars[API_KEY]",
        ),
        "the input of a schedule": Fails(
            resource(
                "aws:scheduler/schedule:Schedule",
                {"target": {"input": json.dumps({"token": GITHUB_TOKEN})}},
            ),
            "target.input",
        ),
        "a password in the address of a subscription": Fails(
            resource(
                "aws:sns/topicSubscription:TopicSubscription",
                {"protocol": "https", "endpoint": "https://alerts:Xk39fjQ0sl2@hooks.acme.example/x"},
            ),
            "endpoint",
        ),
        "a password of a function": Fails(
            _function(DB_PASSWORD="hunter2"), "environment.variables[DB_PASSWORD]", "a secret by its name"
        ),
        "a name in camel case, with its environment": Fails(
            _function(dbPasswordProd="correct horse"), "environment.variables[dbPasswordProd]"
        ),
        "a token by its form, whatever its name": Fails(
            _function(SETTING_7=GITHUB_TOKEN), "environment.variables[SETTING_7]", "a token of GitHub"
        ),
        "a secret access key with slashes": Fails(
            _function(AWS_SECRET_ACCESS_KEY=SECRET_KEY), "environment.variables[AWS_SECRET_ACCESS_KEY]"
        ),
        "a secret of the program": Fails(
            _function(SALT=Hidden("abc")), "environment.variables[SALT]", "a secret of the program"
        ),
        "a password in JSON": Fails(
            _function(CONFIG='{"db": {"user": "shop", "password": "hunter2"}}'),
            "environment.variables[CONFIG]",
            "sets 'password'",
        ),
        "JSON in base64": Fails(
            _function(CONFIG=base64.b64encode(b'{"password": "hunter2"}').decode()),
            "environment.variables[CONFIG]",
            "sets 'password'",
        ),
        "a connection string": Fails(
            _function(DSN="Server=db;Uid=shop;Pwd=S3cret!;"),
            "environment.variables[DSN]",
            "a connection string",
        ),
        "a user of cloud-init": Fails(
            _started("#cloud-config\nchpasswd:\n  list: |\n    ubuntu:hunter2\n"), "userData", "cloud-init"
        ),
        "a function of Google": Fails(
            resource(
                "gcp:cloudfunctionsv2/function:Function",
                {"serviceConfig": {"environmentVariables": {"OPENAI_API_KEY": "abcd1234"}}},
            ),
            "serviceConfig.environmentVariables[OPENAI_API_KEY]",
        ),
        "a variable of a task": Fails(
            _tasks(environment=[{"name": "API_TOKEN", "value": "a81bc81bdead4e5d"}]),
            "containerDefinitions[0].environment[0].value",
            "'API_TOKEN'",
        ),
        "an argument of a task": Fails(
            _tasks(command=["serve", "--db-password=hunter2"]),
            "containerDefinitions[0].command[1]",
            "'db-password'",
        ),
        "an argument after its flag": Fails(
            _service(args=["--api-key", "abcd1234efgh"]), f"{RUN}.args[1]", "'--api-key'"
        ),
        "an address without a user": Fails(
            _service(envs=[{"name": "CACHE", "value": "redis://:hunter2@cache:6379/0"}]),
            f"{RUN}.envs[0].value",
            "a password in an address",
        ),
        "a variable of a batch job": Fails(
            _batch(image="a", environment=[{"name": "DB_PASS", "value": "s3cr3t"}]),
            "containerProperties.environment[0].value",
        ),
        "a shell of a batch job": Fails(
            _batch(command=["sh", "-c", "PGPASSWORD=hunter2 psql -h db -f x.sql"]),
            "containerProperties.command[2]",
            "'PGPASSWORD'",
        ),
        "a script of a machine": Fails(
            _started("#!/bin/bash\nexport DB_PASSWORD='correct horse'\n./serve\n"),
            "userData",
            "'DB_PASSWORD'",
        ),
        "a script of Karpenter's nodes": Fails(
            resource(
                "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass",
                {"spec": {"userData": "#!/bin/bash\nexport DB_PASSWORD='correct horse'\n"}},
            ),
            "spec.userData",
            "'DB_PASSWORD'",
        ),
        "a script in base64": Fails(
            _encoded("#!/bin/bash\nmysql -u root -phunter2 -h db < dump.sql\n"), "userData", "MySQL"
        ),
        "a user of a machine": Fails(_started("echo 'ubuntu:hunter2' | chpasswd"), "userData", "of a user"),
        "a header": Fails(
            _machine(
                metadataStartupScript=f"curl -H 'Authorization: Bearer {'a1' * 12}' https://api.example"
            ),
            "metadataStartupScript",
            "a token in a header",
        ),
        "a script in the metadata": Fails(
            _machine(metadata={"startup-script": "API_KEY=abcd1234efgh ./serve"}), "metadata[startup-script]"
        ),
        "a header of a schedule": Fails(
            resource(
                "gcp:cloudscheduler/job:Job",
                {"httpTarget": {"uri": "https://a.b", "headers": {"Authorization": "Bearer a1b2c3d4e5"}}},
            ),
            "httpTarget.headers[Authorization]",
            "contains a token",
        ),
        "a setting of Elastic Beanstalk": Fails(
            resource(
                "aws:elasticbeanstalk/environment:Environment",
                {"settings": [{"namespace": "a", "name": "DB_PASSWORD", "value": "hunter2"}]},
            ),
            "settings[0].value",
        ),
        "a variable of a build": Fails(
            _build("PLAINTEXT", "0a1b2c3d4e5f"), "environment.environmentVariables[0].value", "'NPM_TOKEN'"
        ),
        "a parameter by its name": Fails(
            _parameter("/prod/db/password", Hidden("hunter2")), "value", "without encryption"
        ),
        "a parameter by its value": Fails(
            _parameter("/prod/db/url", Hidden("postgresql://shop:hunter2@db/shop")), "value", "in an address"
        ),
        "a typed password of a database": Fails(_database(Hidden("Sup3rS3cret!")), "password", "guessed"),
        "a long typed password": Fails(_database(Hidden("MyPassword-is-very-long-2024")), "password"),
        "a password in the state": Fails(_database("vR7#kq2LmZx94TnB"), "password", "in clear text"),
        "a user of Cloud SQL": Fails(
            resource("gcp:sql/user:User", {"name": "shop", "password": Hidden("changeme")}), "password"
        ),
    },
    unknown={
        "the variables": _function(DB_PASSWORD=UNKNOWN),
        "the containers": resource(
            "aws:ecs/taskDefinition:TaskDefinition", {"containerDefinitions": UNKNOWN}
        ),
        "a script": resource("aws:ec2/instance:Instance", {"userData": UNKNOWN}),
        "a parameter": _parameter("/prod/db/password", UNKNOWN),
        "a password": _database(UNKNOWN),
    },
)
