"""auth.test, team.info, users.* and usergroups.*."""

from bot.workspace.errors import SlackError
from bot.workspace.methods.registry import Args, method, page_of, paged
from bot.workspace.model import Json, UserGroup
from bot.workspace.records import Change, Records
from bot.workspace.wire import group_json, user_json


@method("auth.test")
def auth_test(records: Records, _args: Args) -> Json:
    bot = records.users[records.bot_user_id]
    return {
        "url": f"{records.base_url}/",
        "team": records.team_name,
        "user": bot.name,
        "team_id": records.team_id,
        "user_id": bot.id,
        "bot_id": records.bot_id,
        "is_enterprise_install": False,
    }


@method("api.test")
def api_test(_records: Records, args: Args) -> Json:
    if args.text("error"):
        raise SlackError(args.required("error"))
    return {"args": {k: v for k, v in args.values.items() if k != "token"}}


@method("team.info", "team:read")
def team_info(records: Records, _args: Args) -> Json:
    team = {
        "id": records.team_id,
        "name": records.team_name,
        "url": f"{records.base_url}/",
        "domain": records.team_domain,
        "email_domain": "",
        "icon": {"image_default": True},
    }
    return {"team": team}


@method("users.info", "users:read")
def users_info(records: Records, args: Args) -> Json:
    user = records.user(args.required("user", "user_not_found"))
    return {"user": user_json(records, user, with_email="users:read.email" in records.scopes)}


@method("users.list", "users:read")
def users_list(records: Records, args: Args) -> Json:
    with_email = "users:read.email" in records.scopes
    everyone = [user_json(records, u, with_email=with_email) for u in records.users.values()]
    page, cursor = page_of(args, everyone, default=1000)
    return {**paged("members", page, cursor), "cache_ts": records.seconds()}


@method("users.lookupByEmail", "users:read.email")
def lookup_by_email(records: Records, args: Args) -> Json:
    email = args.required("email", "users_not_found").lower()
    for user in records.users.values():
        if user.email.lower() == email and not user.deleted:
            return {"user": user_json(records, user)}
    raise SlackError("users_not_found")


@method("users.getPresence", "users:read")
def get_presence(records: Records, args: Args) -> Json:
    records.user(args.text("user") or records.bot_user_id)
    return {"presence": "active", "online": True}


@method("usergroups.list", "usergroups:read")
def usergroups_list(records: Records, args: Args) -> Json:
    _on_a_paid_plan(records)
    include_users = args.flag("include_users")
    include_disabled = args.flag("include_disabled")
    return {
        "usergroups": [
            group_json(records, group, include_users=include_users)
            for group in records.groups.values()
            if include_disabled or not group.disabled
        ]
    }


@method("usergroups.create", "usergroups:write")
def usergroups_create(records: Records, args: Args) -> Json:
    _may_edit(records, args)
    name = args.required("name")
    handle = args.text("handle") or name.lower().replace(" ", "-")
    taken = {g.name for g in records.groups.values()}, {g.handle for g in records.groups.values()}
    if name in taken[0]:
        raise SlackError("name_already_exists")
    if handle in taken[1] or any(user.name == handle for user in records.users.values()):
        raise SlackError("handle_already_exists")
    now = records.seconds()
    group = UserGroup(
        id=records.next_id("S"),
        handle=handle,
        name=name,
        description=args.text("description") or "",
        created=now,
        updated=now,
        updated_by=records.bot_user_id,
    )
    records.groups[group.id] = group
    records.changed(Change("group"))
    return {"usergroup": group_json(records, group, include_users=True)}


def _on_a_paid_plan(records: Records) -> None:
    if not records.paid_plan:
        raise SlackError("paid_teams_only")


def _may_edit(records: Records, args: Args) -> None:
    _on_a_paid_plan(records)
    if args.token == records.bot_token and not records.bot_may_edit_groups:
        raise SlackError("permission_denied")


def _group(records: Records, args: Args) -> UserGroup:
    group = records.groups.get(args.required("usergroup", "no_such_subteam"))
    if group is None:
        raise SlackError("no_such_subteam")
    return group


@method("usergroups.users.list", "usergroups:read")
def usergroups_users_list(records: Records, args: Args) -> Json:
    _on_a_paid_plan(records)
    return {"users": list(_group(records, args).users)}


@method("usergroups.users.update", "usergroups:write")
def usergroups_users_update(records: Records, args: Args) -> Json:
    """Replaces the whole list; Slack never lets it become empty."""
    _may_edit(records, args)
    group = _group(records, args)
    users = list(dict.fromkeys(args.names("users")))
    if not users:
        raise SlackError("no_users_provided")
    for user in users:
        found = records.users.get(user)
        if found is None or found.is_bot or found.deleted:
            raise SlackError("invalid_users")
    group.users, group.updated, group.updated_by = users, records.seconds(), records.bot_user_id
    records.changed(Change("group"))
    return {"usergroup": group_json(records, group, include_users=True)}


def _switch(records: Records, args: Args, *, disabled: bool) -> Json:
    _may_edit(records, args)
    group = _group(records, args)
    group.disabled, group.updated = disabled, records.seconds()
    records.changed(Change("group"))
    return {"usergroup": group_json(records, group, include_users=True)}


@method("usergroups.disable", "usergroups:write")
def usergroups_disable(records: Records, args: Args) -> Json:
    return _switch(records, args, disabled=True)


@method("usergroups.enable", "usergroups:write")
def usergroups_enable(records: Records, args: Args) -> Json:
    return _switch(records, args, disabled=False)
