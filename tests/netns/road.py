# SPDX-License-Identifier: GPL-2.0-or-later
"""The network that the cases of ring 3 stand on: a server, a router and a client in namespaces joined by veth."""

import os

import capture
import configs
from lab import poll

SERVER, SERVER_TOO, CLIENT = '192.0.2.1', '192.0.2.7', '198.51.100.2'
SERVER6, CLIENT6 = '2001:db8:1::1', '2001:db8:2::2'
INSIDE = '10.64.0.1'
USERS = {'alice': 'wonder-land'}


class Road:
    """srv - mid - cli: a server, a router, a client. Everything on the server's wire is captured and judged."""

    def __init__(self, lab, watch=True):
        self.lab = lab
        self.srv, self.mid, self.cli = lab.namespace('srv'), lab.namespace('mid'), lab.namespace('cli')
        lab.wire(self.srv, 'wire', self.mid, 'to-srv')
        lab.wire(self.cli, 'wire', self.mid, 'to-cli')
        self.srv.address('wire', SERVER + '/24', SERVER_TOO + '/24', SERVER6 + '/64')
        self.mid.address('to-srv', '192.0.2.254/24', '2001:db8:1::ffff/64')
        self.mid.address('to-cli', '198.51.100.254/24', '2001:db8:2::ffff/64')
        self.cli.address('wire', CLIENT + '/24', CLIENT6 + '/64')
        for key in ('net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding'):
            self.mid.sysctl(key, 1)
        for namespace, via4, via6 in ((self.srv, '192.0.2.254', '2001:db8:1::ffff'), (self.cli, '198.51.100.254', '2001:db8:2::ffff')):
            namespace.run('ip', 'route', 'add', 'default', 'via', via4)
            namespace.run('ip', '-6', 'route', 'add', 'default', 'via', via6)
        self.wire = self.srv.capture('wire', 'udp') if watch else None

    def server(self, secrets=None, **options):
        return self.lab.adit(self.srv, configs.write(configs.server(secrets or USERS, **options)))

    def client(self, user='alice', password='wonder-land', name=None, **options):
        """A second one has a name, and a namespace of its own behind the same router: there is one adit to a namespace."""
        namespace = next((n for n in self.lab.namespaces if n.role == (name or 'cli')), None)
        if not namespace:
            subnet = 110 + len(self.lab.namespaces)
            namespace = self.lab.namespace(name)
            self.lab.wire(namespace, 'wire', self.mid, 'to-' + name)
            namespace.address('wire', '198.51.%d.2/24' % subnet)
            self.mid.address('to-' + name, '198.51.%d.254/24' % subnet)
            namespace.run('ip', 'route', 'add', 'default', 'via', '198.51.%d.254' % subnet)
        return self.lab.adit(namespace, configs.write(configs.client(user, password, **options)))

    def ends(self, server, client, user='alice'):
        """Waits until both ends have the session; returns (server's view, client's view)."""
        return server.session(user), client.session()

    def works(self, server, client, user='alice'):
        """The session stands and carries pings both ways."""
        at_server, at_client = self.ends(server, client, user)
        client.namespace.expect_ping(INSIDE, 'client to server')
        self.srv.expect_ping(at_server['remote-address'], 'server to client')
        return at_server, at_client

    def sent(self, display_filter):
        """How many captured packets match."""
        return len(capture.tshark(self.wire.path, display_filter).splitlines())

    def expect_sent(self, display_filter, what):
        """The capture may be a moment behind."""
        poll(lambda: self.sent(display_filter), what, 5, 0.3)


def load(lab, namespace, sessions, *more, user='alice', password='wonder-land', name='load'):
    """The load generator of tests/bench: an independent client that dials from ephemeral ports."""
    return namespace.start(name, os.path.join(lab.build, 'tests/bench/load'), '--to', SERVER, '--sessions', sessions, '--user', user, '--password', password, *more)


def flatten(value):
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in flatten(item)]
    return [int(value)] if isinstance(value, str) and value.isdigit() else [value]
