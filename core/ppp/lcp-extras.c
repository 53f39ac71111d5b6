/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/ppp/lcp-extras.h"
#include "core/base/hold.h"

/** The peer's requested option of one type. */
typedef struct {
  gboolean present;
  guint8 length;
  guint8 *data; /* `length` octets; NULL = none */
} Heard;

typedef struct {
  const AditLcpDesc *desc;
  gpointer state;
  Heard *heard; /* one for each of desc->types */
} Extra;

struct AditLcpExtras {
  guint n;
  Extra extra[];
};

AditLcpExtras *adit_lcp_extras_new(const AditLcpDesc *const *descs, guint n, const AditEngineEnv *env, const AditLcpFacts *facts) {
  if (!n)
    return NULL;
  AditLcpExtras *extras = g_malloc0(sizeof *extras + n * sizeof(Extra));
  extras->n = n;
  for (guint i = 0; i < n; i++) {
    extras->extra[i] = (Extra){descs[i], g_malloc0(MAX(descs[i]->state_size, 1)), g_new0(Heard, descs[i]->n_types)};
    ADIT_HOLD(NULL, descs[i]->init, "init() of an LCP option", descs[i]->init(extras->extra[i].state, env, facts));
  }
  return extras;
}

/* Most peers ask for none of these: their octets are allocated when they do. */
static void keep_heard(Heard *heard, gconstpointer data, guint8 length) {
  g_free(heard->data);
  heard->length = length;
  heard->data = length ? g_memdup2(data, length) : NULL;
}

void adit_lcp_extras_free(AditLcpExtras *extras) {
  for (guint i = 0; extras && i < extras->n; i++) {
    for (guint k = 0; k < extras->extra[i].desc->n_types; k++)
      g_free(extras->extra[i].heard[k].data);
    g_free(extras->extra[i].state);
    g_free(extras->extra[i].heard);
  }
  g_free(extras);
}

/* The owner of a type; `*type` is what it says of it, `*heard` (or NULL) where the peer's value is. */
static Extra *find_owner(const AditLcpExtras *extras, guint8 number, const AditLcpType **type, Heard **heard) {
  for (guint i = 0; extras && i < extras->n; i++)
    for (guint k = 0; k < extras->extra[i].desc->n_types; k++)
      if (extras->extra[i].desc->types[k].type == number) {
        *type = &extras->extra[i].desc->types[k];
        if (heard)
          *heard = &extras->extra[i].heard[k];
        return (Extra *)&extras->extra[i];
      }
  return NULL;
}

static gboolean fits_type(const AditLcpType *type, const AditPppOption *option) {
  return option->length >= type->min_length && option->length <= type->max_length;
}

void adit_lcp_extras_reset(AditLcpExtras *extras) {
  for (guint i = 0; extras && i < extras->n; i++)
    ADIT_HOLD(NULL, extras->extra[i].desc->reset, "reset() of an LCP option", extras->extra[i].desc->reset(extras->extra[i].state));
  adit_lcp_extras_peer_begin(extras);
}

void adit_lcp_extras_request(AditLcpExtras *extras, AditBuilder *out) {
  for (guint i = 0; extras && i < extras->n; i++)
    ADIT_HOLD(NULL, extras->extra[i].desc->options->request, "request()",
              extras->extra[i].desc->options->request(extras->extra[i].state, out));
}

void adit_lcp_extras_peer_begin(AditLcpExtras *extras) {
  for (guint i = 0; extras && i < extras->n; i++) {
    const Extra *extra = &extras->extra[i];
    for (guint k = 0; k < extra->desc->n_types; k++)
      extra->heard[k].present = FALSE;
    ADIT_HOLD(NULL, extra->desc->options->peer_begin, "peer_begin()", extra->desc->options->peer_begin(extra->state));
  }
}

AditOptionVerdict adit_lcp_extras_peer_option(AditLcpExtras *extras, const AditPppOption *option, AditBuilder *nak) {
  const AditLcpType *type;
  Heard *heard;
  Extra *extra = find_owner(extras, option->type, &type, &heard);
  if (!extra || !fits_type(type, option))
    return ADIT_OPTION_REJECT;
  AditOptionVerdict verdict;
  ADIT_HOLD(NULL, extra->desc->options->peer_option, "peer_option()",
            verdict = extra->desc->options->peer_option(extra->state, option, nak));
  heard->present = verdict == ADIT_OPTION_ACK;
  keep_heard(heard, option->data, option->length);
  return verdict;
}

void adit_lcp_extras_peer_end(AditLcpExtras *extras, AditBuilder *nak) {
  for (guint i = 0; extras && i < extras->n; i++)
    ADIT_HOLD(NULL, extras->extra[i].desc->options->peer_end, "peer_end()",
              extras->extra[i].desc->options->peer_end(extras->extra[i].state, nak));
}

void adit_lcp_extras_acked(AditLcpExtras *extras) {
  for (guint i = 0; extras && i < extras->n; i++)
    ADIT_HOLD(NULL, extras->extra[i].desc->options->acked, "acked()", extras->extra[i].desc->options->acked(extras->extra[i].state));
}

void adit_lcp_extras_naked(AditLcpExtras *extras, const AditPppOption *option) {
  const AditLcpType *type;
  Extra *extra = find_owner(extras, option->type, &type, NULL);
  if (extra && fits_type(type, option))
    ADIT_HOLD(NULL, extra->desc->options->naked, "naked()", extra->desc->options->naked(extra->state, option));
}

gboolean adit_lcp_extras_rejected(AditLcpExtras *extras, const AditPppOption *option) {
  const AditLcpType *type;
  Extra *extra = find_owner(extras, option->type, &type, NULL);
  gboolean lives = TRUE;
  if (extra)
    ADIT_HOLD(NULL, extra->desc->options->rejected, "rejected()", lives = extra->desc->options->rejected(extra->state, option));
  return lives;
}

gboolean adit_lcp_extras_heard(const AditLcpExtras *extras, guint8 number, AditPppOption *out) {
  const AditLcpType *type;
  Heard *heard;
  if (!find_owner(extras, number, &type, &heard) || !heard->present)
    return FALSE;
  *out = (AditPppOption){number, heard->length, heard->data};
  return TRUE;
}

void adit_lcp_extras_save(const AditLcpExtras *extras, AditBuilder *out) {
  adit_put_u8(out, extras ? (guint8)extras->n : 0);
  for (guint i = 0; extras && i < extras->n; i++) {
    const Extra *extra = &extras->extra[i];
    adit_put_u8(out, extra->desc->types[0].type);
    for (guint k = 0; k < extra->desc->n_types; k++) {
      const Heard *heard = &extra->heard[k];
      adit_put_u8(out, heard->present ? 1 : 0);
      adit_put_u8(out, heard->present ? heard->length : 0);
      adit_put_bytes(out, heard->data, heard->present ? heard->length : 0);
    }
    gsize mark = adit_built(out);
    adit_put_u16(out, 0);
    ADIT_HOLD(NULL, extra->desc->save, "save() of an LCP option", extra->desc->save(extra->state, out));
    adit_patch_u16(out, mark, (guint16)(adit_built(out) - mark - 2));
  }
}

static gboolean restore_extra(const Extra *extra, AditCursor *in) {
  if (adit_get_u8(in) != extra->desc->types[0].type)
    return FALSE;
  for (guint k = 0; k < extra->desc->n_types && !in->bad; k++) {
    Heard *heard = &extra->heard[k];
    heard->present = adit_get_u8(in) != 0;
    guint8 length = adit_get_u8(in);
    const guint8 *data = adit_get_bytes(in, length);
    keep_heard(heard, data, data ? length : 0);
  }
  AditCursor state = adit_get_sub(in, adit_get_u16(in));
  return !in->bad && ADIT_HOLD_VALUE(NULL, extra->desc->restore, "restore() of an LCP option", extra->desc->restore(extra->state, &state));
}

gboolean adit_lcp_extras_restore(AditLcpExtras *extras, AditCursor *in) {
  if (adit_get_u8(in) != (extras ? extras->n : 0))
    return FALSE;
  for (guint i = 0; extras && i < extras->n; i++)
    if (!restore_extra(&extras->extra[i], in))
      return FALSE;
  return !in->bad;
}
