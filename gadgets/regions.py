"""What people write for a country or a US state, and what a geocoder calls it."""

import unicodedata

_COUNTRIES = {
    "us": "united states",
    "usa": "united states",
    "america": "united states",
    "united states of america": "united states",
    "uk": "united kingdom",
    "great britain": "united kingdom",
    "britain": "united kingdom",
    "uae": "united arab emirates",
    "holland": "netherlands",
    "the netherlands": "netherlands",
    "czech republic": "czechia",
    "korea": "south korea",
    "dc": "district of columbia",
}

_STATES = """
al alabama|ak alaska|az arizona|ar arkansas|ca california|co colorado|ct connecticut|de delaware|fl florida|ga georgia
hi hawaii|id idaho|il illinois|in indiana|ia iowa|ks kansas|ky kentucky|la louisiana|me maine|md maryland
ma massachusetts|mi michigan|mn minnesota|ms mississippi|mo missouri|mt montana|ne nebraska|nv nevada|nh new hampshire
nj new jersey|nm new mexico|ny new york|nc north carolina|nd north dakota|oh ohio|ok oklahoma|or oregon|pa pennsylvania
ri rhode island|sc south carolina|sd south dakota|tn tennessee|tx texas|ut utah|vt vermont|va virginia|wa washington
wv west virginia|wi wisconsin|wy wyoming
"""
_STATE_NAMES = dict(each.split(" ", 1) for each in _STATES.strip().replace("\n", "|").split("|"))


def folded(name: str) -> str:
    """A name for comparing: no case, accents, full stops or repeated spaces."""
    letters = unicodedata.normalize("NFKD", name.casefold().replace(".", ""))
    return " ".join("".join(each for each in letters if not unicodedata.combining(each)).split())


def meanings(region: str) -> frozenset[str]:
    """All folded names that a written region may stand for: `CO` is a country's code and Colorado."""
    name = folded(region)
    known = (name, _COUNTRIES.get(name), _STATE_NAMES.get(name))
    return frozenset(each for each in known if each)
