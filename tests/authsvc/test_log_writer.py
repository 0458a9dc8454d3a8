"""The function that writes log lines: whole, in order, and never in the way of a login."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from authsvc import log_lines
from tests.processes import ROOT


class TestWriter:
    def test_a_line_is_one_write(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        written: list[bytes] = []

        def write(_file: int, data: bytes) -> int:
            written.append(data)
            return len(data)

        monkeypatch.setattr(os, "write", write)
        with (tmp_path / "log").open("w") as stream:
            log_lines.writer(stream)("é" * 100_000)

        assert written == [("é" * 100_000 + "\n").encode()]

    def test_a_line_that_was_taken_in_parts_is_whole(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = os.write
        monkeypatch.setattr(os, "write", lambda file, data: real(file, data[:3]))
        with (tmp_path / "log").open("w") as stream:
            log_lines.writer(stream)("0123456789")

        assert (tmp_path / "log").read_text() == "0123456789\n"

    def test_what_was_printed_before_stands_before(self, tmp_path: Path) -> None:
        with (tmp_path / "log").open("w") as stream:
            write = log_lines.writer(stream)
            print("printed", file=stream)
            write("logged")
            print("printed after", file=stream)

        assert (tmp_path / "log").read_text().splitlines() == ["printed", "logged", "printed after"]

    def test_half_a_character_is_written_as_an_escape(self, tmp_path: Path) -> None:
        with (tmp_path / "log").open("w") as stream:
            log_lines.writer(stream)("a\ud83d")

        assert (tmp_path / "log").read_text() == "a\\ud83d\n"

    def test_a_reader_that_is_gone_and_a_closed_stream_stop_nobody(self) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        stream = os.fdopen(writing, "w")
        write = log_lines.writer(stream)
        write("nobody reads this")
        stream.close()
        write("nor this")

    def test_a_full_disk_stops_nobody(self) -> None:
        with Path("/dev/full").open("w") as stream:
            log_lines.writer(stream)("lost")

    def test_lines_of_threads_and_processes_on_one_pipe_do_not_mix(self) -> None:
        """Each line is shorter than what a pipe takes at once (4,096 bytes)."""
        script = (
            "import sys, threading; from authsvc.log_lines import writer; write = writer(sys.stdout)\n"
            "name = sys.argv[1]\n"
            "def run(nth): [write(f'{name}{nth}' * 300) for _ in range(200)]\n"
            "threads = [threading.Thread(target=run, args=(nth,)) for nth in range(4)]\n"
            "[thread.start() for thread in threads]; [thread.join() for thread in threads]"
        )
        reading, writing = os.pipe()
        children = [
            subprocess.Popen([sys.executable, "-c", script, name], cwd=ROOT, stdout=writing) for name in "ab"
        ]
        os.close(writing)
        with os.fdopen(reading) as stream:
            read = stream.read().splitlines()

        assert [child.wait() for child in children] == [0, 0]
        assert len(read) == 2 * 4 * 200
        assert set(read) == {f"{name}{nth}" * 300 for name in "ab" for nth in range(4)}

    def test_a_line_that_a_full_pipe_cut_does_not_take_the_next_one_along(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real, room = os.write, [3, 0, 0]

        def write(file: int, data: bytes) -> int:
            taken = room.pop(0) if room else len(data)
            if not taken:
                raise BlockingIOError
            return real(file, data[:taken])

        monkeypatch.setattr(os, "write", write)
        with (tmp_path / "log").open("w") as stream:
            say = log_lines.writer(stream)
            for line in ("cut", "lost", "next", "last"):
                say(f"{line}!")

        assert (tmp_path / "log").read_text().splitlines() == ["cut", "next!", "last!"]
