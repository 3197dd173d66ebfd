"""The `watchbill` command."""

import errno
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.lasting import lasting, without

if TYPE_CHECKING:
    from typer import Typer


_INTERRUPTED = 130
"""What a shell expects of who was ended by SIGINT."""


def main() -> None:
    """Run one command."""
    try:
        commands(sys.argv[1:])()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)  # while it was still loading
    except OSError as error:
        if isinstance(error, PermissionError) and error.filename is not None:
            place = f"{os.fsdecode(error.filename)} cannot be used: {error.strerror}."
            sys.exit(f"{place} Run this as the bot's user, or as root.")
        if error.errno != errno.ENOSPC:
            raise
        sys.exit("Nothing more can be written: the disk is full. Make room, then try again.")


def commands(arguments: Sequence[str]) -> "Typer":
    """Load those that may be meant; the zones are those of the pinned tzdata, not the system's."""
    with lasting():
        with without("rich"):  # 4 MB for tracebacks in colours, which our logs never show
            import structlog  # noqa: F401
        from bot.config.settings import use_our_zones  # the first of much that lasts

        use_our_zones()
        # after the zones are set: modules may already ask for one
        if arguments[:1] == ["serve"]:
            from bot.cli.serve_alone import app
        else:
            from bot.cli.main import app
        return app


if __name__ == "__main__":
    main()
