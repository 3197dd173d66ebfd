"""Everything that must survive a restart: tables, queries and migrations on SQLite and PostgreSQL."""
