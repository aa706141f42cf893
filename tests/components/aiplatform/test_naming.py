"""Physical names: never too long, because a prefix that would make one so is refused."""

import pytest
from botocore.loaders import Loader
from hypothesis import given
from hypothesis import strategies as st

from aiplatform import naming
from aiplatform.naming import PhysicalName, aws_tags, dns_label, google_labels, prefix_for

_KINDS = [
    kind
    for kind in vars(naming).values()
    if isinstance(kind, naming.Kind) and kind is not naming.SSM_PARAMETER
]
_PREFIXES = st.from_regex(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", fullmatch=True)


@given(st.sampled_from(_KINDS), _PREFIXES, st.text("abc-", min_size=1, max_size=30))
def test_a_prefix_that_the_rule_accepts_makes_no_name_too_long(kind: naming.Kind, prefix: str, purpose: str):
    name = PhysicalName(kind, "{prefix}-" + purpose)
    if prefix_for(name)(prefix) is None:
        assert len(name.of(prefix)) + kind.suffix <= kind.limit


def test_the_longest_prefix_is_allowed_and_one_more_is_not():
    role = PhysicalName(naming.IAM_ROLE_PREFIX, "{prefix}-node")
    rule = prefix_for(role)
    longest = 64 - 26 - len("-node-")
    assert rule("a" * longest) is None
    reason = rule("a" * (longest + 1))
    assert reason is not None
    assert f"at most {longest} characters, got {longest + 1}" in reason
    assert "which may have 64" in reason, "the error states the limit"


def test_the_smallest_of_several_limits_is_reported():
    names = [PhysicalName(naming.LOG_GROUP, "/x/{prefix}"), PhysicalName(naming.S3_BUCKET, "{prefix}-data")]
    reason = prefix_for(*names)("a" * 600)
    assert reason is not None
    assert "an S3 bucket's name" in reason


def test_a_prefix_is_lower_case_words():
    rule = prefix_for()
    assert rule("acme-dev") is None
    for wrong in ("", "Acme-dev", "acme_dev", "-acme", "acme-", "acme--dev", "1acme"):
        assert rule(wrong) is not None, wrong


def test_a_name_that_is_replaced_ends_with_a_hyphen_for_its_suffix():
    assert PhysicalName(naming.IAM_ROLE_PREFIX, "{prefix}-node").of("acme-dev") == "acme-dev-node-"
    assert PhysicalName(naming.EKS_CLUSTER, "{prefix}-cluster").of("acme-dev") == "acme-dev-cluster"


def test_tags_are_what_aws_accepts():
    assert aws_tags({"owner": "ml-platform@acme.example", "Größe": "klein"}) is None
    for wrong in ({"aws:x": "1"}, {"": "1"}, {"k" * 129: "1"}, {"k": "v" * 257}, {"k": "a;b"}):
        assert aws_tags(wrong) is not None, wrong
    assert "at most 50" in str(aws_tags({f"k{n}": "v" for n in range(51)}))


def test_labels_are_what_google_cloud_accepts():
    assert google_labels({"owner": "ml-platform", "größe": "", "a_b": "1-2_3"}) is None
    upper = {"Owner": "x"}, {"owner": "ML"}
    for wrong in (*upper, {"": "1"}, {"1a": "1"}, {"k" * 64: "1"}, {"k": "v" * 64}, {"k": "a@b"}):
        assert google_labels(wrong) is not None, wrong
    assert "at most 64" in str(google_labels({f"k{n}": "v" for n in range(65)}))


def test_a_dns_label_has_no_hyphen_at_its_ends():
    assert dns_label("pool-1") is None
    for wrong in ("", "-a", "a-", "A", "a.b", "a" * 64):
        assert dns_label(wrong) is not None, wrong


@pytest.mark.parametrize(
    ("kind", "service", "shape"),
    [
        (naming.ECR_CACHE, "ecr", "PullThroughCacheRuleRepositoryPrefix"),
        (naming.ECR_REPOSITORY, "ecr", "RepositoryName"),
        (naming.EVENT_RULE, "events", "RuleName"),
        (naming.GLUE_JOB, "glue", "NameString"),
        (naming.KMS_ALIAS, "kms", "AliasNameType"),
        (naming.LOG_GROUP, "logs", "LogGroupName"),
        (naming.DATA_STREAM, "firehose", "DeliveryStreamName"),
        (naming.DYNAMODB_TABLE, "dynamodb", "TableName"),
        (naming.SECRET, "secretsmanager", "NameType"),
    ],
    ids=str,
)
def test_a_limit_is_that_of_the_services_api_model(kind: naming.Kind, service: str, shape: str):
    model = Loader().load_service_model(service, "service-2")
    assert kind.limit == model["shapes"][shape]["max"]


def test_limits_that_no_api_model_has_are_those_of_the_documentation():
    # "General purpose bucket naming rules"; CreateDBInstance and "IAM and AWS STS quotas".
    assert (naming.S3_BUCKET.limit, naming.RDS_INSTANCE.limit, naming.IAM_ROLE_PREFIX.limit) == (63, 63, 64)
