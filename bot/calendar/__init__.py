"""Calendars that follow the roster: feeds to subscribe to, and shared Google calendars."""
