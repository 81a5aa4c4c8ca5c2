"""The command line `cutaway`: the package's verbs as commands.

A command gives an `Answer`; `run` parses, meters, prints, saves and says how it ended. Nothing heavy is imported before
a command runs, so that `--help` is quick.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

import cutaway
from cutaway.cli import booked
from cutaway.cli.agree import agree
from cutaway.cli.answer import show
from cutaway.cli.calibrate import calibrate
from cutaway.cli.concepts import match
from cutaway.cli.cost import cost
from cutaway.cli.demo import demo
from cutaway.cli.dial import dial
from cutaway.cli.diff import diff
from cutaway.cli.ending import (
    FAILED,
    STOPPED,
    WRONG,
    Stopped,
    WrongUse,
    is_an_answer,
    reader_left,
    say,
    sentence,
    wants_traceback,
)
from cutaway.cli.mesa import mesa
from cutaway.cli.options import Common, Options, check_free
from cutaway.cli.verbs import cite, compare, organisms, submodels, trace, verify, without

ABOUT = """Opens a neural network, lists its sub-models, takes one decision apart step by step, and reruns it without some of them;
says which concepts it has.

NETWORK is organism:NAME (a network whose answer is known; "cutaway organisms" lists them), a folder, or a hub id.

Exit status: 0 done; 1 the answer is an error of the data or the network, in one sentence; 2 wrong use; 130 stopped."""

app = App(name="cutaway", help=ABOUT, version=cutaway.__version__, version_flags=["--version"], help_format="plaintext")
TAKES = {  # cyclopts would put the options first, where --by and --parts take every word that follows
    "trace": "NETWORK PROMPT --answer STR",
    "without": "NETWORK PROMPT SUBMODEL… --answer STR",
    "verify": "CLAIMS [NETWORK] [--inputs FILE]",
    "submodels": "NETWORK",
    "match": "NETWORK --concepts library|NAME|FILE…",
    "agree": "NETWORK NETWORK… --concepts library|NAME|FILE…",
    "diff": "NETWORK NETWORK --concepts library|NAME|FILE…",
    "cite": "RUN…",
    "compare": "RUN RUN…",
}
for place, verb in enumerate(
    (demo, trace, without, verify, submodels, match, agree, diff, calibrate, organisms, cite, compare)
):
    takes = TAKES.get(verb.__name__)
    app.command(verb, sort_key=place, usage=takes and f"Usage: cutaway {verb.__name__} {takes} [OPTIONS]")
app.command(dial)
app.command(mesa)
app.command(cost)


def run(tokens: Sequence[str]) -> int:
    """Runs one command and gives its exit status."""
    try:
        return _answered(tokens)
    except (CycloptsError, WrongUse) as error:
        return say(f"{sentence(error)} (cutaway --help says what there is)", WRONG)
    except Stopped as stopped:
        return say(str(stopped), STOPPED)
    except BrokenPipeError:
        return reader_left()
    except KeyboardInterrupt:
        return say("stopped; nothing was kept", STOPPED)
    except Exception as error:
        if not is_an_answer(error) or wants_traceback():
            raise
        return say(sentence(error), FAILED)


def _answered(tokens: Sequence[str]) -> int:
    command, bound, _ = app.parse_args(tokens, exit_on_error=False, print_error=False)
    if "options" not in bound.signature.parameters:  # --help and --version
        command(*bound.args, **bound.kwargs)
        return 0
    bound.apply_defaults()
    options: Common = bound.arguments["options"]
    check_free(options.out if isinstance(options, Options) else None)
    verb = " ".join(app.parse_commands(tokens)[0])  # "trace", "dial train"
    saved = options if isinstance(options, Options) else None
    answer, spent = booked.metered(verb, saved, lambda: command(*bound.args, **bound.kwargs))
    if saved is not None:
        booked.save(verb, answer, saved, spent, tokens)
    show(answer, verb, options, spent)
    return 0


def main() -> None:
    """The entry point: runs what the command line says and ends the process with its status."""
    sys.exit(run(sys.argv[1:]))


__all__ = ["app", "main", "run"]
