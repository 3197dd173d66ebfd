"""What config.yaml may say of copies of tasks in a tracker of issues."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from bot.config.types import Url
from rules.documents.spec import Spec, Text

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,99}/[\w.-]{1,100}")
_PROJECT = re.compile(r"[A-Z][A-Z0-9_]{1,20}")
_NONE = SecretStr("")


def _address(url: str) -> str:
    return url.rstrip("/")


class TrackerSpec(Spec):
    """Where each task also becomes an issue."""

    kind: Literal["github", "jira"] = Field(description="`github` or `jira`.")
    url: Annotated[Url, AfterValidator(_address)] = Field(
        default="https://api.github.com",
        description="Of Jira its site, like `https://acme.atlassian.net`; of GitHub its API.",
    )
    repository: str = Field(default="", description="For GitHub: `owner/name`.")
    project: str = Field(default="", description="For Jira: the project's key, like `DATA`.")
    issue_type: Text = Field(default="Task", description="For Jira: the type of its issues.")
    user: str = Field(default="", description="For Jira: the e-mail that the token belongs to.")
    token: SecretStr = Field(default=_NONE, description="May make and close issues, no more.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "github" and not _REPOSITORY.fullmatch(self.repository):
            raise ValueError("kind `github` needs `repository`, like `acme/data`")
        if self.kind == "jira" and not (_PROJECT.fullmatch(self.project) and self.user):
            raise ValueError("kind `jira` needs `project`, like `DATA`, and `user`, an e-mail")
        if self.kind == "jira" and "url" not in self.model_fields_set:
            raise ValueError("kind `jira` needs `url`, like `https://acme.atlassian.net`")
        if not self.token.get_secret_value():
            raise ValueError("give it a `token`, like ${TRACKER_TOKEN}")
        return self
