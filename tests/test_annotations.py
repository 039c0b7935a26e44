"""What a module offers to others is annotated: every argument and the result of its functions and methods."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "neural_style"


def offered(body, in_class=False):
    """The functions without an underscore before their names or those of their classes; whether they are methods."""
    for node in body:
        is_private = getattr(node, "name", "_").startswith("_") and not getattr(node, "name", "").startswith("__")
        if isinstance(node, ast.ClassDef) and not is_private:
            yield from offered(node.body, True)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not is_private:
            yield node, in_class and all(getattr(one, "id", "") != "staticmethod" for one in node.decorator_list)


def test_what_others_may_call_is_annotated():
    missing = []
    for path in PACKAGE.rglob("*.py"):
        for function, is_method in offered(ast.parse(path.read_text(encoding="utf-8")).body):
            own = function.args
            all_of_them = (*own.posonlyargs, *own.args, *own.kwonlyargs, *filter(None, (own.vararg, own.kwarg)))
            annotated = [argument.annotation for argument in all_of_them[is_method:]] + [function.returns]
            if None in annotated:
                missing.append(f"{path.relative_to(PACKAGE)}:{function.lineno} {function.name}")
    assert missing == []
