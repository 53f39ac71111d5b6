# SPDX-License-Identifier: GPL-2.0-or-later
"""xl2tpd with pppd, as server or as client: the peers that adit meets in tests/vm. They need /dev/ppp."""

import os
import signal

METHODS = {'pap': 'pap', 'chap': 'chap', 'mschap1': 'mschap', 'mschap2': 'mschap-v2'}

LNS = '''[global]
port = 1701
access control = no
auth file = %(folder)s/%(name)s.tunnel
debug avp = no
debug network = no
debug state = yes
debug tunnel = yes

[lns default]
ip range = 10.9.0.10-10.9.0.250
local ip = 10.9.0.1
require authentication = yes
hostname = peer-lns
name = peer-lns
ppp debug = yes
pppoptfile = %(folder)s/%(name)s.options
length bit = yes
%(extra)s
'''

LAC = '''[global]
port = 1701
access control = no
auth file = %(folder)s/%(name)s.tunnel
debug avp = no
debug network = no
debug state = yes
debug tunnel = yes

%(sections)s
'''

SECTION = '''[lac %(label)s]
lns = %(server)s
hostname = peer-lac
autodial = yes
redial = yes
redial timeout = 2
max redials = 50
require authentication = no
ppp debug = yes
pppoptfile = %(folder)s/%(label)s.options
length bit = yes
%(extra)s
'''

OPTIONS = '''debug
nodetach
nodefaultroute
noipdefault
nobsdcomp
nodeflate
noccp
novj
mtu 1400
mru 1400
lcp-echo-interval 2
lcp-echo-failure 4
'''


def write(path, text):
    with open(path, 'w') as f:
        os.fchmod(f.fileno(), 0o600)
        f.write(text)


def tunnel_options(secret, hidden):
    return ('challenge = yes\n' if secret else '') + ('hidden bit = yes\n' if hidden else '')


def start(lab, namespace, name, config, secret):
    write(os.path.join(lab.folder, name + '.conf'), config)
    write(os.path.join(lab.folder, name + '.tunnel'), '* * %s\n' % secret if secret else '')
    return namespace.start(name, 'xl2tpd', '-D', '-c', '%s/%s.conf' % (lab.folder, name), '-C', '%s/%s.control' % (lab.folder, name),
                           '-p', '%s/%s.pid' % (lab.folder, name), '-s', '%s/%s.tunnel' % (lab.folder, name))


def secrets(users):
    """pppd reads its users from fixed places; in the machine /etc/ppp is a tmpfs of its own."""
    lines = ''.join('"%s" * "%s" *\n' % item for item in sorted(users.items()))
    for path in ('/etc/ppp/chap-secrets', '/etc/ppp/pap-secrets'):
        write(path, lines)
    write('/etc/ppp/options', '')


def server(lab, namespace, method, secret=None, hidden=False, ipv6=True, name='xl2tpd-server'):
    options = OPTIONS + 'auth\nname peer-lns\nrequire-%s\nms-dns 10.9.0.53\n' % METHODS[method]
    options += '+ipv6\nipv6cp-accept-local\n' if ipv6 else 'noipv6\n'
    write(os.path.join(lab.folder, name + '.options'), options)
    return start(lab, namespace, name, LNS % {'folder': lab.folder, 'name': name, 'extra': tunnel_options(secret, hidden)}, secret)


def client_options(user, password, method=None, ipv6=True):
    options = OPTIONS + 'noauth\nuser "%s"\npassword "%s"\nrefuse-eap\n' % (user, password)
    options += ''.join('refuse-%s\n' % word for other, word in METHODS.items() if method and other != method)
    return options + ('+ipv6\n' if ipv6 else 'noipv6\n')


def client(lab, namespace, server_address, user, password, method=None, secret=None, hidden=False, ipv6=True, name='xl2tpd-client'):
    write(os.path.join(lab.folder, name + '.options'), client_options(user, password, method, ipv6))
    section = SECTION % {'folder': lab.folder, 'label': name, 'server': server_address, 'extra': tunnel_options(secret, hidden)}
    return start(lab, namespace, name, LAC % {'folder': lab.folder, 'name': name, 'sections': section}, secret)


def many_clients(lab, namespace, users, name='xl2tpd-clients'):
    """One xl2tpd that dials once for each user; `users` is a dict of (user, password) to the server's address to dial. Each needs an
    address of its own: the kernel finds a tunnel by the socket's four numbers, so a second one to the same address would be deaf."""
    sections = ''
    for (user, password), address in users.items():
        label = '%s-%s' % (name, user)
        write(os.path.join(lab.folder, label + '.options'), client_options(user, password))
        sections += SECTION % {'folder': lab.folder, 'label': label, 'server': address, 'extra': ''}
    return start(lab, namespace, name, LAC % {'folder': lab.folder, 'name': name, 'sections': sections}, None)


def kill(process):
    """Ends xl2tpd and its pppds as a crash would; they are its children, in its session's process group."""
    children = os.popen('ps -o pid= --ppid %d' % process.pid).read().split()
    process.kill()
    for pid in children:
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            pass
