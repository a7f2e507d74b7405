"""What a gadget may ask the language model: one exchange without history and gadgets, of instructions that are the
gadget's own and a text that is data.
"""

from contextlib import aclosing

from bot.agent.cleaning import clean
from bot.agent.prompt import Budget, total_tokens
from bot.errors import ModelError, sentence_for
from bot.models.model import Collected, Finished, Message, Model, Request, SystemMessage, UserMessage
from gadgets.context import TOO_LONG, Asked
from gadgets.errors import GadgetFailed

MAX_OUTPUT = 8_000
"""Characters that are read of what the model says."""


async def ask(model: Model, budget: Budget, system: str, text: str) -> Asked:
    """The answer without the model's reasoning, and whether it came to an end within the budget. The caller limits the
    time. Raises GadgetFailed when the question does not fit the budget, or the model fails.
    """
    messages: tuple[Message, ...] = (SystemMessage(system), UserMessage(text))
    if total_tokens(messages) > budget.prompt:
        raise GadgetFailed(TOO_LONG)
    output = Collected()
    try:
        await _collect(model, Request(messages, budget.num_ctx, budget.max_tokens), output)
    except ModelError as error:
        raise GadgetFailed(sentence_for(error)) from error
    finished = output.finished or Finished("length")
    text, whole = clean(output.text).strip(), finished.reason != "length"
    return Asked(text, finished.prompt_tokens, finished.completion_tokens, whole)


async def _collect(model: Model, request: Request, output: Collected) -> None:
    async with aclosing(model.stream(request)) as deltas:
        async for delta in deltas:
            output.add(delta)
            if len(output.text) > MAX_OUTPUT:
                return
