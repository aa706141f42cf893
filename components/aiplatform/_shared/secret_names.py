"""Secrets and keys of a cloud, as arguments name them."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi import Input

from aiplatform._shared.args import Problem, Rule, got, is_unknown, matches, obeys
from aiplatform._shared.cloud_support import Cloud
from aiplatform._shared.outputs import mapped

_PREFIXES: Final = "hf_|gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk-|AKIA|ASIA|AIza"
_NO_CREDENTIAL: Final = f"(?!({_PREFIXES})[A-Za-z0-9_-]{{16,}}$)"
"""What no name of a secret is: the token itself, of Hugging Face, GitHub, GitLab, Slack, AI services, AWS or
Google, which is easily pasted in its place."""
SECRET: Final[Mapping[Cloud, Rule]] = {
    "aws": matches(
        # IAM compares whole arns, which end with six characters of Secrets Manager's.
        _NO_CREDENTIAL
        + r"([\w/+=.@-]{1,512}|arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+-\w{6,})",
        "the name of a secret, or its arn with the six characters at its end; never the secret itself",
    ),
    "gcp": matches(
        _NO_CREDENTIAL + r"(projects/[^/\s]+/secrets/)?[a-zA-Z0-9_-]{1,255}",
        "the id of a secret, or projects/PROJECT/secrets/ID; never the secret itself",
    ),
}
"""Cloud -> the rule for a secret there."""
KMS_KEY: Final = matches(
    r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[\w-]+",
    "a key's arn, arn:aws:kms:us-west-2:111122223333:key/...",
)
"""A rule: a key of AWS KMS."""
KEY: Final[Mapping[Cloud, Rule]] = {
    "aws": KMS_KEY,
    "gcp": matches(
        r"projects/[^/\s]+/locations/[^/\s]+/keyRings/[^/\s]+/cryptoKeys/[^/\s]+",
        "a key, projects/PROJECT/locations/REGION/keyRings/RING/cryptoKeys/KEY",
    ),
}
"""Cloud -> the rule for a key there."""


def location_of_key(key: str) -> str:
    """Return the region of a key on AWS, or the location of one on Google Cloud."""
    return key.split(":" if key.startswith("arn:") else "/")[3]


def key_problems(path: str, key: Input[str] | None, cloud: Cloud, region: str | None) -> Iterator[Problem]:
    """Yield the problem of an argument that names an existing key: its form, or its location.

    region: of what it encrypts, None where it is not known, such as that of AWS' provider. Services of Google
    Cloud that store data in a region take keys of that region alone (Cloud KMS, "CMEK best practices":
    locations).
    """
    wrong = [] if key is None else list(obeys(path, key, KEY[cloud]))
    yield from wrong
    if key is None or wrong or is_unknown(key) or region is None:
        return
    location = location_of_key(str(key))
    if location != region:
        yield Problem(path, f"{got(key)}, a key in {location}; expected one in {region}, as what it encrypts")


def google_id(secret: Input[str]) -> Input[str]:
    """Return the id of a secret of Google Cloud, which is stated as an id or as `projects/.../secrets/ID`."""
    return mapped(secret, lambda known: known.rpartition("/")[2])
