# SPDX-License-Identifier: GPL-2.0-or-later
"""The interface of a session in a Linux bridge: what the profile says of the port, and what is kept of it. `cases_bridge.py` has the frames."""

import json

import configs
from lab import expect, poll
from road import USERS, Road
from runner import case

PLUGINS = ['l2tp', 'ipcp', 'ipv6cp', 'bcp', 'tun', 'pap', 'chap', 'mschap', 'secrets']
BRIDGED = {'bridge': 'br0'}
PORT, FAR_PORT = 'eth-alice', 'eth-uplink'


def make_bridge(namespace, number):
    """With VLANs, where the kernel has them. Returns whether it has."""
    add = ['ip', 'link', 'add', 'br0', 'address', '02:00:5e:00:00:%02x' % number, 'type', 'bridge']
    vlans = namespace.run(*add, 'vlan_filtering', '1', check=False).returncode == 0
    if not vlans:
        namespace.run(*add)
    namespace.run('ip', 'link', 'set', 'br0', 'up')
    return vlans


def attributes(namespace, name):
    """What the kernel has of a port in br0; {} while it is in none."""
    out = namespace.run('ip', '-d', '-j', 'link', 'show', 'dev', name, check=False).stdout
    link = ((json.loads(out) if out.strip() else []) or [{}])[0]
    return link['linkinfo']['info_slave_data'] if link.get('master') == 'br0' else {}


def vlans_of(namespace, name):
    """All VLANs of a port, and the one of untagged frames."""
    ports = json.loads(namespace.run('bridge', '-j', 'vlan', 'show', 'dev', name).stdout)
    vlans = ports[0]['vlans'] if ports else []
    return [v['vlan'] for v in vlans], next((v['vlan'] for v in vlans if 'PVID' in v.get('flags', [])), None)


def await_forwarding(namespace, name):
    poll(lambda: attributes(namespace, name).get('state') == 'forwarding', '%s forwards in br0' % name, 20)


def start_server(road, secrets=None, **profile):
    tree = dict(configs.server(secrets or USERS, profile=dict(BRIDGED, **profile)), plugins=PLUGINS)
    return road.lab.adit(road.srv, configs.write(tree))


def start_client(road, namespace, user='alice', password='wonder-land', **profile):
    soon = {'keepalive-timeout': '2s', 'hello-interval': '2s'}  # to notice that the server was killed
    tree = dict(configs.client(user, password, profile=dict(BRIDGED, **profile), **soon), plugins=PLUGINS)
    return road.lab.adit(namespace, configs.write(tree))


@case(limit=180)
def a_port_of_a_bridge_is_kept(lab):
    """Taken out, changed, in another VLAN, the bridge deleted and made again, the daemon killed: it is as the profile says again."""
    road = Road(lab)
    has_vlans = make_bridge(road.srv, 1)
    make_bridge(road.cli, 2)
    profile = {'bridge-learning': False, 'bridge-horizon': 1, 'bridge-path-cost': 50, 'bridge-port-priority': 64}
    if has_vlans:
        profile['bridge-port-vid'] = 20
    server, client = start_server(road, **profile), start_client(road, road.cli)
    shown = server.session('alice')

    def right():
        have = attributes(road.srv, PORT)
        return have and (have['learning'], have['isolated'], have['cost'], have['priority']) == (False, True, 50, 16) and \
            (not has_vlans or vlans_of(road.srv, PORT) == ([20], 20))
    poll(right, 'the port is as the profile says', 20)
    await_forwarding(road.srv, PORT)
    shown = server.session('alice')
    expect(shown.get('bridge') == 'br0', 'the session does not show its bridge: %s' % shown)
    changes = [['ip', 'link', 'set', PORT, 'nomaster'],
               ['ip', 'link', 'set', PORT, 'type', 'bridge_slave', 'learning', 'on'],
               ['bridge', 'link', 'set', 'dev', PORT, 'isolated', 'off'],
               ['bridge', 'link', 'set', 'dev', PORT, 'cost', '9', 'priority', '3']]
    if has_vlans:
        changes += [['bridge', 'vlan', 'del', 'vid', '20', 'dev', PORT]]
    for command in changes:
        road.srv.run(*command)
        poll(right, 'restored after ' + ' '.join(command), 15)
    road.srv.run('ip', 'link', 'del', 'br0')
    server.process.expect_text('bridge br0: there is no such interface')
    make_bridge(road.srv, 9)
    poll(right, 'in the new bridge', 30)
    server.process.expect_text('in bridge br0 again')
    expect(len(server.sessions()) == 1 and server.sessions()[0]['id'] == shown['id'], 'the session ended meanwhile')
    server.kill()
    server.start_anew()
    server.session('alice', deadline=60)
    poll(right, 'in the bridge after a crash', 20)
    expect([name for name in road.srv.interfaces() if name.startswith('eth-')] == [PORT], 'interfaces are left over')
    client.stop()
    poll(lambda: PORT not in road.srv.interfaces(), '%s is gone' % PORT)
    server.stop()


@case(limit=180)
def sessions_with_a_horizon_do_not_reach_each_other(lab):
    """But both reach a host behind the server, and a session without one."""
    road = Road(lab)
    make_bridge(road.srv, 1)
    host = lab.namespace('host')
    lab.wire(host, 'eth', road.srv, 'lan')
    road.srv.run('ip', 'link', 'set', 'lan', 'master', 'br0')
    host.address('eth', '10.99.0.1/24')
    secrets = {name: {'password': 'wonder-land'} for name in ('alice', 'bob', 'carol')}
    for name in ('alice', 'bob'):
        secrets[name]['bridge-horizon'] = 1
    server, ends, clients = start_server(road, secrets), {}, []
    for number, name in enumerate(secrets, 2):
        namespace = road.cli
        if name != 'alice':
            namespace = lab.namespace(name)
            lab.wire(namespace, 'wire', road.mid, 'to-' + name)
            namespace.address('wire', '198.51.%d.2/24' % (110 + number))
            road.mid.address('to-' + name, '198.51.%d.254/24' % (110 + number))
            namespace.run('ip', 'route', 'add', 'default', 'via', '198.51.%d.254' % (110 + number))
        make_bridge(namespace, 10 + number)
        namespace.address('br0', '10.99.0.%d/24' % number)
        clients.append(start_client(road, namespace, name))
        server.session(name)
        await_forwarding(road.srv, 'eth-' + name)
        await_forwarding(namespace, FAR_PORT)
        ends[name] = namespace
        namespace.expect_ping('10.99.0.1', '%s reaches the host' % name)
    ends['alice'].expect_ping('10.99.0.4', 'alice reaches carol')
    ends['carol'].expect_ping('10.99.0.3', 'carol reaches bob')
    expect(not ends['alice'].ping('10.99.0.3', deadline=2), 'alice reaches bob through the horizon')
    for client in clients:
        client.stop()
    server.stop()


@case
def sessions_share_an_interface_and_no_port(lab):
    """The option `interface` is for IP: each session is a port of the bridge, with its own MAC address."""
    road = Road(lab)
    make_bridge(road.srv, 1)
    secrets = {name: {'password': 'wonder-land'} for name in ('alice', 'bob')}
    server, clients, there = start_server(road, secrets, interface='people'), [], lab.namespace('bob')
    lab.wire(there, 'wire', road.mid, 'to-bob')
    there.address('wire', '198.51.113.2/24')
    road.mid.address('to-bob', '198.51.113.254/24')
    there.run('ip', 'route', 'add', 'default', 'via', '198.51.113.254')
    for number, (name, namespace) in enumerate((('alice', road.cli), ('bob', there)), 2):
        make_bridge(namespace, number)
        namespace.address('br0', '10.99.0.%d/24' % number)
        clients.append(start_client(road, namespace, name))
        server.session(name)
        await_forwarding(road.srv, 'eth-' + name)
        await_forwarding(namespace, FAR_PORT)
    expect({s['interface'] for s in server.sessions()} == {'people'}, 'not one interface for all: %s' % server.sessions())
    links = road.srv.interfaces()
    expect(links[PORT]['address'] != links['eth-bob']['address'], 'the ports have the same address: %s' % links)
    road.cli.expect_ping('10.99.0.3', 'from alice to bob, through the bridge')
    for name in secrets:
        shown = server.call('io.adit.session.GetSession', id=name)['session']
        expect(shown['bridge-interface'] == 'eth-' + name, 'the port of %s: %s' % (name, shown))
    for client in clients:
        client.stop()
    server.stop()


@case
def a_session_that_only_bridges(lab):
    """Ends with the reason while the bridge is missing, and works without any IP of its own."""
    road = Road(lab)
    make_bridge(road.cli, 2)
    only = {'use-ipv4': 'no', 'use-ipv6': 'no'}
    server, client = start_server(road, **only), start_client(road, road.cli, **only)
    server.process.expect_text('session ended before it was up: bridge br0: there is no such interface', 20)
    make_bridge(road.srv, 1)
    poll(lambda: attributes(road.srv, PORT), 'the next attempt is in the bridge', 30)
    await_forwarding(road.srv, PORT)
    await_forwarding(road.cli, FAR_PORT)
    road.srv.address('br0', '10.99.0.1/24')
    road.cli.address('br0', '10.99.0.2/24')
    road.srv.expect_ping('10.99.0.2', 'a session that only bridges')
    expect(not [name for name in road.srv.interfaces() if name.startswith('l2tp-')], 'it has an L3 interface, too')
    shown = server.sessions()[0]
    expect(shown['interface'] == PORT, 'its interface is %s' % shown['interface'])
    client.stop()
    server.stop()


@case
def a_bridge_without_an_address_is_told_of(lab):
    """By --check, which sees the files of the namespace here: it would take the address of a session's port. An Ethernet port, or an address that is set, is enough."""
    road = Road(lab)
    server = start_server(road)

    def warnings():  # among the errors that a daemon runs with that configuration
        check = 'mount -t sysfs none /sys && exec %s --check --config %s --plugin-dir %s' % (lab.aditd, server.config_path, lab.plugins)
        done = road.srv.run('unshare', '-m', 'sh', '-c', check, check=False)
        return [line for line in (done.stdout + done.stderr).splitlines() if 'profiles[0].bridge' in line]
    expect(len(warnings()) == 1 and 'bridge br0: there is no such interface' in warnings()[0] and '.yaml:' in warnings()[0], 'not told: %s' % warnings())
    road.srv.run('ip', 'link', 'add', 'br0', 'type', 'bridge')
    road.srv.run('ip', 'link', 'set', 'br0', 'up')
    lacks = 'bridge br0: it takes its MAC address from its ports, of which none lasts'
    expect(len(warnings()) == 1 and lacks in warnings()[0], 'not told: %s' % warnings())
    make_bridge(road.cli, 2)
    client = start_client(road, road.cli)
    await_forwarding(road.srv, PORT)
    expect(len(warnings()) == 1, "a session's port is taken for one that lasts: %s" % warnings())
    road.srv.run('ip', 'link', 'add', 'lan', 'type', 'veth', 'peer', 'name', 'lan-peer')
    road.srv.run('ip', 'link', 'set', 'lan', 'master', 'br0')
    expect(not warnings(), 'with an Ethernet port: %s' % warnings())
    road.srv.run('ip', 'link', 'set', 'lan', 'nomaster')
    road.srv.run('ip', 'link', 'set', 'br0', 'address', '02:00:5e:00:00:77')
    expect(not warnings(), 'with an address that is set: %s' % warnings())
    client.stop()
    server.stop()
