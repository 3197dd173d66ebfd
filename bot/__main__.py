"""The `watchbill` command."""

from bot.lasting import lasting


def main() -> None:
    """Run one command; the zones are those of the pinned tzdata, whatever the system has."""
    with lasting():
        from bot.config.settings import use_our_zones  # the first of much that lasts

        use_our_zones()
        from bot.cli.main import app  # after the zones are set: modules may already ask for one

    app()


if __name__ == "__main__":
    main()
