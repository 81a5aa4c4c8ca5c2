"""The code concepts of texts, layout and names."""

from cutaway.concepts.code.structure import NUMBERS, SAME_NAME, Structure, like, told

TEXTS = (
    Structure(
        "inside_string",
        "the last word stands inside a string",
        ("in_string",),
        (like("comment", "quotes: around words of a comment", "quoted_in_comment"),),
    ),
    Structure(
        "comment",
        "the last word stands in a comment",
        ("in_comment",),
        (like("hash_in_string", "place: after a # that is inside a string", "hash_in_string"),),
    ),
    Structure(
        "f_string_expression",
        "the last name is code in the braces of an f-string",
        ("f_expression",),
        (like("plain_string", "prefix: braces in a string that is no f-string", "braced"),),
        against=("in_f_string",),
    ),
    Structure(
        "single_quoted",
        "the last word stands in a string that opened with a single quote",
        ("single_quoted",),
        (like("apostrophes", "quote: a single one inside a double-quoted string", "apostrophes"),),
        against=("double_quoted",),
    ),
    Structure(
        "triple_quoted",
        "the last word stands in a string that opened with three quotes",
        ("triple_quoted",),
        (like("concatenated", "quotes: a string that goes on, with one quote for each piece", "concatenated"),),
        against=("one_quoted",),
    ),
    Structure(
        "docstring",
        "the last word stands in a docstring",
        ("docstring",),
        (like("no_docstring", "place: a triple-quoted string that is a value", "triple_no_docstring"),),
        against=("no_docstring", "in_comment"),
    ),
)
LAYOUT = (
    *(
        Structure(
            f"{shape}_bracket",
            f"the innermost open bracket is {shape}",
            (f"in_{shape}",),
            (
                like("closed", "end: a pair of this kind stands before, closed", f"closed_{shape}"),
                like("told", "place: behind an open one in a comment or string", f"told_{shape}"),
            ),
        )
        for shape in ("round", "square", "curly")
    ),
    Structure(
        "bracket_depth_2",
        "at least two brackets are open",
        ("deep",),
        (like("closed", "end: two pairs stand before, closed", "shallow_again"),),
    ),
    Structure(
        "indentation_2",
        "the statement stands at the second level of indentation or deeper",
        ("two_levels_in",),
        (like("continuation", "reason: white space before a line that only goes on in a bracket", "goes_on_far_in"),),
    ),
    Structure(
        "else_branch",
        "the last name stands in the first statement after an else line",
        ("else_branch",),
        (
            like("else_in_expression", "form: else within an expression", "ternary_else"),
            told("else"),
        ),
        against=("if_branch",),
        above=1,
    ),
)
NAMES = (
    Structure(
        "bound_name",
        "the last name is bound here: a parameter, a target of for, with or except, a def, a class, or after as",
        (
            "parameter",
            "loop_variable",
            "comprehension_variable",
            "lambda_parameter",
            "alias",
            "except_name",
            "with_name",
            "function_name",
            "class_name",
        ),
        (SAME_NAME,),
        neither=("statement_start", "name_stored", "imported_name", "plain_module", "any_keyword_name"),
    ),
    Structure(
        "name_read",
        "the last name is a variable that is read",
        ("name_read",),
        (SAME_NAME,),
        neither=("statement_start", "any_keyword_name", "name_stored"),
    ),
    Structure(
        "parameter",
        "the last name is a parameter of a def",
        ("parameter",),
        (SAME_NAME, like("argument", "bracket: of a call, not of a def", "argument")),
        neither=("lambda_parameter",),
    ),
    Structure(
        "function_name",
        "the last name is what a def is called",
        ("function_name",),
        (SAME_NAME, told("def")),
    ),
    Structure("class_name", "the last name is what a class is called", ("class_name",), (SAME_NAME, told("class"))),
    Structure(
        "base_class",
        "the last name is a base of a class that is defined here",
        ("base_class",),
        (SAME_NAME, like("argument", "bracket: of a call, not of a class line", "argument")),
    ),
    Structure(
        "attribute",
        "the last name is an attribute, after a dot",
        ("attribute",),
        (like("module", "statement: the dot of a module's name on an import line", "module_part"), SAME_NAME),
        neither=("module_part",),
    ),
    Structure(
        "decorator",
        "the last name is part of a decorator",
        ("decorator",),
        (
            SAME_NAME,
            like("at_sign", "place: after an @ in a comment or string", "at_sign"),
            like("matrix_product", "operator: @ as the matrix product", "matrix_product"),
        ),
    ),
    Structure(
        "declared",
        "the last name is declared global or nonlocal here",
        ("declared",),
        (SAME_NAME, told("global", "nonlocal")),
    ),
    Structure(
        "import_line",
        "the last name stands in an import statement",
        ("import_statement",),
        (told("import", "imports", "from"), SAME_NAME),
    ),
    Structure(
        "from_module",
        "the last name is of the module after from",
        ("from_module",),
        (told("from"), like("import", "word: a module after import", "plain_module")),
    ),
    Structure(
        "imported_name",
        "the last name is imported from a module",
        ("imported_name",),
        (SAME_NAME, like("module", "statement: import without from", "plain_module"), told("import")),
        neither=("alias",),
    ),
    Structure(
        "alias",
        "the last name is the new name after as in an import",
        ("alias",),
        (like("with", "statement: as of a with or except", "with_name", "except_name"), told("as")),
    ),
    Structure(
        "parameter_annotation",
        "the last name annotates a parameter",
        ("parameter_annotation",),
        (SAME_NAME, like("dictionary", "colon: of a dictionary", "dictionary_value")),
    ),
    Structure(
        "return_annotation",
        "the last name annotates what a def returns",
        ("return_annotation",),
        (SAME_NAME, like("parameter", "place: annotates a parameter", "parameter_annotation")),
    ),
    Structure(
        "variable_annotation",
        "the last name annotates a variable",
        ("variable_annotation",),
        (SAME_NAME, like("dictionary", "colon: of a dictionary", "dictionary_value")),
    ),
    Structure(
        "number",
        "the last token is a number",
        (NUMBERS,),
        (like("told", "place: digits in a comment or string", "digits"),),
        kinds=("name", "number"),
    ),
)
