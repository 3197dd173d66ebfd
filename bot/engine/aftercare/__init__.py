"""After the fire: runbooks, tasks, proofs and the journal."""
