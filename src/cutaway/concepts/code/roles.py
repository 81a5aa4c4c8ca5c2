"""What the parser says of code: which piece of a source is a condition, a default value, a loop variable, …

A role is given only where it can be known from the left, for a network that predicts code has seen no more: the element of a
comprehension is one only since the `for` that follows it, so there is no such role.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cutaway.concepts.code.marks import Mark, Places, between

Node = ast.expr | ast.stmt | ast.arg | ast.keyword | ast.alias | ast.excepthandler
Role = tuple[str, Node]
_WITH_TOKENS = (
    *(ast.Attribute, ast.keyword, ast.Call, ast.alias, ast.ExceptHandler, ast.UnaryOp, ast.BinOp),
    *(ast.Global, ast.Nonlocal, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom),
)
CLOSING = {"(": ")", "[": "]", "{": "}"}


def roles_of(node: ast.AST) -> Iterator[Role]:
    """The parts of a node that are in a role of their own."""
    for part in (_statement_roles, _definition_roles, _call_roles, _display_roles, _operator_roles):
        yield from part(node)


def _statement_roles(node: ast.AST) -> Iterator[Role]:
    match node:
        case ast.If(test=test) | ast.While(test=test):
            yield "condition", test
        case ast.Return(value=ast.expr() as value):
            yield "returned", value
        case ast.Yield(value=ast.expr() as value) | ast.YieldFrom(value=value):
            yield "yielded", value
        case ast.Raise(exc=ast.expr() as value):
            yield "raised", value
        case ast.Assert(test=test):
            yield "asserted", test
        case ast.For(target=target, iter=over) | ast.AsyncFor(target=target, iter=over):
            yield "loop_target", target
            yield "iterable", over
            for name in _stored(target):
                yield "loop_variable", name
        case ast.withitem(context_expr=opened, optional_vars=target):
            yield "with_item", opened
            if target is not None:
                yield "with_name", target
        case ast.ExceptHandler(type=ast.expr() as kind):
            yield "except_type", kind
        case ast.Assign(value=value):
            yield "assigned", value
            if isinstance(value, ast.BinOp):
                yield "assigned_sum", value.right
        case ast.AugAssign(value=value):
            yield "augmented", value
        case ast.AnnAssign(annotation=annotation):
            yield "variable_annotation", annotation
        case ast.Import(names=[ast.alias(asname=None) as only]):
            yield "imported_module", only


def _definition_roles(node: ast.AST) -> Iterator[Role]:
    match node:
        case ast.FunctionDef(args=given) | ast.AsyncFunctionDef(args=given):
            for one in _arguments(given):
                if one.annotation is not None:
                    yield "parameter_annotation", one.annotation
            if node.returns is not None:
                yield "return_annotation", node.returns
        case ast.ClassDef(bases=bases):
            for base in bases:
                yield "base_class", base
        case ast.Lambda(args=given, body=body):
            yield "lambda_body", body
            for one in _arguments(given):
                yield "lambda_parameter", one
            if len(given.args) == len(_arguments(given)) and given.args and not given.defaults:
                yield "lambda_whole", node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        for decorator in node.decorator_list:
            yield "decorator", decorator
    if isinstance(node, ast.arguments):
        for value in [*node.defaults, *node.kw_defaults]:
            if value is not None:
                yield "default_value", value


def _call_roles(node: ast.AST) -> Iterator[Role]:
    if isinstance(node, ast.keyword) and node.arg:
        yield "keyword_value", node.value
    if not isinstance(node, ast.Call):
        return
    for index, one in enumerate(node.args):
        yield "argument", one
        if index:
            yield "later_argument", one
        if isinstance(node.func, ast.Attribute):
            yield "method_argument", one
        else:
            yield "function_argument", one
        if isinstance(one, ast.Starred):
            yield "starred", one.value
    for keyword in node.keywords:
        if keyword.arg is None:
            yield "starred", keyword.value
    if len(node.args) == 1 and isinstance(node.args[0], ast.Call) and not node.keywords:
        yield "outer_call", node
        yield "inner_call", node.args[0]


def _display_roles(node: ast.AST) -> Iterator[Role]:
    match node:
        case (
            ast.ListComp(generators=loops)
            | ast.SetComp(generators=loops)
            | ast.GeneratorExp(generators=loops)
            | (ast.DictComp(generators=loops))
        ):
            for loop in loops:
                yield "comprehension_whole", node
                yield "comprehension_target", loop.target
                for name in _stored(loop.target):
                    yield "comprehension_variable", name
                yield "comprehension_iterable", loop.iter
                for test in loop.ifs:
                    yield "comprehension_condition", test
        case ast.Slice(upper=upper, step=step):
            for part in filter(None, (upper, step)):
                yield "slice_behind", part
        case ast.Subscript(slice=index) if not isinstance(index, ast.Slice):
            yield "subscript", index
        case ast.Dict(keys=keys, values=values):
            if keys and keys[0] is not None:
                yield "first_key", keys[0]
            for key in filter(None, keys[1:]):
                yield "later_key", key
            for value in values:
                yield "dictionary_value", value
        case ast.Tuple(elts=[first, *parts]):
            yield "tuple_first", first
            for part in parts:
                yield "tuple_element", part
        case ast.List(elts=parts):
            for part in parts:
                yield "list_element", part
            if len(parts) > 1 and all(isinstance(part, ast.Constant | ast.Name) for part in parts):
                yield "plain_list", node


def _operator_roles(node: ast.AST) -> Iterator[Role]:
    match node:
        case ast.BoolOp(values=values):
            for value in values[1:]:
                yield "boolean_operand", value
        case ast.Compare(ops=signs, comparators=values):
            for sign, value in zip(signs, values):
                yield "compared", value
                if isinstance(sign, ast.In | ast.NotIn):
                    yield "member", value
        case ast.IfExp(test=test, orelse=other):
            yield "ternary_whole", node
            yield "ternary_condition", test
            yield "ternary_else", other
        case ast.BinOp(op=ast.Mult() | ast.Pow(), right=right):
            yield "multiplied", right
        case ast.BinOp(op=ast.MatMult(), right=right):
            yield "matrix_product", right
        case ast.BinOp(right=right):
            yield "right_operand", right
        case ast.NamedExpr(value=value):
            yield "walrus", value
        case ast.Name(ctx=ast.Load()):
            yield "name_read", node
        case ast.Name():
            yield "name_stored", node


def _arguments(given: ast.arguments) -> list[ast.arg]:
    one = [*given.posonlyargs, *given.args, *filter(None, [given.vararg]), *given.kwonlyargs]
    return [*one, *filter(None, [given.kwarg])]


def _stored(target: ast.expr) -> Iterator[ast.Name]:
    return (one for one in ast.walk(target) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store))


def by_tokens(
    node: ast.AST, code: tuple[Mark, ...], begins: list[int], places: Places
) -> Iterator[tuple[str, tuple[int, int]]]:
    """Roles of names that are no nodes: after a dot, `def`, `class`, `as`, `global`, before `=`."""
    if not isinstance(node, _WITH_TOKENS):
        return
    pair = between(begins, *places.of_node(node))
    if pair is None:
        return
    first, last = pair
    match node:
        case ast.Attribute():
            yield "attribute", (last, last)
        case ast.keyword(arg=str()):
            yield "any_keyword_name", (first, first)
        case ast.Call(keywords=[_, *later]):
            for keyword in later:
                if keyword.arg and (at := between(begins, *places.of_node(keyword))):
                    yield "keyword_name", (at[0], at[0])
        case ast.alias(asname=str()):
            yield "alias", (last, last)
        case ast.ExceptHandler(name=str(), type=ast.expr() as kind):
            if (at := between(begins, *places.of_node(kind))) is not None:
                while code[at[1]].string != "as":
                    at = (at[0], at[1] + 1)
                yield "except_name", (at[1] + 1, at[1] + 1)
        case ast.UnaryOp(op=ast.USub()):
            yield "unary_minus", (first, first)
        case ast.BinOp(op=ast.Sub()):
            minus = [
                i for i in range(first, last) if code[i].string == "-" and code[i].start >= places.of_node(node.left)[1]
            ]
            yield "binary_minus", (minus[0], minus[0])
        case ast.Global() | ast.Nonlocal():
            yield "declared", (first + 1, last)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield from _header(node, code, first)
            for one in [] if isinstance(node, ast.ClassDef) else _arguments(node.args):
                if (at := between(begins, *places.of_node(one))) is not None:
                    yield "parameter", (at[0], at[0])
        case ast.Import() | ast.ImportFrom():
            yield from _imports(node, code, first, last)


def _imports(
    node: ast.Import | ast.ImportFrom, code: tuple[Mark, ...], first: int, last: int
) -> Iterator[tuple[str, tuple[int, int]]]:
    """The whole statement; the module after `from`; the names after `import` (not those after `as`); parts after a dot."""
    yield "import_statement", (first, last)
    word = next(i for i in range(first, last) if code[i].string == "import")
    if isinstance(node, ast.ImportFrom) and not node.level:
        yield "from_module", (first + 1, word - 1)
    for index in range(word + 1, last + 1):
        if isinstance(node, ast.ImportFrom) and code[index].kind == "name" and code[index - 1].string != "as":
            yield "imported_name", (index, index)
        if isinstance(node, ast.Import) and code[index].kind == "name" and code[index - 1].string != "as":
            yield "plain_module", (index, index)
    for index in range(first + 1, last + 1):
        if code[index - 1].string == "." and code[index].kind == "name":
            yield "module_part", (index, index)


def _header(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, code: tuple[Mark, ...], first: int
) -> Iterator[tuple[str, tuple[int, int]]]:
    """The name of a def or class, and the parameters of a def from `def` to the bracket that closes them."""
    word = "class" if isinstance(node, ast.ClassDef) else "def"
    while code[first].string != word:
        first += 1
    yield ("class_name" if word == "class" else "function_name"), (first + 1, first + 1)
    depth, last = 0, first + 2
    while depth or code[last].string not in (":", "->"):
        depth += (code[last].string in CLOSING) - (code[last].string in CLOSING.values())
        last += 1
    yield f"{word}_header", (first, last - 1)
