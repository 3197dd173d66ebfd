"""One Markdown file with front matter -> a runbook, and every fault with its line."""

import re

from rules.documents import strict_yaml
from rules.documents.runbook_spec import RunbookSpec
from rules.documents.yaml_document import Document, Fault
from rules.runbooks.runbook import Matches, Runbook, RunbookStep

LARGEST_RUNBOOK = 64_000
"""Characters of one file; more is no checklist."""
_FENCE = "---"
_CODE = re.compile(r"^[ ]{0,3}(```+|~~~+).*?(?:^[ ]{0,3}\1|\Z)", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#[ \t]+(.{1,150})", re.MULTILINE)


def read_runbook(
    text: str, file_name: str, runbook_id: str
) -> tuple[Runbook | None, Document | None, list[Fault]]:
    """Read a file; the runbook is None when there is any fault.

    The document knows where each value stands, for faults that only others can see.
    """
    if len(text) > LARGEST_RUNBOOK:
        words = f"larger than {LARGEST_RUNBOOK:,} characters; split it, or link to the long text"
        return None, None, [Fault(file_name, 1, 1, words)]
    front, body = _split(text)
    if front is None:
        words = "no front matter; begin the file with a line `---`, `matches:` and a line `---`"
        return None, None, [Fault(file_name, 1, 1, words)]
    document, faults = strict_yaml.parse(front, file_name)
    spec, misfits = strict_yaml.fit(document, RunbookSpec) if document else (None, [])
    found = sorted(faults + misfits)
    if spec is None or found:
        return None, document, found
    heading = _HEADING.search(_CODE.sub("", body))
    title = spec.title or (heading[1].strip() if heading else "") or runbook_id
    return _runbook(spec, runbook_id, title), document, []


def _runbook(spec: RunbookSpec, runbook_id: str, title: str) -> Runbook:
    asked = spec.matches
    return Runbook(
        id=runbook_id,
        title=title,
        owner=spec.owner,
        reviewed_on=spec.reviewed_on,
        matches=Matches(
            asset=asked.asset, product=asked.product, category=asked.category, source=asked.source
        ),
        steps=tuple(RunbookStep(step.do, step.action) for step in spec.steps),
        verify=spec.verify,
        url=spec.url,
    )


def _split(text: str) -> tuple[str | None, str]:
    """Return front matter, in its own lines of the file, and what follows; None without one."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    if lines[0].rstrip() != _FENCE:
        return None, text
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE), None)
    if end is None:
        return None, text
    # an empty line for the first fence, so that lines count as in the file
    return "\n".join(["", *lines[1:end]]), "\n".join(lines[end + 1 :])
