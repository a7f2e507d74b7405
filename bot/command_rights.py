"""Who may see and change which mission. Every door of the core asks here, whatever button, command or page asked it."""

from collections.abc import Mapping

from bot.platforms.platform import Author, ConversationKey
from storage.conversations import Conversation


class Rights:
    """`admins` = platform → ids of those who may act on everybody's missions, wherever they are asked about."""

    def __init__(self, admins: Mapping[str, frozenset[str]]) -> None:
        self._admins = admins

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
