"""What people do in channels: talk, click, type commands, use shortcuts, react."""

from typing import Any

from bot.workspace import inputs, payloads, posting, responses
from bot.workspace.delivering import Delivering
from bot.workspace.errors import ActionRefusedError, SlackError
from bot.workspace.link import UNREACHABLE, Ack
from bot.workspace.model import Channel, Json, Message, Outcome, ResponseHook
from bot.workspace.typed import with_mentions
from bot.workspace.wire import as_typed

NO_ANSWER = "The app did not answer within 3 seconds. Try again."
NOT_CONNECTED = "The app is not connected. Is it running?"


def answered(ack: Ack) -> Outcome:
    """What the person sees of the app's answer, or of its silence."""
    if ack.ok:
        return Outcome(acked=True, payload=ack.payload)
    return Outcome(acked=False, error=NOT_CONNECTED if ack.reason == UNREACHABLE else NO_ANSWER)


class Acting(Delivering):
    """People at their keyboards. Users, channels and groups may be named or given by id."""

    # ------------------------------------------------------------ talking

    def say(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> Message:
        """Post as a person. `text` is what Slack stores: `<@U1>` mentions, escaped `&<>`.

        `channel` may also be a person (id or name): their direct message with the bot.
        """
        author, place = self.person(user), self._place(user, channel)
        if place.is_archived:
            raise ActionRefusedError("This channel is archived.")
        message = Message(place.id, self.next_ts(), author.id, text, thread_ts=thread_ts)
        if author.id not in place.members:
            place.members.append(author.id)
        posting.mark_read(self, place, author.id)
        posting.add(self, place, message)
        self._tell(place, message)
        return message

    def type_text(
        self, user: str, channel: str, typed: str, thread_ts: str | None = None
    ) -> Message:
        """Post what a person typed: everything escaped, @names turned into mentions."""
        return self.say(user, channel, with_mentions(self, as_typed(typed)), thread_ts)

    def _tell(self, channel: Channel, message: Message) -> None:
        if self.bot_user_id not in channel.members:
            return
        event = payloads.message_event(self, channel, message)
        self.emit(f"message.{event['channel_type'].replace('channel', 'channels')}", event)
        if f"<@{self.bot_user_id}" in message.text and not channel.is_im:
            self.emit("app_mention", payloads.app_mention(self, channel, message))

    def _place(self, user: str, channel: str) -> Channel:
        """A channel, or a direct message: named by its person, or by the bot for one's own."""
        if channel in self.channels:
            return self.channels[channel]
        name = channel.removeprefix("@")
        for known in self.users.values():
            if name in {known.id, known.name}:
                return self.im(self.person(user).id if known.is_bot else known.id)
        return self.conversation(channel)

    def react(self, user: str, channel: str, ts: str, name: str) -> None:
        """Add the reaction, or take it back when it was there."""
        who, place = self.person(user).id, self.conversation(channel)
        message = place.messages.get(ts)
        if message is None:
            raise SlackError("message_not_found")
        if who in message.reactions.get(name, []):
            posting.unreact(self, place, ts, name, who)
            kind = "reaction_removed"
        else:
            posting.react(self, place, ts, name, who)
            kind = "reaction_added"
        self.emit(kind, payloads.reaction(self, kind, who, place, message, name))

    def read(self, user: str, channel: str) -> None:
        posting.mark_read(self, self.conversation(channel), self.person(user).id)

    def dismiss(self, user: str, channel: str, ts: str) -> None:
        """Put an ephemeral message away."""
        place = self.conversation(channel)
        message = place.ephemerals.get(ts)
        if message is not None and message.only_for == self.person(user).id:
            posting.remove(self, place, ts)

    # ------------------------------------------------------------ clicking

    async def click(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        value: Any = None,
        *,
        block_id: str | None = None,
    ) -> Outcome:
        """Use an element of a message; `value` is the option's value, or what was picked.

        Waits for the app's answer (three seconds at most). Raises ActionRefusedError when the
        message has no such element or option.
        """
        who, place = self.person(user).id, self._place(user, channel)
        message = place.find(ts)
        if message is None:
            raise SlackError("message_not_found")
        blocks = [*message.blocks, *(b for a in message.attachments for b in a.get("blocks", []))]
        block, element = inputs.find(blocks, action_id, block_id)
        state = self._filled(f"{place.id}:{ts}", who, blocks, block, element, value)
        if block["type"] == "input" and not block.get("dispatch_action"):
            return Outcome(acked=True)
        action = inputs.action_of(block, element, value, self.next_ts())
        payload = payloads.block_actions_on_message(self, who, place, message, action, state)
        ack = await self.interact("interactive", payload)
        return answered(ack)

    async def select_overflow(
        self, user: str, channel: str, ts: str, action_id: str, value: str
    ) -> Outcome:
        """Choose from an overflow menu; `value` is the option's value."""
        return await self.click(user, channel, ts, action_id, value)

    def _filled(
        self, place: str, user: str, blocks: list[Json], block: Json, element: Json, value: Any
    ) -> Json:
        """`state.values` after this element took `value`; kept per person and message."""
        kept = self.inputs.get((place, user), {})
        if element["type"] in inputs.SHAPES:
            entry = inputs.entry(element, value)
            row = {**kept.get(block["block_id"], {}), element["action_id"]: entry}
            kept = {**kept, block["block_id"]: row}
            self.inputs[place, user] = kept
        return inputs.state_of(blocks, kept)

    # ------------------------------------------------------------ commands and shortcuts

    async def command(self, user: str, channel: str, text: str) -> Outcome:
        """Type a slash command, for example "/oncall who"; names become escaped mentions."""
        who, place = self.person(user).id, self._place(user, channel)
        name, _, rest = text.strip().partition(" ")
        if not name.startswith("/"):
            raise ActionRefusedError("A command starts with a slash.")
        if self.commands and name not in {command.name for command in self.commands}:
            return Outcome(acked=False, error=f"{name} is not a valid command.")
        rest = with_mentions(self, rest.strip(), labels=True)
        payload = payloads.slash_command(self, who, place, name, rest)
        ack = await self.interact("slash_commands", payload)
        if not ack.ok:
            word = "operation_timeout" if ack.reason == "http_timeout" else "dispatch_failed"
            return Outcome(acked=False, error=f"{name} failed with the error “{word}”.")
        if ack.payload:
            return self._answered(name, ResponseHook(who, place.id, self.stopwatch()), ack.payload)
        return Outcome(acked=True)

    def _answered(self, name: str, hook: ResponseHook, body: Any) -> Outcome:
        """Show the message that came with the acknowledgement."""
        try:
            responses.respond(self, hook, body)
        except SlackError as bad:
            detail = " ".join([bad.code, *bad.messages])
            return Outcome(acked=True, error=f"{name} failed: {detail}", payload=body)
        return Outcome(acked=True, payload=body)

    async def shortcut(
        self, user: str, callback_id: str, message: Message | None = None
    ) -> Outcome:
        """Use a message shortcut on `message`, or a global one without it."""
        who = self.person(user).id
        if message is None:
            payload = payloads.global_shortcut(self, who, callback_id)
        else:
            place = self.conversation(message.channel)
            payload = payloads.message_action(self, who, callback_id, place, message)
        ack = await self.interact("interactive", payload)
        return answered(ack)
