"""The rotation as calendars show it."""
