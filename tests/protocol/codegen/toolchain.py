"""
The TypeScript compiler.
"""

from tests.harness.npm import node, package

TYPESCRIPT = "5.9.3"


def typescript_compiler() -> list[str]:
    """
    The command that runs the compiler.

    :raise SkipTest: it cannot be had.
    """
    return [node(), str(package("typescript", TYPESCRIPT) / "node_modules" / "typescript" / "bin" / "tsc")]
