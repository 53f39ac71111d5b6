# SPDX-License-Identifier: GPL-2.0-or-later
"""Plugins that were built outside of the tree, against what is installed, at work in two daemons."""

import glob
import os
import shutil
import subprocess

import configs
from lab import expect, one, poll
from road import USERS, Road
from runner import case

LOADED = ['l2tp', 'ipcp', 'ipv6cp', 'tun', 'mschap', 'secrets']
EXAMPLES = ('example-lcp', 'example-ncp', 'example-stage')
LANGUAGES = {'c': [], 'c++': ['CC=g++ -x c++', 'CSTD=-std=c++20']}


def with_examples(lab, language):
    """A folder with the installed plugins, and the three examples built in that language."""
    work, plugins = os.path.join(lab.folder, 'work-' + language), os.path.join(lab.folder, 'plugins-' + language)
    shutil.copytree(one(lab.stage, 'adit/plugin-template'), work)
    shutil.copytree(lab.stage_plugins, plugins, ignore=shutil.ignore_patterns('*.la'))
    env = {key: value for key, value in os.environ.items() if key not in ('MAKEFLAGS', 'MFLAGS', 'MAKELEVEL')}
    env['PKG_CONFIG_PATH'] = os.path.dirname(one(lab.stage, 'pkgconfig/adit-plugin.pc'))
    made = subprocess.run(['make', '-s', '-C', work, *LANGUAGES[language], *(name + '.so' for name in EXAMPLES)], env=env, capture_output=True, text=True, timeout=120)
    expect(made.returncode == 0, 'make in %s: %s' % (language, made.stdout + made.stderr))
    for path in [plugins] + glob.glob(plugins + '/*'):
        os.chmod(path, 0o755)
    for name in EXAMPLES:
        shutil.copy(os.path.join(work, name + '.so'), plugins)
        os.chmod(os.path.join(plugins, name + '.so'), 0o755)
    return plugins


@case(limit=150)
def plugins_from_outside_the_tree(lab):
    """An LCP option, an NCP and a stage: the server has them in C++, the client the same sources in C."""
    lab.stage_plugins = lab.plugins
    at = {'server': with_examples(lab, 'c++'), 'client': with_examples(lab, 'c')}
    road = Road(lab)

    def start(namespace, plugins, tree):
        lab.plugins = plugins
        return lab.adit(namespace, configs.write(dict(tree, plugins=LOADED + list(EXAMPLES))))
    server = start(road.srv, at['server'], configs.server(USERS, **{'example-name': 'the-server'}))
    client = start(road.cli, at['client'], configs.client('alice', 'wonder-land', **{'example-name': 'the-client'}))
    road.works(server, client)

    # LCP agreed on a name, which each end reads by its type.
    for end, user, name in ((server, 'alice', 'the-client'), (client, 'alice', 'the-server')):
        peers = end.list('io.adit.example.lcp.List', 'peers')
        expect(peers == [{'user': user, 'name': name}], '%s knows %s' % (end.name, peers))

    # The NCP agreed on one number.
    def number(end):
        return [row['number'] for row in end.list('io.adit.example.ncp.List', 'sessions')]
    poll(lambda: number(server) and number(server) == number(client), 'one number at both ends: %s and %s' % (number(server), number(client)))

    # What pings through was masked on the wire, both ways, and nothing went around the stage.
    for end in (server, client):
        stage = end.call('io.adit.example.stage.Get')
        expect(stage == {'placed': 1, 'not_ours': 0}, '%s: %s' % (end.name, stage))
    for sender in ('192.0.2.1', '198.51.100.2'):
        road.expect_sent('ip.src == %s && ppp.protocol == 0x00fd' % sender, 'masked packets from %s' % sender)
    expect(road.sent('l2tp && icmp') == 0, 'pings in clear')

    # Both forget a session that is gone.
    client.ctl('client', 'down', 'uplink')
    server.no_session()
    for end in (server, client):
        poll(lambda: not number(end) and not end.list('io.adit.example.lcp.List', 'peers'), '%s forgets the session' % end.name)
    client.stop()
    server.stop()
