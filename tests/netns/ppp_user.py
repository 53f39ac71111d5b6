#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A PPP user that is written by hand, on the L2TP peer of peer.py: logs in by PAP and does with IPCP what its arguments say, one after another.
Prints a JSON object a line.

  ppp_user.py --to SERVER --name alice --password secret ask=10.9.0.1 settle terminate settle

  ask=ADDRESS  a Configure-Request with that address; prints the code of the answer and the address in it
  settle       asks, and follows what the server suggests, until both directions are acknowledged
  terminate    a Terminate-Request, and waits for its Ack
  fragments=N  N fragments of Multilink (RFC 1990) that never make a packet: begins without an end, gaps, empty ones, numbers from far away

With --mrru the user asks for Multilink; --early N sends as many such fragments before it logs in."""

import argparse
import random
import socket
import struct
import sys
import time

from peer import ASSIGNED_SESSION, CDN, ICCN, ICRP, ICRQ, STOPCCN, Peer, avp, parse, say, u16, u32

LCP, PAP, IPCP, MP = 0xc021, 0xc023, 0x8021, 0x003d
REQUEST, ACK, NAK, REJECT, TERMINATE, TERMINATED, PROTOCOL_REJECT, ECHO, ECHOED = 1, 2, 3, 4, 5, 6, 8, 9, 10
SECONDS = 10


class User(Peer):
    protocols = (LCP, PAP, IPCP)

    def login(self):
        self.open()
        self.send(ICRQ, [avp(ASSIGNED_SESSION, u16(5)), avp(15, u32(1))])
        kind, _, _, found = self.expect(ICRP, CDN, STOPCCN)
        if kind != ICRP:
            say(event='refused', message=kind)
            sys.exit(1)
        self.session = struct.unpack('!H', found[ASSIGNED_SESSION])[0]
        self.send(ICCN, [avp(24, u32(10 ** 9)), avp(19, u32(1))], self.session)
        self.number, self.acked, self.address = 0, False, '0.0.0.0'
        self.packet(LCP, REQUEST, 1, self.lcp_options())
        name, password = self.args.name.encode(), self.args.password.encode()
        tried = False
        for protocol, code, _, _ in self.packets(SECONDS):
            if protocol == LCP and code == REQUEST and not tried:  # which packets() has acknowledged
                self.fragments(self.args.early)
                self.packet(PAP, REQUEST, 1, bytes([len(name)]) + name + bytes([len(password)]) + password)
                tried = True
            elif protocol == PAP:
                say(event='login', accepted=code == ACK)
                return code == ACK
        self.fail('login')

    def said(self, protocol, code, identifier, body):
        """Each control packet that came."""

    def fail(self, what):
        say(event='silence', waited_for=what)
        sys.exit(1)

    def packet(self, protocol, code, identifier, body=b''):
        frame = struct.pack('!HHBBH', 0xff03, protocol, code, identifier, 4 + len(body)) + body
        self.socket.sendto(struct.pack('!HHH', 2, self.tunnel, self.session) + frame, self.to)

    def unwrap(self, frame):
        """What is inside of a frame that carries another protocol's: the frame itself, or None if that was all."""
        return frame

    def packets(self, seconds):
        """What comes in that time, as (protocol, code, identifier, body); what any peer answers is answered already."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            data = self.receive(deadline)
            if not data:
                continue
            if data[0] & 0x80:
                got = parse(data)
                if got:
                    self.nr = max(self.nr, got[2] + 1)
                    self.socket.sendto(struct.pack('!HHHHHH', 0xc802, 12, self.tunnel, 0, self.ns, self.nr), self.to)
                if got and got[0] in (CDN, STOPCCN):
                    say(event='ended', message=got[0])
                    sys.exit(0)
                continue
            frame = data[8 if data[0] & 0x40 else 6:]
            frame = self.unwrap(frame[2:] if frame[:2] == b'\xff\x03' else frame)
            if not frame:
                continue
            protocol, code, identifier, length = struct.unpack_from('!HBBH', frame)
            body = frame[6:2 + length]
            if self.take_data(protocol, frame[2:]):
                continue
            self.said(protocol, code, identifier, body)
            if protocol not in self.protocols:
                self.number += 1
                self.packet(LCP, PROTOCOL_REJECT, self.number & 0xff, frame[:100])
                continue
            if protocol == LCP and code == ECHO:
                self.packet(LCP, ECHOED, identifier, b'\0\0\0\0')
                continue
            if code == REQUEST and protocol != PAP:
                self.answer(protocol, identifier, body)
            yield protocol, code, identifier, body

    def lcp_options(self):
        return struct.pack('!BBH', 17, 4, self.args.mrru) if self.args.mrru else b''

    def take_data(self, protocol, payload):
        """True if a frame of that protocol was data."""
        return False

    def answer(self, protocol, identifier, body):
        """Answers a Configure-Request."""
        self.packet(protocol, ACK, identifier, body)
        self.acked |= protocol == IPCP

    def ask(self, address):
        """The code of the answer, and the address in it."""
        self.number = (self.number + 1) & 0xff
        mine = self.number
        self.packet(IPCP, REQUEST, mine, b'\x03\x06' + socket.inet_aton(address))
        for protocol, code, identifier, body in self.packets(SECONDS):
            if protocol == IPCP and identifier == mine and code in (ACK, NAK, REJECT):
                return code, socket.inet_ntoa(body[2:6])
        return self.fail('an answer to %s' % address)

    def settle(self):
        code = 0
        for _ in range(5):
            code, self.address = self.ask(self.address)
            if code == ACK:
                break
        for _ in self.packets(0 if self.acked else 3):
            if self.acked:
                break
        say(event='open', address=self.address, acknowledged=code == ACK and self.acked)

    def terminate(self):
        self.number = (self.number + 1) & 0xff
        self.acked = False
        self.packet(IPCP, TERMINATE, self.number)
        for protocol, code, _, _ in self.packets(SECONDS):
            if protocol == IPCP and code == TERMINATED:
                say(event='terminated')
                return
        self.fail('a Terminate-Ack')

    def fragments(self, count):
        for i in range(count):
            number = i * 2 if i % 97 else random.getrandbits(24)
            head = struct.pack('!HHHHHI', 2, self.tunnel, self.session, 0xff03, MP, (0x80, 0, 0x80, 0x40)[i % 4] << 24 | number & 0xffffff)
            self.socket.sendto(head + (b'' if i % 5 == 0 else bytes(1000)), self.to)
        if count:
            say(event='fragments', sent=count)

    def act(self, step):
        what, _, address = step.partition('=')
        if what == 'ask':
            self.acked = False
            code, told = self.ask(address)
            say(event='answer', asked=address, code=code, address=told)
        elif what == 'fragments':
            self.fragments(int(address))
        else:
            {'settle': self.settle, 'terminate': self.terminate}[what]()


def arguments(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--to', required=True)
    parser.add_argument('--port', type=int, default=1701)
    parser.add_argument('--host-name', default='by-hand')
    parser.add_argument('--id-tunnel', type=int, default=1)
    parser.add_argument('--secret')
    parser.add_argument('--name', required=True)
    parser.add_argument('--password', required=True)
    parser.add_argument('--mrru', type=int, default=0)
    parser.add_argument('--early', type=int, default=0)
    parser.add_argument('--stay', type=float, default=60, help='seconds, at the end')
    parser.add_argument('steps', nargs='*')
    return parser


def run(user):
    if user.login():
        for step in user.args.steps:
            user.act(step)
        say(event='done')
        for _ in user.packets(user.args.stay):
            pass


if __name__ == '__main__':
    run(User(arguments(__doc__).parse_args()))
