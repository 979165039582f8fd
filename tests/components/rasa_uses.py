"""What this package uses of Rasa, read from its sources, and whether a Rasa has it.

Nothing is executed. Found are imports, attributes of what is imported, keywords of calls,
attributes of parameters whose annotation names a class of Rasa, and methods that replace one of
Rasa's.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Tuple, Union

Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]
# Bases that add no attribute a user of a class would ask for.
_HARMLESS = {"ABC", "object", "Enum", "str", "NamedTuple", "Protocol", "Generic", "Exception"}


@dataclasses.dataclass(frozen=True, order=True)
class Use:
    """One thing that is used of Rasa.

    Attributes:
        name: Dotted: module, then class or function, then attribute.
        keywords: Of a call; of a replaced method, its parameters.
    """

    name: str
    keywords: Tuple[str, ...] = ()


class RasaTree:
    """The sources of one Rasa."""

    def __init__(self, root: Path) -> None:
        """Takes the folder that holds `rasa/`."""
        self.root = root

    def lacks(self, use: Use) -> Optional[str]:
        """Returns what is missing of a use, None if all of it is there."""
        found = self.find(use.name)
        if found is None:
            return use.name
        known = self._parameters(found)
        gone = [key for key in use.keywords if known is not None and key not in known]
        return f"{use.name}({', '.join(gone)})" if gone else None

    def find(self, name: str) -> Optional[Tuple[str, Optional[ast.AST]]]:
        """Returns module and node of a dotted name; the node is None of a module."""
        parts = name.split(".")
        for cut in range(len(parts), 0, -1):
            module = ".".join(parts[:cut])
            if self._tree(module) is None:
                continue
            found: Optional[Tuple[str, Optional[ast.AST]]] = (module, None)
            for part in parts[cut:]:
                found = None if found is None else self._inside(found, part)
            return found
        return None

    def _inside(
        self, where: Tuple[str, Optional[ast.AST]], name: str
    ) -> Optional[Tuple[str, Optional[ast.AST]]]:
        module, node = where
        if node is None:
            return self._in_module(module, name)
        if isinstance(node, ast.ClassDef):
            return self._in_class(module, node, name)
        return module, ast.Pass()  # an attribute of a value: its type is not known

    def _in_module(self, module: str, name: str) -> Optional[Tuple[str, Optional[ast.AST]]]:
        tree = self._tree(module)
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    if (alias.asname or alias.name) == name and node.module.startswith("rasa"):
                        return self.find(f"{node.module}.{alias.name}")
        for node in tree.body if tree is not None else ():
            if name in _defined(node):
                return module, node
        return (f"{module}.{name}", None) if self._tree(f"{module}.{name}") is not None else None

    def _in_class(
        self, module: str, owner: ast.ClassDef, name: str
    ) -> Optional[Tuple[str, Optional[ast.AST]]]:
        for node in owner.body:
            if name in _defined(node):
                return module, node
        for node in ast.walk(owner):
            is_set = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
            if is_set and node.attr == name and getattr(node.value, "id", "") == "self":
                return module, ast.Pass()
        for base in owner.bases:
            dotted = ast.unparse(base).split("[")[0]
            if dotted.split(".")[-1] in _HARMLESS:
                continue
            found = self._resolve(module, dotted)
            if found is None:
                return module, ast.Pass()  # of another library
            inside = self._inside(found, name)
            if inside is not None:
                return inside
        return None

    def _resolve(self, module: str, name: str) -> Optional[Tuple[str, Optional[ast.AST]]]:
        return self.find(name if name.startswith("rasa.") else f"{module}.{name}")

    def _parameters(self, found: Tuple[str, Optional[ast.AST]]) -> Optional[List[str]]:
        """Returns the names a call takes; None if it takes any, or they are not known."""
        module, node = found
        if isinstance(node, ast.ClassDef):
            made = self._in_class(module, node, "__init__")
            if made is None or not isinstance(made[1], ast.FunctionDef):
                return [name for each in node.body for name in _defined(each)]
            node = made[1]
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return None
        return None if node.args.kwarg else parameters_of(node)

    @functools.cache  # noqa: B019
    def _tree(self, module: str) -> Optional[ast.Module]:
        place = self.root.joinpath(*module.split("."))
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if file.is_file():
                return ast.parse(file.read_text(encoding="utf-8"))
        return None


def parameters_of(node: Function) -> List[str]:
    """Returns the names of a function's parameters."""
    given = node.args
    return [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]


def _defined(node: ast.AST) -> List[str]:
    """Returns the names that a statement defines."""
    if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [each.id for each in node.targets if isinstance(each, ast.Name)]
    if isinstance(node, ast.AnnAssign):
        return [node.target.id] if isinstance(node.target, ast.Name) else []
    if isinstance(node, (ast.If, ast.Try)):
        return [name for each in node.body for name in _defined(each)]
    return []


def uses_of(file: Path, rasa: RasaTree) -> Iterator[Use]:
    """Yields what a file uses of Rasa; `rasa` is the one it was written for."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names: Dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Use(a.name) for a in node.names if a.name.startswith("rasa."))
        elif isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "rasa":
            names.update({a.asname or a.name: f"{node.module}.{a.name}" for a in node.names})
    yield from map(Use, names.values())
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from _replaced(node, names, rasa)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            typed = {**names, **_typed(node, names)}
            yield from _attributes(node, typed)
        elif isinstance(node, (ast.Attribute, ast.Call)):
            yield from _attributes(node, names)


def _attributes(inside: ast.AST, names: Dict[str, str]) -> Iterator[Use]:
    for node in ast.walk(inside):
        if isinstance(node, ast.Call):
            name = _dotted(node.func, names)
            if name is not None:
                yield Use(name, tuple(each.arg for each in node.keywords if each.arg))
        elif isinstance(node, ast.Attribute):
            name = _dotted(node, names)
            if name is not None:
                yield Use(name)


def _dotted(node: ast.AST, names: Dict[str, str]) -> Optional[str]:
    """Returns the name of Rasa's that an expression stands for."""
    written = ast.unparse(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""
    first, dot, rest = written.partition(".")
    if first == "rasa" and dot:
        return written
    return f"{names[first]}{dot}{rest}" if first in names else None


def _typed(node: Function, names: Dict[str, str]) -> Dict[str, str]:
    """Returns the classes of a function's parameters, and of what loops over them yield."""
    found = {}
    for each in (*node.args.args, *node.args.kwonlyargs):
        for inner in ast.walk(each.annotation) if each.annotation is not None else ():
            if isinstance(inner, ast.Name) and inner.id in names:
                found[each.arg] = names[inner.id]
    several = {
        each.arg
        for each in (*node.args.args, *node.args.kwonlyargs)
        if each.annotation is not None
        and ast.unparse(each.annotation).startswith(("List[", "Sequence[", "Iterable["))
    }
    for inner in ast.walk(node):
        if isinstance(inner, (ast.For, ast.comprehension)) and isinstance(inner.target, ast.Name):
            over = getattr(inner.iter, "id", "")
            if over in several and over in found:
                found[inner.target.id] = found[over]
    return {name: type_ for name, type_ in found.items() if name not in several}


def _replaced(node: ast.ClassDef, names: Dict[str, str], rasa: RasaTree) -> Iterator[Use]:
    """Yields the methods of Rasa's classes that a class of ours replaces."""
    for base in node.bases:
        dotted = _dotted(base, names)
        for each in node.body if dotted is not None else ():
            if isinstance(each, ast.FunctionDef) and not each.name.startswith("__"):
                replaced = rasa.find(f"{dotted}.{each.name}")
                if replaced is not None and isinstance(replaced[1], ast.FunctionDef):
                    yield Use(f"{dotted}.{each.name}", tuple(parameters_of(replaced[1])))
