"""What config.yaml may say of Google Sheets."""

from pydantic import Field

from bot.config.types import Url
from rules.documents.spec import Spec, Text


class GoogleSpec(Spec):
    credentials: Text = Field(
        description="The service account's key, a .json file; share the sheet with its address."
    )
    sheets_url: Url = Field(
        default="https://sheets.googleapis.com/", description="Where the Google Sheets API is."
    )
