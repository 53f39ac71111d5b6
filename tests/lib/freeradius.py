# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's FreeRADIUS with the configuration of contrib/freeradius, and the proxy before it that makes it dead, slow or lying."""

import json
import os
import re
import socket
import subprocess
import sys

from lab import expect, poll

HERE = os.path.dirname(os.path.abspath(__file__))
SETUP = os.path.join(os.path.dirname(os.path.dirname(HERE)), 'contrib', 'freeradius', 'setup')
SECRET = 'between-us'


def users(entries):
    """The file `users`: a map of name to (password, list of attributes as FreeRADIUS writes them)."""
    lines = []
    for name, (password, attributes) in entries.items():
        lines.append('"%s" Cleartext-Password := "%s"' % (name, password))
        lines += ['\t%s%s' % (item, ',' if n < len(attributes) - 1 else '') for n, item in enumerate(attributes)]
        lines.append('')
    return '\n'.join(lines)


class FreeRadius:
    def __init__(self, lab, namespace, address, entries=None, name='freeradius', text=None, radsec=None, keep_requests=False, secret=SECRET):
        self.lab, self.namespace, self.address, self.name = lab, namespace, address, name
        self.folder = os.path.join(lab.folder, name)
        subprocess.run([SETUP, '--secret', secret, '--listen', address, '--reject-delay', '0', *(['--radsec', *radsec] if radsec else []), self.folder], check=True)
        self.log = os.path.join(self.folder, 'log', 'radius.log')
        if entries is not None or text is not None:
            with open(os.path.join(self.folder, 'users'), 'w') as f:
                f.write(users(entries) if text is None else text)
        if keep_requests:
            self.keep_requests()
        self.process, self.starts = None, 0
        self.start()

    def edit(self, name, old, new):
        """Changes a file of its configuration, which counts from its next start."""
        path = os.path.join(self.folder, name)
        with open(path) as f:
            text = f.read()
        expect(old in text, '%s has no %s' % (path, old))
        with open(path, 'w') as f:
            f.write(text.replace(old, new))

    def keep_requests(self):
        """Access-Requests are written down as accounting's are."""
        self.edit('modules.conf', 'detail {\n', 'detail requests {\n  filename = ${logdir}/requests\n  permissions = 0600\n  header = "%t"\n  locking = yes\n}\n\ndetail {\n')
        self.edit('site.conf', '  authorize {\n', '  authorize {\n    requests\n')

    def start(self):
        self.starts += 1
        self.process = self.namespace.start(self.name, 'freeradius', '-f', '-d', self.folder)

        def ready():
            expect(self.process.running(), 'FreeRADIUS does not start: %s' % self.log_text()[-800:])
            return self.log_text().count('Ready to process requests') == self.starts
        poll(ready, 'FreeRADIUS is ready', 20)

    def log_text(self):
        if not os.path.exists(self.log):
            return ''
        with open(self.log, errors='replace') as f:
            return f.read()

    def stop(self):
        self.process.stop(20)

    def kill(self):
        self.process.kill()

    def records(self, **wanted):
        """Accounting records as they came, oldest first: maps of attribute to value (a list where it comes more than once). `wanted` has
        underscores for the dashes."""
        return self.written('accounting', **wanted)

    def requests(self, **wanted):
        """Access-Requests in the same form, of a server that keeps them."""
        return self.written('requests', **wanted)

    def written(self, log, **wanted):
        path = os.path.join(self.folder, 'log', log)
        if not os.path.exists(path):
            return []
        with open(path, errors='replace') as f:
            text = f.read()
        found = []
        for block in text.split('\n\n')[:-1]:  # what is after the last empty line is being written
            record = {}
            for key, value in re.findall(r'^\t([^ ]+) = (.*)$', block, re.M):
                value = value.strip('"')
                if key in record:
                    record[key] = (record[key] if isinstance(record[key], list) else [record[key]]) + [value]
                else:
                    record[key] = value
            if all(record.get(key.replace('_', '-')) == value for key, value in wanted.items()):
                found.append(record)
        return found

    def record(self, deadline=15, **wanted):
        """Waits for one such record."""
        return poll(lambda: (self.records(**wanted) or [None])[0], 'a record %s' % wanted, deadline, 0.2)


def certificates(folder, **names):
    """A certificate authority and a certificate for each name (a map of file name to subjectAltName); returns a map of name to (certificate, key, CA)."""
    def openssl(*args):
        subprocess.run(['openssl', *args], check=True, capture_output=True, cwd=folder)
    os.makedirs(folder, exist_ok=True)
    request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    openssl(*request, '-subj', '/CN=test authority', '-keyout', 'ca.key', '-out', 'ca.pem')
    for name, alternative in names.items():
        openssl(*request, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-subj', '/CN=' + name, '-addext', 'subjectAltName=' + alternative, '-addext', 'basicConstraints=CA:FALSE',
                '-keyout', name + '.key', '-out', name + '.pem')
    return {name: tuple(os.path.join(folder, f) for f in (name + '.pem', name + '.key', 'ca.pem')) for name in names}


class Proxy:
    """tests/lib/radius_proxy.py, which tells what can go wrong."""

    def __init__(self, lab, namespace, listen, to, name='proxy'):
        self.path = os.path.join(lab.folder, name + '.control')
        self.process = namespace.start(name, sys.executable, '-B', os.path.join(HERE, 'radius_proxy.py'), '--listen', listen, '--to', to, '--secret', SECRET,
                                       '--control', self.path)
        self.address = listen
        self.process.expect_text('ready')

    def wish(self, **words):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(10)
            connection.connect(self.path)
            with connection.makefile('rw') as stream:
                stream.write(json.dumps(words) + '\n')
                stream.flush()
                return json.loads(stream.readline())

    def auth(self, **fault):
        return self.wish(set={'auth': fault})

    def acct(self, **fault):
        return self.wish(set={'acct': fault})

    def both(self, **fault):
        return self.wish(set={'auth': fault, 'acct': fault})

    def stats(self, role='auth'):
        return self.wish(stats=True)[role]

    def release(self):
        return self.wish(release=True)

    def forget(self):
        return self.wish(forget=True)


def client(namespace, what, to, attributes, secret=SECRET, port=None, tries=1, timeout=3):
    """radclient: what is auth, acct, coa or disconnect; returns what it prints. Attributes as FreeRADIUS writes them."""
    ports = {'auth': 1812, 'acct': 1813, 'coa': 3799, 'disconnect': 3799}
    done = namespace.run('radclient', '-x', '-r', tries, '-t', timeout, '%s:%d' % (to, port or ports[what]), what, secret, check=False,
                         stdin='\n'.join(attributes) + '\n')
    return done.stdout + done.stderr
