# SPDX-License-Identifier: GPL-2.0-or-later
"""The recipes of doc/cookbook.md: each configuration is taken from the document as it is, checked, started, and does what is promised."""

import json
import os

import cookbook
import freeradius
from capture import tshark
from lab import Adit, Failure, expect, poll
from road import SERVER, Road
from runner import case

HOST, SECOND, WORLD, RADIUS = '10.10.0.53', '203.0.113.1', '203.0.113.9', ('203.0.113.10', '203.0.113.11')


class Machine(Adit):
    """aditd with a machine's files of a recipe, in a folder of their own."""

    def __init__(self, kitchen, namespace, machine, name=None):
        self.recipe, self.machine = kitchen.recipe, machine
        super().__init__(kitchen.lab, namespace, kitchen.recipe.files(machine), name or machine)

    def configure(self, config):
        folder = os.path.join(self.lab.folder, self.name + '.etc')
        for what, text in config.items():
            path = os.path.join(folder, what)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'w') as f:
                os.fchmod(f.fileno(), 0o600)
                f.write(text)
        self.config_path = os.path.join(folder, 'adit.yaml')
        checked = self.namespace.run(self.lab.aditd, '--check', '--config', self.config_path, '--plugin-dir', self.lab.plugins, check=False)
        said = [line for line in (checked.stdout + checked.stderr).splitlines() if '.yaml:' in line and not line.endswith(': good')]
        expect(checked.returncode == 0 and not said, 'aditd --check on %s: %s' % (self.name, checked.stdout + checked.stderr))

    def shows(self):
        """The commands of the document print what it says."""
        for command, lines in cookbook.shows(self.recipe.block(self.machine, 'shows')):
            expect(command[0] == 'aditctl' and lines, 'not a command with its output: %s' % command)

            def missing():
                return cookbook.missing_lines(lines, self.ctl(*command[1:]).stdout)
            try:
                poll(lambda: not missing(), 'printed', 15, 0.3)
            except Failure:
                raise Failure('at %s, `%s` does not print "%s"' % (self.machine, ' '.join(command), '", "'.join(missing()))) from None


class Kitchen:
    """A recipe and its network: the road of road.py, more machines at its router, and the network of the office behind the server."""

    def __init__(self, lab, name):
        self.lab, self.recipe, self.road = lab, cookbook.read()[name], Road(lab)
        self.srv, self.cli = self.road.srv, self.road.cli

    def host(self, name, gateway, subnet, address, subnet6=None):
        """A machine in the network behind `gateway`, which is the first address of it."""
        host = self.lab.namespace(name)
        self.lab.wire(gateway, 'lan', host, 'eth')
        for prefix, own, length in [(subnet, address, 24)] + ([(subnet6, subnet6 + '53', 64)] if subnet6 else []):
            first = prefix + '1'
            gateway.address('lan', '%s/%d' % (first, length))
            host.address('eth', '%s/%d' % (own, length))
            host.run('ip', 'route', 'add', 'default', 'via', first)
        return host

    def beside(self, name, *addresses):
        """A machine at the router, with these addresses of 203.0.113.0/24."""
        machine = self.lab.namespace(name)
        self.lab.wire(machine, 'wire', self.road.mid, 'to-' + name)
        machine.address('wire', *[a + '/24' for a in addresses])
        self.road.mid.address('to-' + name, '203.0.113.254/24')
        machine.run('ip', 'route', 'add', 'default', 'via', '203.0.113.254')
        return machine

    def run(self, namespace, machine):
        """The commands that the document has for the machine's shell."""
        namespace.run('sh', '-ec', self.recipe.block(machine, 'run'))

    def start(self, namespace, machine, name=None):
        return Machine(self, namespace, machine, name)


@case
def cookbook_site_to_site(lab):
    kitchen = Kitchen(lab, 'site-to-site')
    at_hq = kitchen.host('hosta', kitchen.srv, '10.10.0.', HOST, '2001:db8:10::')
    at_branch = kitchen.host('hostb', kitchen.cli, '10.20.0.', '10.20.0.53', '2001:db8:20::')
    kitchen.run(kitchen.srv, 'hq')
    kitchen.run(kitchen.cli, 'branch')
    hq = kitchen.start(kitchen.srv, 'hq')
    branch = kitchen.start(kitchen.cli, 'branch')
    hq.session('branch')
    branch.session()
    for target in (HOST, '2001:db8:10::53'):
        poll(lambda: at_branch.ping(target, deadline=2), 'from the branch to %s' % target)
    for target in ('10.20.0.53', '2001:db8:20::53'):
        at_hq.expect_ping(target, 'from the headquarters')
    for machine in (hq, branch):
        machine.shows()
    hq.ctl('disconnect', 'branch')
    poll(lambda: at_branch.ping(HOST, deadline=2), 'the branch has redialled', 20)
    branch.stop()
    hq.no_session()
    hq.stop()


@case
def cookbook_road_warriors(lab):
    kitchen = Kitchen(lab, 'road-warriors')
    kitchen.host('host', kitchen.srv, '10.10.0.', HOST)
    kitchen.run(kitchen.srv, 'office')
    office = kitchen.start(kitchen.srv, 'office')
    laptop = kitchen.start(kitchen.cli, 'laptop')
    bob = kitchen.road.client('bob', 'change-me-bob', 'other', allow=['mschap2'], profile={'routes': ['10.10.0.0/24']})
    office.session('bob')
    first = office.session('ann')
    laptop.session()
    bob.session()
    for client in (laptop, bob):
        poll(lambda: client.namespace.ping(HOST, deadline=2), '%s reaches the office' % client.name)
    expect({s['interface'] for s in office.sessions()} == {'people'}, 'not one interface for all: %s' % office.sessions())
    for machine in (office, laptop):
        machine.shows()
    bob.stop()
    poll(lambda: len(office.sessions()) == 1, 'bob is gone')
    # The laptop moves to another network without a word, and dials from there.
    laptop.kill()
    moved = kitchen.start(bob.namespace, 'laptop', 'moved')
    poll(lambda: [s['id'] != first['id'] for s in office.sessions()] == [True], 'the new session has replaced the old one', 15)
    moved.session()
    poll(lambda: moved.namespace.ping(HOST, deadline=2), 'ann reaches the office from another network')
    moved.stop()
    office.no_session()
    office.stop()


@case
def cookbook_full_frames(lab):
    kitchen = Kitchen(lab, 'full-frames')
    host = kitchen.host('host', kitchen.srv, '10.10.0.', HOST)
    kitchen.run(kitchen.srv, 'office')
    office = kitchen.start(kitchen.srv, 'office')
    laptop = kitchen.start(kitchen.cli, 'laptop')
    office.session('ann')
    laptop.session()
    for namespace, target in ((kitchen.cli, HOST), (host, '10.77.0.5')):
        poll(lambda: ' 1 received' in namespace.run('ping', '-n', '-q', '-M', 'do', '-c', '1', '-w', '2', '-s', '1472', target, check=False).stdout,
             '1500 octets to %s' % target)
    for machine in (office, laptop):
        machine.shows()
    laptop.stop()
    office.no_session()
    office.stop()


@case
def cookbook_radius(lab):
    kitchen = Kitchen(lab, 'radius')
    aaa = kitchen.beside('aaa', *RADIUS)
    servers = [freeradius.FreeRadius(lab, aaa, address, name='freeradius-%d' % n, text=kitchen.recipe.block('radius', 'users'), secret='change-me-radius')
               for n, address in enumerate(RADIUS)]
    nas = kitchen.start(kitchen.srv, 'nas')
    client = kitchen.road.client('rita', 'lovely', allow=['mschap2'])
    expect(nas.session('rita')['remote-address'] == '10.77.1.1', 'rita has another address: %s' % nas.sessions())
    client.session()
    kitchen.cli.expect_ping('10.77.0.1', 'through the tunnel')
    start = servers[0].record(User_Name='rita', Acct_Status_Type='Start')
    expect(start['Framed-IP-Address'] == '10.77.1.1', 'accounting has another address: %s' % start)
    nas.shows()
    events = nas.monitor()
    said = freeradius.client(aaa, 'disconnect', SERVER, ['User-Name = "rita"', 'Message-Authenticator = 0x00'], 'change-me-radius')
    expect('Received Disconnect-ACK ' in said, 'no Disconnect-ACK: %s' % said)
    events.expect('session-down', user='rita')
    servers[0].record(User_Name='rita', Acct_Status_Type='Stop')
    servers[0].kill()
    nas.session('rita', 30)
    servers[1].record(User_Name='rita', Acct_Status_Type='Start')
    client.stop()
    nas.no_session()
    nas.stop()


def way(namespace, to):
    return json.loads(namespace.run('ip', '-json', 'route', 'get', to).stdout)[0].get('dev')


@case(limit=120)
def cookbook_two_servers(lab):
    kitchen = Kitchen(lab, 'two-servers')
    second = kitchen.beside('second', SECOND)
    host, lan = lab.namespace('host'), lab.namespace('lan')
    lan.run('ip', 'link', 'add', 'lan', 'type', 'bridge')
    lan.run('ip', 'link', 'set', 'lan', 'up')
    for namespace, port, address in ((kitchen.srv, 'one', '10.10.0.1'), (second, 'two', '10.10.0.2'), (host, 'three', HOST)):
        lab.wire(namespace, 'lan', lan, port)
        lan.run('ip', 'link', 'set', port, 'master', 'lan')
        namespace.address('lan', address + '/24')
    kitchen.run(kitchen.srv, 'first')
    kitchen.run(second, 'second')
    kitchen.run(host, 'host')
    servers = kitchen.start(kitchen.srv, 'first'), kitchen.start(second, 'second')
    client = kitchen.start(kitchen.cli, 'client')
    for server in servers:
        server.session('ann')
    poll(lambda: way(kitchen.cli, HOST) == 'first' and kitchen.cli.ping(HOST, deadline=2), 'the client uses the first server', 20)
    for machine in (client, servers[1]):
        machine.shows()
    kitchen.srv.run('ip', 'link', 'set', 'wire', 'down')
    poll(lambda: way(kitchen.cli, HOST) == 'second' and kitchen.cli.ping(HOST, deadline=2), 'the client uses the second server', 30)
    expect(len(servers[1].sessions()) == 1, 'the second server has other sessions: %s' % servers[1].sessions())
    kitchen.srv.run('ip', 'link', 'set', 'wire', 'up')
    kitchen.srv.run('ip', 'route', 'add', 'default', 'via', '192.0.2.254')
    poll(lambda: way(kitchen.cli, HOST) == 'first' and kitchen.cli.ping(HOST, deadline=2), 'the client uses the first server again', 60)
    client.stop()
    for server in servers:
        server.no_session()
        server.stop()


@case
def cookbook_default_route(lab):
    kitchen = Kitchen(lab, 'default-route')
    world = kitchen.beside('world', WORLD)
    wire = world.capture('wire', 'icmp')
    before = kitchen.cli.routes()
    kitchen.run(kitchen.srv, 'gateway')
    gateway = kitchen.start(kitchen.srv, 'gateway')
    client = kitchen.start(kitchen.cli, 'client')
    gateway.session('ann')
    client.session()
    poll(lambda: way(kitchen.cli, WORLD) == 'gateway', 'everything goes through the tunnel')
    expect(way(kitchen.cli, SERVER) == 'wire', 'the server is routed into its own tunnel')
    kitchen.cli.expect_ping(WORLD, 'through the tunnel')
    poll(lambda: tshark(wire.path, 'icmp.type == 8 && ip.src == %s' % SERVER), 'the ping comes from the gateway', 5, 0.3)
    expect(not tshark(wire.path, 'icmp.type == 8 && ip.src != %s' % SERVER), 'a ping came another way')
    for machine in (gateway, client):
        machine.shows()
    client.stop()
    poll(lambda: kitchen.cli.routes() == before, 'the routes are as they were before')
    gateway.no_session()
    gateway.stop()


@case
def cookbook_one_ethernet(lab):
    kitchen = Kitchen(lab, 'one-ethernet')
    hosts = []
    for gateway, name, address in ((kitchen.srv, 'hosta', '10.30.0.53'), (kitchen.cli, 'hostb', '10.30.0.54')):
        host = lab.namespace(name)
        lab.wire(gateway, 'lan', host, 'eth')
        host.address('eth', address + '/24')
        hosts.append(host)
    kitchen.run(kitchen.srv, 'hq')
    kitchen.run(kitchen.cli, 'branch')
    hq = kitchen.start(kitchen.srv, 'hq')
    branch = kitchen.start(kitchen.cli, 'branch')
    poll(lambda: hosts[0].ping('10.30.0.54', deadline=2), 'from the headquarters to the branch', 20)
    hosts[1].expect_ping('10.30.0.53', 'a full frame', size=1472)
    for machine in (hq, branch):
        machine.shows()
    hq.ctl('disconnect', 'branch')
    poll(lambda: hosts[1].ping('10.30.0.53', deadline=2), 'the branch has redialled', 20)
    branch.stop()
    hq.no_session()
    hq.stop()
