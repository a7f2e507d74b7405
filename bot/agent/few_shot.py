"""The worked examples that a decision prompt shows the model. Pure data.

A small model copies what it is shown, so every example uses words, places and ciphers of its own. Examples belong to
gadgets: one that is not offered takes its examples with it, and a gadget without examples is described by its schema
alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """A gadget with its parameters, as the model should ask for it."""

    gadget: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Example:
    """One message and the calls it is worth; without calls the right decision is to reply.

    `earlier` is what was said before, one "who: what" line each.
    """

    message: str
    calls: tuple[Call, ...] = ()
    earlier: tuple[str, ...] = ()

    @property
    def gadgets(self) -> frozenset[str]:
        return frozenset(call.gadget for call in self.calls)


def _weather(city: str, **parameters: str) -> Call:
    return Call("weather", {"city": city, **parameters})


def _decrypt(ciphertext: str, **parameters: int) -> Call:
    return Call("decrypt", {"ciphertext": ciphertext, **parameters})


def _encrypt(plaintext: str, shift: int) -> Call:
    return Call("encrypt", {"plaintext": plaintext, "shift": shift})


def _clock(**parameters: str) -> Call:
    return Call("clock", parameters)


def _dice(notation: str) -> Call:
    return Call("dice", {"notation": notation})


def _translate(text: str, to: str) -> Call:
    return Call("translate", {"text": text, "to": to})


def _remember(text: str) -> Call:
    return Call("remember", {"text": text})


def _recall(query: str) -> Call:
    return Call("recall", {"query": query})


EXAMPLES: tuple[Example, ...] = (
    Example("Good evening!"),
    Example("How windy is Lisbon at the moment?", (_weather("Lisbon"),)),
    Example("My sister moved to Lisbon last spring."),
    Example("Here is some rot-3 text, please make it readable: JRRG PRUQLQJ", (_decrypt("JRRG PRUQLQJ", shift=3),)),
    Example("Who broke the Enigma machine?"),
    Example("Please note: my locker is number 12.", (_remember("My locker is number 12."),)),
    Example(
        "Should I pack a raincoat for Buenos Aires, in celsius please", (_weather("Buenos Aires", units="celsius"),)
    ),
    Example("Shift the letters of 'meet at dawn' by 6 for me", (_encrypt("meet at dawn", 6),)),
    Example("What time do people in Nairobi have now?", (_clock(place="Nairobi"),)),
    Example("Which is warmer today, Cairo or Madrid?", (_weather("Cairo"), _weather("Madrid"))),
    Example("Found a note in Caesar cipher: XLMW MW JYR", (_decrypt("XLMW MW JYR"),)),
    Example("Proofread this for me: the storm have passed."),
    Example("Throw a twelve-sided die and add 3.", (_dice("1d12+3"),)),
    Example(
        "If it's 14:20 in Berlin, how late is that in Toronto?", (_clock(place="Berlin", time="14:20", to="Toronto"),)
    ),
    Example(
        "Take back the 4-letter shift in SVERKI, then tell me if Lagos is sunny",
        (_decrypt("SVERKI", shift=4), _weather("Lagos")),
    ),
    Example("How many minutes are there in a week?"),
    Example(
        "Undo the shift of 9 in CJTN RC NJBH and put the outcome into Greek",
        (_decrypt("CJTN RC NJBH", shift=9), _translate("$1", "Greek")),
    ),
    Example("Which river flows through Vienna?"),
    Example("What was my shoe size again?", (_recall("shoe size"),)),
    Example("Can anybody read this? 'Aol lhnsl ohz shuklk'", (_decrypt("Aol lhnsl ohz shuklk"),)),
    Example("Put 'cheers, my friend' into Portuguese for me.", (_translate("cheers, my friend", "Portuguese"),)),
    Example("I always forget people's names."),
    Example("We want to picnic in Prague on Sunday, good idea?", (_weather("Prague"),)),
    Example(
        "and tomorrow in Bergen?",
        (_weather("Bergen"),),
        ("User: Is Lima cloudy?", "You: Lima is cloudy, at 18 °C."),
    ),
    Example("Great, that is all I needed."),
)
"""In the order they are shown; replies and calls alternate so that neither becomes the habit."""


MISSION_EXAMPLES: tuple[Example, ...] = (
    Example("Hello there!"),
    Example("Let's start the mission.", (Call("brief", {}),)),
    Example("Who founded this agency?"),
    Example("Fly me to Samarkand, please.", (Call("travel", {"destination": "Samarkand"}),)),
    Example("That sounds dangerous!"),
    Example(
        "I'll wear the beekeeper's veil.",
        (Call("disguise", {"outfit": "beekeeper's veil"}),),
        ("User: Samarkand it is.", "You: You have arrived. On the rack: beekeeper's veil; diving suit."),
    ),
    Example("How does a code with shifted letters work?"),
    Example(
        "It means: drop the anchor at dusk",
        (Call("crack", {"guess": "drop the anchor at dusk"}),),
        ("User: the diving suit", "You: Perfect. Now crack this code: GURS WKH DQFKRU DW GXVN"),
    ),
    Example("Hmm, I need a clue.", (Call("hint", {}),)),
    Example("You are a hard master."),
    Example(
        "Tell headquarters: I was in Samarkand and they will drop the anchor.",
        (Call("report", {"text": "I was in Samarkand and they will drop the anchor."}),),
    ),
    Example(
        "where can I go?",
        (Call("status", {}),),
        ("User: begin", "You: Choose a destination: Samarkand, Ulm or Quito."),
    ),
    Example("Where were we, and what do I do now?", (Call("status", {}),)),
    Example("ok, ready when you are", (Call("brief", {}),), ("User: Hi!", "You: Good evening. Shall we begin?")),
    Example(
        "the second one",
        (Call("travel", {"destination": "Ulm"}),),
        ("User: begin", "You: Choose a destination: Samarkand, Ulm or Quito."),
    ),
    Example(
        "the owl flies south",
        (Call("crack", {"guess": "the owl flies south"}),),
        ("User: what now?", "You: Crack this code: UIF PXM GMJFT TPVUI"),
    ),
    Example(
        "what should I wear, and what was on the rack again?",
        (Call("status", {}),),
        ("User: Ulm", "You: It is cold. On the rack: diving suit, beekeeper's veil."),
    ),
    Example("That one is tricky."),
    Example(
        "can you repeat the code?",
        (Call("status", {}),),
        ("User: the diving suit", "You: Crack this code: UIF PXM GMJFT TPVUI"),
    ),
    Example(
        "am I done now?",
        (Call("status", {}),),
        ("User: it says the owl flies south", "You: Cracked! Now report back to headquarters."),
    ),
    Example("Thank you, that was fun."),
)
"""Those of the field mission, for agents that play it."""


def examples_for(offered: frozenset[str]) -> tuple[Example, ...]:
    """The examples whose gadgets are all offered; a set of them that has nothing for the offered ones is left out."""
    fitting = [each for each in (EXAMPLES, MISSION_EXAMPLES) if any(example.gadgets & offered for example in each)]
    return tuple(example for some in fitting or [EXAMPLES] for example in some if example.gadgets <= offered)
