"""What config.yaml may say of orchestrators: where a run can be started to prove a fix."""

from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, model_validator

from rules.documents.spec import Spec, Text

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#]+[^\s?#]*$", max_length=500)]


class OrchestratorSpec(Spec):
    """Where the runs of one source are started, by **Verify now** on an incident."""

    source: Text = Field(description="The source whose incidents it can run again.")
    kind: Literal["airflow", "dbt_cloud", "dagster", "databricks", "github"] = Field(
        description="What it is."
    )
    url: Url = Field(description="Its address, like `https://airflow.example`.")
    token: SecretStr = Field(default=SecretStr(""), description="A token that may start runs.")
    api: Literal["v1", "v2"] = Field(
        default="v2", description="Airflow's API: v2 since Airflow 3, v1 before."
    )
    location: str = Field(default="", description="Dagster's code location.")
    repository: str = Field(default="__repository__", description="Dagster's repository.")

    @model_validator(mode="after")
    def _placed(self) -> Self:
        if self.kind == "dagster" and not self.location:
            raise ValueError("dagster needs `location`, its code location")
        return self
