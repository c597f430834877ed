"""Commands whose modules are imported when they are used, so that no other command waits for these imports."""

import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from messaging.service.signals import defer_signals, ignore_hangup


class LazyCommand(TyperCommand):
    """A command, or a group of commands, of the Typer application that `target` names (`module:attribute`).

    `help` is the first sentence of the command's own help. With `uses_models`, Django is set up before the import. With
    `is_service`, SIGHUP is ignored from the start.
    """

    def __init__(
        self,
        name: str,
        target: str,
        help: str,
        *,
        uses_models: bool = False,
        is_service: bool = False,
    ) -> None:
        super().__init__(name, help=help)
        self._is_service = is_service
        self._name = name
        self._target = target
        self._uses_models = uses_models

    def load(self) -> Any:
        """Import the module and return the command."""
        if self._is_service:
            ignore_hangup()
        module, _, attribute = self._target.partition(":")
        try:
            # A thread that a library starts at its import must not take the signals of the main thread.
            with defer_signals():
                if self._uses_models:
                    from messaging.store.db.connection import (
                        set_up_django,  # for these commands only
                    )

                    set_up_django()
                application: typer.Typer = getattr(import_module(module), attribute)
        except KeyboardInterrupt:
            sys.exit("satbridge: stopped at once, as asked")
        group = get_group(application)
        group.name = self._name
        return group.commands.get(self._name, group)

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """Return the context of the command itself; click invokes the command that the context names."""
        return self.load().make_context(info_name, args, parent=parent, **extra)


def lazy_group(*commands: LazyCommand) -> type[TyperGroup]:
    """Return the class of a group that has these commands."""

    class LazyGroup(TyperGroup):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            for command in commands:
                self.add_command(command)

    return LazyGroup
