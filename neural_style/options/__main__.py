"""Bring the flag tables of a document up to date: python -m neural_style.options docs/flags.md"""

import re
import sys
from pathlib import Path

from .flags import BY_ATTRIBUTE, GROUPS


def flag_table() -> str:
    """The flags as Markdown tables, one for each group."""
    return "\n\n".join(
        f"### {title.capitalize()}\n\n{_table(BY_ATTRIBUTE[name] for name in names.split())}" for title, names in GROUPS
    )


def _table(flags):
    rows = ["| flag | default | what it does |", "| --- | --- | --- |"]
    for flag in flags:
        names = ", ".join(f"`{name}`" for name in flag.names.split())
        default = "" if flag.default is None or flag.default is False else f"`{flag.default}`"
        choices = f" ({', '.join(f'`{name}`' for name in flag.choices)})" if flag.choices else ""
        rows.append(f"| {names} | {default} | {flag.help}{choices} |")
    return "\n".join(rows)


def with_flag_table(text: str) -> str:
    """text with current flag tables between its two <!-- flags --> marks."""
    return re.sub(
        r"(<!-- flags -->\n).*?(<!-- /flags -->)",
        lambda found: f"{found[1]}{flag_table()}\n{found[2]}",
        text,
        flags=re.S,
    )


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(with_flag_table(path.read_text(encoding="utf-8")), encoding="utf-8")
