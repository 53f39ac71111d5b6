#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The other end of a bridged link, written by hand from the diagrams of RFC 3518 on the PPP user of ppp_user.py. Prints a JSON object a line.

  bcp_peer.py --to SERVER --name alice --password secret --steps settle bridge hear send=HEX tap

  settle, ask, terminate   as ppp_user.py: IPCP
  bridge     negotiates BCP with --options, and rejects --refuse of what the server asks for; prints what both have agreed on
  hear       waits for a frame from the bridge
  send=HEX   sends the octets as they are, the PPP protocol first
  unbridge   a Terminate-Request of BCP
  tap        opens the TAP interface --interface and bridges it with the link until the end

What comes from the bridge is printed as event `frame`: the protocol, the fields of the figure and the Ethernet frame."""

import argparse
import contextlib
import fcntl
import os
import select
import struct
import time
import zlib

from peer import say
from ppp_user import ACK, IPCP, LCP, NAK, PAP, PROTOCOL_REJECT, REJECT, REQUEST, SECONDS, TERMINATE, TERMINATED, User

BCP, BRIDGED, OLD_BPDU = 0x8031, 0x0031, 0x0201
BRIDGE_ID, LINE_ID, MAC_SUPPORT, TINYGRAM, MAC_ADDRESS, SPANNING_TREE, TAGGED, MANAGEMENT, INDICATOR = 1, 2, 3, 4, 6, 7, 8, 9, 10
GROUP = bytes.fromhex('0180c2000000')

# The first sixteen bits of the figure in section 4.2, from the left: a name and a number of bits each.
FIGURE = (('fcs', 1), ('reserved', 1), ('zero_fill', 1), ('bridge_control', 1), ('pads', 4), ('mac_type', 8))


def pack_figure(**values):
    bits = ''.join(format(values.get(name, 0), '0%db' % width) for name, width in FIGURE)
    return bytes(int(bits[at:at + 8], 2) for at in range(0, len(bits), 8))


def unpack_figure(octets):
    bits, found = ''.join(format(octet, '08b') for octet in octets[:2]), {}
    for name, width in FIGURE:
        found[name], bits = int(bits[:width], 2), bits[width:]
    return found


def lan_fcs(frame):
    """As a NIC sends it."""
    return zlib.crc32(frame).to_bytes(4, 'little')


def wrap(frame, fcs=False, pads=0, tiny=False, bridge_control=False, mac_type=1):
    """An Ethernet frame as what follows protocol 0x0031."""
    whole = frame + bytes(max(0, 60 - len(frame)))
    check = lan_fcs(whole) if fcs else b''
    sent, zero_fill = whole, False
    if tiny and len(whole) == 60:
        sent = whole[:14] + whole[14:].rstrip(b'\0')
        zero_fill = len(sent) < 60
    return pack_figure(fcs=int(fcs), zero_fill=int(zero_fill), bridge_control=int(bridge_control), pads=pads, mac_type=mac_type) + sent + check + b'P' * pads


def unwrap(payload):
    """The fields of the figure, the Ethernet frame with its zeros restored, and whether its FCS is right."""
    found = unpack_figure(payload)
    rest = payload[2:len(payload) - found['pads']]
    check = None
    if found['fcs']:
        rest, check = rest[:-4], rest[-4:]
    if found['zero_fill']:
        rest = rest.ljust(60, b'\0')
    return found, rest, check is None or check == lan_fcs(rest)


def wrap_bpdu(frame):
    """What follows protocol 0x0201: the BPDU alone, without MAC header, LLC and padding."""
    size = int.from_bytes(frame[12:14], 'big')
    return frame[14:14 + size][3:]


def unwrap_bpdu(payload, source):
    body = b'\x42\x42\x03' + payload
    return (GROUP + source + len(body).to_bytes(2, 'big') + body).ljust(60, b'\0')


def option(kind, value=b''):
    return bytes([kind, 2 + len(value)]) + value


def options_of(body):
    found = []
    while body:
        found.append((body[0], body[2:body[1]]))
        body = body[body[1]:]
    return found


class Bridge(User):
    protocols = (LCP, PAP, IPCP, BCP)
    heard = bridging = False
    tap, theirs = None, ()

    def lcp_options(self):
        return b'\x01\x04\x06\x40'  # MRU 1600

    def take_data(self, protocol, payload):
        if protocol not in (BRIDGED, OLD_BPDU):
            return False
        if protocol == OLD_BPDU:
            fields, frame, good = {}, unwrap_bpdu(payload, self.mac), True
        else:
            fields, frame, good = unwrap(payload)
        self.heard = True
        if self.tap is not None:
            if good:
                with contextlib.suppress(OSError):  # it is not up yet
                    os.write(self.tap, frame)
        else:
            say(event='frame', protocol=protocol, good=good, length=len(payload), frame=frame.hex(), **fields)
        return True

    def answer(self, protocol, identifier, body):
        if protocol != BCP:
            super().answer(protocol, identifier, body)
            return
        asked = options_of(body)
        refused = b''.join(option(kind, value) for kind, value in asked if kind in self.args.refuse)
        self.packet(BCP, REJECT if refused else ACK, identifier, refused or body)
        if not refused:
            self.theirs, self.bridging = asked, True

    def bridge(self):
        refusals = []
        mine = options_of(bytes.fromhex(self.args.options))
        for _ in range(10):
            self.number = (self.number + 1) & 0xff
            number = self.number
            self.packet(BCP, REQUEST, number, b''.join(option(*one) for one in mine))
            code, said = self.answer_to(number)
            if code in (ACK, None):
                break
            refusals.append([code, said.hex()])
            for kind, value in options_of(said):
                mine = [(k, v) for k, v in mine if k != kind] + ([(kind, value)] if code == NAK else [])
        deadline = time.monotonic() + SECONDS
        while not self.bridging and time.monotonic() < deadline:
            for _ in self.packets(0.2):
                pass
        self.mac = dict(self.theirs).get(MAC_ADDRESS, bytes(6))
        say(event='bridge', open=code == ACK and self.bridging, mine=b''.join(option(*one) for one in mine).hex(), theirs={k: v.hex() for k, v in self.theirs},
            refusals=refusals)

    def answer_to(self, number):
        for protocol, code, identifier, body in self.packets(SECONDS):
            if protocol == BCP and identifier == number and code in (ACK, NAK, REJECT):
                return code, body
            if protocol == LCP and code == PROTOCOL_REJECT and body[:2] == struct.pack('!H', BCP):
                say(event='protocol-rejected')
                return None, b''
        return self.fail('an answer of BCP')

    def unbridge(self):
        self.bridging, self.theirs = False, ()
        self.number = (self.number + 1) & 0xff
        self.packet(BCP, TERMINATE, self.number)
        for protocol, code, _, _ in self.packets(SECONDS):
            if protocol == BCP and code == TERMINATED:
                say(event='unbridged')
                return
        self.fail('a Terminate-Ack of BCP')

    def hear(self):
        self.heard, deadline = False, time.monotonic() + SECONDS
        while not self.heard and time.monotonic() < deadline:
            for _ in self.packets(0.1):
                pass
        if not self.heard:
            self.fail('a frame')
        say(event='heard')

    def send_data(self, octets):
        self.socket.sendto(struct.pack('!HHH', 2, self.tunnel, self.session) + b'\xff\x03' + octets, self.to)

    def pump(self):
        """A TAP interface on one side, the link on the other, until the end."""
        self.tap = os.open('/dev/net/tun', os.O_RDWR)
        fcntl.ioctl(self.tap, 0x400454ca, struct.pack('16sH14x', self.args.interface.encode(), 0x0002 | 0x1000))  # TUNSETIFF: IFF_TAP, IFF_NO_PI
        say(event='tap')
        deadline = time.monotonic() + self.args.stay
        while time.monotonic() < deadline:
            ready, _, _ = select.select([self.tap, self.socket], [], [], 0.2)
            if self.tap in ready:
                frame = os.read(self.tap, 65536)
                if GROUP == frame[:6] and not self.args.inline:
                    self.send_data(struct.pack('!H', OLD_BPDU) + wrap_bpdu(frame))
                else:
                    self.send_data(struct.pack('!H', BRIDGED) + wrap(frame, fcs=True, pads=len(frame) % 16, tiny=True))
            if self.socket in ready:
                for _ in self.packets(0.001):
                    pass

    def act(self, step):
        what, _, value = step.partition('=')
        if what == 'send':
            self.send_data(bytes.fromhex(value))
            say(event='sent')
        elif what in ('bridge', 'unbridge', 'hear'):
            getattr(self, what)()
        elif what == 'tap':
            self.pump()
        else:
            super().act(step)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--to', required=True)
    parser.add_argument('--port', type=int, default=1701)
    parser.add_argument('--host-name', default='bridge-by-hand')
    parser.add_argument('--id-tunnel', type=int, default=1)
    parser.add_argument('--secret')
    parser.add_argument('--name', required=True)
    parser.add_argument('--password', required=True)
    parser.add_argument('--stay', type=float, default=60, help='seconds, at the end')
    parser.add_argument('--options', default='03030104030108030109020a02', help='of the Configure-Request, in hex')
    parser.add_argument('--refuse', type=int, nargs='*', default=[], help='options of the server that are rejected')
    parser.add_argument('--interface', default='bridged0')
    parser.add_argument('--inline', type=int, default=1, help='0: BPDUs in the form of RFC 1638')
    parser.add_argument('--steps', nargs='*', default=[])
    parser.set_defaults(mrru=0, early=0)
    args = parser.parse_args()
    user = Bridge(args)
    if user.login():
        for step in args.steps:
            user.act(step)
        say(event='done')
        for _ in user.packets(args.stay):
            pass


if __name__ == '__main__':
    main()
