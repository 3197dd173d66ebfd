"""Reads data products and their assets: catalogue YAML, ODCS contracts, dbt manifests."""
