"""Secrets that are removed from logs and traces, by the script that Fluent Bit runs, in LuaJIT."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import pytest

from aiplatform.observability.redaction import FUNCTION, key_expressions, redaction, script

lupa: Any = pytest.importorskip("lupa.luajit21")

MARK: Final = "[redacted]"
_UNCHANGED: Final = 0
_CHANGED: Final = 2


def redactor(keys: Sequence[str] = ()) -> Callable[[Mapping[str, Any]], tuple[int, Any]]:
    """Return a function from a record to the code of Fluent Bit and the record after the script."""
    runtime = lupa.LuaRuntime(encoding="utf-8")
    runtime.execute(script(keys))
    function = runtime.globals()[FUNCTION]

    def run(record: Mapping[str, Any]) -> tuple[int, Any]:
        table = runtime.table_from(record, recursive=True)
        code, timestamp, changed = function("kube.x", 1.5, table)
        assert timestamp == 1.5, "the time of a record never changes"
        return code, _plain(changed)

    return run


def _plain(value: Any) -> Any:
    if lupa.lua_type(value) != "table":
        return value
    entries = {key: _plain(entry) for key, entry in value.items()}
    return list(entries.values()) if entries and all(isinstance(key, int) for key in entries) else entries


REDACT: Final = redactor()


def text(line: str) -> str:
    """Return a line of text after the script."""
    return REDACT({"log": line})[1]["log"]


def examples() -> Iterator[Any]:
    """Yield name, text and secret of each example."""
    for name, pattern in redaction().patterns.items():
        for index, example in enumerate(pattern.examples):
            before, _, rest = example.rpartition("{") if example.count("{") > 1 else example.partition("{")
            secret, _, after = rest.partition("}")
            yield pytest.param(name, before + secret + after, secret, id=f"{name}-{index}")


@pytest.mark.parametrize(("name", "line", "secret"), list(examples()))
def test_a_secret_of_a_known_form_is_removed_from_a_log(name: str, line: str, secret: str) -> None:
    assert len(secret) >= 8, "an example names its secret"
    assert secret not in text(line)
    assert MARK in text(line), "a reader sees that something was removed"


@pytest.mark.parametrize(("name", "line", "secret"), list(examples()))
def test_a_secret_of_a_known_form_is_removed_from_a_trace(name: str, line: str, secret: str) -> None:
    regex = redaction().patterns[name].regex
    assert secret not in re.sub(regex, "****", line)


@pytest.mark.parametrize("name", redaction().patterns)
def test_a_pattern_alone_removes_its_example_whatever_the_others_do(name: str) -> None:
    pattern = redaction().patterns[name]
    runtime = lupa.LuaRuntime(encoding="utf-8")
    find = runtime.eval("function(text, pattern) return text:match(pattern) ~= nil end")
    for example in pattern.examples:
        line = example.replace("{", "").replace("}", "")
        assert find(line, pattern.lua), "the pattern of Lua matches"
        assert re.search(pattern.regex, line), "and so does the expression of the collector"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("db_password=hunter2 host=db", "db_password=[redacted] host=db"),
        ("PASSWORD: hunter2", "PASSWORD: [redacted]"),
        ('{"api_key": "abc def", "user": "x"}', '{"api_key": "[redacted]", "user": "x"}'),
        ("{'aws.secret-access-key': 'wJalr/XUtn'}", "{'aws.secret-access-key': '[redacted]'}"),
        ("export HF_TOKEN=abc", "export HF_TOKEN=[redacted]"),
        ("GET /v1?access_token=abc&user=x", "GET /v1?access_token=[redacted]&user=x"),
        ("wandb: WANDB_API_KEY=0123456789", "wandb: WANDB_API_KEY=[redacted]"),
        ("client_secret = s3cr3t;", "client_secret = [redacted];"),
        ("passphrase:correct", "passphrase:[redacted]"),
        # JSON in a text, and in a text of that.
        (r'body="{\"password\": \"hunter2\", \"a\": 1}"', r'body="{\"password\": \"[redacted]\", \"a\": 1}"'),
        (r"{\"q\": \"{\\\"token\\\": \\\"abc\\\"}\"}", r"{\"q\": \"{\\\"token\\\": \\\"[redacted]\\\"}\"}"),
        (r'{"password": "a\"hunter2", "user": "x"}', '{"password": "[redacted]", "user": "x"}'),
        (r'{"secret": "C:\\", "user": "x"}', '{"secret": "[redacted]", "user": "x"}'),
        ("password: 'hunter2, cut off", "password: '[redacted]"),
        # Headers as Go and Python write them.
        (
            '{"X-Api-Key":["abc","def"],"Host":["h"]}',
            '{"X-Api-Key":["[redacted]","[redacted]"],"Host":["h"]}',
        ),
        ("{'Cookie': ['sid=abc'], 'Host': ['h']}", "{'Cookie': ['[redacted]'], 'Host': ['h']}"),
        ("> Cookie: theme=dark; session=abc", "> Cookie: [redacted]"),
        ("msg: user=x: password=abc", "msg: user=x: password=[redacted]"),
        ("password=[redacted] token: [redacted]", "password=[redacted] token: [redacted]"),
        ('{"credentials": {"user": "x"}}', '{"credentials": {"user": "x"}}'),
    ],
)
def test_the_value_of_a_secret_key_is_removed_from_a_text(line: str, expected: str) -> None:
    assert text(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "step 400 loss=1.23 tokens=8192 tokens_per_second=51234",
        "max_token: 4096, use_token=true, hf_token=None",
        "{'eos_token': '</s>', 'pad_token': '<pad>', 'unk_token': '<unk>'}",
        "bearer token authentication is enabled",
        "Downloading shards: 100%|####| 2/2 [00:10<00:00,  5.2s/it]",
        "error: secret not-found",
        "Basic configuration: ASIA, sk-learn, hf_hub, ghp_x and eyJ",
        "http://kube-prometheus-stack-prometheus.monitoring:9090/api/v1/query",
        "s3://acme-dev-lakehouse/warehouse/db/table@v2",
    ],
)
def test_a_line_without_secrets_stays_as_it_is(line: str) -> None:
    code, record = REDACT({"log": line, "stream": "stdout"})
    assert record["log"] == line
    assert code == _UNCHANGED, "an unchanged record is not encoded again"


def test_a_structured_log_is_searched_at_every_level() -> None:
    code, record = REDACT(
        {
            "fields": {
                "msg": "ok",
                "request": {"headers": {"Authorization": "Bearer abc"}, "token": "abc", "retries": 3},
                "list": ["a", "postgres://u:hunter22@db/x"],
            },
            "kubernetes": {"pod_name": "p", "labels": {"app": "x"}},
        }
    )
    assert code == 2, "the record has changed, its time has not"
    request = record["fields"]["request"]
    assert request["token"] == MARK
    assert "abc" not in str(request)
    assert request["retries"] == 3
    assert record["fields"]["list"] == ["a", f"postgres://u:{MARK}@db/x"]
    assert record["kubernetes"] == {"pod_name": "p", "labels": {"app": "x"}}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"Authorization": ["Basic abc"], "Accept": ["x"]}, {"Authorization": [MARK], "Accept": ["x"]}),
        (
            {"credentials": {"user": "a", "more": {"key": "b"}}},
            {"credentials": {"user": MARK, "more": {"key": MARK}}},
        ),
        ({"password": 12345678, "retries": 3}, {"password": MARK, "retries": 3}),
        (
            {"max_token": 4096, "use_token": True, "step": 1},
            {"max_token": 4096, "use_token": True, "step": 1},
        ),
    ],
)
def test_all_that_is_below_a_secret_key_of_a_structured_log_is_removed(
    fields: Mapping[str, Any], expected: Mapping[str, Any]
) -> None:
    assert REDACT({"fields": fields})[1]["fields"] == expected


@pytest.mark.parametrize(
    "line",
    [
        "ab12" * 50_000,
        "a1.b2-c3_" * 20_000,
        "c3:5f:" * 30_000,
        "a=" * 100_000,
        "-----" * 40_000,
        'a b="' * 30_000,
    ],
)
def test_a_long_line_is_searched_in_a_moment(line: str) -> None:
    began = time.process_time()
    assert text(f"{line} password=hunter2").endswith("password=[redacted]")
    assert time.process_time() - began < 5, "Fluent Bit reads nothing else of its node meanwhile"


def test_a_record_that_is_too_deep_to_search_is_cut() -> None:
    record: dict[str, Any] = {"password": "hunter2"}
    for _ in range(40):
        record = {"x": record}
    assert "hunter2" not in str(REDACT({"fields": record})[1])


def test_the_severity_of_a_structured_log_becomes_that_of_the_record() -> None:
    for key, value in (("severity", "warning"), ("level", "ERROR"), ("levelname", "info"), ("lvl", "Debug")):
        assert REDACT({"fields": {key: value}})[1]["severity"] == value.upper()
    assert "severity" not in REDACT({"fields": {"level": 3}})[1]
    assert "severity" not in REDACT({"log": "level=error"})[1]


LIMIT: Final = 256 * 1024
"""Bytes of an entry of Cloud Logging ("Quotas and limits": size of a LogEntry)."""
PLACE: Final = {"namespace_name": "search", "pod_name": "train-0", "labels": {"app": "train"}}


@pytest.mark.parametrize("length", [300_000, 2_000_000])
@pytest.mark.parametrize("character", ["x", "é", "語", "𝄞"])
def test_a_message_that_the_store_would_refuse_is_cut_visibly(length: int, character: str) -> None:
    line = "loss=1 " + character * (length // len(character.encode()))
    code, record = REDACT({"log": line, "kubernetes": PLACE, "stream": "stdout"})
    assert code == _CHANGED
    assert len(json.dumps(record, ensure_ascii=False).encode()) < LIMIT
    beginning, _, mark = record["log"].rpartition("[cut, ")
    assert line.startswith(beginning), "no character is cut in two"
    assert len(beginning) > 40_000
    assert mark == f"{len(line.encode())} bytes]"
    assert record["kubernetes"] == PLACE, "whose it is stays known"


def test_a_message_of_many_quotes_fits_into_an_event_of_cloudwatch() -> None:
    record = REDACT({"log": '"' * 300_000, "kubernetes": PLACE})[1]
    # The event is a text in JSON, and its text is the record in JSON.
    assert len(json.dumps(json.dumps(record))) < 1_000_000, "Fluent Bit would cut off the metadata"


def test_of_a_structured_message_the_longest_texts_are_cut() -> None:
    fields = {"level": "error", "msg": "no answer", "request": "r" * 300_000, "headers": ["h" * 150_000] * 2}
    code, record = REDACT({"fields": fields, "kubernetes": PLACE})
    assert (code, record["severity"]) == (_CHANGED, "ERROR")
    assert len(json.dumps(record)) < LIMIT
    assert record["fields"]["msg"] == "no answer"
    assert record["fields"]["request"].endswith("r[cut, 300000 bytes]")
    assert [text.rpartition("h")[2] for text in record["fields"]["headers"]] == ["[cut, 150000 bytes]"] * 2


def test_a_message_of_too_many_short_texts_is_dropped_visibly() -> None:
    record = REDACT({"fields": {f"key-{number}": "x" * 50 for number in range(9000)}, "kubernetes": PLACE})[1]
    assert re.fullmatch(r"\[cut, \d{6} bytes\]", record["log"])
    assert "fields" not in record
    assert record["kubernetes"] == PLACE


def test_labels_without_end_do_not_keep_a_message_away() -> None:
    labels = {f"label-{number}": "x" * 63 for number in range(9000)}
    record = REDACT({"log": "x", "kubernetes": {**PLACE, "labels": labels}})[1]
    assert len(json.dumps(record)) < LIMIT
    assert record["kubernetes"]["pod_name"] == "train-0"


def test_a_secret_at_the_place_of_the_cut_is_removed() -> None:
    line = "x" * 199_995 + " password=hunter2hunter2 " + "y" * 100_000
    assert "hunter" not in text(line)


def test_a_message_below_the_limit_stays_as_it_is() -> None:
    assert REDACT({"log": "x" * 230_000, "kubernetes": PLACE})[0] == _UNCHANGED


def test_keys_of_an_environment_are_secrets_too() -> None:
    run = redactor(["card_number", "X-Internal.Id"])
    assert (
        run({"log": "cardNumber=4111 Card-Number: x y"})[1]["log"]
        == f"cardNumber={MARK} Card-Number: {MARK} y"
    )
    assert run({"fields": {"x_internal_id": "abc"}})[1]["fields"]["x_internal_id"] == MARK
    assert REDACT({"fields": {"x_internal_id": "abc"}})[0] == _UNCHANGED


def test_a_key_cannot_change_the_script() -> None:
    run = redactor(['x" } os.exit(1) --', "tail\\"])
    assert run({"log": "password=hunter2"})[1]["log"] == f"password={MARK}"


@pytest.mark.parametrize("key", ["password", "DB_PASSWORD", "x-api-key", "aws.secret_access_key", "hf_token"])
def test_the_collector_masks_attributes_with_secret_names(key: str) -> None:
    assert any(re.search(expression, key) for expression in key_expressions())


@pytest.mark.parametrize("key", ["gen_ai.usage.input_tokens", "http.route", "tokenizer", "secretary.name"])
def test_the_collector_keeps_other_attributes(key: str) -> None:
    assert not any(re.search(expression, key) for expression in key_expressions())


def test_expressions_of_the_collector_are_ones_of_re2() -> None:
    for pattern in redaction().patterns.values():
        for unknown in ("(?=", "(?!", "(?<=", "(?<!", "\\1"):
            assert unknown not in pattern.regex, "RE2 has neither lookaround nor backreferences"
