"""What every table is declared with."""

from typing import Any, ClassVar

from sqlalchemy import Connection, Index, Table, event, text
from sqlmodel import SQLModel

METADATA = SQLModel.metadata


class Row(SQLModel):
    """The base of every table: its fields in order, and what `__table_args__` adds to them.

    No row becomes an object of its class, so only the `Table` is made: to map the classes as well
    takes 60 ms and 2 MB at each start.
    """

    model_config = {"defer_build": True}

    __table_args__: ClassVar[tuple[Any, ...]] = ()
    """Constraints and indexes; options of the table last, as SQLAlchemy has them."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_its: object) -> None:
        columns = []
        for name, field in cls.model_fields.items():
            column = field.sa_column  # type: ignore[attr-defined]
            column.name = column.key = name
            columns.append(column)
        parts = [one for one in cls.__table_args__ if not isinstance(one, dict)]
        options = next((one for one in cls.__table_args__ if isinstance(one, dict)), {})
        Table(str(cls.__tablename__), METADATA, *columns, *parts, **options)


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """Declare an index of the rows for which `where` holds."""
    return Index(name, *columns, unique=unique, info={"where": text(where)})


@event.listens_for(METADATA, "before_create")
def _tell_conditions(_metadata: object, connection: Connection, **_its: object) -> None:
    """Hand conditions to the one dialect in use: to name another's option would load it, 2 MB."""
    for table in METADATA.tables.values():
        for index in table.indexes:
            if "where" in index.info:
                index.dialect_options[connection.dialect.name]["where"] = index.info["where"]
