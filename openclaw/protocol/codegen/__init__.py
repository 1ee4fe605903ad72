"""
Client types in other languages, written from the definitions.
"""

from collections.abc import Callable, Mapping
from typing import Final

from openclaw.errors import OpenClawError
from openclaw.protocol.codegen import python, swift, typescript

#: The languages by the names that the command line takes.
LANGUAGES: Final[Mapping[str, Callable[[], str]]] = {
    "ts": typescript.generate,
    "swift": swift.generate,
    "python": python.generate,
}


class UnknownLanguage(OpenClawError):
    """
    There is no generator for a language.
    """


def generate(lang: str) -> str:
    """
    The text of one file with a type for every definition.

    :param lang: a key of ``LANGUAGES``.
    :raise UnknownLanguage: it is none.
    """
    try:
        make = LANGUAGES[lang]
    except KeyError:
        raise UnknownLanguage(f'no types for "{lang}"; there are {", ".join(LANGUAGES)}') from None
    return make()
