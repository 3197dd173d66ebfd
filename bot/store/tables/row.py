"""What declares a table as a class; no row ever becomes an object of it."""

from typing import Any, ClassVar

from sqlalchemy import Column, Connection, Constraint, Index, MetaData, Table, event, text

METADATA = MetaData()


class Row:
    """The base of every table: its columns in order, and what `__table_args__` adds to them.

    Keywords of the class are options of the table. Only the `Table` is made: to map the classes
    as well took a tenth of the start and 5 MB, for objects that nothing asked for.
    """

    __tablename__: ClassVar[str]
    __table_args__: ClassVar[tuple[Constraint | Index, ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:  # Any: as SQLAlchemy takes them
        columns = {name: it for name, it in vars(cls).items() if isinstance(it, Column)}
        for name, column in columns.items():
            column.name = column.key = name
        parts = (*columns.values(), *cls.__table_args__)
        Table(cls.__tablename__, METADATA, *parts, **options)


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """Declare an index of the rows for which `where` holds."""
    return Index(name, *columns, unique=unique, info={"where": text(where)})


@event.listens_for(METADATA, "before_create")
def _tell_conditions(_metadata: MetaData, connection: Connection, **_its: object) -> None:
    """Hand conditions to the one dialect in use: to name another's option would load it, 2 MB."""
    for table in METADATA.tables.values():
        for index in table.indexes:
            if "where" in index.info:
                index.dialect_options[connection.dialect.name]["where"] = index.info["where"]
