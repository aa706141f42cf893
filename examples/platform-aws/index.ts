// A platform on AWS from the components.
//
// Generated from Pulumi.yaml by `make generate`.
import * as aws from "@pulumi/aws";
import * as aiplatform from "@pulumi/aiplatform";
import * as kubernetes from "@pulumi/kubernetes";

const awsProvider = new aws.Provider("aws", {
    region: "us-west-2",
});
const network = new aiplatform.Network("network", {
    prefix: "team-dev",
    cidr: "10.16.0.0/16",
    zoneIds: ["usw2-az1", "usw2-az2"],
    nat: "single",
}, { providers: [awsProvider] });
const runner = new aiplatform.Runner("runner", {
    prefix: "team-dev",
    network: {
        vpcId: network.vpcId,
        cidr: network.cidr,
        privateSubnetIds: network.privateSubnetIds,
    },
    deployerRoleArn: "arn:aws:iam::111122223333:role/deployer",
    repository: "https://github.com/example/platform",
}, { providers: [awsProvider] });
const cluster = new aiplatform.Cluster("cluster", {
    prefix: "team-dev",
    version: "1.35",
    network: {
        vpcId: network.vpcId,
        cidr: network.cidr,
        privateSubnetIds: network.privateSubnetIds,
        intraSubnetIds: network.intraSubnetIds,
    },
    apiAccess: {
        mode: "cidrs",
        cidrs: ["192.52.193.0/24"],
    },
}, { providers: [awsProvider] });
const kubernetesProvider = new kubernetes.Provider("kubernetes", {
    kubeconfig: cluster.kubeconfig,
});
const services = new aiplatform.NodePool("services", {
    prefix: "team-dev",
    name: "services",
    cluster: {
        name: cluster.name,
        securityGroupId: cluster.securityGroupId,
        nodeRoleArn: cluster.nodeRoleArn,
    },
    network: {
        vpcId: network.vpcId,
        cidr: network.cidr,
        privateSubnetIds: network.privateSubnetIds,
        zones: network.zones,
    },
    zones: ["usw2-az1", "usw2-az2"],
    instanceTypes: ["m6i.xlarge", "m5.xlarge"],
    capacity: ["spot", "on_demand"],
    max: 4,
}, { providers: [awsProvider] });
const training = new aiplatform.GpuPool("training", {
    prefix: "team-dev",
    name: "training",
    cluster: {
        name: cluster.name,
        securityGroupId: cluster.securityGroupId,
        nodeRoleArn: cluster.nodeRoleArn,
    },
    network: {
        vpcId: network.vpcId,
        cidr: network.cidr,
        privateSubnetIds: network.privateSubnetIds,
        zones: network.zones,
    },
    zones: ["usw2-az1", "usw2-az2"],
    accelerator: "t4",
    count: 1,
    capacity: [
        {
            type: "spot",
        },
        {
            type: "on_demand",
        },
    ],
    max: 2,
}, { providers: [awsProvider] });
const autoscaler = new aiplatform.ClusterAutoscaler("autoscaler", {
    prefix: "team-dev",
    cluster: {
        name: cluster.name,
        version: cluster.version,
        securityGroupId: cluster.securityGroupId,
    },
    nodeGroups: training.nodeGroups,
}, { providers: [awsProvider, kubernetesProvider] });
const devicePlugins = new aiplatform.DevicePlugins("devicePlugins", {
    nvidia: true,
}, { providers: [kubernetesProvider] });
const efaPlugin = new aiplatform.EfaPlugin("efaPlugin", {
    image: "602401143452.dkr.ecr.us-west-2.amazonaws.com/eks/aws-efa-k8s-device-plugin:v0.5.6",
}, { providers: [kubernetesProvider] });
const addons = new aiplatform.Addons("addons", {
    prefix: "team-dev",
    cluster: {
        name: cluster.name,
        securityGroupId: cluster.securityGroupId,
        vpcId: cluster.vpcId,
    },
    replicas: 2,
    options: {
        karpenter: {
            enabled: true,
        },
        keda: {
            enabled: true,
        },
        kserve: {
            enabled: true,
        },
    },
}, { providers: [awsProvider, kubernetesProvider] });
const karpenter = new aiplatform.Karpenter("karpenter", {
    prefix: "team-dev",
    cluster: {
        name: cluster.name,
        securityGroupId: cluster.securityGroupId,
        nodeRoleArn: cluster.nodeRoleArn,
    },
    pools: [
        {
            name: "builds",
            weight: 100,
            capacity: "spot",
            instanceTypes: ["m7i.2xlarge", "m6i.2xlarge"],
            zones: ["usw2-az1"],
            subnetIds: [network.privateSubnetIds[0]],
            securityGroupIds: ["sg-0a1b2c3d4e5f60718"],
            labels: {
                workload: "builds",
            },
            limits: {
                cpu: "64",
            },
        },
    ],
    imageVersions: {
        al2023: "v20261110",
    },
}, { providers: [awsProvider, kubernetesProvider], dependsOn: [addons] });
const trainer = new aiplatform.Training("trainer", {
    cluster: {
        name: cluster.name,
        securityGroupId: cluster.securityGroupId,
    },
    gpuPools: [
        {
            name: "training",
            resource: "nvidia.com/gpu",
            resourcesPerNode: 1,
            nodeSelector: {
                "ai-platform/pool": "training",
            },
            taints: [
                {
                    key: "nvidia.com/gpu",
                    value: "true",
                    effect: "NoSchedule",
                },
            ],
            topologyLabels: [],
            vcpusPerNode: 4,
            memoryGibPerNode: 16,
        },
    ],
    runtimes: {
        "torch-twice": {
            pool: "training",
            nodes: 2,
            maxRestarts: 10,
        },
    },
}, { providers: [kubernetesProvider], dependsOn: [addons] });
const gateway = new aiplatform.Gateway("gateway", {
    cluster: {
        name: cluster.name,
        securityGroupId: cluster.securityGroupId,
    },
    hosts: ["models.team-dev.example.com"],
    authentication: {
        issuer: "https://login.example.com",
        audiences: ["models"],
        jwksUri: "https://login.example.com/keys",
    },
    teams: {
        vision: {
            claims: ["vision-users"],
        },
    },
    rateLimit: {
        requests: 100,
        unit: "second",
    },
}, { providers: [kubernetesProvider], dependsOn: [addons] });
const observability = new aiplatform.Observability("observability", {
    prefix: "team-dev",
    cluster: {
        name: cluster.name,
        securityGroupId: cluster.securityGroupId,
    },
    addons: {
        "cert-manager": "v1.21.1",
        "external-secrets": "2.9.0",
        karpenter: "1.14.1",
        kueue: "0.19.2",
    },
    secretsRoleArn: addons.secretsRoleArn,
    clusterAutoscaler: true,
    notifications: {
        receivers: [
            {
                name: "platform-team",
                slack: {
                    channel: "#ml-platform-alerts",
                    secret: "team-dev/alerts/slack",
                },
            },
        ],
        default: "platform-team",
    },
    logs: {
        retentionDays: 30,
    },
    slos: [
        {
            name: "admission",
            indicator: "queue_wait",
            objectivePercent: 95,
            latencySeconds: 320,
            owner: "ml-platform",
        },
    ],
}, { providers: [awsProvider, kubernetesProvider], dependsOn: [addons] });
const guardrails = new aiplatform.Guardrails("guardrails", {
    allowedRegistries: ["111122223333.dkr.ecr.us-west-2.amazonaws.com", "quay.io/argoproj"],
    requireDigests: true,
    digestExceptions: ["quay.io/argoproj"],
    requiredLabels: ["cost-center"],
}, { providers: [kubernetesProvider] });
const pipelines = new aiplatform.WorkloadIdentity("pipelines", {
    prefix: "team-dev",
    name: "pipelines",
    cluster: {
        name: cluster.name,
        securityGroupId: cluster.securityGroupId,
    },
    namespace: "pipelines",
    serviceAccount: "pipelines",
}, { providers: [awsProvider] });
const lakehouse = new aiplatform.Lakehouse("lakehouse", {
    prefix: "team-dev",
    writers: [pipelines.principal],
    tables: [
        {
            zone: "curated",
            name: "orders",
            owner: "sales",
            columns: [
                {
                    name: "order_id",
                    type: "long",
                    required: true,
                },
                {
                    name: "customer",
                    type: "string",
                    classification: "pii",
                },
            ],
        },
    ],
    forceDestroy: true,
}, { providers: [awsProvider] });
const materializer = new aiplatform.WorkloadIdentity("materializer", {
    prefix: "team-dev",
    name: "features",
    cluster: {
        name: cluster.name,
        securityGroupId: cluster.securityGroupId,
    },
    namespace: "feature-store",
    serviceAccount: "feature-materializer",
}, { providers: [awsProvider] });
const features = new aiplatform.FeatureStore("features", {
    prefix: "team-dev",
    cluster: {
        name: cluster.name,
        securityGroupId: cluster.securityGroupId,
    },
    lakehouse: {
        catalogId: lakehouse.catalogId,
        zones: lakehouse.zones,
        kmsKeyArn: lakehouse.kmsKeyArn,
        clientPolicies: lakehouse.clientPolicies,
    },
    materializer: {
        principal: materializer.principal,
        roleArn: materializer.roleArn,
        roleName: materializer.roleName,
    },
    featureViews: ["orders"],
    forceDestroy: true,
}, { providers: [awsProvider, kubernetesProvider] });
const images = new aiplatform.ContainerRegistry("images", {
    prefix: "team-dev",
    repositories: ["training", "serving"],
    readers: [pipelines.principal],
    forceDestroy: true,
}, { providers: [awsProvider] });
const models = new aiplatform.ModelRegistry("models", {
    prefix: "team-dev",
    cluster: {
        name: cluster.name,
        securityGroupId: cluster.securityGroupId,
    },
    network: {
        vpcId: network.vpcId,
        cidr: network.cidr,
        privateSubnetIds: network.privateSubnetIds,
        intraSubnetIds: network.intraSubnetIds,
    },
    forceDestroy: true,
}, { providers: [awsProvider, kubernetesProvider] });
const store = new aiplatform.ModelStore("store", {
    prefix: "team-dev",
    cluster: {
        name: cluster.name,
        securityGroupId: cluster.securityGroupId,
    },
    profile: "dev",
    registry: {
        trackingUri: models.trackingUri,
        namespace: "model-registry",
        secret: models.adminSecret,
        kmsKey: models.kmsKey,
    },
    releaseGroup: ["arn:aws:iam::111122223333:role/model-release"],
    image: "example.com/loader@sha256:1111111111111111111111111111111111111111111111111111111111111111",
    workflows: {
        executorImage: "quay.io/argoproj/argoexec:v4.0.6",
    },
    forceDestroy: true,
}, { providers: [awsProvider, kubernetesProvider] });
const searcher = new aiplatform.WorkloadIdentity("searcher", {
    prefix: "team-dev",
    name: "search",
    cluster: {
        name: cluster.name,
        securityGroupId: cluster.securityGroupId,
    },
    namespace: "search",
    serviceAccount: "workloads",
}, { providers: [awsProvider] });
const teams = new aiplatform.Teams("teams", {
    prefix: "team-dev",
    cluster: {
        name: cluster.name,
        securityGroupId: cluster.securityGroupId,
    },
    teams: {
        search: {
            owners: ["arn:aws:iam::111122223333:role/search-owners"],
            developers: ["arn:aws:iam::111122223333:role/search-developers"],
            configuration: {
                MLFLOW_TRACKING_URI: models.trackingUri,
            },
            services: {
                "model-registry": [80, 5000],
            },
            identity: {
                principal: searcher.principal,
                roleName: searcher.roleName,
                namespace: "search",
                serviceAccount: "workloads",
            },
        },
    },
    modelStore: {
        checkpointsBucket: store.checkpointsBucket,
        releasesBucket: store.releasesBucket,
        kmsKey: store.kmsKey,
        checkpointsKey: store.checkpointsKey,
    },
    secretsRoleArn: addons.secretsRoleArn,
    secretKeys: [models.kmsKey],
}, { providers: [awsProvider, kubernetesProvider] });
const workflows = new aiplatform.Pipelines("workflows", {
    prefix: "team-dev",
    cluster: {
        name: cluster.name,
        securityGroupId: cluster.securityGroupId,
    },
    teams: {
        search: {
            namespace: "search",
            identity: {
                principal: searcher.principal,
                roleName: searcher.roleName,
                namespace: "search",
                serviceAccount: "workloads",
            },
            submitters: ["arn:aws:iam::111122223333:role/search-ci"],
        },
    },
    forceDestroy: true,
}, { providers: [awsProvider, kubernetesProvider], dependsOn: [teams] });
const serving = new aiplatform.Serving("serving", {
    prefix: "team-dev",
    cluster: {
        name: cluster.name,
        securityGroupId: cluster.securityGroupId,
    },
    modelStore: {
        checkpointsBucket: store.checkpointsBucket,
        releasesBucket: store.releasesBucket,
        kmsKey: store.kmsKey,
        checkpointsKey: store.checkpointsKey,
    },
    image: "example.com/loader@sha256:1111111111111111111111111111111111111111111111111111111111111111",
    gpuPools: [
        {
            name: "training",
            resource: "nvidia.com/gpu",
            resourcesPerNode: 1,
            maxNodes: 2,
            nodeSelector: {
                "ai-platform/pool": "training",
            },
            taints: [
                {
                    key: "nvidia.com/gpu",
                    value: "true",
                    effect: "NoSchedule",
                },
            ],
            vcpusPerNode: 4,
            memoryGibPerNode: 16,
        },
    ],
    teams: {
        search: {
            services: {
                chat: {
                    model: "assistant",
                    runtime: "vllm-training",
                },
            },
        },
    },
}, { providers: [awsProvider, kubernetesProvider], dependsOn: [addons, teams] });
const continuous = new aiplatform.ContinuousTraining("continuous", {
    prefix: "team-dev",
    cluster: {
        name: cluster.name,
        securityGroupId: cluster.securityGroupId,
    },
    profile: "dev",
    image: "example.com/steps@sha256:2222222222222222222222222222222222222222222222222222222222222222",
    releaseImage: "example.com/loader@sha256:1111111111111111111111111111111111111111111111111111111111111111",
    promoter: store.promoterPrincipal,
    teams: {
        search: {
            namespace: "search",
            identity: {
                principal: searcher.principal,
                roleName: searcher.roleName,
                serviceAccount: "workloads",
            },
            models: {
                ranker: {
                    table: "team_dev_curated.orders",
                    training: {
                        image: "example.com/train@sha256:3333333333333333333333333333333333333333333333333333333333333333",
                        codeCommit: "0123456789abcdef0123456789abcdef01234567",
                        runtime: "torch-training",
                    },
                    evaluation: {
                        metric: "accuracy",
                        margin: 0.01,
                    },
                },
            },
        },
    },
}, { providers: [awsProvider, kubernetesProvider], dependsOn: [addons, store, workflows] });
const monitored = new aiplatform.ModelMonitor("monitored", {
    prefix: "team-dev",
    cluster: {
        name: cluster.name,
        securityGroupId: cluster.securityGroupId,
    },
    profile: "dev",
    image: "example.com/monitor@sha256:4444444444444444444444444444444444444444444444444444444444444444",
    teams: {
        search: {
            namespace: "search",
            identity: {
                principal: searcher.principal,
                roleName: searcher.roleName,
                serviceAccount: "workloads",
            },
            queue: continuous.queues.search,
            monitors: {
                ranker: {
                    owner: "search@example.com",
                    inferenceServices: ["ranker"],
                    requestsTable: "team_dev_curated.ranker_requests",
                    resultsTable: "team_dev_curated.monitor_results",
                    baselineTable: "team_dev_curated.orders",
                    columns: [
                        {
                            name: "price",
                            type: "number",
                        },
                    ],
                },
            },
        },
    },
}, { providers: [awsProvider, kubernetesProvider], dependsOn: [addons, teams] });
const costs = new aiplatform.Cost("costs", {
    prefix: "team-dev",
    cluster: {
        name: cluster.name,
        securityGroupId: cluster.securityGroupId,
    },
    budget: {
        amount: 400,
        emails: ["search@example.com"],
    },
    teamBudgets: {
        search: {
            amount: 100,
            emails: ["search@example.com"],
            forecastPercent: [],
        },
    },
    anomalies: {
        minImpact: 50,
    },
    image: "example.com/cost-control@sha256:5555555555555555555555555555555555555555555555555555555555555555",
    hold: {
        percent: 100,
    },
    clusterQueues: ["search"],
}, { providers: [awsProvider, kubernetesProvider], dependsOn: [addons] });
const score = new aiplatform.Function("score", {
    prefix: "team-dev",
    name: "score",
    owner: "search",
    image: "111122223333.dkr.ecr.us-west-2.amazonaws.com/team-dev/score@sha256:5555555555555555555555555555555555555555555555555555555555555555",
    http: {
        callers: ["arn:aws:iam::111122223333:role/search"],
    },
    reads: [
        {
            bucket: lakehouse.zones[2].bucket,
            prefix: "files/models/",
            kmsKey: lakehouse.kmsKey,
        },
    ],
    environment: {
        MODEL: "s3://team-dev-serving-111122223333/files/models/score/3/",
    },
    alarmTargets: [costs.alertsTopic],
    network: {
        vpcId: network.vpcId,
        cidr: network.cidr,
        privateSubnetIds: network.privateSubnetIds,
    },
}, { providers: [awsProvider] });
const scoring = new aiplatform.Workflow("scoring", {
    prefix: "team-dev",
    name: "scoring",
    owner: "search",
    functions: {
        score: {
            arn: score.target,
        },
    },
    definition: {
        StartAt: "Score",
        TimeoutSeconds: 3600,
        States: {
            Score: {
                Type: "Task",
                Resource: "arn:aws:states:::lambda:invoke",
                Parameters: {
                    FunctionName: "${score}",
                    "Payload.$": "$",
                },
                TimeoutSeconds: 300,
                Retry: [
                    {
                        ErrorEquals: ["States.ALL"],
                        IntervalSeconds: 2,
                        MaxAttempts: 3,
                        BackoffRate: 2,
                    },
                ],
                Catch: [
                    {
                        ErrorEquals: ["States.ALL"],
                        ResultPath: "$.error",
                        Next: "DeadLetter",
                    },
                ],
                End: true,
            },
            DeadLetter: {
                Type: "Task",
                Resource: "arn:aws:states:::sqs:sendMessage",
                Parameters: {
                    QueueUrl: "${dead_letter}",
                    "MessageBody.$": "$",
                },
                Next: "Failed",
            },
            Failed: {
                Type: "Fail",
                Error: "DeadLetter",
            },
        },
    },
    schedule: {
        cron: "0 3 * * *",
        timezone: "Europe/Berlin",
    },
}, { providers: [awsProvider] });
export const vpcId = network.vpcId;
export const clusterName = cluster.name;
export const nodeGroups = training.nodeGroups;
