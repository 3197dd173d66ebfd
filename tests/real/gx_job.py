"""Validates a table of orders with Great Expectations, as a job would; run in its environment."""

import sys

import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
from watchbill_great_expectations import WatchbillAction

ORDERS = {
    "bad": {"id": [1, 2, 2], "customer": ["ana@example.com", None, "x"], "amount": [5, -1, 1000]},
    "good": {
        "id": [1, 2, 3],
        "customer": ["a", "b", "c"],
        "amount": [5, 6, 7],
        "region": ["EU"] * 3,
    },
}


def main(what: str) -> None:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_pandas("warehouse")
    batch = source.add_dataframe_asset(name="orders").add_batch_definition_whole_dataframe("all")
    expectations = [
        gxe.ExpectColumnValuesToNotBeNull(column="customer", meta={"data_product": "orders"}),
        gxe.ExpectColumnValuesToBeInSet(column="customer", value_set=["a", "b", "c"]),
        gxe.ExpectColumnValuesToBeUnique(column="id", severity="warning"),
        gxe.ExpectColumnValuesToBeBetween(column="amount", min_value=0, severity="info"),
        gxe.ExpectColumnValuesToBeBetween(column="amount", max_value=100),
        gxe.ExpectColumnValuesToNotBeNull(column="region"),
        gxe.ExpectTableRowCountToBeBetween(min_value=1, max_value=10),
    ]
    suite = context.suites.add(gx.ExpectationSuite(name="orders_suite", expectations=expectations))
    checked = context.validation_definitions.add(
        gx.ValidationDefinition(name="orders", data=batch, suite=suite)
    )
    checkpoint = gx.Checkpoint(
        name="orders_daily",
        validation_definitions=[checked],
        actions=[WatchbillAction(name="watchbill", labels={"team": "shop"}, wait=False)],
        result_format="COMPLETE",
    )
    result = context.checkpoints.add(checkpoint).run(
        batch_parameters={"dataframe": pd.DataFrame(ORDERS[what])}
    )
    print("success" if result.success else "failure")


if __name__ == "__main__":
    main(sys.argv[1])
