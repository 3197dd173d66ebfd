"""Every table; whoever loads one loads all, so that their metadata is whole."""

import bot.store.tables.access
import bot.store.tables.audit
import bot.store.tables.calendar
import bot.store.tables.changes
import bot.store.tables.contact
import bot.store.tables.core
import bot.store.tables.duties
import bot.store.tables.floor
import bot.store.tables.issues
import bot.store.tables.journal
import bot.store.tables.lineage
import bot.store.tables.roster
import bot.store.tables.rows
import bot.store.tables.runbooks
import bot.store.tables.runs
import bot.store.tables.tasks  # noqa: F401 - their tables are of the same metadata
