"""Where field missions lead: cities, what the weather is usually like there, and whom one meets where. Data.

Temperatures are monthly means in °C and wet days those with at least 1 mm, January first, after the public climate
normals of 1991-2020, rounded. They stand in for the weather service when that cannot be asked.
"""

from dataclasses import dataclass

Months = tuple[int, int, int, int, int, int, int, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class City:
    """A destination. `formal`: the meeting place asks for formal clothes; plain ones are right everywhere else."""

    name: str
    country: str
    latitude: float
    longitude: float
    temperatures: Months
    wet_days: Months
    formal: bool
    scene: str


CITIES: tuple[City, ...] = (
    City(
        "Oslo", "Norway", 59.91273, 10.74609,
        (-4, -4, 0, 5, 11, 16, 17, 16, 11, 6, 1, -3), (10, 7, 9, 8, 9, 11, 12, 13, 11, 12, 12, 10),
        True, "a gala on the marble roof of the opera house, which slopes into the fjord",
    ),
    City(
        "Reykjavik", "Iceland", 64.13548, -21.89541,
        (0, 1, 1, 3, 7, 10, 12, 11, 8, 5, 2, 1), (15, 14, 14, 12, 10, 10, 10, 12, 15, 15, 13, 15),
        False, "a trawler in the old harbour, its radio tuned to nothing",
    ),
    City(
        "Helsinki", "Finland", 60.16952, 24.93545,
        (-4, -5, -1, 4, 10, 15, 18, 16, 11, 6, 2, -2), (13, 10, 9, 8, 8, 10, 9, 11, 11, 12, 14, 14),
        False, "the last tram of line 3, rear bench",
    ),
    City(
        "London", "United Kingdom", 51.50853, -0.12574,
        (5, 6, 8, 10, 13, 17, 19, 18, 16, 12, 8, 6), (11, 9, 9, 9, 9, 8, 8, 8, 8, 11, 11, 11),
        True, "a club in Pall Mall whose members never ask",
    ),
    City(
        "Paris", "France", 48.85341, 2.3488,
        (5, 6, 9, 12, 16, 19, 21, 21, 17, 13, 8, 6), (10, 9, 10, 9, 10, 8, 8, 8, 8, 10, 10, 11),
        False, "a second-hand bookstall on the quay of the Seine",
    ),
    City(
        "Berlin", "Germany", 52.52437, 13.41053,
        (1, 2, 5, 10, 15, 18, 20, 19, 15, 10, 5, 2), (11, 9, 10, 8, 9, 9, 10, 9, 8, 9, 10, 11),
        False, "the third lamp post of the Glienicke bridge",
    ),
    City(
        "Vienna", "Austria", 48.20849, 16.37208,
        (1, 3, 7, 12, 16, 20, 22, 22, 17, 11, 6, 2), (8, 7, 8, 8, 9, 9, 9, 8, 7, 7, 8, 8),
        True, "the staircase of the State Opera, during the second interval",
    ),
    City(
        "Prague", "Czechia", 50.08804, 14.42076,
        (-1, 1, 5, 10, 14, 18, 20, 19, 15, 9, 4, 1), (8, 7, 8, 8, 10, 10, 10, 9, 7, 7, 8, 8),
        False, "a puppet maker's workshop below the castle",
    ),
    City(
        "Zurich", "Switzerland", 47.36667, 8.55,
        (1, 2, 6, 10, 14, 18, 20, 19, 15, 10, 5, 2), (10, 9, 11, 11, 12, 12, 12, 12, 10, 10, 10, 11),
        True, "the vault room of a very private bank",
    ),
    City(
        "Venice", "Italy", 45.43713, 12.33265,
        (4, 5, 9, 13, 18, 22, 24, 24, 20, 15, 9, 5), (6, 6, 6, 8, 8, 8, 6, 7, 6, 7, 8, 7),
        False, "a gondola with a covered cabin, moored at the fish market",
    ),
    City(
        "Rome", "Italy", 41.89193, 12.51133,
        (8, 9, 11, 14, 18, 22, 25, 25, 22, 17, 12, 9), (7, 7, 7, 8, 6, 4, 2, 3, 6, 8, 9, 9),
        True, "an ambassador's garden party on the Aventine",
    ),
    City(
        "Lisbon", "Portugal", 38.71667, -9.13333,
        (12, 13, 14, 16, 18, 21, 23, 23, 22, 19, 15, 13), (10, 9, 7, 9, 6, 2, 1, 1, 4, 9, 10, 11),
        False, "a tavern in Alfama where the singer closes her eyes",
    ),
    City(
        "Istanbul", "Türkiye", 41.01384, 28.94966,
        (6, 6, 8, 12, 17, 22, 25, 25, 21, 16, 12, 8), (12, 10, 9, 7, 5, 4, 3, 3, 5, 8, 9, 12),
        False, "a lamp seller's stall deep in the Grand Bazaar",
    ),
    City(
        "Warsaw", "Poland", 52.22977, 21.01178,
        (-1, 0, 4, 9, 14, 18, 20, 19, 14, 9, 4, 1), (9, 8, 8, 7, 9, 9, 10, 8, 8, 8, 9, 9),
        False, "a milk bar behind the Palace of Culture",
    ),
    City(
        "Marrakesh", "Morocco", 31.63416, -7.99994,
        (12, 14, 17, 19, 22, 25, 29, 29, 25, 21, 16, 13), (5, 5, 5, 5, 3, 1, 0, 1, 2, 4, 5, 5),
        False, "a spice merchant's roof above the great square",
    ),
    City(
        "Cairo", "Egypt", 30.06263, 31.24967,
        (14, 15, 18, 22, 26, 28, 29, 28, 27, 24, 19, 15), (3, 2, 2, 1, 0, 0, 0, 0, 0, 1, 1, 2),
        True, "a ballroom of faded gilt beside the Nile",
    ),
    City(
        "Nairobi", "Kenya", -1.28333, 36.81667,
        (19, 20, 20, 20, 19, 17, 17, 17, 19, 20, 19, 19), (5, 5, 8, 14, 11, 4, 2, 3, 3, 6, 13, 8),
        False, "the platform of the night train to the coast",
    ),
    City(
        "Cape Town", "South Africa", -33.92584, 18.42322,
        (21, 21, 20, 17, 15, 13, 12, 13, 14, 16, 18, 20), (3, 2, 3, 6, 9, 9, 9, 9, 7, 5, 3, 3),
        False, "the cable car to Table Mountain, second cabin",
    ),
    City(
        "Dubai", "United Arab Emirates", 25.07725, 55.30927,
        (19, 20, 23, 27, 31, 33, 35, 36, 33, 30, 25, 21), (2, 2, 3, 1, 0, 0, 0, 0, 0, 0, 1, 2),
        True, "an auction of falcons on the hundredth floor",
    ),
    City(
        "Delhi", "India", 28.65195, 77.23149,
        (14, 17, 22, 29, 32, 33, 31, 30, 29, 26, 20, 15), (2, 2, 2, 1, 2, 5, 10, 11, 6, 1, 1, 1),
        False, "a tea stand opposite the railway museum",
    ),
    City(
        "Singapore", "Singapore", 1.28967, 103.85007,
        (26, 27, 28, 28, 28, 28, 28, 28, 28, 28, 27, 26), (13, 8, 11, 12, 12, 11, 12, 13, 12, 14, 18, 18),
        True, "the long bar of a colonial hotel",
    ),
    City(
        "Hong Kong", "China", 22.27832, 114.17469,
        (16, 17, 19, 23, 26, 28, 29, 29, 28, 26, 22, 18), (5, 8, 9, 11, 14, 18, 17, 17, 14, 7, 5, 4),
        False, "the upper deck of the Star Ferry",
    ),
    City(
        "Tokyo", "Japan", 35.6895, 139.69171,
        (5, 6, 9, 14, 19, 22, 26, 27, 23, 18, 13, 8), (5, 6, 10, 10, 10, 12, 11, 9, 12, 11, 8, 5),
        False, "a noodle counter with six stools under the railway",
    ),
    City(
        "Sydney", "Australia", -33.86785, 151.20732,
        (23, 23, 22, 19, 16, 13, 13, 14, 16, 18, 20, 22), (11, 12, 13, 12, 12, 12, 10, 9, 9, 10, 11, 11),
        True, "a premiere below the white shells of the opera house",
    ),
    City(
        "Buenos Aires", "Argentina", -34.61315, -58.37723,
        (25, 24, 22, 18, 15, 12, 11, 13, 15, 18, 21, 24), (9, 8, 9, 9, 7, 7, 7, 7, 7, 9, 9, 9),
        True, "a tango hall where nobody gives a surname",
    ),
    City(
        "Rio de Janeiro", "Brazil", -22.90642, -43.18223,
        (26, 27, 26, 25, 23, 22, 21, 22, 22, 23, 24, 26), (13, 11, 12, 10, 10, 7, 7, 7, 10, 11, 12, 13),
        False, "a juice bar one street behind the beach",
    ),
    City(
        "Montreal", "Canada", 45.50884, -73.58781,
        (-9, -8, -2, 6, 13, 18, 21, 20, 16, 9, 3, -5), (14, 12, 12, 12, 13, 12, 12, 11, 11, 13, 15, 15),
        False, "a skating rink in the old port",
    ),
    City(
        "Havana", "Cuba", 23.13302, -82.38304,
        (22, 22, 23, 25, 26, 27, 28, 28, 27, 26, 24, 23), (6, 5, 5, 5, 9, 13, 11, 12, 14, 13, 8, 6),
        False, "the back seat of a turquoise convertible",
    ),
)  # fmt: skip

BY_NAME = {city.name: city for city in CITIES}
