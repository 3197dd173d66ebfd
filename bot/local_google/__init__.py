"""A Google for one machine: Sheets and Drive as far as the bot uses them, for demo and tests."""
