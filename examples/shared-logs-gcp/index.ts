// Two functions on Google Cloud whose logs are in one log bucket.
//
// Generated from Pulumi.yaml by `make generate`.
import * as aiplatform from "@pulumi/aiplatform";

const logs = new aiplatform.LogBucket("logs", {
    prefix: "team-dev",
    cloud: "gcp",
    project: "acme-dev-1234",
    region: "europe-west4",
    retentionDays: 30,
});
const resize = new aiplatform.Function("resize", {
    prefix: "team-dev",
    name: "resize",
    owner: "search",
    cloud: "gcp",
    project: "acme-dev-1234",
    region: "europe-west4",
    image: "europe-west4-docker.pkg.dev/acme-dev-1234/functions/resize@sha256:5555555555555555555555555555555555555555555555555555555555555555",
    logBucket: logs.logBucket,
});
const classify = new aiplatform.Function("classify", {
    prefix: "team-dev",
    name: "classify",
    owner: "search",
    cloud: "gcp",
    project: "acme-dev-1234",
    region: "europe-west4",
    image: "europe-west4-docker.pkg.dev/acme-dev-1234/functions/classify@sha256:6666666666666666666666666666666666666666666666666666666666666666",
    logBucket: logs.logBucket,
});
export const logBucket = logs.logBucket;
