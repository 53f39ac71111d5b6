# SPDX-License-Identifier: GPL-2.0-or-later
"""Many sessions: interfaces, addresses, names, limits."""

import json

import configs
from lab import expect, poll, transfer
from road import CLIENT, INSIDE, SERVER_TOO, USERS, Road, load
from runner import case


@case
def clients_from_any_port_fifty_at_once(lab):
    """Fifty users of another implementation, each with its tunnel, all from one ephemeral port; nothing is left of them afterwards."""
    road = Road(lab)
    users = {'user%d' % n: 'pass%d' % n for n in range(50)}
    server = road.server(users)
    clients = load(lab, road.cli, 50, user='user%u', password='pass%u')
    clients.expect_text('all-up', 40)
    # The load generator is content with IPCP; a session is up when the kernel has been told, too.
    sessions = poll(lambda: len(server.sessions()) == 50 and server.sessions(), '50 sessions are up', 15)
    expect(len({s['remote-address'] for s in sessions}) == 50, 'an address was given twice')
    expect(road.sent('l2tp && ip.src == %s && udp.srcport == 1701' % CLIENT) == 0, 'the load generator used port 1701')
    clients.stop()
    server.no_session()
    poll(lambda: not [i for i in road.srv.tunnels() if i.startswith('l2tp-')], 'no interface is left')
    server.stop()


@case
def shared_interface(lab):
    """Three sessions on one interface, a route each; all reach the server and each other."""
    road = Road(lab)
    users = {'one': 'p1', 'two': 'p2', 'three': 'p3'}
    server = road.server(users, profile={'interface': 'shared'})
    road.srv.sysctl('net.ipv4.ip_forward', 1)
    clients = load(lab, road.cli, 20, user='one', password='p1')
    client = road.client('two', 'p2')
    at_server, at_client = road.works(server, client, 'two')
    clients.expect_text('all-up', 30)
    sessions = poll(lambda: len(server.sessions()) == 21 and server.sessions(), '21 sessions are up', 15)
    expect({s['interface'] for s in sessions} == {'shared'}, 'not all are on one interface: %s' % sessions)
    routes = [r for r in road.srv.routes() if r.get('dev') == 'shared']
    expect(len(routes) >= 21, '%d routes for 21 sessions' % len(routes))
    expect(transfer(road.srv, road.cli, INSIDE, octets=1 << 20) > 0, 'no TCP')
    clients.stop()
    poll(lambda: len(server.sessions()) == 1, 'the twenty are gone')
    poll(lambda: len([r for r in road.srv.routes() if r.get('dev') == 'shared' and '/' not in r['dst']]) == 1, 'their routes are gone')
    road.cli.expect_ping(INSIDE, 'the remaining one')
    client.stop()
    server.stop()


@case
def shared_interface_with_mtus(lab):
    """Who shares an interface keeps the own MTU: what is larger comes back as a Packet Too Big, and others' packets are as large as ever."""
    road = Road(lab)
    server = road.server({'small': 'p1', 'large': 'p2'}, profile={'interface': 'shared'})
    road.srv.sysctl('net.ipv4.ip_forward', 1)
    small = road.client('small', 'p1', 'cli2', **{'max-mru': 1000})
    at_small = road.works(server, small, 'small')[0]
    large = road.client('large', 'p2')
    at_large = road.works(server, large, 'large')[0]
    mtu = {r['dst']: r.get('metrics', [{}])[0].get('mtu') for r in road.srv.routes() if r.get('dev') == 'shared'}
    expect((mtu[at_small['remote-address']], mtu[at_large['remote-address']]) == (1000, 1450), 'the routes have other MTUs: %s' % mtu)
    road.srv.expect_ping(at_large['remote-address'], 'as large as it may be', size=1450 - 28)
    for client, other in ((large, at_small), (small, at_large)):
        client.namespace.run('ip', 'route', 'add', other['remote-address'], 'dev', client.sessions()[0]['interface'])
    road.cli.expect_ping(at_small['remote-address'], 'as large as it may be', size=1000 - 28)
    expect(not road.cli.ping(at_small['remote-address'], size=1000 - 27, deadline=1), 'more than the peer takes came through')
    known = road.cli.run('ip', 'route', 'get', at_small['remote-address']).stdout
    expect('mtu 1000' in known, 'no Packet Too Big: %s' % known)
    for process in (small, large, server):
        process.stop()


@case
def long_and_odd_names(lab):
    road = Road(lab)
    users = {'somebody-with-a-long-name@customers.example.org': 'p', 'a/b c': 'p', 'käse': 'p', '..': 'p'}
    server = road.server(users)
    for number, user in enumerate(users):
        client = road.client(user, 'p', 'client%d' % number)
        at_server, _ = road.works(server, client, user)
        name = at_server['interface']
        expect(name.startswith('l2tp-') and len(name) <= 15, 'interface of %s is %s' % (user, name))
        link = json.loads(road.srv.run('ip', '-json', 'link', 'show', name).stdout)[0]
        if len(user) > 10:
            expect(any(user in alias for alias in link.get('altnames', [])), 'no alternative name has %s: %s' % (user, link.get('altnames')))
        client.stop()
        server.no_session()
    server.stop()


@case
def second_session_of_a_user_gets_its_own_interface(lab):
    road = Road(lab)
    server = road.server()
    clients = load(lab, road.cli, 2)
    clients.expect_text('all-up', 20)
    poll(lambda: {s['interface'] for s in server.sessions()} == {'l2tp-alice', 'l2tp-alice-1'}, 'two sessions, an interface each', 15)
    clients.stop()
    server.no_session()
    server.stop()


@case
def fixed_address_and_routes_of_a_user(lab):
    road = Road(lab)
    server = road.server({'alice': {'password': 'wonder-land', 'remote-address': '10.77.0.9', 'routes': ['172.20.0.0/16']}})
    client = road.client()
    road.cli.address('lo', '172.20.0.1/32')
    at_server, _ = road.works(server, client)
    expect(at_server['remote-address'] == '10.77.0.9', 'alice got %s' % at_server['remote-address'])
    road.srv.expect_ping('172.20.0.1', 'a route of the user')
    client.stop()
    server.no_session()
    expect(not [r for r in road.srv.routes() if r['dst'].startswith('172.20.')], 'the route is still there')
    server.stop()


@case
def pool_runs_out(lab):
    road = Road(lab)
    server = road.server(pool='10.64.0.2-10.64.0.3')
    clients = load(lab, road.cli, 3)
    poll(lambda: len(server.sessions()) == 2, 'two sessions', 20)
    clients.expect_text('"failed"', 20)
    expect(len(server.sessions()) == 2, 'three sessions out of two addresses')
    clients.stop()
    server.no_session()
    server.stop()


@case
def session_timeout_ends_a_session(lab):
    road = Road(lab)
    server = road.server(profile={'session-timeout': '3s'})
    events = server.monitor()
    client = road.client()
    events.expect('session-up', user='alice')
    down = events.expect('session-down', user='alice')
    expect(2500 <= down['uptime-ms'] <= 6000, 'it lived %s ms' % down['uptime-ms'])
    client.stop()
    server.stop()


@case
def two_servers_chosen_by_address(lab):
    road = Road(lab)
    tree = configs.server(dict(USERS, bob='builder'), methods=['mschap2'])
    tree['l2tp']['servers'].append(dict(tree['l2tp']['servers'][0], name='old', addresses=[SERVER_TOO], authentication=['pap']))
    server = lab.adit(road.srv, configs.write(tree))
    client = road.client()
    expect(road.works(server, client)[0].get('server') == 'lns', 'the wrong server took alice')
    bob = road.client('bob', 'builder', 'bob', connect_to=SERVER_TOO)
    expect(server.session('bob').get('server') == 'old', 'the wrong server took bob')
    road.expect_sent('pap', 'PAP for bob')
    road.expect_sent('chap', 'CHAP for alice')
    bob.stop()
    client.stop()
    server.stop()


@case
def only_one_may_replace_the_first_session(lab):
    road = Road(lab)
    alice = {'alice': {'password': 'wonder-land', 'remote-address': '10.64.0.9'}}
    server = road.server(alice, profile={'only-one': True, 'only-one-policy': 'replace'})
    events = server.monitor()
    patient = {'redial-min': '1h', 'redial-max': '1h'}
    first = road.client(**patient)
    road.works(server, first)
    second = road.client(name='cli2', **patient)
    down = events.expect('session-down', user='alice')
    expect(down['cause'] == 10, 'the first one ended by cause %s' % down['cause'])
    road.works(server, second)
    expect(len(server.sessions()) == 1, 'there are two sessions of alice')
    first.no_session()
    second.stop()
    first.stop()
    server.stop()


@case
def a_quota_ends_a_session(lab):
    road = Road(lab)
    server = road.server({'alice': {'password': 'wonder-land', 'limit-bytes-total': '20k'}})
    events = server.monitor()
    client = road.client(**{'redial-min': '1h', 'redial-max': '1h'})
    road.works(server, client)
    road.cli.ping(INSIDE, count=12, interval=0.1, size=1000)
    down = events.expect('session-down', user='alice')
    expect(down['cause'] == 10 and down['reason'] == 'limit-bytes-total', 'it ended by %s' % down)
    client.stop()
    server.stop()


@case
def a_deleted_interface_ends_its_session(lab):
    road = Road(lab)
    server, client = road.server(), road.client()
    at_server, _ = road.works(server, client)
    events = server.monitor()
    road.srv.run('ip', 'link', 'delete', at_server['interface'])
    down = events.expect('session-down', user='alice')
    expect(down['cause'] == 8, 'it ended by cause %s' % down['cause'])
    poll(lambda: [s['id'] != at_server['id'] for s in server.sessions()] == [True], 'the client is back', 15)
    road.works(server, client)
    client.stop()
    server.no_session()
    server.stop()
