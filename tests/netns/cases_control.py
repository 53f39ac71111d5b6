# SPDX-License-Identifier: GPL-2.0-or-later
"""Management: aditctl, reload, disconnecting."""

import json

import configs
from lab import expect, poll
from road import INSIDE, USERS, Road
from runner import case


@case
def reload_users_profiles_and_servers(lab):
    road = Road(lab)
    server, client = road.server(), road.client()
    road.works(server, client)
    tree = configs.server(dict(USERS, bob='builder'))
    server.reload(configs.write(tree))
    bob = road.client('bob', 'builder', 'bob')
    server.session('bob')
    road.cli.expect_ping(INSIDE, 'after a reload')
    bob.stop()
    poll(lambda: len(server.sessions()) == 1, 'bob is gone')

    server.configure('l2tp: { servers: [ { nonsense: 1 } ] }\n')
    refused = server.reload(check=False)
    expect(refused.returncode != 0 and 'nonsense' in refused.stdout + refused.stderr, 'a wrong file was taken: %s' % refused)
    road.works(server, client)

    tree['secrets'] = [s for s in tree['secrets'] if s['name'] != 'bob']
    tree['profiles'][0]['local-address'] = '10.64.255.1'
    server.reload(configs.write(tree))
    expect(len(server.sessions()) == 1, 'a change of a profile ended a session')
    events = server.monitor()
    bob = road.client('bob', 'builder', 'bob')
    expect(events.expect('auth-done', user='bob')['cause'] != 0, 'a removed user gets in')
    bob.stop()

    tree['l2tp']['servers'][0]['enabled'] = False
    server.reload(configs.write(tree))
    server.no_session()
    tree['l2tp']['servers'][0]['enabled'] = True
    server.reload(configs.write(tree))
    at_server = server.session('alice', 30)
    expect(at_server['local-address'] == '10.64.255.1', 'the changed profile is not used: %s' % at_server['local-address'])
    client.stop()
    server.stop()


@case
def a_stranger_reads_nothing_by_default(lab):
    """Users and addresses need the group; what is refused says how to join it; `management.read: all` opens reading alone."""
    road = Road(lab)
    server, client = road.server(), road.client()
    road.works(server, client)

    def as_stranger(*words):
        return road.srv.run('setpriv', '--reuid=65533', '--regid=65533', '--clear-groups', lab.aditctl, '--socket', server.socket, *words,
                            check=False)
    for words in (('show', 'sessions'), ('show', 'tunnels'), ('show', 'clients'), ('show', 'pools'), ('show', 'session', 'alice'), ('monitor',)):
        refused = as_stranger(*words)
        expect(refused.returncode == 1 and 'alice' not in refused.stdout, '%s as a stranger: %s' % (words, refused))
        expect('usermod -aG adit USER' in refused.stderr, '%s does not say how to get in: %s' % (words, refused.stderr))
    expect(as_stranger('show', 'info').returncode == 0 and 'disconnect' in as_stranger('--help').stdout, 'nobody may not even ask for help')
    server.stop()
    tree = configs.server(USERS)
    tree['management'] = {'read': 'all'}
    server = lab.adit(road.srv, configs.write(tree))
    road.works(server, client)
    expect('alice' in as_stranger('show', 'sessions').stdout, 'read: all does not let nobody read')
    expect(as_stranger('disconnect', 'alice').returncode == 1, 'read: all lets nobody change things')
    client.stop()
    server.stop()


@case
def disconnect_by_hand(lab):
    road = Road(lab)
    server, client = road.server(), road.client()
    at_server, _ = road.works(server, client)
    events = server.monitor()
    server.ctl('disconnect', str(at_server['id']))
    events.expect('session-down', user='alice')
    events.expect('session-up', user='alice')
    road.works(server, client)
    client.ctl('client', 'down', 'uplink')
    server.no_session()
    client.no_session()
    client.ctl('client', 'up', 'uplink')
    road.works(server, client)
    client.stop()
    server.stop()


@case
def aditctl_shows_everything(lab):
    """Each list as a table and as JSON; help; one session; a wrong word; the stream of events."""
    road = Road(lab)
    server, client = road.server(), road.client()
    at_server, _ = road.works(server, client)
    for what in ('sessions', 'tunnels', 'servers', 'clients', 'plugins', 'pools', 'stats', 'info'):
        table = server.ctl('show', what).stdout
        value = json.loads(server.ctl('--json', 'show', what).stdout)
        expect(value is not None and (table.strip() or what == 'clients'), 'show %s prints nothing' % what)
    table, value = server.ctl('show', 'sessions').stdout, json.loads(server.ctl('--json', 'show', 'sessions').stdout)
    expect('alice' in table and len(table.splitlines()) == 2, 'the table of one session: %s' % table)
    expect([s['user'] for s in value['sessions']] == ['alice'], 'one session as JSON: %s' % value)
    one = server.ctl('show', 'session', at_server['id']).stdout
    expect('alice' in one and 'mschap2' in one, 'show session: %s' % one)
    expect('uplink' in client.ctl('show', 'clients').stdout, 'uplink is not in the table')
    expect('disconnect' in server.ctl('--help').stdout, 'help does not tell of disconnect')
    wrong = server.ctl('show', 'sesions', check=False)
    expect(wrong.returncode != 0 and 'sessions' in wrong.stderr + wrong.stdout, 'a wrong word: %s' % wrong)
    nobody = server.ctl('disconnect', 'nobody', check=False)
    expect(nobody.returncode != 0 and 'nobody' in nobody.stderr + nobody.stdout, 'no such session: %s' % nobody)

    stream = road.srv.start('monitor', lab.aditctl, '--socket', server.socket, '--json', 'monitor')
    first = len(server.sessions())

    def told():
        server.ctl('reload')
        return 'config-loaded' in stream.text()
    poll(told, 'monitor tells of a reload', 15, 0.5)
    expect(all(json.loads(line)['event'] for line in stream.text().splitlines()), 'monitor --json: %s' % stream.text())
    expect(len(server.sessions()) == first, 'a reload of the same file ended a session')
    client.stop()
    server.stop()
