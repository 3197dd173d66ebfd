"""The `watchbill` command."""

from bot.config.settings import use_our_zones


def main() -> None:
    """Run one command; the zones are those of the pinned tzdata, whatever the system has."""
    use_our_zones()
    from bot.cli.main import app  # after the zones are set: modules may already ask for one

    app()


if __name__ == "__main__":
    main()
