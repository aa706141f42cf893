"""The one provider of an environment: this place, this account or project and no other, these tags on all."""

from __future__ import annotations

import pulumi

from stacks.settings import Environment, Settings


def of(settings: Settings) -> pulumi.ProviderResource:
    """The provider of the environment's cloud."""
    make = _google if settings.environment.cloud == "gcp" else _aws
    return make(settings.environment)


# The SDKs are imported late: each takes a second to load, and an environment has one cloud.


def _aws(environment: Environment) -> pulumi.ProviderResource:
    import pulumi_aws as aws

    assert environment.account_id is not None, "stacks/validation/environment.py reports a missing one"  # noqa: S101
    return aws.Provider(
        "aws",
        region=environment.region,
        allowed_account_ids=[environment.account_id],
        default_tags=aws.ProviderDefaultTagsArgs(tags=environment.all_tags),
    )


def _google(environment: Environment) -> pulumi.ProviderResource:
    import pulumi_gcp as gcp

    return gcp.Provider(
        "gcp",
        project=environment.project_id,
        region=environment.region,
        default_labels=environment.all_tags,
        # Quota and the enabled services are those of this project, whoever's credentials call.
        billing_project=environment.project_id,
        user_project_override=True,
    )
