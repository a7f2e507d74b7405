"""Who has which role, who may use which command, and who may see and change which mission.

Every door of the core asks here, whatever button, command or page asked it.
"""

from collections.abc import Mapping
from dataclasses import replace

from bot.command_specs import COMMANDS
from bot.errors import NotAllowed
from bot.platforms.platform import Author, ConversationKey
from gadgets.roles import Role, highest, reaches, those
from storage.conversations import Conversation

Named = Mapping[str, frozenset[str]]
"""Platform → ids of people there."""


class Rights:
    """`admins` may act on everybody's missions, wherever they are asked about; `operators` and `members` may use what
    is for them. `commands` = command → who may use it, where that is not whom it is declared for.
    """

    def __init__(
        self,
        admins: Named,
        operators: Named | None = None,
        members: Named | None = None,
        *,
        commands: Mapping[str, Role] | None = None,
    ) -> None:
        self._admins = admins
        self._named: dict[Role, Named] = {"member": members or {}, "operator": operators or {}}
        self._commands = {
            spec.name: replace(spec, allow=(commands or {}).get(spec.name, spec.allow)) for spec in COMMANDS
        }

    def role(self, key: ConversationKey, author: Author) -> Role:
        """What the author is where the key is: the highest of what the settings and the platform say."""
        if self.rules(key, author):
            return "admin"
        named = (role for role, people in self._named.items() if author.id in people.get(key.platform, frozenset()))
        return highest(author.role, *named)

    def may_use(self, command: str, key: ConversationKey, author: Author) -> bool:
        return reaches(self.role(key, author), self._commands[command].allow)

    def require(self, command: str, key: ConversationKey, author: Author) -> None:
        """Raises NotAllowed for those who may not use a command."""
        if not self.may_use(command, key, author):
            spec = self._commands[command]
            raise NotAllowed(f"Only {those(spec.allow)} may {spec.deed}.")

    def rules(self, key: ConversationKey, author: Author) -> bool:
        """Whether the author is an admin where the key is: by the settings, or by a role in that workspace.

        Outside workspaces, as in direct messages, there are no roles.
        """
        return self.is_named(key.platform, author) or (author.admin and key.workspace != "")

    def is_named(self, platform: str, author: Author) -> bool:
        """Whether the settings name the author."""
        return author.id in self._admins.get(platform, frozenset())

    def may_see(self, conversation: Conversation, key: ConversationKey, author: Author) -> bool:
        """Those who are where it is, its owner, and admins; never across platforms or workspaces."""
        if (conversation.platform, conversation.workspace) != (key.platform, key.workspace):
            return False
        here = conversation.channel == key.channel
        return here or conversation.owner == author.id or self.rules(key, author)

    def may_change(self, conversation: Conversation, key: ConversationKey, author: Author) -> bool:
        own = conversation.owner == author.id or self.rules(key, author)
        return own and self.may_see(conversation, key, author)
