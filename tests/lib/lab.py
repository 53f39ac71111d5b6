# SPDX-License-Identifier: GPL-2.0-or-later
"""Namespaces, daemons and captures for the tests that run adit as processes (tests/netns, tests/vm, tests/bench).

Everything a test makes belongs to its Lab and dies with it. Nothing sleeps: a test waits for an event, or polls a condition,
with a deadline."""

import ctypes
import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

import capture

LIBC = ctypes.CDLL('libc.so.6', use_errno=True)
PR_SET_PDEATHSIG = 1
PATIENCE = float(os.environ.get('ADIT_TEST_PATIENCE', '1'))  # an emulated machine needs more


class Failure(Exception):
    """A test's expectation did not hold."""


def poll(condition, what, deadline=10.0, interval=0.05):
    """Waits until condition() is true and returns its value."""
    end = time.monotonic() + deadline * PATIENCE
    pause = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise Failure('%s: not within %.0f s' % (what, deadline * PATIENCE))
        pause.wait(interval)


def expect(condition, what):
    if not condition:
        raise Failure(what)


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A child in a namespace; its output goes to a log file."""

    def __init__(self, lab, name, command, env=None):
        self.name, self.log_path = name, os.path.join(lab.folder, name + '.log')
        self.log = open(self.log_path, 'ab')
        self.popen = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT, cwd=lab.folder,
                                      preexec_fn=die_with_parent, env=env)
        lab.processes.append(self)

    @property
    def pid(self):
        return self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def text(self):
        with open(self.log_path, errors='replace') as f:
            return f.read()

    def signal(self, number):
        if self.running():
            self.popen.send_signal(number)

    def wait(self, deadline=10.0):
        try:
            return self.popen.wait(deadline * PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure('%s does not end' % self.name) from None

    def kill(self):
        self.signal(signal.SIGKILL)
        self.popen.wait()

    def stop(self, deadline=10.0):
        self.signal(signal.SIGTERM)
        return self.wait(deadline)

    def expect_text(self, text, deadline=10.0):
        poll(lambda: text in self.text(), '%s says "%s"' % (self.name, text), deadline)


class Namespace:
    def __init__(self, lab, name):
        self.lab, self.role, self.name = lab, name, '%s-%s' % (lab.prefix, name)
        subprocess.run(['ip', 'netns', 'add', self.name], check=True)
        self.run('ip', 'link', 'set', 'lo', 'up')

    def command(self, *args):
        return ['nsenter', '--net=/run/netns/' + self.name, '--'] + [str(a) for a in args]

    def run(self, *args, check=True, deadline=30.0, stdin=None):
        """Runs to its end; returns the finished process, its output as text."""
        try:
            done = subprocess.run(self.command(*args), capture_output=True, text=True, timeout=deadline * PATIENCE, input=stdin,
                                  preexec_fn=die_with_parent)
        except subprocess.TimeoutExpired:
            raise Failure('%s: not done within %.0f s' % (' '.join(map(str, args)), deadline * PATIENCE)) from None
        if check and done.returncode != 0:
            raise Failure('%s: %s' % (' '.join(map(str, args)), (done.stderr or done.stdout).strip()))
        return done

    def start(self, name, *args, env=None):
        return Process(self.lab, name, self.command(*args), env)

    def sysctl(self, key, value):
        self.run('sysctl', '-qw', '%s=%s' % (key, value))

    def address(self, interface, *addresses):
        for address in addresses:
            self.run('ip', 'address', 'add', address, 'dev', interface, *(['nodad'] if ':' in address else []))

    def interfaces(self):
        """Names by `ip -json link`, alternative names included."""
        links = json.loads(self.run('ip', '-json', 'link').stdout or '[]')
        return {link['ifname']: link for link in links}

    def tunnels(self):
        """Interfaces of adit or pppd: all but veth ends and lo."""
        return sorted(n for n, link in self.interfaces().items() if link.get('link_type') in ('none', 'ppp') or n.startswith('ppp'))

    def routes(self, family=4):
        return json.loads(self.run('ip', '-%d' % family, '-json', 'route').stdout or '[]')

    def ping(self, target, count=1, deadline=5, size=None, interval=None, source=None):
        """Number of answers."""
        args = ['ping', '-n', '-q', '-c', str(count), '-w', str(int(deadline * PATIENCE))]
        args += ['-s', str(size), '-M', 'do'] if size else []
        args += ['-i', str(interval)] if interval else []
        args += ['-I', source] if source else []
        out = self.run(*args, target, check=False, deadline=deadline + 5).stdout
        for line in out.splitlines():
            if ' received' in line:
                return int(line.split(' received')[0].split()[-1])
        return 0

    def expect_ping(self, target, what=None, deadline=5, **kwargs):
        if not self.ping(target, deadline=deadline, **kwargs):
            raise Failure('no ping from %s to %s%s' % (self.role, target, ' (%s)' % what if what else ''))

    def capture(self, interface, *expression, sources=(), ports=(), needs=(), forbids=(), name=None):
        path = os.path.join(self.lab.folder, '%s-%s.pcap' % (name or self.role, interface))
        process = self.start('tcpdump-%s-%s' % (name or self.role, interface), 'tcpdump', '-n', '-U', '--immediate-mode', '-Z', 'root', '-i', interface, '-w', path, '-s', '0',
                             *expression)
        process.path = path
        capture.describe(path, sources, ports, needs, forbids)
        process.expect_text('listening on')
        return process


class Adit:
    """An aditd in a namespace, with its aditctl."""

    def __init__(self, lab, namespace, config, name='adit', wait=True):
        self.lab, self.namespace, self.name = lab, namespace, name
        self.state = os.path.join(lab.folder, name + '.state')
        os.makedirs(self.state, exist_ok=True)
        self.socket = os.path.join(lab.folder, name + '.sock')
        self.config_path = os.path.join(lab.folder, name + '.yaml')
        self.configure(config)
        self.start(wait)

    def configure(self, config):
        with open(self.config_path, 'w') as f:
            os.fchmod(f.fileno(), 0o600)
            f.write(config)

    def start(self, wait=True, user=None, arguments=()):
        """Started as root it becomes `user`: by default one that has no rights at all, so that every test runs without root's."""
        user = user or os.environ.get('ADIT_TEST_USER', 'nobody')
        env = dict(os.environ, G_DEBUG='fatal-criticals', ASAN_OPTIONS='detect_leaks=1:exitcode=99', UBSAN_OPTIONS='print_stacktrace=1')
        if self.lab.dictionary:
            env['ADIT_RADIUS_DICTIONARY'] = self.lab.dictionary
        if self.lab.lsan:
            env['LSAN_OPTIONS'] = 'suppressions=%s:print_suppressions=0' % self.lab.lsan
        self.process = self.namespace.start(self.name, *self.lab.wrapper, self.lab.aditd, '--config', self.config_path, '--plugin-dir', self.lab.plugins,
                                            '--socket', self.socket, '--state-dir', self.state, *(['--user', user] if self.lab.drops_root else []), *arguments, env=env)
        if wait:
            poll(self.ready, '%s is up' % self.name, 15)

    def start_anew(self, *wrapper, **how):
        """Starts it with an empty log, run by another program."""
        if os.path.exists(self.process.log_path):
            os.unlink(self.process.log_path)
        self.lab.wrapper[:0] = wrapper
        try:
            self.start(**how)
        finally:
            del self.lab.wrapper[:len(wrapper)]

    def ready(self):
        if not self.process.running():
            raise Failure('%s did not start:\n%s' % (self.name, '\n'.join(self.process.text().splitlines()[-15:])))
        try:
            return self.call('io.adit.core.GetInfo')
        except OSError:
            return None

    def ctl(self, *args, check=True, deadline=20):
        return self.namespace.run(self.lab.aditctl, '--socket', self.socket, *args, check=check, deadline=deadline)

    def call(self, method, **parameters):
        """One Varlink call, without aditctl: tests ask often, and a program takes its time to start in an emulated machine."""
        with Varlink(self.socket) as connection:
            connection.send(method, parameters)
            return connection.receive()

    def list(self, method, key):
        """A list that may come in several replies."""
        items = []
        with Varlink(self.socket) as connection:
            connection.send(method, {}, more=True)
            while True:
                items += connection.receive().get(key, [])
                if not connection.continues:
                    return items

    def sessions(self):
        """Sessions that are up."""
        return [s for s in self.list('io.adit.session.ListSessions', 'sessions') if s.get('state') == 'up']

    def session(self, user=None, deadline=15, key='remote-address'):
        """Waits for a session (of that user) that is up and has its IPv4 address, and returns it."""
        def found():
            return next((s for s in self.sessions() if key in s and user in (None, s.get('user'))), None)
        return poll(found, 'a session of %s at %s' % (user or 'anybody', self.name), deadline, 0.1)

    def no_session(self, deadline=15):
        poll(lambda: not self.list('io.adit.session.ListSessions', 'sessions'), '%s has no session' % self.name, deadline, 0.1)

    def monitor(self):
        return Monitor(self)

    def resident_kib(self):
        with open('/proc/%d/status' % self.process.pid) as f:
            return next(int(line.split()[1]) for line in f if line.startswith('VmRSS:'))

    def cpu_seconds(self):
        with open('/proc/%d/stat' % self.process.pid) as f:
            fields = f.read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def reload(self, config=None, check=True):
        if config is not None:
            self.configure(config)
        return self.ctl('reload', check=check)

    def stop(self, deadline=15):
        """Ends it by SIGTERM; a leak or an error of a sanitizer makes the status non-zero, which fails the test."""
        status = self.process.stop(deadline)
        if status != 0:
            raise Failure('%s ended with status %d:\n%s' % (self.name, status, '\n'.join(self.process.text().splitlines()[-25:])))

    def kill(self):
        self.process.kill()


class Varlink:
    """A connection to the management socket: JSON objects, each ended by a zero octet."""

    def __init__(self, path, timeout=10.0):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout * PATIENCE)
        self.socket.connect(path)
        self.buffer, self.continues = b'', False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, method, parameters, more=False):
        call = {'method': method, 'parameters': parameters}
        if more:
            call['more'] = True
        self.socket.sendall(json.dumps(call).encode() + b'\0')

    def receive(self, timeout=None):
        """The parameters of the next reply. A reply that is an error is a Failure; none in time is a TimeoutError."""
        end = time.monotonic() + timeout if timeout is not None else None
        while b'\0' not in self.buffer:
            if end is not None:
                self.socket.settimeout(max(0.01, end - time.monotonic()))
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionResetError('the daemon closed the connection')
            self.buffer += data
        text, self.buffer = self.buffer.split(b'\0', 1)
        reply = json.loads(text)
        if 'error' in reply:
            raise Failure('%s: %s' % (reply['error'], reply.get('parameters')))
        self.continues = reply.get('continues', False)
        return reply.get('parameters', {})


class Monitor:
    """The daemon's events since the call."""

    def __init__(self, adit):
        self.connection, self.seen = Varlink(adit.socket), []
        self.connection.send('io.adit.core.Monitor', {}, more=True)
        adit.call('io.adit.core.GetInfo')  # was sent after it on the same loop: when it is answered, the monitor stands

    def expect(self, name, deadline=15, **fields):
        """Waits for the next event of that name whose fields are as given; those before it are passed over."""
        end = time.monotonic() + deadline * PATIENCE
        while True:
            try:
                event = self.connection.receive(max(0.0, end - time.monotonic()))
            except TimeoutError:
                raise Failure('no event %s %s within %.0f s; seen: %s' % (name, fields or '', deadline * PATIENCE, self.seen[-6:])) from None
            values = dict(event.get('fields', {}), event=event.get('event'))
            self.seen.append(values)
            if values['event'] == name and all(values.get(k) == v for k, v in fields.items()):
                return values


class Lab:
    """What one test has made; as a context it takes everything down again."""

    def __init__(self, name, stage=None, keep=None, build=None, wrapper=(), plain=None):
        # Interface and namespace names must differ between tests that run at once.
        self.name, self.prefix = name, 'adit%d' % os.getpid()
        self.folder = '/tmp/%s-%s' % (self.prefix, name)
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.keep, self.wrapper = keep, list(wrapper)
        self.processes, self.namespaces = [], []
        self.lsan = self.dictionary = None
        self.build, self.plain = build, plain
        if stage:
            self.build = os.path.abspath(build or os.path.dirname(os.path.abspath(stage)))
            self.use(stage)
            suppressions = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lsan.supp')
            self.lsan = suppressions if os.path.exists(suppressions) else None

    def use(self, stage):
        """Which adit the next daemons are."""
        self.stage = stage = os.path.abspath(stage)
        self.aditd = one(stage, 'sbin/aditd')
        self.aditctl = one(stage, 'bin/aditctl')
        self.plugins = one(stage, 'adit/plugins')
        # A build to compare with (tests/bench/run --against) may be older than the option.
        self.drops_root = '--user' in subprocess.run([self.aditd, '--help'], capture_output=True, text=True, timeout=30).stdout
        self.dictionary = next(iter(glob.glob(os.path.join(stage, '**', 'adit/radius/dictionary'), recursive=True)), None)

    def has(self, symbol):
        """Whether the daemon was built with that."""
        with open(self.aditd, 'rb') as f:
            return symbol.encode() in f.read()

    def sanitized(self):
        return self.has('__asan_init')

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for process in reversed(self.processes):
            process.kill()
        for namespace in self.namespaces:
            subprocess.run(['ip', 'netns', 'del', namespace.name], stderr=subprocess.DEVNULL)
        if self.keep:
            for path in self.captures() + glob.glob(self.folder + '/*.log') + glob.glob(self.folder + '/*.yaml') + glob.glob(self.folder + '/*.json'):
                os.makedirs(os.path.join(self.keep, self.name), exist_ok=True)
                shutil.copy(path, os.path.join(self.keep, self.name))
        shutil.rmtree(self.folder, ignore_errors=True)

    def namespace(self, name):
        namespace = Namespace(self, name)
        self.namespaces.append(namespace)
        return namespace

    def wire(self, a, a_name, b, b_name):
        subprocess.run(['ip', 'link', 'add', a_name, 'netns', a.name, 'type', 'veth', 'peer', 'name', b_name, 'netns', b.name], check=True)
        for namespace, name in ((a, a_name), (b, b_name)):
            namespace.run('ip', 'link', 'set', name, 'up')

    def adit(self, namespace, config, name=None, wait=True):
        return Adit(self, namespace, config, name or 'adit-' + namespace.role, wait)

    def captures(self):
        return sorted(glob.glob(os.path.join(self.folder, '*.pcap')))

    def check_captures(self):
        for path in self.captures():
            lines = capture.check(path)
            expect(not lines, 'tshark finds %d bad packets in %s: %s' % (len(lines), os.path.basename(path), '; '.join(lines[:3])))


def one(stage, tail):
    """The one path under an installation that ends so, whatever prefix it was configured with."""
    found = [p for p in glob.glob(os.path.join(stage, '**', tail), recursive=True)]
    if not found:
        raise Failure('%s has no %s: make install DESTDIR=%s first' % (stage, tail, stage))
    return found[0]


def transfer(server, client, address, octets=None, seconds=None, reverse=False, streams=1, port=5201, deadline=60):
    """TCP by iperf3 from client to server (or back); returns bits per second as the receiver saw them."""
    listener = server.start('iperf3-%d-%d' % (port, len(server.lab.processes)), 'iperf3', '-s', '-1', '-p', port, '--forceflush')
    listener.expect_text('Server listening')
    args = ['iperf3', '-c', address, '-p', str(port), '-J', '-P', str(streams)]
    args += ['-n', str(octets)] if octets else ['-t', str(seconds or 2)]
    args += ['-R'] if reverse else []
    try:
        done = client.run(*args, check=False, deadline=deadline)
        try:
            result = json.loads(done.stdout)
        except ValueError:
            raise Failure('iperf3: %s' % (done.stderr or done.stdout)) from None
        if 'error' in result:
            raise Failure('iperf3 to %s: %s' % (address, result['error']))
        return result['end']['sum_received']['bits_per_second']
    finally:
        listener.kill()
