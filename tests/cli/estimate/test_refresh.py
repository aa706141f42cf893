"""Renewal of prices: requests to a server on this machine that answers in the form of the price APIs."""

from __future__ import annotations

import json
import threading
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.estimate import aws_price_list, google_catalog, refreshing, table
from cli.output import CommandError

COLUMNS = (
    "SKU,OfferTermCode,RateCode,TermType,PriceDescription,EffectiveDate,StartingRange,EndingRange,Unit,"
    "PricePerUnit,Currency,usageType,operation,Database Engine"
)
ABOUT = '"FormatVersion","v1.0"\n"Disclaimer","x"\n"Publication Date","d"\n"Version","1"\n"OfferCode","o"\n'


def row(
    usage: str, usd: str, *, term: str = "OnDemand", start: str = "0", operation: str = "", engine: str = ""
) -> str:
    return f"s,t,r,{term},d,2026-11-01,{start},Inf,Hrs,{usd},USD,{usage},{operation},{engine}"


@contextmanager
def server(answer: Callable[[str, Any], bytes | None]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answer(self.path, self.headers)
            self.send_response(200 if body is not None else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}"
    finally:
        running.shutdown()
        thread.join()
        running.server_close()


def small(*keys: str, cloud: str = "aws") -> table.Table:
    full = table.load(cloud)
    return table.Table(cloud, full.region, full.same, full.sources, {key: full.prices[key] for key in keys})


def test_prices_of_aws_are_those_on_demand_of_the_first_paid_tier() -> None:
    files = {
        "AmazonEC2": [
            row("USW2-BoxUsage:m7i.large", "0.9", operation="RunInstances:0002"),
            row("USW2-BoxUsage:m7i.large", "0.5", term="Reserved", operation="RunInstances"),
            row("USW2-BoxUsage:m7i.large", "0.11", operation="RunInstances"),
            row("USW2-NatGateway-Hours", "0.05"),
        ],
        "AmazonRDS": [
            row("USW2-InstanceUsage:db.t4g.small", "0.030", engine="MySQL"),
            row("USW2-InstanceUsage:db.t4g.small", "0.033", engine="PostgreSQL"),
        ],
        "AmazonS3": [
            row("USW2-TimedStorage-ByteHrs", "0.022", start="51200"),
            row("USW2-TimedStorage-ByteHrs", "0.024"),
        ],
        "AmazonDynamoDB": [row("USW2-WriteRequestUnits", "0.000000625")],
    }

    def answer(path: str, _: Any) -> bytes | None:
        offer = path.split("/")[4]
        assert path == f"/offers/v1.0/aws/{offer}/current/us-west-2/index.csv"
        return (ABOUT + "\n".join([COLUMNS, *files[offer]]) + "\n").encode()

    wanted = small(
        "ec2/m7i.large", "nat/hours", "rds/db.t4g.small", "s3/standard", "dynamodb/writes", "ec2/spot"
    )
    with server(answer) as address:
        prices = aws_price_list.prices(wanted, "us-west-2", refreshing.QUERIES["aws"], address)
    assert prices == pytest.approx(
        {
            "ec2/m7i.large": 0.11,
            "nat/hours": 0.05,
            "rds/db.t4g.small": 0.033,
            "s3/standard": 0.024,
            "dynamodb/writes": 0.625,
        }
    )


def test_region_that_aws_does_not_have_is_an_error() -> None:
    with server(lambda *_: None) as address, pytest.raises(CommandError, match="404"):
        aws_price_list.prices(small("kms/key"), "mars-1", refreshing.QUERIES["aws"], address)


def test_prefixes_of_regions_have_three_forms() -> None:
    lines = [
        row("EU-BoxUsage:m7i.large", "0.11", operation="RunInstances"),
        row("eu-west-1-KMS-Keys", "1.0"),
    ]
    body = (ABOUT + "\n".join([COLUMNS, *lines]) + "\n").encode()
    with server(lambda *_: body) as address:
        wanted = small("ec2/m7i.large", "kms/key")
        prices = aws_price_list.prices(wanted, "eu-west-1", refreshing.QUERIES["aws"], address)
    assert prices == {"ec2/m7i.large": 0.11, "kms/key": 1.0}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>\n<body>\n1\n2\n3\n4\nerror</body>", "no price file: it lacks"),
        (b"", "no price file: it lacks"),
        (
            (ABOUT + COLUMNS + "\n" + row("BoxUsage:m7i.large", "free", operation="RunInstances")).encode(),
            "could not convert",
        ),
        (b"\xff\xfe\x00" * 99, "codec can't decode"),
    ],
    ids=["a page", "nothing", "no number", "no text"],
)
def test_price_file_of_another_form_is_an_error(body: bytes, message: str) -> None:
    with server(lambda *_: body) as address, pytest.raises(CommandError, match=message):
        aws_price_list.prices(small("ec2/m7i.large"), "us-east-1", refreshing.QUERIES["aws"], address)


def sku(description: str, nanos: int, region: str = "us-central1", usage: str = "OnDemand") -> dict[str, Any]:
    free = {"startUsageAmount": 0, "unitPrice": {"units": "0", "nanos": 0}}
    paid = {"startUsageAmount": 10, "unitPrice": {"units": "0", "nanos": nanos}}
    return {
        "description": description,
        "category": {"usageType": usage},
        "serviceRegions": [region],
        "pricingInfo": [{"pricingExpression": {"tieredRates": [free, paid]}}],
    }


def test_prices_of_google_cloud_are_sums_of_skus_of_the_region_over_all_pages() -> None:
    pages = {
        "": [
            sku("E2 Instance Core running in Frankfurt", 90_000_000, region="europe-west3"),
            sku("E2 Instance Core running in Americas", 20_000_000),
            sku("Spot Preemptible E2 Instance Core running in Americas", 10_000_000, usage="Preemptible"),
        ],
        "second": [
            sku("E2 Instance Ram running in Americas", 3_000_000),
            sku("Spot Preemptible E2 Instance Ram running in Americas", 1_000_000, usage="Preemptible"),
            sku("Balanced PD Capacity", 100_000_000),
        ],
    }

    def answer(path: str, headers: Any) -> bytes | None:
        assert headers["X-Goog-Api-Key"] == "key"
        assert "key=" not in path
        if path.startswith("/v1/services?"):
            services = [{"name": "services/6F81", "displayName": "Compute Engine"}]
            return json.dumps({"services": services}).encode()
        assert path.startswith("/v1/services/6F81/skus?")
        token = "second" if "pageToken=second" in path else ""
        more = {} if token else {"nextPageToken": "second"}
        return json.dumps({"skus": pages[token], **more}).encode()

    wanted = small(
        "compute/e2-standard-2", "compute/e2-standard-2/spot", "disk/pd-balanced", "dns/zone", cloud="gcp"
    )
    queries = refreshing.QUERIES
    with server(answer) as address:
        prices = google_catalog.prices(
            wanted, "us-central1", "key", queries["gcp"], queries["families"], address
        )
    assert prices == pytest.approx(
        {
            "compute/e2-standard-2": 2 * 0.02 + 8 * 0.003,
            "compute/e2-standard-2/spot": 2 * 0.01 + 8 * 0.001,
            "disk/pd-balanced": 0.1,
        }
    )


def test_google_cloud_without_a_key_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    with pytest.raises(CommandError, match=r"\$GOOGLE_API_KEY is not set"):
        refreshing.refresh(small("dns/zone", cloud="gcp"), "us-central1")


SERVICES = json.dumps({"services": [{"name": "services/6F81", "displayName": "Compute Engine"}]}).encode()


@pytest.mark.parametrize(
    ("skus", "message"),
    [
        (b"<html>", "no JSON"),
        (b"[]", "an answer of another form"),
        (
            json.dumps({"skus": [{**sku("Balanced PD Capacity", 1), "pricingInfo": []}]}).encode(),
            "has no price in",
        ),
        (
            json.dumps({"skus": [{**sku("Balanced PD Capacity", 1), "pricingInfo": [{}]}]}).encode(),
            "has no price in",
        ),
    ],
    ids=["a page", "a list", "no price", "a price of another form"],
)
def test_catalog_of_another_form_is_an_error(skus: bytes, message: str) -> None:
    def answer(path: str, _: Any) -> bytes:
        return SERVICES if path.startswith("/v1/services?") else skus

    queries = refreshing.QUERIES
    wanted = small("disk/pd-balanced", cloud="gcp")
    with server(answer) as address, pytest.raises(CommandError, match=message):
        google_catalog.prices(wanted, "us-central1", "key", queries["gcp"], queries["families"], address)


@pytest.mark.parametrize("usd", [0.0, 60.0, float("nan")], ids=str)
def test_price_that_changes_more_than_tenfold_is_refused_and_nothing_is_lost(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, usd: float
) -> None:
    before = small("kms/key", "nat/hours")
    table.save(before, tmp_path)
    text = (tmp_path / "aws.toml").read_text()
    monkeypatch.setattr(table, "FOLDER", tmp_path)
    monkeypatch.setattr(aws_price_list, "prices", lambda *_: {"kms/key": 1.0, "nat/hours": usd})
    result = CliRunner().invoke(app, ["prices", "refresh", "aws"])
    assert isinstance(result.exception, CommandError)
    assert "nat/hours" in str(result.exception)
    assert (tmp_path / "aws.toml").read_text() == text
    assert [file.name for file in tmp_path.iterdir()] == ["aws.toml"]


def test_prices_are_renewed_in_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table.save(small("kms/key", "nat/hours"), tmp_path)
    monkeypatch.setattr(table, "FOLDER", tmp_path)
    monkeypatch.setattr(aws_price_list, "prices", lambda *_: {"nat/hours": 0.05})
    result = CliRunner().invoke(app, ["prices", "refresh", "aws"])
    assert "1 price(s) renewed" in result.stdout
    assert "not in the API, unchanged: kms/key" in result.stderr
    after = tomllib.loads((tmp_path / "aws.toml").read_text())["prices"]
    assert after["nat/hours"]["usd"] == 0.05
    assert after["nat/hours"]["date"] > after["kms/key"]["date"]
