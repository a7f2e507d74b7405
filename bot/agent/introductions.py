"""Introductory phrases that mention the machinery: "Based on the tool results, …".

Models that are given the results of gadgets like to say so. The phrase goes, the sentence stays. A phrase is removed
only when it names a tool, a gadget, a function's result, JSON or the provided context *and* ends where the sentence
proper begins; "Based on the weather, …", "According to the forecast, …", "The tool you need is …" do neither.

Where an entry has a capturing group, the group belongs to the sentence: the phrase ends before it.
"""

from bot.agent.lookahead import Lookahead

WINDOW = 200
"""Characters: no introduction is longer, and no more than this is held back to recognise one."""

INITIALS = "ABFGIJLMPT"
"""The capital letters with which an introduction begins."""

_WORDS = r"(?:[\w'\u2019`*\"-]{1,30} ){0,2}"
_THE = r"(?:(?:the|my|this|that|these|those|all|our) )?"
_TOOL = r"(?:tools?|gadgets?)"
_OWN = r"(?:['\u2019]s)?"
_RESULT = r"(?:results?|outputs?|responses?|data|information|info|findings|calls?)"
_FROM = r"(?:(?:provided|returned|given|supplied|retrieved|received|obtained) )?(?:from|of|by|with|using|via)"
_TOOL_RESULT = rf"(?:{_WORDS}{_TOOL}{_OWN}(?: calls?)? {_RESULT}|function(?: call)? (?:results?|outputs?|responses?))"
_RESULT_OF_TOOL = rf"{_WORDS}{_RESULT} {_FROM} {_THE}{_WORDS}(?:{_TOOL}|function calls?)"
_CONTEXT = r"(?:(?:provided|given|supplied) context|context (?:provided|given|supplied|above))"
_JSON = rf"{_WORDS}JSON(?: {_RESULT}| object)?"
_AS_RECEIVED = (
    r"(?: (?:(?:that )?(?:I|we) (?:have )?(?:got|received|retrieved|obtained|found)|above|provided|returned))?"
)
_FOR_A_PLACE = r"(?: for [^,.:;\n<`]{1,40}(?:, (?-i:[A-Z])[\w-]{1,30})?, ((?-i:[a-z]|I ))|[,:]\s{1,4})"
_THINGS = rf"(?:{_TOOL_RESULT}|{_RESULT_OF_TOOL}|{_CONTEXT})"
_BASED_ON = r"(?:based (?:up)?on|according to|judging (?:by|from)|going by|as per|per|given|looking at)"
_AFTER = r"after (?:checking|reviewing|consulting|using|calling|looking at)"
_SAYS = r"(?:says?|said|shows?|showed|indicates?|indicated|reports?|reported|states?|tells? (?:me|us)|confirms?)"
_DID = r"(?:used|called|ran|invoked|consulted|queried|checked)"
_IN_ORDER_TO = r"(?: to [^,.;:\n<`]{1,60})?"
_LEARNED = (
    r"(?:(?:found|learned|discovered|determined|saw|(?:can )?(?:see|tell|confirm))(?: out)? that |((?:it|there) ))"
)

TABLE: tuple[tuple[str, str], ...] = (
    (
        rf"(?:{_BASED_ON}|{_AFTER}) {_THE}{_THINGS}{_AS_RECEIVED}{_FOR_A_PLACE}",
        "Based on the tool results, / According to the data returned by the gadget: / Given the provided context,",
    ),
    (
        rf"from {_THE}{_THINGS}{_AS_RECEIVED}, ((?:it|there|I|we) )",
        "From the tool results, it seems … (but not: From the tool output, copy the number)",
    ),
    (
        rf"(?:based on|according to|judging by) {_THE}{_JSON}{_AS_RECEIVED}[,:]\s{{1,4}}",
        "Based on the JSON response, (but not: In the JSON, set …)",
    ),
    (
        rf"(?:according to|as per|per) {_THE}{_WORDS}(?:tool|gadget)[,:]\s{{1,4}}",
        "According to the weather gadget, (but not: Based on the tool, choose a blade)",
    ),
    (
        rf"(?:the|my) (?:{_WORDS}{_TOOL}|{_TOOL_RESULT}|{_RESULT_OF_TOOL}) {_SAYS}(?: that |:\s{{1,4}})",
        "The weather gadget says that / The results from the tool show: ",
    ),
    (
        rf"(?:the|my) {_WORDS}(?:tool|gadget) (?:says|said|reports|reported) ((?:it|there) )",
        "The weather gadget says it …",
    ),
    (
        rf"I(?:['\u2019]ve| have)? {_DID} {_THE}(?:a )?{_WORDS}(?:{_TOOL}|function){_IN_ORDER_TO},? and {_LEARNED}",
        "I used the weather tool and found that / I used the weather tool and it …",
    ),
    (
        r"as an? (?:AI|(?:AI |large )?language model)(?: (?:language model|model|assistant|chatbot))?,\s{1,4}",
        "As an AI language model,",
    ),
)
"""Each pattern with what it is for."""

INTRODUCTION = Lookahead("|".join(pattern for pattern, _ in TABLE), WINDOW)
