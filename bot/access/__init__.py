"""Makes the members of elevated groups what the ledger says, and keeps them so."""
