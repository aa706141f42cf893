"""The Google APIs that the provider calls: their hosts, versions and the provider's own settings for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Api:
    """One API.

    name, version: of its discovery document. path: the service path below the host, with the version
    (`compute/v1/`). setting: the middle of the provider's variable and property for another endpoint
    (`GOOGLE_KMS_CUSTOM_ENDPOINT`, `kmsCustomEndpoint`). host_of: the API on whose host it is, where it has
    none.
    """

    name: str
    version: str
    path: str
    setting: str
    host_of: str = ""

    @property
    def host(self) -> str:
        """Where Google serves it."""
        return f"{self.host_of or self.name}.googleapis.com"

    @property
    def variable(self) -> str:
        """The variable that names another endpoint."""
        return f"GOOGLE_{self.setting}_CUSTOM_ENDPOINT"

    @property
    def argument(self) -> str:
        """The provider's property that names another endpoint."""
        first, *rest = self.setting.lower().split("_")
        return first + "".join(word.capitalize() for word in rest) + "CustomEndpoint"

    @property
    def default(self) -> str:
        """Google's own endpoint."""
        return f"https://{self.host}/{self.path}"


APIS: Final = {
    api.name: api
    for api in (
        Api("compute", "v1", "compute/v1/", "COMPUTE"),
        Api("container", "v1", "v1/", "CONTAINER"),
        Api("dns", "v1", "dns/v1/", "DNS"),
        Api("cloudkms", "v1", "v1/", "KMS"),
        Api("iam", "v1", "v1/", "IAM"),
        Api("cloudresourcemanager", "v1", "v1/", "RESOURCE_MANAGER"),
        Api("serviceusage", "v1", "v1/", "SERVICE_USAGE"),
        Api("servicenetworking", "v1", "v1/", "SERVICE_NETWORKING"),
        Api("binaryauthorization", "v1", "v1/", "BINARY_AUTHORIZATION"),
        Api("storage", "v1", "storage/v1/", "STORAGE"),
        Api("logging", "v2", "v2/", "LOGGING"),
        Api("bigquery", "v2", "bigquery/v2/", "BIG_QUERY"),
        Api("bigqueryconnection", "v1", "v1/", "BIGQUERY_CONNECTION"),
        Api("bigqueryreservation", "v1", "v1/", "BIGQUERY_RESERVATION"),
        Api("bigquerydatapolicy", "v1", "v1/", "BIGQUERY_DATAPOLICY"),
        Api("datacatalog", "v1", "v1/", "DATA_CATALOG"),
        Api("biglake", "v1", "v1/", "BIGLAKE"),
        # The Iceberg REST catalog follows Iceberg's own specification, not a discovery document of Google's.
        Api("biglakeiceberg", "v1", "", "BIGLAKE_ICEBERG", host_of="biglake"),
        Api("billingbudgets", "v1", "v1/", "BILLING_BUDGETS"),
        Api("sqladmin", "v1beta4", "sql/v1beta4/", "SQL"),
        Api("secretmanager", "v1", "v1/", "SECRET_MANAGER"),
        Api("artifactregistry", "v1", "v1/", "ARTIFACT_REGISTRY"),
        Api("pubsub", "v1", "v1/", "PUBSUB"),
        Api("dataplex", "v1", "v1/", "DATAPLEX"),
        Api("firestore", "v1", "v1/", "FIRESTORE"),
        Api("bigtableadmin", "v2", "v2/", "BIGTABLE"),
        Api("accesscontextmanager", "v1", "v1/", "ACCESS_CONTEXT_MANAGER"),
        Api("dataproc", "v1", "v1/", "DATAPROC"),
        Api("cloudscheduler", "v1", "v1/", "CLOUD_SCHEDULER"),
        Api("run", "v2", "v2/", "CLOUD_RUN_V2"),
        Api("workflows", "v1", "v1/", "WORKFLOWS"),
        Api("monitoring", "v3", "", "MONITORING"),
        Api("redis", "v1", "v1/", "REDIS"),
    )
}
"""By name. The real provider speaks the beta versions of compute and container, whose additions no stable
environment may use; the twin is held to the stable ones."""
