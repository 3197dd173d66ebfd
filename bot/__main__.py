"""The `watchbill` command."""

from typing import TYPE_CHECKING

from bot.lasting import lasting, without

if TYPE_CHECKING:
    from typer import Typer


def main() -> None:
    """Run one command."""
    commands()()


def commands() -> "Typer":
    """Load them; the zones are those of the pinned tzdata, whatever the system has."""
    with lasting():
        with without("rich"):  # 4 MB for tracebacks in colours, which our logs never show
            import structlog  # noqa: F401
        from bot.config.settings import use_our_zones  # the first of much that lasts

        use_our_zones()
        from bot.cli.main import app  # after the zones are set: modules may already ask for one

        return app


if __name__ == "__main__":
    main()
