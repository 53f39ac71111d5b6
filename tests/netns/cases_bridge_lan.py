# SPDX-License-Identifier: GPL-2.0-or-later
"""Two bridges that are joined by adit at both ends, in a tunnel of 1450 octets with MRRU 1600: what the machines of one Ethernet do with each other."""

import json
import os

import configs
from cases_bridge import FAR, HOST, PLUGINS, TAG, Lan, ears, frame_of, is_heard, send, server_tree, start_server, wide_road
from lab import expect, poll, transfer
from road import INSIDE, SERVER, SERVER_TOO, Road
from runner import case

LONG_WAY = '198.51.100.254'  # an address of the router, behind which is the server's second one
PRIORITY, SERVICE = bytes.fromhex('8100e000'), bytes.fromhex('88a80009')  # priority 7 in no VLAN; an outer tag of a provider
LEASE = """#!/bin/sh
[ "$1" = bound ] || exit 0
ip address add "$ip/$mask" dev "$interface"
echo "$ip from $serverid"
"""
DHCPD = """start 10.50.0.100
end 10.50.0.110
interface eth
lease_file %(folder)s/leases
pidfile %(folder)s/udhcpd.pid
option subnet 255.255.255.0
option router 10.50.0.1
"""


class Offices:
    """`here` - server - road - client - `there`; each a Lan of cases_bridge.py."""

    def __init__(self, lab, links=1, connect_to=SERVER, mrru=1600, bridged_only=False, round_trip=None):
        self.road = Road(lab)
        self.here, self.there = Lan(lab, self.road.srv, 'host', HOST), Lan(lab, self.road.cli, 'far', FAR)
        if round_trip:
            relay = os.path.join(lab.build, 'tests/netns/delay')
            self.road.mid.start('delay', relay, '--listen', LONG_WAY + ':1701', '--to', SERVER_TOO + ':1701', '--round-trip', str(round_trip)).expect_text('ready')
        only = {'use-ipv4': 'no', 'use-ipv6': 'no'} if bridged_only else {}
        options = dict({'mrru': mrru} if mrru else {}, **{'max-mtu': 1450, 'max-mru': 1450})
        tree = server_tree(profile=only, **options)
        if links > 1:
            del tree['l2tp']['servers'][0]['addresses']
        self.server = lab.adit(self.road.srv, configs.write(tree))
        tree = configs.client('alice', 'wonder-land', connect_to=connect_to, profile=dict({'bridge': 'lan'}, **only), links=links, **options)
        self.client = lab.adit(self.road.cli, configs.write(dict(tree, plugins=PLUGINS)))
        for lan in (self.here, self.there):
            lan.member()
        if links > 1:
            poll(lambda: [s['links'] for s in self.server.sessions()] == [links], '%d links' % links, 15)
        self.here.host.expect_ping(FAR, 'host to host', deadline=10)

    def both_ways(self):
        return ((self.here, self.there), (self.there, self.here))

    def details(self):
        return self.server.call('io.adit.session.GetSession', id='alice')['session']

    def stop(self):
        self.client.stop()
        self.server.no_session()
        self.server.stop()


@case
def neighbours_of_both_families(lab):
    """ARP and neighbour discovery cross the tunnel, and each host learns the other's own address, not the bridge's."""
    offices = Offices(lab, bridged_only=True)
    near, far = offices.here.host, offices.there.host
    near.address('eth', '2001:db8:50::1/64')
    far.address('eth', '2001:db8:50::2/64')
    for source, host, targets in ((near, far, ('2001:db8:50::2', FAR)), (far, near, ('2001:db8:50::1', HOST))):
        mac = host.interfaces()['eth']['address']
        for target in targets:
            source.run('ip', 'neighbour', 'flush', 'dev', 'eth')
            source.expect_ping(target, 'with no neighbours known')
            rows = json.loads(source.run('ip', '-json', 'neighbour', 'show', target).stdout)
            expect([row.get('lladdr') for row in rows] == [mac], '%s is known as %s, and is %s' % (target, rows, mac))
            source.expect_ping(target, 'a full frame', size=1500 - (28 if '.' in target else 48))
    refused = near.run('python3', '-c', 'import socket; socket.create_connection(("%s", 9), 5)' % FAR, check=False).stderr
    expect('ConnectionRefusedError' in refused, 'no reset, which is a small frame that ends in zeros: %s' % refused)
    link_local = next(a['local'] for a in json.loads(far.run('ip', '-json', 'address', 'show', 'dev', 'eth').stdout)[0]['addr_info'] if a['local'].startswith('fe80'))
    near.expect_ping(link_local + '%eth', 'to a link-local address')
    offices.stop()


@case
def a_dhcp_client_behind_the_tunnel(lab):
    """A lease from the server of the other office, by broadcasts from a host without an address; and again after the session was redialled."""
    offices = Offices(lab, bridged_only=True)
    server, host = offices.here.host, offices.there.host
    host.run('ip', 'address', 'flush', 'dev', 'eth')
    host.run('ip', 'link', 'set', 'eth', 'up')
    config, script = os.path.join(lab.folder, 'udhcpd.conf'), os.path.join(lab.folder, 'udhcpc.sh')
    with open(config, 'w') as f:
        f.write(DHCPD % {'folder': lab.folder})
    with open(script, 'w') as f:
        f.write(LEASE)
    os.chmod(script, 0o755)
    server.start('udhcpd', 'busybox', 'udhcpd', '-f', '-I', HOST, config).expect_text('started')

    def lease():
        return host.run('busybox', 'udhcpc', '-f', '-n', '-q', '-i', 'eth', '-s', script, '-t', '20', '-T', '1').stdout
    first = lease()
    expect('10.50.0.1' in first and 'from ' + HOST in first, 'no lease: %s' % first)
    address = first.split(' from ')[0].split()[-1]
    host.expect_ping(HOST, 'with the address of the lease')
    server.expect_ping(address, 'a full frame to the address of the lease', size=1472)
    host.run('ip', 'address', 'flush', 'dev', 'eth')
    offices.server.ctl('disconnect', 'alice')
    offices.server.no_session()
    offices.there.member()
    expect(address + ' from' in lease(), 'another address after the session was redialled')
    offices.stop()


@case
def tags_pass_as_they_are(lab):
    """Of a VLAN, with a priority alone, of a provider around another one, on the smallest and on full frames, both ways."""
    offices = Offices(lab)
    for source, target in offices.both_ways():
        listener = ears(target.host)
        for tag in (TAG, PRIORITY, SERVICE, SERVICE + TAG):
            most = 1518 if tag[:2] == TAG[:2] else 1514  # Linux lets one tag of 802.1Q pass beyond the MTU
            for frame in (frame_of('small', tag=tag).ljust(60, b'\0'), frame_of('whole' * 400, tag=tag)[:most]):
                send(source.host, frame)
                is_heard(listener, frame, '%d octets with the tag %s' % (len(frame), tag.hex()))
    expect(offices.details()['drops'] == 0, 'drops: %s' % offices.details())
    offices.stop()


@case
def ip_and_a_bridge_in_one_bundle(lab):
    """The same link with MRRU carries IP between the daemons and full frames between the hosts, at the same time, in fragments of the same bundle."""
    offices = Offices(lab)
    offices.road.works(offices.server, offices.client)
    pings = offices.here.host.start('pings', 'ping', '-n', '-q', '-i', '0.05', '-c', '60', '-w', '20', '-M', 'do', '-s', '1472', FAR)
    for reverse in (False, True):
        expect(transfer(offices.road.srv, offices.road.cli, INSIDE, octets=4 << 20, reverse=reverse) > 0, 'TCP stalls')
    expect(pings.wait(30) == 0 and ' 60 received' in pings.text(), 'pings of full frames beside it: %s' % pings.text())
    offices.road.cli.expect_ping(INSIDE, 'a whole packet', size=1572)
    expect(offices.details()['multilink']['tx-fragmented'] > 60, 'nothing was cut: %s' % offices.details()['multilink'])
    offices.stop()


@case
def a_bridge_without_mrru_is_told_of(lab):
    """At both ends, with the largest frame: it passes, and one that is an octet longer does not."""
    offices = Offices(lab, mrru=None)
    for adit in (offices.server, offices.client):
        adit.process.expect_text('bridge lan: the largest frame is 1448 octets, and a full one has 1514: set mrru, or a larger max-mtu and max-mru, at both ends')
    far = ears(offices.there.host)
    whole = frame_of('x' * 1448)[:1448]
    send(offices.here.host, whole + b'!')
    send(offices.here.host, whole)
    is_heard(far, whole, 'a frame of 1448 octets')
    expect((whole + b'!').hex() not in far.text().splitlines(), 'a frame of 1449 octets came through')
    offices.stop()


@case
def a_bridge_without_an_address_is_logged(lab):
    """When a session joins it; not when an administrator has set one. The daemon sees its namespace's /sys."""
    road = wide_road(lab)
    road.srv.run('ip', 'link', 'add', 'lan', 'type', 'bridge')
    road.srv.run('ip', 'link', 'set', 'lan', 'up')
    Lan(lab, road.cli, 'far', FAR)
    server = start_server(road)
    server.stop()
    server.start_anew('unshare', '-m', 'sh', '-c', 'mount -t sysfs none /sys && exec "$@"', 'sh')
    tree = configs.client('alice', 'wonder-land', profile={'bridge': 'lan'}, **{'max-mtu': 1600, 'max-mru': 1600})
    client = lab.adit(road.cli, configs.write(dict(tree, plugins=PLUGINS)))
    server.session('alice')
    text = 'bridge lan: it takes its MAC address from its ports, of which none lasts: it changes with sessions; set one with ip link set lan address'
    server.process.expect_text(text)
    expect(text not in client.process.text(), 'the other end, whose bridge has an address, is told, too')
    road.srv.run('ip', 'link', 'set', 'lan', 'address', '02:00:5e:00:00:01')
    client.ctl('client', 'down', 'uplink')
    server.no_session()
    client.ctl('client', 'up', 'uplink')
    server.session('alice')
    poll(lambda: 'master lan' in road.srv.run('bridge', 'link').stdout, 'in the bridge again', 10)
    expect(server.process.text().count(text) == 1, 'a warning although the bridge has an address')
    client.stop()
    server.stop()


def numbered(count, tag):
    """Full frames, each with its number."""
    return [frame_of('%s %06d ' % (tag, number) * 150)[:1514] for number in range(count)]


def late_fragments(adit):
    return sum(link['late'] for link in adit.call('io.adit.session.GetSession', id='alice')['session']['multilink']['links'])


def in_order(source, target, receiver, tag, count=300):
    """Sends numbered full frames. Each comes once and in its order; one is missing only if a fragment of it was later than the others by more than
    the 200 ms that `receiver` waits, which it counts: on a machine that is busy, the relay may not run for so long."""
    frames = numbered(count, tag)
    wanted, before = [frame.hex() for frame in frames], late_fragments(receiver)
    listener = ears(target.host, name='ears-' + tag)
    for at in range(0, count, 50):
        send(source.host, *frames[at:at + 50])

    def heard():
        return [line for line in listener.text().splitlines() if line in sent]
    sent = set(wanted)
    poll(lambda: len(heard()) + late_fragments(receiver) - before >= count, 'all of %d frames, or late fragments of them' % count, 30, 0.2)
    numbers = [wanted.index(line) for line in heard()]
    expect(numbers == sorted(set(numbers)), '%s: frames came twice or out of order: %s' % (tag, numbers))
    expect(numbers, '%s: all fragments were late' % tag)


@case(limit=120)
def a_bridge_over_two_links(lab):
    """Full frames cross in fragments on two tunnels, of which one is 10 ms longer each way: each comes once and in order. A closed tunnel stops nothing."""
    offices = Offices(lab, links=2, connect_to=[SERVER, LONG_WAY], round_trip=20)
    ways = ((offices.here, offices.there, offices.client, 'down'), (offices.there, offices.here, offices.server, 'up'))
    for source, target, receiver, tag in ways:
        in_order(source, target, receiver, tag)
    links = offices.details()['multilink']['links']
    expect(len(links) == 2 and all(link['tx-fragments'] > 100 and link['rx-fragments'] > 100 for link in links), 'the shares of the links: %s' % links)
    for reverse in (False, True):
        expect(transfer(offices.here.host, offices.there.host, HOST, octets=2 << 20, reverse=reverse) > 0, 'TCP stalls')
    closed = offices.server.list('io.adit.l2tp.ListTunnels', 'tunnels')[0]['id']
    offices.server.ctl('tunnel', 'close', str(closed))
    poll(lambda: [s['links'] for s in offices.server.sessions()] == [1], 'one link', 10)
    offices.there.host.expect_ping(HOST, 'a full frame on the link that is left', size=1472)
    poll(lambda: [s['links'] for s in offices.server.sessions()] == [2], 'two links again', 20)
    for source, target, receiver, tag in ways:
        in_order(source, target, receiver, 'again-' + tag)
    offices.stop()
