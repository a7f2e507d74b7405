"""What the configured agents are told, for whoever trains a model on what they said."""

from bot.authority import configured_gadgets
from bot.models.model import ToolSpec
from bot.models.payload import tool_schema
from bot.settings import Settings
from gadgets.toolbox import Toolbox
from storage.export_finetune import Persona


def personas_of(settings: Settings) -> dict[str, Persona]:
    """Agent → its prompt, and the gadgets of the catalogue that it may use, as a model is offered them."""
    toolbox = Toolbox(configured_gadgets(settings))
    return {
        name: Persona(agent.prompt.strip(), tuple(_tools(toolbox.only(agent.gadgets))))
        for name, agent in settings.agents.items()
    }


def _tools(toolbox: Toolbox) -> list[dict[str, object]]:
    return [tool_schema(ToolSpec(each.name, each.description, each.parameters)) for each in toolbox.gadgets]
