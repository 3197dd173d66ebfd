"""What declares a table as a class; no row ever becomes an object of it."""

from typing import Any, ClassVar

from sqlalchemy import Column, Constraint, Index, MetaData, Table

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
