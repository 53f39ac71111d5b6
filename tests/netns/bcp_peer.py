#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The other end of a bridged link, with the codec of tests/lib/bcp_codec.py on the PPP user of ppp_user.py. Prints a JSON object a line.

  bcp_peer.py --to SERVER --name alice --password secret --steps settle bridge hear send=HEX tap     dials
  bcp_peer.py --listen --name alice --password secret --steps settle bridge hear                     is dialled: an L2TP server for one call

  settle, ask, terminate   as ppp_user.py: IPCP
  bridge     negotiates BCP with --options, and rejects --refuse of what the other end asks for; prints what both have agreed on
  hear       waits for a frame from the bridge
  send=HEX   sends the octets as they are, the PPP protocol first
  unbridge   a Terminate-Request of BCP
  tap        opens the TAP interface --interface and bridges it with the link until the end

What comes from the bridge is printed as event `frame`: the protocol, the fields of the figure and the Ethernet frame. Event `fault` is a
rule of the RFC that the other end breaks."""

import argparse
import contextlib
import fcntl
import os
import select
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
import bcp_codec as bcp  # noqa: E402
from peer import ASSIGNED_SESSION, ASSIGNED_TUNNEL, ICCN, ICRP, ICRQ, SCCCN, SCCRP, SCCRQ, avp, control, parse, say, u16  # noqa: E402
from ppp_user import ACK, IPCP, LCP, NAK, PAP, PROTOCOL_REJECT, REJECT, REQUEST, SECONDS, TERMINATE, TERMINATED, User  # noqa: E402

GIVEN_MAC = bytes.fromhex('02c0dec0de01')  # to an end that asks for an address
ADDRESS = 3  # the option of IPCP


def option(kind, value=b''):
    return bytes([kind, 2 + len(value)]) + value


class Bridge(User):
    protocols = (LCP, PAP, IPCP, bcp.BCP)
    heard = bridging = agreed = False
    tap, asked, theirs, mine, mac = None, None, [], [], bytes(6)

    def lcp_options(self):
        return b'\x01\x04\x06\x40'  # MRU 1600

    def report_faults(self, faults, octets):
        for fault in faults:
            say(event='fault', rule=fault, octets=octets.hex())

    def take_data(self, protocol, payload):
        if protocol not in (bcp.BRIDGED, bcp.OLD_BPDU):
            return False
        if not (self.bridging and self.agreed):
            self.report_faults(['a frame before BCP is open (4.1)'], payload)
        if protocol == bcp.OLD_BPDU:
            self.report_faults(['an old BPDU although Management-Inline was agreed on (appendix A)'] if dict(self.mine).keys() >= {bcp.INLINE} else [], payload)
            self.take_frame(protocol, payload, bcp.Bridged(bcp.inline_bpdu(payload, self.mac)))
            return True
        try:
            bridged = bcp.decode(payload)
        except bcp.Malformed as malformed:
            self.report_faults([str(malformed)], payload)
            return True
        self.report_faults(bcp.faults_of_frame(bridged, self.mine), payload)
        self.take_frame(protocol, payload, bridged)
        return True

    def take_frame(self, protocol, payload, bridged):
        self.heard = True
        if self.tap is None:
            say(event='frame', protocol=protocol, length=len(payload), frame=bridged.frame.hex(), compressed=bridged.compressed, control=bridged.control,
                pads=bridged.pads, fcs=bridged.fcs is not None)
        elif bridged.fcs is None or bridged.fcs_is_right():
            with contextlib.suppress(OSError):  # it is not up yet
                os.write(self.tap, bridged.frame)

    def answer(self, protocol, identifier, body):
        if protocol != bcp.BCP:
            super().answer(protocol, identifier, body)
            return
        self.report_faults(bcp.faults_of_request(body), body)
        asked = bcp.split_options(body)
        refused = b''.join(option(*one) for one in asked if one[0] in self.args.refuse)
        if refused:
            self.packet(bcp.BCP, REJECT, identifier, refused)
        elif (bcp.MAC_ADDRESS, bytes(6)) in asked:
            self.packet(bcp.BCP, NAK, identifier, bcp.encode_option(bcp.MAC_ADDRESS, GIVEN_MAC))
        else:
            self.packet(bcp.BCP, ACK, identifier, body)
            self.theirs, self.bridging = asked, True
            self.mac = dict(asked).get(bcp.MAC_ADDRESS, bytes(6))

    def bridge(self):
        refusals, code = [], None
        mine = bcp.split_options(bytes.fromhex(self.args.options))
        for _ in range(10):
            self.number = (self.number + 1) & 0xff
            request = b''.join(option(*one) for one in mine)
            self.mine = bcp.decode_options(request)
            self.asked = self.number
            self.packet(bcp.BCP, REQUEST, self.asked, request)
            code, said = self.answer_to(self.asked)
            if code in (ACK, None):
                break
            refusals.append([code, said.hex()])
            if code == NAK:
                self.report_faults(bcp.faults_of_nak(request, said), said)
            for kind, value in bcp.split_options(said):
                mine = [one for one in mine if one[0] != kind] + ([(kind, value)] if code == NAK else [])
        deadline = time.monotonic() + SECONDS
        while code == ACK and not self.bridging and time.monotonic() < deadline:
            for _ in self.packets(0.2):
                pass
        say(event='bridge', open=self.agreed and self.bridging, mine=b''.join(option(*one) for one in mine).hex(),
            theirs={kind: value.hex() for kind, value in self.theirs}, refusals=refusals)

    def said(self, protocol, code, identifier, body):
        if protocol == bcp.BCP and code == ACK and identifier == self.asked:
            self.agreed = True

    def answer_to(self, number):
        for protocol, code, identifier, body in self.packets(SECONDS):
            if protocol == bcp.BCP and identifier == number and code in (ACK, NAK, REJECT):
                return code, body
            if protocol == LCP and code == PROTOCOL_REJECT and body[:2] == struct.pack('!H', bcp.BCP):
                say(event='protocol-rejected')
                return None, b''
        return self.fail('an answer of BCP')

    def unbridge(self):
        self.number = (self.number + 1) & 0xff
        self.packet(bcp.BCP, TERMINATE, self.number)
        for protocol, code, _, _ in self.packets(SECONDS):
            if protocol == bcp.BCP and code == TERMINATED:
                self.bridging, self.agreed, self.theirs = False, False, []
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

    def send_frame(self, frame):
        bpdu = None if self.args.inline else bcp.bpdu_of(frame)
        if bpdu is not None:
            self.send_data(bcp.old_bpdu(bpdu))
        else:
            self.send_data(struct.pack('!H', bcp.BRIDGED) + bcp.encode(bcp.restore(frame), fcs=True, pads=len(frame) % 16, tinygram=True))

    def pump(self):
        """A TAP interface on one side, the link on the other, until the end."""
        self.tap = os.open('/dev/net/tun', os.O_RDWR)
        fcntl.ioctl(self.tap, 0x400454ca, struct.pack('16sH14x', self.args.interface.encode(), 0x0002 | 0x1000))  # TUNSETIFF: IFF_TAP, IFF_NO_PI
        say(event='tap')
        deadline = time.monotonic() + self.args.stay
        while time.monotonic() < deadline:
            ready, _, _ = select.select([self.tap, self.socket], [], [], 0.2)
            if self.tap in ready:
                self.send_frame(os.read(self.tap, 65536))
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


class BridgeServer(Bridge):
    """An L2TP server for one tunnel with one call, which asks for PAP and gives the caller --address."""

    def login(self):
        say(event='listening')
        self.socket.settimeout(self.args.stay)
        data, self.to = self.socket.recvfrom(4096)
        kind, _, ns, found = parse(data)
        if kind != SCCRQ:
            self.fail('an SCCRQ')
        self.nr, self.tunnel = ns + 1, struct.unpack('!H', found[ASSIGNED_TUNNEL])[0]
        self.send(SCCRP, self.request())
        self.expect(SCCCN)
        self.session = struct.unpack('!H', self.expect(ICRQ)[3][ASSIGNED_SESSION])[0]
        self.send(ICRP, [avp(ASSIGNED_SESSION, u16(5))], self.session)
        self.expect(ICCN)
        self.socket.sendto(control(self.tunnel, 0, self.ns, self.nr), self.to)
        self.number, self.acked, self.address = 0, False, self.args.own
        self.packet(LCP, REQUEST, 1, self.lcp_options() + b'\x03\x04' + struct.pack('!H', PAP))
        name, password = self.args.name.encode(), self.args.password.encode()
        for protocol, code, identifier, body in self.packets(SECONDS):
            if protocol == PAP and code == REQUEST:
                accepted = body == bytes([len(name)]) + name + bytes([len(password)]) + password
                self.packet(PAP, ACK if accepted else NAK, identifier, b'\0')
                say(event='login', accepted=accepted)
                return accepted
        return self.fail('login')

    def answer(self, protocol, identifier, body):
        if protocol != IPCP:
            super().answer(protocol, identifier, body)
            return
        given = socket.inet_aton(self.args.address)
        asked = bcp.split_options(body)  # of LCP's form, as BCP's
        others = b''.join(option(*one) for one in asked if one[0] != ADDRESS)
        if others:
            self.packet(IPCP, REJECT, identifier, others)
        elif (ADDRESS, given) not in asked:
            self.packet(IPCP, NAK, identifier, option(ADDRESS, given))
        else:
            super().answer(protocol, identifier, body)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--to', default='0.0.0.0')
    parser.add_argument('--listen', action='store_true')
    parser.add_argument('--port', type=int, default=1701)
    parser.add_argument('--host-name', default='bridge-by-hand')
    parser.add_argument('--id-tunnel', type=int, default=1)
    parser.add_argument('--secret')
    parser.add_argument('--name', required=True)
    parser.add_argument('--password', required=True)
    parser.add_argument('--own', default='10.64.0.1', help='with --listen: the address of this end')
    parser.add_argument('--address', default='10.64.0.2', help='with --listen: the address of the caller')
    parser.add_argument('--stay', type=float, default=60, help='seconds, at the end')
    parser.add_argument('--options', default='03030104030108030109020a02', help='of the Configure-Request, in hex')
    parser.add_argument('--refuse', type=int, nargs='*', default=[], help='options of the other end that are rejected')
    parser.add_argument('--no-bcp', action='store_true', help='BCP gets a Protocol-Reject')
    parser.add_argument('--interface', default='bridged0')
    parser.add_argument('--inline', type=int, default=1, help='0: BPDUs in the form of RFC 1638')
    parser.add_argument('--steps', nargs='*', default=[])
    parser.set_defaults(mrru=0, early=0)
    args = parser.parse_args()
    user = (BridgeServer if args.listen else Bridge)(args)
    if args.no_bcp:
        user.protocols = (LCP, PAP, IPCP)
    if user.login():
        for step in args.steps:
            user.act(step)
        say(event='done')
        for _ in user.packets(args.stay):
            pass


if __name__ == '__main__':
    main()
