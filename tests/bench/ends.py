# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures, and the namespaces that they are measured in."""

import configs

FIGURES = []


def figure(name, value, unit, aim, method):
    FIGURES.append({'name': name, 'value': value, 'unit': unit, 'aim': aim, 'method': method})
    print('  %-52s %10s %-22s aim %s' % (name, '%.3g' % value if isinstance(value, float) else value, unit, aim), flush=True)


def wire_model(namespace, interface):
    """veth as a network card would be: no super-packets on the wire (software GSO), and GRO at the receiver."""
    for feature, state in (('tso', 'off'), ('tx-udp-segmentation', 'off'), ('tx-udp_tnl-segmentation', 'off'),
                           ('tx-udp_tnl-csum-segmentation', 'off'), ('gro', 'on')):
        namespace.run('ethtool', '-K', interface, feature, state, check=False)


def three_namespaces(lab, name):
    """client - server - a host behind it, with a plain route from the first to the last."""
    cli, srv, inn = (lab.namespace('%s-%s' % (role, name)) for role in ('cli', 'srv', 'inn'))
    lab.wire(cli, 'wire', srv, 'wire')
    lab.wire(srv, 'to-inn', inn, 'wire')
    cli.address('wire', '192.0.2.2/24')
    srv.address('wire', '192.0.2.1/24')
    srv.address('to-inn', '10.50.0.1/24')
    inn.address('wire', '10.50.0.2/24', '10.50.0.3/24')
    for namespace, interface in ((cli, 'wire'), (srv, 'wire'), (srv, 'to-inn'), (inn, 'wire')):
        wire_model(namespace, interface)
    srv.sysctl('net.ipv4.ip_forward', 1)
    inn.run('ip', 'route', 'add', 'default', 'via', '10.50.0.1')
    cli.run('ip', 'route', 'add', '10.50.0.2/32', 'via', '192.0.2.1')
    for namespace in (cli, inn):
        namespace.run('sysctl', '-qw', 'net.ipv4.tcp_congestion_control=cubic', check=False)
    return cli, srv, inn


def dialler():
    """A client's tree with what every build knows: the one of --against may be older than an option."""
    tree = configs.client('alice', 'p')
    for item in tree['l2tp']['clients']:
        for key in set(item) - {'name', 'connect-to', 'user', 'password', 'redial-min', 'redial-max'}:
            del item[key]
    return tree
