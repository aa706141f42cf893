// The order in which node pools of an existing GKE cluster grow.
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
export const className = batch.name;
