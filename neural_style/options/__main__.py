"""Bring the flag tables of a document up to date: python -m neural_style.options docs/flags.md"""

import sys
from pathlib import Path

from .flags import BY_ATTRIBUTE, GROUPS


def flag_table() -> str:
    """The flags as Markdown tables, one for each group."""
    parts = []
    for title, names in GROUPS:
        rows = [_row(BY_ATTRIBUTE[name]) for name in names.split()]
        head = [f"### {title.capitalize()}", "", "| flag | default | what it does |", "| --- | --- | --- |"]
        parts.append("\n".join(head + rows))
    return "\n\n".join(parts)


def _row(flag):
    names = ", ".join(f"`{name}`" for name in flag.names.split())
    default = "" if flag.default is None or flag.default is False else f"`{flag.default}`"
    choices = f" ({', '.join(f'`{name}`' for name in flag.choices)})" if flag.choices else ""
    return f"| {names} | {default} | {flag.help}{choices} |"


def with_flag_table(text: str) -> str:
    """text with current flag tables between its two <!-- flags --> marks."""
    before, _, after = text.partition("<!-- flags -->\n")
    return f"{before}<!-- flags -->\n{flag_table()}\n<!-- /flags -->{after.partition('<!-- /flags -->')[2]}"


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(with_flag_table(path.read_text(encoding="utf-8")), encoding="utf-8")
