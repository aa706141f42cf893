"""Spec of kubernetes.confine_containers."""

from __future__ import annotations

from typing import Any

from policies.framework import Resource
from tests.policies.custom_workloads import (
    GOOD_WORKLOADS,
    RAY_WORKER,
    custom,
    ray_cluster,
    release,
    workflow,
)
from tests.policies.spec import UNKNOWN, Case, Fails, Spec, resource
from tests.policies.workloads import agent, container, deployment, metadata, pod

POD = "spec.template.spec"
APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/server"
SOMAXCONN = [{"name": "net.core.somaxconn", "value": "1024"}]
UNMASKED = container(securityContext={"procMount": "Unmasked"})


def _annotated(value: Any) -> Resource:
    template = {"metadata": {"annotations": {APP_ARMOR: value}}, "spec": pod()}
    props = {"metadata": metadata(), "spec": {"template": template}}
    return resource("kubernetes:apps/v1:Deployment", props)


SPEC = Spec(
    passes={
        "defaults": deployment(),
        "what the defaults are": deployment(
            container(securityContext={"procMount": "Default", "appArmorProfile": {"type": "RuntimeDefault"}})
        ),
        "safe kernel parameters": deployment(
            securityContext={"sysctls": [{"name": "net.ipv4.tcp_keepalive_time", "value": "60"}]}
        ),
        "a profile by an annotation": _annotated("runtime/default"),
        "a type of SELinux for containers": deployment(
            securityContext={"seLinuxOptions": {"type": "container_t"}}
        ),
        "a node agent": agent(UNMASKED),
        **GOOD_WORKLOADS,
    },
    fails={
        "all of /proc": Fails(
            deployment(UNMASKED), f"{POD}.containers[0].securityContext.procMount", "'server' shows all"
        ),
        "all of /proc for a worker of Ray": Fails(
            ray_cluster(UNMASKED), f"{RAY_WORKER}.containers[0].securityContext.procMount"
        ),
        "a kernel parameter of the node": Fails(
            deployment(securityContext={"sysctls": SOMAXCONN}),
            f"{POD}.securityContext.sysctls[0].name",
            "'net.core.somaxconn'",
        ),
        "a kernel parameter with slashes": Fails(
            deployment(securityContext={"sysctls": [{"name": "kernel/msgmax", "value": "65536"}]}),
            f"{POD}.securityContext.sysctls[0].name",
        ),
        "a kernel parameter for all Pods of a workflow": Fails(
            workflow({"container": container()}, securityContext={"sysctls": SOMAXCONN}),
            "spec.securityContext.sysctls[0].name",
        ),
        "no profile of AppArmor": Fails(
            deployment(container(securityContext={"appArmorProfile": {"type": "Unconfined"}})),
            f"{POD}.containers[0].securityContext.appArmorProfile.type",
            "AppArmor",
        ),
        "no profile of AppArmor by an annotation": Fails(
            _annotated("unconfined"), f"spec.template.metadata.annotations[{APP_ARMOR}]", "'server' runs"
        ),
        "no profile of AppArmor by an annotation of a predictor": Fails(
            custom(
                "serving.kserve.io/v1beta1:InferenceService",
                {"predictor": {"annotations": {APP_ARMOR: "unconfined"}, "model": {}}},
            ),
            f"spec.predictor.annotations[{APP_ARMOR}]",
        ),
        "a type of SELinux without limits": Fails(
            deployment(container(securityContext={"seLinuxOptions": {"type": "spc_t"}})),
            f"{POD}.containers[0].securityContext.seLinuxOptions.type",
            "'spc_t'",
        ),
        "the values of a release": Fails(
            release({"redis": {"podSecurityContext": {"sysctls": SOMAXCONN}}}),
            "values.redis.podSecurityContext.sysctls[0].name",
        ),
    },
    unknown={
        "the mount": deployment(container(securityContext={"procMount": UNKNOWN})),
        "the kernel parameters": deployment(securityContext={"sysctls": UNKNOWN}),
        "the profile": _annotated(UNKNOWN),
        "the values of a release": release(UNKNOWN),
    },
    configured={
        "a namespace of agents": Case(
            agent(UNMASKED, namespace="gpu-operator"), {"agent_namespaces": ["gpu-operator"]}, fails=False
        ),
        "a kernel parameter that nodes allow": Case(
            deployment(securityContext={"sysctls": SOMAXCONN}),
            {"sysctls": ["net.core.somaxconn"]},
            fails=False,
        ),
    },
)
