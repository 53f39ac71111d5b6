# SPDX-License-Identifier: GPL-2.0-or-later
"""BCP (RFC 3518) with a peer that shares no code with adit (tests/lib/bcp_codec.py): adit as the server, and adit as the client that dials."""

import os
import sys

import bcp_codec as bcp
import configs
from cases_bridge import GROUP, HERE, HOST, HOST_MAC, PEER_MAC, PLUGINS, TAG, ByHand, Lan, as_sent, ears, frame_of, is_heard, opened, send, start_server, wide_road, wrap
from lab import expect, poll
from road import INSIDE
from runner import case

PRIORITY = bytes.fromhex('8100e000')  # priority 7, and no VLAN
CONFIGURATION = bytes.fromhex('0000000000 8000020000000777 00000000 8000020000000777 8001 0000 1400 0200 0f00')
TOPOLOGY_CHANGE = bytes.fromhex('00000080')
GVRP, MANAGEMENT = bytes.fromhex('0180c2000021'), bytes.fromhex('0180c2000010')
ADDRESS = '10.64.0.77'  # of the one who dials


class Listening(ByHand):
    """The peer as an L2TP server, where adit dials to."""

    def __init__(self, road, *steps, arguments=()):
        ByHand.number += 1
        self.process = road.srv.start('bridge-by-hand-%d' % ByHand.number, sys.executable, '-B', os.path.join(HERE, 'bcp_peer.py'), '--listen', '--name', 'alice',
                                      '--password', 'wonder-land', '--address', ADDRESS, *arguments, '--steps', *steps)
        self.said('listening')


class Meeting:
    """adit with a bridge `lan`, and the peer, which takes its steps; `dials` is adit as the client."""

    def __init__(self, lab, dials, *steps, arguments=(), bridge='lan'):
        self.road, self.dials = wide_road(lab), dials
        self.lan = Lan(lab, self.road.cli if dials else self.road.srv, 'host', HOST)
        self.host = ears(self.lan.host)
        if dials:
            self.peer = Listening(self.road, *steps, arguments=arguments)
            tree = configs.client('alice', 'wonder-land', profile={'bridge': bridge} if bridge else None, **{'max-mtu': 1600, 'max-mru': 1600})
            tree['plugins'] = PLUGINS
            self.adit = lab.adit(self.road.cli, configs.write(tree))
        else:
            self.adit = start_server(self.road, bridge=bridge)
            self.peer = ByHand(self.road, *steps, arguments=arguments)

    def agreed(self):
        agreed = self.peer.said('bridge')
        expect(agreed['open'], 'BCP: %s' % agreed)
        return agreed

    def session(self):
        return self.adit.session(None if self.dials else 'alice')

    def has_ip(self):
        """IPCP is agreed on at both ends."""
        expect(self.peer.said('open')['acknowledged'], 'IPCP: %s' % self.peer.process.text())
        remote = INSIDE if self.dials else self.peer.said('open')['address']
        expect(self.session()['remote-address'] == remote, 'the session: %s' % self.session())

    def peer_hears(self, frame, what):
        """Sends it from the host; what the peer prints of it."""
        send(self.lan.host, frame)
        wanted = bcp.restore(frame).hex()
        return poll(lambda: next((line for line in self.peer.lines('frame') if line['frame'] == wanted), None), 'the peer hears %s' % what, 10)

    def end(self):
        self.peer.said('done')  # and no fault
        self.peer.process.kill()
        self.adit.stop()


def exact(text, size, **how):
    """A frame of that size."""
    return (frame_of(text, **how) + b'.' * size)[:size]


def every_form_of_frame(lab, dials):
    config, change = bcp.inline_bpdu(CONFIGURATION, PEER_MAC), bcp.inline_bpdu(TOPOLOGY_CHANGE, PEER_MAC)
    good = {'sixty': exact('sixty', 60), 'full': exact('full', 1514), 'tagged': exact('tagged', 1518, tag=TAG), 'priority': exact('priority', 60, tag=PRIORITY),
            'tiny': frame_of('tiny'), 'tiny-tagged': frame_of('tiny-tagged', tag=PRIORITY), 'tiny-fcs': frame_of('tiny-fcs'), 'fcs': exact('fcs', 1514),
            'pads': exact('pads', 1514), 'all': frame_of('all'), 'inline': config, 'gvrp': GVRP + exact('gvrp', 100)[6:]}
    how = {'tiny': {'tinygram': True}, 'tiny-tagged': {'tinygram': True}, 'tiny-fcs': {'tinygram': True, 'fcs': True}, 'fcs': {'fcs': True}, 'pads': {'pads': 15},
           'all': {'tinygram': True, 'fcs': True, 'pads': 9}, 'inline': {'control': True}, 'gvrp': {'control': True}}
    bad = {'wrong-fcs': {'fcs': bytes.fromhex('01020304')}, 'wrong-tiny': {'fcs': bytes.fromhex('01020304'), 'tinygram': True}, 'token-ring': {'mac_type': bcp.IEEE_802_5_OLD},
           'lan-id': {'lan_id': 0}, 'other-lan': {'lan_id': 7}}
    early = ['send=' + as_sent(wrap(frame_of('early'))), 'send=' + as_sent(CONFIGURATION[:-1] + b'\7', bcp.OLD_BPDU)]
    steps = early + ['settle'] + early + ['bridge', 'hear'] + ['send=' + as_sent(wrap(frame_of(name), **one)) for name, one in bad.items()]
    steps += ['send=' + as_sent(wrap(frame, **how.get(name, {}))) for name, frame in good.items()]
    steps += ['send=' + as_sent(TOPOLOGY_CHANGE, bcp.OLD_BPDU), 'send=' + as_sent(wrap(frame_of('last')))]
    meeting = Meeting(lab, dials, *steps)
    expect(not meeting.agreed()['refusals'], 'BCP: %s' % meeting.agreed())
    expect(sorted(map(int, meeting.agreed()['theirs'])) == [3, 4, 6, 8, 9, 10], 'it asks for %s' % meeting.agreed())
    opened(meeting.lan, meeting.peer)
    for name, frame in list(good.items()) + [('last', frame_of('last'))]:
        is_heard(meeting.host, frame, name)
    lines = meeting.host.text().splitlines()
    expect(any(line[:12] == GROUP.hex() and line[24:] == change.hex()[24:] for line in lines), 'the BPDU of the old form')
    for name in list(bad) + ['early']:
        expect(not any(name.encode().hex() in line for line in lines), '%s has come through' % name)
    expect(not any('0f07' in line for line in lines if line[:12] == GROUP.hex()), 'a BPDU before BCP was open has come through')

    for name, size, tag in (('whole', 1514, b''), ('sixty-out', 60, b''), ('tag-out', 1518, TAG), ('priority-out', 1000, PRIORITY)):
        frame = exact(name, size, to=PEER_MAC, tag=tag)
        line = meeting.peer_hears(frame, name)
        expect(line['length'] == 2 + size and not line['pads'] and not line['compressed'], '%s is sent as %s' % (name, line))
    for name, tag in (('t', b''), ('tp', PRIORITY)):
        line = meeting.peer_hears(frame_of(name, to=PEER_MAC, tag=tag), 'a small frame')
        expect(line['compressed'] and line['length'] == 2 + 14 + len(tag) + len(name), '%s is sent as %s' % (name, line))
    for group in (GROUP, GVRP, MANAGEMENT):
        line = meeting.peer_hears(group + HOST_MAC + config[12:], 'a frame between bridges')
        expect(line['control'] and line['protocol'] == bcp.BRIDGED, 'a frame between bridges is sent as %s' % line)
    meeting.has_ip()
    meeting.end()


@case
def every_form_of_frame_at_a_server(lab):
    """Frames of 60 and 1514 octets, Tinygram, LAN FCS, pads, tags, BPDUs, and what is wrong or early: of a peer that dials, and to it."""
    every_form_of_frame(lab, dials=False)


@case
def every_form_of_frame_at_a_client(lab):
    """The same, where adit dials."""
    every_form_of_frame(lab, dials=True)


def old_form(lab, dials):
    steps = ['settle', 'bridge', 'hear', 'send=' + as_sent(TOPOLOGY_CHANGE, bcp.OLD_BPDU)]
    meeting = Meeting(lab, dials, *steps, arguments=('--options', '030301', '--refuse', '9', '10', '8', '4'))
    expect(sorted(map(int, meeting.agreed()['theirs'])) == [3, 6, 7] and meeting.agreed()['theirs']['7'] == '01', 'BCP: %s' % meeting.agreed())
    opened(meeting.lan, meeting.peer)
    change = bcp.inline_bpdu(TOPOLOGY_CHANGE, PEER_MAC)
    poll(lambda: any(line[:12] == GROUP.hex() and line[24:] == change.hex()[24:] for line in meeting.host.text().splitlines()), 'the host hears the BPDU', 10)
    bpdu = bcp.inline_bpdu(CONFIGURATION, HOST_MAC)
    for frame in (exact('vlan', 60, to=PEER_MAC, tag=TAG), exact('priority', 64, to=PEER_MAC, tag=PRIORITY), GVRP + bpdu[6:], MANAGEMENT + bpdu[6:], bpdu):
        send(meeting.lan.host, frame)
    line = meeting.peer_hears(exact('after', 60, to=PEER_MAC), 'the last frame')
    expect(line['length'] == 62, 'a frame without Tinygram compression is sent as %s' % line)
    frames = meeting.peer.lines('frame')
    expect([bytes.fromhex(line['frame'])[17:52] for line in frames if line['protocol'] == bcp.OLD_BPDU] == [CONFIGURATION], 'the BPDU in the old form: %s' % frames)
    untagged = exact('priority', 64, to=PEER_MAC, tag=PRIORITY)
    expect(any(line['frame'] == (untagged[:12] + untagged[16:]).hex() for line in frames), 'the frame with a priority alone lost more than its tag: %s' % frames)
    expect(not any(b'vlan'.hex() in line['frame'] for line in frames), 'a tagged frame: %s' % frames)
    meeting.has_ip()
    meeting.end()


@case
def bpdus_of_the_old_form_at_a_client(lab):
    """adit dials, and the peer is one of RFC 1638: it rejects options 4, 8, 9 and 10."""
    old_form(lab, dials=True)


@case
def bpdus_of_the_old_form_at_a_server(lab):
    """A peer of RFC 1638 dials."""
    old_form(lab, dials=False)


def zero_address(lab, dials):
    meeting = Meeting(lab, dials, 'settle', 'bridge', arguments=('--options', '0608000000000000' + '0902030301040301080301'))
    agreed = meeting.agreed()
    expect([code for code, _ in agreed['refusals']] == [3], 'one Nak: %s' % agreed)
    given = dict(bcp.decode_options(bytes.fromhex(agreed['refusals'][0][1])))
    expect(list(given) == [bcp.MAC_ADDRESS], 'a Nak of the address alone: %s' % agreed)
    mac = given[bcp.MAC_ADDRESS]
    expect(mac[0] & 3 == 2, 'an address that is locally assigned: %s' % mac.hex())
    expect(dict(bcp.decode_options(bytes.fromhex(agreed['mine'])))[bcp.MAC_ADDRESS] == mac, 'acknowledged: %s' % agreed)
    own = bytes.fromhex(agreed['theirs']['6'])
    expect(any(own) and own[0] & 1 == 0 and own != mac, 'both have %s' % own.hex())
    meeting.session()
    whole = meeting.adit.call('io.adit.session.GetSession', id=meeting.session()['id'])['session']
    expect(whole['bcp']['remote-mac'] == mac.hex(':') and whole['bcp']['local-mac'] == own.hex(':'), 'in detail: %s' % whole['bcp'])
    meeting.has_ip()
    meeting.end()


@case
def a_zero_mac_address_gets_one_of_a_server(lab):
    """RFC 3518 5.5: a Nak with a locally assigned address, and the peer keeps it."""
    zero_address(lab, dials=False)


@case
def a_zero_mac_address_gets_one_of_a_client(lab):
    """The same, where adit dials."""
    zero_address(lab, dials=True)


def refused(lab, dials):
    meeting = Meeting(lab, dials, 'settle', arguments=['--no-bcp'])
    meeting.adit.process.expect_text('bcp closed: the peer rejected it')
    meeting.has_ip()
    expect(not meeting.lan.members(), 'in the bridge though the peer bridges nothing')
    meeting.end()


@case
def bcp_is_refused_to_a_client(lab):
    """adit dials a server that rejects BCP: IPCP goes on."""
    refused(lab, dials=True)


@case
def bcp_is_refused_to_a_server(lab):
    """A peer dials that rejects BCP: IPCP goes on."""
    refused(lab, dials=False)


@case
def a_client_without_a_bridge_refuses_bcp(lab):
    """adit dials a server that bridges: a Protocol-Reject, the frames that come all the same are lost, and IPCP goes on."""
    meeting = Meeting(lab, True, 'bridge', 'send=' + as_sent(wrap(frame_of('lost'))), 'settle', bridge=None)
    expect(meeting.peer.said('bridge')['open'] is False and meeting.peer.lines('protocol-rejected'), 'BCP: %s' % meeting.peer.process.text())
    meeting.has_ip()
    expect('bridge' not in meeting.session() and not meeting.lan.members(), 'bridged without a bridge')
    meeting.end()
