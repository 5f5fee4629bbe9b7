"Rules for the notebooks' code that a tool can check."
import ast, io, re, tokenize
from collections import defaultdict
from graphlib import TopologicalSorter

from common import EXPERIMENTS, LIBRARY, ROOT, code_cells, each, exported, none

WIDTH, NAMES = 110, 10

def module(nb):
    "The name after `#| default_exp`."
    found = [re.match(r'#\|\s*default_exp\s+(\w+)', source) for _, source in code_cells(nb)]
    return next((m[1] for m in found if m), nb.stem)

MODULES = {module(nb): nb for nb in LIBRARY}  # in the order of reading

def table_rows(source):
    "Line numbers of tables of data: strings of three lines or more, all with the same number of columns."
    rows = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str): continue
        lines = node.value.strip().splitlines()
        columns = [{len(line.split(mark)) for line in lines} for mark in (None, '|', ',')]
        if len(lines) > 2 and any(len(c) == 1 and c != {1} for c in columns):
            rows |= set(range(node.lineno, node.end_lineno + 1))
    return rows

@each(LIBRARY + EXPERIMENTS)
def test_width(nb):
    "No line of code is cut off in JupyterLab or on a repository page."
    cells = code_cells(nb) if nb in EXPERIMENTS else exported(nb)
    wide = [f'{nb.name}, cell {i}, line {n}: {len(line)}'
            for i, source in cells for n, line in enumerate(source.splitlines(), 1)
            if len(line) > WIDTH and n not in table_rows(source)]
    none(wide, f'Lines of more than {WIDTH} characters')

@each(LIBRARY + EXPERIMENTS)
def test_docs(nb):
    "Docstrings end like sentences, and comments on parameters can be read alone, since --help prints them."
    wrong = []
    for i, source in exported(nb):
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef)): continue
            if not (ast.get_docstring(node) or '.').endswith(tuple('.?!')):
                wrong.append(f'{nb.name}, cell {i}: the docstring of {node.name} has no period')
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT and re.match(r'#\s*(of\b|$)', token.string):
                wrong.append(f'{nb.name}, cell {i}, line {token.start[0]}: {token.string}')
    none(wrong, 'Docstrings and comments')

@each(LIBRARY)
def test_prints(nb):
    "Not every terminal can show every name, and processes share one: core's say_line prints lines."
    calls = [(i, node) for i, source in exported(nb) if 'def say_line' not in source
             for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    none([f'{nb.name}, cell {i}, line {c.lineno}' for i, c in calls if getattr(c.func, 'id', '') == 'print'],
         'calls of print')

def imported(source):
    "Modules of apt_nb that a cell imports, inside functions too."
    for node in ast.walk(ast.parse(source)):
        names = [a.name for a in getattr(node, 'names', []) if isinstance(a, ast.alias)]
        if isinstance(node, ast.ImportFrom): names = [f'{node.module}.{name}' for name in names]
        yield from (n.split('.')[1] for n in names if n.startswith('apt_nb.'))

def doors():
    "{module: the modules that it imports}"
    needed = lambda nb: {m for _, source in exported(nb) for m in imported(source)}
    return {m: needed(nb) & MODULES.keys() for m, nb in MODULES.items()}

def test_circles():
    "No circle of imports."
    TopologicalSorter(doors()).prepare()

def test_order():
    "A module imports only modules of earlier notebooks: the order of reading is the order of importing."
    order = list(MODULES)
    later = {m: needed & set(order[order.index(m) + 1:]) for m, needed in doors().items()}
    none([f'{m} imports {", ".join(sorted(needed))}' for m, needed in later.items() if needed],
         'Imports from later notebooks')

def test_names():
    "A public name is defined in one module only."
    places = defaultdict(list)
    for file in sorted((ROOT/'apt_nb').glob('[a-z]*.py')):
        for node in ast.parse(file.read_text(encoding='utf-8')).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], 'id', '') == '__all__':
                for name in ast.literal_eval(node.value): places[name].append(file.stem)
    none([f'{n}: {", ".join(p)}' for n, p in places.items() if len(p) > 1], 'Names with two meanings')

@each(EXPERIMENTS)
def test_experiment(nb):
    "An experiment imports at most NAMES names, each by name, and its objects save themselves."
    code = '\n'.join(source for _, source in code_cells(nb))
    nodes = [n for n in ast.walk(ast.parse(code)) if isinstance(n, (ast.Import, ast.ImportFrom))]
    names = [a.name for n in nodes for a in n.names]
    wrong = []
    if len(names) > NAMES or '*' in names: wrong.append(f'imports {len(names)} names: {", ".join(names)}')
    wrong += [f'line {line!r}' for line in code.splitlines() if re.match(r'\s*_ = save_', line)]
    none(wrong, nb.name)
