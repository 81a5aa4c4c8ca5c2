"""Progress goes to stderr, as a bar or as few lines, and the library is silent by itself."""

import io

from cutaway.runs import Table, new_run, resumable, silent, terminal
from cutaway.runs.progress import Bar, Lines


class Screen(io.StringIO):
    def isatty(self):
        return True


def test_lines_are_at_most_one_every_ten_seconds_with_the_time_left():
    stream, now = io.StringIO(), iter([0.0, 1.0, 9.9, 10.0, 15.0, 20.0])
    lines = Lines(stream, clock=lambda: next(now))
    lines.start(100, "heads")
    for _ in range(5):
        lines.advance(10)
    assert stream.getvalue() == "heads: 30 of 100, 30 %, 0:00:23 left\nheads: 50 of 100, 50 %, 0:00:20 left\n"


def test_a_file_gets_lines_and_a_screen_gets_a_bar():
    assert isinstance(terminal(io.StringIO()), Lines)
    assert isinstance(terminal(Screen()), Bar)


def test_a_bar_shows_what_how_many_and_notes_as_they_are():
    screen = Screen()
    bar = terminal(screen)
    bar.start(4, "heads")
    bar.advance(3)
    bar.note("[red]halved the batch[/red]")
    bar.finish()
    assert "heads" in screen.getvalue() and "[red]halved the batch[/red]" in screen.getvalue()
    bar.start(2, "neurons")
    bar.finish()
    assert "neurons" in screen.getvalue()


def test_the_library_says_nothing_by_itself(tmp_path, capfd):
    resumable(tmp_path / "shards", abs, [1, 2], abs)
    with new_run(tmp_path / "run", "trace") as run:
        run.save_table(Table({"a": [1]}), "a")
    silent.note("anything")
    assert capfd.readouterr() == ("", "")
