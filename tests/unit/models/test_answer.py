from bot.models.model import TextDelta, ThinkingDelta
from bot.models.ollama import OllamaAnswer
from bot.models.peer import Peer


def test_a_nul_is_replaced_in_all_that_a_model_says() -> None:
    """No store's text holds it faithfully."""
    answer = OllamaAnswer(Peer("test", "test", ""))
    answer.fold([b'{"message":{"thinking":"a\\u0000b","content":"c\\u0000d"}}'], 100)
    assert answer.take() == [ThinkingDelta("a\ufffdb"), TextDelta("c\ufffdd")]
