"""The verification sections of rulebook documents, laid over each other."""

from collections.abc import Iterable
from dataclasses import replace

from rules.documents.verification_spec import VerificationSpec
from rules.verifying.settings import VerifyingRules


def verifying_rules(sections: Iterable[VerificationSpec]) -> VerifyingRules:
    """Build the rules: of each key the last document that gives it counts."""
    rules = VerifyingRules()
    for spec in sections:
        rules = replace(rules, **spec.model_dump(exclude_unset=True))
    return rules
