#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A road of UDP between adit and a RADIUS server on which everything goes wrong that a test asks for.

  radius_proxy.py --listen ADDRESS --to ADDRESS --secret SECRET --control SOCKET [--ports 1812,1813]

It listens on the same ports as the server has. The control socket takes a line of JSON for each wish and answers with one:

  {"set": {"auth": FAULT, "acct": FAULT}}   what goes wrong from now on with the packets of either kind
  {"release": true}                         what "hold" kept goes out
  {"forget": true}                          what "hold" kept is thrown away
  {"stats": true}                           what was seen

FAULT is a map: "dead" (requests vanish), "deaf" (answers vanish: the server has them, adit does not), "hold" (answers wait), "delay" (seconds),
"lie" (one of LIES, below), "share" (of the packets that it happens to, 0 to 1; all without it), "count" (as many packets, then no more)."""

import argparse
import collections
import heapq
import json
import os
import random
import selectors
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import radius  # noqa: E402


def wrong_authenticator(data, _request, _secret):
    return [data[:4] + bytes(octet ^ 0x5a for octet in data[4:20]) + data[20:]]


def truncated(data, _request, _secret):
    return [data[:random.randrange(0, len(data))]]


def flipped(data, _request, _secret):
    at = random.randrange(len(data) * 8)
    return [data[:at // 8] + bytes((data[at // 8] ^ 1 << at % 8,)) + data[at // 8 + 1:]]


def duplicated(data, _request, _secret):
    return [data, data]


def unsigned(data, request, secret):
    """Right but for the Message-Authenticator, which is not there."""
    packet = radius.Packet.parse(data)
    packet.attributes = [a for a in packet.attributes if a[0] != radius.MESSAGE_AUTHENTICATOR]
    return [packet.reply_octets(secret, request[4:20])]


def blast(data, request, secret):
    """What BlastRADIUS ends with: an Access-Accept in place of a reject, with Proxy-States nobody sent, the right Response Authenticator (there by
    an MD5 collision, here by the secret) and no Message-Authenticator."""
    packet = radius.Packet.parse(data)
    forged = radius.Packet(radius.ACCESS_ACCEPT, packet.identifier, attributes=[(6, bytes((0, 0, 0, 2))), (radius.PROXY_STATE, random.randbytes(200))])
    return [forged.reply_octets(secret, request[4:20])]


def wrong_signature(data, request, secret):
    packet = radius.Packet.parse(data)
    packet.attributes = [(kind, random.randbytes(16) if kind == radius.MESSAGE_AUTHENTICATOR else value) for kind, value in packet.attributes]
    return [packet.reply_octets(secret, request[4:20])]


def liars(data, request, secret):
    """A bad answer of each kind, none of them the right one."""
    return [wrong(data, request, secret)[0] for wrong in (wrong_authenticator, truncated, flipped, unsigned, wrong_signature)] + [random.randbytes(64), b'']


def noisy(data, request, secret):
    """The same, and then the truth."""
    return liars(data, request, secret) + [data]


LIES = {'authenticator': wrong_authenticator, 'truncated': truncated, 'flipped': flipped, 'duplicate': duplicated, 'unsigned': unsigned, 'blast': blast,
        'signature': wrong_signature, 'all': liars, 'noise': noisy}


class Role:
    """One port: authentication or accounting."""

    def __init__(self, proxy, name, listener, upstream):
        self.proxy, self.name, self.listener, self.upstream = proxy, name, listener, upstream
        self.clients = collections.OrderedDict()  # address of a client -> our socket to the server for it
        self.requests = {}  # (client, identifier) -> the last request
        self.fault, self.left, self.held = {}, None, []
        self.stats = collections.Counter()

    def strikes(self):
        """Does the fault happen to this packet?"""
        if self.left == 0 or random.random() >= self.fault.get('share', 1):
            return False
        if self.left is not None:
            self.left -= 1
        return True

    def from_client(self):
        try:
            data, client = self.listener.recvfrom(8192)
        except OSError:
            return
        self.stats['requests'] += 1
        if (client, data[1:2]) in self.requests and self.requests[client, data[1:2]] == data:
            self.stats['resent'] += 1
        self.requests[client, data[1:2]] = data
        if self.fault.get('dead') and self.strikes():
            self.stats['lost'] += 1
            return
        if client not in self.clients:
            self.clients[client] = self.proxy.connect(self, client)
        self.clients.move_to_end(client)
        try:
            self.clients[client].send(data)
        except OSError:
            self.stats['refused'] += 1

    def from_server(self, client, up):
        try:
            data = up.recv(8192)
        except OSError:  # the server's port is closed: to adit that is silence
            self.stats['refused'] += 1
            return
        self.stats['answers'] += 1
        self.stats['code %d' % data[0]] += 1
        out = [data]
        happens = any(word in self.fault for word in ('deaf', 'hold', 'delay', 'lie')) and self.strikes()
        if happens and self.fault.get('deaf'):
            self.stats['unheard'] += 1
            return
        if happens and self.fault.get('lie'):
            self.stats['lies'] += 1
            out = LIES[self.fault['lie']](data, self.requests[client, data[1:2]], self.proxy.secret)
        if happens and self.fault.get('hold'):
            self.stats['held'] += 1
            self.held += [(client, datagram) for datagram in out]
        elif happens and self.fault.get('delay'):
            for datagram in out:
                self.proxy.later(self.fault['delay'], self, client, datagram)
        else:
            for datagram in out:
                self.answer(client, datagram)

    def answer(self, client, data):
        try:
            self.listener.sendto(data, client)
            self.stats['delivered'] += 1
        except OSError:
            self.stats['gone'] += 1


class Proxy:
    def __init__(self, args):
        self.secret = args.secret.encode()
        self.selector, self.timers, self.number = selectors.DefaultSelector(), [], 0
        self.roles = {}
        for name, port in zip(('auth', 'acct'), map(int, args.ports.split(','))):
            listener = socket.socket(socket.AF_INET6 if ':' in args.listen else socket.AF_INET, socket.SOCK_DGRAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            listener.bind((args.listen, port))
            listener.setblocking(False)
            self.roles[name] = Role(self, name, listener, (args.to, port))
            self.selector.register(listener, selectors.EVENT_READ, self.roles[name].from_client)
        self.source = args.listen
        self.control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.control.bind(args.control)
        self.control.listen()
        self.selector.register(self.control, selectors.EVENT_READ, self.wish)

    def connect(self, role, client):
        """A socket of its own for each of adit's, so that identifiers can't meet. The oldest go when there are many."""
        up = socket.socket(role.listener.family, socket.SOCK_DGRAM)
        up.bind((self.source, 0))
        up.connect(role.upstream)
        up.setblocking(False)
        self.selector.register(up, selectors.EVENT_READ, lambda: role.from_server(client, up))
        if len(role.clients) >= 400:
            _, oldest = role.clients.popitem(last=False)
            self.selector.unregister(oldest)
            oldest.close()
        return up

    def later(self, seconds, role, client, data):
        self.number += 1
        heapq.heappush(self.timers, (time.monotonic() + seconds, self.number, role, client, data))

    def wish(self):
        connection, _ = self.control.accept()
        with connection, connection.makefile('rw') as stream:
            line = stream.readline()
            if not line:
                return
            wish, result = json.loads(line), {}
            for name, fault in wish.get('set', {}).items():
                role = self.roles[name]
                role.fault, role.left = fault, fault.get('count')
            for role in self.roles.values():
                if wish.get('release'):
                    for client, data in role.held:
                        role.answer(client, data)
                if wish.get('release') or wish.get('forget'):
                    role.held = []
                result[role.name] = dict(role.stats, held_now=len(role.held))
            stream.write(json.dumps(result) + '\n')

    def run(self):
        print('ready', flush=True)
        while True:
            now = time.monotonic()
            while self.timers and self.timers[0][0] <= now:
                _, _, role, client, data = heapq.heappop(self.timers)
                role.answer(client, data)
            for key, _ in self.selector.select(max(0, self.timers[0][0] - now) if self.timers else None):
                key.data()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for word in ('--listen', '--to', '--secret', '--control'):
        parser.add_argument(word, required=True)
    parser.add_argument('--ports', default='1812,1813')
    Proxy(parser.parse_args()).run()


if __name__ == '__main__':
    main()
