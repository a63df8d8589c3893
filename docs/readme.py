"""Writes into README.md and CONTRIBUTING.md what follows from the code: the commands' help and the tree of files.

`make docs` runs it; a test fails where the pages and the code differ.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "CONTRIBUTING.md")
WIDTH = 30
LONGEST = 118
LINE = (
    "pipeline",
    "profiling",
    "recommendation",
    "selection",
    "planning",
    "training",
    "evaluation",
    "publication",
)
WIDE = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
# What the tree says of folders and of files that are not Python.
TOP = {
    "model_registry.json": "facts of the base models, the rules that pick one, the ladders behind each pick",
    "examples/": "example data of our own",
    "benchmarks/": "scripts that measure, both sides in one go",
    "docs/": "what is promised, part by part, and how it is known",
    "spaces/": "the Gradio Space: one file a page",
    "skills/": "how an agent uses the command",
    "tests/": "unit, contract and end-to-end tests",
}


def blocks() -> dict[str, str]:
    """The blocks that are written from the code, by name."""
    return {"help": help_block(), "tree": tree_block()}


def help_block() -> str:
    """`tunekit-hub --help`."""
    code = "from tunekit_hub.cli import main; raise SystemExit(main(['--help']))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, env=WIDE
    )
    return f"```\n{done.stdout.rstrip()}\n```"


def tree_block() -> str:
    """Every module with the first sentence of its docstring; a folder of slots as one line a file."""
    lines = [f"{name:<{WIDTH}}{text}" for name, text in TOP.items()]
    lines.append("tunekit_hub/")
    package = ROOT / "tunekit_hub"
    for path in sorted(
        package.iterdir(), key=lambda p: (p.is_dir(), LINE.index(p.stem) if p.stem in LINE else 99, p.name)
    ):
        if path.suffix == ".py" and not path.name.startswith("_"):
            lines.append(_line(path, "  " + path.name))
        elif (path / "__init__.py").exists():
            lines.append(_line(path / "__init__.py", f"  {path.name}/"))
            if path.name in ("tasks", "checks", "trainers"):
                lines += [_line(part, "    " + part.name) for part in sorted(path.glob("[a-z]*.py"))]
    return "```\n" + "\n".join(lines) + "\n```"


def _line(path: Path, shown: str) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    sentence = re.split(r"\.(?:\s|$)", " ".join(text.split()), maxsplit=1)[0]
    return textwrap.shorten(f"{shown:<{WIDTH}}".replace(" ", "\0") + sentence, LONGEST, placeholder=" …").replace(
        "\0", " "
    )


def written(page: str) -> str:
    """`page` with every block it has as it should be."""
    for name, text in blocks().items():
        page = re.sub(
            rf"<!-- {name} -->.*?<!-- /{name} -->",
            lambda _, name=name, text=text: f"<!-- {name} -->\n{text}\n<!-- /{name} -->",
            page,
            flags=re.DOTALL,
        )
    return page


if __name__ == "__main__":
    for page in PAGES:
        path = ROOT / page
        path.write_text(written(path.read_text(encoding="utf-8")), encoding="utf-8")
