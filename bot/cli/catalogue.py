"""The commands of `watchbill catalogue`: show, gaps, import, export, impact, slo."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.configuration import configuration
from bot.cli.output import errors, fail, print_json, screen
from bot.cli.reading import DEFAULT_CONFIG, ConfigFile, Json
from bot.clock import SystemClock
from rules.nearest import did_you_mean
from rules.sentence import counted

if TYPE_CHECKING:  # the readers are needed by one command, and every command would wait for them
    from bot.catalogue.manifest import Progress
    from bot.catalogue.reading import CatalogueRead
    from bot.cli.live_catalogue import Marks
    from rules.catalogue import Asset, Product

_MOST_NEAREST = 5_000
_WIDE = 2_000

app = typer.Typer(help="Data products, their assets and lineage.", no_args_is_help=True)


@app.command()
def show(
    thing: Annotated[
        str, typer.Argument(help="A product or asset; all products if left out.")
    ] = "",
    config: ConfigFile = DEFAULT_CONFIG,
    *,
    as_json: Json = False,
) -> None:
    """Show what is known of a product or an asset."""
    from bot.catalogue.product_yaml import product_map
    from bot.cli.catalogue_text import (
        asset_map,
        asset_text,
        neighbours_map,
        overview_text,
        product_text,
    )

    read = _known(config)
    catalogue, marks = read.catalogue, _marks(read)
    if not thing:
        if as_json:
            print_json({"products": [product_map(one) for one in catalogue.products]})
        else:
            _print(overview_text(read))
    elif product := catalogue.product(thing):
        members = catalogue.members(product.id)
        if as_json:
            listed = [{**asset_map(catalogue, one), **marks.asset_map(one)} for one in members]
            print_json({"product": product_map(product), "assets": listed})
        else:
            _print(product_text(catalogue, product, marks))
    else:
        asset = _asset(read, thing)
        if as_json:
            shown = {**asset_map(catalogue, asset), **marks.asset_map(asset)}
            print_json({"asset": shown, **neighbours_map(read, asset, marks)})
        else:
            _print(asset_text(read, asset, marks))


@app.command()
def gaps(config: ConfigFile = DEFAULT_CONFIG, *, as_json: Json = False) -> None:
    """List what the catalogue leaves open: no owner, no promise, stale."""
    from bot.catalogue.gaps import gaps as find_gaps

    found = list(find_gaps(_known(config), SystemClock().now()))
    if as_json:
        rows = [{"kind": one.kind, "thing": one.thing, "message": one.message} for one in found]
        print_json({"gaps": rows})
        return
    for one in found:
        _print(f"{one.thing}: {one.message}")
    _print(counted(len(found), "gap"))


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A dbt manifest.json, or an ODCS contract.")],
    to: Annotated[
        Path | None, typer.Option("--to", help="Write the products into this new file.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Read a manifest or a contract, and print what it gives; `--to` makes a catalogue file."""
    from bot.catalogue.product_yaml import catalogue_yaml, product_map
    from bot.cli.catalogue_text import asset_map, overview_text

    read = _read([file], "importing")
    if read.faults:
        raise fail("Nothing was imported.")
    products = read.catalogue.products
    if to is not None:
        _write_new(to, catalogue_yaml(products))
    if as_json:
        listed = [product_map(one) for one in products]
        assets = [asset_map(read.catalogue, one) for one in read.catalogue.assets]
        print_json({"products": listed, "assets": assets})
    elif read.manifests:
        _print(overview_text(read))
        if to is None:
            _print(f"\nTo use it, name it in config.yaml:  catalogue: [{file}]")
    elif to is None:
        typer.echo(catalogue_yaml(products), nl=False)
    if to is not None:
        errors.print(f"Wrote {to}.", markup=False, highlight=False)


@app.command()
def export(
    odcs: Annotated[Path, typer.Option("--odcs", help="The folder for one contract a product.")],
    config: ConfigFile = DEFAULT_CONFIG,
    *,
    as_json: Json = False,
) -> None:
    """Write every product as an ODCS 3.1.0 data contract."""
    from bot.catalogue.odcs_export import contract_yaml, file_name

    products = _catalogue(config).catalogue.products
    written = []
    try:
        odcs.mkdir(parents=True, exist_ok=True)
        for product in products:
            path = odcs / file_name(product)
            path.write_text(contract_yaml(product), encoding="utf-8")
            written.append(str(path))
    except OSError as error:
        raise fail(f"{odcs} cannot be written: {error.strerror or error}.") from error
    if as_json:
        print_json({"written": written})
    else:
        _print(f"{counted(len(written), 'contract')} in {odcs}")


@app.command()
def impact(
    asset: Annotated[str, typer.Argument(help="The asset that is broken, or a product.")],
    config: ConfigFile = DEFAULT_CONFIG,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw it into this .png or .svg file.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Show what breaks with an asset: a tree of everything downstream, and whose it is."""
    from bot.cli.catalogue_text import impact_lines, impact_map, impact_tree

    if picture is not None and picture.suffix.lower() not in {".png", ".svg"}:
        raise fail(f"{picture} is no picture: end its name with .png or .svg.")

    read = _known(config)
    marks = _marks(read)
    if (product := read.catalogue.product(asset)) and not read.catalogue.asset(asset):
        seeds = [one.id for one in read.catalogue.members(product.id)]
    else:
        seeds = [_asset(read, asset).id]
    radius = read.lineage.blast_radius(seeds)
    if as_json:
        print_json(impact_map(read.catalogue, radius, marks))
    else:
        # A narrow terminal must fold long names, not cut them off.
        tree = impact_tree(read.catalogue, radius, marks)
        screen.console.print(tree, highlight=False, width=_WIDE, crop=False)
        for line in impact_lines(read.catalogue, radius):
            _print(line)
    if picture is not None:
        _draw(read, seeds, picture)


def _draw(read: "CatalogueRead", seeds: Sequence[str], picture: Path) -> None:
    # the drawing is needed by one option
    from bot.picture.drawing import blast_svg
    from bot.picture.raster import png_of
    from rules.products.blast import blast
    from rules.sla import next_deadline

    asset = read.catalogue.asset(seeds[0]) if seeds else None
    product = read.catalogue.product_of(asset) if asset else None
    promise = product.promises.fresh_by if product else None
    deadline = next_deadline(promise, SystemClock().now()) if promise else None
    svg = blast_svg(blast(read.lineage, seeds, deadline=deadline, product=product))
    try:
        picture.write_bytes(png_of(svg) if picture.suffix.lower() == ".png" else svg.encode())
    except OSError as error:
        raise fail(f"{picture} cannot be written: {error.strerror or error}.") from error
    errors.print(f"Drew {picture}.", markup=False, highlight=False)


@app.command()
def slo(
    product: Annotated[
        str, typer.Argument(help="A product; all with an objective if left out.")
    ] = "",
    config: ConfigFile = DEFAULT_CONFIG,
    *,
    as_json: Json = False,
) -> None:
    """Show how promises were kept: achieved, misses allowed, used and left."""
    from bot.cli.reliability import reliability_map, reliability_text
    from bot.cli.stored import reliabilities
    from rules.reliability.slo import has_objective

    loaded, parts = configuration(config)
    read = _catalogue(config)
    listed = [_product(read, product)] if product else list(read.catalogue.products)
    promising = [one for one in listed if has_objective(one)]
    if not promising:
        who = listed[0].id if product else "No product"
        raise fail(
            f"{who} has no objective. Write one, like "
            'fresh_by: {at: "09:00", objective: 95%, over: 60 due days}.'
        )
    found = asyncio.run(reliabilities(loaded, parts, read.catalogue, read.lineage))
    shown = [found[one.id] for one in promising]
    if as_json:
        print_json({"products": [reliability_map(one) for one in shown]})
        return
    for line in reliability_text(shown):
        screen.print(line, highlight=False, soft_wrap=True)


def _catalogue(config: Path) -> "CatalogueRead":
    """Read the catalogue's files."""
    loaded, _ = configuration(config)
    if not loaded.catalogue:
        raise _no_catalogue(config)
    return _read(loaded.catalogue, "reading")


def _known(config: Path) -> "CatalogueRead":
    """Read the catalogue's files, and what the database has seen live."""
    from bot.cli.live_catalogue import joined, seen_lineage

    loaded, _ = configuration(config)
    seen, why_not = asyncio.run(seen_lineage(loaded))
    if why_not:
        words = f"Without what was seen live: {why_not}"
        errors.print(words, style="yellow", markup=False, highlight=False, soft_wrap=True)
    if not (loaded.catalogue or seen.assets):
        raise _no_catalogue(config)
    return joined(_read(loaded.catalogue, "reading"), seen)


def _no_catalogue(config: Path) -> typer.Exit:
    return fail(
        f"{config} names no catalogue. Add `catalogue: [catalogue.yaml, target/manifest.json]`."
    )


def _marks(read: "CatalogueRead") -> "Marks":
    from bot.cli.live_catalogue import Marks

    return Marks(read.live, SystemClock().now())


def _read(files: Sequence[str | Path], doing: str) -> "CatalogueRead":
    from bot.catalogue.reading import read_catalogue

    with _progress(doing) as on_progress:
        read = read_catalogue(files, on_progress)
    for fault in read.faults:
        errors.print(str(fault), style="red", markup=False, highlight=False, soft_wrap=True)
    for warning in read.warnings:
        errors.print(str(warning), style="yellow", markup=False, highlight=False, soft_wrap=True)
    return read


@contextmanager
def _progress(doing: str) -> "Iterator[Progress]":
    """Draw a bar on a terminal, and nothing into a pipe."""
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn(doing), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Bar(
        *columns, console=errors.console, transient=True, disable=not errors.console.is_terminal
    ) as bar:
        task = bar.add_task(doing, total=None, visible=False)
        yield lambda at, of: bar.update(task, completed=at, total=of, visible=True)


def _asset(read: "CatalogueRead", written: str) -> "Asset":
    catalogue = read.catalogue
    found = catalogue.asset(written) or catalogue.by_relation(written)
    kinds = ("model", "source", "exposure", "dag", "task", "table")
    for kind in kinds:
        found = found or catalogue.by_name(kind, written)
    if found is None:
        known = {one.name for one in catalogue.assets[:_MOST_NEAREST]}
        known |= {one.id for one in catalogue.products[:_MOST_NEAREST]}
        hint = did_you_mean(written, known)
        raise fail(f'The catalogue has no "{written}"{hint}')
    return found


def _product(read: "CatalogueRead", written: str) -> "Product":
    found = read.catalogue.product(written)
    if found is None:
        hint = did_you_mean(written, [one.id for one in read.catalogue.products[:_MOST_NEAREST]])
        raise fail(f'The catalogue has no product "{written}"{hint}')
    return found


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise fail(f"{path} is there already; nothing was written.") from error
    except OSError as error:
        raise fail(f"{path} cannot be written: {error.strerror or error}.") from error


def _print(text: str) -> None:
    screen.print(text, markup=False, highlight=False, soft_wrap=True)
