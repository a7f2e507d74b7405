"""Calls that somebody has to approve before they are run, and what a model is told when nobody did."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

APPROVED = "approved"
REFUSALS: Mapping[str, str] = {
    "declined": "This call was declined, so it did not run. Do not try it again in any form: answer without it.",
    "expired": "Nobody approved this call in time, so it did not run. Do not try it again: answer without it.",
}
"""What a model reads as the result, by verdict."""


@dataclass(frozen=True, slots=True)
class PendingCall:
    """A call that waits: the `index`-th of the calls of a turn's `round`, both from 0. `arguments` are those with
    which the gadget will run.
    """

    round: int
    index: int
    gadget: str
    arguments: Mapping[str, Any]


class ApprovalNeeded(Exception):
    """A call waits for somebody's approval; all others of its round that could run have their results recorded."""

    def __init__(self, call: PendingCall) -> None:
        super().__init__(f"{call.gadget} waits for approval (round {call.round}, call {call.index})")
        self.call = call
