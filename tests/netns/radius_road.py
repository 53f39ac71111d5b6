# SPDX-License-Identifier: GPL-2.0-or-later
"""The road of road.py with a RADIUS server beside adit's: FreeRADIUS in a namespace `aaa`, and proxies before it."""

import capture
import configs
import freeradius
from lab import expect, poll
from road import Road

NAS, RADIUS, PROXY, PROXY_TOO, NOBODY = '10.1.1.1', '10.1.1.2', '10.1.1.3', '10.1.1.4', '10.1.1.9'
PLUGINS = configs.PLUGINS + ['radius']
PPP = ['Service-Type = Framed-User', 'Framed-Protocol = PPP']


class RadiusRoad(Road):
    """FreeRADIUS is at 10.1.1.2; what passes between it and adit is captured and judged, too. `users` is a map of name to (password, attributes)."""

    def __init__(self, lab, users, watch=True, start=True, **options):
        super().__init__(lab, watch)
        self.aaa = lab.namespace('aaa')
        lab.wire(self.srv, 'to-aaa', self.aaa, 'wire')
        self.srv.address('to-aaa', NAS + '/24')
        self.aaa.address('wire', RADIUS + '/24', PROXY + '/24', PROXY_TOO + '/24')
        self.radius_wire = self.aaa.capture('wire', 'udp', sources=[NAS], name='aaa') if watch else None
        entries = {name: (password, PPP + list(attributes)) for name, (password, attributes) in users.items()}
        self.free = freeradius.FreeRadius(lab, self.aaa, RADIUS, entries, **options) if start else None

    def proxy(self, address=PROXY):
        return freeradius.Proxy(self.lab, self.aaa, address, RADIUS, 'proxy-' + address.rsplit('.', 1)[1])

    def tree(self, servers=(RADIUS,), secrets=None, methods=('mschap2',), aaa=None, incoming=None, radius=None, more=None, **options):
        """`servers` are addresses, or maps of options; `more` options are for all of them."""
        tree = configs.server(secrets if secrets is not None else {'local': 'here'}, methods=methods, **options)
        items = [dict({'secret': freeradius.SECRET}, **(s if isinstance(s, dict) else {'address': s}), **(more or {})) for s in servers]
        tree['plugins'] = PLUGINS
        tree['radius'] = dict({'servers': items}, **(radius or {}))
        if incoming is not None:
            tree['radius']['incoming'] = dict({'accept': True}, **incoming)
        tree['aaa'] = dict({'use-radius': True}, **(aaa or {}))
        return tree

    def nas(self, servers=(RADIUS,), **options):
        """adit, asking these."""
        return self.lab.adit(self.srv, configs.write(self.tree(servers, **options)))

    def describe(self, server, user):
        """All that `show session` has of a user's session."""
        return server.call('io.adit.session.GetSession', id=server.session(user)['id'])['session']

    def attributes(self, server, user):
        return self.describe(server, user)['attributes']

    def radius_sent(self, display_filter):
        return len(capture.tshark(self.radius_wire.path, display_filter).splitlines())

    def expect_radius(self, display_filter, what):
        poll(lambda: self.radius_sent(display_filter), what, 15, 0.3)

    def dynamic(self, what, *attributes, secret=freeradius.SECRET, port=None, tries=1, timeout=2, sign=True):
        """radclient against adit: what it prints."""
        words = list(attributes) + (['Message-Authenticator = 0x00'] if sign else [])
        return freeradius.client(self.aaa, what, NAS, words, secret, port, tries, timeout)


def differences(got, wanted):
    """What of a map is not as wanted, in words; None: it is not there."""
    return ['%s is %s, not %s' % (key, got.get(key), value) for key, value in wanted.items() if got.get(key) != value]


def answered(text, code, cause=None):
    """radclient got that answer, and with that Error-Cause."""
    expect('Received %s ' % code in text, 'not a %s: %s' % (code, text.strip()[-400:]))
    if cause:
        expect('Error-Cause = %s' % cause in text, 'not because of %s: %s' % (cause, text.strip()[-400:]))


def refused(events, user, deadline=30):
    """That user's link ends without a session. (With MS-CHAP's leave to try again it is the client that gives up.)"""
    down = events.expect('link-down', deadline, user=user)
    expect(not [e for e in events.seen if e['event'] in ('session-up', 'auth-done') and e.get('user') == user and not e.get('cause')],
           '%s was let in: %s' % (user, events.seen[-4:]))
    events.seen.clear()
    return down
