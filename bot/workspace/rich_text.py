"""rich_text, markdown and table blocks as HTML, through the same safe pieces as mrkdwn."""

import re
from typing import Any

from markupsafe import Markup, escape

from bot.workspace.model import Json
from bot.workspace.mrkdwn import Reader

_ORDERED, _BULLETS = Markup("<ol>{}</ol>"), Markup("<ul>{}</ul>")
_STYLES = {
    "bold": Markup("<strong>{}</strong>"),
    "italic": Markup("<em>{}</em>"),
    "strike": Markup("<s>{}</s>"),
    "code": Markup("<code>{}</code>"),
}


def rich_text(reader: Reader, block: Json) -> Markup:
    return Markup().join(_part(reader, part) for part in block.get("elements", []))


def _part(reader: Reader, part: Json) -> Markup:
    inner = part.get("elements", [])
    match part.get("type"):
        case "rich_text_list":
            whole = _ORDERED if part.get("style") == "ordered" else _BULLETS
            items = (Markup("<li>{}</li>").format(_part(reader, item)) for item in inner)
            return whole.format(Markup().join(items))
        case "rich_text_quote":
            return Markup("<blockquote>{}</blockquote>").format(_run(reader, inner))
        case "rich_text_preformatted":
            return Markup("<pre>{}</pre>").format(_run(reader, inner))
        case _:
            return Markup("<div>{}</div>").format(_run(reader, inner))


def _run(reader: Reader, elements: list[Json]) -> Markup:
    return Markup().join(_styled(_leaf(reader, e), e.get("style")) for e in elements)


def _leaf(reader: Reader, element: Json) -> Markup:
    match element.get("type"):
        case "link":
            url, text = str(element.get("url", "")), element.get("text") or element.get("url")
            return reader.inline(f"<{url}|{str(text).replace('<', '&lt;').replace('>', '&gt;')}>")
        case "user":
            return reader.inline(f"<@{element.get('user_id')}>")
        case "channel":
            return reader.inline(f"<#{element.get('channel_id')}>")
        case "usergroup":
            return reader.inline(f"<!subteam^{element.get('usergroup_id')}>")
        case "emoji":
            return reader.plain(f":{element.get('name')}:")
        case "broadcast":
            return reader.inline(f"<!{element.get('range')}>")
        case "date":
            stamp, shape = element.get("timestamp"), element.get("format")
            return reader.inline(f"<!date^{stamp}^{shape}|{element.get('fallback', '')}>")
        case _:
            return Markup("<br>").join(escape(x) for x in str(element.get("text", "")).split("\n"))


def _styled(text: Markup, style: Any) -> Markup:
    for name, shape in _STYLES.items():
        if isinstance(style, dict) and style.get(name):
            text = shape.format(text)
    return text


def markdown(reader: Reader, text: str) -> Markup:
    """Standard Markdown of a markdown block: bold, links, headings, code; the rest as it is."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    safe = re.sub(r"^&gt; ?", "> ", safe, flags=re.MULTILINE)
    safe = re.sub(r"\*\*(\S(?:.*?\S)?)\*\*", r"*\1*", safe)
    safe = re.sub(r"\[([^\]\n]+)\]\((https?://[^)\s]+)\)", r"<\2|\1>", safe)
    safe = re.sub(r"^#{1,6} +(.+)$", r"*\1*", safe, flags=re.MULTILINE)
    return reader.mrkdwn(safe)


def cell(reader: Reader, value: Json) -> Markup:
    """One cell of a table block."""
    if value.get("type") == "rich_text":
        return rich_text(reader, value)
    return reader.plain(str(value.get("text", "")))
