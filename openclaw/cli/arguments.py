"""
The arguments behind a command's name: options may stand anywhere, words are what remains.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from openclaw.cli.exits import UsageError

_NUMBER = re.compile(r"-\d+(\.\d+)?")


class Arguments(argparse.ArgumentParser):
    """
    A parser without positional arguments; the words are checked here, since argparse takes them only in one piece.
    """

    def __init__(self, command: str, summary: str, usage: str | None = None, *, helps: bool = True) -> None:
        """
        :param command: as typed, without ``openclaw``.
        :param helps: whether ``--help`` prints the help, and ends.
        """
        super().__init__(
            prog=f"openclaw {command}",
            usage=None if usage is None else f"openclaw {usage}",
            description=summary,
            allow_abbrev=False,
            add_help=helps,
        )
        self.command = command

    def option(self, *names: str, **settings: Any) -> None:
        """
        Add an option. Its value may begin with a dash: values are joined to their options before argparse looks.
        """
        self.add_argument(*names, **settings)

    def take(self, arguments: Sequence[str], words: Sequence[str] = (), *, optional: int = 0) -> argparse.Namespace:
        """
        Read the arguments.

        :param words: names of the words, as error texts use them.
        :param optional: how many of the last words may be missing.
        :return: the options, with ``words``.
        :raise UsageError: they make no sense.
        """
        options, found = self.split(arguments)
        self.check_words(found, words, optional=optional)
        options.words = found
        return options

    def check_words(self, found: Sequence[str], words: Sequence[str], *, optional: int = 0) -> None:
        """
        Compare the words that were given with those that the command takes; see :meth:`take`.
        """
        if len(found) > len(words):
            expected = f"Expected {len(words)} argument{'' if len(words) == 1 else 's'} but got {len(found)}."
            raise UsageError(f"too many arguments for '{self.command}'. {expected}")
        if len(found) < len(words) - optional:
            raise UsageError(f"missing required argument '{words[len(found)]}'")

    def check_options(self, options: argparse.Namespace, *others: str) -> None:
        """
        Refuse options that the parser has for the sake of other subcommands: what is taken without an effect misleads.

        :param others: their names in ``options``.
        :raise UsageError: one of them was given.
        """
        for name in others:
            if getattr(options, name) not in (None, False):
                raise UsageError(f"unknown option '--{name.replace('_', '-')}' of '{self.command}'")

    def split(self, arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
        """
        Read the options, and give the words back.
        """
        given, text = list(arguments), []
        if "--" in given:
            cut = given.index("--")
            given, text = given[:cut], given[cut + 1 :]
        options, rest = self.parse_known_args(list(self._joined(given)))
        unknown = next((word for word in rest if word.startswith("-") and not _is_word(word)), None)
        if unknown is not None:
            raise UsageError(f"unknown option '{unknown.partition('=')[0]}'")
        return options, [*rest, *text]

    def error(self, message: str) -> NoReturn:
        """
        argparse's way out.
        """
        missing = re.fullmatch(r"argument (\S+): expected one argument", message)
        invalid = re.fullmatch(r"argument (\S+): invalid positive value: .*", message)
        if invalid:
            raise UsageError(f"{invalid[1].split('/')[-1]} must be a positive integer")
        if missing:
            raise UsageError(f"option '{missing[1].split('/')[-1]} <value>' argument missing")
        raise UsageError(re.sub(r"^argument (\S+): ", r"option '\1': ", message))

    def _joined(self, arguments: Sequence[str]) -> Iterator[str]:
        left = iter(arguments)
        for argument in left:
            action = self._option_string_actions.get(argument)
            if action is None or action.nargs == 0:
                yield argument
                continue
            value = next(left, None)
            if value is None:
                yield argument
            else:
                yield f"{argument}={value}" if argument.startswith("--") else f"{argument}{value}"


def _is_word(text: str) -> bool:
    return text == "-" or _NUMBER.fullmatch(text) is not None


def positive(text: str) -> int:
    """
    The value of an option that counts something.
    """
    value = int(text)
    if value <= 0:
        raise ValueError(text)
    return value


def add_client_options(parser: Arguments, *, timeout: int | None = 10_000) -> None:
    """
    The options of commands that ask a running gateway.

    :param timeout: default of ``--timeout``; without one the command has its own option of that name.
    """
    parser.option("--url", metavar="<url>", help="address of the gateway (default: from the configuration)")
    parser.option("--token", metavar="<token>", help="the gateway's token")
    parser.option("--password", metavar="<password>", help="the gateway's password")
    parser.option("--tls-fingerprint", metavar="<sha256>", help="certificate to accept on wss://")
    if timeout is not None:
        parser.option("--timeout", metavar="<ms>", type=positive, default=timeout, help=f"default {timeout}")
    parser.option("--expect-final", action="store_true", help="wait for the last answer of methods that answer twice")
    parser.option("--json", action="store_true", help="print JSON")
