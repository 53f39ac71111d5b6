#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A PPP user with Multilink (RFC 1990) that is written by hand; as ppp_user.py, with these steps, too:

  ping=OCTETS   an ICMP Echo-Request of that size in fragments, and the answer; prints its size and in how many fragments it came
  echo          an LCP Echo-Request inside of Multilink, and its answer
  goodbye       an LCP Terminate-Request inside of Multilink, which must not be read (RFC 1990 2)
  begins=N      that many fragments that begin a packet of which nothing more comes
  joined        the link is in a session that has its NCPs: nothing is asked

--mrru, --short and --discriminator HEX (class and address) are its options of LCP; --outside sends NCPs outside of Multilink."""

import socket
import struct

import ppp_user
from peer import say

MP, IPV4, FRAGMENT = 0x3d, 0x21, 700
GATEWAY = '10.64.0.1'


def checksum(data):
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def echo_request(source, size):
    icmp = struct.pack('!BBHHH', 8, 0, 0, 7, 1) + bytes(size - 28)
    icmp = icmp[:2] + struct.pack('!H', checksum(icmp + bytes(len(icmp) % 2))) + icmp[4:]
    head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, size, 1, 0x4000, 64, 1, 0, socket.inet_aton(source), socket.inet_aton(GATEWAY))
    return head[:10] + struct.pack('!H', checksum(head)) + head[12:] + icmp


class MpUser(ppp_user.User):
    def __init__(self, args):
        super().__init__(args)
        self.sequence, self.pieces, self.count, self.echoed = 0, b'', 0, False
        self.data = None  # the last IPv4 packet, and in how many fragments it came

    def options(self):
        options = struct.pack('!BBH', 17, 4, self.args.mrru) if self.args.mrru else b''
        options += b'\x12\x02' if self.args.short else b''
        identity = bytes.fromhex(self.args.discriminator)
        return options + (bytes([19, 2 + len(identity)]) + identity if identity else b'')

    def packet(self, protocol, code, identifier, body=b''):
        if protocol == ppp_user.LCP and code == ppp_user.REQUEST:
            body = self.options()
        if protocol != ppp_user.IPCP or self.args.outside:
            super().packet(protocol, code, identifier, body)
        else:
            self.inside(struct.pack('!HBBH', protocol, code, identifier, 4 + len(body)) + body)

    def fragment(self, octets, begin=True, end=True):
        flags = (0x80 if begin else 0) | (0x40 if end else 0)
        head = struct.pack('!I', flags << 24 | self.sequence & 0xffffff)
        self.sequence += 1
        self.socket.sendto(struct.pack('!HHHHH', 2, self.tunnel, self.session, 0xff03, MP) + head + octets, self.to)

    def inside(self, octets):
        cut = range(0, len(octets), FRAGMENT)
        for at in cut:
            self.fragment(octets[at:at + FRAGMENT], at == 0, at == cut[-1])

    def unwrap(self, frame):
        if frame[:2] == struct.pack('!H', IPV4):
            self.data = frame[2:], 0
            return None
        if frame[:2] != struct.pack('!H', MP):
            return frame
        is_short = self.args.short
        flags, piece = frame[2], frame[4 if is_short else 6:]
        self.pieces = piece if flags & 0x80 else self.pieces + piece
        self.count = 1 if flags & 0x80 else self.count + 1
        if not flags & 0x40:
            return None
        whole = self.pieces if not self.pieces[0] & 1 else b'\0' + self.pieces
        if whole[:2] == struct.pack('!H', IPV4):
            self.data = whole[2:], self.count
            return None
        return whole

    def said(self, protocol, code, identifier, body):
        if protocol == ppp_user.LCP and code == ppp_user.ECHOED:
            self.echoed = True
        elif protocol == ppp_user.LCP and code in (ppp_user.ACK, ppp_user.NAK, ppp_user.REJECT):
            say(event='options', code=code, options=body.hex())

    def ask_until(self, ask, done, what):
        """Asks every half second until it is done: the other side may not be ready, or drop what comes."""
        for _ in range(20):
            ask()
            for _ in self.packets(0.5):
                if done():
                    return
            if done():
                return
        self.fail(what)

    def ping(self, size):
        self.data = None
        request = struct.pack('!H', IPV4) + echo_request(self.address, size)
        self.ask_until(lambda: self.inside(request), lambda: self.data, 'an answer to a ping of %d' % size)
        say(event='pong', size=len(self.data[0]), fragments=self.data[1])

    def act(self, step):
        what, _, number = step.partition('=')
        if what == 'ping':
            self.ping(int(number))
        elif what == 'echo':
            self.echoed = False
            request = struct.pack('!HBBHI', ppp_user.LCP, ppp_user.ECHO, 9, 8, 0)
            self.ask_until(lambda: self.inside(request), lambda: self.echoed, 'an Echo-Reply')
            say(event='echoed')
        elif what == 'goodbye':
            self.inside(struct.pack('!HBBH', ppp_user.LCP, ppp_user.TERMINATE, 9, 4))
        elif what == 'begins':
            for _ in range(int(number)):
                self.fragment(bytes(1400), True, False)
        elif what == 'joined':
            say(event='joined')
        else:
            super().act(step)


def main():
    parser = ppp_user.arguments(__doc__)
    parser.add_argument('--short', action='store_true')
    parser.add_argument('--outside', action='store_true')
    parser.add_argument('--discriminator', default='')
    ppp_user.run(MpUser(parser.parse_args()))


if __name__ == '__main__':
    main()
