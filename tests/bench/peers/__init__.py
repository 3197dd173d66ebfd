"""Watchbill beside others, column by column: what runs here is measured, the rest is cited."""
