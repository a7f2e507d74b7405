"""What people see and do in Discord's own client."""

from collections.abc import Mapping
from typing import Any

from tests.fakes.discord.changes import Changes
from tests.fakes.discord.commands import Commands
from tests.fakes.discord.drafts import Draft
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, PATIENCE, Interaction
from tests.fakes.discord.invoking import Invoking
from tests.fakes.discord.permissions import P
from tests.fakes.discord.pulse import Pulse
from tests.fakes.discord.state import HAS_SNAPSHOT, Channel, Guild, Kind, Message, Role, User
from tests.fakes.discord.validation import Validation
from tests.fakes.discord.world import World


class People:
    world: World
    changes: Changes
    commands: Commands
    gateway: Gateway
    pulse: Pulse
    validation: Validation
    interactions: dict[int, Interaction]

    @property
    def bot(self) -> User:
        return self.world.bot

    # Places and people

    def make_guild(self, name: str = "HQ", owner: User | None = None) -> Guild:
        """A guild that the bot is in."""
        guild = self.world.add_guild(name, owner or self.world.owner)
        for session in self.gateway.connected:
            if session.serves(guild.id):
                session.dispatch("GUILD_CREATE", self.gateway.guild_created(guild, session))
        return guild

    def make_user(self, name: str, *guilds: Guild, bot: bool = False) -> User:
        user = self.world.add_user(name, bot=bot)
        for guild in guilds:
            self.join(guild, user)
        return user

    def join(self, guild: Guild, user: User, *roles: Role) -> None:
        member = guild.members.get(user.id) or self.world.add_member(guild, user)
        member.roles += roles

    def make_role(self, guild: Guild, name: str, permissions: int = 0) -> Role:
        return self.world.add_role(guild, name, permissions)

    def make_text_channel(self, guild: Guild, name: str = "general") -> Channel:
        return self._made(self.world.add_channel(guild, Kind.TEXT, name))

    def make_forum(self, guild: Guild, name: str = "questions") -> Channel:
        return self._made(self.world.add_channel(guild, Kind.FORUM, name))

    def _made(self, channel: Channel) -> Channel:
        self.changes.tell_channel("CHANNEL_CREATE", channel)
        return channel

    def make_thread(self, parent: Channel, user: User, name: str, *, starter: Message | None = None) -> Channel:
        return self.changes.open_thread(parent, user, name, starter=starter)

    def make_post(self, forum: Channel, user: User, title: str, text: str) -> Channel:
        """A forum post; its first message has the thread's id."""
        thread = self.changes.open_thread(forum, user, title)
        self.changes.post(thread, user, Draft(text), number=thread.id)
        return thread

    def permit(self, channel: Channel, *, allow: int = 0, deny: int = 0, target: User | Role | None = None) -> None:
        """Overwrite permissions in a channel, for the bot unless a target is given."""
        self.world.overwrite(channel, target or self.bot, allow, deny)
        if channel.guild is not None:
            self.changes.tell_channel("CHANNEL_UPDATE", channel)

    def delete_channel(self, channel: Channel) -> None:
        self.changes.delete_channel(channel)

    def archive(self, thread: Channel, *, locked: bool = False) -> None:
        assert thread.thread is not None
        thread.thread.locked = locked
        self.changes.set_archived(thread, archived=True)

    # Messages

    def dm(self, user: User) -> Channel:
        return self.world.dm(user)

    def messages(self, channel: Channel, *, by: User | None = None) -> list[Message]:
        """What everybody sees in a channel now, oldest first; without what Discord itself writes there."""
        found = sorted(channel.messages.values(), key=lambda each: each.id)
        return [each for each in found if each.kind in {0, 19, 20} and by in {None, each.author}]

    def threads(self, channel: Channel) -> list[Channel]:
        return [each for each in self.world.channels.values() if each.parent is channel]

    def say(
        self,
        channel: Channel,
        user: User,
        text: str = "",
        *,
        attachments: Mapping[str, bytes] | None = None,
        reply_to: Message | None = None,
    ) -> Message:
        """`<@id>` in the text mentions. A reply mentions its addressee, as it does by default."""
        may = self.world.allowed(user, channel)
        needed = P.SEND_MESSAGES_IN_THREADS if channel.is_thread else P.SEND_MESSAGES
        assert may & needed, f"{user.name} may not write in {channel.name or 'this DM'}"
        files = [self.changes.drafts.attachment(name, data) for name, data in (attachments or {}).items()]
        return self.changes.post(channel, user, Draft(text, attachments=files), reply_to=reply_to)

    def forward(self, channel: Channel, user: User, message: Message) -> Message:
        """A forward has no text of its own."""
        return self.changes.post(channel, user, Draft(flags=HAS_SNAPSHOT), forwarded=message)

    def hook(self, channel: Channel, name: str, text: str) -> Message:
        """A message of a webhook; its author is no member."""
        author = self.world.add_user(name, bot=True)
        return self.changes.post(channel, author, Draft(text), webhook_id=author.id)

    def edit(self, message: Message, text: str) -> None:
        self.changes.edit(message, Draft(text))

    def delete(self, message: Message) -> None:
        self.changes.delete(message)

    def react(self, message: Message, user: User, emoji: str) -> None:
        self.changes.react(message, user, emoji)

    # Commands and buttons

    def slash(self, user: User, channel: Channel, /, *path: str, **options: Any) -> Interaction:
        """`slash(alice, general, "mission", "show", id="7")`. A command that cannot be typed fails the test."""
        return self._invoke(user, channel, COMMAND, self._invoking.data(channel, path, options))

    async def autocomplete(self, user: User, channel: Channel, *path: str, **options: Any) -> list[Any]:
        """The values offered for the last option while it is typed."""
        assert options, "autocompletion is for an option"
        data = self._invoking.data(channel, path, options, typing=list(options)[-1])
        interaction = self._invoke(user, channel, AUTOCOMPLETE, data)
        return await interaction.completions(seconds=PATIENCE)

    def click(self, user: User, message: Message, custom_id: str) -> Interaction:
        """Press a button of a message. One that is not there or is disabled fails the test."""
        button = message.buttons.get(custom_id)
        assert button is not None, f"there is no button {custom_id}; there are {list(message.buttons)}"
        assert not button.get("disabled"), f"the button {custom_id} is disabled"
        assert not message.deleted, "the message is gone"
        data = {"custom_id": custom_id, "component_type": button["type"], "id": button["id"]}
        return self._invoke(user, message.channel, COMPONENT, data, source=message)

    @property
    def _invoking(self) -> Invoking:
        return Invoking(self.world, self.commands, self.changes)

    def _invoke(
        self, user: User, channel: Channel, kind: int, data: dict[str, Any], source: Message | None = None
    ) -> Interaction:
        number, now = self.world.ids.next(), self.world.clock.now()
        interaction = Interaction(number, kind, user, channel, now, self.pulse, data, source)
        self.interactions[number] = interaction
        self.tell_interaction(interaction)
        return interaction

    def tell_interaction(self, interaction: Interaction) -> None:
        """Once more: as after a RESUME that replays too much."""
        event = self._invoking.event(interaction)
        self.validation.interaction(event)
        guild = interaction.channel.guild
        self.gateway.dispatch("INTERACTION_CREATE", guild.id if guild else None, event)
