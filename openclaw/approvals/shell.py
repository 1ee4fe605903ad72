"""
A command line as the shell will read it, so far as that is certain.

Only what every shell reads alike is taken: plain words, quotes, and ``;``, ``&&``, ``||``, ``|`` between commands. All
else (substitutions, redirections, here-documents, groups, assignments, background, line breaks) is not analysable: what
runs is then not known before, and a person has to look.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from attrs import define, field, frozen

from openclaw.approvals.names import BUILTINS, RESERVED
from openclaw.approvals.shown import misleads
from openclaw.errors import OpenClawError

#: Longer lines are nobody's to look through.
MOST_CHARACTERS = 16_384

#: Characters that, outside of quotes, make more of a line than commands with words.
_MEANING = {
    "$": "a substitution",
    "`": "a substitution",
    "<": "a redirection",
    ">": "a redirection",
    "(": "a subshell",
    ")": "a subshell",
    "{": "a group or brace expansion",
    "}": "a group or brace expansion",
}

_ASSIGNMENT = re.compile(r"\w+(\[.*\])?\+?=")


@frozen(kw_only=True)
class NotAnalysable(OpenClawError):
    """
    What a command line runs cannot be said before it runs.
    """

    why: str

    def __str__(self) -> str:
        return f"The command line has {self.why}."


@frozen
class Word:
    """
    One word.

    :ivar text: without its quotes.
    :ivar expands: whether the shell may make another word, or several, of it: file names, a home directory.
    """

    text: str
    expands: bool = False


@frozen
class Segment:
    """
    One command of a line.
    """

    words: Sequence[Word]

    @property
    def argv(self) -> list[str]:
        return [word.text for word in self.words]

    @property
    def expands(self) -> bool:
        """
        Whether any of its words may become others.
        """
        return any(word.expands for word in self.words)


def parse(line: str) -> list[Segment]:
    """
    The commands of a line.

    :raise NotAnalysable: it is not certain what they are.
    """
    if len(line) > MOST_CHARACTERS:
        raise NotAnalysable(why="too many characters")
    for char in line:
        if char == "\n":
            raise NotAnalysable(why="several lines")
        if char != "\t" and misleads(char):
            raise NotAnalysable(why="characters that cannot be seen")
    return _Reader(line).read()


@define
class _Reader:
    line: str
    at: int = 0
    segments: list[Segment] = field(factory=list)
    words: list[Word] = field(factory=list)

    def read(self) -> list[Segment]:
        pending = ""
        while self.at < len(self.line):
            char = self.line[self.at]
            if char in " \t":
                self.at += 1
            elif char in ";&|":
                pending = self._operator()
                self._end(pending)
            else:
                self.words.append(self._word())
                pending = ""
        if self.words:
            self._end("")
        elif pending != ";":
            # Nothing at all, or nothing behind an operator that needs something.
            raise NotAnalysable(why="a command missing")
        return self.segments

    def _operator(self) -> str:
        two = self.line[self.at : self.at + 2]
        operator = two if two in ("&&", "||", ";;", ";&", "|&", "&>") else self.line[self.at]
        if operator not in ("&&", "||", ";", "|"):
            raise NotAnalysable(why=f"the operator {operator}")
        self.at += len(operator)
        return operator

    def _end(self, operator: str) -> None:
        if not self.words:
            raise NotAnalysable(why="a command missing")
        name = self.words[0]
        if name.expands:
            raise NotAnalysable(why="a program whose name is expanded")
        if name.text in RESERVED or name.text in BUILTINS:
            raise NotAnalysable(why=f"the shell's own word {name.text}")
        if not name.text or "=" in name.text:
            raise NotAnalysable(why="an assignment" if _ASSIGNMENT.match(name.text) else "an odd program name")
        self.segments.append(Segment(tuple(self.words)))
        self.words = []

    def _word(self) -> Word:
        text: list[str] = []
        expands = False
        first = self.line[self.at]
        if first == "#":
            raise NotAnalysable(why="a comment")
        if first in "~=":
            # A home directory; in zsh the path of a program.
            expands = True
        while self.at < len(self.line):
            char = self.line[self.at]
            if char in " \t;&|":
                break
            if char in _MEANING:
                raise NotAnalysable(why=_MEANING[char])
            self.at += 1
            if char == "'":
                text.append(self._until_quote())
            elif char == '"':
                text.append(self._double_quoted())
            elif char == "\\":
                text.append(self._escaped())
            else:
                expands = expands or char in "*?[^" or (char == "~" and text[-1:] in ([":"], ["="]))
                text.append(char)
        return Word("".join(text), expands)

    def _escaped(self) -> str:
        if self.at == len(self.line):
            raise NotAnalysable(why="a backslash at its end")
        self.at += 1
        return self.line[self.at - 1]

    def _until_quote(self) -> str:
        end = self.line.find("'", self.at)
        if end < 0:
            raise NotAnalysable(why="a quote that does not end")
        text, self.at = self.line[self.at : end], end + 1
        return text

    def _double_quoted(self) -> str:
        text: list[str] = []
        while self.at < len(self.line):
            char = self.line[self.at]
            self.at += 1
            if char == '"':
                return "".join(text)
            if char in "$`":
                raise NotAnalysable(why="a substitution")
            if char == "\\" and self.line[self.at : self.at + 1] in ("$", "`", '"', "\\"):
                char = self._escaped()
            text.append(char)
        raise NotAnalysable(why="a quote that does not end")
