/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "mp-discriminator.h"

enum { CLASS_NULL = 0, CLASS_LOCAL, CLASS_IPV4, CLASS_MAC, CLASS_MAGIC, CLASS_PHONE, CLASSES };

/* The form of an address of each class (RFC 1990 5.1.3). */
static const struct {
  const char *name;
  guint8 least, most, unit;
} classes[CLASSES] = {
    [CLASS_NULL] = {"null", 0, 0, 1}, [CLASS_LOCAL] = {"local", 1, 20, 1}, [CLASS_IPV4] = {"ip", 4, 4, 1},
    [CLASS_MAC] = {"mac", 6, 6, 1},   [CLASS_MAGIC] = {"magic", 4, 20, 4}, [CLASS_PHONE] = {"number", 1, 15, 1},
};

gboolean mp_discriminator_is_valid(const AditPppOption *option) {
  if (!option->length || option->length > MP_DISCRIMINATOR_MAX)
    return FALSE;
  guint8 length = (guint8)(option->length - 1), class = option->data[0];
  return class >= CLASSES || (length >= classes[class].least && length <= classes[class].most && length % classes[class].unit == 0);
}

void mp_discriminator_read(const AditPppOption *option, MpDiscriminator *out) {
  *out = (MpDiscriminator){.length = 0};
  if (!option || !option->length || option->data[0] == CLASS_NULL)
    return;
  out->length = MIN(option->length, MP_DISCRIMINATOR_MAX);
  memcpy(out->data, option->data, out->length);
}

gboolean mp_discriminator_equal(const MpDiscriminator *a, const MpDiscriminator *b) {
  return a->length == b->length && memcmp(a->data, b->data, a->length) == 0;
}

static void format_phone(const MpDiscriminator *discriminator, char *text, gsize room) {
  for (guint i = 1; i < discriminator->length && room > 1; i++, room--)
    *text++ = g_ascii_isdigit((char)discriminator->data[i]) || discriminator->data[i] == '+' ? (char)discriminator->data[i] : '?';
  *text = 0;
}

const char *mp_discriminator_format(const MpDiscriminator *discriminator, char text[MP_DISCRIMINATOR_TEXT]) {
  const guint8 *data = discriminator->data;
  if (!discriminator->length)
    return strcpy(text, "none");
  int at = data[0] < CLASSES ? g_snprintf(text, MP_DISCRIMINATOR_TEXT, "%s ", classes[data[0]].name)
                             : g_snprintf(text, MP_DISCRIMINATOR_TEXT, "class-%u ", data[0]);
  if (data[0] == CLASS_IPV4 && discriminator->length == 5) {
    g_snprintf(text + at, (gsize)(MP_DISCRIMINATOR_TEXT - at), "%u.%u.%u.%u", data[1], data[2], data[3], data[4]);
  } else if (data[0] == CLASS_PHONE) {
    format_phone(discriminator, text + at, (gsize)(MP_DISCRIMINATOR_TEXT - at));
  } else {
    const char *between = data[0] == CLASS_MAC ? ":" : "";
    for (guint i = 1; i < discriminator->length; i++)
      at += g_snprintf(text + at, (gsize)(MP_DISCRIMINATOR_TEXT - at), "%s%02x", i > 1 ? between : "", data[i]);
  }
  return text;
}

/* ---- ours ---- */

static guint8 seed[MP_IDENTITY_SEED];
static GHashTable *renewals; /* name of a client -> how often it has started again */

void mp_identity_init(const guint8 random[MP_IDENTITY_SEED]) {
  mp_identity_fini();
  renewals = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  memcpy(seed, random, sizeof seed);
}

void mp_identity_fini(void) {
  g_clear_pointer(&renewals, g_hash_table_unref);
}

void mp_identity_get(gboolean client, const char *name, MpDiscriminator *out) {
  g_autoptr(GChecksum) hash = g_checksum_new(G_CHECKSUM_SHA256);
  guint8 digest[32];
  gsize length = sizeof digest;

  g_checksum_update(hash, seed, sizeof seed);
  if (client && name) {
    guint32 renewal = renewals ? GPOINTER_TO_UINT(g_hash_table_lookup(renewals, name)) : 0;
    g_checksum_update(hash, (const guint8 *)&renewal, sizeof renewal);
    g_checksum_update(hash, (const guint8 *)name, (gssize)strlen(name));
  }
  g_checksum_get_digest(hash, digest, &length);
  out->length = MP_DISCRIMINATOR_MAX;
  out->data[0] = CLASS_LOCAL;
  memcpy(out->data + 1, digest, MP_DISCRIMINATOR_MAX - 1);
}

void mp_identity_renew(const char *client) {
  if (renewals)
    g_hash_table_insert(renewals, g_strdup(client), GUINT_TO_POINTER(GPOINTER_TO_UINT(g_hash_table_lookup(renewals, client)) + 1));
}
