"""The committed estimates, docs/estimates/, and the table of them in README.md."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cli.estimate import committed, rules, table, usage
from cli.estimate.estimate import document
from cli.estimate.report import dollars
from tests.cli.estimate.recorded import estimated
from tests.generating import tables
from tests.stacks.environments import STACKS

PAGE: Final = committed.FOLDER / "README.md"
BEGIN: Final = "<!-- estimates: written by `make generate` -->\n"
END: Final = "<!-- end of the estimates -->\n"
_KEYS: Final = ("idle", "expected", "maximum")
_HEADINGS: Final = ("idle", "expected", "at maximum")


def documents() -> Mapping[str, dict[str, Any]]:
    """Return environment -> its estimate."""
    return {stack: document(estimated(stack)) for stack in STACKS}


def paths() -> list[Path]:
    """Return the paths of the estimates and of their page."""
    return [PAGE, *map(committed.path, STACKS)]


def files() -> Mapping[Path, str]:
    """Return the contents of the estimates and of their page by path."""
    estimates = documents()
    return {
        PAGE: _page(estimates),
        **{committed.path(name): committed.text(doc) for name, doc in estimates.items()},
    }


def with_table(page: str) -> str:
    """Return README.md with the table of today's estimates."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"README.md: expected the lines {BEGIN!r} and {END!r}")
    rows = [[f"`{name}`", *_cells(doc["usd_per_month"])] for name, doc in documents().items()]
    return f"{before}{BEGIN}{tables.table(['dollars a month', *_HEADINGS], rows)}\n{END}{after}"


def _cells(cost: Mapping[str, float]) -> list[str]:
    return [dollars(cost[key]) for key in _KEYS]


def _page(estimates: Mapping[str, dict[str, Any]]) -> str:
    return tables.page(
        "# Estimates",
        "Dollars a month of each environment by list prices, as `aiplatform estimate` reports them: how they "
        "are made, and what they leave out, is in [cost.md](../cost.md). The JSON files next to this page "
        "have every line.",
        *(part for name, doc in estimates.items() for part in _environment(name, doc)),
        "## Expected hours of pools",
        "Hours a month in which all nodes of a pool run, beyond its minimum, where `ai-platform:cost` of the "
        "environment's file states none.",
        tables.table(
            ["profile", "CPU pools", "pools with accelerators", "a price is old after, days"],
            [
                [
                    profile,
                    *(f"{usage.Usage(profile).of_pool('', accelerator=kind):g}" for kind in (False, True)),
                    usage.max_price_age_days(profile),
                ]
                for profile in ("dev", "staging", "prod")
            ],
        ),
        "## Expected use",
        "Units a month for each resource of the type, where `ai-platform:cost` states none.",
        tables.table(
            [
                "type",
                "item",
                "price",
                "unit",
                "dev, idle",
                "dev",
                "staging, idle",
                "staging",
                "prod, idle",
                "prod",
            ],
            [_usage(rule) for rule in rules.USAGE],
        ),
        "## Sources of prices",
        *(
            tables.table(
                [f"`{cloud}.toml`", "source"],
                [[key, text] for key, text in table.load(cloud).sources.items()],
            )
            for cloud in table.CLOUDS
        ),
        "## Types that cost nothing",
        tables.table(["type", "why"], [[f"`{pattern}`", why] for pattern, why in rules.FREE.items()]),
    )


def _environment(name: str, doc: Mapping[str, Any]) -> list[str]:
    rows = [[component, *_cells(cost)] for component, cost in doc["components"].items()]
    rows.append(["**total**", *_cells(doc["usd_per_month"])])
    teams = [[team, *_cells(cost)] for team, cost in doc["teams"].items()]
    unpriced = [f"{entry['resource']}: {entry['reason']}" for entry in doc["unpriced"]]
    return [
        f"## {name}",
        tables.table(["component", *_HEADINGS], rows),
        tables.table(["team", *_HEADINGS], teams),
        f"Unpriced, in no sum: {'; '.join(unpriced) or 'none'}.",
    ]


def _usage(rule: Mapping[str, Any]) -> list[object]:
    cloud = str(rule["type"]).partition(":")[0]
    amounts = [
        f"{rule[key][profile]:g}" for profile in ("dev", "staging", "prod") for key in ("idle", "expected")
    ]
    unit = table.load(cloud).prices[rule["price"]].unit
    named = f" `{rule['name']}`" if "name" in rule else ""
    return [f"`{rule['type']}`{named}", rule["item"], f"`{rule['price']}`", unit, *amounts]
