"""Two functions on Google Cloud whose logs are in one log bucket.

Generated from Pulumi.yaml by `make generate`.
"""

import pulumi
import pulumi_gcp as gcp

from aiplatform.function import Function
from aiplatform.log_bucket import LogBucket

google_provider = gcp.Provider("google", project="acme-dev-1234", region="europe-west4")
logs = LogBucket(
    "logs",
    {
        "prefix": "team-dev",
        "cloud": "gcp",
        "project": "acme-dev-1234",
        "region": "europe-west4",
        "retention_days": 30,
    },
    pulumi.ResourceOptions(providers=[google_provider]),
)
resize = Function(
    "resize",
    {
        "prefix": "team-dev",
        "name": "resize",
        "owner": "search",
        "cloud": "gcp",
        "project": "acme-dev-1234",
        "region": "europe-west4",
        "image": "europe-west4-docker.pkg.dev/acme-dev-1234/functions/resize@sha256:5555555555555555555555555555555555555555555555555555555555555555",
        "log_bucket": logs.log_bucket,
    },
    pulumi.ResourceOptions(providers=[google_provider]),
)
classify = Function(
    "classify",
    {
        "prefix": "team-dev",
        "name": "classify",
        "owner": "search",
        "cloud": "gcp",
        "project": "acme-dev-1234",
        "region": "europe-west4",
        "image": "europe-west4-docker.pkg.dev/acme-dev-1234/functions/classify@sha256:6666666666666666666666666666666666666666666666666666666666666666",
        "log_bucket": logs.log_bucket,
    },
    pulumi.ResourceOptions(providers=[google_provider]),
)
pulumi.export("log_bucket", logs.log_bucket)
