"""The embedded model's weights, as `model pull` and `check` see them. What fetching does is tested with its parts."""

import json
from pathlib import Path

import pytest

from bot.models.weights import SMALL
from tests.command import Command


@pytest.fixture
def embedded(command: Command, tmp_path: Path) -> Command:
    command.variables |= {
        "SECRET_AGENTS_MODEL__PROVIDER": "embedded",
        "SECRET_AGENTS_EMBEDDED__CACHE_DIR": str(tmp_path / "models"),
        "SECRET_AGENTS_EMBEDDED__SIZE": "small",
    }
    return command


@pytest.fixture
def verified(tmp_path: Path) -> Path:
    """A file that is marked as verified before; the real one is too large to be made here."""
    path = tmp_path / "models" / SMALL.file_name
    path.parent.mkdir()
    path.write_bytes(b"GGUF")
    stat = path.stat()
    marker = {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": SMALL.sha256}
    path.with_name(f"{path.name}.verified").write_text(json.dumps(marker), "utf-8")
    return path


async def test_weights_that_are_there_are_not_fetched_again(embedded: Command, verified: Path) -> None:
    done = await embedded("model", "pull", "--small")
    assert (done.status, done.out.splitlines()[0]) == (0, f"{SMALL.name} is ready: {verified}")


async def test_a_folder_that_cannot_be_made_is_a_line(embedded: Command, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file in the way", "utf-8")
    done = await embedded("model", "pull", "--small")
    assert (done.status, done.out, len(done.err.splitlines())) == (1, "", 1)
    assert "[embedded] cache_dir" in done.err


async def model_finding(command: Command) -> dict[str, str]:
    pytest.importorskip("xllamacpp", reason="the embedded model's runtime is not installed")
    findings = json.loads((await command("check", "--json")).out)
    (finding,) = (each for each in findings if each["part"] == "model")
    assert isinstance(finding, dict)
    return finding


async def test_check_tells_that_weights_are_there(embedded: Command, verified: Path) -> None:
    finding = await model_finding(embedded)
    assert finding["state"] == "ok"
    assert f"{SMALL.name} (embedded) is in {verified.parent}" in finding["why"]


async def test_check_tells_that_weights_have_to_be_fetched(embedded: Command) -> None:
    finding = await model_finding(embedded)
    assert (finding["state"], finding["todo"]) == ("ok", "`secret-agents model pull` downloads it")
    embedded.variables["SECRET_AGENTS_EMBEDDED__FETCH"] = "false"
    assert (await model_finding(embedded))["state"] == "failed"


@pytest.fixture
def changed(verified: Path) -> None:
    """The file has changed since it was verified."""
    verified.write_bytes(b"GGUX!")


async def test_check_refuses_weights_with_a_wrong_byte(embedded: Command, changed: None) -> None:
    finding = await model_finding(embedded)
    assert finding["state"] == "failed"
    assert "was refused and removed" in finding["why"]
