# SPDX-License-Identifier: GPL-2.0-or-later
"""Multilink PPP: full frames on one link, and links of one session through several tunnels. Both ends are adit; tshark reads the frames."""

import json
import re

import capture
import configs
from cases_strangers import named
from lab import expect, poll, transfer
from road import INSIDE, SERVER, SERVER_TOO, USERS, Road
from runner import case


def mtu_of(namespace, interface):
    return json.loads(namespace.run('ip', '-json', 'link', 'show', interface).stdout)[0]['mtu']


def ping_whole(namespace, target, packet):
    """A packet of that size that must not be fragmented, and its answer."""
    done = namespace.run('ping', '-n', '-q', '-M', 'do', '-c', '5', '-i', '0.2', '-w', '10', '-s', str(packet - 28), target, check=False).stdout
    expect(re.search(r' 5 received', done), 'pings of %d octets to %s: %s' % (packet, target, done))


def plain_wires(road):
    """Captures show each datagram, and not several in one buffer of the kernel (UDP_SEGMENT)."""
    for namespace, wire in ((road.srv, 'wire'), (road.mid, 'to-srv'), (road.mid, 'to-cli'), (road.cli, 'wire')):
        namespace.run('ip', 'link', 'set', wire, 'gso_max_segs', '1')


def carries_whole(lab, mrru):
    road = Road(lab)
    plain_wires(road)
    server, client = road.server(mrru=mrru), road.client(mrru=mrru)
    at_server, at_client = road.works(server, client)
    for namespace, row in ((road.srv, at_server), (road.cli, at_client)):
        poll(lambda: mtu_of(namespace, row['interface']) == mrru, 'the MTU %d' % mrru)
    for packet in (1450, 1451, 1500, mrru):
        ping_whole(road.cli, INSIDE, packet)
        ping_whole(road.srv, at_server['remote-address'], packet)
    inside = road.cli.capture(at_client['interface'], 'tcp', name='inside')
    for reverse in (False, True):
        expect(transfer(road.srv, road.cli, INSIDE, octets=4 << 20, reverse=reverse) > 0, 'TCP stalls')
    sizes = capture.tshark(inside.path, 'tcp.flags.syn == 1', ['-T', 'fields', '-e', 'tcp.options.mss_val']).split()
    expect(sizes and all(int(s) == mrru - 40 for s in sizes), 'MSS %s with an MTU of %d' % (sizes, mrru))
    road.expect_sent('l2tp && mp.first == 1 && mp.last == 0', 'the begin of a packet')
    road.expect_sent('l2tp && mp.first == 0 && mp.last == 1', 'the end of a packet')
    expect(road.sent('ip.flags.mf == 1 && udp') == 0, 'the tunnel\'s packets are fragmented')
    told = json.loads(server.ctl('--json', 'show', 'session', 'alice').stdout)
    told = told.get('session', told)
    expect(told['multilink']['rx-reassembled'] > 0 and told['multilink']['lost'] == 0, 'counters: %s' % told['multilink'])
    client.stop()
    server.stop()


@case(limit=90)
def full_frames_on_one_link(lab):
    carries_whole(lab, 1600)


@case(limit=90)
def jumbo_frames_on_one_link(lab):
    carries_whole(lab, 8000)


@case
def an_mrru_at_one_end_changes_nothing(lab):
    road = Road(lab)
    server, client = road.server(mrru=1600), road.client()
    at_server, at_client = road.works(server, client)
    expect(mtu_of(road.srv, at_server['interface']) == 1450, 'another MTU at the server')
    expect(mtu_of(road.cli, at_client['interface']) == 1450, 'another MTU at the client')
    expect(road.sent('mp') == 0, 'frames of multilink')
    client.stop()
    server.stop()


def tunnels(adit):
    return adit.list('io.adit.l2tp.ListTunnels', 'tunnels')


def longest_pause(text):
    """Between two answers of ping -D, in seconds."""
    times = [float(t) for t in re.findall(r'^\[([0-9.]+)\] .* bytes from ', text, re.M)]
    expect(len(times) > 20, 'few answers: %s' % text)
    return max(b - a for a, b in zip(times, times[1:]))


@case(limit=120)
def two_links_over_two_addresses(lab):
    """One tunnel is closed while data flows: the session goes on, and the link comes back."""
    road = Road(lab)
    server = road.server(address=None, mrru=1600)
    client = named(road, [SERVER, SERVER_TOO], mrru=1600, links=2)
    road.works(server, client)
    poll(lambda: server.session('alice')['links'] == 2 and client.session()['links'] == 2, 'two links', 15)
    expect(len(server.sessions()) == 1, 'more than one session')
    road.expect_sent('l2tp.avp.message_type == 1 && ip.dst == ' + SERVER, 'a tunnel to the first address')
    road.expect_sent('l2tp.avp.message_type == 1 && ip.dst == ' + SERVER_TOO, 'a tunnel to the second address')
    ping_whole(road.cli, INSIDE, 1600)
    pings = road.cli.start('pings', 'ping', '-n', '-D', '-i', '0.05', '-c', '200', '-w', '30', INSIDE)
    for i in range(2):
        before = {t['id'] for t in tunnels(server)}
        road.srv.run('true')
        expect(transfer(road.srv, road.cli, INSIDE, octets=2 << 20) > 0, 'TCP stalls')
        gone = sorted(before)[i]
        server.ctl('tunnel', 'close', str(gone))
        poll(lambda: server.session('alice')['links'] == 1, 'one link', 10)
        expect(transfer(road.srv, road.cli, INSIDE, octets=2 << 20) > 0, 'TCP stalls on one link')
        poll(lambda: server.session('alice')['links'] == 2, 'two links again', 15)
    pings.wait(40)
    expect(longest_pause(pings.text()) < 1, 'a pause of %.1f s' % longest_pause(pings.text()))
    shares = [link['rx-fragments'] for link in json.loads(server.ctl('--json', 'show', 'session', 'alice').stdout)['session']['multilink']['links']]
    expect(len(shares) == 2, 'shares of links: %s' % shares)
    client.stop()
    server.no_session()
    server.stop()
