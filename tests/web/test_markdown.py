"""
How the page reads the text of a message.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from openclaw.web.page import UI

#: More than any text of this size needs, and far less than what grows with the square of it. In seconds.
LIMIT = 60
SIZE = 50_000


def paragraph(*content: Any) -> dict[str, Any]:
    return {"kind": "paragraph", "content": list(content)}


def link(target: str, *content: Any) -> dict[str, Any]:
    return {"kind": "link", "target": target, "content": list(content)}


def marked(kind: str, *content: Any) -> dict[str, Any]:
    return {"kind": kind, "content": list(content)}


def code(text: str, language: str = "") -> dict[str, Any]:
    return {"kind": "code", "text": text, "language": language}


def inline_code(text: str) -> dict[str, Any]:
    return {"kind": "code", "text": text}


def bullets(*items: Sequence[Any], start: int | None = None) -> dict[str, Any]:
    return {"kind": "list", "start": start, "items": [list(item) for item in items]}


class MarkdownTests(SynchronousTestCase):
    """
    ``markdown.js``, run by Node.
    """

    def read(self, expression: str, texts: Sequence[str]) -> Any:
        """
        What an expression of ``blocks`` and ``text`` gives for each text.
        """
        node = shutil.which("node")
        if node is None:
            self.skipTest("node is not installed")
        # Without a package.json beside it, node would not take a .js file for a module.
        module = "data:text/javascript;base64," + b64encode((UI / "markdown.js").read_bytes()).decode()
        program = (
            "import { readFileSync } from 'node:fs';"
            f"import {{ blocks }} from {json.dumps(module)};"
            f"console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map((text) => {expression})));"
        )
        command = [node, "--input-type=module", "--eval", program]
        done = subprocess.run(command, input=json.dumps(texts).encode(), capture_output=True, check=True, timeout=LIMIT)
        return json.loads(done.stdout)

    def assert_blocks(self, expected: dict[str, list[Any]], expression: str = "blocks(text)") -> None:
        found = self.read(expression, list(expected))
        for text, blocks in zip(expected, found, strict=True):
            self.assertEqual(blocks, expected[text], text)

    def test_paragraphs_and_fences(self) -> None:
        """
        Also a fence that is not closed yet, as while an answer grows; nothing inside one is read.
        """
        self.assert_blocks(
            {
                "one\ntwo\n\nthree": [paragraph("one\ntwo"), paragraph("three")],
                "a\n```py\n# x\n\n\ty\n```\nb": [paragraph("a"), code("# x\n\n\ty", "py"), paragraph("b")],
                "~~~\n```\n~~~": [code("```")],
                "```\nopen": [code("open")],
                "`` no fence": [paragraph("`` no fence")],
                "": [],
            }
        )

    def test_as_typed(self) -> None:
        """
        What people type keeps its marks; only code and addresses are seen.
        """
        self.assert_blocks(
            {
                "# no\n- **x** `c`\n```\ny\n```": [paragraph("# no\n- **x** ", inline_code("c")), code("y")],
                "see https://x.org/.": [paragraph("see ", link("https://x.org/", "https://x.org/"), ".")],
                r"a\*b": [paragraph(r"a\*b")],
            },
            "blocks(text, { plain: true })",
        )

    def test_structure(self) -> None:
        """
        Headings, rules, quotes, lists in lists, tables.
        """
        self.assert_blocks(
            {
                "## H #\ntext": [{"kind": "heading", "level": 2, "content": ["H"]}, paragraph("text")],
                "a\n\n---": [paragraph("a"), {"kind": "rule"}],
                "> q\n> - l": [{"kind": "quote", "blocks": [paragraph("q"), bullets([paragraph("l")])]}],
                "- a\n  - b\n- [x] c\n\nd": [
                    bullets([paragraph("a"), bullets([paragraph("b")])], [paragraph("☑ c")]),
                    paragraph("d"),
                ],
                "3. a\n\n   more\n4. b": [bullets([paragraph("a"), paragraph("more")], [paragraph("b")], start=3)],
                "born in\n1984. Yes": [paragraph("born in\n1984. Yes")],
                "| a | b |\n|---|--:|\n| `x` | 1\\|2 | 3 |\n| y |": [
                    {
                        "kind": "table",
                        "align": ["start", "end"],
                        "head": [["a"], ["b"]],
                        "rows": [[[inline_code("x")], ["1|2"]], [["y"], []]],
                    }
                ],
                "a | b\nc | d": [paragraph("a | b\nc | d")],
            }
        )

    def test_marks(self) -> None:
        """
        Marks inside words and numbers, and marks that nothing closes, are letters.
        """

        def strong(*content: Any) -> dict[str, Any]:
            return marked("strong", *content)

        def em(*content: Any) -> dict[str, Any]:
            return marked("em", *content)

        self.assert_blocks(
            {
                "**b** *i* ***x*** ~~d~~": [
                    paragraph(strong("b"), " ", em("i"), " ", strong(em("x")), " ", marked("del", "d"))
                ],
                "**b *i* b**": [paragraph(strong("b ", em("i"), " b"))],
                "snake_case_name a * b * c **open": [paragraph("snake_case_name a * b * c **open")],
                r"\*no\*": [paragraph("*no*")],
                "`` a ` b ``": [paragraph(inline_code("a ` b"))],
                "*a `*` b*": [paragraph(em("a ", inline_code("*"), " b"))],
            }
        )

    def test_addresses(self) -> None:
        """
        Links lead to the web or to mail, and nowhere else.
        """
        wiki = "https://en.wikipedia.org/wiki/A_(b)"
        self.assert_blocks(
            {
                f"[w]({wiki})": [paragraph(link(wiki, "w"))],
                f"({wiki}).": [paragraph("(", link(wiki, wiki), ").")],
                "![p](https://x.org/p.png)": [paragraph(link("https://x.org/p.png", "p"))],
                "[m](mailto:a@x.org)": [paragraph(link("mailto:a@x.org", "m"))],
                "[https://a.org](https://b.org)": [paragraph(link("https://b.org/", "https://a.org"))],
                **{
                    f"[x]({target})": [paragraph(f"[x]({target})")]
                    for target in (
                        "javascript:alert(1)",
                        "data:text/html,x",
                        "/local",
                        "JaVaScRiPt:x",
                        "file:///etc",
                        "//x",
                    )
                },
            }
        )

    def test_markup_is_text(self) -> None:
        """
        There is no kind of block or part that carries markup.
        """
        for text in ("<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "&lt;b&gt; &amp;"):
            self.assert_blocks({text: [paragraph(text)]})

    def test_no_text_holds_up_the_page(self) -> None:
        """
        Texts made to be slow are read in time, and nesting has an end.
        """
        seeds = [
            "*a ",
            "**a*",
            "[",
            "![",
            "[a](b ",
            "`a``",
            "> ",
            "- ",
            "_a_",
            "|a|\n|-|\n",
            "https://a(",
            "*`a ",
            "a\n- ",
        ]
        texts = [seed * (SIZE // len(seed)) for seed in seeds]
        texts += ["\n".join(">" * depth + " x" for depth in range(300))]
        texts += ["\n".join(" " * 2 * depth + "- x" for depth in range(300))]
        self.assertEqual(
            len(self.read("blocks(text).length > 0 && blocks(text, { plain: true }).length > 0", texts)), len(texts)
        )
