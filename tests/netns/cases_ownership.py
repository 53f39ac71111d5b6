# SPDX-License-Identifier: GPL-2.0-or-later
"""Whose an interface, a route, a state directory is: two daemons in one network namespace, and starts without rights."""

import os
import re

import configs
from lab import Adit, expect, poll
from road import INSIDE, SERVER_TOO, USERS, Road
from runner import case

GROUP = 44311


def refused(adit, *words):
    """It ends by itself with status 1, says each of the words, and never that it is ready."""
    status = adit.process.wait(15)
    text = adit.process.text()
    expect(status == 1, '%s ended with status %s, not 1:\n%s' % (adit.name, status, text))
    for word in words:
        expect(word in text, '%s does not say "%s":\n%s' % (adit.name, word, text))
    expect(' is ready' not in text, '%s says that it is ready:\n%s' % (adit.name, text))


def alias(namespace, name):
    return namespace.interfaces()[name].get('ifalias', '')


@case
def a_second_aditd_is_refused(lab):
    """Whatever of the first one's it would take: the message says what to set, and the first one's sessions go on."""
    road = Road(lab)
    server, client = road.server(), road.client()
    at_server, _ = road.works(server, client)
    before = road.srv.tunnels()

    def second(tree, state='second'):
        adit = Adit.__new__(Adit)
        adit.lab, adit.namespace, adit.name = lab, road.srv, 'second'
        adit.state, adit.socket = os.path.join(lab.folder, state), os.path.join(lab.folder, 'second.sock')
        adit.config_path = os.path.join(lab.folder, 'second.yaml')
        adit.configure(configs.write(tree))
        adit.start(wait=False)
        return adit
    tree = configs.server(USERS, address=SERVER_TOO)
    refused(second(tree), 'another aditd (process %d)' % server.process.pid, 'interface-group', '--state-dir', '--socket')
    # The number of the group in which interfaces wait for their deletion is the same group.
    refused(second(dict(tree, **{'interface-group': GROUP ^ 0x40000000})), 'another aditd', 'interface-group')
    refused(second(dict(tree, **{'interface-group': 5}), 'adit-srv.state'), 'uses this state directory', '--state-dir')
    expect(road.srv.tunnels() == before, 'interfaces went: %s, now %s' % (before, road.srv.tunnels()))
    road.works(server, client)
    expect(len(server.sessions()) == 1 and server.sessions()[0]['id'] == at_server['id'], 'the session was made anew')
    client.stop()
    server.stop()


@case
def two_aditds_share_a_namespace(lab):
    """Each with a group, a state directory and a socket: crash, start and stop of one leave the other's interfaces and routes alone."""
    road = Road(lab)
    users = {'alice': {'password': 'wonder-land', 'routes': ['172.20.0.0/16']}}
    bobs = {'bob': {'password': 'builder', 'routes': ['172.21.0.0/16', '2001:db8:77::/48']}}
    first = road.server(users)
    tree = configs.server(bobs, address=SERVER_TOO, inside='10.65.0.1', pool='10.65.0.2-10.65.0.254')
    second = lab.adit(road.srv, configs.write(dict(tree, **{'interface-group': 5})), 'second')
    alice = road.client(**{'keepalive-timeout': '2s', 'hello-interval': '2s'})
    bob = road.client('bob', 'builder', 'bob', **{'connect-to': SERVER_TOO})
    first.session('alice')
    at_second = second.session('bob')
    bobs_interface = at_second['interface']
    mine, theirs = alias(road.srv, first.session('alice')['interface']), alias(road.srv, bobs_interface)
    expect(re.fullmatch('adit:[0-9a-f]{16}', mine) and re.fullmatch('adit:[0-9a-f]{16}', theirs) and mine != theirs,
           'tokens: %s, %s' % (mine, theirs))

    def bob_lives(what):
        expect(bobs_interface in road.srv.tunnels(), '%s: the other daemon\'s interface is gone' % what)
        routes = [r['dst'] for r in road.srv.routes() + road.srv.routes(6) if r.get('dev') == bobs_interface]
        expect('172.21.0.0/16' in routes and '2001:db8:77::/48' in routes, '%s: the other daemon\'s routes: %s' % (what, routes))
        expect([s['id'] for s in second.sessions()] == [at_second['id']], '%s: the other daemon\'s session' % what)
        bob.namespace.expect_ping('10.65.0.1', what)
    bob_lives('at first')

    first.kill()
    left = [n for n in road.srv.tunnels() if n != bobs_interface]
    expect(left, 'a killed daemon leaves its interfaces, or this test tests nothing')
    # Interfaces of nobody, in the group and out of it, and a common route of an adit.
    road.srv.run('ip', 'tuntap', 'add', 'dev', 'admins', 'mode', 'tun')
    road.srv.run('ip', 'link', 'set', 'dev', 'admins', 'group', GROUP)
    road.srv.run('ip', 'route', 'add', '172.29.0.0/16', 'via', '192.0.2.254', 'proto', '173')
    first.start()
    expect('deleted %d interfaces' % len(left) in first.process.text(), 'what was left is not deleted:\n' + first.process.text())
    expect('admins' in first.process.text() and 'admins' in road.srv.interfaces(), 'an interface of another in the group:\n' + first.process.text())
    expect('172.29.0.0/16' in [r['dst'] for r in road.srv.routes()], 'a route that may be the other daemon\'s is gone')
    bob_lives('after the first one\'s crash and start')
    first.session('alice', 30)
    first.stop()
    expect(set(road.srv.tunnels()) == {'admins', bobs_interface}, 'after a stop: %s' % road.srv.tunnels())
    bob_lives('after the first one\'s stop')

    # Another group, after a crash: what is in the old one is still its own.
    first.start()
    first.session('alice', 30)
    first.kill()
    first.configure(configs.write(dict(configs.server(users), **{'interface-group': 9})))
    first.start()
    expect('deleted 1 interfaces' in first.process.text().split('ready')[-2], 'the old group is not looked at:\n' + first.process.text())
    bob_lives('after a change of the group')
    second.stop()
    first.stop()
    alice.kill()
    bob.kill()
    # Alone, a route that leads through no adit's interface is a former self's.
    first.start()
    poll(lambda: '172.29.0.0/16' not in [r['dst'] for r in road.srv.routes()], 'the stale route is deleted')
    first.stop()


@case
def without_rights_it_does_not_start(lab):
    """It says what is missing and what to do, to the service manager, too, and never that it is ready."""
    road = Road(lab, watch=False)
    server = road.server()
    server.stop()
    server.start(user='root')  # a user namespace has no other user
    server.stop()
    text = server.process.text()

    def run(*wrapper):
        server.start_anew(*wrapper, wait=False, user='root')
    run('setpriv', '--inh-caps=-all', '--bounding-set=-net_admin')
    refused(server, 'CAP_NET_ADMIN', 'its unit', '--cap-add NET_ADMIN')
    # Root of a user namespace that does not own the network namespace has the capability, and it is worth nothing.
    run('unshare', '--user', '--map-root-user')
    refused(server, 'CAP_NET_ADMIN', 'its unit', '--cap-add NET_ADMIN')
    run('unshare', '--mount', '--', 'sh', '-c', 'mount -t tmpfs none /dev/net && exec "$@"', 'sh')
    refused(server, '/dev/net/tun: No such file', 'modprobe tun', '--device /dev/net/tun')
    run('unshare', '--mount', '--', 'sh', '-c', 'mount -t tmpfs none /dev/net && mkdir /dev/net/tun && exec "$@"', 'sh')
    refused(server, '/dev/net/tun: Is a directory')
    expect(' is ready' in text, 'with its rights it was ready')
    server.start()
    server.stop()


@case
def check_tries_the_machine(lab):
    """`aditd --check`: ports, addresses, interfaces, groups, the state directory, each with its place; nothing changes, and a daemon that runs
    is not in the way of its own check."""
    road = Road(lab, watch=False)
    tree = configs.server(USERS, profile={'interface': 'shared0'})
    server = road.server()

    def check(tree, *words, status=1, state=None, without=()):
        with open(server.config_path, 'w') as f:
            f.write(configs.write(tree))
        before = (sorted(road.srv.interfaces()), sorted(os.listdir(lab.folder)), sorted(os.listdir(server.state)))
        done = road.srv.run(lab.aditd, '--config', server.config_path, '--plugin-dir', lab.plugins, '--socket', server.socket, '--state-dir',
                            state or server.state, '--user', 'nobody', '--check', check=False)
        text = done.stdout + done.stderr
        expect(done.returncode == status, 'status %d:\n%s' % (done.returncode, text))
        for word in words:
            expect(re.search(word, text), 'no "%s" in:\n%s' % (word, text))
        for word in without:
            expect(word not in text, '"%s" in:\n%s' % (word, text))
        after = (sorted(road.srv.interfaces()), sorted(os.listdir(lab.folder)), sorted(os.listdir(server.state)))
        expect(before == after, 'a trace is left: %s, now %s' % (before, after))
    check(tree, ': good', status=0)  # its own port is in use
    expect(len(server.call('io.adit.core.GetInfo')) > 0, 'the daemon was disturbed')
    server.stop()
    check(tree, ': good', status=0)
    other = configs.server(USERS, address='192.0.2.99')
    check(other, r'adit-srv.yaml:[0-9]+:[0-9]+: 192.0.2.99 is not an address of this machine')
    road.srv.run('ip', 'tuntap', 'add', 'dev', 'shared0', 'mode', 'tun')
    check(tree, r'adit-srv.yaml:[0-9]+:[0-9]+: interface: interface shared0 exists already')
    with open(os.path.join(server.state, 'token')) as f:
        road.srv.run('ip', 'link', 'set', 'dev', 'shared0', 'alias', 'adit:' + f.read().strip())
    check(tree, ': good', status=0)  # what a crash has left is its own
    check(dict(tree, management={'group': 'no-such-group'}), r'adit-srv.yaml:[0-9]+:[0-9]+: management.group: there is no group `no-such-group')
    check(tree, r'/proc/version/state: Not a directory.*accounting.*require-state', state='/proc/version/state')
    holder = road.srv.start('holder', 'python3', '-c', 'import socket, time\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n'
                            's.bind(("192.0.2.1", 1701))\nprint("bound", flush=True)\ntime.sleep(60)')
    holder.expect_text('bound')
    check(tree, r'adit-srv.yaml:[0-9]+:[0-9]+: UDP port 1701 of 192.0.2.1 is in use')
    holder.kill()
    second = lab.adit(road.srv, configs.write(configs.server(USERS, address=SERVER_TOO)), 'second')
    check(tree, r'interface-group: another aditd \(process %d\)' % second.process.pid)
    second.stop()
