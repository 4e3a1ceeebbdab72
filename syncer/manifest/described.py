"""The text under each member of the models: what editors show, read from the source only when a schema is made.

Pydantic's own `use_attribute_docstrings` reads the source of every model at every start, schema or none.
"""

from __future__ import annotations

import ast
import inspect
from functools import cache
from itertools import pairwise
from types import ModuleType


@cache
def texts(module: ModuleType) -> dict[str, dict[str, str]]:
    """Return the text under each annotated member of each class of a module, by the names of class and member."""
    classes = [each for each in ast.parse(inspect.getsource(module)).body if isinstance(each, ast.ClassDef)]
    return {each.name: dict(_members(each)) for each in classes}


def _members(written: ast.ClassDef) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for member, below in pairwise(written.body):
        match member, below:
            case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(text))):
                found.append((name, inspect.cleandoc(text)))
    return found
