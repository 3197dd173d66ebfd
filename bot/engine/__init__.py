"""Turns deliveries, clicks and the passing of time into decisions, one transaction each."""
