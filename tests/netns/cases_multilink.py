# SPDX-License-Identifier: GPL-2.0-or-later
"""Multilink PPP: full frames on one link, and links of one session through several tunnels. Both ends are adit; tshark reads the frames."""

import json
import os
import re
import sys

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


@case(limit=90)
def the_largest_frames_on_one_link(lab):
    carries_whole(lab, 65535)


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


@case(limit=90)
def multilink_carries_what_mppe_has_encrypted(lab):
    """Compression is above the bundle (RFC 1990 2): packets are encrypted, then cut."""
    road = Road(lab)
    encrypted = {'use-encryption': 'required'}
    server = road.server(address=None, mrru=1600, profile=encrypted)
    client = road.client(connect_to=[SERVER, SERVER_TOO], mrru=1600, links=2, profile=encrypted)
    at_server, _ = road.works(server, client)
    poll(lambda: server.session('alice')['links'] == 2, 'two links', 15)
    poll(lambda: mtu_of(road.srv, at_server['interface']) == 1596, 'the MTU less what MPPE adds')
    expect(server.session('alice')['encoding'] == 'MPPE128 stateless', 'the encoding: %s' % server.session('alice'))
    ping_whole(road.cli, INSIDE, 1596)
    ping_whole(road.srv, at_server['remote-address'], 1596)
    for reverse in (False, True):
        expect(transfer(road.srv, road.cli, INSIDE, octets=4 << 20, reverse=reverse) > 0, 'TCP stalls')
    for process in (server.process, client.process):
        expect('another program' not in process.text(), 'an MTU of ours is taken for another program\'s')
    client.stop()
    server.stop()


def tunnels(adit):
    return adit.list('io.adit.l2tp.ListTunnels', 'tunnels')


def longest_pause(text):
    """Between two answers of ping -D, in seconds."""
    times = [float(t) for t in re.findall(r'^\[([0-9.]+)\] .* bytes from ', text, re.M)]
    expect(len(times) > 20, 'few answers: %s' % text)
    return max(b - a for a, b in zip(times, times[1:]))


def two_links(road, dial):
    """One tunnel is closed while data flows: the session goes on, and the link comes back."""
    server = road.server(address=None, mrru=1600)
    client = dial()
    road.works(server, client)
    poll(lambda: server.session('alice')['links'] == 2 and client.session()['links'] == 2, 'two links', 15)
    expect(len(server.sessions()) == 1, 'more than one session')
    road.expect_sent('l2tp.avp.message_type == 1 && ip.dst == ' + SERVER, 'a tunnel to the first address')
    road.expect_sent('l2tp.avp.message_type == 1 && ip.dst == ' + SERVER_TOO, 'a tunnel to the second address')
    ping_whole(road.cli, INSIDE, 1600)
    pings = road.cli.start('pings', 'ping', '-n', '-D', '-i', '0.05', '-c', '200', '-w', '30', INSIDE)
    for i in range(2):
        before = {t['id'] for t in tunnels(server)}
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


@case(limit=120)
def two_links_over_the_addresses_of_a_name(lab):
    road = Road(lab)
    two_links(road, lambda: named(road, [SERVER, SERVER_TOO], mrru=1600, links=2))


@case(limit=120)
def two_links_over_two_addresses(lab):
    road = Road(lab)
    two_links(road, lambda: road.client(connect_to=[SERVER, SERVER_TOO], mrru=1600, links=2))


# ---- a path that is cut without a word ----

def cut_path(road, address, way=('saddr', 'daddr')):
    """The router drops what comes from or goes to this address of the server; nobody is told."""
    for rule in ['add table ip cut', 'add chain ip cut forward { type filter hook forward priority 0; }'] + [
            'add rule ip cut forward ip %s %s udp dport 1701 drop' % (side, address) for side in way]:
        road.mid.run('nft', rule)


def mend_path(road):
    road.mid.run('nft', 'delete table ip cut')


def running(adit):
    """Which links of the bundle are in use, by their ids."""
    links = json.loads(adit.ctl('--json', 'show', 'session', adit.session()['id']).stdout)['session']['multilink']['links']
    return {link['id']: link['running'] for link in links}


def all_run(server, client, count):
    return lambda: all(list(running(end).values()).count(True) == count for end in (server, client))


def start_pings(road, number, count):
    """Each packet and each answer has fragments on both links."""
    return road.cli.start('pings-%d' % number, 'ping', '-n', '-D', '-i', '0.05', '-c', str(count), '-s', '1572', INSIDE)


@case(limit=150)
def a_path_of_a_bundle_is_cut_without_a_word(lab):
    """Nobody says goodbye, and LCP's echoes would need half a minute: the other link carries all meanwhile, and both when the path is back.
    Either path, then one that was cut while nothing was sent, then one that is dead in one direction."""
    road = Road(lab)
    server = road.server(address=None, mrru=1600)
    client = road.client(connect_to=[SERVER, SERVER_TOO], mrru=1600, links=2)
    road.works(server, client)
    poll(all_run(server, client, 2), 'two links', 15)
    before = running(server).keys(), running(client).keys()
    for number, address in enumerate((SERVER, SERVER_TOO)):
        pings = start_pings(road, number, 120)
        poll(lambda: pings.text().count(' bytes from ') > 10, 'answers', 10, 0.05)
        cut_path(road, address)
        poll(all_run(server, client, 1), 'one link in use', 10, 0.1)
        pings.wait(30)
        expect(longest_pause(pings.text()) < 2, 'a pause of %.1f s' % longest_pause(pings.text()))
        expect(transfer(road.srv, road.cli, INSIDE, octets=2 << 20) > 0, 'TCP stalls on one link')
        mend_path(road)
        poll(all_run(server, client, 2), 'two links in use again', 10, 0.1)
        expect(transfer(road.srv, road.cli, INSIDE, octets=2 << 20, reverse=True) > 0, 'TCP stalls')
    cut_path(road, SERVER)
    pings = start_pings(road, 2, 100)
    poll(lambda: ' bytes from ' in pings.text(), 'an answer', 10, 0.05)
    first = int(re.search(r'icmp_seq=(\d+)', pings.text()).group(1))
    expect(first < 40, '%d packets are lost until the first answer' % first)
    pings.kill()
    mend_path(road)
    poll(all_run(server, client, 2), 'two links in use again', 10, 0.1)
    for number, way in enumerate(('saddr', 'daddr')):
        pings = start_pings(road, 3 + number, 120)
        poll(lambda: pings.text().count(' bytes from ') > 10, 'answers', 10, 0.05)
        cut_path(road, SERVER_TOO, (way,))
        poll(all_run(server, client, 1), 'one link in use at both ends', 10, 0.1)
        pings.wait(30)
        expect(longest_pause(pings.text()) < 5, 'a pause of %.1f s' % longest_pause(pings.text()))
        mend_path(road)
        poll(all_run(server, client, 2), 'two links in use again', 10, 0.1)
    expect((running(server).keys(), running(client).keys()) == before, 'a link was given up')
    client.stop()
    server.no_session()
    server.stop()


# ---- a peer that is written by hand ----

class ByHand:
    """mp_user.py as a process."""

    number = 0

    def __init__(self, road, *steps, user='alice', password='wonder-land', mrru=1600, discriminator='03020000000001', options=()):
        ByHand.number += 1  # each has a log of its own
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'mp_user.py')
        self.process = road.cli.start('by-hand-%d' % ByHand.number, sys.executable, '-B', script, '--to', SERVER, '--port', '0', '--name', user,
                                      '--password', password, '--mrru', str(mrru), '--discriminator', discriminator, *options, *steps)

    def said(self, event, count=1):
        """Waits for the event, so many times, and returns the last."""
        def found():
            lines = [json.loads(line) for line in self.process.text().splitlines() if line.startswith('{')]
            got = [line for line in lines if line['event'] == event]
            ended = [line for line in lines if line['event'] in ('silence', 'ended', 'refused')]
            expect(len(got) >= count or not ended, 'waiting for %s: %s' % (event, ended))
            return len(got) >= count and got[count - 1]
        return poll(found, 'by-hand says %s' % event, 30, 0.1)


def pap_server(road, users=USERS, **options):
    return road.server(users, methods=('pap',), **dict({'mrru': 1600}, **options))


def multilink_of(server, user='alice'):
    return json.loads(server.ctl('--json', 'show', 'session', user).stdout)['session']['multilink']


@case
def ncps_and_data_inside_of_multilink(lab):
    """NCPs begin inside of Multilink at once, before the server has its interface; LCP inside must be an Echo (RFC 1990 2)."""
    road = Road(lab)
    server = pap_server(road)
    peer = ByHand(road, 'settle', 'ping=1500', 'echo', 'goodbye', 'ping=1600')
    expect(peer.said('open')['acknowledged'], 'IPCP is not open')
    for count, size in ((1, 1500), (2, 1600)):
        pong = peer.said('pong', count)
        expect(pong['size'] == size and pong['fragments'] > 1, 'the answer: %s' % pong)
    peer.said('done')
    expect(multilink_of(server)['peer-discriminator'] == 'mac 02:00:00:00:00:01', 'another discriminator: %s' % multilink_of(server))
    server.stop()


@case
def ncps_outside_of_multilink_and_short_headers(lab):
    road = Road(lab)
    server = pap_server(road)
    peer = ByHand(road, 'settle', 'ping=1500', options=['--outside', '--short'])
    pong = peer.said('pong')
    expect(pong['size'] == 1500 and pong['fragments'] > 1, 'the answer: %s' % pong)
    expect(multilink_of(server)['header-to-peer'] == 'short' and multilink_of(server)['header-from-peer'] == 'long', multilink_of(server))
    server.stop()


@case
def an_mrru_that_is_of_no_use(lab):
    """64 is answered with 1500 in a Nak; and a peer that only takes ours gets no Multilink, but may send it."""
    road = Road(lab)
    server = pap_server(road)
    peer = ByHand(road, mrru=64)
    answer = peer.said('options')
    expect(answer['code'] == 3 and answer['options'] == '110405dc', 'the answer to an MRRU of 64: %s' % answer)
    peer.process.kill()
    one_way = ByHand(road, 'settle', 'ping=1400', mrru=0, discriminator='')
    pong = one_way.said('pong')
    expect(pong['fragments'] == 0, 'the answer came in Multilink, which nobody had asked for: %s' % pong)
    expect(mtu_of(road.srv, server.session('alice')['interface']) == 1450, 'another MTU')
    server.stop()


@case
def links_join_by_user_and_discriminator(lab):
    road = Road(lab)
    server = pap_server(road, dict(USERS, bob='builder'))
    first = ByHand(road, 'settle')
    first.said('open')
    joins = ByHand(road, 'joined')
    joins.said('joined')
    poll(lambda: server.session('alice')['links'] == 2, 'a link of the same machine joins', 10)
    other = ByHand(road, 'settle', user='bob', password='builder')  # another user with the same discriminator
    other.said('open')
    foreign = ByHand(road, 'settle', discriminator='03020000000002')
    foreign.said('open')
    poll(lambda: sorted((s['user'], s['links']) for s in server.sessions()) == [('alice', 1), ('alice', 2), ('bob', 1)],
         'three sessions: %s' % server.sessions(), 10)
    server.stop()


@case(limit=90)
def fragments_that_never_end(lab):
    """Memory stays within its bound, the session lives on, and another one never notices."""
    road = Road(lab, watch=False)
    server = pap_server(road, dict(USERS, bob='builder'))
    quiet = road.client('bob', 'builder', name='quiet', mrru=1600)
    road.works(server, quiet, 'bob')
    ByHand(road, 'settle', 'begins=2000').said('done')
    before = server.resident_kib()
    peer = ByHand(road, 'settle', 'begins=60000', 'ping=1500', discriminator='03020000000003')
    ping_whole(quiet.namespace, INSIDE, 1600)
    expect(peer.said('pong')['size'] == 1500, 'the session does not work any more')
    expect(lab.sanitized() or server.resident_kib() < before + 16384, 'memory grew from %d to %d KiB' % (before, server.resident_kib()))
    ping_whole(quiet.namespace, INSIDE, 1600)
    quiet.stop()
    server.stop()
