// A cluster in the network of another stack, whose program is in Python.
import * as aiplatform from "@pulumi/aiplatform";
import * as pulumi from "@pulumi/pulumi";

// As gcp.Provider of @pulumi/gcp, which is large.
class Google extends pulumi.ProviderResource {
    constructor(name: string) {
        super("gcp", name);
    }
}

const google = new Google("google");
const foundation = new pulumi.StackReference("organization/foundation/team");
new aiplatform.Cluster("cluster", {
    prefix: "team-dev",
    version: "1.35",
    network: foundation.getOutput("network"),
}, { providers: [google] });
