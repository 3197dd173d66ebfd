"""A believable past for the journal: many incidents of many products, written down."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from rules.journal.entry import Facts, JournalEntry, Told

_PRODUCTS = ["sales", "finance", "crm", "clickstream", "inventory", "marketing", "payroll", "logistics", "subscriptions", "weather", "ads", "pricing", "support", "platform", "hr", "bookings", "iot", "loyalty", "search", "returns", "tax", "geo", "risk", "events", "products", "mobile", "churn", "backup", "energy", "streaming", "compliance", "media", "experiments", "billing", "fraud", "stores", "audit"]
_THINGS = ["orders", "customers", "payments", "invoices", "refunds", "sessions", "pageviews", "contacts", "leads", "stock", "shipments", "prices", "costs", "budgets", "forecasts", "tickets", "calls", "surveys", "employees", "absences", "meters", "devices", "readings", "points", "vouchers", "queries", "clicks", "impressions", "postcodes", "addresses", "exposures", "trades", "limits", "events", "checkouts", "carts", "plans", "seats", "usage", "licences", "installs", "crashes", "reviews", "ratings", "videos", "streams", "tests"]
_KINDS: Sequence[tuple[str, str, str, str, str, str]] = (
    ("airflow", "pipeline_failure", "Task load_{thing} in {product}_daily failed",
     "psycopg2.errors.DeadlockDetected: deadlock detected", "Two jobs wrote {thing} at once",
     "Cleared the task load_{thing}"),
    ("airflow", "pipeline_failure", "{product}_hourly.transform_{thing} failed",
     "ValueError: time data does not match format", "A vendor changed the date format of {thing}",
     "Parsed both formats and reran"),
    ("dbt", "data_test_failure", "not_null_{asset}_{thing}_id failed with {n} rows", "",
     "The CRM sent {thing} without an id", "Filtered them and reported it"),
    ("dbt", "duplicates", "unique_{asset}_{thing}_key failed", "{n} duplicated rows",
     "A retry loaded {thing} twice", "Full refresh of {asset}"),
    ("dbt", "freshness", "source {product}.{thing} is stale", "loaded {n} hours ago",
     "The vendor's export of {thing} was late", "Waited; it came at noon"),
    ("great_expectations", "volume", "expect_table_row_count_to_be_between failed on {asset}",
     "observed {n}", "A holiday: there were few {thing}", "Nothing; widened the range"),
    ("great_expectations", "distribution", "expect_column_mean failed on {asset}.{thing}",
     "", "A test account bought {n} {thing}", "Excluded the account"),
    ("sentry", "pipeline_failure", "KeyError in sync_{thing}", "{thing}_id",
     "{thing} got a new field", "Made the field optional"),
    ("sentry", "pipeline_failure", "ConnectionError: {product} api unreachable",
     "Max retries exceeded", "The vendor of {product} was down", "Waited for them"),
    ("gcp_logging", "infrastructure_failure", "BigQuery quota exceeded in {product}",
     "too many table updates of {thing}", "A loop updated {thing} row by row", "Batched it"),
    ("gcp_monitoring", "infrastructure_failure", "Cloud SQL cpu above 90 % on {product}-db", "",
     "A missing index on {thing}", "Added the index"),
    ("alertmanager", "infrastructure_failure", "KubeJobFailed {product}-{thing}",
     "OOMKilled", "{thing} grew", "Gave it more memory"),
    ("grafana", "freshness", "{asset} lag is high", "{n} minutes", "A slow consumer of {thing}",
     "Scaled it out"),
    ("generic", "schema", "Schema of {asset} changed: column {thing}_code added", "",
     "A release of {product}", "Added the column to the contract"),
    ("github", "pipeline_failure", "Workflow build-{product} failed", "flaky test of {thing}",
     "A flaky test", "Ran it again"),
    ("airflow", "access", "export_{thing} failed: permission denied for schema {product}", "403",
     "A role was removed", "Granted the role again"),
)
_CAUSES = ("source_change", "source_late", "code_change", "infrastructure", "access", "capacity")


def past_entries(
    count: int, now: datetime, *, first: int = 1, known: Sequence[tuple[str, str]] = ()
) -> Iterator[JournalEntry]:
    """Yield entries, the oldest first; every third is of one of the `known` products and assets."""
    chance = random.Random(20_261_122)
    for number in range(first, first + count):
        source, category, title, description, cause, fix = chance.choice(_KINDS)
        product, thing = chance.choice(_PRODUCTS), chance.choice(_THINGS)
        asset = f"marts.{product}_{thing}"
        if known and number % 3 == 0:
            product, asset = chance.choice(known)
        names = {
            "product": product or "platform",
            "thing": thing,
            "asset": asset.rpartition(".")[2] or thing,
            "n": chance.randint(2, 9_000),
        }
        titled = title.format_map(names)
        yield JournalEntry(
            id=f"past{number}",
            number=number,
            at=now - timedelta(minutes=20 * (first + count - number)),
            changed_at=now,
            changed_by="ana@example.com",
            by="ana@example.com",
            told=Told(
                symptom=chance.choice(("Old numbers", "Wrong numbers", "Nothing", "An empty page")),
                cause_class=chance.choice(_CAUSES),
                cause=cause.format_map(names),
                fix=fix.format_map(names),
            ),
            facts=Facts(
                title=titled,
                source=source,
                thing=f"{source}\n{titled}",
                product=product,
                asset=asset,
                category=category,
                description=description.format_map(names),
                resolved_by="ana@example.com",
            ),
        )
