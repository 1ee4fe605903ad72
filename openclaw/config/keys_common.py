"""
Shapes that many keys share.
"""

from __future__ import annotations

from openclaw.config.schema import Choice, Each, Flag, Number, Obj, Record, Shape, Text

STR = Text()
SECRET = Text(secret=True)
BOOL = Flag()
COUNT = Number(least=0)
POSITIVE = Number(above=0)
REAL = Number(whole=False)
PORT = Number(above=0, most=65535)
NAMES = Each(STR)
DURATION = Text(meaning="a duration such as 30m")


def obj(**members: Shape) -> Obj:
    """
    An object with exactly these keys.
    """
    return Obj(members)


def choice(*values: str | bool | int) -> Choice:
    """
    One of these values.
    """
    return Choice(values)


POLICY = {"allow": NAMES, "alsoAllow": NAMES, "deny": NAMES}

SEND_POLICY = obj(
    default=choice("allow", "deny"),
    rules=Each(
        obj(
            action=Choice(("allow", "deny"), required=True),
            match=obj(channel=STR, chatType=choice("direct", "group", "channel"), keyPrefix=STR),
        )
    ),
)

TYPING_MODE = choice("never", "instant", "thinking", "message")
COALESCE = obj(minChars=POSITIVE, maxChars=POSITIVE, idleMs=COUNT)
CHUNK = obj(minChars=POSITIVE, maxChars=POSITIVE, breakPreference=choice("paragraph", "newline", "sentence"))
GROUP_CHAT = obj(mentionPatterns=NAMES, historyLimit=POSITIVE)
HEADERS = Record(SECRET)
