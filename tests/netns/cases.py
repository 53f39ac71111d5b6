#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Ring 3: adit's server and client as processes, in namespaces joined by veth: real sockets, real interfaces.

  make stage && tests/netns/cases.py --stage stage [--out DIR] [CASE...]"""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'lib'))
sys.dont_write_bytecode = True
import capture  # noqa: E402
import configs  # noqa: E402
import runner  # noqa: E402
from lab import expect, poll, transfer  # noqa: E402
from runner import case  # noqa: E402

SERVER, SERVER_TOO, CLIENT = '192.0.2.1', '192.0.2.7', '198.51.100.2'
SERVER6, CLIENT6 = '2001:db8:1::1', '2001:db8:2::2'
INSIDE = '10.64.0.1'
USERS = {'alice': 'wonder-land'}


class Road:
    """srv - mid - cli: a server, a router, a client. Everything on the server's wire is captured and judged."""

    def __init__(self, lab, watch=True):
        self.lab = lab
        self.srv, self.mid, self.cli = lab.namespace('srv'), lab.namespace('mid'), lab.namespace('cli')
        lab.wire(self.srv, 'wire', self.mid, 'to-srv')
        lab.wire(self.cli, 'wire', self.mid, 'to-cli')
        self.srv.address('wire', SERVER + '/24', SERVER_TOO + '/24', SERVER6 + '/64')
        self.mid.address('to-srv', '192.0.2.254/24', '2001:db8:1::ffff/64')
        self.mid.address('to-cli', '198.51.100.254/24', '2001:db8:2::ffff/64')
        self.cli.address('wire', CLIENT + '/24', CLIENT6 + '/64')
        for key in ('net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding'):
            self.mid.sysctl(key, 1)
        for namespace, via4, via6 in ((self.srv, '192.0.2.254', '2001:db8:1::ffff'), (self.cli, '198.51.100.254', '2001:db8:2::ffff')):
            namespace.run('ip', 'route', 'add', 'default', 'via', via4)
            namespace.run('ip', '-6', 'route', 'add', 'default', 'via', via6)
        self.wire = self.srv.capture('wire', 'udp') if watch else None

    def server(self, secrets=None, **options):
        return self.lab.adit(self.srv, configs.write(configs.server(secrets or USERS, **options)))

    def client(self, user='alice', password='wonder-land', name=None, **options):
        """A second one has a name, and a namespace of its own behind the same router: there is one adit to a namespace."""
        namespace = next((n for n in self.lab.namespaces if n.role == (name or 'cli')), None)
        if not namespace:
            subnet = 110 + len(self.lab.namespaces)
            namespace = self.lab.namespace(name)
            self.lab.wire(namespace, 'wire', self.mid, 'to-' + name)
            namespace.address('wire', '198.51.%d.2/24' % subnet)
            self.mid.address('to-' + name, '198.51.%d.254/24' % subnet)
            namespace.run('ip', 'route', 'add', 'default', 'via', '198.51.%d.254' % subnet)
        return self.lab.adit(namespace, configs.write(configs.client(user, password, **options)))

    def ends(self, server, client, user='alice'):
        """Waits until both ends have the session; returns (server's view, client's view)."""
        return server.session(user), client.session()

    def works(self, server, client, user='alice'):
        """The session stands and carries pings both ways."""
        at_server, at_client = self.ends(server, client, user)
        client.namespace.expect_ping(INSIDE, 'client to server')
        self.srv.expect_ping(at_server['remote-address'], 'server to client')
        return at_server, at_client

    def sent(self, display_filter):
        """How many captured packets match."""
        return len(capture.tshark(self.wire.path, display_filter).splitlines())

    def expect_sent(self, display_filter, what):
        """The capture may be a moment behind."""
        poll(lambda: self.sent(display_filter), what, 5, 0.3)


def right_and_wrong(lab, method):
    road = Road(lab)
    server = road.server(methods=[method])
    events = server.monitor()
    client = road.client(password='not-that')
    expect(events.expect('tunnel-up')['peer-name'], 'a tunnel comes up without a name')
    refused = events.expect('auth-done', user='alice')
    expect(refused['cause'] != 0, 'a wrong password is accepted: %s' % refused)
    expect(not server.sessions() and not client.sessions(), 'a session stands in spite of a wrong password')
    client.reload(configs.write(configs.client('alice', 'wonder-land')))
    road.works(server, client)
    client.stop()
    server.no_session()
    server.stop()


@case
def pap_right_and_wrong(lab):
    right_and_wrong(lab, 'pap')


@case
def chap_right_and_wrong(lab):
    right_and_wrong(lab, 'chap')


@case
def mschap1_right_and_wrong(lab):
    right_and_wrong(lab, 'mschap1')


@case
def mschap2_right_and_wrong(lab):
    right_and_wrong(lab, 'mschap2')


@case
def client_that_knows_only_pap_gets_it(lab):
    """RFC 1661 6.2: the server asks for its strongest method first and follows the client's Nak through the allowed list."""
    road = Road(lab)
    server, client = road.server(methods=['mschap2', 'chap', 'pap']), road.client(allow=['pap'])
    road.works(server, client)
    road.expect_sent('pap', 'PAP on the wire')
    client.stop()
    server.stop()


@case
def client_refuses_weak_method(lab):
    road = Road(lab)
    server, client = road.server(methods=['pap']), road.client(allow=['mschap2'])
    server.monitor().expect('link-down')
    expect(not server.sessions() and not client.sessions(), 'a session stands although no method was agreed')
    expect(road.sent('pap') == 0, 'the client told its password in clear')
    client.stop()
    server.stop()


@case
def tunnel_secret_right_and_wrong(lab):
    """RFC 2661 5.1.1: both ends challenge; a wrong secret never gets as far as a call."""
    road = Road(lab)
    server = road.server(l2tp={'secrets': [{'address': '198.51.100.0/24', 'secret': 'between us'}]}, **{'tunnel-authentication': True})
    client = road.client(l2tp={'secrets': [{'address': '192.0.2.0/24', 'secret': 'something else'}]})
    road.expect_sent('l2tp.avp.message_type == 4', 'a StopCCN for a wrong secret')
    expect(road.sent('l2tp.avp.message_type == 11') == 0, 'a call was answered in spite of a wrong secret')
    client.reload(configs.write(configs.client('alice', 'wonder-land', l2tp={'secrets': [{'address': '192.0.2.0/24', 'secret': 'between us'}]})))
    road.works(server, client)
    client.stop()
    server.stop()


@case
def hidden_avps(lab):
    """RFC 2661 4.3, both ways."""
    road = Road(lab)
    secrets = {'secrets': [{'address': '0.0.0.0/0', 'secret': 'between us'}]}
    server = road.server(l2tp=secrets, **{'hide-avps': True})
    client = road.client(l2tp=secrets, **{'hide-avps': True})
    road.works(server, client)
    for address in (SERVER, CLIENT):
        road.expect_sent('l2tp.avp.hidden == 1 && ip.src == %s' % address, 'something hidden from ' + address)
    client.stop()
    server.stop()


@case
def ipv6_transport(lab):
    road = Road(lab)
    server, client = road.server(address=SERVER6), road.client(**{'connect_to': SERVER6})
    road.works(server, client)
    road.expect_sent('l2tp && ipv6', 'L2TP over IPv6')
    client.stop()
    server.stop()


@case
def ipv6_inside(lab):
    """RFC 5072: link-local addresses from the negotiated identifiers; each end can ping the other."""
    road = Road(lab)
    server, client = road.server(), road.client()
    at_server, at_client = road.works(server, client)

    def link_local(namespace, interface):
        for link in json.loads(namespace.run('ip', '-6', '-json', 'address', 'show', 'dev', interface).stdout or '[]'):
            for address in link.get('addr_info', []):
                if address.get('scope') == 'link':
                    return address['local']
        return None
    mine = poll(lambda: link_local(road.cli, at_client['interface']), 'a link-local address at the client')
    theirs = poll(lambda: link_local(road.srv, at_server['interface']), 'a link-local address at the server')
    expect(mine != theirs, 'both ends have %s' % mine)
    road.cli.expect_ping('%s%%%s' % (theirs, at_client['interface']), 'client to server, IPv6')
    road.srv.expect_ping('%s%%%s' % (mine, at_server['interface']), 'server to client, IPv6')
    client.stop()
    server.stop()


@case
def answer_comes_from_the_address_asked(lab):
    road = Road(lab)
    server, client = road.server(address=None), road.client(connect_to=SERVER_TOO)
    road.works(server, client)
    road.expect_sent('l2tp && ip.src == ' + SERVER_TOO, 'an answer from ' + SERVER_TOO)
    expect(road.sent('l2tp && ip.src == %s' % SERVER) == 0, 'answers from another address than was asked')
    client.stop()
    server.stop()


def load(lab, namespace, sessions, *more, user='alice', password='wonder-land', name='load'):
    """The load generator of tests/bench: an independent client that dials from ephemeral ports."""
    return namespace.start(name, os.path.join(lab.build, 'tests/bench/load'), '--to', SERVER, '--sessions', sessions, '--user', user, '--password', password, *more)


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
            expect(any(user in alias for alias in link.get('altnames', [])), 'no alternative name tells of %s: %s' % (user, link.get('altnames')))
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
def kill_and_restart_leaves_nothing(lab):
    road = Road(lab)
    server = road.server(dict(USERS, crowd='p'))
    client = road.client(**{'keepalive-timeout': '2s', 'hello-interval': '2s'})
    road.works(server, client)
    clients = load(lab, road.cli, 10, '--redial', '--hello', '1', user='crowd', password='p')
    clients.expect_text('all-up', 20)
    server.kill()
    server.start()
    poll(lambda: len([i for i in road.srv.tunnels() if i.startswith('l2tp-')]) <= len(server.sessions()), 'what kill -9 left behind is gone')
    clients.expect_text('"down"', 30)
    poll(lambda: clients.text().count('all-up') == 2, 'ten are back', 40)
    road.works(server, client)
    clients.stop()
    poll(lambda: [s['user'] for s in server.sessions()] == ['alice'] or len(server.sessions()) == 1, 'only the client is left', 40)
    poll(lambda: road.srv.tunnels() == ['l2tp-alice'], 'no interface but that of alice is left')
    before = server.session('alice')['id']
    client.kill()
    client.start()
    poll(lambda: [s['id'] != before for s in server.sessions()] == [True], 'the new session, and that alone', 30)
    road.works(server, client)
    poll(lambda: len(road.cli.tunnels()) == 1, 'the client left nothing behind')
    client.stop()
    server.stop()


@case
def redial_with_back_off(lab):
    """No server at first: attempts come further and further apart; once there is one, the client gets in."""
    road = Road(lab)
    client = road.client(**{'retransmit': 1, 'retransmit-timeout': '200ms'})

    def dials():
        out = capture.tshark(road.wire.path, 'l2tp.avp.message_type == 1', ['-T', 'fields', '-e', 'l2tp.avp.assigned_tunnel_id', '-e', 'frame.time_epoch'])
        first = {}
        for line in out.splitlines():
            tunnel, when = line.split('\t')[:2]
            first.setdefault(tunnel, float(when))
        return sorted(first.values())
    poll(lambda: len(dials()) >= 3, 'three attempts', 40, 0.5)
    times = dials()
    expect(times[2] - times[1] > times[1] - times[0], 'attempts do not come further apart: %s' % times)
    server = road.server()
    road.works(server, client)
    client.stop()
    server.stop()


@case
def server_restarts_and_client_comes_back(lab):
    road = Road(lab)
    server, client = road.server(), road.client()
    road.works(server, client)
    server.stop()
    client.no_session()
    server.start()
    road.works(server, client)
    client.stop()
    server.stop()


@case
def default_route_keeps_the_way_to_the_server(lab):
    road = Road(lab)
    before = road.cli.routes()
    road.srv.address('lo', '203.0.113.9/32')
    server, client = road.server(), road.client(**{'add-default-route': True})
    _, at_client = road.works(server, client)

    def way(to):
        return json.loads(road.cli.run('ip', '-json', 'route', 'get', to).stdout)[0]
    poll(lambda: way('203.0.113.9').get('dev') == at_client['interface'], 'the world is behind the tunnel')
    expect(way(SERVER).get('dev') == 'wire', 'the server itself is routed into its own tunnel: %s' % way(SERVER))
    road.cli.expect_ping('203.0.113.9', 'through the tunnel')
    client.stop()
    poll(lambda: road.cli.routes() == before, 'the routes are as they were before')
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
def sigterm_says_stopccn(lab):
    """To every tunnel that stands, whoever opened it; nothing is left."""
    road = Road(lab)
    server, client = road.server(dict(USERS, crowd='p')), road.client()
    road.works(server, client)
    crowd = load(lab, road.cli, 3, '--redial', user='crowd', password='p')
    crowd.expect_text('all-up', 20)
    server.stop()
    road.expect_sent('l2tp.avp.message_type == 4 && ip.src == ' + SERVER, 'a StopCCN of the server')
    crowd.expect_text('"down"')
    client.no_session()
    expect(not [i for i in road.srv.tunnels() if i.startswith('l2tp-')], 'interfaces are left: %s' % road.srv.tunnels())
    client.stop()


@case
def keepalive_drops_a_silent_peer(lab):
    """RouterOS's keepalive: silence, then five echoes, one a second, then the end."""
    road = Road(lab)
    server = road.server(**{'keepalive-timeout': '2s'})
    client = road.client(**{'keepalive-timeout': '2s'})
    road.works(server, client)
    events, at_client = server.monitor(), client.monitor()
    road.mid.run('ip', 'link', 'set', 'to-cli', 'down')
    events.expect('session-down', 20, user='alice')
    at_client.expect('session-down', 20)
    poll(lambda: not [i for i in road.srv.tunnels() if i.startswith('l2tp-')], 'its interface is gone')
    road.mid.run('ip', 'link', 'set', 'to-cli', 'up')
    server.session('alice', 40)
    client.stop()
    server.stop()


@case
def mss_is_clamped(lab):
    """A host behind the server with MTU 1500 talks TCP with the client: the SYN that arrives fits the tunnel."""
    road = Road(lab)
    inn = lab.namespace('inn')
    lab.wire(road.srv, 'to-inn', inn, 'wire')
    road.srv.address('to-inn', '10.50.0.1/24', '2001:db8:50::1/64')
    inn.address('wire', '10.50.0.2/24')
    inn.run('ip', 'route', 'add', 'default', 'via', '10.50.0.1')
    road.srv.sysctl('net.ipv4.ip_forward', 1)
    server, client = road.server(), road.client(profile={'change-tcp-mss': False})
    at_server, at_client = road.works(server, client)
    road.cli.run('ip', 'route', 'add', '10.50.0.0/24', 'dev', at_client['interface'])
    inside = road.cli.capture(at_client['interface'], 'tcp', name='inside')
    expect(transfer(road.cli, inn, at_server['remote-address'], octets=4 << 20) > 0, 'no TCP')
    poll(lambda: capture.tshark(inside.path, 'tcp.flags.syn == 1 && ip.src == 10.50.0.2'), 'the SYN in the capture')
    sizes = capture.tshark(inside.path, 'tcp.flags.syn == 1 && ip.src == 10.50.0.2', ['-T', 'fields', '-e', 'tcp.options.mss_val']).split()
    mtu = json.loads(road.srv.run('ip', '-json', 'link', 'show', at_server['interface']).stdout)[0]['mtu']
    expect(all(int(s) <= mtu - 40 for s in sizes), 'MSS %s through a tunnel of %d' % (sizes, mtu))
    client.stop()
    server.stop()


@case(limit=90)
def large_transfers(lab):
    road = Road(lab, watch=False)
    server, client = road.server(), road.client()
    at_server, _ = road.works(server, client)
    for reverse in (False, True):
        expect(transfer(road.srv, road.cli, INSIDE, octets=96 << 20, reverse=reverse) > 0, 'TCP stalls')
        expect(transfer(road.srv, road.cli, INSIDE, octets=32 << 20, reverse=reverse, streams=4) > 0, 'four TCPs stall')
    for size in (1, 500, 1422):
        road.cli.expect_ping(INSIDE, 'size %d' % size, size=size)
    big = road.cli.run('ping', '-n', '-q', '-c', '3', '-w', '10', '-s', '9000', INSIDE, check=False).stdout
    expect(' 0 received' not in big, 'no answer to pings in fragments: %s' % big)
    counters = server.session('alice')
    expect(max(v for v in flatten(counters) if isinstance(v, int)) > 128 << 20, 'counters do not tell of the transfer: %s' % counters)
    client.stop()
    server.stop()


def flatten(value):
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in flatten(item)]
    return [int(value)] if isinstance(value, str) and value.isdigit() else [value]


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
    expect('alice' in server.ctl('show', 'sessions').stdout, 'alice is not in the table')
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


@case(limit=180, alone=True)
def flood_of_a_million(lab):
    """A million datagrams from changing addresses: memory stays, pings get through, and a real client gets in. A sanitizer keeps
    what is freed, so memory is judged in a plain build."""
    if lab.plain:
        lab.use(lab.plain)
    road = Road(lab, watch=False)
    road.cli.run('ip', 'route', 'add', '172.16.0.0/12', 'dev', 'lo')
    road.mid.run('ip', 'route', 'add', 'blackhole', '172.16.0.0/12')
    for namespace in (road.srv, road.mid):
        namespace.sysctl('net.ipv4.conf.all.rp_filter', 0)
    for key in ('icmp_ratelimit', 'icmp_msgs_per_sec'):
        road.srv.sysctl('net.ipv4.' + key, 1000)
    server = lab.adit(road.srv, configs.write(configs.server(dict(USERS, bob='builder'))), name='server')
    client = road.client()
    road.works(server, client)
    flood = os.path.join(lab.build, 'tests/netns/flood')

    def burst(count, rate):
        return road.mid.start('flood', flood, '--to', SERVER, '--source', '172.16.0.0/12', '--count', count, '--rate', rate)
    burst(20000, 20000).wait(30)  # buffers, arenas and tables that are made once are there afterwards
    before = server.resident_kib()
    flood_now = burst(1000000, 40000)
    events = server.monitor()
    pings = road.cli.start('pings', 'ping', '-n', '-q', '-i', '0.02', '-c', '1000', '-w', '26', INSIDE)
    bob = road.client('bob', 'builder', 'bob')
    events.expect('session-up', 10, user='bob')
    expect(flood_now.running(), 'the flood was over before the client got in')
    pings.wait(40)
    flood_now.wait(90)
    expect('"sent": 1000000' in flood_now.text(), 'not a million: %s' % flood_now.text())
    loss = next(line for line in pings.text().splitlines() if 'packet loss' in line)
    print('    pings during the flood: %s' % loss.strip())
    lost = float(loss.split('% packet loss')[0].split()[-1])
    expect(lost < 1, 'pings lost: %s' % loss)
    bob.stop()
    poll(lambda: len(server.sessions()) == 1, 'bob is gone')
    if lab.sanitized():
        print('    a build with sanitizers: memory is not judged')
    else:
        poll(lambda: server.resident_kib() - before <= 1024, 'memory is back at %d KiB' % before, 60, 0.5)
        print('    resident memory: %d KiB before, %d after' % (before, server.resident_kib()))
    client.stop()
    server.stop()


if __name__ == '__main__':
    runner.main(__doc__)
