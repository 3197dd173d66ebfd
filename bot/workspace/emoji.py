"""The emoji short codes that messages of an on-call bot use."""

EMOJI = {
    "rotating_light": "🚨", "fire": "🔥", "warning": "⚠️", "white_check_mark": "✅",
    "heavy_check_mark": "✔️", "x": "❌", "eyes": "👀", "bell": "🔔", "no_bell": "🔕",
    "zzz": "💤", "mag": "🔍", "memo": "📝", "pencil": "📝", "pager": "📟", "phone": "☎️",
    "telephone_receiver": "📞", "email": "📧", "clock1": "🕐", "hourglass": "⌛",
    "hourglass_flowing_sand": "⏳", "stopwatch": "⏱️", "alarm_clock": "⏰", "calendar": "📅",
    "date": "📅", "chart_with_upwards_trend": "📈", "chart_with_downwards_trend": "📉",
    "bar_chart": "📊", "link": "🔗", "lock": "🔒", "unlock": "🔓", "key": "🔑", "book": "📖",
    "books": "📚", "bulb": "💡", "wrench": "🔧", "hammer_and_wrench": "🛠️", "gear": "⚙️",
    "package": "📦", "rocket": "🚀", "tada": "🎉", "wave": "👋", "thumbsup": "👍", "+1": "👍",
    "thumbsdown": "👎", "-1": "👎", "raised_hands": "🙌", "pray": "🙏", "heart": "❤️",
    "red_circle": "🔴", "large_orange_circle": "🟠", "large_yellow_circle": "🟡",
    "large_green_circle": "🟢", "large_blue_circle": "🔵", "white_circle": "⚪",
    "black_circle": "⚫", "large_purple_circle": "🟣", "red_square": "🟥",
    "arrow_up": "⬆️", "arrow_down": "⬇️", "arrow_right": "➡️", "arrows_counterclockwise": "🔄",
    "repeat": "🔁", "busts_in_silhouette": "👥", "bust_in_silhouette": "👤", "speech_balloon": "💬",
    "information_source": "ℹ️", "question": "❓", "exclamation": "❗", "no_entry": "⛔",
    "construction": "🚧", "double_vertical_bar": "⏸️", "arrow_forward": "▶️", "pushpin": "📌",
    "clipboard": "📋", "robot_face": "🤖", "sunny": "☀️", "crescent_moon": "🌙", "shield": "🛡️",
    "heavy_plus_sign": "➕", "fast_forward": "⏩", "mute": "🔇", "loudspeaker": "📢",
    "mega": "📣", "point_right": "👉", "sparkles": "✨", "smile": "😄", "house": "🏠",
}  # fmt: skip


def glyph(name: str) -> str:
    """The character for a short code, or the code itself between colons."""
    return EMOJI.get(name, f":{name}:")
