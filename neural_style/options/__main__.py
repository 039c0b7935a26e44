"""Bring the flag table of a document up to date: python -m neural_style.options docs/flags.md"""
import re
import sys
from pathlib import Path

from .flags import FLAGS


def flag_table():
    """The flags as a Markdown table."""
    rows = ["| flag | default | what it does |", "| --- | --- | --- |"]
    for flag in FLAGS:
        names = ", ".join(f"`{name}`" for name in flag.names.split())
        default = "" if flag.default is None or flag.default is False else f"`{flag.default}`"
        choices = f" ({', '.join(f'`{name}`' for name in flag.choices)})" if flag.choices else ""
        rows.append(f"| {names} | {default} | {flag.help}{choices} |")
    return "\n".join(rows)


def with_flag_table(text):
    """text with a current flag table between its two <!-- flags --> marks."""
    return re.sub(r"(<!-- flags -->\n).*?(<!-- /flags -->)",
                  lambda found: f"{found[1]}{flag_table()}\n{found[2]}", text, flags=re.S)


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(with_flag_table(path.read_text(encoding="utf-8")), encoding="utf-8")
