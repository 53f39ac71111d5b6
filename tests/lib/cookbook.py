# SPDX-License-Identifier: GPL-2.0-or-later
"""doc/cookbook.md as the tests read it: recipes, the files of each machine, and the commands with their output.

A fenced block belongs to a recipe by the comment before it: `<!-- RECIPE: MACHINE WHAT -->`. WHAT is the file's name below the
machine's configuration folder (`adit.yaml`, `conf.d/users.yaml`), `users` (FreeRADIUS's), `run` (commands for the shell) or `shows`
(commands of aditctl, each after a `#`, and what they print; `...` is any text)."""

import os
import re

PATH = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), 'doc', 'cookbook.md')
BLOCK = re.compile(r'(?:^<!-- (?P<marker>[^\n]*) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$', re.M | re.S)
MARKER = re.compile(r'(?P<recipe>[a-z-]+): (?P<machine>[a-z]+) (?P<what>[a-z./]+)$')


class Broken(Exception):
    """The document has a block that no test can read."""


class Recipe:
    def __init__(self, name, section):
        self.name, self.section = name, section
        self.blocks = {}  # (machine, what) -> text

    def machines(self):
        return sorted({machine for machine, what in self.blocks if what == 'adit.yaml'})

    def files(self, machine):
        """Name below the configuration folder -> text."""
        return {what: text for (owner, what), text in self.blocks.items() if owner == machine and what.endswith('.yaml')}

    def block(self, machine, what):
        return self.blocks[machine, what]


def read(path=PATH):
    with open(path, encoding='utf-8') as file:
        return parse(file.read())


def parse(text):
    """Recipe's name -> Recipe; each has a section of the document."""
    recipes = {}
    for section in re.split(r'^(?=## )', text, flags=re.M):
        title = section.split('\n', 1)[0]
        for block in BLOCK.finditer(section):
            marker = MARKER.match(block['marker'] or '')
            if not marker:
                if block['language'] in ('yaml', 'console', 'sh'):
                    raise Broken('%s: a block of %s has no marker, so that no test runs it: %s' % (title, block['language'], block['text'][:60]))
                continue
            recipe = recipes.setdefault(marker['recipe'], Recipe(marker['recipe'], section))
            if recipe.section != section:
                raise Broken('%s: %s is the recipe of another section' % (title, marker['recipe']))
            key = marker['machine'], marker['what']
            if key in recipe.blocks:
                raise Broken('%s: %s has two blocks %s' % (title, marker['recipe'], key))
            recipe.blocks[key] = block['text']
    return recipes


def shows(text):
    """The commands of a block of `shows`, each with the lines that it prints."""
    found = []
    for line in text.splitlines():
        if line.startswith('# '):
            found.append((line[2:].split(), []))
        elif line.strip():
            if not found:
                raise Broken('output before the first command: %s' % line)
            found[-1][1].append(line)
    return found


def missing_lines(expected, printed):
    """Those of the expected lines that are not printed."""
    def matches(line):
        words = ['.*'.join(re.escape(part) for part in word.split('...')) for word in line.split()]
        return any(re.fullmatch(r'\s*' + r'\s+'.join(words) + r'\s*', candidate) for candidate in printed.splitlines())
    return [line for line in expected if not matches(line)]
