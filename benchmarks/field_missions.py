"""Does the embedded model lead field missions to their end? `python -m benchmarks.field_missions [N] [--small]`

A scripted player who knows the solutions, but says them in several ways, plays N missions (default 10) with the
Taskmaster as it is shipped: real core, real database, a seed for each mission, the weather from the table. A mission is
completed when the model made every move through its gadgets within 20 turns, the debrief was given and the conversation
was closed.

Prints each mission with its turns, whether the answer that led to the code held the code letter by letter, and last
`N of M completed`. Exit 1 when it could not run.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from aiohttp import ClientSession

from bot.models.embedded import EmbeddedModel
from bot.models.weights import LARGE, SMALL
from tests.field_player import Played, field_core, play


def shown(played: Played) -> str:
    code = played.mission.ciphertext if played.mission else "?"
    told = any(code in answer for answer in played.answers)
    state = "completed" if played.completed else "NOT COMPLETED"
    score = played.mission.score if played.mission else 0
    return f"{state}, {len(played.said)} turns, {score} points, code {'told' if told else 'not told'} exactly"


def show(said: str, answer: str) -> None:
    print(f"> {said}\n{answer}\n", flush=True)


def quiet(said: str, answer: str) -> None:
    pass


async def run(arguments: argparse.Namespace) -> None:
    weights = SMALL if arguments.small else LARGE
    completed = 0
    with tempfile.TemporaryDirectory() as folder:
        async with ClientSession() as http:
            model = EmbeddedModel(http, weights=weights, threads=arguments.threads)
            async with field_core(Path(folder, "db"), model) as core:
                for number in range(arguments.missions):
                    started = time.perf_counter()
                    played = await play(core, f"seed-{number}", number.__add__, show if arguments.verbose else quiet)
                    completed += played.completed
                    print(f"seed-{number}: {shown(played)}, {time.perf_counter() - started:.0f} s", flush=True)
    print(f"{completed} of {arguments.missions} completed")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Does the embedded model lead field missions to their end?")
    parser.add_argument("missions", nargs="?", type=int, default=10)
    parser.add_argument("--small", action="store_true", help="use the 0.5B weights")
    parser.add_argument("--threads", type=int, default=0, help="of the processor; beside other work fewer are faster")
    parser.add_argument("--verbose", action="store_true", help="show what was said")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(asyncio.run(run(_arguments())))
