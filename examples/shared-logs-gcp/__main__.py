"""Two functions on Google Cloud whose logs are in one log bucket.

Generated from Pulumi.yaml by `make generate`.
"""

import pulumi

from aiplatform.function import Function
from aiplatform.log_bucket import LogBucket

logs = LogBucket(
    "logs",
    {
        "prefix": "team-dev",
        "cloud": "gcp",
        "project": "acme-dev-1234",
        "region": "europe-west4",
        "retention_days": 30,
    },
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
)
pulumi.export("log_bucket", logs.log_bucket)
