"""Every signal that would end a service asks it to end well; SIGHUP is an event, or changes nothing."""

import os
import signal
import subprocess
import sys

import pytest

from messaging.service.signals import STOPPING, hangup_signal, stopping_signal
from tests.support.eventually import wait_until


@pytest.mark.parametrize("number", STOPPING)
def test_a_signal_sets_the_event_instead_of_ending_the_process(number: int) -> None:
    with stopping_signal() as stop:
        os.kill(os.getpid(), number)
        wait_until(stop.is_set)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1])
def test_usual_signals_are_among_them(number: signal.Signals) -> None:
    assert number in STOPPING


def test_processes_that_a_service_starts_ignore_a_hangup_too() -> None:
    child = "import os, signal; os.kill(os.getpid(), signal.SIGHUP); print('lives')"
    program = (
        "import subprocess, sys; from messaging.service.signals import ignore_hangup;"
        f" ignore_hangup(); subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "lives\n", done.stderr


def test_a_hangup_is_an_event_while_a_service_runs() -> None:
    before = signal.getsignal(signal.SIGHUP)
    with hangup_signal() as hangup:
        os.kill(os.getpid(), signal.SIGHUP)
        wait_until(hangup.is_set)
    assert signal.getsignal(signal.SIGHUP) is before
