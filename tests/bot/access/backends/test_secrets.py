"""Secrets come from files or the environment, and are told to nobody but the service itself."""

import io
import logging
from pathlib import Path

import pytest
import structlog

from bot.access.backends.registry import KINDS, faults_of
from bot.config.access import BackendSpec
from bot.ports.delivering import GiveUpError, RetryLaterError
from tests.bot.access.backends.benches import UNTIL, Bench, fail
from tests.fakes.access import github, okta


async def test_nothing_secret_is_logged_or_told(
    web_bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    written = io.StringIO()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(written))
    told: list[str] = []
    try:
        for status in (200, 400, 401, 403, 404, 409, 429, 500):
            fail(web_bench.fake, kind="status", status=status, body={}, times=2)
            for work in (
                web_bench.backend.grant(web_bench.group, web_bench.ana, UNTIL, "g1"),
                web_bench.backend.members(web_bench.group),
                web_bench.backend.revoke(web_bench.group, web_bench.ana),
            ):
                try:
                    await work
                except (GiveUpError, RetryLaterError) as error:
                    told.append(f"{error} {error!r} {error.__cause__!r}")
    finally:
        structlog.reset_defaults()
    told += [caplog.text, written.getvalue(), repr(web_bench.backend)]
    text = "\n".join(told)
    assert len(told) > 10
    for secret in (okta.TOKEN, github.TOKEN, "PRIVATE KEY", "Bearer ", "SSWS", "assertion"):
        assert secret not in text


async def test_a_token_in_a_file_is_read_again_when_it_changes(okta: Bench, tmp_path: Path) -> None:
    kept = tmp_path / "token"
    kept.write_text("old")
    backend = okta.reopen(token="", token_file=str(kept))
    with pytest.raises(GiveUpError, match="refuses the token"):
        await backend.members(okta.group)
    kept.write_text("okta-token-000000000000000000000000\n")
    assert await backend.members(okta.group) == []


@pytest.mark.parametrize("text", ["", "  \n", "two\nlines", "naïve", "a\0b"])
async def test_a_file_without_a_token_is_named_but_not_quoted(
    okta: Bench, tmp_path: Path, text: str
) -> None:
    kept = tmp_path / "token"
    kept.write_text(text)
    with pytest.raises(GiveUpError, match="Okta's token") as caught:
        await okta.reopen(token="", token_file=str(kept)).members(okta.group)
    assert text.strip() == "" or text.strip() not in str(caught.value)
    assert okta.fake.calls == []


async def test_a_file_that_is_not_there_is_named(okta: Bench, tmp_path: Path) -> None:
    with pytest.raises(GiveUpError, match="cannot be read: No such file"):
        await okta.reopen(token="", token_file=str(tmp_path / "no")).members(okta.group)


@pytest.mark.parametrize("kind", ["okta_group", "github_team"])
@pytest.mark.parametrize("given", [{}, {"token": "t", "token_file": "/f"}])
def test_one_of_both_is_needed(kind: str, given: dict[str, object]) -> None:
    faults = "; ".join(faults_of(BackendSpec(kind=kind, options=given)))
    assert "say either `token` or `token_file`" in faults or "is missing" in faults


def test_wrong_options_are_named_without_their_values() -> None:
    options: dict[str, object] = {
        "url": "https://x.example",
        "token": ["s3cret"],
        "tokne": "s3cret",
    }
    faults = list(faults_of(BackendSpec(kind="okta_group", options=options)))
    assert faults[0].startswith("`token`: Input should be a valid string")
    assert faults[1] == "unknown option `tokne`; did you mean `token`?"
    assert "s3cret" not in str(faults)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_option_says_what_it_is(kind: str) -> None:
    for name, field in KINDS[kind].options.model_fields.items():
        assert field.description, name
        assert "s3cret" not in repr(field)
