#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An L2TP peer that is written by hand, for tests in namespaces. Prints what happens as a JSON object a line.

  peer.py replay --to SERVER --type 2 --id 7 --name alice --challenge HEX --response HEX [--secret SECRET]
  peer.py restart --to SERVER          a tunnel, and then an SCCRQ with its id again, as after a restart
  peer.py spray --to SERVER --source ADDRESS --assigned 1   a StopCCN for each tunnel id, in the name of another"""

import argparse
import hashlib
import json
import socket
import struct
import sys
import time

SCCRQ, SCCRP, SCCCN, STOPCCN, HELLO, ICRQ, ICRP, ICCN, CDN = 1, 2, 3, 4, 6, 10, 11, 12, 14
HOST_NAME, ASSIGNED_TUNNEL, CHALLENGE, RESPONSE, ASSIGNED_SESSION = 7, 9, 11, 13, 14


def say(**what):
    print(json.dumps(what), flush=True)


def avp(kind, value, mandatory=True):
    return struct.pack('!HHH', (0x8000 if mandatory else 0) | (6 + len(value)), 0, kind) + value


def u16(value):
    return struct.pack('!H', value)


def u32(value):
    return struct.pack('!I', value)


def control(tunnel, session, ns, nr, message=0, avps=()):
    body = (avp(0, u16(message)) if message else b'') + b''.join(avps)
    return struct.pack('!HHHHHH', 0xc802, 12 + len(body), tunnel, session, ns, nr) + body


def parse(data):
    """(message type, header's session id, map of AVP to value), or None for data and ZLBs."""
    flags, length, _, session, ns = struct.unpack_from('!HHHHH', data)
    if not flags & 0x8000 or length <= 12:
        return None
    at, found = 12, {}
    while at + 6 <= length:
        size = struct.unpack_from('!H', data, at)[0] & 0x3ff
        found[struct.unpack_from('!H', data, at + 4)[0]] = data[at + 6:at + size]
        at += max(size, 6)
    return struct.unpack('!H', found[0])[0], session, ns, found


class Peer:
    def __init__(self, args):
        self.socket = socket.socket(socket.AF_INET6 if ':' in args.to else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('::' if ':' in args.to else '0.0.0.0', args.port))
        self.to, self.args = (args.to, 1701), args
        self.tunnel, self.ns, self.nr = 0, 0, 0

    def send(self, message, avps=(), session=0):
        self.socket.sendto(control(self.tunnel, session, self.ns, self.nr, message, avps), self.to)
        self.ns += 1

    def receive(self, deadline):
        """The next datagram: its bytes, or None when the time is over."""
        self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            return self.socket.recv(4096)
        except (TimeoutError, ConnectionRefusedError):
            return None

    def expect(self, *wanted, seconds=10):
        """The next control message of these types; everything is acknowledged and said."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            data = self.receive(deadline)
            got = parse(data) if data else None
            if not got:
                continue
            self.nr = max(self.nr, got[2] + 1)
            if got[0] in wanted:
                return got
            self.socket.sendto(control(self.tunnel, 0, self.ns, self.nr), self.to)
        say(event='silence', waited_for=wanted)
        sys.exit(1)

    def expect_acknowledged(self, seconds=10):
        """Until the peer has taken all that was sent."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            data = self.receive(deadline)
            if data and len(data) >= 12 and data[0] & 0x80 and struct.unpack_from('!H', data, 10)[0] == self.ns & 0xffff:
                return
        say(event='silence', waited_for='an acknowledgement')
        sys.exit(1)

    def request(self):
        return [avp(2, u16(0x100)), avp(HOST_NAME, self.args.host_name.encode()), avp(3, u32(3)), avp(ASSIGNED_TUNNEL, u16(self.args.id_tunnel))]

    def open(self):
        self.send(SCCRQ, self.request())
        _, _, _, found = self.expect(SCCRP)
        self.tunnel = struct.unpack('!H', found[ASSIGNED_TUNNEL])[0]
        proof = []
        if CHALLENGE in found and self.args.secret:
            proof = [avp(RESPONSE, hashlib.md5(bytes([SCCCN]) + self.args.secret.encode() + found[CHALLENGE]).digest())]
        self.send(SCCCN, proof)
        self.expect_acknowledged()
        say(event='tunnel', id=self.tunnel)


def replay(args):
    peer = Peer(args)
    peer.open()
    peer.send(ICRQ, [avp(ASSIGNED_SESSION, u16(5)), avp(15, u32(1))])
    kind, _, _, found = peer.expect(ICRP, CDN, STOPCCN)
    if kind != ICRP:
        say(event='refused', message=kind)
        sys.exit(1)
    session = struct.unpack('!H', found[ASSIGNED_SESSION])[0]
    octets = bytes.fromhex
    peer.send(ICCN, [avp(24, u32(10 ** 9)), avp(19, u32(1)), avp(27, octets(args.sent), False), avp(28, octets(args.received), False),
                     avp(29, u16(args.type), False), avp(30, args.name.encode(), False), avp(31, octets(args.challenge), False),
                     avp(32, u16(args.id), False), avp(33, octets(args.response), False)], session)
    say(event='call', id=session)
    deadline = time.monotonic() + args.seconds
    while time.monotonic() < deadline:
        data = peer.receive(deadline)
        if not data:
            continue
        if not data[0] & 0x80:  # data: the PPP frame is behind flags, perhaps a length, and the ids
            frame = data[8 if data[0] & 0x40 else 6:]
            say(event='ppp', frame=(frame[2:] if frame[:2] == b'\xff\x03' else frame).hex())
        else:
            got = parse(data)
            if got and got[0] in (CDN, STOPCCN):
                say(event='ended', message=got[0])


def restart(args):
    peer = Peer(args)
    peer.open()
    first = peer.tunnel
    peer.tunnel, peer.ns, peer.nr = 0, 0, 0
    repeat, deadline, begun = 1.0, time.monotonic() + args.seconds, time.monotonic()
    due, acknowledged = 0, False
    while time.monotonic() < deadline:
        if time.monotonic() >= due and not acknowledged:
            peer.socket.sendto(control(0, 0, 0, 0, SCCRQ, peer.request()), peer.to)
            due, repeat = time.monotonic() + repeat, repeat * 2
        data = peer.receive(min(due, deadline) if not acknowledged else deadline)
        if not data or not data[0] & 0x80:
            continue
        got = parse(data)
        if got and got[0] == SCCRP:
            say(event='answered', id=struct.unpack('!H', got[3][ASSIGNED_TUNNEL])[0], before=first, after=round(time.monotonic() - begun, 1))
            return
        if not got and struct.unpack_from('!HH', data, 8)[1] >= 1:  # Nr: RFC 2661 5.8, it is repeated no more
            acknowledged = True
            say(event='acknowledged')
    say(event='silence')


def checksum(data):
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def spray(args):
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    source, target = socket.inet_aton(args.source), socket.inet_aton(args.to)
    sent = 0
    for ns in range(args.ns, args.ns + args.width):
        for tunnel in range(1, 0x10000):
            body = control(tunnel, 0, ns, args.nr, STOPCCN, [avp(ASSIGNED_TUNNEL, u16(args.assigned)), avp(1, u16(1))])
            udp = struct.pack('!HHHH', args.port, 1701, 8 + len(body), 0) + body
            header = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, source, target)
            header = header[:10] + u16(checksum(header)) + header[12:]
            try:
                raw.sendto(header + udp, (args.to, 0))
                sent += 1
            except OSError:
                time.sleep(0.001)
            if sent % 500 == 0:
                time.sleep(0.002)  # so that the server's queues don't decide
    say(event='sprayed', sent=sent)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('what', choices=['replay', 'restart', 'spray'])
    parser.add_argument('--to', required=True)
    parser.add_argument('--port', type=int, default=1701)
    parser.add_argument('--host-name', default='stranger')
    parser.add_argument('--id-tunnel', type=int, default=1)
    parser.add_argument('--secret')
    parser.add_argument('--seconds', type=float, default=8)
    parser.add_argument('--type', type=int, default=2)
    parser.add_argument('--id', type=int, default=1)
    parser.add_argument('--name', default='alice')
    for key in ('challenge', 'response', 'sent', 'received'):
        parser.add_argument('--' + key, default='')
    parser.add_argument('--source')
    parser.add_argument('--assigned', type=int, default=1)
    parser.add_argument('--ns', type=int, default=2)
    parser.add_argument('--nr', type=int, default=2)
    parser.add_argument('--width', type=int, default=3)
    args = parser.parse_args()
    {'replay': replay, 'restart': restart, 'spray': spray}[args.what](args)


if __name__ == '__main__':
    main()
