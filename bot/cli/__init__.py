"""The `watchbill` command: one module a command."""
