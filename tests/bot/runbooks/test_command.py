"""A command is run as declared: no shell, bare, bounded, and stopped with all it started."""

import sys
from datetime import timedelta

import pytest

from bot.runbooks.command import LONGEST_OUTPUT, UnsafeValueError, filled, run_command

SOON = timedelta(seconds=20)


async def test_no_shell_reads_the_arguments() -> None:
    ran = await run_command(["/bin/echo", "$HOME;", "`id`", "*"], {}, SOON)
    assert (ran.status, ran.output) == (0, "$HOME; `id` *\n")


async def test_it_sees_only_its_own_environment() -> None:
    ran = await run_command(["/usr/bin/env"], {"ONE": "1"}, SOON)
    assert ran.output == "ONE=1\n"


async def test_of_much_output_the_end_is_kept() -> None:
    script = "print('x' * 3_000_000); print('the end'); raise SystemExit(3)"
    ran = await run_command([sys.executable, "-c", script], {}, SOON)
    assert ran.status == 3
    assert len(ran.output.encode()) <= LONGEST_OUTPUT
    assert ran.output.endswith("the end\n")


async def test_no_half_of_a_word_is_left_where_the_beginning_was_cut() -> None:
    script = f"print('a-secret ' + 'x ' * {LONGEST_OUTPUT // 2 - 2})"
    ran = await run_command([sys.executable, "-c", script], {}, SOON)
    assert not ran.output.startswith(("t", "et", "ret", "cret", "ecret"))
    assert ran.output.startswith("x x")


async def test_it_is_stopped_with_its_children() -> None:
    command = ["/bin/sh", "-c", "echo begun; sleep 600 & sleep 600"]
    ran = await run_command(command, {"PATH": "/usr/bin:/bin"}, timedelta(seconds=0.5))
    assert (ran.status, ran.output) == (None, "begun\n")


async def test_what_cannot_be_started_says_so() -> None:
    with pytest.raises(OSError, match="No such file"):
        await run_command(["/nowhere/at-all"], {}, SOON)


@pytest.mark.parametrize("value", ["", "-x", "a b", "a;b", "$(x)", "../up", "a\nb", "ü", "x" * 201])
def test_a_value_that_could_mean_more_is_refused(value: str) -> None:
    with pytest.raises(UnsafeValueError):
        filled(["/bin/echo", "--dag={dag}"], {"dag": value})


def test_a_name_is_put_in_as_one_argument() -> None:
    run = "scheduled__2026-11-22T00:00:00+00:00"
    assert filled(["/bin/echo", "--run={r}", "{r}"], {"r": run})[1:] == [f"--run={run}", run]
