# SPDX-License-Identifier: GPL-2.0-or-later
"""The cost of multilink, encryption and bridging: TCP through a client and a server, against the same session without them."""

import os
import re
import statistics
import subprocess

import configs
import lab as labs
from ends import dialler, figure, three_namespaces, wire_model
from lab import poll, transfer

MRRU, SHAPED = 1600, 200
HOST, FAR, LAN_MTU = '10.70.0.2', '10.70.0.3', 1430  # the largest IP packet in a frame of a tunnel of 1450
THROUGH = '10.50.0.3'
SECOND = ('203.0.113.1', '203.0.113.2')


class Ends:
    """A client, a server and a host behind it; `target` is the host's address that is reached through the session."""

    def __init__(self, lab, name):
        self.lab, self.name, self.target = lab, name, THROUGH
        self.cli, self.srv, self.inn = three_namespaces(lab, name)

    def dial(self, server=None, client=None, profile=None, tree=None):
        """Both daemons, with these options of theirs."""
        self.server = self.lab.adit(self.srv, configs.write(configs.server({'alice': 'p'}, profile=profile, **(server or {}))))
        self.client = self.lab.adit(self.cli, configs.write(tree or configs.client('alice', 'p', profile=profile, **(client or {}))))
        self.session = self.client.session()
        return self

    def route(self):
        self.cli.run('ip', 'route', 'add', self.target + '/32', 'dev', self.session['interface'])
        self.cli.expect_ping(self.target)
        return self

    def second_wire(self):
        self.lab.wire(self.cli, 'wire2', self.srv, 'wire2')
        for namespace, address in ((self.srv, SECOND[0]), (self.cli, SECOND[1])):
            namespace.address('wire2', address + '/24')
            wire_model(namespace, 'wire2')

    def shape(self, *wires):
        for namespace in (self.cli, self.srv):
            for wire in wires:
                namespace.run('tc', 'qdisc', 'add', 'dev', wire, 'root', 'tbf', 'rate', '%dmbit' % SHAPED, 'burst', '32k', 'limit', '1m')

    def bridges(self):
        """The client's address is on its bridge; the host is behind the server's."""
        for namespace in (self.cli, self.srv):
            namespace.run('ip', 'link', 'add', 'lan', 'type', 'bridge')
            namespace.run('ip', 'link', 'set', 'lan', 'up')
        self.lab.wire(self.srv, 'port', self.inn, 'lan')
        for namespace, interface in ((self.srv, 'port'), (self.inn, 'lan')):
            wire_model(namespace, interface)
        self.srv.run('ip', 'link', 'set', 'port', 'master', 'lan')
        for namespace, address in ((self.cli, HOST), (self.inn, FAR)):
            namespace.address('lan', address + '/24')
            namespace.run('ip', 'link', 'set', 'lan', 'mtu', str(LAN_MTU))
        self.target = FAR

    def measure(self, seconds, reverse, streams):
        """Bits a second, and what both daemons need of a processor for a gigabyte."""
        before = self.server.cpu_seconds() + self.client.cpu_seconds()
        rate = transfer(self.inn, self.cli, self.target, seconds=seconds, reverse=reverse, streams=streams)
        return rate, 8e9 * (self.server.cpu_seconds() + self.client.cpu_seconds() - before) / (rate * seconds)


def plain(lab, name):
    return Ends(lab, name).dial(tree=dialler()).route()


def multilink(lab, name):
    return Ends(lab, name).dial({'mrru': MRRU}, {'mrru': MRRU}).route()


def encrypted(lab, name):
    ends = Ends(lab, name).dial(profile={'use-encryption': 'required', 'encryption-types': ['128-bit'], 'encryption-mode': 'stateless'})
    poll(lambda: ends.server.session('alice').get('encoding') == 'MPPE128 stateless', 'MPPE of 128 bits, stateless')
    return ends.route()


def bridged(lab, name):
    ends = Ends(lab, name)
    ends.bridges()
    ends.dial(profile={'bridge': 'lan'})
    ends.cli.expect_ping(ends.target, deadline=20)
    return ends


def one_link(lab, name):
    ends = Ends(lab, name)
    ends.shape('wire')
    return ends.dial({'mrru': MRRU}, {'mrru': MRRU}).route()


def two_links(lab, name):
    ends = Ends(lab, name)
    ends.second_wire()
    ends.shape('wire', 'wire2')
    ends.dial({'mrru': MRRU, 'address': None}, {'mrru': MRRU, 'connect_to': ['192.0.2.1', SECOND[0]], 'links': 2})
    poll(lambda: ends.server.session('alice')['links'] == 2 and ends.client.session()['links'] == 2, 'two links', 15)
    return ends.route()


def mppe_speed(build):
    """Of MPPE, in parts of the speed of RC4 alone."""
    text = subprocess.run([os.path.join(build, 'tests/bench/mppe'), '1'], check=True, capture_output=True, text=True).stdout
    return {way: float(ratio) for way, ratio in re.findall(r'^MPPE-128 stateless, (\w+) .* ([0-9.]+) of it$', text, re.M)}


def spread(values):
    return ' '.join('%.2f' % value for value in values)


def compare(got, name, base, aim, what, method, cost_aim=None):
    """Medians of the ratios in each round, of the throughput and of the daemons' processor time."""
    for reverse, way in ((False, 'up'), (True, 'down')):
        rates = [a[0] / b[0] for a, b in zip(got[name, reverse], got[base, reverse])]
        costs = [b[1] / a[1] for a, b in zip(got[name, reverse], got[base, reverse])]
        figure('TCP %s, %s' % (way, what), statistics.median(rates), 'ratio', aim, '%s: rounds %s' % (method, spread(rates)))
        figure('... by processor time for an octet', statistics.median(costs), 'ratio', cost_aim or aim, 'user and system time of both daemons: rounds %s' % spread(costs))


def extensions(args):
    method = ('iperf3 TCP, client namespace - veth - server namespace - veth - host namespace, "wire" links (TSO and UDP segmentation off, GRO on, '
              'MTU 1500), %d rounds of %d s with the variants taking turns; all share the processors' % (args.rounds, args.seconds))
    makers = {'plain': plain, 'multilink': multilink, 'encrypted': encrypted, 'bridged': bridged, 'one link': one_link, 'two links': two_links}
    got, speeds = {}, []
    with labs.Lab('bench-extensions', args.stage, build=args.build) as lab:
        variants = {name: make(lab, name.replace(' ', '-')) for name, make in makers.items()}
        if args.against:
            lab.use(args.against)
            variants['before'] = plain(lab, 'before')
        for _ in range(args.rounds):
            speeds.append(mppe_speed(lab.build))
            for reverse in (False, True):
                for name, ends in variants.items():
                    got.setdefault((name, reverse), []).append(ends.measure(args.seconds, reverse, 4 if 'link' in name and name != 'multilink' else 1))
        for reverse, way in ((False, 'up'), (True, 'down')):
            for name in variants:
                print('    %-4s %-10s %s' % (way, name, ', '.join('%.0f Mbit/s %.2f s/GB' % (rate / 1e6, cost) for rate, cost in got[name, reverse])))
    if args.against:
        compare(got, 'plain', 'before', '1', 'no extension, of the build before', method)
    compare(got, 'multilink', 'plain', '0.5', 'MRRU %d on one link, of none' % MRRU, method)
    for way in speeds[0]:
        values = [speed[way] for speed in speeds]
        figure('MPPE of 128 bits, stateless, %s, of RC4' % way, statistics.median(values), 'ratio', 'told', 'tests/bench/mppe: rounds %s' % spread(values))
    compare(got, 'encrypted', 'plain', 'told', 'MPPE of 128 bits, stateless, of none', method)
    compare(got, 'bridged', 'plain', '0.7', 'bridged by BCP, of routed', method)
    compare(got, 'two links', 'one link', '1.8', 'two links of %d Mbit/s, of one' % SHAPED, method + ', four streams; shaped by tbf', 'told')
