"""What config.yaml may say of followers and notices, and what it says of mistakes."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.config.file import load
from bot.config.settings import Config
from rules.schedule.following import Follower, FollowerKind

START = """
slack: {mode: local}
rotations: {data-platform: {zone: UTC}}
"""


def read(folder: Path, more: str) -> tuple[Config | None, list[str]]:
    path = folder / "config.yaml"
    path.write_text(START + more)
    loaded = load(path, {})
    return loaded.config, [str(fault) for fault in loaded.faults]


def test_every_follower_is_named_with_what_counts(tmp_path: Path) -> None:
    config, faults = read(
        tmp_path,
        """
followers:
  user_groups: {"@data-oncall": {rotations: [data-platform]}}
  topic: {"#data-alerts": {}}
  bookmark: {data-alerts: {roles: [secondary]}}
""",
    )
    assert faults == []
    assert config is not None
    assert config.followers.all() == (
        Follower(kind=FollowerKind.USER_GROUP, place="data-oncall", rotations=("data-platform",)),
        Follower(kind=FollowerKind.TOPIC, place="data-alerts", roles=("primary",)),
        Follower(kind=FollowerKind.BOOKMARK, place="data-alerts", roles=("secondary",)),
    )


def test_people_are_told_of_their_shifts_unless_somebody_says_no(tmp_path: Path) -> None:
    config, _ = read(tmp_path, "")
    assert config is not None
    assert config.notices.reminders == (
        timedelta(days=7), timedelta(days=1), timedelta(hours=1),
    )  # fmt: skip
    config, faults = read(tmp_path, "notices: {reminders: [], quiet_hours: null, ask_before: null}")
    assert faults == []
    assert config is not None
    assert (config.notices.reminders, config.notices.quiet_hours) == ((), None)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("followers: {user_groups: {on call: {}}}", "is no channel or user group"),
        ("followers: {topics: {a: {}}}", "topic"),
        ("followers: {repair_every: 5s}", "repair_every"),
        (
            "followers: {user_groups: {a: {rotations: [data-plaform]}}}",
            'no rotation is called "data-plaform"',
        ),
        ("notices: {reminders: [soon]}", "reminders"),
        ("notices: {ask_before: 2d}", "ask_before"),
        ('notices: {quiet_hours: {from: "00:00", to: "24:00"}}', "write `reminders: []`"),
    ],
)
def test_a_mistake_is_said_with_its_place(tmp_path: Path, more: str, words: str) -> None:
    _, faults = read(tmp_path, more)
    assert len(faults) == 1, faults
    assert words in faults[0]
