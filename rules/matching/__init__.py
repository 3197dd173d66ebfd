"""Conditions on alerts: on labels, names, texts, or in CEL, and finding quickly the ones that hold."""
