"""EventBridge: rules and targets through the API server."""

from __future__ import annotations

import json

import pytest

from twin.provider_interface import CloudError
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources.life import make, refused

RULE = "aws:cloudwatch/eventRule:EventRule"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
ARRIVALS = json.dumps({"source": ["aws.s3"], "detail-type": ["Object Created"]})


def test_a_rule_and_its_target_are_made_changed_and_gone(clients: Clients) -> None:
    context = clients.context()
    clients("logs").create_log_group(logGroupName="/aws/events/arrivals")
    arn = f"arn:aws:logs:us-west-2:{context.account}:log-group:/aws/events/arrivals"
    rule = make(context, RULE, name="arrivals", eventPattern=ARRIVALS, tags={"zone": "raw"})
    assert rule.outputs["arn"].endswith(":rule/arrivals")
    assert rule.outputs["state"] == "ENABLED"
    target = make(context, TARGET, rule="arrivals", targetId="logs", arn=arn)
    with pytest.raises(CloudError, match="has targets"):
        rule.delete()
    assert clients.server._inventory.of(clients.server)["events/rules"] == ["arrivals"]
    changed = rule.update(description="What comes in", state="DISABLED")
    assert (changed["description"], changed["state"]) == ("What comes in", "DISABLED")
    assert changed["tags"] == {"zone": "raw"}
    retry = {"maximumRetryAttempts": 3, "maximumEventAgeInSeconds": 60}
    assert target.update(retryPolicy=retry)["retryPolicy"] == retry
    target.delete()
    assert target.read() is None
    rule.delete()
    assert rule.read() is None
    assert "events/rules" not in clients.server._inventory.of(clients.server)


def test_a_target_is_read_where_the_names_of_rule_and_target_have_dashes(clients: Clients) -> None:
    context = clients.context()
    clients("sqs").create_queue(QueueName="failures")
    make(context, RULE, name="daily-scores-ended", eventPattern=ARRIVALS)
    arn = f"arn:aws:sqs:us-west-2:{context.account}:failures"
    target = make(context, TARGET, rule="daily-scores-ended", targetId="dead-letter", arn=arn)
    state = target.read()
    assert state is not None, "its id does not say where the name of the rule ends"
    assert (state["rule"], state["targetId"]) == ("daily-scores-ended", "dead-letter")


def test_a_pattern_must_be_one_and_a_target_needs_its_rule(clients: Clients) -> None:
    context = clients.context()
    for number, pattern in enumerate(
        (
            '{"source": "aws.s3"}',
            '{"source": []}',
            '{"source": [{"begins": "aws."}]}',
            '{"source": [{"prefix": "aws.", "suffix": "s3"}]}',
            '{"detail": {"error": [{"exists": "no"}]}}',
            '["aws.s3"]',
        )
    ):
        with pytest.raises(CloudError, match="Event pattern is not valid") as caught:
            make(context, RULE, name=f"pattern-{number}", eventPattern=pattern)
        assert caught.value.path == "eventPattern", pattern
    for number, schedule in enumerate(("cron(0 12 * * *)", "rate(1 minutes)", "rate(0 hours)", "every day")):
        with pytest.raises(CloudError, match="ScheduleExpression is not valid"):
            make(context, RULE, name=f"schedule-{number}", scheduleExpression=schedule)
    assert "eventPattern" in refused(context, RULE, name="x")
    with pytest.raises(CloudError) as caught:
        make(context, TARGET, rule="nothing", targetId="x", arn="arn:aws:sqs:us-west-2:123456789012:q")
    assert caught.value.path == "rule"
