#!/usr/bin/env python3
"""Tells Watchbill how a dbt command went; standard library only, Python 3.9 and later.

    dbt build; code=$?
    python watchbill_dbt.py target/run_results.json
    exit $code

Copy it into the dbt job together with dbt_artifacts.py and courier.py (see README.md).
"""

import argparse
import os
import sys
import time
from pathlib import Path

try:
    import courier
    import dbt_artifacts
except ImportError:  # not copied: run from a checkout or where the bot is installed
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    from bot import courier
    from bot.sources import dbt_artifacts


def main(words: "list[str] | None" = None) -> int:
    """Return 0 when everything arrived, 1 when not, 2 when a file cannot be read."""
    parser = argparse.ArgumentParser(description="Send dbt results to Watchbill.")
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="run_results.json or sources.json"
    )
    parser.add_argument("--manifest", type=Path, help="default: manifest.json beside each file")
    parser.add_argument("--target", default=os.environ.get("DBT_TARGET", ""), help="the dbt target")
    parser.add_argument(
        "--url", default=os.environ.get("WATCHBILL_URL", ""), help="…/hooks/<source>"
    )
    asked = parser.parse_args(words)
    if not asked.url:
        say(
            "Set WATCHBILL_URL to the address of the source, as in https://watchbill.example/hooks/dbt"
        )
        return 2
    worst = 0
    for file in asked.files:
        try:
            worst = max(worst, send(file, asked))
        except dbt_artifacts.ArtifactError as error:
            say(str(error))
            worst = 2
        except OSError as error:
            say("%s cannot be read: %s." % (file, error.strerror or error))
            worst = 2
    return worst


def send(file: Path, asked: argparse.Namespace) -> int:
    for document in dbt_artifacts.documents(file, asked.manifest, asked.target):
        parcel = courier.Parcel(
            asked.url,
            dbt_artifacts.encode(document),
            # Never an argument: other people of the machine could read it.
            secret=os.environ.get("WATCHBILL_SECRET", ""),
            delivery=dbt_artifacts.delivery_id(document),
        )
        receipt = courier.carry(parcel, sleep=time.sleep, say=say)
        if not receipt.accepted:
            say("%s was not delivered. %s" % (file.name, receipt.text))
            say(courier.advice(receipt, asked.url))
            return 1
        say("Sent %d results of %s." % (len(document["results"]), file.name))
    return 0


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
