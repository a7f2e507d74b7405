"""A strict fake of Slack; see `server`."""

from tests.fakes.slack.delivery import Delivery
from tests.fakes.slack.http_events import HttpEvents, Received
from tests.fakes.slack.interactions import Interaction
from tests.fakes.slack.server import ALICE, BOB, CAROL, GENERAL, SECRET, FakeSlack
from tests.fakes.slack.state import File, Message
from tests.fakes.slack.team import Attached, Team

__all__ = [
    "ALICE",
    "BOB",
    "CAROL",
    "GENERAL",
    "SECRET",
    "Attached",
    "Delivery",
    "FakeSlack",
    "File",
    "HttpEvents",
    "Interaction",
    "Message",
    "Received",
    "Team",
]
