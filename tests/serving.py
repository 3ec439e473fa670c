"""What tests of the server share: waiting for what another thread does, and a server in a process of its own."""

import time


def soon(is_so, seconds=20):
    """Wait until something is so, which somebody else brings about; gives it."""
    end = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.005)
    return found
