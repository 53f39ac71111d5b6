# SPDX-License-Identifier: GPL-2.0-or-later
"""adit's YAML, for tests: a tree of dicts and lists, written out."""

import json

PLUGINS = ['l2tp', 'ipcp', 'ipv6cp', 'bcp', 'ccp', 'mp', 'tun', 'pap', 'chap', 'mschap', 'secrets']  # loaded without `plugins`


def write(value, indent=0):
    """YAML of dicts, lists and scalars; scalars are written so that the schema alone decides what they are."""
    pad = '  ' * indent
    if isinstance(value, dict):
        lines = []
        for key, item in value.items():
            if isinstance(item, dict) and item:
                lines.append('%s%s:\n%s' % (pad, key, write(item, indent + 1)))
            elif isinstance(item, list) and item and isinstance(item[0], dict):
                lines.append('%s%s:\n%s' % (pad, key, write(item, indent + 1)))
            else:
                lines.append('%s%s: %s\n' % (pad, key, scalar(item)))
        return ''.join(lines)
    lines = []
    for item in value:
        body = write(item, indent + 1)
        lines.append('%s- %s' % (pad, body[len(pad) + 2:]))
    return ''.join(lines)


def scalar(item):
    if isinstance(item, list):
        return '[%s]' % ', '.join(scalar(i) for i in item)
    if isinstance(item, bool):
        return 'yes' if item else 'no'
    if isinstance(item, (int, float)):
        return str(item)
    return json.dumps(item)  # a JSON string is a YAML string


def server(secrets, address='192.0.2.1', methods=('mschap2',), inside='10.64.0.1', pool='10.64.0.2-10.64.255.254', profile=None, l2tp=None, **options):
    """The tree of an access server; without `address` it listens on all. `secrets` is a dict of user to password, or to a dict of the secret's options."""
    users = [dict({'name': name}, **(value if isinstance(value, dict) else {'password': value})) for name, value in secrets.items()]
    for user in users:
        user.setdefault('profile', 'people')
    item = {'name': 'lns', 'authentication': list(methods), 'default-profile': 'people'}
    if address:
        item['addresses'] = [address]
    item.update(options)
    return {
        'l2tp': dict({'servers': [item]}, **(l2tp or {})),
        'pools': [{'name': 'people', 'ranges': [pool]}],
        'profiles': [dict({'name': 'people', 'local-address': inside, 'remote-address': 'people'}, **(profile or {}))],
        'secrets': users,
    }


def client(user, password, connect_to='192.0.2.1', name='uplink', l2tp=None, profile=None, **options):
    """The tree of a machine that dials, by any method; with `allow` None by those of adit's default."""
    item = {'name': name, 'connect-to': connect_to, 'user': user, 'password': password, 'redial-min': '200ms', 'redial-max': '2s',
            'redial-refused-min': '200ms', 'redial-refused-max': '2s', 'allow': 'all'}
    item.update(options)
    if item['allow'] is None:
        del item['allow']
    tree = {'l2tp': dict({'clients': [item]}, **(l2tp or {}))}
    if profile:
        tree['profiles'] = [dict({'name': 'dialled'}, **profile)]
        item.setdefault('profile', 'dialled')
    return tree
