"""`watchbill demo`: one night on call, played in a local workspace."""
