"""Count the lines that a function runs, since the time that it takes depends on the machine."""

import sys
from pathlib import Path


def count_lines(module, function, *arguments):
    """Return how many lines of a module and its neighbours run in a call; a loop's line counts at every turn."""
    count = 0
    prefix = str(Path(module.__file__).parent)

    def trace(frame, event, _):
        nonlocal count
        if event == "call" and not frame.f_code.co_filename.startswith(prefix):
            return None
        count += event == "line"
        return trace

    previous_trace = sys.gettrace()
    sys.settrace(trace)
    try:
        function(*arguments)
    finally:
        sys.settrace(previous_trace)
    return count
