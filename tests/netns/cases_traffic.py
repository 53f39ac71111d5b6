# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets through the tunnel: both families, sizes, floods."""

import json
import os

import capture
import configs
from lab import expect, poll, transfer
from road import INSIDE, SERVER, SERVER6, SERVER_TOO, USERS, Road, flatten
from runner import case


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
    expect(max(v for v in flatten(counters) if isinstance(v, int)) > 128 << 20, 'counters do not show the transfer: %s' % counters)
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


@case
def datapath_links_are_those_of_sessions(lab):
    """`show datapath-links` through the socket: ids that join it with `show session`, and counters that move."""
    road = Road(lab)
    server, client = road.server(), road.client()
    road.works(server, client)
    for end in (server, client):
        session = end.call('io.adit.session.GetSession', id=end.sessions()[0]['id'])['session']

        def link():
            links = end.list('io.adit.tun.ListLinks', 'links')
            expect(len(links) == 1, '%s has one link: %s' % (end.name, links))
            return links[0]
        before = link()
        expect(before['session'] == session['id'] and before['link'] == session['link']['id'],
               '%s: link %s of session %s is not that of %s' % (end.name, before['link'], before['session'], session))
        end.namespace.expect_ping(INSIDE if end is client else server.sessions()[0]['remote-address'], 'through the link')
        poll(lambda: link()['rx-packets'] > before['rx-packets'] and link()['tx-packets'] > before['tx-packets'], 'counters of the link move')
        table = end.ctl('show', 'datapath-links').stdout
        lines = table.splitlines()
        expect(lines[0].split()[:3] == ['LINK', 'SESSION', 'PEER'] and lines[1].split()[:2] == [before['link'], before['session']], table)
    client.ctl('client', 'down', 'uplink')
    server.no_session()
    poll(lambda: not server.list('io.adit.tun.ListLinks', 'links'), 'a link that is gone is not listed')
    client.stop()
    server.stop()
