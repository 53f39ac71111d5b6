# SPDX-License-Identifier: GPL-2.0-or-later
"""What adit put into the kernel stays true: routes of several, other programs' hands, tunnels and routes that cover their ends."""

import time

import configs
from lab import expect, poll
from road import CLIENT, CLIENT6, INSIDE, SERVER, SERVER6, SERVER_TOO, Road
from runner import case

ROUTES = ['172.20.0.0/16', '2001:db8:77::/48']
TWO = {'alice': {'password': 'wonder-land', 'routes': ROUTES}, 'bob': {'password': 'builder-bob', 'routes': ROUTES}}


def claims(adit):
    return adit.list('io.adit.net.ListClaims', 'claims')


def claim(adit, beginning, state=None, claimant=None):
    """The first claim whose object begins so."""
    return next((c for c in claims(adit) if c['object'].startswith(beginning) and state in (None, c['state']) and (claimant or '') in c['claimant']), None)


def device(namespace, to, family=4):
    """The interface of the route with exactly this prefix; None = there is none."""
    return next((r.get('dev') for r in namespace.routes(family) if r['dst'] == to), None)


def proto_routes(namespace):
    return {(r['dst'], r.get('dev')) for family in (4, 6) for r in namespace.routes(family) if r.get('protocol') == '173'}


def has_routes(namespace, interface):
    return device(namespace, ROUTES[0]) == interface and device(namespace, ROUTES[1], 6) == interface


def two_sites(lab, **profile):
    road = Road(lab)
    server = road.server(TWO, profile=profile)
    alice = road.client()
    first = server.session('alice')
    poll(lambda: has_routes(road.srv, first['interface']), 'the routes lead to the first site')
    bob = road.client('bob', 'builder-bob', name='cli2')
    second = server.session('bob')
    poll(lambda: claim(server, 'route 172.20.0.0/16', 'waiting', 'bob'), 'the second site waits')
    why = claim(server, 'route 172.20.0.0/16', 'waiting')['why']
    expect('user alice has it' in why, 'who has it is not said: %s' % why)
    return road, server, alice, bob, first, second


def leave_and_hand_over(lab, **profile):
    road, server, alice, bob, first, second = two_sites(lab, **profile)
    alice.namespace.address('lo', '172.20.0.1/32')
    bob.namespace.address('lo', '172.20.0.1/32')
    road.srv.expect_ping('172.20.0.1', 'the route of the first site', source=INSIDE)
    bob.stop()
    poll(lambda: not [s for s in server.sessions() if s['user'] == 'bob'], 'the second site is gone')
    expect(has_routes(road.srv, first['interface']), 'the first site has lost its routes: %s' % road.srv.routes())
    road.srv.expect_ping('172.20.0.1', 'the first site after the second has left', source=INSIDE)

    bob.start()
    second = server.session('bob')
    poll(lambda: claim(server, 'route 172.20.0.0/16', 'waiting', 'bob'), 'the second site waits again')
    alice.stop()
    poll(lambda: has_routes(road.srv, second['interface']), 'the routes go over to the second site')
    poll(lambda: road.srv.ping('172.20.0.1', source=INSIDE), 'traffic goes over to the second site')
    bob.stop()
    poll(lambda: not proto_routes(road.srv), 'no route is left: %s' % proto_routes(road.srv))
    server.stop()


@case
def one_route_of_two_sites(lab):
    leave_and_hand_over(lab)


@case
def one_route_of_two_sites_on_a_shared_interface(lab):
    leave_and_hand_over(lab, interface='shared')


@case
def a_redial_over_its_ghost_keeps_the_route(lab):
    """A site that restarts without a goodbye dials again before its old session has timed out."""
    road = Road(lab)
    server = road.server({'alice': TWO['alice']}, **{'keepalive-timeout': '3s'})
    client = road.client()
    ghost = server.session('alice')
    client.kill()
    again = road.lab.adit(client.namespace, configs.write(configs.client('alice', 'wonder-land', **{'random-source-port': True})), 'adit-again')
    session = poll(lambda: next((s for s in server.sessions() if s['id'] != ghost['id']), None), 'the redialled session', 20)
    poll(lambda: has_routes(road.srv, session['interface']), 'the routes lead to the new session')
    poll(lambda: not [s for s in server.sessions() if s['id'] == ghost['id']], 'the ghost times out', 30)
    expect(has_routes(road.srv, session['interface']), 'the ghost took the routes along: %s' % road.srv.routes())
    again.stop()
    server.stop()


@case
def an_administrators_route_comes_first(lab):
    road = Road(lab)
    road.srv.run('ip', 'route', 'add', '172.20.0.0/16', 'dev', 'wire', 'proto', 'static')
    server = road.server({'alice': TWO['alice']})
    client = road.client()
    session = server.session('alice')
    blocked = poll(lambda: claim(server, 'route 172.20.0.0/16', 'blocked'), 'the route waits for the administrator\'s')
    expect('protocol static on interface wire' in blocked['why'], blocked['why'])
    server.process.expect_text('user alice: route 172.20.0.0/16 waits: route 172.20.0.0/16 of protocol static on interface wire')
    expect(device(road.srv, '172.20.0.0/16') == 'wire', 'the administrator\'s route is gone')
    road.srv.run('ip', 'route', 'del', '172.20.0.0/16', 'dev', 'wire')
    poll(lambda: device(road.srv, '172.20.0.0/16') == session['interface'], 'the route takes its place')
    road.srv.run('ip', 'route', 'replace', '172.20.0.0/16', 'dev', 'wire', 'proto', 'static')
    poll(lambda: claim(server, 'route 172.20.0.0/16', 'blocked'), 'it gives way again')
    expect(device(road.srv, '172.20.0.0/16') == 'wire', 'the administrator\'s route is gone')
    client.stop()
    poll(lambda: not server.sessions(), 'the session ends')
    expect(device(road.srv, '172.20.0.0/16') == 'wire', 'the administrator\'s route went with the session')
    server.stop()


@case
def the_default_route_goes_to_the_next_client(lab):
    road = Road(lab)
    server = road.server({'alice': 'wonder-land', 'bob': 'builder-bob'}, address=None)
    tree = configs.client('alice', 'wonder-land', **{'add-default-route': True})
    second = configs.client('bob', 'builder-bob', connect_to=SERVER_TOO, name='second', **{'add-default-route': True})
    both = dict(tree, l2tp={'clients': tree['l2tp']['clients'] + second['l2tp']['clients']})
    client = lab.adit(road.cli, configs.write(both))
    poll(lambda: len(client.sessions()) == 2, 'both clients are up', 20)
    poll(lambda: claim(client, 'route 0.0.0.0/1', 'waiting'), 'one of them waits')
    holder = claim(client, 'route 0.0.0.0/1', 'installed')['claimant']
    rest = second if 'uplink' in holder else tree
    client.reload(configs.write(rest))
    other = poll(lambda: next((c for c in [claim(client, 'route 0.0.0.0/1', 'installed')] if c and c['claimant'] != holder), None), 'the other one has it')
    expect(device(road.cli, '0.0.0.0/1') == other['interface'], 'the kernel has another one: %s' % road.cli.routes())
    expect(device(road.cli, SERVER_TOO if rest is second else SERVER) == 'wire', 'the way to the server is gone')
    client.stop()
    poll(lambda: not proto_routes(road.cli), 'no route is left')
    server.stop()


def disturb_and_compare(road, namespace, interface, works):
    """Everything that others did is undone, each time."""
    def state():
        addresses = [l for l in namespace.run('ip', '-o', 'address', 'show', 'dev', interface).stdout.splitlines()]
        return proto_routes(namespace), sorted(l.split(None, 1)[1].split(' scope')[0] for l in addresses)
    before = state()
    expect(before[1], 'the interface has no addresses')
    for command in (['ip', 'link', 'set', interface, 'down'], ['ip', 'address', 'flush', 'dev', interface], ['ip', 'route', 'flush', 'proto', '173'],
                    ['ip', '-6', 'route', 'flush', 'proto', '173'], ['ip', 'link', 'set', interface, 'mtu', '1300']):
        namespace.run(*command, check=False)
        poll(lambda: state() == before, '%s is undone: %s, was %s' % (' '.join(command), state(), before))
        poll(works, 'traffic after %s' % ' '.join(command))
    namespace.run('ip', 'link', 'set', interface, 'down')
    namespace.run('ip', 'link', 'set', interface, 'up')
    poll(lambda: state() == before, 'down and up is undone: %s, was %s' % (state(), before))
    poll(works, 'traffic after down and up')


def other_hands(lab, **profile):
    road = Road(lab)
    server = road.server({'alice': TWO['alice']}, profile=profile)
    client = road.client(**{'add-default-route': True})
    at_server, at_client = road.works(server, client)
    poll(lambda: device(road.cli, '0.0.0.0/1'), 'the default route')
    disturb_and_compare(road, road.srv, at_server['interface'], lambda: road.srv.ping(at_server['remote-address']))
    disturb_and_compare(road, road.cli, at_client['interface'], lambda: road.cli.ping(INSIDE))
    expect(len(server.sessions()) == 1 and server.sessions()[0]['id'] == at_server['id'], 'the session ended over it')
    client.stop()
    server.stop()


@case(limit=120)
def other_hands_on_own_interfaces(lab):
    other_hands(lab)


@case(limit=120)
def other_hands_on_a_shared_interface(lab):
    other_hands(lab, interface='shared')


def moved_away(lab, **profile):
    road = Road(lab)
    server = road.server(profile=profile)
    client = road.client()
    at_server, _ = road.works(server, client)
    away = lab.namespace('away')
    road.srv.run('ip', 'link', 'set', at_server['interface'], 'netns', away.name)
    server.process.expect_text('the interface was moved to another network namespace')
    poll(lambda: [s for s in server.sessions() if s['id'] != at_server['id']], 'the client is back', 30)
    client.stop()
    server.stop()


@case(limit=90)
def an_interface_moved_away_ends_its_session(lab):
    moved_away(lab)


@case(limit=90)
def a_shared_interface_moved_away_ends_its_sessions(lab):
    moved_away(lab, interface='shared')


def still_outside(road, server, client, at_server, cover):
    """The tunnel carries traffic, its own packets stay outside, and nothing burns a core."""
    before, since = server.cpu_seconds() + client.cpu_seconds(), time.monotonic()
    for _ in range(3):
        road.srv.expect_ping(at_server['remote-address'], 'with %s' % cover)
    spent, elapsed = server.cpu_seconds() + client.cpu_seconds() - before, time.monotonic() - since
    expect(spent < 0.5 * elapsed + 0.5, 'it loops: %.1f s of CPU in %.1f s' % (spent, elapsed))


def covered_end(lab, address, cover, pinned, family, **profile):
    road = Road(lab)
    server = road.server({'alice': {'password': 'wonder-land', 'routes': cover}}, address=address, profile=profile)
    client = road.client(**{'connect-to': address})
    at_server, _ = road.ends(server, client)
    poll(lambda: device(road.srv, pinned, family) == 'wire', 'the way to the client is pinned: %s' % road.srv.routes(family))
    for to in cover:
        poll(lambda: device(road.srv, to, 6 if ':' in to else 4) == at_server['interface'], 'the route itself')
    still_outside(road, server, client, at_server, cover)

    # The way outside changes: the pin follows.
    via = '192.0.2.253' if family == 4 else '2001:db8:1::fffe'
    road.mid.address('to-srv', via + ('/24' if family == 4 else '/64'))
    road.srv.run('ip', '-%d' % family, 'route', 'replace', 'default', 'via', via)
    poll(lambda: [r for r in road.srv.routes(family) if r['dst'] == pinned and r.get('gateway') == via], 'the pin follows the default route')
    still_outside(road, server, client, at_server, cover)
    client.stop()
    poll(lambda: not proto_routes(road.srv), 'the pin goes with the session: %s' % proto_routes(road.srv))
    server.stop()


@case
def a_users_route_covers_the_clients_end(lab):
    covered_end(lab, SERVER, ['198.51.100.0/24', '172.20.0.0/16'], CLIENT, 4)


@case
def a_users_route_covers_the_clients_end_on_a_shared_interface(lab):
    covered_end(lab, SERVER, ['198.51.100.0/24', '172.20.0.0/16'], CLIENT, 4, interface='shared')


@case
def a_users_route_covers_the_clients_end_by_ipv6(lab):
    covered_end(lab, SERVER6, ['2001:db8:2::/48'], CLIENT6, 6)


@case
def a_server_whose_inner_address_is_its_outer_one(lab):
    road = Road(lab)
    server = road.server(inside=SERVER)
    client = road.client()
    at_server, _ = server.session('alice'), client.session(key='local-address')
    expect(device(road.cli, SERVER) is None, 'a host route leads the tunnel into itself: %s' % road.cli.routes())
    before = client.cpu_seconds()
    road.srv.expect_ping(at_server['remote-address'], 'server to client', source=SERVER)
    expect(client.cpu_seconds() - before < 2, 'it loops')
    client.stop()
    server.stop()


@case
def a_route_that_cannot_be_costs_nothing_else(lab):
    """A gateway that is not reachable, and a text that is no route: the session works without, unless its profile says otherwise."""
    road = Road(lab)
    bad = ['172.30.4.0/24 203.0.113.77 1', '172.21.0.0/16']
    server = road.server({'alice': {'password': 'wonder-land', 'routes': bad},
                          'bob': {'password': 'builder-bob', 'routes': bad, 'routes-required': True}})
    client = road.client()
    at_server, _ = road.works(server, client)
    poll(lambda: device(road.srv, '172.21.0.0/16') == at_server['interface'], 'the other route is there')
    shown = server.call('io.adit.session.GetSession', id='alice')['session']['routes']
    refused = next((r for r in shown if r['route'] == '172.30.4.0/24'), None)
    expect(refused and refused['state'] == 'refused' and refused.get('why'), 'show session does not tell: %s' % shown)
    server.process.expect_text('route 172.30.4.0/24: ')
    road.client('bob', 'builder-bob', name='cli2')
    server.process.expect_text('routes-required: route 172.30.4.0/24: ')
    expect(not [s for s in server.sessions() if s['user'] == 'bob'], 'a session without its required route is up')
    client.stop()
    server.stop()
