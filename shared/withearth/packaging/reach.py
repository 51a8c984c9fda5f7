"""Which files of the library an entry point can reach: at once, late, or only in some setting.

Read from the source, so that nothing has to be imported and no list has to be kept. What a function can never import
(the command line, the replay, the downloads, the tests) is not shipped with it.
"""

import ast
import functools
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

Files = Mapping[PurePosixPath, bytes]


def reached(entry: bytes, library: Files) -> set[PurePosixPath]:
    """The files of the library that can be imported from an entry point, and what lies beside them that is no code.

    Paths are those from which Python imports: `withearth/flow/decide.py`. Raises SyntaxError for what is not Python.
    """
    found: set[PurePosixPath] = set()
    waiting = [*_imported(entry)]
    while waiting:
        for path in _files_of(waiting.pop(), library):
            if path not in found:
                found.add(path)
                waiting += _imported(library[path])
    folders = {path.parent for path in found}
    return found | {path for path in library if path.parent in folders and path.suffix != ".py"}


def _files_of(name: str, library: Files) -> Iterator[PurePosixPath]:
    """The files of a module, or of something in one, and of the packages around it; none of somebody else's."""
    path = PurePosixPath(*name.split("."))
    for each in (path, *path.parents[:-1]):
        yield from (file for file in (each.with_suffix(".py"), each / "__init__.py") if file in library)


@functools.cache
def _imported(source: bytes) -> frozenset[str]:
    """The names that are imported anywhere in a source, but for those that only a type checker looks at."""
    return frozenset(_names(ast.parse(source)))


def _names(tree: ast.AST) -> Iterator[str]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                waiting += node.orelse
                continue
            case ast.Import():
                yield from (each.name for each in node.names)
            case ast.ImportFrom(module=str(module)):
                yield from (f"{module}.{each.name}" for each in node.names)
            case _:
                pass
        waiting += ast.iter_child_nodes(node)
