/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Numbers, texts, limits and rates. */
#include "reply-value.h"
#include "../options.h"

static const char no_integer[] = "is no integer of 4 octets";
static const char no_text[] = "is no text";

RADIUS_READER(radius_read_ignored) {
  return NULL;
}

RADIUS_READER(radius_read_nothing) {
  guint32 number;
  if (!radius_attribute_int(a, &number))
    return no_integer;
  return number ? "no plugin acts on it" : NULL;
}

RADIUS_READER(radius_read_number) {
  guint32 number;
  if (!radius_attribute_int(a, &number))
    return no_integer;
  if (number < row->least || number > row->most)
    return "is out of range";
  radius_take(r, row, adit_value_int(number));
  return NULL;
}

/* RFC 2865 5.29: a new request when the session is over may be made, and is not; the wish of an Accept is carried. */
RADIUS_READER(radius_read_termination) {
  const char *why = radius_read_number(r, row, a);
  gboolean wished = !why && adit_option_termination_action(r->map) != 0;
  return wished ? radius_no_request : why;
}

RADIUS_READER(radius_read_seconds) {
  guint32 number;
  if (!radius_attribute_int(a, &number))
    return no_integer;
  radius_take(r, row, adit_value_int(CLAMP((gint64)number, row->least, row->most) * 1000));
  return NULL;
}

/* RouterOS: 0 leaves it to this side, which in a change is no change. */
RADIUS_READER(radius_read_interim) {
  guint32 number;
  if (!radius_attribute_int(a, &number))
    return no_integer;
  return number ? radius_read_seconds(r, row, a) : NULL;
}

RADIUS_READER(radius_read_text) {
  g_autofree char *text = radius_text(a->value, a->length);
  if (!text)
    return no_text;
  radius_take(r, row, adit_value_string(text));
  return NULL;
}

RADIUS_READER(radius_read_octets) {
  if (a->length < row->least || a->length > row->most)
    return "has a wrong length";
  radius_take(r, row, adit_value_octets(a->value, a->length));
  return NULL;
}

RADIUS_READER(radius_read_limit) {
  guint32 number;
  if (!radius_attribute_int(a, &number))
    return no_integer;
  r->limit[row->least].part[row->most] = number;
  r->limit[row->least].said = TRUE;
  return NULL;
}

/* RouterOS: the name of a chain of rules; `.in` and `.out` make it one for a direction, of which the last one counts. */
RADIUS_READER(radius_read_filter) {
  static const struct {
    const char *suffix, *word;
  } directions[] = {{".in", adit_option_incoming_filter_key}, {".out", adit_option_outgoing_filter_key}};
  g_autofree char *text = radius_text(a->value, a->length);

  if (!text)
    return no_text;
  for (gsize i = 0; i < G_N_ELEMENTS(directions); i++) {
    gsize suffix = strlen(directions[i].suffix), length = strlen(text);
    if (length <= suffix || !g_str_has_suffix(text, directions[i].suffix))
      continue;
    text[length - suffix] = 0;
    radius_take_as(r, directions[i].word, FALSE, adit_value_string(text));
    return NULL;
  }
  radius_take(r, row, adit_value_string(text));
  return NULL;
}

/* WISPr 1.0: ISO 8601, `2026-12-18T19:00:00+00:00`; without a zone it is ours. Session-Timeout may end it earlier. */
RADIUS_READER(radius_read_until) {
  g_autofree char *text = radius_text(a->value, a->length);
  g_autoptr(GTimeZone) zone = g_time_zone_new_local();
  g_autoptr(GDateTime) then = text ? g_date_time_new_from_iso8601(text, zone) : NULL;

  if (!then)
    return "is no date with time";
  gint64 left = g_date_time_to_unix(then) - g_get_real_time() / G_USEC_PER_SEC;
  if (left <= 0) {
    radius_refuse(r, a, "is over");
    return NULL;
  }
  r->until_ms = MIN(left, row->most) * 1000;
  return NULL;
}

/* RouterOS's own words; a traffic shaper reads them. */
RADIUS_READER(radius_read_rate) {
  g_autofree char *text = radius_text(a->value, a->length);

  if (!text || text[strspn(text, "0123456789kKmMgG/. ")])
    return "is no rate";
  g_free(r->rate.mikrotik);
  r->rate.mikrotik = g_steal_pointer(&text);
  return NULL;
}

RADIUS_READER(radius_read_ascend_rate) {
  guint32 number;
  if (!radius_attribute_int(a, &number))
    return no_integer;
  if (r->rate.n_ascend == G_N_ELEMENTS(r->rate.ascend))
    return "occurs more than twice";
  r->rate.ascend[r->rate.n_ascend++] = number;
  return NULL;
}

RADIUS_READER(radius_read_ascend_tx) {
  if (!radius_attribute_int(a, &r->rate.ascend_tx))
    return no_integer;
  r->rate.has_ascend_tx = TRUE;
  return NULL;
}

RADIUS_READER(radius_read_wispr_rate) {
  if (!radius_attribute_int(a, &r->rate.wispr[row->least]))
    return no_integer;
  r->rate.has_wispr = TRUE;
  return NULL;
}

/* RouterOS: a lone Ascend-Data-Rate is what goes to the user, of two the first one; beside Ascend-Xmit-Rate it is what comes. */
static char *ascend_rate(const RadiusReading *r) {
  const guint32 *data = r->rate.ascend;
  guint32 rx = r->rate.has_ascend_tx ? data[0] : data[1], tx = r->rate.has_ascend_tx ? r->rate.ascend_tx : data[0];
  return g_strdup_printf("%u/%u", rx, tx);
}

/* The least rates are the last words of RouterOS's form, behind bursts, of which there are none, and the usual priority. */
static char *wispr_rate(const RadiusReading *r) {
  const guint32 *rate = r->rate.wispr;
  if (rate[0] || rate[1])
    return g_strdup_printf("%u/%u 0/0 0/0 0/0 8 %u/%u", rate[2], rate[3], rate[0], rate[1]);
  return g_strdup_printf("%u/%u", rate[2], rate[3]);
}

static void finish_rate(RadiusReading *r) {
  g_autofree char *text = r->rate.mikrotik                            ? g_strdup(r->rate.mikrotik)
                          : r->rate.n_ascend || r->rate.has_ascend_tx ? ascend_rate(r)
                          : r->rate.has_wispr                         ? wispr_rate(r)
                                                                      : NULL;
  if (text)
    radius_take_as(r, adit_option_rate_limit_key, FALSE, adit_value_string(text));
}

static void finish_limits(RadiusReading *r) {
  static const char *const words[LIMITS] = {adit_option_limit_bytes_in_key, adit_option_limit_bytes_out_key,
                                            adit_option_limit_bytes_total_key};

  for (gsize i = 0; i < LIMITS; i++) {
    guint64 octets = (guint64)r->limit[i].part[1] << 32 | r->limit[i].part[0];
    if (r->limit[i].said)
      radius_take_as(r, words[i], FALSE, adit_value_int((gint64)MIN(octets, (guint64)G_MAXINT64)));
  }
}

static void finish_until(RadiusReading *r) {
  gint64 own = adit_option_session_timeout(r->map);
  if (r->until_ms && (!own || r->until_ms < own))
    radius_take_as(r, adit_option_session_timeout_key, FALSE, adit_value_int(r->until_ms));
}

void radius_finish_values(RadiusReading *r) {
  finish_rate(r);
  finish_limits(r);
  finish_until(r);
}
