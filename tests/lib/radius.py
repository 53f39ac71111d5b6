# SPDX-License-Identifier: GPL-2.0-or-later
"""RADIUS packets as octets (RFC 2865 3, RFC 3579 3.2), for the proxy that lies and for requests that are forged."""

import hashlib
import hmac
import struct

ACCESS_REQUEST, ACCESS_ACCEPT, ACCESS_REJECT, ACCOUNTING_REQUEST, ACCOUNTING_RESPONSE = 1, 2, 3, 4, 5
DISCONNECT_REQUEST, DISCONNECT_ACK, DISCONNECT_NAK, COA_REQUEST, COA_ACK, COA_NAK = 40, 41, 42, 43, 44, 45
ACCT_STATUS_TYPE, PROXY_STATE, EVENT_TIMESTAMP, MESSAGE_AUTHENTICATOR, ERROR_CAUSE = 40, 33, 55, 80, 101
USER_NAME, ACCT_SESSION_ID = 1, 44


class Packet:
    def __init__(self, code, identifier, authenticator=bytes(16), attributes=()):
        self.code, self.identifier, self.authenticator, self.attributes = code, identifier, authenticator, list(attributes)

    @classmethod
    def parse(cls, data):
        code, identifier, length = struct.unpack('>BBH', data[:4])
        attributes, at = [], 20
        while at < length:
            kind, size = data[at], data[at + 1]
            if size < 2 or at + size > length:
                raise ValueError('an attribute does not fit')
            attributes.append((kind, data[at + 2:at + size]))
            at += size
        return cls(code, identifier, data[4:20], attributes)

    def body(self):
        return b''.join(bytes((kind, len(value) + 2)) + value for kind, value in self.attributes)

    def octets(self, authenticator=None):
        body = self.body()
        return struct.pack('>BBH', self.code, self.identifier, 20 + len(body)) + (authenticator or self.authenticator) + body

    def get(self, kind):
        return [value for other, value in self.attributes if other == kind]

    def number(self, kind):
        return next((struct.unpack('>I', value)[0] for value in self.get(kind)), None)

    def signed(self, secret, over):
        """The same, its Message-Authenticator made right; `over` is the authenticator in the header meanwhile."""
        rest = [(MESSAGE_AUTHENTICATOR, bytes(16))] + [a for a in self.attributes if a[0] != MESSAGE_AUTHENTICATOR]
        packet = Packet(self.code, self.identifier, over, rest)
        rest[0] = (MESSAGE_AUTHENTICATOR, hmac.new(secret, packet.octets(), hashlib.md5).digest())
        packet.attributes = rest
        return packet

    def reply_octets(self, secret, request_authenticator):
        """As an answer: with its Response Authenticator (RFC 2865 3)."""
        plain = self.octets(request_authenticator)
        return plain[:4] + hashlib.md5(plain + secret).digest() + plain[20:]

    def request_octets(self, secret, sign=True):
        """As an Accounting-, CoA- or Disconnect-Request (RFC 2866 3, RFC 5176 2.3)."""
        packet = self.signed(secret, bytes(16)) if sign else self
        plain = packet.octets(bytes(16))
        return plain[:4] + hashlib.md5(plain + secret).digest() + plain[20:]


def text(kind, value):
    return kind, value.encode()


def number(kind, value):
    return kind, struct.pack('>I', value)
