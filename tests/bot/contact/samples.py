"""Summonses for tests."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.ports.contact import Summons

SINCE = datetime(2026, 11, 23, 3, 5, tzinfo=UTC)
ACK = "https://watchbill.example/ack/token.mac"


def summons(**more: Any) -> Summons:
    usual = Summons(
        key="contact:1:i1:0.0.0:ana",
        person="Ana",
        address="+4917012345678",
        number=42,
        title="orders failed",
        priority="P1",
        why="you are primary of data",
        details=(("Product", "orders"), ("Runbook", "")),
        ack_url=ACK,
        press_url="https://watchbill.example/contact/twilio/pressed/t.m",
        status_url="https://watchbill.example/contact/twilio/status/t.m",
        code="123456",
        since=SINCE,
    )
    return replace(usual, **more)
