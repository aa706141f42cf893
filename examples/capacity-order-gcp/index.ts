// Node pools of an existing GKE cluster: their order, queues, and tests of GPUs.
//
// Generated from Pulumi.yaml by `make generate`.
import * as kubernetes from "@pulumi/kubernetes";
import * as aiplatform from "@pulumi/aiplatform";

const kubernetesProvider = new kubernetes.Provider("kubernetes", {
    context: "team-dev",
});
const batch = new aiplatform.ComputeClass("batch", {
    name: "batch",
    cluster: {
        cloud: "gcp",
        project: "acme-dev-1234",
        region: "europe-west4",
        name: "team-dev",
        nodeServiceAccount: "nodes@acme-dev-1234.iam.gserviceaccount.com",
    },
    nodeGroups: [
        {
            name: "batch-spot",
            priority: 100,
        },
        {
            name: "batch-on-demand",
            priority: 90,
        },
    ],
}, { providers: [kubernetesProvider] });
const queues = new aiplatform.Queues("queues", {
    gpuPools: [
        {
            name: "training",
            resource: "nvidia.com/gpu",
            resourcesPerNode: 8,
            capacityTypes: ["reserved"],
            nodeSelector: {
                "cloud.google.com/gke-nodepool": "training",
            },
            taints: [
                {
                    key: "nvidia.com/gpu",
                    value: "present",
                    effect: "NoSchedule",
                },
            ],
            topologyLabels: [],
            minNodes: 0,
            maxNodes: 4,
            vcpusPerNode: 208,
            memoryGibPerNode: 1872,
        },
    ],
    cohorts: [
        {
            name: "research",
        },
    ],
    queues: [
        {
            name: "vision",
            cohort: "research",
            quotas: [
                {
                    pool: "training",
                    accelerators: 16,
                },
            ],
            localQueues: [
                {
                    namespace: "vision",
                },
            ],
        },
        {
            name: "language",
            cohort: "research",
            quotas: [
                {
                    pool: "training",
                    accelerators: 16,
                    borrow: 8,
                },
            ],
            localQueues: [
                {
                    namespace: "language",
                },
            ],
        },
        {
            name: "gpu-check-training",
            cohort: "research",
            weight: 0,
            quotas: [
                {
                    pool: "training",
                    accelerators: 0,
                },
            ],
            preemption: {
                withinClusterQueue: "Never",
                reclaimWithinCohort: "Never",
            },
            namespaces: ["gpu-check"],
        },
    ],
}, { providers: [kubernetesProvider] });
const checks = new aiplatform.GpuChecks("checks", {
    cloud: "gcp",
    queues: {
        training: "gpu-check-training",
    },
}, { providers: [kubernetesProvider], dependsOn: [queues] });
export const className = batch.name;
export const clusterQueues = queues.clusterQueues;
