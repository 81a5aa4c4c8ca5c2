"""The code concepts of calls, statements and expressions."""

from cutaway.concepts.code.structure import CODE, NUMBERS, OPERATORS, SAME_NAME, STRINGS, Structure, like, told

CALLS = (
    Structure(
        "argument",
        "the last name stands in a positional argument of a call",
        ("argument",),
        (
            like("parameter", "bracket: of a def, not of a call", "parameter"),
            like("told", "place: after an open round bracket in a comment or string", "told_round"),
        ),
        neither=("any_keyword_name",),
    ),
    Structure(
        "method_argument",
        "the last name stands in a positional argument of a method",
        ("method_argument",),
        (like("function", "callee: a function without a dot", "function_argument"),),
        neither=("any_keyword_name",),
    ),
    Structure(
        "keyword_name",
        "the last name is that of a keyword argument, after another one",
        ("keyword_name",),
        (
            SAME_NAME,
            like("later_argument", "position: an argument without a name", "later_argument"),
        ),
        neither=("any_keyword_name",),
    ),
    Structure(
        "keyword_value",
        "the last name stands in the value of a keyword argument",
        ("keyword_value",),
        (
            like("assignment", "equals sign: of an assignment", "assigned"),
            like("default", "bracket: of a def, not of a call", "default_value"),
        ),
    ),
    Structure(
        "default_value",
        "the last name stands in the default value of a parameter",
        ("default_value",),
        (
            like("assignment", "equals sign: of an assignment", "assigned"),
            like("keyword", "bracket: of a call, not of a def", "keyword_value"),
        ),
        kinds=("name", "number"),
        against=(CODE, NUMBERS),
    ),
    Structure(
        "starred",
        "the last name stands in a starred argument of a call",
        ("starred",),
        (
            like("product", "star: of a product or a power", "multiplied"),
            SAME_NAME,
        ),
    ),
)
STATEMENTS = (
    Structure(
        "assigned",
        "the last name stands in the value of an assignment",
        ("assigned",),
        (like("keyword", "equals sign: of a keyword argument or a default value", "keyword_value", "default_value"),),
        neither=("variable_annotation", "augmented"),
    ),
    Structure(
        "augmented",
        "the last name stands right of +=, -= or another augmented assignment",
        ("augmented",),
        (like("plain", "equals sign: a plain one, with the operator right of it", "assigned_sum"),),
    ),
    Structure(
        "returned",
        "the last name stands in a value that is returned",
        ("returned",),
        (
            told("return", "returns"),
            SAME_NAME,
        ),
    ),
    Structure(
        "yielded",
        "the last name stands in a value that is yielded",
        ("yielded",),
        (
            SAME_NAME,
            told("yield", "yields"),
        ),
    ),
    Structure("raised", "the last name stands in what is raised", ("raised",), (told("raise", "raises"), SAME_NAME)),
    Structure(
        "asserted",
        "the last name stands in what is asserted",
        ("asserted",),
        (
            SAME_NAME,
            told("assert", "asserts"),
        ),
    ),
    Structure(
        "condition",
        "the last name stands in the condition of an if or while line",
        ("condition",),
        (
            told("if", "while"),
            like("expression", "form: the if of an expression", "ternary_condition", "comprehension_condition"),
        ),
    ),
    Structure(
        "loop_variable",
        "the last name is a variable of a for line",
        ("loop_variable",),
        (
            SAME_NAME,
            told("for"),
            like("comprehension", "form: the for of a comprehension", "comprehension_variable"),
        ),
    ),
    Structure(
        "iterable",
        "the last name stands in what a for line goes through",
        ("iterable",),
        (
            like("member", "in: of a test whether it is a member", "member"),
            told("in"),
        ),
    ),
    Structure("with_item", "the last name stands in what a with line opens", ("with_item",), (told("with"), SAME_NAME)),
    Structure(
        "except_type",
        "the last name is a type that an except line catches",
        ("except_type",),
        (
            SAME_NAME,
            told("except"),
        ),
    ),
)
EXPRESSIONS = (
    Structure(
        "comprehension_variable",
        "the last name is a variable of a comprehension",
        ("comprehension_variable",),
        (
            SAME_NAME,
            like("statement", "form: the for of a for line", "loop_variable"),
        ),
    ),
    Structure(
        "comprehension_iterable",
        "the last name stands in what a comprehension goes through",
        ("comprehension_iterable",),
        (like("statement", "form: the in of a for line", "iterable"),),
    ),
    Structure(
        "comprehension_condition",
        "the last name stands in a condition of a comprehension",
        ("comprehension_condition",),
        (like("statement", "form: the if of an if line", "condition"), SAME_NAME),
    ),
    Structure(
        "conditional_expression",
        "the last name stands in the condition of an if … else expression",
        ("ternary_condition",),
        (like("statement", "form: the if of an if line", "condition"), told("if")),
    ),
    Structure(
        "lambda_parameter",
        "the last name is a parameter of a lambda",
        ("lambda_parameter",),
        (
            SAME_NAME,
            like("def", "keyword: a parameter of a def", "parameter"),
        ),
    ),
    Structure(
        "lambda_body",
        "the last name stands in the body of a lambda",
        ("lambda_body",),
        (
            SAME_NAME,
            like("dictionary", "colon: of a dictionary", "dictionary_value"),
        ),
    ),
    Structure(
        "subscript",
        "the last name stands in a subscript",
        ("subscript",),
        (like("list", "bracket: of a list", "list_element"),),
        kinds=("name", "number"),
        against=(CODE, NUMBERS),
    ),
    Structure(
        "slice",
        "the last name or number stands in a slice, behind its colon",
        ("slice_behind",),
        (
            like("subscript", "colon: none in these brackets", "subscript"),
            like("dictionary", "colon: of a dictionary", "dictionary_value"),
        ),
        kinds=("name", "number"),
        against=(CODE, NUMBERS),
    ),
    Structure(
        "dictionary_key",
        "the last token is a key of a dictionary, not the first",
        ("later_key",),
        (
            like("value", "side: right of the colon", "dictionary_value"),
            like("list", "bracket: of a list", "list_element"),
        ),
        against=(CODE, STRINGS),
        neither=("first_key",),
        kinds=("name", "string", "number"),
    ),
    Structure(
        "dictionary_value",
        "the last name or number stands in a value of a dictionary",
        ("dictionary_value",),
        (
            like("key", "side: left of the colon", "later_key"),
            like("slice", "colon: of a slice", "slice_behind"),
        ),
        kinds=("name", "number"),
        against=(CODE, NUMBERS),
    ),
    Structure(
        "tuple_element",
        "the last name stands in a tuple, behind its first comma",
        ("tuple_element",),
        (like("argument", "comma: of the arguments of a call", "later_argument"),),
        neither=("tuple_first",),
        kinds=("name", "number"),
        against=(CODE, NUMBERS),
    ),
    Structure(
        "unary_minus",
        "the last token is a minus sign with nothing on its left",
        ("unary_minus",),
        (like("difference", "left: there is something to subtract from", "binary_minus"),),
        against=(OPERATORS,),
        kinds=("operator",),
    ),
    Structure(
        "boolean_operand",
        "the last name stands right of and or or",
        ("boolean_operand",),
        (
            told("and", "or"),
            like("sum", "operator: an arithmetic one", "right_operand"),
        ),
    ),
    Structure(
        "compared",
        "the last name stands right of a comparison",
        ("compared",),
        (
            like("loop", "in: of a for line", "iterable"),
            like("sum", "operator: an arithmetic one", "right_operand"),
        ),
        kinds=("name", "number"),
        against=(CODE, NUMBERS),
    ),
    Structure(
        "walrus",
        "the last name stands in a value that := assigns",
        ("walrus",),
        (
            like("assignment", "sign: a plain =", "assigned"),
            SAME_NAME,
        ),
    ),
)
