"""
Packages and the console script; every tool's settings are in ``pyproject.toml``.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

VERSION = re.search(r'__version__ = "(.+)"', Path("openclaw/__init__.py").read_text(encoding="utf-8"))
assert VERSION is not None

#: Pages of PDFs as pictures, for models that see.
PDF_IMAGES = ["Pillow>=11", "pypdfium2>=4.30"]

METRICS = ["prometheus-client>=0.20"]

#: Announcing the gateway in the local network, and finding others.
DISCOVERY = ["zeroconf>=0.130"]

TEST = [
    *DISCOVERY,
    *METRICS,
    *PDF_IMAGES,
    "coverage>=7",
    "fastjsonschema>=2.20",
    "hypothesis>=6",
    "mypy>=1.11",
    "mypy-zope>=1.0",
    "openai>=3",
    "ruff>=0.6",
    "schemathesis>=4.32",
    "tree-sitter>=0.23",
    "tree-sitter-swift>=0.7",
    "types-PyYAML>=6",
    "types-jsonschema>=4",
    "websockets>=13",
    "wheel>=0.43",
]

setup(
    name="openclaw",
    version=VERSION.group(1),
    description="The OpenClaw Gateway on Twisted: channels, agent sessions and the control plane in one process",
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.11",
    packages=[*find_packages(include=["openclaw", "openclaw.*"]), "twisted.plugins"],
    package_data={
        "openclaw": [
            "py.typed",
            "store/migrations/*.sql",
            "web/ui/*",
            "web/canvas/*.js",
            "web/canvas/*.html",
            "web/a2ui/page/*",
            "agent/templates/*",
            "config/help.txt",
            "tools/parameters.json",
        ],
        "twisted.plugins": ["openclaw_gateway.py"],
    },
    install_requires=[
        "Twisted[tls]>=24.11",
        "autobahn>=24.4",
        "klein>=24.8",
        "attrs>=24",
        "jsonschema>=4.23",
        "service-identity>=24",
        "pyOpenSSL>=24",
        "Automat>=24.8",
        "cryptography>=43",
        "cronsim>=2.6",
        "idna>=3.7",
        "jsonschema-rs>=0.29",
        "orjson>=3.10",
        "pyjson5>=1.6",
        "pypdf>=6",
        "PyYAML>=6",
        "questionary>=2.1",
        "treq>=24.9",
        "tzdata",
    ],
    extras_require={"discovery": DISCOVERY, "metrics": METRICS, "pdf-images": PDF_IMAGES, "test": TEST},
    entry_points={"console_scripts": ["openclaw = openclaw.cli.main:main"]},
)
