import aiohttp
import pytest

from gadgets.caesar import encrypt as shifted
from gadgets.context import Occasion
from gadgets.decryptor import decrypt, encrypt
from gadgets.toolbox import MAX_RESULT, Outcome, Toolbox

BOX = Toolbox([decrypt, encrypt])


async def call(name: str, **arguments: object) -> Outcome:
    async with aiohttp.ClientSession() as http:
        return await BOX.call(name, arguments, http=http, occasion=Occasion("test:1"), settings={})


async def test_with_a_shift_the_result_is_the_plain_text() -> None:
    assert await call("decrypt", ciphertext="IFMMP", shift=1) == Outcome("HELLO", ok=True)


async def test_a_shift_as_text_is_taken() -> None:
    assert (await call("decrypt", ciphertext="WKLV LV D WHVW", shift="3")).text == "THIS IS A TEST"


async def test_encrypt_shifts_forward() -> None:
    assert (await call("encrypt", plaintext="Hello, World!", shift=3)).text == "Khoor, Zruog!"


@pytest.mark.parametrize(("text", "plain"), [("KHOOR", "HELLO"), ("WKLV LV D WHVW", "THIS IS A TEST"), ("FDW", "CAT")])
async def test_without_a_shift_the_most_likely_reading_comes_first(text: str, plain: str) -> None:
    first, *others = (await call("decrypt", ciphertext=text)).text.splitlines()
    assert first.endswith(f": shift 3: {plain}")
    assert len([line for line in others if line.startswith("shift ")]) == 4


async def test_a_clear_winner_is_called_decrypted_and_a_close_race_likely() -> None:
    assert (await call("decrypt", ciphertext="WKLV LV D WHVW")).text.startswith("Decrypted: ")
    assert (await call("decrypt", ciphertext="N")).text.startswith("Most likely: ")


async def test_a_text_without_letters_is_said_to_have_none() -> None:
    assert "no letters" in (await call("decrypt", ciphertext="123 … Привет")).text


async def test_plain_english_is_said_to_be_no_cipher() -> None:
    assert "may not be shifted at all" in (await call("decrypt", ciphertext="This is not encrypted.")).text
    assert "may not be shifted" not in (await call("decrypt", ciphertext="WKLV LV D WHVW")).text


async def test_readings_of_a_long_text_fit_into_one_result() -> None:
    text = (await call("decrypt", ciphertext=shifted("the agent is here. " * 2_000, 9))).text
    assert len(text) < MAX_RESULT
    assert text.startswith("Decrypted: shift 9: the agent is here.")
    assert text.count("shift ") == 5


async def test_a_shift_that_is_no_number_is_refused_with_a_sentence() -> None:
    outcome = await call("decrypt", ciphertext="KHOOR", shift="three")
    assert outcome == Outcome("Wrong arguments for decrypt: `shift` must be a whole number.", ok=False, retry=True)
