"""Amazon Managed Service for Prometheus: workspaces and their configuration."""

from __future__ import annotations

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.provider_interface import Props


class WorkspaceConfiguration(AwsResource):
    def unmake(self, context: AwsContext, id: str, state: Props) -> None:
        """Leave it as it is: a workspace always has a configuration, and the provider only forgets it."""
