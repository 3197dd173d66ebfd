"""Every interactive element of Block Kit, against Slack's limits."""

from collections.abc import Callable

from bot.workspace.blockkit_report import Json, Report, check_text

Check = Callable[[Report, Json, str], None]

SELECTS = frozenset(
    f"{many}{kind}_select"
    for many in ("", "multi_")
    for kind in ("static", "external", "users", "conversations", "channels")
)
PICKERS = frozenset({"datepicker", "timepicker", "datetimepicker"})
TEXT_INPUTS = frozenset(
    {
        "plain_text_input",
        "email_text_input",
        "url_text_input",
        "number_input",
        "rich_text_input",
        "file_input",
    }
)
CHOICES = frozenset({"checkboxes", "radio_buttons"})
SINGLE_SELECTS = frozenset(kind for kind in SELECTS if not kind.startswith("multi_"))

IN_SECTION = SELECTS | CHOICES | {"button", "image", "overflow", "datepicker", "timepicker"}
IN_ACTIONS = SINGLE_SELECTS | CHOICES | PICKERS | {"button", "overflow"}
IN_INPUT = SELECTS | CHOICES | PICKERS | TEXT_INPUTS
DATE = r"\d{4}-\d{2}-\d{2}"
TIME = r"([01]\d|2[0-3]):[0-5]\d"


def check_element(report: Report, value: object, allowed: frozenset[str], at: str) -> None:
    """One element in a place that takes the `allowed` types."""
    element = report.mapping(value, at)
    if element is None:
        return
    kind = element.get("type")
    if kind not in allowed:
        report.add(f"unsupported element type: {kind}", f"{at}/type")
        return
    report.optional_length(element, "action_id", 255, at)
    report.flag(element, "focus_on_load", at)
    if "confirm" in element:
        check_confirm(report, element["confirm"], f"{at}/confirm")
    if "placeholder" in element:
        check_text(report, element["placeholder"], 150, f"{at}/placeholder", plain=True)
    check = CHECKS.get(kind)
    if check is not None:
        check(report, element, at)


def check_confirm(report: Report, value: object, at: str) -> None:
    confirm = report.mapping(value, at)
    if confirm is None:
        return
    report.unknown_keys(confirm, {"title", "text", "confirm", "deny", "style"}, at)
    for key, maximum in (("title", 100), ("confirm", 30), ("deny", 30)):
        check_text(report, confirm.get(key), maximum, f"{at}/{key}", plain=True)
    check_text(report, confirm.get("text"), 300, f"{at}/text")
    report.one_of(confirm, "style", {"primary", "danger"}, at)


def check_option(report: Report, value: object, at: str, *, plain: bool, url: bool) -> None:
    option = report.mapping(value, at)
    if option is None:
        return
    report.unknown_keys(option, {"text", "value", "description", "url"}, at)
    check_text(report, option.get("text"), 75, f"{at}/text", plain=plain)
    report.length(option.get("value"), 150, f"{at}/value")
    if "description" in option:
        check_text(report, option["description"], 75, f"{at}/description", plain=plain)
    if "url" in option and not url:
        report.add("url is for overflow menus only", f"{at}/url")
    report.url(option, "url", at)


def check_options(
    report: Report, element: Json, at: str, *, maximum: int, plain: bool = True, url: bool = False
) -> list[Json]:
    options = report.items(element.get("options"), maximum, f"{at}/options")
    for i, option in enumerate(options):
        check_option(report, option, f"{at}/options/{i}", plain=plain, url=url)
    values = [o.get("value") for o in options if isinstance(o, dict)]
    if len(set(map(str, values))) != len(values):
        report.add("option values must be unique", f"{at}/options")
    return [o for o in options if isinstance(o, dict)]


def _initial(report: Report, element: Json, options: list[Json], at: str) -> None:
    """What is chosen beforehand must be one of the options, exactly."""
    single = element.get("initial_option")
    if single is not None and single not in options:
        report.add("must be one of the provided options", f"{at}/initial_option")
    if "initial_options" in element:
        chosen = report.items(element["initial_options"], 100, f"{at}/initial_options")
        if any(option not in options for option in chosen):
            report.add("must be among the provided options", f"{at}/initial_options")


def _button(report: Report, element: Json, at: str) -> None:
    keys = {"type", "text", "action_id", "url", "value", "style", "confirm", "accessibility_label"}
    report.unknown_keys(element, keys, at)
    check_text(report, element.get("text"), 75, f"{at}/text", plain=True)
    report.optional_length(element, "value", 2000, at, minimum=0)
    report.url(element, "url", at)
    report.optional_length(element, "accessibility_label", 75, at)
    report.one_of(element, "style", {"primary", "danger"}, at)


def check_image(report: Report, element: Json, at: str) -> None:
    if ("image_url" in element) == ("slack_file" in element):
        report.add("must have image_url or slack_file", at)
    report.url(element, "image_url", at)
    report.length(element.get("alt_text"), 2000, f"{at}/alt_text")


def _overflow(report: Report, element: Json, at: str) -> None:
    report.unknown_keys(element, {"type", "action_id", "options", "confirm"}, at)
    check_options(report, element, at, maximum=5, url=True)


def _choices(report: Report, element: Json, at: str) -> None:
    options = check_options(report, element, at, maximum=10, plain=False)
    _initial(report, element, options, at)


def _static_select(report: Report, element: Json, at: str) -> None:
    if ("options" in element) == ("option_groups" in element):
        report.add("must have options or option_groups, and not both", at)
    options: list[Json] = []
    if "options" in element:
        options = check_options(report, element, at, maximum=100)
    for i, group in enumerate(_groups(report, element, at)):
        where = f"{at}/option_groups/{i}"
        check_text(report, group.get("label"), 75, f"{where}/label", plain=True)
        options += check_options(report, group, where, maximum=100)
    _initial(report, element, options, at)
    _max_selected(report, element, at)


def _groups(report: Report, element: Json, at: str) -> list[Json]:
    if "option_groups" not in element:
        return []
    groups = report.items(element["option_groups"], 100, f"{at}/option_groups")
    return [group for group in groups if isinstance(group, dict)]


def _max_selected(report: Report, element: Json, at: str) -> None:
    most = element.get("max_selected_items", 1)
    if not isinstance(most, int) or most < 1:
        report.add("must be a positive number", f"{at}/max_selected_items")


def _external_select(report: Report, element: Json, at: str) -> None:
    least = element.get("min_query_length", 3)
    if not isinstance(least, int) or least < 0:
        report.add("must be zero or a positive number", f"{at}/min_query_length")
    _max_selected(report, element, at)


def _select(report: Report, element: Json, at: str) -> None:
    for key in ("initial_user", "initial_channel", "initial_conversation"):
        report.optional_length(element, key, 255, at)
    _max_selected(report, element, at)


def _picker(report: Report, element: Json, at: str) -> None:
    report.matches(element, "initial_date", DATE, at)
    report.matches(element, "initial_time", TIME, at)
    stamp = element.get("initial_date_time")
    if stamp is not None and (not isinstance(stamp, int) or len(str(stamp)) != 10):
        report.add("must be a UNIX timestamp of 10 digits", f"{at}/initial_date_time")


def _text_input(report: Report, element: Json, at: str) -> None:
    report.optional_length(element, "initial_value", 3000, at, minimum=0)
    report.flag(element, "multiline", at)
    low, high = element.get("min_length", 0), element.get("max_length", 3000)
    if not isinstance(low, int) or not 0 <= low <= 3000:
        report.add("must be between 0 and 3000", f"{at}/min_length")
    elif not isinstance(high, int) or not 1 <= high <= 3000:
        report.add("must be between 1 and 3000", f"{at}/max_length")
    elif low > high:
        report.add("must not be less than min_length", f"{at}/max_length")


def _number(report: Report, element: Json, at: str) -> None:
    if not isinstance(element.get("is_decimal_allowed"), bool):
        report.add("must be a boolean", f"{at}/is_decimal_allowed")


CHECKS: dict[str, Check] = {
    "button": _button,
    "image": check_image,
    "overflow": _overflow,
    "checkboxes": _choices,
    "radio_buttons": _choices,
    "static_select": _static_select,
    "multi_static_select": _static_select,
    "external_select": _external_select,
    "multi_external_select": _external_select,
    **{
        f"{many}{kind}_select": _select
        for many in ("", "multi_")
        for kind in ("users", "conversations", "channels")
    },
    "datepicker": _picker,
    "timepicker": _picker,
    "datetimepicker": _picker,
    "plain_text_input": _text_input,
    "email_text_input": _text_input,
    "url_text_input": _text_input,
    "number_input": _number,
}
