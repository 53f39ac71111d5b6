/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The attributes that decide the login: kinds of service, messages, MS-CHAP's proofs, EAP, keys. */
#include "reply-login.h"
#include "../wire/vocabulary.h"
#include <nettle/sha1.h>

enum { TUNNEL_VLAN = 13, TAG_MAX = 0x1f, KEY = 16, PROOF = 42 };

static const char tunnel_on[] = "asks to tunnel the user on";
static const char nothing_acts[] = "no plugin acts on it";

/* RFC 2865 5.6: a service that is not served is taken for a Reject; Framed-Protocol is to be that of the service. */
RADIUS_READER(radius_read_must_be) {
  guint32 number;
  if (!radius_attribute_int(a, &number) || number != row->least)
    radius_refuse(r, a, "is not what this is: framed, by PPP");
  return NULL;
}

/* RFC 2868 3.1: a NAS that can't make such a tunnel takes it for a Reject; to the end of a tunnel it says which one the user came through.
 * A VLAN (RFC 3580) is no tunnel. */
RADIUS_READER(radius_read_tunnel) {
  guint32 number;
  if (!radius_attribute_int(a, &number))
    return "is no integer of 4 octets";
  if ((number & 0xffffff) == TUNNEL_VLAN)
    return nothing_acts;
  if ((number & 0xffffff) == TUNNEL_L2TP && g_strcmp0(r->request->transport, "l2tp") == 0)
    r->tunnel.in_use = TRUE;
  else
    radius_refuse(r, a, tunnel_on);
  return NULL;
}

/* RFC 2868 3.4: perhaps a tag, then an address or a name, which has no address until it is looked up. */
RADIUS_READER(radius_read_tunnel_server) {
  gboolean tagged = a->length && a->value[0] <= TAG_MAX;
  g_autofree char *text = radius_text(a->value + tagged, a->length - tagged);
  AditAddress local = adit_endpoint_address(&r->request->local), address;
  gboolean here = text && adit_address_parse(text, &address) && adit_address_equal(&address, &local);

  *(here ? &r->tunnel.here : &r->tunnel.elsewhere) = TRUE;
  return here ? NULL : nothing_acts;
}

/* The tunnel in use is no other's: of several to choose from one must end here. */
void radius_finish_login(RadiusReading *r) {
  if (r->tunnel.in_use && r->tunnel.elsewhere && !r->tunnel.here)
    radius_refuse(r, &(RadiusAttribute){.type = TUNNEL_TYPE}, tunnel_on);
}

/* RFC 2868 3.5: a tag, then as an MPPE key. No tunnel is made with it, so it goes no further than here. */
RADIUS_READER(radius_read_tunnel_password) {
  guint8 password[249];
  gsize length;
  gboolean good =
      a->length && radius_unsalt(a->value + 1, a->length - 1u, r->context->authenticator, r->context->secret, password, &length);

  explicit_bzero(password, sizeof password);
  return good ? nothing_acts : "is no password";
}

/* Text to be read by people: whatever is none in it is for no eye. */
static char *copy_shown(const guint8 *value, gsize length) {
  if (length && !value[length - 1])
    length--; /* some servers send C's strings */
  char *text = g_utf8_make_valid((const char *)value, (gssize)length);
  for (char *at = text; *at; at++)
    if (g_ascii_iscntrl(*at))
      *at = ' ';
  return text;
}

/* RFC 2865 5.18: several are shown in order. */
RADIUS_READER(radius_read_message) {
  g_autofree char *text = copy_shown(a->value, a->length);

  if (r->message->len && *text)
    g_string_append_c(r->message, ' ');
  g_string_append(r->message, text);
  return NULL;
}

RADIUS_READER(radius_read_eap) {
  if (r->request->kind != ADIT_AUTH_EAP)
    return nothing_acts;
  g_byte_array_append(r->eap, a->value, a->length);
  return NULL;
}

const char radius_no_request[] = "no request is made when the session is over";

/* RFC 2865 5.24: of a challenge; of an accept it would be for the request that follows a Termination-Action. */
RADIUS_READER(radius_read_state) {
  if (r->code == RADIUS_ACCESS_ACCEPT)
    return radius_no_request;
  g_clear_pointer(&r->state, g_bytes_unref);
  r->state = g_bytes_new(a->value, a->length);
  return NULL;
}

/* The part after the identifier of RFC 2548, which is CHAP's. It is not compared: the answer is to this request by its
 * authenticator, and the peer checks the proof. Servers put 0 there, or leave it out: then the text's own `S=` or `E=` is first. */
static char *behind_identifier(const RadiusAttribute *a) {
  gsize skip = a->length > 1 && a->value[1] == '=' ? 0 : MIN(a->length, 1u);
  return copy_shown(a->value + skip, a->length - skip);
}

/* The text of M=, without blanks around it; NULL if there is none. No field before it can hold an M. */
static char *message_of(char *text) {
  char *message = strstr(text, "M=");
  return message && *g_strstrip(message + 2) ? message + 2 : NULL;
}

/* RFC 2548 2.3.3: an identifier, then `S=` and 40 digits, which the peer will check, and perhaps ` M=` and a text. Servers are known to
 * leave out the blank, and to end it with a NUL or a line's end: it is rewritten as RFC 2759 5 requires, for strict peers. */
RADIUS_READER(radius_read_proof) {
  g_autofree char *text = behind_identifier(a);

  if (r->request->kind != ADIT_AUTH_MSCHAPV2)
    return nothing_acts;
  if (strlen(text) < PROOF || strncmp(text, "S=", 2) != 0)
    return "is no proof";
  for (guint i = 2; i < PROOF; i++)
    if (!g_ascii_isxdigit(text[i]))
      return "is no proof";
  const char *message = message_of(text + PROOF);
  g_free(r->proof);
  r->proof = message ? g_strdup_printf("%.*s M=%s", PROOF, text, message) : g_strndup(text, PROOF);
  return NULL;
}

/* RFC 2548 2.1.5: an identifier, then RFC 2433's or RFC 2759's text: E= a code, R=1 for another try, M= a text. The challenge of a
 * second try is the method's to make. */
RADIUS_READER(radius_read_error) {
  g_autofree char *text = behind_identifier(a);

  if (r->code == RADIUS_ACCESS_ACCEPT)
    return nothing_acts;
  if (strncmp(text, "E=", 2) != 0)
    return "is no MS-CHAP error";
  const char *message = message_of(text + 2), *retry = strstr(text, "R=");
  r->error_code = (guint)g_ascii_strtoull(text + 2, NULL, 10) % 100000;
  r->retry = retry && (!message || retry < message) && retry[2] == '1';
  g_clear_pointer(&r->failure, g_free);
  if (message)
    r->failure = g_strdup(message);
  return NULL;
}

/* RFC 2548 2.4.4 */
RADIUS_READER(radius_read_mppe_policy) {
  guint32 number;
  if (!radius_attribute_int(a, &number) || number < 1 || number > 2)
    return "is no policy";
  if (number == 2 && !r->context->mppe)
    radius_refuse(r, a, "demands encryption by MPPE, and no plugin does that");
  radius_take(r, row, adit_value_string(number == 2 ? "required" : "allowed"));
  return NULL;
}

enum { MPPE_TYPES = 0xe };

/* RFC 2548 2.4.5: without any bit encryption is not allowed */
RADIUS_READER(radius_read_mppe_types) {
  static const struct {
    guint32 bit;
    const char *word;
  } types[] = {{0x2, "40-bit"}, {0x8, "56-bit"}, {0x4, "128-bit"}};
  guint32 number;

  if (!radius_attribute_int(a, &number))
    return "is no integer of 4 octets";
  for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
    if (number & types[i].bit)
      radius_take(r, row, adit_value_string(types[i].word));
  if (!(number & MPPE_TYPES))
    radius_take(r, row, adit_value_string("none"));
  return NULL;
}

/* RFC 2548 2.4.2: Send is what the server's client, which we are, encrypts with. */
RADIUS_READER(radius_read_mppe_key) {
  guint8 key[249];
  gsize length;
  gboolean good = radius_unsalt(a->value, a->length, r->context->authenticator, r->context->secret, key, &length) && length == KEY;

  if (good) {
    memcpy(row->least ? r->receive : r->send, key, KEY);
    *(row->least ? &r->has_receive : &r->has_send) = TRUE;
  }
  explicit_bzero(key, sizeof key);
  return good ? NULL : "is no key of 16 octets";
}

/* RFC 2548 2.4.1, of MS-CHAPv1: hidden as a password is, 8 octets of a LAN Manager key and 16 of the hash of the password's hash;
 * RFC 3079 2.4 makes of it the key for both directions, and 2.1 takes the former for short ones. A server that knows none sends zeros. */
RADIUS_READER(radius_read_mppe_keys) {
  enum { CHALLENGE = 8, HASH_AT = 8 };
  static const guint8 none[HASH_AT] = {0};
  char clear[129];
  struct sha1_ctx sha1;

  if (r->request->kind != ADIT_AUTH_MSCHAPV1 || r->request->challenge_length != CHALLENGE)
    return nothing_acts;
  if (a->length < HASH_AT + KEY || !radius_unhide(a->value, a->length, r->context->authenticator, r->context->secret, clear))
    return "has a wrong length";
  sha1_init(&sha1);
  sha1_update(&sha1, KEY, (const guint8 *)clear + HASH_AT);
  sha1_update(&sha1, KEY, (const guint8 *)clear + HASH_AT);
  sha1_update(&sha1, CHALLENGE, r->request->challenge);
  sha1_digest(&sha1, KEY, r->send);
  memcpy(r->receive, r->send, KEY);
  r->has_send = r->has_receive = TRUE;
  memcpy(r->short_key, clear, sizeof r->short_key);
  r->mppe_short = memcmp(clear, none, sizeof none) ? ADIT_MPPE_SHORT_OWN : ADIT_MPPE_SHORT_NONE;
  explicit_bzero(clear, sizeof clear);
  explicit_bzero(&sha1, sizeof sha1);
  return NULL;
}
