# SPDX-License-Identifier: GPL-2.0-or-later
"""What a C file defines, declares and uses, read from its tokens: enough for sources that clang-format has laid out."""
import re

TOKENS = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
DIRECTIVES = re.compile(r'(?m)^[ \t]*#(?:\\\n|[^\n])*')
NOISE = re.compile(r'\b(?:G_[A-Z0-9_]+|__attribute__)\b\s*(?:\(\(.*?\)\)|\([^()]*\))?')
NAME = re.compile(r'([A-Za-z_]\w*)\s*(?:\[[^\]]*\]\s*)*$')


def blank(match):
    """Comments become spaces, literals become empty ones; lines stay where they are."""
    text = match[0]
    if text.startswith('/'):
        return re.sub(r'[^\n]', ' ', text)
    return '""' if text[0] == '"' else "' '"


def name_before_parameters(head):
    """The function's name in 'static int name(int a)'; None if the last parenthesis belongs to something else."""
    depth = 0
    for at in range(len(head) - 1, -1, -1):
        if head[at] == ')':
            depth += 1
        elif head[at] == '(':
            depth -= 1
            if depth == 0:
                match = re.search(r'([A-Za-z_]\w*)\s*$', head[:at])
                return match[1] if match and not match[1].isupper() else None
    return None


class Source:
    """One file. functions: name -> True if file-local; prototypes: functions it declares; data: global variables it defines."""

    def __init__(self, path):
        with open(path, encoding='utf-8') as file:
            text = file.read()
        self.path = path
        self.lines = text.count('\n')
        self.noun = path.rsplit('.', 1)[0]
        self.functions, self.prototypes, self.data, self.externs = {}, [], [], []
        self.code = DIRECTIVES.sub('', TOKENS.sub(blank, text))
        self.split(self.code)
        self.words = set(re.findall(r'[A-Za-z_]\w*', self.code))

    def split(self, code):
        """Cuts the file into definitions and declarations."""
        at, head = 0, ''
        while at < len(code):
            if code[at] == '{':
                end = self.closing(code, at)
                if head.rstrip().endswith(')'):
                    name = name_before_parameters(head)
                    if name:
                        self.functions[name] = bool(re.search(r'\bstatic\b', head))
                    head = ''
                else:
                    head += ' {} '
                at = end + 1
                continue
            if code[at] == ';':
                self.declare(NOISE.sub('', head).strip())
                head = ''
            else:
                head += code[at]
            at += 1

    @staticmethod
    def closing(code, at):
        depth = 0
        for end in range(at, len(code)):
            if code[end] == '{':
                depth += 1
            elif code[end] == '}':
                depth -= 1
                if depth == 0:
                    return end
        return len(code)

    def declare(self, text):
        if not text or text.startswith('typedef') or re.match(r'(?:struct|union|enum)\s*\w*\s*(?:\{\})?$', text):
            return
        if '=' not in text and text.endswith(')'):
            name = name_before_parameters(text)
            if name:
                self.prototypes.append(name)
            return
        left = text.split('=')[0].strip()
        match = NAME.search(left)
        if not match or '(' in left or match[1].isupper() or re.search(r'\bstatic\b', left):
            return
        (self.externs if re.search(r'\bextern\b', left) else self.data).append(match[1])

    def uses(self, name):
        """Is `name`, which another file defines, called or read here? Members and labels of that name are not it."""
        if name not in self.words or name in self.functions or name in self.prototypes or name in self.externs:
            return False
        return bool(re.search(r'(?<![.\w])(?<!->)' + name + r'\b(?!\s*:)', self.code))


def circles(graph):
    """Groups of nodes that reach each other (Tarjan), each sorted."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = []
            while not group or group[-1] != node:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found
