"""SVG to PNG, with the font we bring and none of the machine's."""

from pathlib import Path

from bot.picture.drawing import WIDTH

FONTS = Path(__file__).with_name("fonts")
"""Roboto, under the Apache License 2.0; see LICENSE.txt beside it."""

ZOOM = 2
"""Pixels for each of the drawing's units, so that it is sharp on a phone."""


class DrawingError(Exception):
    """The picture cannot be drawn; the text says why."""


def png_of(svg: str) -> bytes:
    """Return the picture as PNG. Takes a fifth of a second, nearly all of it without the GIL.

    Raises DrawingError.
    """
    try:
        import resvg_py  # 3 MB of native code, and most processes never draw

        return resvg_py.svg_to_bytes(
            svg_string=svg,
            width=WIDTH * ZOOM,
            skip_system_fonts=True,
            font_family="Roboto",
            sans_serif_family="Roboto",
            font_files=[str(FONTS / "Roboto-Regular.ttf"), str(FONTS / "Roboto-Bold.ttf")],
        )
    except BaseException as error:
        # a panic of native code is no Exception, and must end nothing but the picture
        raise DrawingError(f"{type(error).__name__}: {error}") from error
