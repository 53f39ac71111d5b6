# SPDX-License-Identifier: GPL-2.0-or-later
"""What a peer, or a route that leads astray, may not do to the others: sources, tunnel ids, tunnels in themselves."""

import os

import configs
from lab import expect, poll
from road import CLIENT, CLIENT6, INSIDE, SERVER, SERVER6, Road, load
from runner import case


def shown(server, user):
    """Everything about a session, as `show session` has it."""
    return server.call('io.adit.session.GetSession', id=user)['session']


def workers(server, what):
    return sum(row[what] for row in server.call('io.adit.tun.Describe')['workers'])


def send_from(namespace, interface, source, target, wait=1):
    """A ping with that source."""
    namespace.run('ip', 'address', 'replace', '%s/%d' % (source, 128 if ':' in source else 32), 'dev', 'lo', *(['nodad'] if ':' in source else []))
    namespace.run('ip', 'route', 'replace', target, 'dev', interface)
    return namespace.run('ping', '-n', '-q', '-c', '1', '-w', wait, '-I', source, target, check=False).stdout


def sources(lab, shared):
    """Peers that send with others' addresses, IPv4 and IPv6: nothing reaches the interface, all is counted; their own routes pass."""
    road = Road(lab, watch=False)
    users = {'alice': {'password': 'wonder-land', 'routes': ['172.20.0.0/16', '2001:db8:20::/48']}, 'bob': 'builder'}
    server = road.server(users, profile={'interface': 'shared'} if shared else {})
    road.srv.address('lo', '10.77.0.1/32', '2001:db8:77::1/128')
    client, other = road.client(), road.client('bob', 'builder', 'bob')
    at_server, at_client = road.works(server, client)
    bobs = server.session('bob')
    poll(lambda: any(r['dst'] == '2001:db8:20::/48' for r in road.srv.routes(6)), 'routes of IPv6')
    seen = road.srv.capture(at_server['interface'], 'icmp or icmp6', name='inside')

    for source in ('172.20.5.5', '2001:db8:20::5'):
        out = send_from(road.cli, at_client['interface'], source, '2001:db8:77::1' if ':' in source else '10.77.0.1', 5)
        expect(' 1 received' in out, 'no answer to %s, which is a route of the session: %s' % (source, out))
    before = shown(server, 'alice')['spoofed']
    spoofed = (bobs['remote-address'], '8.8.8.8', '192.0.2.254', '172.21.5.5', '2001:db8:21::5', '2001:db8:1::ffff')
    for source in spoofed:
        send_from(road.cli, at_client['interface'], source, '2001:db8:77::1' if ':' in source else '10.77.0.1')
    poll(lambda: shown(server, 'alice')['spoofed'] - before >= len(spoofed), 'all are counted: %s' % shown(server, 'alice'))
    expect(workers(server, 'spoofed') >= len(spoofed), 'show datapath does not count them')
    expect(server.process.text().count('dropped packets from') in range(1, 4), 'the log says it once or twice')
    text = road.srv.run('tcpdump', '-n', '-r', seen.path, check=False).stdout
    for source in spoofed:
        expect(' %s > ' % source not in text, '%s came through' % source)
    expect(' 172.20.5.5 > ' in text, 'the capture saw nothing')
    client.namespace.expect_ping(INSIDE, 'still there')
    other.stop()
    client.stop()
    server.stop()


@case
def sources_of_own_interfaces(lab):
    sources(lab, False)


@case
def sources_of_a_shared_interface(lab):
    sources(lab, True)


@case
def sources_unchecked_where_it_is_said(lab):
    road = Road(lab, watch=False)
    server = road.server({'alice': {'password': 'wonder-land', 'source-check': False}})
    client = road.client()
    at_server, at_client = road.works(server, client)
    road.srv.run('ip', 'route', 'add', '172.21.0.0/16', 'dev', at_server['interface'])  # a routing protocol, say
    out = send_from(road.cli, at_client['interface'], '172.21.5.5', INSIDE)
    expect(' 1 received' in out, 'dropped all the same: %s' % out)
    expect(shown(server, 'alice')['spoofed'] == 0, 'counted all the same')
    client.stop()
    server.stop()


@case(limit=90)
def guessed_tunnel_ids(lab):
    """20,000 control messages a second with random tunnel ids, from changing addresses: tunnels with Hello and sessions with a
    keepalive of three seconds live, and a newcomer gets in."""
    road = Road(lab, watch=False)
    road.mid.run('ip', 'route', 'add', 'blackhole', '172.16.0.0/12')
    for namespace in (road.srv, road.mid):
        namespace.sysctl('net.ipv4.conf.all.rp_filter', 0)
    server = road.server({'alice': 'wonder-land', 'bob': 'builder'}, **{'keepalive-timeout': '3s'})
    client = road.client(**{'keepalive-timeout': '3s'})
    road.works(server, client)
    events, before = server.monitor(), workers(server, 'datagrams-in')
    flood = road.mid.start('flood', os.path.join(lab.build, 'tests/netns/flood'), '--to', SERVER, '--source', '172.16.0.0/12', '--count', 240000,
                           '--rate', 20000, '--kind', 'ids')
    bob = road.client('bob', 'builder', 'bob')
    events.expect('session-up', 10, user='bob')
    expect(flood.running(), 'the flood was over before')
    flood.wait(60)
    expect(len(server.sessions()) == 2, 'sessions were lost: %s' % server.sessions())
    downs = [e for e in events.seen if e['event'] in ('session-down', 'tunnel-down')]
    expect(not downs, 'something went down: %s' % downs)
    print('    %d datagrams came, %d found a full ring; %s' % (workers(server, 'datagrams-in') - before, workers(server, 'main-full'), flood.text().strip()))
    road.cli.expect_ping(INSIDE, 'after the flood')
    bob.stop()
    client.stop()
    server.stop()


def astray(lab, shared, six):
    """A rule sends what goes to the tunnel's other end into the tunnel, at the server and then at the client: it is dropped and counted
    and not wrapped again and again; without the rule all is well."""
    road = Road(lab, watch=False)
    server = road.server(address=SERVER6 if six else SERVER, profile={'interface': 'shared'} if shared else {})
    client = road.client(**{'connect_to': SERVER6} if six else {})
    at_server, at_client = road.works(server, client)
    if shared:
        road.srv.run('ip', 'address', 'add', '10.64.255.255/32', 'dev', at_server['interface'], check=False)
    family = '-6' if six else '-4'
    for adit, namespace, interface, target in ((server, road.srv, at_server['interface'], CLIENT6 if six else CLIENT),
                                               (client, road.cli, at_client['interface'], SERVER6 if six else SERVER)):
        before, cpu = workers(adit, 'looped'), adit.cpu_seconds()
        namespace.run('ip', family, 'route', 'add', target, 'dev', interface, 'table', '77')
        namespace.run('ip', family, 'rule', 'add', 'to', target, 'lookup', '77', 'priority', '77')
        for _ in range(3):
            namespace.run('ping', '-n', '-q', '-c', '1', '-w', '1', at_server['remote-address'] if adit is server else INSIDE, check=False)
        if not shared or adit is client:  # on a shared one, the address is no session's: dropped without a word
            poll(lambda: workers(adit, 'looped') > before, '%s counts what would loop' % adit.name)
        expect(workers(adit, 'looped') - before < 500, '%s: %d were dropped' % (adit.name, workers(adit, 'looped') - before))
        expect(adit.cpu_seconds() - cpu < 2, '%s: %.1f s of CPU' % (adit.name, adit.cpu_seconds() - cpu))
        namespace.run('ip', family, 'rule', 'delete', 'priority', '77')
    road.works(server, client)
    client.stop()
    server.stop()


@case
def tunnel_into_itself(lab):
    astray(lab, False, False)


@case
def tunnel_into_itself_shared(lab):
    astray(lab, True, False)


@case
def tunnel_into_itself_ipv6(lab):
    astray(lab, False, True)


@case(limit=90)
def interfaces_of_one_user(lab):
    """A user's 1,001st session has an interface as the others have."""
    srv, cli = lab.namespace('srv'), lab.namespace('cli')
    lab.wire(srv, 'wire', cli, 'wire')
    srv.address('wire', SERVER + '/24')
    cli.address('wire', '192.0.2.2/24')
    server = lab.adit(srv, configs.write(configs.server({'alice': 'wonder-land'}, l2tp={'max-starting': 2000, 'new-tunnel-rate': 100000},
                                                        **{'keepalive-timeout': '60s'})))
    clients = load(lab, cli, 1050, '--per-tunnel', 50)
    clients.expect_text('all-up', 60)
    poll(lambda: len(server.sessions()) == 1050, 'all are up at the server', 60, 0.3)
    names = {s['interface'] for s in server.sessions()}
    expect(len(names) == 1050 and 'l2tp-alice-1049' in names, '%d interfaces' % len(names))
    expect(names <= set(srv.interfaces()), 'not all of them exist')
    clients.kill()
    server.stop(30)


@case
def tunnel_inside_of_a_session(lab):
    """A second tunnel to the same server, dialled through the first one's session: it is carried, and neither is taken for a loop."""
    road = Road(lab, watch=False)
    server = lab.adit(road.srv, configs.write(configs.server({'alice': 'wonder-land', 'bob': 'builder'}, address=None)))
    tree = configs.client('alice', 'wonder-land', name='outer')
    tree['l2tp']['clients'].append({'name': 'inner', 'connect-to': INSIDE, 'user': 'bob', 'password': 'builder', 'redial-min': '200ms', 'redial-max': '1s'})
    client = lab.adit(road.cli, configs.write(tree), name='client')
    outer, inner = server.session('alice'), server.session('bob', 20)
    expect(inner['peer'].startswith(outer['remote-address'] + ':'), 'the second tunnel is not inside of the first: %s' % inner['peer'])
    poll(lambda: len(client.sessions()) == 2, 'both are up at the client')
    interface = next(s['interface'] for s in client.sessions() if s['user'] == 'bob')
    road.srv.address('lo', '10.77.0.1/32')
    road.cli.run('ip', 'route', 'add', '10.77.0.1', 'dev', interface)
    road.cli.expect_ping('10.77.0.1', 'through both', size=1200)
    expect(workers(server, 'looped') == 0 and workers(client, 'looped') == 0, 'taken for a loop')
    client.stop()
    server.stop()
