"""
Client types in other languages, written from the definitions.
"""

from collections.abc import Callable, Mapping
from typing import Final

from openclaw.errors import OpenClawError
from openclaw.protocol.calls import Call
from openclaw.protocol.codegen import python, swift, typescript

#: The languages by the names that the command line takes.
LANGUAGES: Final[Mapping[str, Callable[[Mapping[str, Call]], str]]] = {
    "ts": typescript.generate,
    "swift": swift.generate,
    "python": python.generate,
}


class UnknownLanguage(OpenClawError):
    """
    There is no generator for a language.
    """


def generate(lang: str, calls: Mapping[str, Call]) -> str:
    """
    The text of one file with a type for every definition, and what each method answers and each event carries.

    :param lang: a key of ``LANGUAGES``.
    :param calls: the methods there are.
    :raise UnknownLanguage: it is none.
    """
    try:
        make = LANGUAGES[lang]
    except KeyError:
        raise UnknownLanguage(f'no types for "{lang}"; there are {", ".join(LANGUAGES)}') from None
    return make(calls)
