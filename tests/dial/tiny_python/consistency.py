"""What is inconsistent in a program: read with Python's own parser, in order, with the types that its values have."""

import ast

from cutaway.dial.tiny_python.vocabulary import METHODS

RESULTS = {"upper": "str", "lower": "str", "split": "list", "keys": "list", "read": "str"}
BUILTINS = {"len": "int", "sum": "int", "max": "int", "sorted": "list", "print": "", "range": "", "open": "file"}
CONSTRUCTORS = ("int", "str", "list", "set", "dict")
BLOCKS = (ast.For, ast.While, ast.If, ast.With)


class Reader:
    """Reads a program line by line; `faults` are what does not fit. A type that cannot be told is an empty string."""

    def __init__(self, program: str) -> None:
        self.faults: list[str] = []
        self.arity: dict[str, int] = {}
        self.attributes: dict[str, set[str]] = {}
        self.methods: dict[str, set[str]] = {}
        self.block(ast.parse(program).body, {})

    def expect(self, holds: bool, node: ast.AST) -> None:
        if not holds:
            self.faults.append(ast.unparse(node))

    def block(self, body: list[ast.stmt], names: dict[str, str]) -> None:
        for statement in body:
            self.statement(statement, names)

    def statement(self, node: ast.stmt, names: dict[str, str]) -> None:
        if isinstance(node, ast.FunctionDef):
            self.function(node)
        elif isinstance(node, ast.ClassDef):
            self.declared(node)
        elif isinstance(node, BLOCKS):
            self.opened(node, names)
        elif isinstance(node, ast.Assign):
            self.assigned(node, names)
        elif isinstance(node, ast.AugAssign):
            self.same(node, self.kind(node.target, names), self.kind(node.value, names))
        elif isinstance(node, ast.Expr | ast.Return):
            self.kind(node.value, names)
        else:
            self.expect(False, node)

    def assigned(self, node: ast.Assign, names: dict[str, str]) -> None:
        (target,), kind = node.targets, self.kind(node.value, names)
        if isinstance(target, ast.Name):
            self.same(node, names.get(target.id, ""), kind)
            names[target.id] = kind or names.get(target.id, "")
        else:
            self.kind(target, names)
        if isinstance(target, ast.Tuple):
            left, right = ([ast.unparse(side) for side in part.elts] for part in (target, node.value))
            self.expect(left == right[::-1] and len({self.kind(one, names) for one in target.elts} - {""}) < 2, node)

    def opened(self, node: ast.stmt, names: dict[str, str]) -> None:
        inside = dict(names)
        first = ast.unparse(node.body[0])
        if isinstance(node, ast.For):
            self.kind(node.iter, names)
            inside[node.target.id] = "int" if "range(" in ast.unparse(node.iter) else ""
            self.expect(
                node.target.id in {name.id for name in ast.walk(node.body[0]) if isinstance(name, ast.Name)}, node
            )
        elif isinstance(node, ast.While):
            self.kind(node.test, names)
            sign = "+=" if isinstance(node.test.ops[0], ast.Lt) else "-="
            self.expect(first.startswith(f"{node.test.left.id} {sign}"), node)
        elif isinstance(node, ast.If):
            self.kind(node.test, names)
            self.expect(bool(node.orelse), node)
            chained = len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If)
            self.block(node.orelse, names if chained else dict(names))
        else:
            (item,) = node.items
            self.kind(item.context_expr, names)
            inside[item.optional_vars.id] = "file"
            self.expect(f"{item.optional_vars.id}." in first, node)
        self.block(node.body, inside)

    def function(self, node: ast.FunctionDef) -> None:
        parameters = [one.arg for one in node.args.args]
        names = dict.fromkeys(parameters, "")
        self.block(node.body, names)
        if node.name != "__init__":
            self.expect(isinstance(node.body[-1], ast.Return), node)
            used = {name.id for name in ast.walk(node.body[-1]) if isinstance(name, ast.Name)}
            self.expect(not parameters or bool(used & set(names)), node)
        self.expect(node.name not in self.arity or node.name == "__init__", node)
        self.arity[node.name] = len(parameters)

    def declared(self, node: ast.ClassDef) -> None:
        start = node.body[0]
        self.attributes[node.name] = {line.targets[0].attr for line in start.body}
        self.methods[node.name] = {function.name for function in node.body[1:]}
        self.attributes["self"] = self.attributes[node.name]
        self.block(node.body, {})
        self.arity[node.name] = len(start.args.args) - 1
        for method in self.methods[node.name]:
            del self.arity[method]

    def same(self, node: ast.AST, one: str, other: str) -> None:
        self.expect(not one or not other or one == other, node)

    def kind(self, node: ast.expr, names: dict[str, str]) -> str:
        if isinstance(node, ast.Constant):
            return type(node.value).__name__
        if isinstance(node, ast.Name):
            self.expect(node.id in names, node)
            return names.get(node.id, "")
        if isinstance(node, ast.BinOp):
            left, right = self.kind(node.left, names), self.kind(node.right, names)
            self.same(node, left, right)
            return left or right
        if isinstance(node, ast.Call):
            return self.called(node, names)
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value)
            kinds = "self" if owner == "self" else names.get(owner, "")
            self.expect(node.attr in self.attributes.get(kinds, {node.attr}), node)
            return ""
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.expr):
                self.kind(part, names)
        return type(node).__name__.lower() if isinstance(node, ast.List | ast.Dict | ast.Tuple) else ""

    def called(self, node: ast.Call, names: dict[str, str]) -> str:
        kinds = [self.kind(one, names) for one in node.args]
        if isinstance(node.func, ast.Attribute):
            owner, method = self.kind(node.func.value, names), node.func.attr
            fits = METHODS.get(owner) or self.methods.get(owner) or (method,)
            self.expect(method in fits, node)
            return RESULTS.get(method, "")
        name = node.func.id
        if name in CONSTRUCTORS or name in BUILTINS:
            self.expect(name not in ("range", "max") or set(kinds) <= {"int", ""}, node)
            self.expect(name != "open" or set(kinds) <= {"str", ""}, node)
            return name if name in CONSTRUCTORS else BUILTINS[name]
        self.expect(self.arity.get(name) == len(kinds), node)
        return name if name in self.attributes else ""
