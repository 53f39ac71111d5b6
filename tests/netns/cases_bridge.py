# SPDX-License-Identifier: GPL-2.0-or-later
"""Bridging over PPP: BCP (RFC 3518), against a peer that is written by hand with a codec of its own, and between two daemons."""

import json
import os
import sys

import bcp_codec as bcp
import configs
from lab import expect, poll, transfer
from road import INSIDE, SERVER, Road
from runner import case

HERE = os.path.dirname(os.path.abspath(__file__))
PLUGINS = ['l2tp', 'ipcp', 'ipv6cp', 'bcp', 'mp', 'tun', 'pap', 'chap', 'mschap', 'secrets']
USERS = {'alice': 'wonder-land'}
WIDE = 1700  # of the wires, so that a tunnel carries a whole frame without Multilink
HOST, FAR = '10.50.0.1', '10.50.0.2'
PEER_MAC, HOST_MAC, GROUP = bytes.fromhex('020000000777'), bytes.fromhex('020000000555'), bcp.CONTROL_ADDRESSES[0]
TAG = bytes.fromhex('8100e007')  # VLAN 7, priority 7
ALL = bytes.fromhex('ffffffffffff')


class Lan:
    """A namespace with a bridge `lan`, and a host behind it: `lan-host` - `port`."""

    def __init__(self, lab, namespace, role, address):
        self.namespace, self.host = namespace, lab.namespace(role)
        namespace.run('ip', 'link', 'add', 'lan', 'address', '02:00:00:00:0b:%02x' % len(lab.namespaces), 'type', 'bridge')
        namespace.run('ip', 'link', 'set', 'lan', 'up')
        lab.wire(namespace, 'port', self.host, 'eth')
        namespace.run('ip', 'link', 'set', 'port', 'master', 'lan')
        self.host.address('eth', address + '/24')

    def members(self):
        links = json.loads(self.namespace.run('ip', '-json', 'link', 'show', 'master', 'lan').stdout or '[]')
        return [link['ifname'] for link in links if link['ifname'] != 'port']

    def member(self):
        """Waits for the interface of a session."""
        return poll(lambda: next(iter(self.members()), None), 'an interface of a session in the bridge', 15)


def wide_road(lab):
    road = Road(lab)
    for namespace, interface in ((road.srv, 'wire'), (road.mid, 'to-srv'), (road.mid, 'to-cli'), (road.cli, 'wire')):
        namespace.run('ip', 'link', 'set', interface, 'mtu', str(WIDE))
    return road


def server_tree(bridge='lan', profile=None, **options):
    tree = configs.server(USERS, methods=('pap',), profile=dict({'bridge': bridge} if bridge else {}, **(profile or {})),
                          **dict({'max-mtu': 1600, 'max-mru': 1600}, **options))
    tree['plugins'] = PLUGINS
    return tree


def start_server(road, **how):
    return road.lab.adit(road.srv, configs.write(server_tree(**how)))


class ByHand:
    """bcp_peer.py as a process: each of its steps, and what it says of them."""

    number = 0

    def __init__(self, road, *steps, arguments=()):
        ByHand.number += 1
        self.process = road.cli.start('bridge-by-hand-%d' % ByHand.number, sys.executable, '-B', os.path.join(HERE, 'bcp_peer.py'), '--to', SERVER, '--port', '0',
                                      '--name', 'alice', '--password', 'wonder-land', *arguments, '--steps', *steps)

    def lines(self, event):
        said = [json.loads(line) for line in self.process.text().splitlines() if line.startswith('{')]
        ended = [line for line in said if line['event'] in ('silence', 'ended', 'refused')]
        found = [line for line in said if line['event'] == event]
        faults = [line for line in said if line['event'] == 'fault']
        expect(not faults, 'the other end breaks RFC 3518: %s' % faults)
        expect(found or not ended, 'waiting for %s: %s' % (event, ended))
        return found

    def said(self, event):
        return poll(lambda: self.lines(event), 'the peer says %s' % event, 30, 0.1)[-1]


def ears(namespace, interface='eth', name='ears'):
    process = namespace.start('%s-%s' % (name, namespace.role), sys.executable, '-B', os.path.join(HERE, 'ether.py'), 'listen', interface)
    process.expect_text('listening')
    return process


def send(namespace, *frames, interface='eth'):
    namespace.run(sys.executable, '-B', os.path.join(HERE, 'ether.py'), 'send', interface, *[frame.hex() for frame in frames])


def frame_of(text, to=ALL, tag=b''):
    """An Ethernet frame of a type for experiments: of the peer, or to it."""
    return to + (HOST_MAC if to == PEER_MAC else PEER_MAC) + tag + bytes.fromhex('88b5') + text.encode()


def wrap(frame, **how):
    """What follows protocol 0x0031: of the frame as a LAN carries it."""
    return bcp.encode(bcp.restore(frame), **how)


def as_sent(frame, protocol=0x0031):
    return protocol.to_bytes(2, 'big').hex() + frame.hex()


def is_heard(process, frame, what):
    poll(lambda: frame.ljust(60, b'\0').hex() in process.text().splitlines(), 'the host hears %s' % what, 15)


def opened(lan, peer):
    """Until frames pass: the host calls, and the peer has heard it."""
    lan.member()

    def call():
        send(lan.host, frame_of('call', to=PEER_MAC))
        return peer.lines('heard')
    poll(call, 'the peer hears the host', 15, 0.2)


@case
def bcp_frames_by_hand(lab):
    """Every form of frame that the RFC has, from a peer that builds it from the diagrams: what is whole comes out, what is damaged does not."""
    road = wide_road(lab)
    lan = Lan(lab, road.srv, 'host', HOST)
    host = ears(lan.host)
    bpdu = GROUP + PEER_MAC + bytes.fromhex('0026424203 0000000000 8000020000000777 00000000 8000020000000777 8001 0000 1400 0200 0f00') + bytes(8)
    wrong = bytearray(wrap(frame_of('wrong-fcs'), fcs=True))
    wrong[-1] ^= 1
    wrong_tiny = bytearray(wrap(frame_of('wrong-tiny'), fcs=True, tinygram=True))
    wrong_tiny[20] ^= 1
    good = {'plain': wrap(frame_of('plain')),
            'right-fcs': wrap(frame_of('right-fcs'), fcs=True),
            'padded': wrap(frame_of('padded'), pads=15),
            'all-of-it': wrap(frame_of('all-of-it'), fcs=True, pads=7, tinygram=True),
            'tiny': wrap(frame_of('tiny'), tinygram=True)}
    full = frame_of('full' * 375)
    tagged = frame_of('tagged' * 250, tag=TAG)
    bad = {'wrong-fcs': bytes(wrong), 'wrong-tiny': bytes(wrong_tiny), 'token-ring': wrap(frame_of('token-ring'), mac_type=3),
           'no-whole-frame': bytes.fromhex('0f01') + frame_of('x')[:14],
           'lan-id': wrap(frame_of('lan-id'), lan_id=0)}
    early = 'send=' + as_sent(wrap(frame_of('early')))
    steps = [early, 'settle', 'bridge', 'hear'] + ['send=' + as_sent(one) for one in bad.values()] + ['send=' + as_sent(one) for one in good.values()]
    steps += ['send=' + as_sent(wrap(full)), 'send=' + as_sent(wrap(tagged, fcs=True)), 'send=' + as_sent(wrap(bpdu, control=True)),
              'send=' + as_sent(bcp.bpdu_of(bpdu), 0x0201), 'send=' + as_sent(wrap(frame_of('last')))]
    server = start_server(road)
    peer = ByHand(road, *steps)
    agreed = peer.said('bridge')
    expect(agreed['open'] and not agreed['refusals'], 'BCP: %s' % agreed)
    expect(sorted(map(int, agreed['theirs'])) == [3, 4, 6, 8, 9, 10], 'the server asks for %s' % agreed['theirs'])
    opened(lan, peer)
    for name in good:
        is_heard(host, frame_of(name), name)
    expect(len(full) == 1514 and len(tagged) == 1518, 'lengths %d, %d' % (len(full), len(tagged)))
    is_heard(host, full, 'a frame of 1514 octets')
    is_heard(host, tagged, 'a tagged frame of 1518 octets')
    is_heard(host, bpdu, 'a BPDU')
    mac = bytes.fromhex(agreed['theirs']['6'])
    is_heard(host, frame_of('last'), 'the last frame')
    heard = host.text().splitlines()
    for name in list(bad) + ['early']:
        expect(not any(name.encode().hex() in line for line in heard), '%s has come through' % name)
    expect(sum(bpdu.hex()[28:] in line and line[:12] == GROUP.hex() for line in heard) == 2, 'BPDUs of both forms: %s' % [h for h in heard if h[:12] == GROUP.hex()])
    expect(mac != PEER_MAC, 'the server has the peer\'s address')

    def heard_by_peer(frame):
        send(lan.host, frame)
        return poll(lambda: next((line for line in peer.lines('frame') if line['frame'] == frame.ljust(60, b'\0').hex()), None),
                    'the peer hears %s' % frame[:30].hex(), 10)

    for frame in (frame_of('to-peer' * 200, to=PEER_MAC), frame_of('tag-to-peer' * 130, to=PEER_MAC, tag=TAG)):
        line = heard_by_peer(frame)
        expect(not line['compressed'] and not line['control'] and not line['pads'], 'sent as %s' % line)
    line = heard_by_peer(frame_of('t', to=PEER_MAC))
    expect(line['compressed'] and line['length'] == 17, 'a small frame was sent as %s' % line)
    line = heard_by_peer(GROUP + HOST_MAC + bpdu[12:])
    expect(line['compressed'] and line['control'] and line['protocol'] == 0x31, 'a BPDU was sent as %s' % line)
    shown = server.session('alice')
    expect(shown.get('bridge') == 'lan', 'the session is shown as %s' % shown)
    whole = server.call('io.adit.session.GetSession', id='alice')['session']
    expect(whole['bridge-interface'] in lan.members() and whole['bcp']['spanning-tree'] == 'inline' and whole['bcp']['tagged-frames'], 'in detail: %s' % whole)
    drops = {reason: count for reason, count in whole['bridge-drops'].items() if count}
    expect(drops == {'fcs': 2, 'lan-id': 1, 'mac-type': 1, 'too-short': 1} and whole['drops'] == 5, 'counted as %s, %s in all' % (drops, whole['drops']))
    expect('the largest frame' not in server.process.text(), 'a warning although full frames pass')
    peer.process.kill()
    server.ctl('disconnect', 'alice')
    server.no_session()
    poll(lambda: not lan.members(), 'the interface is gone', 10)
    server.stop()


@case
def bcp_with_a_peer_of_rfc_1638(lab):
    """A peer that rejects Management-Inline, the indicator and tags: BPDUs go without MAC header, and nothing that it does not take."""
    road = wide_road(lab)
    lan = Lan(lab, road.srv, 'host', HOST)
    host = ears(lan.host)
    bpdu = GROUP + PEER_MAC + bytes.fromhex('0007424203 00000080') + bytes(39)
    server = start_server(road, **{'max-mtu': 1450})
    peer = ByHand(road, 'settle', 'bridge', 'hear', 'send=' + as_sent(bcp.bpdu_of(bpdu), 0x0201), arguments=('--options', '030301', '--refuse', '9', '10', '8', '4'))
    agreed = peer.said('bridge')
    expect(agreed['open'] and sorted(map(int, agreed['theirs'])) == [3, 6, 7], 'BCP: %s' % agreed)
    expect(agreed['theirs']['7'] == '01', 'the server wants spanning tree %s' % agreed['theirs']['7'])
    server.process.expect_text('bridge lan: the largest frame is 1448 octets, and a full one has 1514: set mrru')
    opened(lan, peer)
    poll(lambda: any(line[:12] == GROUP.hex() and line[24:] == bpdu.hex()[24:] for line in host.text().splitlines()), 'the host hears the BPDU', 10)

    small, priority = frame_of('small', to=PEER_MAC), frame_of('priority', to=PEER_MAC, tag=bytes.fromhex('8100e000'))
    send(lan.host, frame_of('tagged', to=PEER_MAC, tag=bytes.fromhex('81000007')))
    send(lan.host, bytes.fromhex('0180c2000021') + HOST_MAC + bpdu[12:])
    send(lan.host, GROUP + HOST_MAC + bpdu[12:])
    send(lan.host, priority)
    send(lan.host, small)
    wanted = {0x0201: bpdu[12:].hex(), 0x0031: small.ljust(60, b'\0').hex()}
    poll(lambda: any(line['frame'] == wanted[0x0031] for line in peer.lines('frame')), 'the peer hears the last frame', 10)
    frames = peer.lines('frame')
    expect(any(line['protocol'] == 0x0201 and line['frame'][24:] == wanted[0x0201] for line in frames), 'no BPDU in the old form: %s' % frames)
    expect(any(line['frame'] == frame_of('priority', to=PEER_MAC).ljust(60, b'\0').hex() for line in frames), 'the priority tag was not taken off: %s' % frames)
    expect(not any(b'tagged'.hex() in line['frame'] or line['frame'].startswith('0180c2000021') for line in frames), 'what the peer does not take: %s' % frames)
    expect(not any(line['compressed'] or line['control'] for line in frames), 'flags that the peer does not know: %s' % frames)
    counted = server.call('io.adit.session.GetSession', id='alice')['session']['bridge-drops']
    expect(counted['tagged'] == 1 and counted['bridge-control'] == 1 and counted['fcs'] == 0, 'frames that the peer does not take are counted as %s' % counted)
    peer.process.kill()
    server.ctl('disconnect', 'alice')
    server.no_session()
    server.stop()


@case
def bcp_with_a_real_network_behind_the_peer(lab):
    """ARP, IPv6 neighbours, frames of 1514 octets and VLAN tags between two IP stacks: one behind the bridge, one behind the peer's codec."""
    road = wide_road(lab)
    lan = Lan(lab, road.srv, 'host', HOST)
    server = start_server(road)
    peer = ByHand(road, 'settle', 'bridge', 'tap')
    peer.said('tap')
    lan.member()
    road.cli.run('ip', 'link', 'set', 'bridged0', 'up')
    road.cli.address('bridged0', FAR + '/24')
    lan.host.expect_ping(FAR, 'host to peer', deadline=10)
    lan.host.expect_ping(FAR, 'whole frames', size=1472)
    road.cli.expect_ping(HOST, 'whole frames from the peer', size=1472)
    lan.host.address('eth', '2001:db8:50::1/64')
    road.cli.address('bridged0', '2001:db8:50::2/64')
    road.cli.expect_ping('2001:db8:50::1', 'neighbour discovery', deadline=10)
    for sender, interface, receiver, there in ((lan.host, 'eth', road.cli, 'bridged0'), (road.cli, 'bridged0', lan.host, 'eth')):
        listener = ears(receiver, there)
        send(sender, frame_of('tagged' * 250, tag=TAG), interface=interface)
        is_heard(listener, frame_of('tagged' * 250, tag=TAG), 'a tagged frame of 1518 octets')
    peer.process.kill()
    server.ctl('disconnect', 'alice')
    server.no_session()
    server.stop()


@case
def two_daemons_bridge_and_route_on_one_link(lab):
    """As RouterOS does: the same link carries IP between the daemons and Ethernet between their bridges, in both directions of dialling."""
    road = wide_road(lab)
    here, there = Lan(lab, road.srv, 'host', HOST), Lan(lab, road.cli, 'far', FAR)
    server = start_server(road)
    tree = configs.client('alice', 'wonder-land', profile={'bridge': 'lan'}, **{'max-mtu': 1600, 'max-mru': 1600})
    tree['plugins'] = PLUGINS
    client = lab.adit(road.cli, configs.write(tree))
    at_server, at_client = road.works(server, client)
    expect(at_server.get('bridge') == 'lan' and at_client.get('bridge') == 'lan', 'shown as %s and %s' % (at_server, at_client))
    here.member()
    there.member()
    here.host.expect_ping(FAR, 'host to host', deadline=10)
    there.host.expect_ping(HOST, 'whole frames', size=1472)
    far = ears(there.host)
    for frame in (frame_of('tagged' * 250, tag=TAG), frame_of('tiny', tag=TAG)):
        send(here.host, frame)
        is_heard(far, frame, 'a tagged frame')
    road.cli.expect_ping(INSIDE, 'IP beside it', size=1500)
    for reverse in (False, True):  # segments of 64 KiB as the hosts' TCP hands them over
        expect(transfer(here.host, there.host, HOST, octets=16 << 20, reverse=reverse) > 0, 'TCP stalls')
    client.ctl('client', 'down', 'uplink')
    server.no_session()
    poll(lambda: not here.members() and not there.members(), 'the interfaces are gone', 10)
    client.ctl('client', 'up', 'uplink')
    road.works(server, client)
    here.host.expect_ping(FAR, 'host to host, redialled', deadline=15)
    client.stop()
    server.stop()


@case
def whole_frames_over_multilink(lab):
    """MRRU 1600 in a tunnel of 1450 octets: full frames with and without a VLAN tag cross it whole, in fragments of Multilink, and so does TCP."""
    road = Road(lab)
    here, there = Lan(lab, road.srv, 'host', HOST), Lan(lab, road.cli, 'far', FAR)
    server = start_server(road, **{'max-mtu': 1450, 'max-mru': 1450, 'mrru': 1600})
    tree = configs.client('alice', 'wonder-land', profile={'bridge': 'lan'}, mrru=1600)
    tree['plugins'] = PLUGINS
    client = lab.adit(road.cli, configs.write(tree))
    road.works(server, client)
    here.member()
    there.member()
    here.host.expect_ping(FAR, 'host to host', deadline=10)
    for host, target in ((here.host, FAR), (there.host, HOST)):
        host.expect_ping(target, 'whole frames', size=1472)
    far = ears(there.host)
    send(here.host, frame_of('tagged' * 250, tag=TAG))
    is_heard(far, frame_of('tagged' * 250, tag=TAG), 'a tagged frame of 1518 octets')
    for reverse in (False, True):
        expect(transfer(here.host, there.host, HOST, octets=8 << 20, reverse=reverse) > 0, 'TCP stalls')
    expect(road.sent('ip.flags.mf == 1') == 0, 'datagrams in IP fragments')
    expect('the largest frame' not in server.process.text() + client.process.text(), 'a warning although full frames pass')
    client.stop()
    server.stop()


@case
def bcp_refused_leaves_ip(lab):
    """A peer with `bridge` and one without, at either end, with the plugin and without: Protocol-Reject, and IP goes on."""
    road = wide_road(lab)
    lan = Lan(lab, road.srv, 'host', HOST)
    server = start_server(road, bridge=None)
    peer = ByHand(road, 'settle', 'bridge', 'settle')
    expect(peer.said('bridge')['open'] is False and peer.lines('protocol-rejected'), 'a server without bridge: %s' % peer.process.text())
    peer.said('done')
    expect('bridge' not in server.session('alice') and not lan.members(), 'bridged without a bridge')
    peer.process.kill()
    server.ctl('disconnect', 'alice')
    server.no_session()

    server.reload(configs.write(server_tree()))
    client = road.client()  # which has no bridge
    road.works(server, client)
    server.process.expect_text('bcp closed: the peer rejected it')
    expect(not lan.members(), 'in the bridge though the peer bridges nothing')
    client.stop()
    server.no_session()

    peer = ByHand(road, 'settle', 'bridge', 'unbridge', 'settle')
    peer.said('done')
    expect(peer.said('open')['acknowledged'], 'IPCP after BCP has ended')
    poll(lambda: all('NO-CARRIER' in road.srv.interfaces()[name]['flags'] for name in lan.members()), 'its interface has no carrier', 10)
    expect(server.session('alice')['remote-address'] == peer.said('open')['address'], 'the session did not live')
    peer.process.kill()
    server.stop()


@case
def a_bridge_that_does_not_exist_is_named(lab):
    """IP goes on without it; a session that is nothing but bridged ends, with the same reason."""
    road = wide_road(lab)
    server = start_server(road, bridge='nowhere')
    peer = ByHand(road, 'settle', 'bridge', 'settle')
    server.process.expect_text('bridge nowhere: there is no such interface')
    server.process.expect_text('bcp closed: bridge nowhere: there is no such interface')
    peer.said('done')
    expect(server.session('alice')['remote-address'] == peer.said('open')['address'], 'no IP')
    peer.process.kill()
    server.ctl('disconnect', 'alice')
    server.no_session()
    server.reload(configs.write(server_tree(bridge='nowhere', profile={'use-ipv4': 'no', 'use-ipv6': 'no'})))
    peer = ByHand(road, 'bridge')
    peer.said('ended')
    server.no_session()
    expect(server.process.text().count('there is no such interface') >= 3, 'the session ended without the reason')
    server.stop()


def spanning_tree_blocks(lab, at_both=None):
    """Two bridges with a second way between them: IEEE 802.1D blocks one port, so that nothing loops, and opens it when the other way is cut."""
    road = wide_road(lab)
    here, there = Lan(lab, road.srv, 'host', HOST), Lan(lab, road.cli, 'far', FAR)
    lab.wire(road.srv, 'second', road.cli, 'second')
    for lan in (here, there):
        lan.namespace.run('ip', 'link', 'set', 'lan', 'type', 'bridge', 'stp_state', '1', 'forward_delay', '200', 'hello_time', '100', 'max_age', '600')
        lan.namespace.run('ip', 'link', 'set', 'second', 'master', 'lan')
    wide = {'max-mtu': 1600, 'max-mru': 1600}
    profile = dict({'bridge': 'lan'}, **(at_both or {}))
    trees = configs.server(USERS, methods=('mschap2',), profile=profile, **wide), configs.client('alice', 'wonder-land', profile=profile, **wide)
    server, client = [lab.adit(namespace, configs.write(dict(tree, plugins=PLUGINS + ['ccp']))) for namespace, tree in zip((road.srv, road.cli), trees)]
    road.works(server, client)

    def states(lan):
        ports = json.loads(lan.namespace.run('bridge', '-json', 'link').stdout)
        return {port['ifname']: port['state'] for port in ports if port.get('master') == 'lan' and port['ifname'] != 'port'}

    def settled():
        all_states = [state for lan in (here, there) for state in states(lan).values()]
        return len(all_states) == 4 and sorted(all_states) == ['blocking', 'forwarding', 'forwarding', 'forwarding']
    poll(settled, 'one port of four blocks, and the others forward', 40, 0.3)
    here.host.expect_ping(FAR, 'with two ways', deadline=10)
    near, far = ears(here.host), ears(there.host)
    frames = [frame_of('once %d ' % number * 20) for number in range(50)]
    send(here.host, *frames)
    is_heard(far, frames[-1], 'the last broadcast')
    here.host.expect_ping(FAR, 'after broadcasts', count=3, interval=0.2)
    for listener, wanted in ((far, 1), (near, 0)):
        heard = listener.text().splitlines()
        times = [heard.count(frame.hex()) for frame in frames]
        expect(times == [wanted] * len(frames), '%s: broadcasts came so many times: %s' % (listener.name, times))
    road.srv.run('ip', 'link', 'set', 'second', 'down')
    poll(lambda: here.host.ping(FAR, deadline=1), 'over the session, when the other way is cut', 40, 0.2)
    client.stop()
    server.stop()
    return road


@case
def spanning_tree_over_a_session(lab):
    spanning_tree_blocks(lab)


@case
def spanning_tree_over_an_encrypted_session(lab):
    """BPDUs are encrypted as other frames are: RFC 3078 4 leaves their old form (0x0201) in clear, so that is not used."""
    road = spanning_tree_blocks(lab, {'use-encryption': 'required'})
    expect(road.sent('ppp.protocol == 0x0031 || ppp.protocol == 0x0201') == 0, 'bridged frames in clear')
    road.expect_sent('ppp.protocol == 0x00fd', 'encrypted frames')
